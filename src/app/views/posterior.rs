//! Posterior: two units' chains over the exact density where a grid can give it, else over the density of the samples.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::engine::{Command, Snapshot, Watch};
use egui::{ColorImage, TextureHandle, TextureOptions, Ui, vec2};
use egui_plot::{Line, Plot, PlotImage, PlotPoint, PlotPoints, Points};

const BINS: usize = 64;

/// What the view keeps.
#[derive(Default)]
pub struct Posterior {
    exact: Option<(u64, Vec<f32>, bool, TextureHandle)>,
    cloud: Option<TextureHandle>,
    half: f64,
}

impl View for Posterior {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let dark = ui.visuals().dark_mode;
        ui.horizontal_wrapped(|ui| {
            let size = snapshot.activity.len();
            let mut pair = snapshot.watch.pair;
            for (axis, unit) in ["Across", "Up"].into_iter().zip(&mut pair) {
                let label = ui.label(axis);
                ui.add(egui::DragValue::new(unit).range(0..=size.saturating_sub(1)).prefix("unit ")).labelled_by(label.id);
            }
            if pair != snapshot.watch.pair {
                actions.push(Action::Watch(Watch { pair, ..snapshot.watch.clone() }));
            }
            if snapshot.config.stimulus.steps_per_stimulus > 0 {
                let mut held = snapshot.stimulus.held;
                let tip = "Every network gets network 0's stimulus, so that all sample one posterior; learning rests";
                if ui.checkbox(&mut held, "Hold the stimulus").on_hover_text(tip).changed() {
                    actions.push(Action::Send(Command::HoldStimulus(held)));
                }
            }
        });
        if snapshot.stimulus.stimulus.len() <= 3 {
            let mut values = snapshot.stimulus.stimulus.clone();
            let mut changed = false;
            for (i, value) in values.iter_mut().enumerate() {
                ui.horizontal(|ui| {
                    let label = ui.label(format!("Stimulus x0[{i}]"));
                    changed |= ui.add(egui::Slider::new(value, -4.0..=4.0)).labelled_by(label.id).changed();
                });
            }
            if changed {
                actions.push(Action::Send(Command::SetStimulus(values)));
            }
        }
        let text = match (&snapshot.exact_posterior, snapshot.stimulus.held) {
            (Some(_), _) => "Filled contours: the exact posterior. Dots: the chains, with fading trails.",
            (None, true) => "Shading: density of the samples. All chains share one stimulus.",
            (None, false) => {
                "Shading: density of the samples since the last stimulus. Each network has its own stimulus: hold it to see one posterior."
            }
        };
        ui.weak(text);
        if state.trails.is_empty() {
            ui.label("No samples yet: press Run.");
            return;
        }
        let reach = state.cloud.iter().map(|p| f64::from(p[0].abs().max(p[1].abs()))).fold(0.0, f64::max);
        // The axes grow when they must and do not jump back.
        let wanted = snapshot.exact_posterior.as_ref().map_or(reach * 1.1, |g| g.x[1].max(g.y[1]));
        if self.half < wanted || self.half > 3.0 * wanted {
            self.half = wanted.max(1e-3);
        }
        let half = self.half;
        let image = match &snapshot.exact_posterior {
            Some(grid) => {
                let key = (snapshot.model_id, snapshot.stimulus.stimulus.clone(), dark);
                if self.exact.as_ref().is_none_or(|(id, x0, d, _)| (*id, x0, *d) != (key.0, &key.1, key.2)) {
                    let texture = ui.ctx().load_texture("exact posterior", picture(&grid.density, dark), TextureOptions::LINEAR);
                    self.exact = Some((key.0, key.1, dark, texture));
                }
                let size = vec2((grid.x[1] - grid.x[0]) as f32, (grid.y[1] - grid.y[0]) as f32);
                self.exact.as_ref().map(|(.., texture)| PlotImage::new("exact posterior", texture.id(), PlotPoint::new(0.0, 0.0), size))
            }
            None => {
                let mut counts = ndarray::Array2::<f64>::zeros((BINS, BINS));
                let bin = |v: f32| ((f64::from(v) / half + 1.0) * 0.5 * BINS as f64).clamp(0.0, BINS as f64 - 1.0) as usize;
                // A thinned cloud gives the same picture at a fraction of the cost.
                let stride = (state.cloud.len() / 20_000).max(1);
                state.cloud.iter().step_by(stride).for_each(|p| counts[[bin(p[1]), bin(p[0])]] += 1.0);
                let image = picture(&counts, dark);
                match &mut self.cloud {
                    Some(texture) => texture.set(image, TextureOptions::LINEAR),
                    None => self.cloud = Some(ui.ctx().load_texture("sample density", image, TextureOptions::LINEAR)),
                }
                let size = vec2(2.0 * half as f32, 2.0 * half as f32);
                self.cloud.as_ref().map(|texture| PlotImage::new("sample density", texture.id(), PlotPoint::new(0.0, 0.0), size))
            }
        };
        Plot::new("posterior")
            .data_aspect(1.0)
            .include_x(-half)
            .include_x(half)
            .include_y(-half)
            .include_y(half)
            .allow_scroll(false)
            .x_axis_label(format!("x of unit {}", snapshot.watch.pair[0]))
            .y_axis_label(format!("x of unit {}", snapshot.watch.pair[1]))
            .show(ui, |plot| {
                if let Some(image) = image {
                    plot.image(image);
                }
                let color = theme::SERIES[1];
                let newest = state.trails.len().saturating_sub(1);
                for chain in 0..state.trails[newest].len().min(6) {
                    // Fading: older pieces of the trail are fainter.
                    for (from, alpha) in [(30, 0.15), (15, 0.3), (5, 0.6)] {
                        let points: Vec<[f64; 2]> = state
                            .trails
                            .iter()
                            .skip(newest.saturating_sub(from))
                            .filter_map(|step| step.get(chain))
                            .map(|p| p.map(f64::from))
                            .collect();
                        plot.line(Line::new("trail", PlotPoints::from(points)).color(color.gamma_multiply(alpha)).width(1.2));
                    }
                }
                let now: Vec<[f64; 2]> = state.trails[newest].iter().map(|p| p.map(f64::from)).collect();
                plot.points(Points::new("chains", PlotPoints::from(now)).color(color).radius(2.5));
            });
    }
}

/// Density `[rows from the bottom, columns]` as a picture.
fn picture(density: &ndarray::Array2<f64>, dark: bool) -> ColorImage {
    let (rows, columns) = density.dim();
    let top = density.iter().fold(f64::MIN_POSITIVE, |t, &v| t.max(v));
    let pixels = (0..rows * columns).map(|i| theme::density(density[[rows - 1 - i / columns, i % columns]] / top, dark)).collect();
    ColorImage::new([columns, rows], pixels)
}
