//! Any bytes or arrays, read as a model file: an error, or a model that runs a few steps with its saved state.

#![no_main]

use heescope::Session;
use heescope::dynamics::Probes;
use heescope::experiment::modelfile;
use heescope_fuzz::{archive, count, with_file};
use libfuzzer_sys::fuzz_target;

/// Numbers of a session that is built, at most: larger ones are allowed and take their time.
const MOST: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    with_file("model.npz", &archive(bytes), |path| {
        let loaded = modelfile::load(path);
        count(loaded.is_ok());
        let Ok((config, model)) = loaded else { return };
        let units: usize = model.layers.iter().map(|layer| layer.size).sum();
        if units.saturating_mul(config.stimulus.batch).saturating_mul(config.dynamics.interneurons) > MOST
            || config.data.patches > 1000
            || !config.data.paths.is_empty()
        {
            return;
        }
        let Ok(mut session) = Session::with_model(config, model) else { return };
        let _ = modelfile::resume(path, &mut session);
        session.advance(3, &Probes::default());
    });
});
