//! How many classes the completions of one image have: a posterior has those that the visible half leaves open.

use crate::analysis::image_evaluator::Images;
use crate::experiment::FrozenModel;
use crate::experiment::config::DynamicsConfig;
use crate::studies::completion::{CompletionOptions, CompletionStart, Mask, complete};
use crate::studies::generation::image_evaluation;
use crate::studies::generation::schedule::Schedule;
use crate::studies::{Observer, Point, Report, StudyError, StudyTarget};
use ndarray::{Array2, Axis, s};

/// Images that are completed, and how often each.
const IMAGES: usize = 20;
const REPEATS: usize = 20;
/// Steps of each completion.
const STEPS: usize = 300;

/// A point for each temperature: exp of the mean entropy of the classes of an image's completions, the lower half hidden. An error where
/// the target has no images whose classes are known.
pub(super) fn run(target: &StudyTarget, temperatures: &[f64], observer: &mut dyn Observer) -> Result<(), StudyError> {
    let missing = || StudyError::NotApplicable("classes of completions need a model of labelled images, as digits and fashion are".into());
    let sample = target.images.as_ref().ok_or_else(missing)?;
    let labels = sample.labels.as_ref().ok_or_else(missing)?;
    let frozen = &target.frozen;
    let shape = frozen.model.image_shape();
    let count = sample.pixels.nrows();
    let part = |range: std::ops::Range<usize>| Images {
        pixels: sample.pixels.slice(s![range.clone(), ..]).to_owned(),
        labels: Some(labels[range].to_vec()),
    };
    let evaluator = image_evaluation::fit(shape, part(0..count / 3), part(count / 3..count))?;
    let hidden = Mask::BottomHalf.hidden(shape, 0);
    let chosen: Vec<usize> = (0..IMAGES.min(count) * REPEATS).map(|row| row / REPEATS).collect();
    let images: Array2<f32> = sample.pixels.select(Axis(0), &chosen);
    // From one place, as predictive coding does: what differs between the completions of an image is what noise has made of it.
    let how = CompletionOptions { start: CompletionStart::Rest, schedule: Schedule::Plain, steps: STEPS, seed: frozen.dynamics.seed };
    for &temperature in temperatures {
        let cooled = FrozenModel { dynamics: DynamicsConfig { temperature, ..frozen.dynamics }, ..(**frozen).clone() };
        let mut is_stopped = false;
        let completed = complete(&cooled, images.view(), &hidden, how, &mut |_| {
            is_stopped |= observer.tell(Report::Working).is_err();
        })?;
        if is_stopped {
            return Err(StudyError::Stopped);
        }
        let classes = evaluator.classify(completed.last_means.view()).ok_or_else(missing)?;
        let entropies: Vec<f64> = classes.chunks(REPEATS).map(entropy).collect();
        let mean = entropies.iter().sum::<f64>() / entropies.len() as f64;
        let spread = entropies.iter().map(|h| (h - mean).powi(2)).sum::<f64>() / (entropies.len() - 1) as f64;
        let (y, error) = (mean.exp(), mean.exp() * (spread / entropies.len() as f64).sqrt());
        observer.point(Point::new(0, temperature, y, error))?;
    }
    Ok(())
}

/// Entropy of the shares of the classes, nats.
fn entropy(classes: &[u8]) -> f64 {
    let of = |class: &u8| classes.iter().filter(|other| *other == class).count() as f64 / classes.len() as f64;
    -classes.iter().map(|class| of(class).ln()).sum::<f64>() / classes.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entropy_of_one_class_is_0_and_of_equal_shares_the_logarithm_of_their_number() {
        assert_eq!(entropy(&[3; 20]), 0.0);
        let four: Vec<u8> = (0..20).map(|i| i % 4).collect();
        assert!((entropy(&four) - 4f64.ln()).abs() < 1e-12);
    }
}
