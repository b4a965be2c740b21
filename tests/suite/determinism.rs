//! One seed, one result: however a presentation is divided into spans, and whatever the number of threads.

use heescope::dynamics::Probes;
use heescope::experiment::{Session, presets};

/// Bits of the weights and of the first networks' activities after 6 presentations of 15 steps, run in spans of `spans` in turn.
fn bits(spans: &[usize], threads: usize, steps_per_stimulus: usize, seed: u64) -> Vec<u32> {
    let mut config = presets::by_name("dead-leaves").unwrap();
    (config.data.patches, config.stimulus.batch, config.dynamics.threads, config.dynamics.seed) = (300, 60, threads, seed);
    config.stimulus.steps_per_stimulus = steps_per_stimulus;
    let mut session = Session::new(config).unwrap();
    let total = 6 * steps_per_stimulus as u64;
    for i in 0.. {
        let left = (total - session.steps()) as usize;
        if left == 0 {
            break;
        }
        session.advance(spans[i % spans.len()].min(left), &Probes::default());
    }
    let states = session.networks().states(1).take(25).flatten();
    session.model().weights[0].iter().chain(states).map(|v| v.to_bits()).collect()
}

#[test]
fn the_result_does_not_depend_on_spans_or_threads() {
    // 40 steps: more learning steps than a block keeps at once.
    for steps in [15, 40] {
        let whole = bits(&[usize::MAX], 1, steps, 4);
        for spans in [&[1][..], &[2], &[7], &[3, 11, 1], &[13, 2, 5]] {
            for threads in [1, 2, 3] {
                assert!(bits(spans, threads, steps, 4) == whole, "spans {spans:?}, {threads} threads, {steps} steps");
            }
        }
        assert!(bits(&[usize::MAX], 1, steps, 5) != whole, "another seed gives another result");
    }
}

/// Two threads share the blocks of every batch evenly, and no block is smaller than another.
#[test]
fn blocks_of_networks_are_even() {
    let uneven = |networks: usize, rows: usize| !networks.is_multiple_of(rows) || !(networks / rows).is_multiple_of(2);
    for networks in [8, 32, 60, 100, 400] {
        let mut config = presets::by_name("dead-leaves").unwrap();
        (config.stimulus.batch, config.data.patches) = (networks, 200);
        let rows = Session::new(config).unwrap().networks().block_rows();
        assert!(!uneven(networks, rows), "{networks} networks in blocks of {rows}");
    }
    // Planted: blocks of 25 networks, whatever the batch.
    assert!(uneven(32, 25) && uneven(60, 25));
}
