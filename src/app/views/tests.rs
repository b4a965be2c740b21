//! Every view drawn from snapshots that no engine has made: those of a model at work, and those with values that nobody expects.

use super::{ViewKind, registry};
use crate::analysis::gabor::Gabor;
use crate::analysis::groups::Group;
use crate::app::gabor_fitter::Fits;
use crate::app::state::ViewState;
use crate::app::widgets::figure;
use crate::engine::{
    GenerationState, InterneuronSample, LearningPoint, LikelihoodState, Measuring, RaceState, RacerState, Snapshot, SnapshotIncrement,
    TraceSample, TuningState, Watch,
};
use crate::experiment::session::Completed;
use crate::experiment::{Config, presets};
use crate::export::images::Tone;
use crate::export::mosaic::Layout;
use crate::studies::fits;
use crate::studies::generation::Mode;
use crate::studies::generation::comparison::{ModeResult, SMALLEST_PICTURE, Settings};
use crate::studies::likelihood::LikelihoodPoint;
use crate::studies::race::SamplerConfig;
use crate::studies::tuning::{Protocol, Responses, UnitTuning};
use ndarray::{Array2, Array4};
use std::sync::Arc;

/// Networks in what is made up.
const NETWORKS: usize = 12;

/// A snapshot of a model at work whose numbers all come from `value`, given a count.
pub(in crate::app) fn at_work(config: Config, value: fn(usize) -> f32) -> Snapshot {
    let mut snapshot = Snapshot::synthetic(config);
    let values = |n: usize| (0..n).map(value).collect::<Vec<f32>>();
    let state = &mut snapshot.state;
    for weights in &mut state.weights {
        *weights = Arc::new(Array2::from_shape_fn(weights.dim(), |(i, j)| value(i + 7 * j)));
    }
    state.states.iter_mut().for_each(|x| *x = values(x.len()));
    state.activity = values(state.activity.len());
    let observed = state.stimulus.stimulus.len();
    (state.stimulus.stimulus, state.stimulus.reconstruction) = (values(observed), values(observed));
    state.stimulus.completed = (observed > 1).then(|| Completed {
        free: (0..observed).map(|i| i % 3 == 0).collect(),
        mean: values(observed),
        spread: values(observed),
        steps: 30,
        networks: NETWORKS,
        samples: vec![values(observed); 6],
        expected: vec![values(observed); 6],
    });
    (state.clock.running, state.clock.steps, state.clock.time_ms, state.clock.images) = (true, 500, 500.0, 900);
    (state.governor.dt_ms, state.governor.limit_ms) = (1.0, 2.0);
    let racer = |adaptation: f64| RacerState {
        config: SamplerConfig { adaptation, ..SamplerConfig::of(&state.config.dynamics) },
        trail: (0..20).map(|step| (0..NETWORKS).map(|k| [value(step + k), value(step + 3 * k)]).collect()).collect(),
        path: (0..200).map(|step| [value(step), value(3 * step)]).collect(),
        visits: Array2::from_shape_fn((16, 16), |(i, j)| (i * j) as u32),
        visited: 14_400,
        distance: (1..9).map(|i| [f64::from(i), f64::from(value(i as usize)).abs()]).collect(),
        theory_ms: Some([3.0, f64::from(value(3))]),
        floor: Some(0.03 + 0.01 * adaptation),
        mixing: None,
    };
    let racers = vec![racer(0.0), racer(2.0)];
    let race =
        RaceState { racers, window: [[-2.0, 2.0]; 2], common_start: true, time_ms: 20.0, dt_ms: 1.0, tau_x_ms: 50.0, chains: NETWORKS };
    let race = (state.activity.len() > 1 && state.exact_stimulus()).then_some(race);
    state.race = race;
    snapshot.state.tuning = responses(&snapshot, value).map(Arc::new);
    snapshot.state.generation = generated(&snapshot, value).map(Arc::new);
    snapshot.state.likelihood = Some(Arc::new(likelihood(value)));
    snapshot.increment = recorded(&snapshot, value);
    snapshot
}

/// The likelihood over learning.
fn likelihood(value: fn(usize) -> f32) -> LikelihoodState {
    let point = |i: u64| {
        let value = f64::from(value(i as usize));
        LikelihoodPoint { images: 100 * i, mean: value, error: value, estimation_error: value, effective_runs: value }
    };
    LikelihoodState { on: true, of: "50 held-out images".into(), points: (0..8).map(point).collect(), problem: None }
}

/// What was recorded of such a model.
fn recorded(snapshot: &Snapshot, value: fn(usize) -> f32) -> SnapshotIncrement {
    let traced = snapshot.watch.trace_units.len();
    let below = snapshot.states.get(snapshot.watch.trace_layer - 1).map_or(0, Vec::len);
    let trace = |unit: usize| {
        let sample =
            |i: usize| TraceSample { time_ms: i as f64, x: value(i + unit), v: value(i), likelihood: value(2 * i), prior: value(3 * i) };
        (0..500).map(sample).collect::<Vec<_>>()
    };
    let told = |i: usize| InterneuronSample { time_ms: i as f64, observed: value(i), sampled: value(i + 1), exact: value(i + 2) };
    let point = |i: u64| {
        let value = value(i as usize);
        LearningPoint { images: 100 * i, residual_variance: value, sigma2: value, weight_change: value, ..LearningPoint::default() }
    };
    SnapshotIncrement {
        traces: (0..traced).map(trace).collect(),
        interneurons: vec![(0..500).map(told).collect(); traced],
        raster: (0..30).map(|step| (0..below).map(|unit| value(step + unit)).collect()).collect(),
        pairs: (0..60).map(|step| (0..NETWORKS).map(|k| [value(step + k), value(step * k)]).collect()).collect(),
        learning: (0..8).map(point).collect(),
    }
}

/// Fits of the filters of a model that has square ones.
pub(in crate::app) fn fitted(snapshot: &Snapshot, value: fn(usize) -> f32) -> Option<Fits> {
    let weights = snapshot.weights.first()?;
    let shape = fits::patch(snapshot.image_shape())?;
    let fit = |unit: usize| {
        let value = f64::from(value(unit));
        Gabor { frequency: 0.2 * value, widths: [1.5 * value; 2], centre: [3.0 * value; 2], r2: value.abs(), ..Gabor::default() }
    };
    let groups = vec![Group::default(); snapshot.weights.get(1).map_or(0, |w| w.ncols())];
    let gabors = (0..weights.ncols()).map(fit).collect::<Vec<_>>().into();
    Some(Fits { of: snapshot.version(), images: 900, shape, gabors, groups: groups.into() })
}

/// Responses of the first layer to gratings.
fn responses(snapshot: &Snapshot, value: fn(usize) -> f32) -> Option<TuningState> {
    let weights = snapshot.weights.first()?;
    let (picture, units) = (fits::patch(snapshot.image_shape())?, weights.ncols());
    let protocol = Protocol::default();
    let shape = (protocol.orientations, protocol.frequencies.len(), protocol.phases, units);
    let rate = Array4::from_shape_fn(shape, |(a, b, c, d)| value(a + b + c + d));
    let tuned = UnitTuning {
        by_orientation: (0..protocol.orientations).map(|i| [f64::from(value(i)); 2]).collect(),
        by_phase: (0..protocol.phases).map(|i| f64::from(value(i))).collect(),
        modulation: Some(f64::from(value(1))),
        ..UnitTuning::default()
    };
    let contrast = Array2::from_shape_fn((units, protocol.contrasts.len()), |(i, j)| value(i + j));
    let (blank, units) = (vec![0.0; units], vec![tuned; units]);
    let responses = Responses { protocol, layer: 1, shape: picture, blank, spread: rate.clone(), rate, contrast, units };
    let of = snapshot.version();
    Some(TuningState { of, layer: 1, progress: (1, 1), ended: true, responses: Some(Arc::new(responses)) })
}

/// Images generated from a model of pictures.
fn generated(snapshot: &Snapshot, value: fn(usize) -> f32) -> Option<GenerationState> {
    let observed = snapshot.stimulus.stimulus.len();
    let images = || Array2::from_shape_fn((9, observed), |(i, j)| value(i + j));
    let of_mode = |mode: Mode| {
        Arc::new(ModeResult {
            mode,
            samples: images(),
            means: images(),
            latents: snapshot.states[1..].iter().map(|x| Array2::from_shape_fn((9, x.len()), |(i, j)| value(i + j))).collect(),
            steps: 40,
            seconds: 0.5,
            distances: Vec::new(),
            shares: None,
            renewed: Vec::new(),
            gains: vec![0.5; snapshot.weights.len()],
            gains_over_steps: Vec::new(),
            broken: None,
        })
    };
    (observed >= SMALLEST_PICTURE).then(|| GenerationState {
        model_id: snapshot.model_id,
        version: snapshot.version(),
        images: 900,
        settings: Settings::default(),
        shape: snapshot.image_shape(),
        tone: Tone::Grey,
        modes: Mode::ALL.into_iter().map(of_mode).collect(),
        measuring: Measuring::Missing("it was made up".into()),
        prototypes: None,
        paused: false,
        following: true,
        film: None,
    })
}

/// Draws a view twice (there are no fonts in the first frame) and asks for its numbers; answers how many shapes it has drawn.
fn shapes(kind: ViewKind, state: &ViewState, ctx: &egui::Context, [width, height]: [f32; 2]) -> usize {
    let mut view = registry::create(kind);
    let snapshot = state.latest.as_ref().unwrap();
    let mut drawn = 0;
    for _ in 0..2 {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, height));
        let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
        let mut output = ctx.run_ui(input, |ui| {
            egui::CentralPanel::default().show(ui, |ui| view.ui(ui, state, snapshot, &mut Vec::new()));
        });
        output.textures_delta.clear();
        drawn = output.shapes.iter().filter(|shape| !matches!(shape.shape, egui::Shape::Noop)).count();
    }
    let _ = (view.table(state, snapshot), view.figure_table("", state, snapshot), view.fit_priority());
    drawn
}

pub(in crate::app) fn taken_in(snapshot: Snapshot, fits: Option<Fits>) -> ViewState {
    let mut state = ViewState::default();
    state.absorb(Box::new(snapshot));
    fits.into_iter().for_each(|fits| state.take_fits(fits));
    state
}

pub(in crate::app) fn wave(i: usize) -> f32 {
    (0.7 * i as f32).sin()
}

#[test]
fn every_view_draws_a_made_up_snapshot_of_every_preset() {
    let ctx = egui::Context::default();
    for preset in presets::all() {
        let snapshot = at_work(preset.config(), wave);
        let fits = fitted(&snapshot, wave);
        let state = taken_in(snapshot, fits);
        for kind in ViewKind::ALL {
            let drawn = shapes(kind, &state, &ctx, [900.0, 600.0]);
            // The panel itself is one shape, the view's first line of text another.
            assert!(drawn >= 2, "{} of {}: {drawn} shapes", kind.title(), preset.name);
        }
    }
}

#[test]
fn views_stand_a_model_that_has_not_run_and_one_without_layers() {
    let ctx = egui::Context::default();
    let mut snapshots: Vec<Snapshot> = presets::all().iter().map(|preset| Snapshot::synthetic(preset.config())).collect();
    snapshots.push(Snapshot::default());
    for snapshot in snapshots {
        let name = snapshot.config.model.name.clone();
        let state = taken_in(snapshot, None);
        for kind in ViewKind::ALL {
            assert!(shapes(kind, &state, &ctx, [500.0, 350.0]) >= 2, "{} of {name}", kind.title());
        }
    }
}

#[test]
fn views_stand_values_that_are_not_finite_or_all_alike() {
    let ctx = egui::Context::default();
    let strange: [fn(usize) -> f32; 4] =
        [|_| f32::NAN, |i| if i % 2 == 0 { f32::INFINITY } else { f32::NEG_INFINITY }, |_| 0.0, |i| if i % 5 == 0 { 3e38 } else { -1e-38 }];
    for value in strange {
        for name in ["ridge", "dead-leaves", "v1-v2", "digits"] {
            let snapshot = at_work(presets::by_name(name).unwrap(), value);
            let fits = fitted(&snapshot, value);
            let state = taken_in(snapshot, fits);
            for kind in ViewKind::ALL {
                assert!(shapes(kind, &state, &ctx, [700.0, 500.0]) >= 2, "{} of {name} at {}", kind.title(), value(0));
            }
        }
    }
}

#[test]
fn views_stand_single_units_and_units_that_do_not_exist() {
    let ctx = egui::Context::default();
    let mut config = presets::by_name("ridge").unwrap();
    config.model.layers.iter_mut().for_each(|layer| layer.size = 1);
    config.stimulus.values = vec![0.5];
    let single = at_work(config, wave);
    let mut elsewhere = at_work(presets::by_name("dead-leaves").unwrap(), wave);
    elsewhere.state.watch = Watch { trace_layer: 1, trace_units: vec![100_000], pair: [99_999, 100_000], raster: true };
    for snapshot in [single, elsewhere] {
        let fits = fitted(&snapshot, wave);
        let state = taken_in(snapshot, fits);
        for kind in ViewKind::ALL {
            for size in [[900.0, 600.0], [120.0, 90.0]] {
                assert!(shapes(kind, &state, &ctx, size) >= 1, "{} at {size:?}", kind.title());
            }
        }
    }
}

/// Draws a view twice; answers the sizes of the textures that it has handed over, width and height, and its figures.
fn drawn(kind: ViewKind, state: &ViewState) -> (Vec<[usize; 2]>, Vec<figure::Marked>) {
    let (ctx, mut view, mut textures) = (egui::Context::default(), registry::create(kind), Vec::new());
    let mut figures = Vec::new();
    for _ in 0..2 {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(900.0, 700.0));
        let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
        let mut output = ctx.run_ui(input, |ui| {
            egui::CentralPanel::default().show(ui, |ui| view.ui(ui, state, state.latest.as_ref().unwrap(), &mut Vec::new()));
        });
        textures.extend(output.textures_delta.set.values().flat_map(|deltas| deltas.iter().map(|delta| delta.image.size())));
        output.textures_delta.clear();
        figures = figure::take(&ctx);
    }
    (textures, figures)
}

#[test]
fn views_keep_the_rows_and_columns_of_images_that_are_not_square() {
    // 16 x 25 pixels could be taken for 20 x 20.
    let of = |preset: &str| {
        let mut config = presets::by_name(preset).unwrap();
        (config.model.layers[0].size, config.model.image_shape) = (400, Some([16, 25]));
        let snapshot = at_work(config, wave);
        let fits = fitted(&snapshot, wave);
        taken_in(snapshot, fits)
    };
    let (digits, layered) = (of("digits"), of("v1-v2"));
    let units = |state: &ViewState, layer: usize| state.latest.as_ref().unwrap().config.model.layers[layer].size;
    let aspect = |figures: &[figure::Marked], name: &str| {
        let (_, rect) = figures.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("{name} is not in {figures:?}"));
        rect.width() / rect.height()
    };
    let (textures, _) = drawn(ViewKind::Stimulus, &digits);
    assert!(textures.contains(&[25, 16]) && !textures.contains(&[20, 20]), "{textures:?}");
    let (textures, _) = drawn(ViewKind::Generation, &digits);
    assert!(textures.contains(&[3 * 26, 3 * 17]), "nine images, each with an edge: {textures:?}");
    let (textures, figures) = drawn(ViewKind::ReceptiveFields, &layered);
    let [width, height] = Layout::new(units(&layered, 1), [16, 25], 1).size();
    assert!(textures.contains(&[width, height]), "{width} x {height} is not in {textures:?}");
    assert!((aspect(&figures, "filters") - width as f32 / height as f32).abs() < 0.02);
    let (_, figures) = drawn(ViewKind::Tuning, &layered);
    assert!((aspect(&figures, "best grating") - 25.0 / 16.0).abs() < 0.02);
    let (textures, figures) = drawn(ViewKind::Layers, &layered);
    let columns = (units(&layered, 1) as f64).sqrt().ceil() as usize;
    let sheet = [columns * 25, units(&layered, 1).div_ceil(columns) * 16];
    assert!(textures.contains(&sheet), "{sheet:?} is not in {textures:?}");
    assert!(figures.iter().any(|(name, _)| name == "bars" || name == "strongest filters"), "{figures:?}");
    let (_, figures) = drawn(ViewKind::Population, &layered);
    assert!(figures.iter().any(|(name, _)| name == "orientation"), "there are fits: {figures:?}");
}
