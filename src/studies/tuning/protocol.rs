//! Which gratings are shown, and for how long.

use std::f64::consts::{PI, SQRT_2, TAU};

/// Networks of a block.
pub(super) const ROWS: usize = 32;

/// What is shown.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Protocol {
    /// Orientations of the bars, evenly spaced over pi.
    pub orientations: usize,
    /// Spatial frequencies, cycles a pixel.
    pub frequencies: Vec<f64>,
    /// Phases, evenly spaced over one cycle.
    pub phases: usize,
    /// Contrasts of the contrast response, in standard deviations of the stimuli.
    pub contrasts: Vec<f64>,
    /// Contrast of everything else.
    pub contrast: f64,
    /// Steps before samples are taken.
    pub burn_in: usize,
    /// Steps of which samples are taken.
    pub samples: usize,
    /// Seed of the networks.
    pub seed: u64,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            orientations: 32,
            frequencies: vec![0.06, 0.09, 0.13, 0.18, 0.25, 0.34],
            phases: 8,
            contrasts: vec![0.0, 0.125, 0.25, 0.5, 1.0, 2.0],
            contrast: 1.0,
            burn_in: 60,
            samples: 100,
            seed: 0,
        }
    }
}

impl Protocol {
    /// Networks needed at most for a layer of so many units: blanks, all gratings once, then each unit's best at the other contrasts.
    pub fn networks(&self, units: usize) -> usize {
        let gratings = self.orientations * self.frequencies.len();
        ROWS + (gratings + gratings.min(units) * self.other_contrasts().len()) * self.phases
    }

    /// Places of the contrasts that neither the blanks nor the gratings of every orientation have.
    pub(super) fn other_contrasts(&self) -> Vec<usize> {
        (0..self.contrasts.len()).filter(|&k| self.contrasts[k] != 0.0 && self.contrasts[k] != self.contrast).collect()
    }

    /// A grating of `[rows, columns]`, row by row; `orientation` as [`crate::analysis::gabor::Gabor::orientation`].
    pub fn grating([rows, columns]: [usize; 2], orientation: f64, frequency: f64, phase: f64, contrast: f64) -> impl Iterator<Item = f32> {
        // On screen, with rows downwards, the wave vector of bars at angle o points to pi/2 - o.
        let (sin, cos) = (PI / 2.0 - orientation).sin_cos();
        let [upper, left] = [rows, columns].map(|side| 0.5 * side as f64);
        (0..rows * columns).map(move |i| {
            let (x, y) = ((i % columns) as f64 + 0.5 - left, (i / columns) as f64 + 0.5 - upper);
            (contrast * SQRT_2 * (TAU * frequency * (x * cos + y * sin) + phase).cos()) as f32
        })
    }

    /// The grating at these places of orientations, frequencies and phases.
    pub(super) fn stimulus(&self, shape: [usize; 2], [orientation, frequency, phase]: [usize; 3], contrast: f64) -> Vec<f32> {
        Self::grating(shape, self.orientation(orientation), self.frequencies[frequency], self.phase(phase), contrast).collect()
    }

    fn orientation(&self, k: usize) -> f64 {
        k as f64 * PI / self.orientations as f64
    }

    fn phase(&self, k: usize) -> f64 {
        k as f64 * TAU / self.phases as f64
    }
}
