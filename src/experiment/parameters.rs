//! The parameters of a run, a row each in one table: what a value is called and shown as, which values are valid, and where it stands
//! in the configuration. Validation, the command line, sliders, tooltips and undo all read this table.

mod row;
mod table;

pub use row::{Choice, Domain, Effect, Parameter, UsualRange, Value};

use crate::experiment::config::Config;
use crate::experiment::config_error::ConfigError;
use table::TABLE;

/// Every parameter, table by table; sliders in the order in which they are shown.
pub fn all() -> &'static [Parameter] {
    TABLE
}

/// The parameter of this key.
pub fn find(key: &str) -> Option<&'static Parameter> {
    TABLE.iter().find(|parameter| parameter.key == key)
}

/// The parameter of this key or symbol, as `adaptation` or `m`.
pub fn find_named(name: &str) -> Option<&'static Parameter> {
    find(name).or_else(|| TABLE.iter().find(|parameter| parameter.symbol == name))
}

/// Keys of values that say how far a run has come, or on how many threads it runs, and not what it is.
const NO_SETTINGS: [&str; 4] = ["images_seen", "stage", "stage_since", "threads"];

/// The parameters that make a run what it is.
pub fn settings() -> impl Iterator<Item = &'static Parameter> {
    TABLE.iter().filter(|parameter| !NO_SETTINGS.contains(&parameter.key))
}

/// Sets the parameter of this key and returns its row. Errors name the key, and list the keys or name the range; then nothing changes.
pub fn assign(config: &mut Config, key: &str, value: Value) -> Result<&'static Parameter, ConfigError> {
    let known = || TABLE.iter().map(|parameter| parameter.key.into()).collect();
    let parameter = find(key).ok_or_else(|| ConfigError::unknown_key(key, known(), find_named(key).map(|parameter| parameter.key)))?;
    parameter.set(config, value)?;
    Ok(parameter)
}

/// Checks every parameter against its range.
pub fn check_all(config: &Config) -> Result<(), ConfigError> {
    TABLE.iter().try_for_each(|parameter| parameter.check(parameter.get(config)))
}

#[cfg(test)]
mod tests;
