//! Every lesson is walked through without a window, and what it promises is measured.

use super::lesson::{Lesson, all};
use super::*;
use crate::app::gabor_fitter::{FitPriority, GaborFitter};
use crate::engine::Engine;
use crate::experiment::parameters::Value;
use std::time::{Duration, Instant};

/// Standard errors that measurement and theory may be apart, and the share of theory that the length of a step may add (model.md 2.10).
const APART: f64 = 4.0;
const OF_STEP: f64 = 0.02;

/// Goes through a lesson as its buttons do, at full speed and with what is `planted` besides, until what it measures is known well, or
/// nobody would wait longer.
fn walk(lesson: &Lesson, planted: &[(&'static str, Value)]) -> Measured {
    let engine = Engine::start(lesson.config().unwrap(), || {}).unwrap();
    let (mut state, mut fitter) = (ViewState::default(), GaborFitter::start(|| {}).unwrap());
    let mut take = |state: &mut ViewState| {
        if let Some(snapshot) = engine.take_snapshot() {
            fitter.offer(&snapshot, FitPriority::Visible);
            state.absorb(snapshot);
        }
        fitter.take().into_iter().for_each(|fits| state.take_fits(fits));
        std::thread::sleep(Duration::from_millis(2));
    };
    while state.latest.is_none() {
        take(&mut state);
    }
    assert!(engine.send(Command::SetPace(Pace::Full)));
    let (begin, mut measure) = (Instant::now(), None);
    for step in &lesson.steps {
        for (key, value) in step.values().into_iter().chain(planted.iter().copied()) {
            assert!(engine.send(Command::SetParameter { key, value }));
        }
        for command in step.commands(state.latest.as_ref().unwrap()) {
            assert!(engine.send(command));
        }
        while state.latest.as_ref().is_none_or(|snapshot| step.images.is_some_and(|wanted| snapshot.clock.images < wanted)) {
            take(&mut state);
            assert!(begin.elapsed() < Duration::from_secs(60), "{}: learning is slow", lesson.title);
        }
        measure = measure.or(step.measure);
    }
    let measure = measure.unwrap();
    loop {
        take(&mut state);
        let snapshot = state.latest.as_ref().unwrap();
        let are_set = lesson
            .steps
            .iter()
            .flat_map(Step::values)
            .all(|(key, value)| parameters::find(key).is_some_and(|parameter| parameter.get(&snapshot.config) == value));
        let found = measure.of(&state, snapshot).filter(|_| are_set);
        let is_known = |found: &Measured| match found.expected {
            Expected::Exactly(theory) => found.error > 0.0 && found.error <= wanted_error(measure) * theory.abs().max(1.0),
            Expected::AtLeast(least) => found.value >= least,
        };
        if let Some(found) = found.filter(is_known) {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{}: {found:?} is all that was found", lesson.title);
    }
}

/// The standard error, as a share of theory, from which a measurement counts.
fn wanted_error(measure: Measure) -> f64 {
    match measure {
        Measure::PosteriorCorrelation => 0.15, // chains change from arm to arm rarely
        Measure::SpeedUp => 0.1,
        _ => 0.025,
    }
}

#[test]
fn what_every_lesson_promises_is_measured() {
    for lesson in all() {
        let found = walk(lesson, &[]);
        match found.expected {
            Expected::Exactly(theory) => {
                let apart = (found.value - theory).abs();
                assert!(apart <= APART * found.error + OF_STEP * theory.abs(), "{}: {found:?}", lesson.title);
            }
            Expected::AtLeast(least) => assert!(found.value >= least, "{}: {found:?}", lesson.title),
        }
    }
}

#[test]
fn a_model_that_a_lesson_is_not_about_does_not_keep_its_promise() {
    // Planted: interneurons that are a fifth as slow as the neurons, with which another distribution is sampled than the posterior.
    let found = walk(&all()[0], &[("adaptation", Value::Number(0.0)), ("tau_eps_ms", Value::Number(20.0))]);
    let Expected::Exactly(theory) = found.expected else { panic!("perception has a closed form") };
    assert!((found.value - theory).abs() > APART * found.error + OF_STEP * theory, "{found:?}");
}
