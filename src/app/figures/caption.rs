//! What a figure shows and how it came about, in words.

use super::FigureRequest;
use crate::app::state::ViewState;
use crate::data::Source;
use crate::engine::Snapshot;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The ending of the file beside a figure.
const CAPTION: &str = "txt";

/// The file beside a figure.
pub(in crate::app) fn caption_path(path: &Path) -> PathBuf {
    path.with_extension(CAPTION)
}

/// What a figure shows, how that is arranged, and how it came about. Files are named without the folders that they are in on this machine.
pub(in crate::app) fn caption(request: &FigureRequest, arrangement: Option<String>, state: &ViewState, snapshot: &Snapshot) -> String {
    let mut config = snapshot.config.as_ref().clone();
    config.data.paths.iter_mut().for_each(|path| *path = path.file_name().map_or_else(PathBuf::new, PathBuf::from));
    let sizes: Vec<String> = config.model.layers.iter().map(|layer| layer.size.to_string()).collect();
    let mut text = String::new();
    let what = request.figure.as_deref().map_or_else(String::new, |figure| format!("{figure}, "));
    let _ = writeln!(
        text,
        "{what}{} of the run {} ({}, preset {}).",
        request.kind.title(),
        snapshot.run_title(),
        snapshot.run,
        config.model.name
    );
    if let Some(arrangement) = arrangement {
        let _ = writeln!(text, "{arrangement}");
    }
    let _ = writeln!(
        text,
        "Layers of {} units; {} images learned, {:.2} s simulated at dt = {:.3} ms; n = {} networks; seed {}.",
        sizes.join(", "),
        snapshot.clock.images,
        snapshot.clock.time_ms / 1e3,
        snapshot.governor.dt_ms,
        config.stimulus.batch,
        config.dynamics.seed
    );
    if [Source::Files, Source::Images].contains(&config.data.source) {
        let names = config.data.paths.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
        let _ = writeln!(text, "Learned from one's own images: {}.", names.collect::<Vec<_>>().join(", "));
    }
    if let Some(fits) = state.fits.as_ref().filter(|fits| fits.of.model == snapshot.model_id) {
        let (share, median) = fits.summary();
        let _ = writeln!(text, "{} filters, {:.0} % of them Gabor-like, median R^2 {median:.2}.", fits.gabors.len(), 100.0 * share);
    }
    let _ = writeln!(text, "heescope {}.\n\nConfiguration:\n\n{}", env!("CARGO_PKG_VERSION"), config.to_toml());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::views::{ViewKind, registry};
    use crate::experiment::presets;

    #[test]
    fn a_caption_says_how_filters_are_arranged_and_names_no_folder() {
        let mut config = presets::by_name("dead-leaves").unwrap();
        (config.data.source, config.data.paths) = (Source::Files, vec!["/home/someone/forest.png".into()]);
        let snapshot = Snapshot::synthetic(config);
        let request = FigureRequest { kind: ViewKind::ReceptiveFields, figure: Some("filters".into()), path: "a.png".into() };
        let arrangement = registry::create(request.kind).arrangement(request.figure.as_deref());
        let text = caption(&request, arrangement, &ViewState::default(), &snapshot);
        assert!(text.contains("Filters of layer 1 in the order of index; each filter's strongest weight has the full colour."), "{text}");
        assert!(text.contains("own images: forest.png.") && text.contains("paths = [\"forest.png\"]"), "{text}");
        assert!(!text.contains("someone"), "{text}");
        assert!(!caption(&request, None, &ViewState::default(), &snapshot).contains("in the order of"));
    }
}
