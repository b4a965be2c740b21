//! The timeline below the views: dragging it shows every view as it was, while the run goes on.

use crate::app::actions::Action;
use crate::app::gabor_fitter::Fits;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::timeline::{self, BUDGET, Timeline};
use crate::app::widgets::background_value::BackgroundValue;
use crate::engine::{Command, RunId, Snapshot};
use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Button, Key, PopupCloseBehavior, Slider, TextEdit, Ui};
use std::time::{Duration, Instant};

/// In a window that is lower than this, in points, there is no timeline as long as the present is shown.
const LOW: f32 = 420.0;
/// Between two moments while they are played.
const FRAME: Duration = Duration::from_millis(60);

/// What is rewound to, if anything is.
#[derive(Default)]
pub(super) struct Rewind {
    pub(super) timeline: Timeline,
    /// The moment that is looked at, s; None: the present.
    at: Option<f64>,
    /// Since when a moment is shown while they are played one after the other.
    playing: Option<Instant>,
    found: BackgroundValue<(RunId, u64), Option<ViewState>>,
    /// The past that the views show in place of the present, and the bits of its moment; in a frame, the present.
    shown: Option<(u64, ViewState)>,
    /// Whether past and present have changed places.
    is_exchanged: bool,
    note: String,
}

impl Rewind {
    /// Has the moment that is looked at unpacked and shows it when it is there: before a frame is drawn, as [`Rewind::end_frame`] is called
    /// after that.
    pub(super) fn begin_frame(&mut self, ui: &Ui, state: &mut ViewState) {
        self.play(ui);
        let (Some(at), Some(live)) = (self.at, &state.latest) else {
            self.shown = None;
            return;
        };
        let run = live.run.clone();
        let moments = self.timeline.before(self.timeline.number_of(at));
        let key = moments.last().map_or(0, |moment| moment.seconds.to_bits());
        if self.shown.as_ref().is_none_or(|(of, _)| *of != key) {
            let curves = state.curves();
            if let Some(Some(past)) = self.found.taken(ui, &(run, key), move |_| timeline::shown(&moments, &curves)) {
                self.shown = Some((key, past));
            }
        }
        if let Some((_, past)) = &mut self.shown {
            std::mem::swap(past, state);
            self.is_exchanged = true;
        }
    }

    /// The present has its place again.
    pub(super) fn end_frame(&mut self, state: &mut ViewState) {
        if let Some((_, past)) = self.shown.as_mut().filter(|_| std::mem::take(&mut self.is_exchanged)) {
            std::mem::swap(past, state);
        }
        if self.at.is_none() {
            self.shown = None;
        }
    }

    /// Takes in fits of the filters of the moment that is shown, and gives others back.
    pub(super) fn take_fits(&mut self, fits: Fits) -> Option<Fits> {
        let past = self.shown.as_mut().map(|(_, past)| past);
        match past.filter(|past| past.latest.as_ref().is_some_and(|snapshot| snapshot.model_id == fits.of.model)) {
            Some(past) => {
                past.fits = Some(fits);
                None
            }
            None => Some(fits),
        }
    }

    /// Back to the present.
    pub(super) fn leave(&mut self) {
        (self.at, self.playing) = (None, None);
    }

    /// Whether a moment of the past is looked at, or will be as soon as it is unpacked.
    pub(super) fn is_rewound(&self) -> bool {
        self.at.is_some()
    }

    /// Whether the views show the past in this frame.
    pub(super) fn is_on(&self) -> bool {
        self.is_exchanged
    }

    /// The next moment, while they are played.
    fn play(&mut self, ui: &Ui) {
        let Some(since) = self.playing else { return };
        ui.ctx().request_repaint_after(FRAME);
        if since.elapsed() < FRAME {
            return;
        }
        let next = self.at.map_or(0, |at| self.timeline.number_of(at) + 1);
        match self.timeline.moments().get(next) {
            Some(moment) => (self.at, self.playing) = (Some(moment.seconds), Some(Instant::now())),
            None => self.playing = None,
        }
    }

    /// Draws it below the views; `snapshot` is what they show.
    pub(super) fn panel(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let last = self.timeline.moments().len().saturating_sub(1);
        if self.at.is_none() && ui.ctx().content_rect().height() < LOW {
            return; // the view has more need of the room
        }
        egui::Panel::bottom("timeline").show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                if last == 0 {
                    // The room is there from the start, so that nothing moves when the past begins.
                    ui.add_enabled(false, Button::new("Play"));
                    ui.weak("Timeline: what this run has shown will be here");
                    return;
                }
                let mut number = self.at.map_or(last, |at| self.timeline.number_of(at));
                self.play_button(ui, &mut number, last);
                ui.spacing_mut().slider_width = (ui.available_width() - 500.0).max(80.0);
                let tip = format!(
                    "{} moments, {:.1} of {} MB. Drag to see every view as it was then; the run goes on meanwhile",
                    last + 1,
                    self.timeline.bytes() as f64 / 1e6,
                    BUDGET >> 20
                );
                let label = ui.label("Timeline").on_hover_text(&tip);
                let slider = ui.add(Slider::new(&mut number, 0..=last).show_value(false)).labelled_by(label.id).on_hover_text(tip);
                let moment = &self.timeline.moments()[number.min(last)];
                if slider.changed() {
                    (self.at, self.playing) = (Some(moment.seconds), None);
                }
                let ago = self.timeline.moments()[last].seconds - moment.seconds;
                ui.weak(format!("{ago:.0} s ago, {} images, {:.1} s simulated", moment.images, moment.time_ms / 1e3));
                if self.at.is_some() {
                    self.ways_back(ui, snapshot, actions);
                }
                self.bookmarks(ui, number.min(last));
            });
        });
    }

    fn play_button(&mut self, ui: &mut Ui, number: &mut usize, last: usize) {
        let (text, hint) = if self.playing.is_some() { ("Stop", "Stay here") } else { ("Play", "Show the moments one after the other") };
        if ui.button(text).on_hover_text(hint).clicked() && self.playing.take().is_none() {
            *number = if *number == last { 0 } else { *number };
            (self.at, self.playing) = (Some(self.timeline.moments()[*number].seconds), Some(Instant::now()));
        }
    }

    fn ways_back(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        ui.colored_label(theme::caution(ui.visuals().dark_mode), "the past");
        if ui.button("Live").on_hover_text("Back to what happens now").clicked() {
            self.leave();
        }
        let hint = "A new run begins with the weights of this moment; the present one stays in the list as it is";
        if ui.add_enabled(self.is_on(), Button::new("Go on from here")).on_hover_text(hint).clicked()
            && let Ok(model) = snapshot.model()
        {
            actions.push(Action::Send(Command::GoOnFrom(Box::new((snapshot.config_so_far(), model)))));
            self.leave();
        }
    }

    /// Notes at moments: a click goes there.
    fn bookmarks(&mut self, ui: &mut Ui, number: usize) {
        // A click into the field for the note must not close the menu.
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        MenuButton::new("Bookmarks").config(config).ui(ui, |ui| {
            let mut removed = None;
            for (i, bookmark) in self.timeline.bookmarks().iter().enumerate() {
                ui.horizontal(|ui| {
                    if ui.button(&bookmark.note).on_hover_text(format!("{:.0} s", bookmark.seconds)).clicked() {
                        (self.at, self.playing) = (Some(bookmark.seconds), None);
                        ui.close();
                    }
                    if ui.small_button("x").on_hover_text("Remove the bookmark").clicked() {
                        removed = Some(i);
                    }
                });
            }
            removed.into_iter().for_each(|i| self.timeline.remove_bookmark(i));
            ui.horizontal(|ui| {
                let field = ui.add(TextEdit::singleline(&mut self.note).hint_text("note").desired_width(160.0));
                let is_entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                let can = !self.note.trim().is_empty();
                let button = ui.add_enabled(can, Button::new("Add")).on_hover_text("At the moment that is shown");
                if can && (is_entered || button.clicked()) {
                    self.timeline.add_bookmark(number, self.note.trim().to_string());
                    self.note.clear();
                    ui.close();
                }
            });
        });
    }
}
