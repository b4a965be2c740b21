//! What a session takes in memory, counted at the allocator, beside the formula of docs/measured.md. It does not depend on K, on the
//! number of threads or on how long the session runs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use heescope::dynamics::Probes;
use heescope::experiment::{Config, Session, presets};
use peak_alloc::PeakAlloc;
use std::sync::{Mutex, PoisonError};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What is counted is that of the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Share by which a session may take more or less than the formula says.
const WITHIN: f64 = 0.2;
/// Numbers that a network keeps of each of its units: eps or f of the last 16 learning steps, and what a step works on.
const OF_A_UNIT: usize = 22;
/// Weights from which on there is no second copy of them, and each network hands two numbers of each of its units to the others instead.
const MANY_WEIGHTS: usize = 1_500_000;
/// Bytes besides that every session has: tables, random streams, the configuration.
const BESIDES: f64 = 1e5;

/// Bytes by the formula; `data` are those of the images.
fn formula(session: &Session, data: f64, of_a_unit: usize) -> f64 {
    let (model, networks) = (session.model(), session.networks());
    let weights: usize = model.weights.iter().map(|w| w.len()).sum();
    let units = model.layers[0].size + neurons(session);
    let blocks = networks.networks().div_ceil(networks.block_rows());
    let (copies, handed_out) = if weights < MANY_WEIGHTS { (2, 0) } else { (1, 2) };
    4.0 * ((1 + copies + blocks) * weights + (of_a_unit + handed_out) * networks.networks() * units) as f64 + data + BESIDES
}

/// Units above layer 0, without a categorical top, of which the state alone is kept.
fn neurons(session: &Session) -> usize {
    let layers = &session.model().layers[1..];
    let categorical = usize::from(session.networks().categories().next().is_some());
    layers[..layers.len() - categorical].iter().map(|layer| layer.size).sum()
}

/// A session after 60 steps on one thread, what it takes then, and the most that it took on the way, bytes.
fn counted(config: &Config) -> (Session, [f64; 2]) {
    let before = ALLOCATOR.current_usage() as f64;
    ALLOCATOR.reset_peak_usage();
    let mut session = Session::new(config.clone()).unwrap();
    for _ in 0..60 {
        session.advance(1, &Probes::default());
    }
    (session, [ALLOCATOR.current_usage(), ALLOCATOR.peak_usage()].map(|bytes| bytes as f64 - before))
}

fn patches(pixels: [usize; 2], units: usize, networks: usize) -> Config {
    let mut config = presets::by_name("dead-leaves").unwrap();
    (config.data.patch, config.data.patches, config.dynamics.threads) = (pixels[0], 1000, 1);
    (config.model.layers[0].size, config.model.layers[1].size) = (pixels[0] * pixels[1], units);
    config.stimulus.batch = networks;
    config
}

#[test]
fn large_models_take_what_their_arrays_take() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // The library of products keeps room for panels on each thread, from its first large product on.
    drop(counted(&patches([32, 32], 1024, 100)));
    let pictures = |config: &Config| {
        let mut small = config.clone();
        (small.data.patch, small.model.layers[0].size, small.model.layers[1].size, small.stimulus.batch) = (12, 144, 16, 4);
        counted(&small).1[0]
    };
    let mut planted = 0;
    for (side, units, networks) in [(24, 1024, 100), (32, 1024, 100), (32, 2048, 100), (32, 2048, 32), (32, 2048, 400), (28, 4096, 100)] {
        let config = patches([side, side], units, networks);
        let data = pictures(&config);
        let (session, [taken, most]) = counted(&config);
        let expected = formula(&session, data, OF_A_UNIT);
        let name =
            format!("{} x {units}, {networks} networks: {taken:.3e} and at most {most:.3e} bytes, {expected:.3e} expected", side * side);
        println!("{name}, {data:.2e} of them for pictures");
        assert!((taken / expected - 1.0).abs() < WITHIN && most < (1.0 + WITHIN) * expected, "{name}");
        // Planted: a formula without the learning steps that are kept.
        planted += usize::from((taken / formula(&session, data, OF_A_UNIT - 16) - 1.0).abs() > WITHIN);
    }
    assert!(planted >= 4, "{planted} of 6");
}

/// Sixty thousand images of 28 x 28 with a chain for each, as MNIST's are learned from.
#[test]
fn sixty_thousand_images_take_four_bytes_a_pixel_and_eight_a_unit() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (images, pixels) = (60_000usize, 784usize);
    let folder = tempfile::tempdir().unwrap();
    let mut file: Vec<u8> = [[0, 0, 8, 3], 60_000u32.to_be_bytes(), 28u32.to_be_bytes(), 28u32.to_be_bytes()].concat();
    file.extend((0..images * pixels).map(|i| if (i / 28 + i % 28 * (i / pixels)) % 7 < 2 { 250 } else { 0 }));
    let path = folder.path().join("train-images-idx3-ubyte");
    std::fs::write(&path, &file).unwrap();
    drop(file);
    let mut config = presets::by_name("mnist").unwrap();
    (config.stimulus.images, config.stimulus.first_images, config.dynamics.threads) = (0, 0, 1);
    config.use_images(vec![path]);
    drop(counted(&patches([32, 32], 1024, 100)));
    let (session, [taken, most]) = counted(&config);
    let data = |of_a_pixel: usize, of_a_unit: usize| (images * (of_a_pixel * pixels + of_a_unit * neurons(&session))) as f64;
    let expected = formula(&session, data(4, 8), OF_A_UNIT);
    println!("{taken:.3e} and at most {most:.3e} bytes, {expected:.3e} expected");
    assert!(
        (taken / expected - 1.0).abs() < WITHIN && most < (1.0 + WITHIN) * expected,
        "{taken:.3e}, at most {most:.3e}, of {expected:.3e}"
    );
    // Planted: a formula without the chains.
    assert!((taken / formula(&session, data(4, 0), OF_A_UNIT) - 1.0).abs() > WITHIN);
}
