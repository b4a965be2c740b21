//! Any bytes, read as each of the files that a run keeps beside its state: the list of runs stands, and the window draws what the views
//! had shown, or begins them anew.

#![no_main]

use heescope::app::{App, Options};
use heescope::engine::{RunId, RunStore, RunTimeline, Snapshot, ViewArrays};
use heescope::experiment::presets;
use heescope_fuzz::{Still, archive, count, draw, with_file};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

fuzz_target!(|bytes: &[u8]| {
    with_file("views.npz", &archive(bytes), |path| {
        let folder = path.parent().expect("a folder of its own");
        let id = RunId("0001-ridge".into());
        let run = folder.join("runs").join(&id.0);
        std::fs::create_dir_all(&run).unwrap();
        for name in ["run.toml", "name.txt", "thumbnail.png", "state.npz", "timeline.bin"] {
            std::fs::write(run.join(name), bytes).unwrap();
        }
        let store = RunStore::open(&folder.join("runs")).unwrap();
        store.list();
        assert!(store.claim(&id).is_ok_and(|run| run.is_some()));
        RunTimeline::load(&run.join("timeline.bin"));
        let views = ViewArrays::load(path);
        count(views.is_some());
        let mut snapshot = Snapshot::synthetic(presets::by_name("ridge").unwrap());
        snapshot.state.views = views.map(Arc::new);
        let ctx = egui::Context::default();
        let mut app = App::new(&ctx, Box::new(Still::new(snapshot)), Options::default()).expect("a helper thread starts");
        draw(&ctx, &mut app);
    });
});
