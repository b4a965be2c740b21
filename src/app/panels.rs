//! What stands around the views: menu, side panel, status bar, and the windows over them.

use crate::app::actions::Action;
use crate::app::frame_times::FrameTimes;
use crate::app::lessons::Lessons;
use crate::app::runs_panel::RunsPanel;
use crate::app::side_panel::{self, SidePanel};
use crate::app::start_page::{Chosen, StartPage};
use crate::app::state::ViewState;
use crate::app::status_bar::StatusBar;
use crate::app::widgets::switch::Switches as _;
use crate::app::zoom;
use crate::data::{Progress, photographs};
use crate::engine::Snapshot;
use egui::{Align2, Context, Ui};
use std::time::{Duration, Instant};

/// A rebuild that is shorter than this is not announced.
const PATIENCE: Duration = Duration::from_millis(300);
/// Between two pictures of its progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// The model's publication.
const PAPER: &str = "X. Dong and S. Wu: Neural Sampling in Hierarchical Exponential-family Energy-based Models. Advances in Neural \
                     Information Processing Systems 36, 2023 (arXiv 2310.08431).";
/// Embedded images besides the photographs, and their authors and licences.
const CREDITS: [(&str, &str); 2] = [
    ("Digits", "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository 1998, CC-BY-4.0"),
    ("Clothing", "Fashion-MNIST, H. Xiao, K. Rasul and R. Vollgraf 2017, Zalando SE, MIT licence"),
];

/// Less room than this from side to side, in points, and the panel at the left folds away.
const NARROW: f32 = 800.0;

/// What was chosen in the row at the top that concerns the views.
pub(super) enum MenuChoice {
    /// Tabs back to their places.
    StandardLayout,
    /// One view alone in large type.
    Projector,
}

/// Which of them are open, and what they keep between frames.
pub(super) struct Panels {
    /// The contents of the panel at the left.
    pub(super) side: SidePanel,
    /// The list of runs above it.
    runs: RunsPanel,
    /// Whether that panel is shown.
    side_open: bool,
    /// Whether there was little room in the frame before, and if so whether the panel was shown while there was more.
    narrow: Option<bool>,
    status: StatusBar,
    /// The panel at the right.
    pub(super) lessons: Lessons,
    /// The page with ways to begin.
    pub(super) start_page: StartPage,
    /// Whether ways to begin and the list of shortcuts are shown.
    pub(super) help: bool,
    about: bool,
    /// Whether the list of changes is shown.
    pub(super) changes: bool,
    /// Since when a rebuild is under way.
    rebuild_since: Option<Instant>,
}

impl Default for Panels {
    fn default() -> Self {
        Self {
            side: SidePanel::default(),
            runs: RunsPanel::default(),
            side_open: true,
            narrow: None,
            status: StatusBar::default(),
            lessons: Lessons::default(),
            start_page: StartPage::default(),
            help: false,
            about: false,
            changes: false,
            rebuild_since: None,
        }
    }
}

impl Panels {
    /// The row at the top, with what `recording` draws in it; where the panel at the left is folded away, the run is paused there.
    pub(super) fn menu(
        &mut self,
        ui: &mut Ui,
        snapshot: &Snapshot,
        actions: &mut Vec<Action>,
        recording: impl FnOnce(&mut Ui, &mut Vec<Action>),
    ) -> Option<MenuChoice> {
        let mut choice = None;
        egui::Panel::top("menu").show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.strong("heescope");
                ui.separator();
                if !self.side_open {
                    side_panel::run_or_pause(ui, snapshot, actions);
                }
                if ui.button("Help").on_hover_text("How to begin, and keyboard shortcuts (F1)").clicked() {
                    self.help = !self.help;
                }
                if ui.button("Start").on_hover_text("Six ways to begin").clicked() {
                    self.start_page.toggle();
                }
                let lessons = ui.switch(self.lessons.is_open(), "Lessons");
                if lessons.on_hover_text("What the model does, a few minutes each, on the running model").clicked() {
                    self.lessons.toggle();
                }
                if ui.button("About").clicked() {
                    self.about = !self.about;
                }
                if ui.button("Changes").on_hover_text("What was changed in this run and when; a click goes back").clicked() {
                    self.changes = !self.changes;
                }
                recording(ui, actions);
                if ui.button("Standard layout").on_hover_text("Tabs back to their places").clicked() {
                    choice = Some(MenuChoice::StandardLayout);
                }
                if ui.button("Projector").on_hover_text("The view in front alone, in large type, with three sliders (F11)").clicked() {
                    choice = Some(MenuChoice::Projector);
                }
                ui.toggle_value(&mut self.side_open, "Controls")
                    .on_hover_text("The panel at the left; without it the views have all the room");
                let dark = ui.visuals().dark_mode;
                if ui.button(if dark { "Light" } else { "Dark" }).on_hover_text("Change the theme").clicked() {
                    ui.ctx().set_theme(if dark { egui::Theme::Light } else { egui::Theme::Dark });
                }
                scale(ui);
            });
        });
        choice
    }

    /// The status bar below, and the panel at the left where it is open.
    pub(super) fn beside_views(
        &mut self,
        ui: &mut Ui,
        state: &ViewState,
        snapshot: &Snapshot,
        (frames, fits): (&FrameTimes, Option<(usize, usize)>),
        actions: &mut Vec<Action>,
    ) {
        egui::Panel::bottom("status").show(ui, |ui| self.status.ui(ui, snapshot, frames, fits));
        self.fold(ui.ctx().content_rect().width() < NARROW);
        if self.side_open {
            egui::Panel::left("controls").default_size(290.0).size_range(240.0..=420.0).show(ui, |ui| {
                egui::ScrollArea::vertical().show(ui, |ui| {
                    self.runs.ui(ui, state, snapshot, actions);
                    self.side.ui(ui, snapshot, actions);
                });
            });
        }
    }

    /// The panel of lessons at the right; where a step speaks of a slider, the panel that has it is shown.
    pub(super) fn lessons(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        self.side_open |= self.lessons.panel(ui, state, snapshot, actions);
    }

    /// The page with ways to begin, where it is open.
    pub(super) fn start_page(&mut self, ctx: &Context, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        match self.start_page.ui(ctx, actions) {
            Some(Chosen::View(view)) => self.lessons.want_view(view, snapshot.model_id),
            Some(Chosen::OwnPictures) => self.side_open = true,
            Some(Chosen::Lessons) if !self.lessons.is_open() => self.lessons.toggle(),
            _ => {}
        }
    }

    /// Whether the models of the start page were built or given back since the last call.
    pub(super) fn take_start_page_settled(&mut self) -> bool {
        self.start_page.take_settled()
    }

    /// Folds the panel at the left away where there is little room, and brings it back where there is more.
    fn fold(&mut self, is_narrow: bool) {
        match self.narrow {
            None if is_narrow => (self.narrow, self.side_open) = (Some(self.side_open), false),
            Some(before) if !is_narrow => (self.narrow, self.side_open) = (None, before),
            _ => {}
        }
    }

    /// The windows that are open.
    pub(super) fn windows(&mut self, ctx: &Context) {
        self.help &= !ctx.input(|i| i.key_pressed(egui::Key::Escape));
        let mut opens = None;
        let place = ctx.content_rect().center_top() + egui::vec2(-230.0, 60.0);
        let window = egui::Window::new("Help").open(&mut self.help).resizable(false).default_width(460.0).default_pos(place);
        window.show(ctx, |ui| opens = help(ui));
        match opens {
            Some(Opened::StartPage) => self.start_page.open(),
            Some(Opened::Lessons) if !self.lessons.is_open() => self.lessons.toggle(),
            _ => {}
        }
        self.help &= opens.is_none();
        egui::Window::new("About heescope").open(&mut self.about).default_width(460.0).show(ctx, about);
    }

    /// Closes the windows that would cover a view that is shown to a room.
    pub(super) fn close_windows(&mut self) {
        (self.help, self.about, self.changes) = (false, false, false);
        self.start_page.close();
    }

    /// A rebuild that takes its time, with a way to stop it.
    pub(super) fn progress(&mut self, ctx: &Context, progress: Option<&Progress>) {
        let Some((progress, (what, done, total))) = progress.and_then(|progress| Some((progress, progress.state()?))) else {
            self.rebuild_since = None;
            return;
        };
        let since = *self.rebuild_since.get_or_insert_with(Instant::now);
        ctx.request_repaint_after(PROGRESS_INTERVAL);
        if since.elapsed() < PATIENCE {
            return;
        }
        let window = egui::Window::new("Preparing").collapsible(false).resizable(false).anchor(Align2::CENTER_CENTER, [0.0, 0.0]);
        window.show(ctx, |ui| {
            ui.add(egui::ProgressBar::new(done as f32 / total.max(1) as f32).text(format!("{what}: {done} of {total}")));
            if ui.button("Cancel").on_hover_text("The model before goes on").clicked() {
                progress.cancel();
            }
        });
    }
}

/// The size of the interface.
fn scale(ui: &mut Ui) {
    let zoom = ui.ctx().zoom_factor();
    for (text, factor, tip) in [("A-", 1.0 / 1.1, "Smaller (Ctrl -)"), ("A+", 1.1, "Larger (Ctrl +)")] {
        let wanted = (zoom * factor).clamp(zoom::SMALLEST, zoom::LARGEST);
        if ui.add_enabled(wanted != zoom, egui::Button::new(text)).on_hover_text(tip).clicked() {
            ui.ctx().set_zoom_factor(wanted);
        }
    }
}

/// What is opened from the help.
enum Opened {
    StartPage,
    Lessons,
}

/// What to do first, where an explanation of what is seen stands, and the shortcuts.
fn help(ui: &mut Ui) -> Option<Opened> {
    let mut opened = None;
    ui.horizontal(|ui| {
        if ui.button("Six ways to begin").clicked() {
            opened = Some(Opened::StartPage);
        }
        if ui.button("Lessons").clicked() {
            opened = Some(Opened::Lessons);
        }
    });
    for (what, how) in [
        ("A slider", "acts at once. Rest the pointer on its name to read what it is; right click: where it acts in the model."),
        ("A symbol", "is explained in the view Network, where every part of the model stands with its equation."),
        ("A figure", "is written by Save as, above each view: PNG, SVG and PDF in the size of a journal, or its numbers."),
        ("A run", "is kept by itself. The list at the left goes on with any of them, Changes goes back within one."),
    ] {
        ui.label(format!("{what} {how}"));
    }
    ui.separator();
    ui.strong("Keyboard");
    shortcuts(ui);
    opened
}

fn shortcuts(ui: &mut Ui) {
    egui::Grid::new("shortcuts").striped(true).show(ui, |ui| {
        for (key, what) in [
            ("Space", "run / pause"),
            ("S", "one step"),
            ("R", "start again from the seed"),
            ("F", "full speed / slow pace"),
            ("Ctrl-E", "write the filters as last set under Save as, All filters"),
            ("Ctrl-Z, Ctrl-Shift-Z", "undo, redo a change of a parameter"),
            ("F11", "one view in large type, for a room; and back"),
            ("Ctrl +, Ctrl -, Ctrl 0", "larger, smaller, as usual"),
            ("+, -, arrows, 0", "over filters, a matrix or a plane of units: enlarge, reduce, move, all of it; the wheel and dragging too"),
            ("Page Up, Page Down", "the pages of Layers"),
            ("F1", "this help"),
        ] {
            ui.strong(key);
            ui.label(what);
            ui.end_row();
        }
    });
    ui.weak("Pictures, folders and sets of images can be dropped on the window. Where the desktop hands over nothing, type their path under Your images.");
}

fn about(ui: &mut Ui) {
    let version = env!("CARGO_PKG_VERSION");
    ui.strong(format!("heescope {version}"));
    ui.label("Watch neural sampling in hierarchical exponential-family energy-based models, live and beside the exact answer.");
    ui.separator();
    ui.strong("To cite");
    ui.label(PAPER);
    ui.label(format!("heescope {version}, licensed under MIT or Apache-2.0."));
    ui.separator();
    ui.strong("Embedded images");
    for (what, authors) in CREDITS {
        ui.small(format!("{what}: {authors}"));
    }
    ui.small("Photographs, each cropped and turned to grey:");
    for (name, author, licence) in photographs::attribution() {
        ui.small(format!("{name}: {author}, {licence}"));
    }
}

/// What dropping the files over the window will do.
pub(super) fn drop_hint(ctx: &Context) {
    if ctx.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let (painter, rect) = (ctx.layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop"))), ctx.content_rect());
    painter.rect_filled(rect, 0.0, egui::Color32::from_black_alpha(180));
    let font = egui::FontId::proportional(22.0);
    painter.text(rect.center(), Align2::CENTER_CENTER, "Drop: learn from these images", font, egui::Color32::WHITE);
}
