//! Learns filters from synthetic images of overlapping discs, and counts how many of them have become Gabor functions.
//!
//!     cargo run --release --no-default-features --example learn_gabor_filters [FOLDER]
//!
//! Writes filters.png into FOLDER (the current one otherwise). Takes some seconds.

use heescope::analysis::locality::is_gabor;
use heescope::dynamics::Probes;
use heescope::experiment::{LearningRateSchedule, presets};
use heescope::export::filters::{Format, Look, save};
use heescope::studies::fits;
use heescope::{Config, Session};
use std::error::Error;
use std::path::PathBuf;

/// Images to learn from, of 12 x 12 pixels.
const IMAGES: u64 = 50_000;
/// Pixels of the picture a pixel of a filter.
const ZOOM: u32 = 4;

fn learned(mut config: Config) -> Result<Session, Box<dyn Error>> {
    config.learning.rate_schedule = LearningRateSchedule::Linear; // the learning rate falls to zero over a run of known length
    let mut session = Session::new(config)?;
    let last = session.run_for(IMAGES);
    while session.images() <= last {
        session.advance(usize::MAX, &Probes::default()); // to the end of the presentation, where the weights learn
    }
    match session.broken() {
        Some(reason) => Err(reason.into()),
        None => Ok(session),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let session = learned(presets::by_name("dead-leaves")?)?;
    let filters = session.model().weights[0].view(); // [pixels, units]: a column a filter
    let shape = session.model().image_shape();
    let fits = fits::of(filters, shape).ok_or("the filters are pictures")?;
    let count = filters.columns().into_iter().zip(&fits).filter(|(filter, fit)| is_gabor(&filter.to_vec(), shape, fit)).count();
    let path = folder.join("filters.png");
    save(&path, filters, shape, Format::Png, Look::default(), ZOOM, &[])?;
    println!("{} images: {count} of {} filters are Gabor functions; {}", session.images(), fits.len(), path.display());
    Ok(())
}
