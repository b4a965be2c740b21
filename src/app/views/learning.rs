//! Learning: residual variance beside sigma^2, weight change, norms, sparseness.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid::{self, number, short};
use crate::engine::{Command, LearningPoint, Snapshot};
use crate::experiment::stages::StageConfig;
use crate::export::table::Table;
use egui::{Color32, Ui};
use egui_plot::{Line, Plot, PlotPoints};

/// What the view keeps: nothing.
#[derive(Default)]
pub struct Learning;

impl View for Learning {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if state.learning.is_empty() {
            let text = if snapshot.config.learning.enabled {
                "The first batch is on its way."
            } else {
                "This preset does not learn: choose dead-leaves or photographs."
            };
            ui.label(text);
            return;
        }
        if let Some(last) = state.learning.last() {
            let sigma2 = if last.sigma2.is_finite() { format!(" (sigma^2 {:.3})", last.sigma2) } else { String::new() };
            ui.label(format!(
                "{} images, {:.0} images/s, learning rate {}, residual variance {:.3}{sigma2}",
                last.images,
                snapshot.clock.images_per_second,
                short(f64::from(last.lr)),
                last.residual_variance
            ));
        }
        stages(ui, snapshot, actions);
        let dark = ui.visuals().dark_mode;
        let height = ((ui.available_height() - 84.0) / 3.0).max(70.0);
        let points = |value: fn(&LearningPoint) -> f32| {
            figure::points(
                state.learning.iter().map(|p| [p.images as f64, f64::from(value(p))]).filter(|p| p[1].is_finite()).collect::<Vec<_>>(),
            )
        };
        let plot = |ui: &mut Ui, name: &str, lines: Vec<(&str, Color32, PlotPoints<'static>)>| {
            figure::title(ui, name, lines.iter().map(|(name, color, _)| (*name, *color)));
            grid::numbered(Plot::new(name.to_string()))
                .height(height)
                .link_axis(egui::Id::unique("learning axes"), [true, false])
                .allow_scroll(false)
                .include_y(0.0)
                .y_axis_min_width(36.0)
                .x_axis_formatter(|mark, _| images(mark.value))
                .figure(ui, name, |plot| {
                    lines.into_iter().for_each(|(name, color, points)| plot.line(Line::new(name, points).color(color)));
                });
        };
        let mut residual = vec![("residual variance", theme::SERIES[0], points(|p| p.residual_variance))];
        if state.learning.iter().any(|p| p.sigma2.is_finite()) {
            residual.push(("sigma^2", theme::exact(dark), points(|p| p.sigma2)));
        }
        plot(ui, "Residual variance of x0 over images seen", residual);
        let change = ("log10 |dW|/|W|", theme::SERIES[1], points(|p| p.weight_change.max(1e-9).log10()));
        plot(ui, "Weight change and norm", vec![change, ("mean norm of a column", theme::SERIES[3], points(|p| p.weight_norm))]);
        plot(ui, "Sparseness of x1", vec![("excess kurtosis", theme::SERIES[2], points(|p| p.kurtosis))]);
    }

    fn table(&self, state: &ViewState, _: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        let mut column = |name: &str, value: fn(&LearningPoint) -> f64| table.push(name, state.learning.iter().map(value));
        column("images", |p| p.images as f64);
        column("residual_variance", |p| p.residual_variance.into());
        column("sigma2", |p| p.sigma2.into());
        column("weight_change", |p| p.weight_change.into());
        column("weight_norm", |p| p.weight_norm.into());
        column("kurtosis", |p| p.kurtosis.into());
        column("learning_rate", |p| p.lr.into());
        (!state.learning.is_empty()).then_some(table)
    }
}

/// The stages of learning in a row, the present one with how far it is; a click begins one.
fn stages(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let Some(position) = snapshot.stage else { return };
    ui.horizontal_wrapped(|ui| {
        ui.strong("Stages");
        for (i, stage) in snapshot.config.stages.iter().enumerate() {
            let weights: Vec<String> = stage.learn.iter().map(|l| format!("W{l}")).collect();
            let states = if stage.states > 0 { format!(", {} states of the top are open", stage.states) } else { String::new() };
            let tip = format!(
                "Layers 1 to {} run{states}, {} learns at rate {}{}. Click to begin this stage now.",
                stage.active_layers,
                weights.join(", "),
                short(stage.lr),
                if stage.start_weights > 0.0 {
                    format!("; W{} starts anew at {} N(0, 1)", stage.active_layers - 1, stage.start_weights)
                } else {
                    String::new()
                }
            );
            if ui.selectable_label(i == position.stage, format!("{}. {}", i + 1, stage.name)).on_hover_text(tip).clicked() {
                actions.push(Action::Send(Command::Stage(i)));
            }
        }
        if let Some(stage) = snapshot.config.stages.get(position.stage).filter(|stage| stage.images > 0) {
            let seen = snapshot.clock.images.saturating_sub(position.since);
            let share = (seen as f32 / stage.images as f32).min(1.0);
            ui.add(egui::ProgressBar::new(share).desired_width(190.0).text(progress(stage, seen)));
        }
    });
}

/// How far a stage with an end is.
fn progress(stage: &StageConfig, seen: u64) -> String {
    if seen < stage.images { format!("{seen} of {} images", stage.images) } else { format!("done: the rate is {}", short(stage.rate(1.0))) }
}

fn images(count: f64) -> String {
    if count < 1000.0 { format!("{count:.0}") } else { format!("{}k", number(count / 1000.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn a_stage_that_is_done_tells_the_rate_it_keeps() {
        let stages = presets::by_name("v1-v2").unwrap().stages;
        let mut stage = StageConfig { images: 1000, lr_end: 0.0, ..stages[0].clone() };
        assert_eq!(progress(&stage, 999), "999 of 1000 images");
        assert_eq!(progress(&stage, 1000), "done: the rate is 0");
        stage.lr_end = 0.02;
        assert_eq!(progress(&stage, 1000), "done: the rate is 0.02");
    }
}
