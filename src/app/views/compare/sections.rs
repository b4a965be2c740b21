//! Which curves of a run are laid over those of others: those that Learning, Population, Generation, Adaptation and Race draw.

use super::compared::RunCurves;
use crate::app::measured_curves::{Curve, sweeps};
use crate::app::widgets::measured::Axis;
use crate::engine::LearningPoint;

/// The smallest distance that a logarithmic axis shows.
pub(super) const LEAST: f64 = 1e-4;

/// A line of one run.
pub(super) struct RunLine {
    /// What it is among the lines of the run: each name has a style.
    pub(super) name: String,
    pub(super) points: Vec<[f64; 2]>,
    /// One standard error of each point; empty where there is none.
    pub(super) errors: Vec<f64>,
    /// Points stand out.
    pub(super) dotted: bool,
}

impl RunLine {
    fn plain(name: &str, points: Vec<[f64; 2]>) -> Self {
        Self { name: name.into(), points, errors: Vec::new(), dotted: false }
    }

    /// Without points that no axis can hold.
    pub(super) fn keep_finite(&mut self) {
        let is_finite = |p: &[f64; 2]| p.iter().all(|value| value.is_finite());
        let keep: Vec<bool> = self.points.iter().map(is_finite).collect();
        let mut of_errors = keep.iter();
        self.errors.retain(|_| of_errors.next().is_none_or(|keep| *keep));
        self.points.retain(is_finite);
    }
}

/// A view whose curves are compared.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// What a run has that has curves of this kind.
    pub(super) what: &'static str,
    /// Which there are.
    pub(super) overlays: &'static [Overlay],
}

/// A plot of curves of several runs.
pub(super) struct Overlay {
    /// The figure's name.
    pub(super) title: &'static str,
    /// In the chooser.
    pub(super) short: &'static str,
    /// Whether it is drawn where nothing else was chosen.
    pub(super) first: bool,
    pub(super) x: &'static str,
    pub(super) axes: [Axis; 2],
    /// The lines of a run; without points there are none.
    pub(super) lines: fn(&RunCurves<'_>) -> Vec<RunLine>,
}

const LINEAR: [Axis; 2] = [Axis::Linear, Axis::Linear];
const LOGARITHMIC: [Axis; 2] = [Axis::Logarithmic, Axis::Logarithmic];

pub(super) const SECTIONS: [Section; 5] = [
    Section {
        title: "Learning",
        what: "learning curves",
        overlays: &[
            Overlay {
                title: "Residual variance",
                short: "residual variance",
                first: true,
                x: "images",
                axes: LINEAR,
                lines: |of| {
                    let residual = learned(of, "residual variance", |p| p.residual_variance);
                    residual.into_iter().chain(learned(of, "sigma^2", |p| p.sigma2)).collect()
                },
            },
            Overlay {
                title: "Excess kurtosis of x",
                short: "kurtosis",
                first: true,
                x: "images",
                axes: LINEAR,
                lines: |of| learned(of, "excess kurtosis", |p| p.kurtosis),
            },
            Overlay {
                title: "Weight change, log10 |dW|/|W|",
                short: "weight change",
                first: false,
                x: "images",
                axes: LINEAR,
                lines: |of| learned(of, "weight change", |p| p.weight_change.max(1e-9).log10()),
            },
            Overlay {
                title: "Mean norm of a column of W",
                short: "norm",
                first: false,
                x: "images",
                axes: LINEAR,
                lines: |of| learned(of, "norm", |p| p.weight_norm),
            },
            Overlay {
                title: "Log-likelihood of images that are not learned from, nats an image",
                short: "likelihood",
                first: true,
                x: "images",
                axes: LINEAR,
                lines: |of| {
                    let line = |curve: &Curve<3>| RunLine {
                        name: curve.name.clone(),
                        points: curve.points.iter().map(|p| [p[0], p[1]]).collect(),
                        errors: curve.points.iter().map(|p| p[2]).collect(),
                        dotted: true,
                    };
                    of.measured.likelihood.iter().map(line).collect()
                },
            },
        ],
    },
    Section {
        title: "Population",
        what: "fits of its filters over learning",
        overlays: &[
            Overlay {
                title: "Share of Gabor-like filters",
                short: "Gabor-like share",
                first: true,
                x: "images",
                axes: LINEAR,
                lines: |of| vec![RunLine::plain("share", of.fits.iter().map(|p| [p[0], p[1]]).collect())],
            },
            Overlay {
                title: "Median R^2 of the Gabor fits",
                short: "median R^2",
                first: true,
                x: "images",
                axes: LINEAR,
                lines: |of| vec![RunLine::plain("median", of.fits.iter().map(|p| [p[0], p[2]]).collect())],
            },
        ],
    },
    Section {
        title: "Generation",
        what: "distances of generated images",
        overlays: &[
            Overlay {
                title: "Frechet distance of samples over computing time",
                short: "samples over time",
                first: true,
                x: "seconds of computing",
                axes: LOGARITHMIC,
                lines: |of| generated(of, 0, 2),
            },
            Overlay {
                title: "Frechet distance of samples over steps",
                short: "samples over steps",
                first: false,
                x: "steps of the network",
                axes: LOGARITHMIC,
                lines: |of| generated(of, 1, 2),
            },
            Overlay {
                title: "Frechet distance of means over computing time",
                short: "means over time",
                first: true,
                x: "seconds of computing",
                axes: LOGARITHMIC,
                lines: |of| generated(of, 0, 3),
            },
            Overlay {
                title: "Frechet distance of means over steps",
                short: "means over steps",
                first: false,
                x: "steps of the network",
                axes: LOGARITHMIC,
                lines: |of| generated(of, 1, 3),
            },
        ],
    },
    Section {
        title: "Adaptation",
        what: "measured speed-up by adaptation",
        overlays: &[
            Overlay {
                title: "Speed-up against m",
                short: "over m",
                first: true,
                x: "adaptation strength m",
                axes: LINEAR,
                lines: |of| swept(of, 0),
            },
            Overlay {
                title: "Speed-up against tau_v",
                short: "over tau_v",
                first: true,
                x: "tau_v / tau_x",
                axes: [Axis::Logarithmic, Axis::Linear],
                lines: |of| swept(of, 1),
            },
        ],
    },
    Section {
        title: "Race",
        what: "race of samplers",
        overlays: &[Overlay {
            title: "Total variation distance to the exact posterior",
            short: "distance",
            first: true,
            x: "s simulated",
            axes: LOGARITHMIC,
            lines: |of| {
                let line = |curve: &Curve<2>| {
                    let places = curve.points.iter().filter(|p| p[0] > 0.0).map(|[time_ms, d]| [time_ms / 1e3, d.max(LEAST)]);
                    RunLine::plain(&curve.name, places.collect())
                };
                of.measured.race.iter().map(line).collect()
            },
        }],
    },
];

fn learned(of: &RunCurves<'_>, name: &str, value: fn(&LearningPoint) -> f32) -> Vec<RunLine> {
    let points = of.learning.iter().map(|p| [p.images as f64, f64::from(value(p))]);
    vec![RunLine::plain(name, points.collect())]
}

/// Distances of each way of generating, by their columns.
fn generated(of: &RunCurves<'_>, x: usize, y: usize) -> Vec<RunLine> {
    let line = |curve: &Curve<4>| RunLine {
        dotted: true,
        ..RunLine::plain(&curve.name, curve.points.iter().map(|p| [p[x], p[y]]).filter(|p| p[0] > 0.0).collect())
    };
    of.measured.generation.iter().map(line).collect()
}

/// Points of a sweep, and what theory says.
fn swept(of: &RunCurves<'_>, sweep: usize) -> Vec<RunLine> {
    let Some(curve) = of.measured.adaptation.iter().find(|curve| curve.name == sweeps()[sweep]) else { return Vec::new() };
    let mut points = curve.points.clone();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let measured = RunLine {
        name: "measured".into(),
        points: points.iter().map(|p| [p[0], p[1]]).collect(),
        errors: points.iter().map(|p| p[2]).collect(),
        dotted: true,
    };
    vec![measured, RunLine::plain("S = 1 + m^2 tau_v/tau_x", points.iter().map(|p| [p[0], p[3]]).collect())]
}
