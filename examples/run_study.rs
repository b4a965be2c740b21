//! Runs one study and prints every measured point beside what theory expects.
//!
//!     cargo run --release --no-default-features --example run_study [adaptation|adaptation-time|separation]
//!
//! The preset is `ridge`, a strongly correlated Gaussian posterior; without an argument the study is `separation`.

use heescope::experiment::laboratory::{Experiment, Subject, run, theory};
use heescope::experiment::presets;
use heescope::{Config, Session};
use std::error::Error;

/// The model that is studied, as it is at its start.
fn subject(config: Config) -> Result<Subject, Box<dyn Error>> {
    let session = Session::new(config)?;
    Ok(Subject {
        model: session.model().clone(),
        stiffness: session.stiffness().to_vec(),
        dynamics: session.config().dynamics,
        stimulus: session.stimulus().to_vec(),
        watched: (1, [0, 1]),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let experiment = match std::env::args().nth(1).as_deref() {
        Some("adaptation") => Experiment::AdaptationStrength,
        Some("adaptation-time") => Experiment::AdaptationTime,
        None | Some("separation") => Experiment::Separation,
        Some(other) => return Err(format!("no study is called '{other}'; there are: adaptation, adaptation-time, separation").into()),
    };
    let subject = subject(presets::by_name("ridge")?)?;
    println!("{:>6} {:>10} {:>10} {:>10} {:>10}", "series", "x", "measured", "error", "theory");
    run(experiment, &subject, &mut |point| {
        if let Some(p) = point {
            let expected = theory(experiment, &subject, &p).unwrap_or(f64::NAN);
            println!("{:>6} {:>10.4} {:>10.4} {:>10.4} {expected:>10.4}", p.series, p.x, p.y, p.error);
        }
        true // false would stop it
    });
    Ok(())
}
