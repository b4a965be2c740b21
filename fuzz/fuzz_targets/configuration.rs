//! Any text, read as a configuration (TOML): an error, or a configuration that is written and read again as it is.

#![no_main]

use heescope::Config;
use heescope_fuzz::count;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let config = Config::from_toml(text);
    count(config.is_ok());
    match config {
        Ok(config) => {
            assert_eq!(Config::from_toml(&config.to_toml()).expect("what was written can be read"), config);
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(|c: char| c.is_control()) && shown.len() < 2000, "{shown:?}");
        }
    }
});
