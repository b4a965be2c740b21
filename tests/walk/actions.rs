//! What can be done in the window, chosen at random: everything that a person reaches with pointer and keys, but for a few buttons.

use crate::walk::Walk;
use crate::window::Widget;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Role, pos2, vec2};
use heescope::app::ViewKind;
use heescope::experiment::presets;
use rand::RngExt;
use rand::seq::IndexedRandom;

/// Buttons that open a dialog of the desktop, which nobody would answer.
const DIALOGS: [&str; 3] = ["File", "Folder", "Choose"];
/// Everything that a click acts on.
const CLICKED: [Role; 7] =
    [Role::Button, Role::CheckBox, Role::RadioButton, Role::ComboBox, Role::MenuItem, Role::Link, Role::DisclosureTriangle];
const NUMBERS: [&str; 16] =
    ["0", "-1", "1", "3", "0.5", "17", "100", "10000", "1e-9", "1e9", "1e400", "nan", "-inf", "abc", "", "18446744073709551615"];
const TEXTS: [&str; 14] = [
    "",
    ".",
    "out.png",
    "out.svg",
    "out.csv",
    "out.npy",
    "out.npz",
    "out.gif",
    "model.npz",
    "a name.png",
    "folder/out.png",
    "7",
    "m=2 K=3",
    "family = \"laplace\"",
];
const KEYS: [(Modifiers, Key); 16] = [
    (Modifiers::NONE, Key::Space),
    (Modifiers::NONE, Key::S),
    (Modifiers::NONE, Key::F),
    (Modifiers::NONE, Key::R),
    (Modifiers::NONE, Key::F1),
    (Modifiers::COMMAND, Key::E),
    (Modifiers::COMMAND, Key::Z),
    (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z),
    (Modifiers::NONE, Key::Tab),
    (Modifiers::NONE, Key::Enter),
    (Modifiers::NONE, Key::Escape),
    (Modifiers::NONE, Key::ArrowUp),
    (Modifiers::NONE, Key::ArrowDown),
    (Modifiers::NONE, Key::ArrowLeft),
    (Modifiers::NONE, Key::ArrowRight),
    (Modifiers::NONE, Key::Delete),
];
const SIZES: [[f32; 2]; 5] = [[1000.0, 700.0], [1400.0, 900.0], [1920.0, 1080.0], [640.0, 480.0], [500.0, 350.0]];

/// A kind of action, and how often of a thousand times it is chosen.
type Kind = (&'static str, u32, fn(&mut Walk));
const ACTIONS: [Kind; 14] = [
    ("view", 120, Walk::open_view),
    ("preset", 15, Walk::choose_preset),
    ("slider", 160, Walk::drag_slider),
    ("number", 100, Walk::type_number),
    ("text", 40, Walk::type_text),
    ("click", 280, Walk::click_something),
    ("double click", 20, Walk::double_click),
    ("key", 65, Walk::press_key),
    ("pointer", 60, Walk::move_pointer),
    ("scroll", 60, Walk::scroll),
    ("drag", 60, Walk::drag_anywhere),
    ("tab", 8, Walk::move_tab),
    ("size", 8, Walk::change_size),
    ("theme", 4, Walk::change_theme),
];

/// Does something, and returns of which kind it was.
pub fn act(walk: &mut Walk) -> &'static str {
    let mut left = walk.random.random_range(0..ACTIONS.iter().map(|(_, weight, _)| weight).sum());
    let chosen = ACTIONS.iter().find(|(_, weight, _)| {
        let is_chosen = left < *weight;
        left = left.saturating_sub(*weight);
        is_chosen
    });
    let (kind, _, action) = chosen.unwrap();
    action(walk);
    kind
}

impl Walk {
    fn one_of(&mut self, roles: &[Role]) -> Option<Widget> {
        self.window.widgets(roles).choose(&mut self.random).cloned()
    }

    fn button(&self, label: &str) -> Option<Widget> {
        self.window.widgets(&[Role::Button]).into_iter().find(|button| button.label == label)
    }

    /// Clicks the button of this name, if it is there.
    pub fn click_button(&mut self, label: &str) -> bool {
        let button = self.button(label);
        button.iter().for_each(|button| self.click(button.rect.center(), 1));
        button.is_some()
    }

    fn anywhere(&mut self) -> Pos2 {
        let size = self.window.size();
        pos2(self.random.random_range(0.0..size.x), self.random.random_range(0.0..size.y))
    }

    fn opens_dialog(&self, at: Pos2) -> bool {
        self.window.widgets(&[Role::Button]).iter().any(|b| DIALOGS.contains(&b.label.as_str()) && b.rect.expand(4.0).contains(at))
    }

    fn press(&mut self, at: Pos2, button: PointerButton, pressed: bool) {
        self.frame(vec![Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE }]);
    }

    fn click(&mut self, at: Pos2, times: u32) {
        self.frame(vec![Event::PointerMoved(at)]);
        if self.opens_dialog(at) {
            return;
        }
        for _ in 0..times {
            self.press(at, PointerButton::Primary, true);
            self.press(at, PointerButton::Primary, false);
        }
    }

    /// Presses at the first place, moves through the others and lets go at the last.
    fn drag(&mut self, way: &[Pos2], button: PointerButton) {
        let [first, .., last] = way else { return };
        self.frame(vec![Event::PointerMoved(*first)]);
        if self.opens_dialog(*first) {
            return;
        }
        self.press(*first, button, true);
        way[1..].iter().for_each(|at| self.frame(vec![Event::PointerMoved(*at)]));
        self.press(*last, button, false);
    }

    pub fn key(&mut self, modifiers: Modifiers, key: Key) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        self.frame(vec![event(true)]);
        self.frame(vec![event(false)]);
    }

    fn open_view(&mut self) {
        let title = ViewKind::ALL.choose(&mut self.random).unwrap().title();
        self.note(format!("open {title}"));
        self.click_button(title);
    }

    fn choose_preset(&mut self) {
        let name = presets::all().choose(&mut self.random).unwrap().name;
        self.note(format!("choose the preset {name}"));
        let list = |walk: &Self| walk.window.widgets(&[Role::ComboBox]).into_iter().find(|list| list.label == "Preset");
        if list(self).is_none() {
            self.click_button("Controls"); // the panel is hidden
            self.frame(Vec::new());
        }
        if let Some(list) = list(self) {
            self.click(list.rect.center(), 1);
            (0..2).for_each(|_| self.frame(Vec::new()));
            self.click_button(name);
        }
    }

    fn drag_slider(&mut self) {
        let Some(slider) = self.one_of(&[Role::Slider]) else { return self.note("no slider in sight") };
        let steps = self.random.random_range(2..7);
        let mut place = || {
            let share = self.random.random_range(0.0..1.0);
            pos2(slider.rect.left() + share * slider.rect.width(), slider.rect.center().y)
        };
        let way: Vec<Pos2> = (0..steps).map(|_| place()).collect();
        self.note(format!("drag the slider {} to {:?}", slider.label, way[steps - 1]));
        self.drag(&way, PointerButton::Primary);
    }

    /// Types into a field in place of what was there; Enter takes it, or Escape leaves it.
    fn type_into(&mut self, field: &Widget, text: &str) {
        let end = if self.random.random_bool(0.9) { Key::Enter } else { Key::Escape };
        self.note(format!("type {text:?} into {}, then {end:?}", field.label));
        self.click(field.rect.center(), 1);
        self.key(Modifiers::COMMAND, Key::A);
        self.frame(vec![Event::Text(text.into())]);
        self.key(Modifiers::NONE, end);
    }

    fn type_number(&mut self) {
        let Some(field) = self.one_of(&[Role::SpinButton]) else { return self.note("no number in sight") };
        let text = match self.random.random_range(0..4) {
            0 => NUMBERS.choose(&mut self.random).unwrap().to_string(),
            1 => self.random.random_range(0..50).to_string(),
            _ => format!("{:.4}", 10f64.powf(self.random.random_range(-3.0..3.0))),
        };
        self.type_into(&field, &text);
    }

    fn type_text(&mut self) {
        let Some(field) = self.one_of(&[Role::TextInput, Role::MultilineTextInput]) else { return self.note("no text in sight") };
        let text = TEXTS.choose(&mut self.random).unwrap();
        self.type_into(&field, text);
    }

    /// Clicks something; where that opens a menu or a list, mostly an entry of it too.
    fn click_something(&mut self) {
        let before = self.window.widgets(&CLICKED);
        let Some(widget) = before.choose(&mut self.random).cloned() else { return };
        self.note(format!("click the {:?} {}", widget.role, widget.label));
        self.click(widget.rect.center(), 1);
        self.frame(Vec::new());
        let is_new = |entry: &Widget| before.iter().all(|other| other.label != entry.label);
        let new: Vec<Widget> = self.window.widgets(&CLICKED).into_iter().filter(is_new).collect();
        if self.random.random_bool(0.7)
            && let Some(entry) = new.choose(&mut self.random)
        {
            self.note(format!("click its {:?} {}", entry.role, entry.label));
            self.click(entry.rect.center(), 1);
        }
    }

    /// On the name of a parameter, a slider, or anywhere.
    fn double_click(&mut self) {
        let name = self.one_of(&[Role::Label, Role::Slider]).filter(|_| self.random.random_bool(0.5));
        let at = name.map_or_else(|| self.anywhere(), |name| name.rect.center());
        self.note(format!("double click at {at:?}"));
        self.click(at, 2);
    }

    fn press_key(&mut self) {
        let (modifiers, key) = *KEYS.choose(&mut self.random).unwrap();
        let focused = self.window.widgets(&[Role::Button]).into_iter().find(|button| button.is_focused);
        let presses = matches!(key, Key::Space | Key::Enter);
        if presses && focused.is_some_and(|button| DIALOGS.contains(&button.label.as_str())) {
            return self.note("no key: a button that opens a dialog has the focus");
        }
        self.note(format!("press {modifiers:?} {key:?}"));
        self.key(modifiers, key);
    }

    fn move_pointer(&mut self) {
        self.note("move the pointer");
        for _ in 0..self.random.random_range(1..6) {
            let at = self.anywhere();
            self.frame(vec![Event::PointerMoved(at)]);
        }
    }

    fn scroll(&mut self) {
        let at = self.anywhere();
        let delta = vec2(self.random.random_range(-50.0..50.0), self.random.random_range(-200.0..200.0));
        let modifiers = *[Modifiers::NONE, Modifiers::COMMAND, Modifiers::SHIFT].choose(&mut self.random).unwrap();
        self.note(format!("scroll by {delta:?} with {modifiers:?} at {at:?}"));
        self.frame(vec![Event::PointerMoved(at)]);
        let (unit, phase, source) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move, egui::MouseWheelSource::Wheel);
        self.frame(vec![Event::MouseWheel { unit, delta, phase, source, modifiers }]);
    }

    /// From anywhere to anywhere, or over a picture; with the secondary button plots are zoomed.
    fn drag_anywhere(&mut self) {
        let picture = self.one_of(&[Role::Image]).filter(|_| self.random.random_bool(0.5)).map(|picture| picture.rect);
        let mut place = || match picture {
            Some(rect) => rect.min + rect.size() * vec2(self.random.random_range(0.0..1.0), self.random.random_range(0.0..1.0)),
            None => self.anywhere(),
        };
        let way: Vec<Pos2> = (0..5).map(|_| place()).collect();
        let button = if self.random.random_bool(0.7) { PointerButton::Primary } else { PointerButton::Secondary };
        self.note(format!("drag with {button:?} over {way:?}"));
        self.drag(&way, button);
    }

    /// Moves the tab of a view somewhere else.
    fn move_tab(&mut self) {
        let title = ViewKind::ALL.choose(&mut self.random).unwrap().title();
        let to = self.anywhere();
        self.note(format!("move the tab {title} to {to:?}"));
        if let Some(tab) = self.button(title) {
            let from = tab.rect.center();
            self.drag(&[from, from + (to - from) / 2.0, to, to], PointerButton::Primary);
        }
    }

    fn change_size(&mut self) {
        let size = *SIZES.choose(&mut self.random).unwrap();
        self.note(format!("change the size to {size:?}"));
        self.window.resize(size);
        self.frame(Vec::new());
    }

    fn change_theme(&mut self) {
        self.note("change the theme");
        let _ = self.click_button("Light") || self.click_button("Dark");
    }
}
