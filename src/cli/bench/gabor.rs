//! How long it takes until filters are Gabor functions: the promise that a user sees first.

use crate::analysis::gabor;
use crate::dynamics::block::Taps;
use crate::experiment::fits;
use crate::experiment::{Config, Session};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Growth of the images seen from one look at the filters to the next.
const NEXT_LOOK: f64 = 1.08;
/// Images before the first look.
const FIRST_LOOK: u64 = 4000;
/// Given up after this.
const LONGEST: Duration = Duration::from_secs(60);

/// Seconds from the first line of `Session::new` (stimuli included) until a `share` of the filters of W_0 is Gabor-like, at full
/// speed, and the images seen by then; looking at the filters does not count. None where that takes more than a minute.
pub(super) fn seconds_to(config: Config, share: f64) -> anyhow::Result<Option<(f64, u64)>> {
    let mut start = Instant::now();
    let mut session = Session::new(config)?;
    let mut spent = Duration::ZERO;
    let mut look = FIRST_LOOK;
    let taps = Taps::default();
    while spent < LONGEST {
        while session.images < look {
            session.advance(usize::MAX, &taps);
        }
        spent += start.elapsed();
        if share_of_gabors(&session) >= share {
            return Ok(Some((spent.as_secs_f64(), session.images)));
        }
        look = (look as f64 * NEXT_LOOK) as u64;
        start = Instant::now();
    }
    Ok(None)
}

fn share_of_gabors(session: &Session) -> f64 {
    let w = &session.model.weights[0];
    let Some(side) = fits::side(w.nrows()) else { return 0.0 };
    let columns: Vec<Vec<f32>> = w.columns().into_iter().map(|column| column.to_vec()).collect();
    let good = columns.par_iter().filter(|column| gabor::fit(column, side).is_gabor_like(side)).count();
    good as f64 / columns.len() as f64
}
