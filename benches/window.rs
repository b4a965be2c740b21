//! One frame of every view: what the window's thread computes, down to the triangles.

#![allow(clippy::unwrap_used, missing_docs, reason = "a failed unwrap is a failed benchmark; criterion's macros write no documentation")]

use criterion::{Criterion, criterion_group, criterion_main};
use heescope::app::ViewKind;
use heescope::app::{App, Options};
use heescope::experiment::presets;
use std::time::{Duration, Instant};

fn views(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    group.measurement_time(Duration::from_secs(3));
    for kind in ViewKind::ALL {
        let preset = if matches!(kind, ViewKind::Posterior | ViewKind::Adaptation) { "ridge" } else { presets::DEFAULT };
        let mut config = presets::by_name(preset).unwrap();
        config.data.patches = 2000;
        let ctx = egui::Context::default();
        let mut app = App::start(&ctx, Options { config, view: Some(kind.name()), ..Default::default() }).unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            std::hint::black_box(app.compute_frame(&ctx, start.elapsed().as_secs_f64())); // histories fill
        }
        group.bench_function(kind.name(), |b| b.iter(|| app.compute_frame(&ctx, start.elapsed().as_secs_f64())));
    }
    // Four samplers of 64 chains each race at full speed.
    for preset in ["ridge", "ring"] {
        let (ctx, config) = (egui::Context::default(), presets::by_name(preset).unwrap());
        let options = Options { config, view: Some(ViewKind::Posterior.name()), full_speed: true, measure: true, ..Default::default() };
        let mut app = App::start(&ctx, options).unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(3) {
            std::hint::black_box(app.compute_frame(&ctx, start.elapsed().as_secs_f64()));
        }
        let race = app.state.latest.as_ref().and_then(|snapshot| snapshot.race.as_ref()).unwrap();
        assert!(race.racers.len() == 4 && race.chains == 64);
        group.bench_function(format!("race of four, {preset}"), |b| b.iter(|| app.compute_frame(&ctx, start.elapsed().as_secs_f64())));
    }
    group.finish();
}

criterion_group!(benches, views);
criterion_main!(benches);
