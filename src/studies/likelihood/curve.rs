//! The likelihood of the same held-out images again and again while a model learns.

use super::{AnnealingOptions, Binarisation, annealed, mean_and_error};
use crate::data::{self, DataError, Part, PictureSize, Progress, Source, patches};
use crate::experiment::config::ConfigError;
use crate::experiment::{Config, FrozenModel};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

/// Images of each measurement, at most.
pub const IMAGES: usize = 50;
/// How each is done: a lower bound in the mean, closer the more runs and gains there are.
pub const OPTIONS: AnnealingOptions = AnnealingOptions { runs: 16, temperatures: 100, seed: 1 };

/// Images that the model does not learn from.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// `[images, n_0]`; where the model observes pixels of 0 or 1, drawn by their grey levels.
    pub images: Array2<f32>,
    /// What they are, in the plural.
    pub kind: &'static str,
}

impl HeldOut {
    /// At most 50 of the configuration's source: the first ones that are held out of whole images, else patches that are drawn anew from
    /// the same images. None where the stimulus is fixed.
    pub fn load(config: &Config, frozen: &FrozenModel, progress: &Progress) -> Result<Option<Self>, DataError> {
        let (source, seed) = (config.data.source, config.dynamics.seed);
        if source == Source::Fixed {
            return Ok(None);
        }
        let (images, kind) = if source.is_whole() {
            let size = PictureSize::Exactly(frozen.model.image_shape());
            let (set, _) = data::whole(source, &config.data.paths, Part::Test, size, progress)?;
            (set.pixels, "held-out images")
        } else {
            let contrast_normalisation = config.data.contrast_normalisation;
            let settings = patches::Settings { side: config.data.patch, count: IMAGES, border: 4, contrast_normalisation };
            let (set, _) = data::patches(source, &config.data.paths, &settings, config.data.preparation(), seed.wrapping_add(1), progress)?;
            (set.copied(&Vec::from_iter(0..set.len())), "new patches")
        };
        let images = images.select(Axis(0), &Vec::from_iter(0..IMAGES.min(images.nrows())));
        let is_binary = frozen.model.observed_family().is_binary();
        Ok(Some(Self { images: if is_binary { Binarisation::Drawn.apply(images.view(), seed) } else { images }, kind }))
    }
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LikelihoodPoint {
    /// Images that the weights had learned from.
    pub images: u64,
    /// Mean log p(x_0) of the held-out images, nats.
    pub mean: f64,
    /// Standard error of that by the spread between images.
    pub error: f64,
    /// Standard error of the estimate by annealed importance sampling: that of the changes from point to point.
    pub estimation_error: f64,
    /// Effective runs of an image, of [`OPTIONS`], in the mean.
    pub effective_runs: f64,
}

impl LikelihoodPoint {
    /// Measures these images; `goes_on` is asked after each. An error where it says no, or where the images are none of this model's.
    pub fn measure(frozen: &FrozenModel, held_out: &HeldOut, goes_on: &(dyn Fn() -> bool + Sync)) -> Result<Self, ConfigError> {
        let found = annealed(frozen, held_out.images.view(), OPTIONS, &|_| goes_on())?;
        let [mean, error] = mean_and_error(&found.log_likelihood);
        let count = found.error.len() as f64;
        Ok(Self {
            images: frozen.images,
            mean,
            error,
            estimation_error: found.error.iter().map(|error| error * error).sum::<f64>().sqrt() / count,
            effective_runs: found.effective_runs.iter().sum::<f64>() / count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{ModelVersion, Session, presets};

    #[test]
    fn every_source_has_images_that_are_not_learned_from() {
        for (preset, kind, pixels) in [
            ("digits", "held-out images", 64),
            ("fashion", "held-out images", 784),
            ("bars", "new patches", 64),
            ("dead-leaves", "new patches", 144),
        ] {
            let mut config = presets::by_name(preset).unwrap();
            config.data.patches = 200;
            let session = Session::new(config).unwrap();
            let frozen = FrozenModel::of(&session, ModelVersion::default());
            let held_out = HeldOut::load(session.config(), &frozen, &Progress::default()).unwrap().unwrap();
            assert_eq!((held_out.kind, held_out.images.dim()), (kind, (IMAGES, pixels)), "{preset}");
            let shown = session.images_shown().unwrap();
            let mut one = vec![0.0; pixels];
            for i in 0..shown.len() {
                shown.write(i, &mut one);
                // Pictures of bars may be alike by chance.
                assert!(
                    preset == "bars" || held_out.images.rows().into_iter().all(|row| row.to_vec() != one),
                    "{preset}: image {i} is learned from"
                );
            }
        }
        let fixed = Session::new(presets::by_name("ridge").unwrap()).unwrap();
        let frozen = FrozenModel::of(&fixed, ModelVersion::default());
        assert!(HeldOut::load(fixed.config(), &frozen, &Progress::default()).unwrap().is_none());
    }

    #[test]
    fn learning_makes_held_out_images_more_probable_and_it_can_be_stopped() {
        let mut session = Session::new(presets::by_name("digits").unwrap()).unwrap();
        let frozen = |session: &Session| FrozenModel::of(session, ModelVersion::default());
        let held_out = HeldOut::load(session.config(), &frozen(&session), &Progress::default()).unwrap().unwrap();
        let before = LikelihoodPoint::measure(&frozen(&session), &held_out, &|| true).unwrap();
        while session.images() < 20_000 {
            let steps = session.steps_left();
            session.advance(steps, &Default::default());
        }
        let after = LikelihoodPoint::measure(&frozen(&session), &held_out, &|| true).unwrap();
        assert!(after.mean > before.mean + 5.0 * (after.estimation_error + before.estimation_error), "{before:?} {after:?}");
        assert_eq!((before.images, after.images >= 20_000), (session.config().stimulus.batch as u64, true));
        assert!(LikelihoodPoint::measure(&frozen(&session), &held_out, &|| false).is_err());
    }
}
