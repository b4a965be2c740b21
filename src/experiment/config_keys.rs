//! The keys of a configuration's TOML: those that there are, the one that was meant, and values of the parameters before they are taken
//! in, so that a file is answered in the same words as `--set`.

use crate::experiment::config::Config;
use crate::experiment::config_error::ConfigError;
use crate::experiment::parameters::{self, Domain, Parameter};
use toml::de::{DeTable, DeValue};

/// Keys of a layer beside the parameters of its family.
const LAYER: [&str; 5] = ["size", "family", "activation", "bias", "learned_sigma"];
/// Families with their parameters.
const FAMILIES: [(&str, &[&str]); 10] = [
    ("gaussian", &["sigma"]),
    ("rectified-gaussian", &["sigma"]),
    ("continuous-bernoulli", &[]),
    ("bernoulli", &[]),
    ("binomial", &["trials"]),
    ("categorical", &[]),
    ("laplace-scale", &["eta_max", "delta"]),
    ("exponential", &[]),
    ("laplace", &["lambda", "delta", "kappa"]),
    ("student-t", &["nu", "s", "kappa"]),
];
/// Keys of a stage.
const STAGE: [&str; 11] =
    ["name", "images", "open", "learn", "lr", "lr_end", "biases", "unit_norm", "largest_norm", "states", "start_weights"];

/// Tables of a configuration, each with its keys.
pub(super) fn tables() -> Vec<(String, Vec<String>)> {
    let all = toml::Table::try_from(Config::default()).unwrap_or_default(); // every field is a plain value, which TOML can hold
    let keys = |table: &toml::Value| table.as_table().map(|table| table.keys().cloned().collect()).unwrap_or_default();
    all.iter().map(|(name, table)| (name.clone(), keys(table))).collect()
}

/// Checks every key of `root`, which `text` was parsed to, and every parameter's value. The error names the line or the key.
pub(super) fn check(root: &DeTable, text: &str) -> Result<(), ConfigError> {
    let tables = tables();
    let names: Vec<&str> = tables.iter().map(|(name, _)| name.as_str()).chain(["stages"]).collect();
    let document = Document { text, tables: &tables };
    document.known(root, "the configuration", &names)?;
    for (name, keys) in &tables {
        let Some(table) = child(root, name) else { continue };
        document.known(table, &format!("[{name}]"), &keys.iter().map(String::as_str).collect::<Vec<_>>())?;
        for parameter in parameters::all().iter().filter(|parameter| parameter.table == name) {
            if let Some(value) = table.get(parameter.key) {
                check_value(parameter, value.get_ref())?;
            }
        }
    }
    for layer in child(root, "model").into_iter().flat_map(|model| children(model, "layers")) {
        let family = layer.get("family").and_then(|family| family.get_ref().as_str()).unwrap_or_default();
        let own = FAMILIES.iter().find(|(name, _)| *name == family);
        let parameters = || FAMILIES.iter().filter(|other| own.is_none_or(|own| own == *other)).flat_map(|(_, keys)| keys.iter().copied());
        let place = if own.is_some() { format!("a layer of the family {family}") } else { "[[model.layers]]".into() };
        document.known(layer, &place, &LAYER.into_iter().chain(parameters()).collect::<Vec<_>>())?;
    }
    children(root, "stages").try_for_each(|stage| document.known(stage, "[[stages]]", &STAGE))
}

fn child<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    table.get(key).and_then(|value| value.get_ref().as_table())
}

/// The tables of an array of tables.
fn children<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> impl Iterator<Item = &'a DeTable<'i>> {
    let array = table.get(key).and_then(|value| value.get_ref().as_array());
    array.into_iter().flat_map(|array| array.iter()).filter_map(|value| value.get_ref().as_table())
}

struct Document<'a> {
    text: &'a str,
    tables: &'a [(String, Vec<String>)],
}

impl Document<'_> {
    /// Whether every key of a table is one of these; the error names the line, the place and the key that was meant.
    fn known(&self, table: &DeTable, place: &str, keys: &[&str]) -> Result<(), ConfigError> {
        let Some((key, _)) = table.iter().find(|(key, _)| !keys.contains(&key.get_ref().as_ref())) else { return Ok(()) };
        let name = key.get_ref().as_ref();
        let home = self.tables.iter().find(|(_, keys)| keys.iter().any(|known| known == name)).map(|(home, _)| home.clone());
        Err(ConfigError::UnknownKeyIn {
            line: line(self.text, key.span().start),
            key: name.into(),
            place: place.into(),
            home,
            known: keys.iter().map(ToString::to_string).collect(),
        })
    }
}

/// Number of the line in which a byte stands, from 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count()
}

/// Whether a parameter can have a value of TOML.
fn check_value(parameter: &Parameter, value: &DeValue) -> Result<(), ConfigError> {
    let text = match (parameter.domain, value) {
        (Domain::Number { .. } | Domain::Whole { .. }, DeValue::Integer(number)) => match number.radix() {
            10 => number.as_str().to_string(),
            radix => u64::from_str_radix(number.as_str(), radix).map_or_else(|_| number.to_string(), |number| number.to_string()),
        },
        (Domain::Number { .. }, DeValue::Float(number)) => number.as_str().to_string(),
        // What TOML has no integer for is written as text.
        (Domain::Whole { high, .. }, DeValue::String(text)) if i64::try_from(high).is_err() => text.to_string(),
        (Domain::Choice(_), DeValue::String(text)) => text.to_string(),
        (Domain::Switch, DeValue::Boolean(on)) => on.to_string(),
        (_, other) => return Err(parameter.wrong_kind(brief(other))),
    };
    parameter.parse(&text).and_then(|value| parameter.check(value))
}

/// A value in words, for a message.
fn brief(value: &DeValue) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::config::LayerConfig;
    use crate::experiment::stages::StageConfig;

    fn keys_of(value: impl serde::Serialize) -> Vec<String> {
        let mut keys: Vec<String> = toml::Table::try_from(value).unwrap().keys().cloned().collect();
        keys.sort();
        keys
    }

    fn sorted(keys: impl IntoIterator<Item = &'static str>) -> Vec<String> {
        let mut keys: Vec<String> = keys.into_iter().map(String::from).collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_keys_of_layers_and_stages_are_those_that_are_written() {
        for (family, parameters) in FAMILIES {
            let values: String = parameters.iter().map(|key| format!("{key} = {}\n", if *key == "trials" { "1" } else { "1.0" })).collect();
            let text = format!("size = 2\nfamily = \"{family}\"\nbias = 1.0\nlearned_sigma = true\n{values}");
            let layer: LayerConfig = toml::from_str(&text).unwrap();
            assert_eq!(keys_of(layer), sorted(LAYER.into_iter().chain(parameters.iter().copied())), "{family}");
        }
        let unknown = toml::from_str::<LayerConfig>("size = 1\nfamily = \"x\"").unwrap_err().to_string();
        assert!(FAMILIES.iter().all(|(family, _)| unknown.contains(&format!("`{family}`"))), "{unknown}");
        assert_eq!(unknown.matches("`").count() / 2, 1 + FAMILIES.len(), "every family stands in the list: {unknown}");
        let stage = StageConfig {
            name: "s".into(),
            images: 1,
            active_layers: 1,
            learn: vec![0],
            lr: 0.1,
            lr_end: 0.1,
            biases: true,
            unit_norm: true,
            largest_norm: 1.0,
            states: 1,
            start_weights: 1.0,
        };
        assert_eq!(keys_of(stage), sorted(STAGE));
    }

    #[test]
    fn a_key_that_nobody_knows_is_named_with_its_line_and_the_one_that_was_meant() {
        for (text, parts) in [
            ("[dynamics]\ntau_x = 3.0\n", &["line 2: unknown key 'tau_x' in [dynamics]", "did you mean 'tau_x_ms'?", "tau_eps_ms"][..]),
            ("[dynamics]\n\nlr = 0.1\n", &["line 3", "'lr'", "it belongs to [learning]"]),
            ("[dynamic]\ndt_ms = 1.0\n", &["line 1", "'dynamic' in the configuration", "did you mean 'dynamics'?"]),
            ("[[model.layers]]\nsize = 1\nfamily = \"gaussian\"\nsigma = 1.0\nlambda = 2.0\n", &["line 5", "'lambda'", "family gaussian"]),
            ("[[model.layers]]\nsize = 1\nfamily = \"bernoulli\"\nsigma = 1.0\n", &["'sigma' in a layer of the family bernoulli"]),
            ("[[stages]]\nname = \"a\"\nopen = 1\nlearn = []\nlr = 0.1\nbiasses = true\n", &["line 6", "'biasses'", "'biases'"]),
            ("[dynamics]\n\"\\u001b[31m\" = 1\n", &["'\\u{1b}[31m'"]),
        ] {
            let error = Config::from_toml(text).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)) && !error.contains(['\n', '\u{1b}']), "{text}: {error}");
        }
        let long = format!("[dynamics]\n{} = 1\n", "x".repeat(3_000_000));
        assert!(Config::from_toml(&long).unwrap_err().to_string().len() < 1000);
    }

    #[test]
    fn values_in_a_file_are_refused_in_the_words_of_set() {
        for (table, key, toml, set) in [
            ("dynamics", "dt_ms", "-1", "-1"),
            ("dynamics", "dt_ms", "nan", "nan"),
            ("dynamics", "dt_ms", "true", "true"),
            ("dynamics", "interneurons", "0x2711", "10001"),
            ("dynamics", "interneurons", "-3", "-3"),
            ("dynamics", "seed", "18446744073709551616", "18446744073709551616"),
            ("dynamics", "seed", "\"18446744073709551616\"", "18446744073709551616"),
            ("dynamics", "seed", "1e300", "1e300"),
            ("learning", "images_seen", "9223372036854775808", "9223372036854775808"),
            ("dynamics", "governor", "\"maybe\"", "maybe"),
            ("stimulus", "batch", "2.5", "2.5"),
        ] {
            let by_file = Config::from_toml(&format!("[{table}]\n{key} = {toml}\n")).unwrap_err().to_string();
            assert_eq!(by_file, Config::default().set(&format!("{key}={set}")).unwrap_err().to_string(), "{key} = {toml}");
            assert!(by_file.starts_with(&format!("{key} = ")), "{by_file}");
        }
        for (key, toml) in [("dt_ms", "\"1.0\""), ("batch", "\"7\""), ("seed", "[1]"), ("dt_ms", "1979-05-27"), ("enabled", "1")] {
            let table = parameters::find(key).unwrap().table;
            let error = Config::from_toml(&format!("[{table}]\n{key} = {toml}\n")).unwrap_err();
            assert!(matches!(&error, ConfigError::WrongKind { key: named, .. } if named == key), "{error}");
        }
    }

    #[test]
    fn a_seed_of_any_64_bits_is_the_same_everywhere() {
        for seed in [0, 7, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let mut config = Config::default();
            config.set(&format!("seed={seed}")).unwrap();
            assert_eq!(config.dynamics.seed, seed);
            config.set("batch=3").unwrap();
            assert_eq!(config.dynamics.seed, seed, "other values leave it");
            let text = config.to_toml();
            assert_eq!(Config::from_toml(&text).unwrap(), config, "{text}");
            // Readers of TOML that know larger integers may write them.
            assert_eq!(Config::from_toml(&format!("[dynamics]\nseed = {seed}\n")).unwrap().dynamics.seed, seed);
            assert_eq!(config.set("seed=5").map(|()| config.dynamics.seed), Ok(5));
        }
    }
}
