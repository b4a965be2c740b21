//! Learning: residual variance beside sigma^2, weight change, norms, sparseness, the likelihood of held-out images.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::decimate::thinned;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid::{self, number, short};
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Command, LearningPoint, LikelihoodState, Snapshot};
use crate::experiment::stages::StageConfig;
use crate::export::table::Table;
use crate::studies::likelihood::{LikelihoodPoint, OPTIONS};
use egui::{Color32, Ui};
use egui_plot::{FilledArea, Plot, PlotPoints, Points};

/// A curve is drawn through its smallest and its largest value in every column of so many points: its triangles are made in every frame.
const COLUMN: f32 = 2.0;

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
            ui.label(greek(&format!(
                "{} images, {:.0} images/s, learning rate {}, residual variance {:.3}{sigma2}",
                last.images,
                snapshot.clock.images_per_second,
                short(f64::from(last.lr)),
                last.residual_variance
            )));
        }
        stages(ui, snapshot, actions);
        likelihood_switch(ui, snapshot, actions);
        let dark = ui.visuals().dark_mode;
        let likelihood = snapshot.likelihood.as_ref().filter(|likelihood| !likelihood.points.is_empty());
        let plots = if likelihood.is_some() { 4.0 } else { 3.0 };
        let height = ((ui.available_height() - 28.0 * plots) / plots).max(70.0);
        let width = ui.available_width();
        let points = |value: fn(&LearningPoint) -> f32| {
            let all = state.learning.iter().map(|p| [p.images as f64, f64::from(value(p))]).filter(|p| p[1].is_finite()).collect();
            figure::points(thinned(all, width / COLUMN))
        };
        let plot = |ui: &mut Ui, name: &str, lines: Vec<(&str, Color32, PlotPoints<'static>)>| {
            figure::title(ui, name, lines.iter().map(|(name, color, _)| (*name, *color)));
            over_images(name, height).include_y(0.0).figure(ui, name, |plot| {
                lines.into_iter().for_each(|(name, color, points)| plot.line(figure::line(name, points).color(color)));
            });
        };
        if let Some(likelihood) = likelihood {
            likelihood_plot(ui, likelihood, state.learning.last().map_or(0, |point| point.images), height);
        }
        let mut residual = vec![("residual variance", theme::SERIES[0], points(|p| p.residual_variance))];
        if state.learning.iter().any(|p| p.sigma2.is_finite()) {
            residual.push(("sigma^2", theme::exact(dark), points(|p| p.sigma2)));
        }
        plot(ui, "Residual variance of x0 over images seen", residual);
        let change = ("log10 |dW|/|W|", theme::SERIES[1], points(|p| p.weight_change.max(1e-9).log10()));
        plot(ui, "Weight change and norm", vec![change, ("mean norm of a column", theme::SERIES[3], points(|p| p.weight_norm))]);
        plot(ui, "Sparseness of x1", vec![("excess kurtosis", theme::SERIES[2], points(|p| p.kurtosis))]);
    }

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        let mut column = |name: &str, value: fn(&LearningPoint) -> f64| table.push(name, state.learning.iter().map(value));
        column("images", |p| p.images as f64);
        column("residual_variance", |p| p.residual_variance.into());
        column("sigma2", |p| p.sigma2.into());
        column("weight_change", |p| p.weight_change.into());
        column("weight_norm", |p| p.weight_norm.into());
        column("kurtosis", |p| p.kurtosis.into());
        column("learning_rate", |p| p.lr.into());
        if let Some(likelihood) = snapshot.likelihood.as_ref().filter(|likelihood| !likelihood.points.is_empty()) {
            let mut column = |name: &str, value: fn(&LikelihoodPoint) -> f64| table.push(name, likelihood.points.iter().map(value));
            column("likelihood_images", |p| p.images as f64);
            column("log_likelihood", |p| p.mean);
            column("log_likelihood_error", |p| p.error);
            column("log_likelihood_estimation_error", |p| p.estimation_error);
            column("effective_runs", |p| p.effective_runs);
        }
        (!state.learning.is_empty()).then_some(table)
    }
}

/// A plot over the images that were learned from; all of them move together.
fn over_images(name: &str, height: f32) -> Plot<'static> {
    grid::numbered(Plot::new(name.to_string()))
        .height(height)
        .link_axis(egui::Id::unique("learning axes"), [true, false])
        .allow_scroll(false)
        .y_axis_min_width(36.0)
        .x_axis_label("images")
        .x_axis_formatter(|mark, _| images(mark.value))
}

/// Whether the likelihood is measured, and what was found last.
fn likelihood_switch(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let likelihood = snapshot.likelihood.as_deref();
    ui.horizontal_wrapped(|ui| {
        let mut on = likelihood.is_some_and(|likelihood| likelihood.on);
        let tip = format!(
            "How probable images are that are not learned from, on a thread of its own, again and again: annealed importance sampling with \
             Metropolis-adjusted transitions, {} runs of {} gains an image. In the mean it is a lower bound; \
             heescope evaluate --likelihood comes closer.",
            OPTIONS.runs, OPTIONS.temperatures
        );
        if ui.checkbox(&mut on, "Measure the likelihood").on_hover_text(tip).changed() {
            actions.push(Action::Send(Command::MeasureLikelihood(on)));
        }
        let Some(likelihood) = likelihood else { return };
        let text = match (&likelihood.problem, likelihood.points.last()) {
            (Some(problem), _) => problem.clone(),
            (None, Some(p)) => format!(
                "log p(x0) of {}: {:.1} +- {:.1} nats; {:.1} effective runs of {}",
                likelihood.of, p.mean, p.error, p.effective_runs, OPTIONS.runs
            ),
            (None, None) => "The first measurement is under way.".into(),
        };
        ui.label(text).on_hover_text("+- one standard error over the images, which are the same ones each time");
    });
}

/// The likelihood, over the images of the other curves.
fn likelihood_plot(ui: &mut Ui, likelihood: &LikelihoodState, images: u64, height: f32) {
    let (name, color) = ("Log-likelihood of images that are not learned from, nats an image", theme::SERIES[4]);
    figure::title(ui, name, [("mean and its error by the runs", color)]);
    let of = |value: fn(&LikelihoodPoint) -> f64| likelihood.points.iter().map(value).collect::<Vec<f64>>();
    let (x, mean) = (of(|p| p.images as f64), of(|p| p.mean));
    over_images(name, height).include_x(0.0).include_x(images as f64).figure(ui, name, |plot| {
        let fill = color.gamma_multiply(0.3);
        plot.add(
            FilledArea::new("", &x, &of(|p| p.mean - p.estimation_error), &of(|p| p.mean + p.estimation_error))
                .fill_color(fill)
                .allow_hover(false),
        );
        let points: Vec<[f64; 2]> = x.iter().copied().zip(mean).map(|(x, y)| [x, y]).collect();
        plot.points(Points::new("", points.clone()).color(color).radius(2.0).allow_hover(false));
        plot.line(figure::line("log p(x0)", points).color(color));
    });
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
            if ui.switch(i == position.stage, format!("{}. {}", i + 1, stage.name)).on_hover_text(tip).clicked() {
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
