//! The configuration as TOML: reading, writing, and setting one value as `--set key=value` does.

use crate::experiment::config::Config;
use crate::experiment::config_error::ConfigError;

/// Values of `[model]` that `--set` leaves alone: they are tables and matrices.
const NOT_SET_ALONE: [&str; 3] = ["layers", "weights", "deeper_weights"];

impl Config {
    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default() // every field is a plain value, which TOML can always hold
    }

    /// Reads TOML; an unknown key or a value of the wrong kind is named.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError::Toml(one_line(&e.to_string())))?;
        config.validate()?;
        Ok(config)
    }

    /// Sets `key=value`, the key a leaf's name or `table.leaf`. Errors list the keys, or name the range.
    pub fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let (key, value) = assignment.split_once('=').ok_or_else(|| ConfigError::Assignment(assignment.into()))?;
        let (key, value) = (key.trim(), value.trim());
        let mut tables = toml::Table::try_from(&*self).map_err(|e| ConfigError::Toml(one_line(&e.to_string())))?;
        let (table, leaf) = leaf_named(&tables, key)?;
        let Some(slot) = tables.get_mut(&table).and_then(|t| t.as_table_mut()).and_then(|t| t.get_mut(&leaf)) else { return Ok(()) };
        *slot = parsed_like(slot, &leaf, value)?;
        let refused = |e: toml::de::Error| ConfigError::Refused { key: leaf.clone(), value: value.into(), problem: one_line(e.message()) };
        let changed: Self = tables.try_into().map_err(refused)?;
        changed.validate()?;
        *self = changed;
        Ok(())
    }
}

/// Table and name of the one leaf that `key` names, alone or as `table.leaf`; the error lists the leaves.
fn leaf_named(tables: &toml::Table, key: &str) -> Result<(String, String), ConfigError> {
    let leaves: Vec<(&String, &String)> = tables
        .iter()
        .filter_map(|(table, content)| content.as_table().map(|content| (table, content)))
        .flat_map(|(table, content)| content.keys().map(move |leaf| (table, leaf)))
        .filter(|(_, leaf)| !NOT_SET_ALONE.contains(&leaf.as_str()))
        .collect();
    let wanted: Vec<_> = leaves.iter().filter(|(table, leaf)| key == *leaf || key == format!("{table}.{leaf}")).collect();
    match wanted[..] {
        [&(table, leaf)] => Ok((table.clone(), leaf.clone())),
        _ => Err(ConfigError::UnknownKey { key: key.into(), known: leaves.into_iter().map(|(_, leaf)| leaf.clone()).collect() }),
    }
}

/// `text` as a value of the kind that the leaf has now.
fn parsed_like(now: &toml::Value, leaf: &str, text: &str) -> Result<toml::Value, ConfigError> {
    let wrong = |needed: &str| ConfigError::WrongKind { key: leaf.into(), value: text.into(), needed: needed.into() };
    Ok(match now {
        toml::Value::Float(_) => toml::Value::Float(text.parse().map_err(|_| wrong("a number"))?),
        toml::Value::Integer(_) => toml::Value::Integer(text.parse().map_err(|_| wrong("a whole number of at least 0"))?),
        toml::Value::Boolean(_) => toml::Value::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
        toml::Value::String(_) => toml::Value::String(text.into()),
        _ => {
            let parsed: toml::Table = toml::from_str(&format!("v = {text}")).map_err(|_| wrong("a list like [1.0, 2.0]"))?;
            parsed.get("v").cloned().ok_or_else(|| wrong("a list"))?
        }
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn presets_survive_toml_and_leaves_can_be_set() {
        for preset in presets::all() {
            let config = preset.config();
            assert_eq!(Config::from_toml(&config.to_toml()).unwrap(), config, "{}", preset.name);
        }
        let mut config = presets::by_name("ridge").unwrap();
        for (set, expected) in
            [("tau_v_ms=12.5", true), ("interneuron_mode=exact", true), ("stimulus.batch=7", true), ("values=[0.5]", true)]
        {
            assert_eq!(config.set(set).is_ok(), expected, "{set}: {:?}", config.set(set));
        }
        assert_eq!((config.dynamics.tau_v_ms, config.stimulus.batch), (12.5, 7));
        for (set, part) in
            [("nonsense=1", "tau_x_ms"), ("tau_x_ms=-3", "out of range"), ("interneurons=2.5", "whole"), ("governor=maybe", "auto")]
        {
            let before = config.clone();
            let error = config.set(set).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{set}: {error}");
            assert_eq!(config, before);
        }
        assert!(presets::by_name("x").unwrap_err().to_string().contains("dead-leaves"));
    }
}
