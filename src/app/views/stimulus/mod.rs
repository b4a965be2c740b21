//! Stimulus: what the networks see, to draw on and to occlude; what they make of it; the completions of what is hidden.

mod adjustments;
mod bars;
mod brush;
mod edit;
mod pictures;
mod tools;

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::views::View;
use crate::engine::{Command, Snapshot};
use crate::experiment::session::Completed;
use crate::export::table::Table;
use crate::model::FamilyConfig;
use edit::{Edit, Pins, pinned};
use egui::{Sense, Ui};
use pictures::{Palette, Picture, Pictures, place};

/// Observed units that are drawn as bars rather than as a picture, at most.
const FEW: usize = 8;
/// Points between pictures.
const GAP: f32 = 8.0;
/// Points of a line of text over a picture.
const LINE: f32 = 18.0;
/// Lower than this the tools fold.
const LOW: f32 = 300.0;
/// Side of a picture at least and of the one to draw on at most, points.
const SMALLEST: f32 = 20.0;
const LARGEST: f32 = 520.0;

/// What the view keeps.
#[derive(Default)]
pub struct Stimulus {
    /// The model that the rest belongs to.
    model_id: u64,
    /// What is done to the stimulus, while it is held or fixed.
    edit: Option<Edit>,
    pins: Pins,
    tool: brush::Tool,
    /// Radius of the brush, pixels; 0: not chosen yet.
    radius: f32,
    /// Where the brush was in the last frame, while it is down.
    last: Option<[f32; 2]>,
    /// The ends of the morph as they are drawn beside its slider, and the share of B.
    morph: f32,
    textures: Pictures,
}

/// What is drawn in a frame.
struct StimulusDrawing<'a> {
    snapshot: &'a Snapshot,
    /// The stimulus as it is seen or edited.
    shown: Vec<f32>,
    residual: Vec<f32>,
    shape: [usize; 2],
    palette: Palette,
    completed: Option<&'a Completed>,
    free: Vec<bool>,
}

impl View for Stimulus {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let s = &snapshot.stimulus;
        if s.stimulus.is_empty() {
            ui.label("No stimulus yet: choose a preset on the left.");
            return;
        }
        self.follow(snapshot);
        let free = s.completed.as_ref().map_or(&[][..], |done| &done.free);
        let is_free = |i: usize| free.get(i).is_some_and(|&free| free);
        let left = |(i, (x, r)): (usize, (&f32, &f32))| if is_free(i) { 0.0 } else { x - r };
        let residual: Vec<f32> = s.stimulus.iter().zip(&s.reconstruction).enumerate().map(left).collect();
        head(ui, snapshot, &residual, actions);
        if s.stimulus.len() <= FEW {
            if snapshot.exact_stimulus() {
                bars::values(ui, snapshot, actions);
            }
            bars::bars(ui, [("stimulus x0", &s.stimulus), ("posterior mean", &s.reconstruction), ("residual", &residual)]);
            return;
        }
        let shape = snapshot.image_shape();
        self.textures.begin();
        if ui.available_height() < LOW {
            // Where there is little room the pictures come first.
            ui.collapsing("Draw and mix", |ui| {
                self.tools(ui, shape);
                self.mixer(ui, snapshot);
            });
        } else {
            self.tools(ui, shape);
            self.mixer(ui, snapshot);
        }
        let shown = self.edit.as_ref().map_or_else(|| s.stimulus.clone(), |edit| edit.adjustments.composed(pinned(&self.pins)));
        let palette = palette(snapshot, &shown);
        let free = self.edit.as_ref().map_or_else(Vec::new, |edit| edit.free.clone());
        let context = StimulusDrawing { snapshot, shown, residual, shape, palette, completed: s.completed.as_ref(), free };
        self.draw(ui, &context);
        if let Some(edit) = &mut self.edit {
            actions.extend(edit.commands(&self.pins).into_iter().map(Action::Send));
        }
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let s = &snapshot.stimulus;
        let mut table = Table::default();
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        table.push("x0", wide(&s.stimulus));
        table.push("posterior_mean", wide(&s.reconstruction));
        if let Some(done) = &s.completed {
            table.push("free", done.free.iter().map(|&free| f64::from(u8::from(free))).collect::<Vec<_>>());
            table.push("completion_mean", wide(&done.mean));
            table.push("completion_spread", wide(&done.spread));
            done.samples.iter().enumerate().for_each(|(k, x)| table.push(format!("completion_{k}"), wide(x)));
        }
        (!s.stimulus.is_empty()).then_some(table)
    }
}

/// Next, hold, and the residual.
fn head(ui: &mut Ui, snapshot: &Snapshot, residual: &[f32], actions: &mut Vec<Action>) {
    let s = &snapshot.stimulus;
    ui.horizontal_wrapped(|ui| {
        if ui.button("Next").on_hover_text("Another stimulus now; what is freed stays free").clicked() {
            actions.push(Action::Send(Command::NextStimulus));
        }
        let mut held = s.held;
        if snapshot.config.stimulus.steps_per_stimulus > 0
            && ui.checkbox(&mut held, "Hold").on_hover_text("Keep this stimulus in every network; learning rests").changed()
        {
            actions.push(Action::Send(Command::HoldStimulus(held)));
        }
        let clamped = s.completed.as_ref().map_or(residual.len(), |done| done.free.iter().filter(|free| !**free).count());
        let variance = residual.iter().map(|r| r * r).sum::<f32>() / clamped.max(1) as f32;
        let text = format!("residual variance {variance:.3} over {} steps", s.steps);
        if let Some(done) = &s.completed {
            let count = done.free.len() - clamped;
            let tip = "Every network begins anew, freed pixels from noise: completions that come back alike do not depend on the start";
            if ui.button("From noise").on_hover_text(tip).clicked() {
                actions.push(Action::Send(Command::RestartCompletions));
            }
            let settling = if done.steps == 0 { ", settling" } else { "" };
            ui.label(format!("{count} pixels free in {} networks{settling}", done.networks));
        }
        ui.label(text); // last: its numbers grow
    });
}

/// Whether pixels are grey values in [0, 1].
fn is_grey(snapshot: &Snapshot) -> bool {
    let family = snapshot.config.model.layers.first().map(|layer| layer.family);
    matches!(family, Some(FamilyConfig::Bernoulli | FamilyConfig::ContinuousBernoulli))
}

/// Signed values have one scale, at least one standard deviation: faint patches look faint.
fn palette(snapshot: &Snapshot, shown: &[f32]) -> Palette {
    if is_grey(snapshot) { Palette::Grey } else { Palette::Signed(shown.iter().fold(1.0f32, |t, v| t.max(v.abs()))) }
}

impl Stimulus {
    /// Keeps the edit to what the engine shows.
    fn follow(&mut self, snapshot: &Snapshot) {
        if self.model_id != snapshot.model_id {
            self.model_id = snapshot.model_id;
            (self.edit, self.last) = (None, None);
            let size = snapshot.stimulus.stimulus.len();
            self.pins.iter_mut().for_each(|pin| drop(pin.take_if(|values| values.len() != size)));
            self.radius = 0.0;
        }
        if self.radius == 0.0 {
            self.radius = (snapshot.image_shape().into_iter().min().unwrap_or(0) as f32 / 10.0).max(1.0);
        }
        self.edit.take_if(|edit| !edit.follow(snapshot));
        if self.edit.is_none() && snapshot.exact_stimulus() && snapshot.stimulus.stimulus.len() > FEW {
            self.edit = Some(Edit::of_held(snapshot, is_grey(snapshot)));
        }
    }

    /// The edit; of what is seen where nothing is held yet.
    fn editing(&mut self, snapshot: &Snapshot) -> &mut Edit {
        self.edit.get_or_insert_with(|| Edit::of_seen(snapshot, is_grey(snapshot)))
    }

    fn draw(&mut self, ui: &mut Ui, context: &StimulusDrawing<'_>) {
        let available = ui.available_size();
        let large = (available.x * 0.41).min(available.y - LINE - 26.0).clamp(3.0 * SMALLEST, LARGEST);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(GAP, 2.0);
            ui.vertical(|ui| {
                // No wider than the picture, so that all stand equally far apart.
                ui.scope(|ui| {
                    ui.set_max_width(large);
                    ui.add(egui::Label::new(pictures::caption("Stimulus x0: draw here")).truncate());
                });
                self.canvas(ui, context, large);
                if let Palette::Signed(top) = context.palette {
                    ui.weak(format!("strongest colour {top:.2}"));
                }
            });
            let available = egui::vec2((available.x - large - 2.0 * GAP).max(SMALLEST), available.y);
            ui.vertical(|ui| match context.completed {
                Some(done) => self.completions(ui, context, done, available),
                None => self.pair(ui, context, ((available.x - GAP) / 2.0).min(available.y - LINE - 4.0).clamp(SMALLEST, large)),
            });
        });
    }

    /// Posterior mean and residual.
    fn pair(&mut self, ui: &mut Ui, context: &StimulusDrawing<'_>, side: f32) {
        ui.horizontal_top(|ui| self.two(ui, context, side));
    }

    fn two(&mut self, ui: &mut Ui, context: &StimulusDrawing<'_>, side: f32) {
        let residual = match context.palette {
            Palette::Grey => Palette::Signed(1.0),
            signed => signed,
        };
        let reconstruction = &context.snapshot.stimulus.reconstruction;
        for (name, values, palette, tip) in [
            ("Posterior mean", reconstruction, context.palette, "E[x0 | x1] averaged over the samples"),
            ("Residual", &context.residual, residual, "x0 less the posterior mean; nothing where pixels are free"),
        ] {
            let picture = Picture { name, values, shape: context.shape, palette, hatched: &[] };
            self.textures.named(ui, &picture, side, tip);
        }
    }

    /// Mean and spread of the completions, and single ones.
    fn completions(&mut self, ui: &mut Ui, context: &StimulusDrawing<'_>, done: &Completed, available: egui::Vec2) {
        let grey = context.palette == Palette::Grey;
        let discrete = context
            .snapshot
            .config
            .model
            .layers
            .first()
            .is_some_and(|layer| matches!(layer.family, FamilyConfig::Bernoulli | FamilyConfig::Binomial { .. }));
        let lines = 1.0 + f32::from(u8::from(discrete));
        let count = done.samples.len().max(1) as f32;
        let side = ((available.x - 3.0 * GAP) / 4.0).min((available.y - LINE * (lines + 1.0)) * 0.5).max(SMALLEST);
        let left = available.y - side - LINE - 12.0;
        let fit = |columns: f32| ((available.x - (columns - 1.0) * GAP) / columns).min(left / (lines * (count / columns).ceil()) - LINE);
        let columns = if fit(3.0) > fit(count) { 3.0 } else { count };
        let small = fit(columns).clamp(SMALLEST, side);
        ui.horizontal_top(|ui| {
            self.two(ui, context, side);
            let widest = done.spread.iter().fold(if grey { 0.5 } else { 1.0f32 }, |t, v| t.max(*v));
            for (name, values, palette, tip) in [
                ("Mean completion", &done.mean, context.palette, "Mean of x0 over networks and time; clamped pixels as they are"),
                ("Spread", &done.spread, Palette::Signed(widest), "Standard deviation of x0 over networks and time: how sure the model is"),
            ] {
                let picture = Picture { name, values, shape: context.shape, palette, hatched: &[] };
                self.textures.named(ui, &picture, side, tip);
            }
        });
        let rows = [("Sample", &done.samples, "x0 of one network now"), ("Expected", &done.expected, "E[x0 | x1] of the same network now")];
        for (name, pictures, tip) in rows.into_iter().take(lines as usize) {
            let numbered: Vec<_> = (1..).zip(pictures).collect();
            for row in numbered.chunks(columns as usize) {
                ui.horizontal_top(|ui| {
                    for (k, values) in row {
                        let name = format!("{name} {k}");
                        let picture = Picture { name: &name, values, shape: context.shape, palette: context.palette, hatched: &[] };
                        self.textures.named(ui, &picture, small, tip);
                    }
                });
            }
        }
    }

    /// The stimulus under the brush.
    fn canvas(&mut self, ui: &mut Ui, context: &StimulusDrawing<'_>, side: f32) {
        let picture =
            Picture { name: "Stimulus x0", values: &context.shown, shape: context.shape, palette: context.palette, hatched: &context.free };
        let response = self.textures.show(ui, &picture, side, Sense::click_and_drag());
        let [rows, columns] = context.shape;
        if let Some(at) = response.hover_pos() {
            let radius = self.radius * response.rect.width() / columns as f32;
            ui.painter_at(response.rect).circle_stroke(at, radius, ui.visuals().widgets.active.fg_stroke);
        }
        let down = response.is_pointer_button_down_on();
        let pressed = down || response.clicked() && self.last.is_none(); // a click may begin and end within one frame
        let at = response.interact_pointer_pos().filter(|_| pressed).map(|p| place(response.rect, context.shape, p));
        if let Some(at) = at {
            let (tool, radius, from) = (self.tool, self.radius, self.last.unwrap_or(at));
            let top = match context.palette {
                Palette::Grey => [0.0, 1.0],
                Palette::Signed(_) => {
                    let base = self.edit.as_ref().map_or(&context.shown, |edit| &edit.adjustments.base);
                    let top = base.iter().fold(1.0f32, |t, v| t.max(v.abs()));
                    [-top, top]
                }
            };
            let first = self.last.is_none();
            let edit = self.editing(context.snapshot);
            if first {
                edit.begin_stroke();
            }
            edit.paint(tool, brush::stroke(rows * columns, columns, from, at, radius), top);
        }
        self.last = if down { at } else { None };
    }
}
