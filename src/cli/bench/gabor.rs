//! How long it takes until filters are Gabor functions: the promise that a user sees first.

use crate::analysis::{gabor, locality};
use crate::dynamics::Probes;
use crate::experiment::parallel::run_on;
use crate::experiment::{Config, LearningRateSchedule, Session};
use crate::studies::fits;
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Images of the first run; each further one has a quarter more.
const FIRST_RUN: u64 = 10_000;
/// No run begins after this.
const LONGEST: Duration = Duration::from_secs(45);

/// Seconds and images of the shortest run, of lengths a quarter apart, after which a `share` of the filters of W_0 are Gabor
/// functions as model.md 6 counts them.
/// A run is what `heescope train --images` does at full speed, its stimuli included; looking at the filters does not count. None
/// where no run comes there in time.
pub(super) fn seconds_to(config: &Config, share: f64) -> anyhow::Result<Option<(f64, u64)>> {
    let begun = Instant::now();
    let probes = Probes::default();
    let mut images = FIRST_RUN;
    while begun.elapsed() < LONGEST {
        let start = Instant::now();
        let mut config = config.clone();
        config.learning.rate_schedule = LearningRateSchedule::Linear; // a run of known length (model.md 6)
        let mut session = Session::new(config)?;
        let last = session.run_for(images);
        run_on(session.pool(), || {
            while session.images() <= last {
                session.advance(usize::MAX, &probes);
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        if share_of_gabors(&session) >= share {
            return Ok(Some((seconds, images)));
        }
        images += images / 4;
    }
    Ok(None)
}

fn share_of_gabors(session: &Session) -> f64 {
    let w = &session.model().weights[0];
    let Some(shape) = fits::patch(session.model().image_shape()) else { return 0.0 };
    let columns: Vec<Vec<f32>> = w.columns().into_iter().map(|column| column.to_vec()).collect();
    let good = columns.par_iter().filter(|column| locality::is_gabor(column, shape, &gabor::fit(column, shape))).count();
    good as f64 / columns.len() as f64
}
