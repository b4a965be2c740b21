//! What a step is made of: normals, products, one step, one presentation with its learning.

#![allow(clippy::unwrap_used, missing_docs, reason = "a failed unwrap is a failed benchmark; criterion's macros write no documentation")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use heescope::analysis::gabor;
use heescope::dynamics::Probes;
use heescope::dynamics::noise::Noise;
use heescope::experiment::Config;
use heescope::experiment::parallel::on_threads;
use heescope::experiment::presets;
use heescope::experiment::session::Session;
use heescope::model::product::multiply;
use heescope::studies::fits;
use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};

/// Steps of one measurement of a step.
const STEPS: usize = 100;

fn normals(c: &mut Criterion) {
    let mut group = c.benchmark_group("normals");
    let mut buffer = vec![0.0f32; 32_768];
    group.throughput(Throughput::Elements(buffer.len() as u64));
    let mut noise = Noise::new(0, 0);
    group.bench_function("batched", |b| b.iter(|| noise.fill(&mut buffer)));
    group.bench_function("batched, the code for every processor", |b| b.iter(|| noise.fill_portably(&mut buffer)));
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    group.bench_function("rand_distr", |b| b.iter(|| buffer.iter_mut().for_each(|z| *z = StandardNormal.sample(&mut rng))));
    group.finish();
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("products");
    // Batch, units below, units above.
    for [batch, below, above] in [[100, 144, 144], [128, 256, 512], [100, 784, 256], [100, 256, 20]] {
        let w = Array2::<f32>::from_elem((below, above), 0.1);
        let (f, eps) = (vec![0.5f32; batch * above], vec![0.5f32; batch * below]);
        let (mut eta, mut current) = (vec![0.0; batch * below], vec![0.0; batch * above]);
        let shape = format!("{batch}x{below}x{above}");
        group.throughput(Throughput::Elements(4 * (batch * below * above) as u64)); // floating-point operations
        group.bench_function(BenchmarkId::new("eta and current", shape), |b| {
            b.iter(|| {
                multiply(&mut eta, ArrayView2::from_shape((batch, above), &f).unwrap(), w.t(), 1.0, false);
                multiply(&mut current, ArrayView2::from_shape((batch, below), &eps).unwrap(), w.view(), 1.0, false);
            });
        });
    }
    group.finish();
}

fn preset(name: &str, change: impl Fn(&mut Config)) -> Session {
    let mut config = presets::by_name(name).unwrap();
    config.data.patches = 2000;
    change(&mut config);
    Session::new(config).unwrap()
}

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.throughput(Throughput::Elements(STEPS as u64));
    let mut run = |name: String, mut session: Session| {
        session.hold(true).unwrap();
        group.bench_function(name, |b| b.iter(|| session.advance(STEPS, &Probes::default())));
    };
    for threads in [1, 2] {
        run(format!("dead-leaves, {threads} threads"), preset("dead-leaves", |c| c.dynamics.threads = threads));
    }
    for k in [1, 4, 16] {
        run(format!("dead-leaves, K = {k}, 1 thread"), preset("dead-leaves", |c| (c.dynamics.threads, c.dynamics.interneurons) = (1, k)));
    }
    let wide = |c: &mut Config| {
        (c.dynamics.threads, c.stimulus.batch, c.data.patch) = (2, 128, 16);
        (c.model.layers[0].size, c.model.layers[1].size) = (256, 512);
    };
    run("256 pixels, 512 units, batch 128, 2 threads".into(), preset("dead-leaves", wide));
    group.finish();
}

fn presentation(c: &mut Criterion) {
    let mut group = c.benchmark_group("presentation");
    for name in ["dead-leaves", "bars"] {
        let mut session = preset(name, |c| c.dynamics.threads = 2);
        group.throughput(Throughput::Elements(session.config().stimulus.batch as u64));
        group.bench_function(name, |b| b.iter(|| session.advance(usize::MAX, &Probes::default())));
    }
    group.finish();
}

fn gabor_fits(c: &mut Criterion) {
    let mut session = preset("dead-leaves", |c| c.dynamics.threads = 2);
    (0..300).for_each(|_| drop(session.advance(usize::MAX, &Probes::default())));
    let filters: Vec<Vec<f32>> = session.model().weights[0].columns().into_iter().map(|column| column.to_vec()).collect();
    let mut group = c.benchmark_group("fits");
    group.throughput(Throughput::Elements(filters.len() as u64)).sample_size(10);
    group.bench_function("144 filters of 12x12", |b| {
        b.iter(|| filters.iter().map(|filter| gabor::fit(filter, [12, 12])).collect::<Vec<_>>())
    });
    // Gabor functions as they are learned at that size, each with noise of a third of its size.
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut filter = || {
        let (place, angle) =
            ([random.random_range(6.0..26.0), random.random_range(6.0..26.0)], random.random_range(0.0..std::f64::consts::PI));
        let (frequency, width): (f64, f64) = (random.random_range(0.08..0.25), random.random_range(1.5..4.0));
        let pixel = move |i: usize| {
            let [x, y] = [(i % 32) as f64 + 0.5 - place[0], (i / 32) as f64 + 0.5 - place[1]];
            let u = x * angle.cos() + y * angle.sin();
            ((-0.5 * (x * x + y * y) / (width * width)).exp() * (std::f64::consts::TAU * frequency * u).cos()) as f32
        };
        (0..1024).map(|i| pixel(i) + random.random_range(-0.1..0.1)).collect::<Vec<f32>>()
    };
    let filters = Array2::from_shape_vec((2048, 1024), (0..2048).flat_map(|_| filter()).collect()).unwrap();
    group.throughput(Throughput::Elements(2048));
    group.bench_function("2048 filters of 32x32, two threads", |b| b.iter(|| on_threads(2, || fits::of(filters.t(), [32, 32])).unwrap()));
    group.finish();
}

criterion_group!(benches, normals, products, steps, presentation, gabor_fits);
criterion_main!(benches);
