//! Runs one study and prints every measured point beside what theory expects.
//!
//!     cargo run --release --no-default-features --example run_study [NAME]
//!
//! NAME is any study of the registry, as `heescope measure` has them; without it the study is `separation`. The preset is `ridge`, a
//! strongly correlated Gaussian posterior.

use heescope::Session;
use heescope::experiment::{ModelVersion, presets};
use heescope::studies::{self, StudyOptions, StudyTarget};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1);
    let study = studies::by_name(name.as_deref().unwrap_or("separation"))?;
    let session = Session::new(presets::by_name("ridge")?)?;
    let target = StudyTarget::of(&session, ModelVersion::default());
    println!("{}: {}", study.title(), study.summary());
    println!("{:>6} {:>10} {:>10} {:>10} {:>10}", "series", "x", "measured", "error", "expected");
    let mut printed = 0;
    studies::measure(study, &target, &StudyOptions::of(study), &mut |findings| {
        for p in &findings.points[printed..] {
            println!("{:>6} {:>10.4} {:>10.4} {:>10.4} {:>10.4}", p.series, p.x, p.y, p.error, p.expected.unwrap_or(f64::NAN));
        }
        printed = findings.points.len();
        true // false would stop it
    })?;
    Ok(())
}
