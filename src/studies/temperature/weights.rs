//! What a linear-Gaussian model learns while its neurons have another temperature than the model.
//!
//! x_1 ~ N(0, 1), x_0 ~ N(w x_1, sigma^2 I), data of second moments C. Neurons at temperature theta have the right mean, m =
//! w.x_0/(sigma^2 lambda) with lambda = 1 + |w|^2/sigma^2, but the variance theta/lambda in place of 1/lambda. Learning rests where
//! E\[x_0 x_1\] = w E\[x_1^2\], which along the first eigenvector of C, of eigenvalue V, says |w|^2 = V/theta - sigma^2 (model.md 5.8):
//! maximum likelihood at theta = 1, and no rest at 0.

use crate::analysis::chains::windowed_autocorrelation_time;
use crate::dynamics::Probes;
use crate::experiment::config::*;
use crate::experiment::{Config, Session};
use crate::model::{Activation, FamilyConfig};
use crate::studies::{Observer, Report, StudyError};
use ndarray::Array2;

/// V, and sigma^2, which is also the variance along the other three directions.
const LARGEST: f64 = 2.0;
const OTHERS: f64 = 1.0;
/// Pixels.
const PIXELS: usize = 4;
/// A step is this over lambda: its own error is half of it, a hundredth.
const STEP: f64 = 0.02;
/// Steps before those that learn: what is left of the way from x = 0 is exp(-STEP BURN_IN). A share a of the mean that is missing would
/// act as a temperature that is lower by V a.
const BURN_IN: usize = 450;
/// Stimuli until the weights are taken to have come to rest, and those that are averaged then.
const SETTLING: usize = 1400;
const AVERAGED: usize = 1000;
/// Learning rate at theta = 1. Near the fixed point the weights come to rest as theta^2, so that it grows as 1/theta, up to theta = 0.05.
const RATE: f64 = 0.1;
const LEAST: f64 = 0.05;

/// |w|^2 at which learning comes to rest.
pub(super) fn fixed_point(temperature: f64) -> f64 {
    LARGEST / temperature - OTHERS
}

/// Stimuli of just these second moments, `[8, 4]`: a positive and a negative one along each direction.
fn stimuli() -> Array2<f32> {
    Array2::from_shape_fn((2 * PIXELS, PIXELS), |(i, pixel)| {
        let variance = if pixel == 0 { LARGEST } else { OTHERS };
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        if i / 2 == pixel { (sign * (PIXELS as f64 * variance).sqrt()) as f32 } else { 0.0 }
    })
}

fn config(temperature: f64, seed: u64) -> Config {
    let layer = |size, sigma: f64| LayerConfig {
        size,
        family: FamilyConfig::Gaussian { sigma },
        activation: Activation::Linear,
        bias: 0.0,
        learned_sigma: false,
    };
    let weights = (0..PIXELS).map(|pixel| vec![if pixel == 0 { 1.0 } else { 0.1 }]).collect();
    Config {
        model: ModelConfig { weights, layers: vec![layer(PIXELS, OTHERS.sqrt()), layer(1, 1.0)], ..Default::default() },
        dynamics: DynamicsConfig {
            dt_ms: 1e4, // shortened by the governor
            safety: STEP,
            adaptation: 0.0,
            temperature,
            interneuron_mode: InterneuronMode::Exact,
            threads: 1,
            seed,
            ..Default::default()
        },
        learning: LearningConfig {
            enabled: true,
            lr: RATE / temperature.max(LEAST),
            rate_schedule: LearningRateSchedule::Constant,
            unit_norm: false,
            ..Default::default()
        },
        stimulus: StimulusConfig {
            batch: 200,
            steps_per_stimulus: BURN_IN + 150,
            burn_in_steps: BURN_IN,
            values: vec![0.0; PIXELS],
            ..Default::default()
        },
        ..Default::default()
    }
}

/// |w|^2 that learning comes to at this temperature, and its standard error. At 0 it grows without end: its mean over the same
/// stimuli.
pub(super) fn learned(temperature: f64, seed: u64, observer: &mut dyn Observer) -> Result<[f64; 2], StudyError> {
    let failed = |error: crate::experiment::SessionError| StudyError::Diverged(error.to_string());
    let mut session = Session::new(config(temperature, seed)).map_err(failed)?;
    session.replace_stimuli(stimuli())?;
    // The mean weights: single ones have the noise of their batches too, whose square would be added.
    let (mut sum, mut first) = ([0.0; PIXELS], Vec::with_capacity(AVERAGED));
    for stimulus in 0..SETTLING + AVERAGED {
        session.advance(session.steps_left(), &Probes::default());
        if stimulus >= SETTLING {
            let weights = session.model().weights[0].iter().map(|w| f64::from(*w));
            sum.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w);
            first.push(f64::from(session.model().weights[0][[0, 0]]));
        }
        observer.tell(Report::Working)?;
    }
    let count = AVERAGED as f64;
    let mean = sum.map(|sum| sum / count);
    let variance = first.iter().map(|w| (w - mean[0]).powi(2)).sum::<f64>() / count;
    // The estimate of a short time may be below that of independent draws, and even below 0: no error is told that is smaller than theirs.
    let draws = windowed_autocorrelation_time(&[first]).map_or(count, |(time, _)| time.max(1.0));
    Ok([mean.iter().map(|w| w * w).sum(), 2.0 * mean[0].abs() * (variance * draws / count).sqrt()])
}
