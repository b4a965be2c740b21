//! The table of parameters from outside: what the engine is sent obeys the same ranges as every other way in.

use heescope::engine::{Command, Engine, Event};
use heescope::experiment::parameters::{self, Domain, Effect, Value};
use heescope::experiment::presets;
use std::time::{Duration, Instant};

/// The next failure that the engine reports; fails after 20 s.
fn failure(engine: &Engine) -> String {
    let start = Instant::now();
    loop {
        if let Some(text) = engine.events().into_iter().find_map(|event| if let Event::Failed(text) = event { Some(text) } else { None }) {
            return text;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_engine_refuses_what_validation_refuses_in_the_same_words() {
    let config = presets::by_name("ridge").unwrap();
    let engine = Engine::start(config.clone(), || {}).unwrap();
    let mut refused = 0;
    for parameter in parameters::all() {
        let value = match parameter.domain {
            Domain::Number { high, .. } => Value::Number(2.0 * high),
            Domain::Whole { high, .. } if high < i64::MAX as u64 => Value::Whole(high + 1),
            _ => continue,
        };
        assert!(engine.send(Command::SetParameter { key: parameter.key, value }));
        let text = failure(&engine);
        assert_eq!(text, format!("{} = {value} is out of range: {}", parameter.key, parameter.range()));
        if parameter.key != "descent_steps" {
            let by_text = config.clone().set(&format!("{}={value}", parameter.key)).unwrap_err();
            assert_eq!(text, by_text.to_string());
        }
        refused += 1;
    }
    assert_eq!(refused, 21, "every parameter that has an upper end");
    assert!(engine.send(Command::SetParameter { key: "nonsense", value: Value::Whole(1) }));
    assert!(failure(&engine).contains("tau_eps_ms"), "an unknown key lists the keys");
}

#[test]
fn a_parameter_that_rebuilds_builds_a_new_model() {
    let seed = parameters::find("seed").unwrap();
    assert_eq!(seed.effect, Effect::Rebuild);
    let engine = Engine::start(presets::by_name("ridge").unwrap(), || {}).unwrap();
    assert!(engine.send(Command::SetParameter { key: "seed", value: Value::Whole(5) }));
    let start = Instant::now();
    while engine.take_snapshot().is_none_or(|snapshot| snapshot.config.dynamics.seed != 5) {
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        std::thread::sleep(Duration::from_millis(1));
    }
}
