//! What is known of a run without opening it.

use crate::analysis::density::DensityGrid;
use crate::experiment::parameters;
use crate::experiment::session::SessionState;
use crate::experiment::{Config, presets};
use crate::export::mosaic::{self, Colours, Layout, Scale};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Pixels a side of the picture that stands for a run.
pub const THUMBNAIL: usize = 48;
/// Filters in it a side, at most.
const FILTERS: usize = 4;
/// The form of `run.toml`.
pub(super) const FORMAT: u32 = 1;

/// What a run is called among all: the name of its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a run is called on screen, and the images that it has seen.
pub type RunLabel = (String, u64);

/// What `run.toml` holds: written whenever the state is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunRecord {
    /// The form of this file; others are not read.
    pub(super) format: u32,
    /// Preset or file that it began as; one's own images where those are learned.
    pub(super) preset: String,
    /// When it began and when it was saved last, ms since 1970.
    pub(super) created: u64,
    pub(super) saved: u64,
    /// Images seen, and simulated time, ms.
    pub(super) images: u64,
    pub(super) time_ms: f64,
    /// Whether its weights learn.
    pub(super) learns: bool,
    /// What differs from the preset, as `m = 0 (4)`.
    pub(super) changes: Vec<String>,
}

/// A run as the list of them shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its folder's name.
    pub id: RunId,
    /// The name that a person has given it.
    pub name: Option<String>,
    /// Preset or file that it began as; one's own images where those are learned.
    pub preset: String,
    /// When it was saved last, ms since 1970.
    pub saved: u64,
    /// Images seen.
    pub images: u64,
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Whether its weights learn.
    pub learns: bool,
    /// What differs from the preset, as `m = 0 (4)`.
    pub changes: Vec<String>,
    /// Bytes of its folder.
    pub bytes: u64,
    /// Whether another window has it.
    pub is_elsewhere: bool,
    /// A picture of its filters or its posterior, `[THUMBNAIL, THUMBNAIL, 3]`; empty where there is none.
    #[serde(skip)]
    pub thumbnail: Arc<Vec<u8>>,
}

impl RunSummary {
    /// What it is called: by a person, else by its preset and number.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| match self.id.0.split_once('-') {
            Some((number, _)) => format!("{} {}", self.preset, number.trim_start_matches('0')),
            None => self.preset.clone(),
        })
    }
}

impl RunRecord {
    /// What a state says of its run.
    pub(super) fn of(state: &SessionState, created: u64, saved: u64) -> Self {
        Self {
            format: FORMAT,
            preset: state.config.data.own_images().unwrap_or_else(|| state.config.model.name.clone()),
            created,
            saved,
            images: state.config.learning.images_seen,
            time_ms: state.counters().time_ms,
            learns: state.config.learning.enabled && state.config.stimulus.steps_per_stimulus > 0,
            changes: changes(&state.config),
        }
    }
}

/// Parameters whose values are not those of the preset of the same name, after what else is learned, each as `symbol = value (preset's)`; nothing where there is no
/// such preset.
pub(super) fn changes(config: &Config) -> Vec<String> {
    let Ok(preset) = presets::by_name(&config.model.name) else { return Vec::new() };
    let mut changes = Vec::new();
    if config.data.source != preset.data.source || config.data.paths != preset.data.paths {
        let name = &config.model.name;
        changes.push(config.data.own_images().map_or_else(|| "other images".to_string(), |images| format!("{images} as {name}")));
    }
    if config.model.layers != preset.model.layers {
        changes.push("other layers".to_string());
    }
    for parameter in parameters::settings() {
        let [now, usual] = [config, &preset].map(|config| parameter.get(config));
        if now != usual {
            let name = if parameter.symbol.is_empty() { parameter.key } else { parameter.symbol };
            changes.push(format!("{name} = {now} ({usual})"));
        }
    }
    changes
}

/// The picture that stands for a state: its first filters, or the posterior of two latent units.
pub(super) fn thumbnail(state: &SessionState) -> image::RgbImage {
    let model = &state.model;
    let side = THUMBNAIL as u32;
    let drawn = match DensityGrid::posterior(model, state.first_stimulus(), 1.0, THUMBNAIL) {
        Some(grid) => {
            let top = grid.density.fold(f64::MIN_POSITIVE, |top, &p| top.max(p));
            image::RgbImage::from_fn(side, side, |x, y| {
                let p = grid.density[[THUMBNAIL - 1 - y as usize, x as usize]] / top;
                image::Rgb(mosaic::diverging(p as f32, Colours::usual(true)))
            })
        }
        None => {
            let weights = &model.weights[0];
            let count = weights.ncols().min(FILTERS * FILTERS);
            let layout = Layout::new(count, model.image_shape(), 1);
            mosaic::render(weights.view(), &Vec::from_iter(0..count), layout, Scale::PerFilter, Colours::usual(true))
        }
    };
    image::imageops::resize(&drawn, side, side, image::imageops::FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;

    #[test]
    fn what_ones_own_images_are_called_stands_first_among_the_changes() {
        let mut config = presets::by_name("dead-leaves").unwrap();
        assert!(changes(&config).is_empty());
        (config.data.source, config.data.paths) = (Source::Files, vec!["/pictures/forest.png".into(), "/pictures/sea.png".into()]);
        assert_eq!(config.data.own_images().as_deref(), Some("forest.png and 1 more"));
        assert_eq!(changes(&config)[0], "forest.png and 1 more as dead-leaves");
        config.data.source = Source::Photographs;
        assert_eq!((config.data.own_images(), changes(&config)[0].as_str()), (None, "other images"));
    }
}
