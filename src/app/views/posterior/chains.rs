//! Chains over the density: a few with fading trails, the others as dots.

use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::figure;
use crate::engine::{RaceState, RacerState};
use egui_plot::{PlotUi, Points};

/// Chains drawn with a trail.
const TRAILS: usize = 4;

/// At which share of a trail a piece of it begins, and how opaque it is: older pieces are fainter.
const FADING: [(f64, f32); 3] = [(1.0, 0.15), (0.5, 0.3), (0.17, 0.6)];
/// The same for the one trail of a sampler in a race.
const RACE_FADING: [(f64, f32); 3] = [(1.0, 0.25), (0.5, 0.45), (0.2, 0.8)];

/// Steps of a trail of so many ms.
fn steps_of(trail_ms: f64, dt_ms: f64) -> f64 {
    (trail_ms / dt_ms.max(1e-9)).max(2.0)
}

/// The sampler that follows the sliders is so many times as large.
const LARGE: f32 = 1.6;

/// The chains of the model's own dynamics.
pub(super) fn all(plot: &mut PlotUi<'_>, state: &ViewState, trail_ms: f64, dark: bool) {
    let Some(latest) = state.trails.back() else { return };
    let newest = state.trails.len() - 1;
    let dt_ms = state.latest.as_ref().map_or(1.0, |snapshot| snapshot.governor.dt_ms);
    let length = steps_of(trail_ms, dt_ms);
    for chain in 0..latest.len().min(TRAILS) {
        let color = theme::CHAINS[chain % theme::CHAINS.len()];
        for (from, alpha) in FADING {
            let steps = state.trails.iter().skip(newest.saturating_sub((from * length) as usize));
            let points: Vec<[f64; 2]> = steps.filter_map(|step| step.get(chain)).map(|p| p.map(f64::from)).collect();
            plot.line(figure::line("trail", figure::points(points)).color(color.gamma_multiply(alpha)).width(1.2));
        }
    }
    // The chains with a trail stand out, the others show where the ensemble is.
    let others: Vec<[f64; 2]> = latest.iter().skip(TRAILS).map(|p| p.map(f64::from)).collect();
    plot.points(Points::new("other chains", figure::points(others)).color(theme::exact(dark).gamma_multiply(0.45)).radius(1.6));
    for (chain, p) in latest.iter().take(TRAILS).enumerate() {
        let color = theme::CHAINS[chain % theme::CHAINS.len()];
        plot.points(Points::new("chains", figure::points(vec![p.map(f64::from)])).color(color).radius(3.5));
    }
}

/// The chains of every sampler of a race, the first sampler on top of the others;
/// `followed`, which follows the sliders, is drawn large.
pub(super) fn of_race(plot: &mut PlotUi<'_>, race: &RaceState, trail_ms: f64, followed: Option<usize>) {
    let length = steps_of(trail_ms, race.dt_ms);
    let rest = (0..race.racers.len()).rev().filter(|i| Some(*i) != followed);
    for i in rest.chain(followed) {
        of_racer(plot, &race.racers[i], length, theme::RACERS[i], if followed == Some(i) { LARGE } else { 1.0 });
    }
}

/// Those of one sampler.
pub(super) fn of_one(plot: &mut PlotUi<'_>, race: &RaceState, trail_ms: f64, i: usize) {
    race.racers.get(i).into_iter().for_each(|racer| of_racer(plot, racer, steps_of(trail_ms, race.dt_ms), theme::RACERS[i], LARGE));
}

/// One sampler's chains: the first with a fading trail, the others as dots, so many times as large as usual.
fn of_racer(plot: &mut PlotUi<'_>, racer: &RacerState, length: f64, color: egui::Color32, large: f32) {
    let Some(latest) = racer.trail.last() else { return };
    for (from, alpha) in RACE_FADING {
        let steps = racer.path.iter().skip(racer.path.len().saturating_sub((from * length) as usize));
        let points: Vec<[f64; 2]> = steps.map(|p| p.map(f64::from)).collect();
        plot.line(figure::line("trail", figure::points(points)).color(color.gamma_multiply(alpha)).width(1.4 * large));
    }
    let others: Vec<[f64; 2]> = latest.iter().skip(1).map(|p| p.map(f64::from)).collect();
    plot.points(Points::new("chains", figure::points(others)).color(color.gamma_multiply(0.75)).radius(1.9 * large));
    let first: Vec<[f64; 2]> = latest.iter().take(1).map(|p| p.map(f64::from)).collect();
    plot.points(Points::new("first chain", figure::points(first)).color(color).radius(4.0 * large));
}
