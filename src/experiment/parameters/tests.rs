use super::*;
use crate::experiment::Governor;
use crate::experiment::presets;
use std::collections::{BTreeMap, BTreeSet};

/// Every leaf of the default configuration's TOML that is no list, as (table, key) and value, without the model's name.
fn leaves() -> BTreeMap<(String, String), toml::Value> {
    let tables = toml::Table::try_from(Config::default()).unwrap();
    let mut leaves = BTreeMap::new();
    for (table, content) in &tables {
        for (key, value) in content.as_table().into_iter().flatten() {
            if !value.is_array() && (table.as_str(), key.as_str()) != ("model", "name") {
                leaves.insert((table.clone(), key.clone()), value.clone());
            }
        }
    }
    leaves
}

#[test]
fn every_leaf_of_the_configuration_has_a_row_and_every_row_a_leaf() {
    let rows: BTreeSet<_> = all().iter().map(|p| (p.table.to_string(), p.key.to_string())).collect();
    let leaves = leaves();
    assert_eq!(rows.iter().collect::<Vec<_>>(), leaves.keys().collect::<Vec<_>>());
    assert_eq!(rows.len(), all().len(), "no row stands twice");
    assert_eq!(all().iter().map(|p| p.key).collect::<BTreeSet<_>>().len(), all().len(), "a key alone names its row");
    for parameter in all() {
        let leaf = &leaves[&(parameter.table.to_string(), parameter.key.to_string())];
        let shown = match (parameter.get(&Config::default()), leaf) {
            (Value::Number(a), toml::Value::Float(b)) => a == *b,
            (Value::Whole(a), toml::Value::Integer(b)) => a == *b as u64,
            (Value::Switch(a), toml::Value::Boolean(b)) => a == *b,
            (Value::Choice(a), toml::Value::String(b)) => a == b,
            _ => false,
        };
        assert!(shown, "{}: {:?} in TOML, {:?} in the table", parameter.key, leaf, parameter.get(&Config::default()));
    }
}

/// Some valid values of a row, its ends among them.
fn some_values(parameter: &Parameter) -> Vec<Value> {
    match parameter.domain {
        Domain::Number { low, high } => vec![Value::Number(low), Value::Number(0.5 * (low + high)), Value::Number(high)],
        Domain::Whole { low, high } => vec![Value::Whole(low), Value::Whole(low + 1), Value::Whole(high)],
        Domain::Switch => vec![Value::Switch(false), Value::Switch(true)],
        Domain::Choice(names) => names.iter().map(|name| Value::Choice(name)).collect(),
    }
}

#[test]
fn values_come_back_as_they_were_set_and_toml_calls_them_the_same() {
    for parameter in all() {
        for value in some_values(parameter) {
            let mut config = Config::default();
            parameter.set(&mut config, value).unwrap();
            assert_eq!(parameter.get(&config), value, "{}", parameter.key);
            assert_eq!(parameter.parse(&value.to_string()), Ok(value), "{}", parameter.key);
            // Nothing else has changed.
            parameter.set(&mut config, parameter.get(&Config::default())).unwrap();
            assert_eq!(config, Config::default(), "{}", parameter.key);
            // The command line sets the same value under the same key, unless another value forbids it.
            let mut by_text = Config::default();
            if by_text.set(&format!("{}={value}", parameter.key)).is_ok() {
                assert_eq!(parameter.get(&by_text), value, "{}", parameter.key);
            } else {
                assert!(["burn_in_steps", "descent_steps", "steps_per_stimulus"].contains(&parameter.key), "{} = {value}", parameter.key);
            }
        }
    }
}

/// Values beyond either end of a row's range.
fn outside(parameter: &Parameter) -> Vec<Value> {
    match parameter.domain {
        Domain::Number { low, high } => vec![Value::Number(low - 1.0), Value::Number(2.0 * high), Value::Number(f64::NAN)],
        Domain::Whole { low, high } => {
            let below = low.checked_sub(1).map(Value::Whole);
            let above = high.checked_add(1).map(Value::Whole);
            below.into_iter().chain(above).collect()
        }
        Domain::Switch | Domain::Choice(_) => Vec::new(),
    }
}

#[test]
fn what_is_out_of_range_is_refused_everywhere_in_the_same_words() {
    let mut refused = 0;
    // Values that others bound are given room: only a row's own range is looked at here.
    let mut roomy = Config::default();
    (roomy.stimulus.first_visit_steps, roomy.stimulus.steps_per_stimulus) = (100_000, 0);
    for parameter in all() {
        for value in outside(parameter) {
            let expected = format!("{} = {value} is out of range: {}", parameter.key, parameter.range());
            let mut config = roomy.clone();
            (parameter.set)(&mut config, value); // past the check
            // The steps at a first visit are named by the ones that must lie within them.
            if parameter.key != "descent_steps" {
                assert_eq!(config.validate().unwrap_err().to_string(), expected);
                let by_text = roomy.clone().set(&format!("{}={value}", parameter.key)).unwrap_err();
                assert_eq!(by_text.to_string(), expected);
            }
            let mut config = roomy.clone();
            let error = assign(&mut config, parameter.key, value).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(matches!(error, ConfigError::OutOfRange { key, .. } if key == parameter.key));
            assert_eq!(config, roomy, "nothing has changed");
            refused += 1;
        }
    }
    assert!(refused > 40, "{refused}");
    let error = assign(&mut roomy, "adaptation", Value::Whole(3)).unwrap_err();
    assert_eq!(error.to_string(), "adaptation = 3: a number is needed");
    assert!(matches!(assign(&mut roomy, "nonsense", Value::Whole(3)), Err(ConfigError::UnknownKey { .. })));
}

#[test]
fn sliders_lie_within_the_valid_ranges_and_hold_the_presets() {
    let sliders: Vec<_> = all().iter().filter_map(|parameter| parameter.usual.map(|usual| (parameter, usual))).collect();
    assert_eq!(sliders.iter().map(|(p, _)| p.symbol).collect::<Vec<_>>(), ["tau_x", "tau_eps", "tau_v", "m", "K", "dt", "theta", "lr"]);
    for (parameter, UsualRange { low, high, logarithmic }) in sliders {
        assert!(low < high && (!logarithmic || low > 0.0), "{}", parameter.key);
        for end in [low, high] {
            let value = parameter.nearest(end).unwrap();
            assert!(parameter.check(value).is_ok() && value.to_string() == end.to_string(), "{} = {end}", parameter.key);
        }
        for preset in presets::all() {
            let number = parameter.number(&preset.config()).unwrap();
            assert!((low..=high).contains(&number), "{}: {} = {number}", preset.name, parameter.key);
        }
        assert!(!parameter.meaning.is_empty() && parameter.equation.starts_with("model.md "), "{}", parameter.key);
        assert_eq!(parameter.effect, Effect::InFlight, "{}", parameter.key);
    }
    let m = find_named("m").unwrap();
    assert_eq!([m.nearest(-3.0), m.nearest(1e9), m.nearest(f64::NAN)], [Some(Value::Number(0.0)), Some(Value::Number(1e4)), None]);
    assert_eq!([m.nearest(50.0), find("interneurons").unwrap().nearest(2.6)], [Some(Value::Number(50.0)), Some(Value::Whole(3))]);
}

#[test]
fn a_change_reads_as_it_is_shown() {
    let change = |key: &str, from, to| find(key).unwrap().change(from, to);
    assert_eq!(change("tau_v_ms", Value::Number(30.0), Value::Number(60.0)), "tau_v 30 ms -> 60 ms");
    assert_eq!(change("interneurons", Value::Whole(1), Value::Whole(4)), "K 1 -> 4");
    assert_eq!(change("governor", Governor::Auto.into(), Governor::Manual.into()), "step size auto -> manual");
}
