//! Autocorrelation and power spectrum of a traced neuron beside theory: adaptation makes it ring.

use crate::analysis::chains::autocovariance;
use crate::analysis::spectrum::periodogram;
use crate::app::theme;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::measured::Axis;
use crate::app::widgets::{grid, whole_frame};
use crate::engine::{Snapshot, TraceSample};
use crate::export::table::Table;
use crate::model::linear::LinearDynamics;
use egui::Ui;
use egui_plot::{Legend, Plot, Points, VLine};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Samples used at most, the newest.
const SAMPLES: usize = 32_768;
const REFRESH: Duration = Duration::from_millis(500);

/// Names of the two figures.
const AUTOCORRELATION: &str = "autocorrelation";
const SPECTRUM: &str = "power spectrum";

/// What is drawn until the next refresh.
#[derive(Default)]
pub(super) struct SpectrumPlots {
    computed: Option<(Instant, usize)>,
    autocorrelation: [Vec<[f64; 2]>; 2],
    spectrum: [Vec<[f64; 2]>; 2],
    /// Peaks of the exact spectrum: log10 of Hz and of the density.
    peaks: Vec<[f64; 2]>,
}

impl SpectrumPlots {
    /// Draws both for the first traced unit.
    pub(super) fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, trace: Option<&VecDeque<TraceSample>>) {
        if !snapshot.exact_stimulus() {
            ui.label(
                "The stimulus changes every few steps here, so that there is no stationary process to analyse: hold one in Posterior or Stimulus.",
            );
            return;
        }
        let (Some(trace), Some(&unit)) = (trace, snapshot.watch.trace_units.first()) else { return };
        let is_whole = whole_frame::is_asked(ui.ctx());
        if self.computed.is_none_or(|(when, of)| of != unit || is_whole || when.elapsed() > REFRESH) {
            self.compute(snapshot, trace, unit);
        }
        if self.autocorrelation[0].is_empty() {
            ui.label("Too few samples at this step size yet: run the simulation.");
            return;
        }
        ui.weak(self.legend());
        let height = ((ui.available_height() - 60.0) / 2.0).max(80.0);
        ui.strong(format!("Autocorrelation of unit {unit}"));
        self.autocorrelation_plot(ui, height);
        ui.strong("Power spectrum");
        self.spectrum_plot(ui, height);
    }

    /// What the curves are, in words.
    fn legend(&self) -> &'static str {
        match (self.autocorrelation[1].is_empty(), self.peaks.is_empty()) {
            (false, false) => {
                "Coloured: this neuron, network 0. Grey: exact. Vertical line: where theory has the peak of the oscillation that adaptation brings."
            }
            (false, true) => "Coloured: this neuron, network 0. Grey: exact. At this adaptation the exact spectrum has no peak: raise m.",
            (true, _) => {
                "This neuron, network 0. Exact curves exist for gaussian layers with linear f and a fixed stimulus: ridge, slow-interneurons, chain."
            }
        }
    }

    fn autocorrelation_plot(&self, ui: &mut Ui, height: f32) {
        let [measured, exact] = self.autocorrelation.clone().map(figure::points);
        let (theory, dark) = (!self.autocorrelation[1].is_empty(), ui.visuals().dark_mode);
        grid::numbered(Plot::new("autocorrelation"))
            .height(height)
            .legend(Legend::default().follow_insertion_order(true))
            .allow_scroll(false)
            .x_axis_label("lag, ms")
            .y_axis_min_width(36.0)
            .figure(ui, AUTOCORRELATION, |plot| {
                if theory {
                    plot.line(figure::line("exact", exact).color(theme::exact(dark)).width(1.6));
                }
                plot.line(figure::line("measured", measured).color(theme::SERIES[0]).width(1.8));
            });
    }

    fn spectrum_plot(&self, ui: &mut Ui, height: f32) {
        let [measured, exact] = self.spectrum.clone().map(figure::points);
        let (theory, dark) = (!self.autocorrelation[1].is_empty(), ui.visuals().dark_mode);
        grid::scaled(Plot::new("spectrum"), [Axis::Logarithmic; 2])
            .height(height)
            .legend(Legend::default().follow_insertion_order(true))
            .allow_scroll(false)
            .x_axis_label("frequency, Hz")
            .y_axis_min_width(36.0)
            .figure(ui, SPECTRUM, |plot| {
                for [f, _] in &self.peaks {
                    let name = format!("theory's peak, {} Hz", digits(10f64.powf(*f)));
                    plot.vline(VLine::new(name, *f).color(theme::SERIES[4]).width(1.2));
                }
                if theory {
                    plot.line(figure::line("exact", exact).color(theme::exact(dark)).width(1.6));
                }
                plot.line(figure::line("measured", measured).color(theme::SERIES[0]).width(1.4));
                plot.points(Points::new("peak", figure::points(self.peaks.clone())).color(theme::SERIES[4]).radius(4.5).allow_hover(false));
            });
    }

    /// The numbers of one of the two figures, or of both; what theory does not know is left out.
    pub(super) fn table(&self, figure: Option<&str>) -> Option<Table> {
        let mut table = Table::default();
        let mut add = |figure_name: &str, [x, y]: [&str; 2], curves: &[Vec<[f64; 2]>; 2], value: fn(f64) -> f64| {
            if figure.is_some_and(|figure| figure != figure_name) {
                return;
            }
            for (curve, source) in curves.iter().zip(["measured", "exact"]).filter(|(curve, _)| !curve.is_empty()) {
                table.push(format!("{x}_{source}"), curve.iter().map(|p| value(p[0])));
                table.push(format!("{y}_{source}"), curve.iter().map(|p| value(p[1])));
            }
        };
        add(AUTOCORRELATION, ["lag_ms", "autocorrelation"], &self.autocorrelation, |v| v);
        add(SPECTRUM, ["frequency_hz", "power"], &self.spectrum, |v| 10f64.powf(v));
        (!table.columns.is_empty()).then_some(table)
    }

    fn compute(&mut self, snapshot: &Snapshot, trace: &VecDeque<TraceSample>, unit: usize) {
        self.computed = Some((Instant::now(), unit));
        let dt = snapshot.governor.dt_ms;
        // Only the newest samples that are dt apart, without a gap.
        let apart = |a: &TraceSample, b: &TraceSample| (b.time_ms - a.time_ms - dt).abs() < 1e-3 * dt;
        let from = trace.len().saturating_sub(SAMPLES);
        let first = (from + 1..trace.len()).rev().find(|&i| !apart(&trace[i - 1], &trace[i])).unwrap_or(from);
        let x: Vec<f64> = trace.range(first..).map(|s| f64::from(s.x)).collect();
        if x.len() < 64 {
            (self.autocorrelation, self.spectrum, self.peaks) = Default::default();
            return;
        }
        let dynamics = snapshot.subject().and_then(|subject| {
            let p = crate::experiment::session::step_parameters(&subject.frozen.dynamics, &subject.frozen.stiffness);
            let constants: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
            LinearDynamics::new(&subject.frozen.model, &constants, subject.frozen.dynamics.tau_eps_ms, p.interneurons, p.exact)
        });
        let lags = ((8.0 * snapshot.config.dynamics.tau_x_ms / dt) as usize).min(x.len() / 4);
        let covariance = autocovariance(&x);
        let stride = (lags / 400).max(1);
        let line =
            |values: &[f64]| values.iter().take(lags).enumerate().step_by(stride).map(|(i, c)| [i as f64 * dt, c / values[0]]).collect();
        self.autocorrelation = [line(&covariance), Vec::new()];
        let measured = periodogram(&x, dt);
        self.spectrum = [measured.iter().map(|[f, p]| [(f * 1e3).log10(), p.max(1e-30).log10()]).collect(), Vec::new()];
        self.peaks.clear();
        let Some(dynamics) = dynamics else { return };
        let i = dynamics.state(snapshot.watch.trace_layer, unit);
        let coarse = stride as f64 * dt;
        self.autocorrelation[1] =
            dynamics.autocorrelation(i, coarse, lags / stride).into_iter().enumerate().map(|(k, c)| [k as f64 * coarse, c]).collect();
        self.spectrum[1] =
            measured.iter().filter_map(|[f, _]| dynamics.spectrum(i, *f).map(|p| [(f * 1e3).log10(), p.max(1e-30).log10()])).collect();
        let peak = |f: f64| dynamics.spectrum(i, f).map(|p| [(f * 1e3).log10(), p.log10()]);
        self.peaks = dynamics.spectral_peaks(i).into_iter().filter_map(peak).collect();
    }
}

/// Three digits.
fn digits(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
