//! Whether a configuration can be run: every value within its range, and values that depend on each other.

use crate::experiment::config::{Config, ModelConfig, StimulusConfig};
use crate::experiment::config_error::ConfigError;
use crate::experiment::{parameters, stages};

/// Units that a layer has at most.
pub(super) const MOST_UNITS: usize = 16_384;

impl Config {
    /// Checks every value's range; the error names the key, the value and the range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.stimulus.descent_within_first_visit()?;
        parameters::check_all(self)?;
        self.stimulus.burn_in_within_presentation()?;
        self.lists()?;
        let sizes: Vec<usize> = self.model.layers.iter().map(|layer| layer.size).collect();
        stages::validate(&self.stages, &sizes)?;
        if let (stage, Some(last)) = (self.learning.stage, self.stages.len().checked_sub(1))
            && stage > last
        {
            return Err(ConfigError::out_of_range("stage", stage, format!("0 to {last}, the stages that there are")));
        }
        self.model.image_of_layer_0()?;
        match sizes.into_iter().find(|size| !(1..=MOST_UNITS).contains(size)) {
            Some(size) => Err(ConfigError::out_of_range("size", size, format!("1 to {MOST_UNITS}"))),
            None => Ok(()),
        }
    }

    /// Lists hold what can be computed with and written down.
    fn lists(&self) -> Result<(), ConfigError> {
        finite("values", &self.stimulus.values)?;
        self.model.weights.iter().try_for_each(|row| finite("weights", row))?;
        self.model.deeper_weights.iter().flatten().try_for_each(|row| finite("deeper_weights", row))?;
        match self.data.paths.iter().find(|path| path.to_str().is_none()) {
            Some(path) => Err(ConfigError::Refused {
                key: "paths".into(),
                value: path.display().to_string(),
                problem: "the name is not UTF-8, and could not be written down with the model".into(),
            }),
            None => Ok(()),
        }
    }
}

fn finite(list: &str, numbers: &[f32]) -> Result<(), ConfigError> {
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(number) => Err(ConfigError::NotFinite { list: list.into(), number, value: numbers[number] }),
        None => Ok(()),
    }
}

impl ModelConfig {
    /// The image that layer 0 is said to observe has as many pixels as it has units.
    fn image_of_layer_0(&self) -> Result<(), ConfigError> {
        let (Some([rows, columns]), Some(layer)) = (self.image_shape, self.layers.first()) else { return Ok(()) };
        if rows.checked_mul(columns) != Some(layer.size) {
            let problem = format!("layer 0 has {} units: rows times columns must be as many", layer.size);
            return Err(ConfigError::Refused { key: "image_shape".into(), value: format!("[{rows}, {columns}]"), problem });
        }
        Ok(())
    }
}

impl StimulusConfig {
    /// The descent is the beginning of the steps at a first visit.
    fn descent_within_first_visit(&self) -> Result<(), ConfigError> {
        if self.descent_steps > self.first_visit_steps {
            return Err(ConfigError::out_of_range("descent_steps", self.descent_steps, format!("0 to {}", self.first_visit_steps)));
        }
        Ok(())
    }

    /// Some steps of a presentation are left to learn from.
    fn burn_in_within_presentation(&self) -> Result<(), ConfigError> {
        if self.steps_per_stimulus > 0 && self.burn_in_steps >= self.steps_per_stimulus {
            let range = format!("it must be below steps_per_stimulus = {}", self.steps_per_stimulus);
            return Err(ConfigError::out_of_range("burn_in_steps", self.burn_in_steps, range));
        }
        Ok(())
    }
}
