//! `heescope replay FILE --film OUT`: a film of a view, without a window.

use std::path::PathBuf;
#[cfg(feature = "window")]
use {
    crate::app::{self, FilmRequest, FilmSettings},
    crate::cli::{console::Console, stop::Stop, window::is_dark, writes},
    crate::export::{Outputs, film::FilmFormat},
    anyhow::{Context, bail},
    indicatif::{ProgressBar, ProgressStyle},
    std::io::IsTerminal,
    std::path::Path,
};

/// Options of a film.
#[derive(clap::Args, Debug)]
pub(super) struct FilmArguments {
    /// Write a film of the view there and open no window (.gif; .mp4 and .webm where ffmpeg is installed)
    #[arg(long, value_name = "FILE", requires = "view", conflicts_with_all = ["screenshot", "at"])]
    pub(super) film: Option<PathBuf>,
    /// Where in the recording the film begins, seconds [default: 0]
    #[arg(long, value_name = "SECONDS", requires = "film")]
    from: Option<f64>,
    /// Where in the recording the film ends, seconds [default: its end]
    #[arg(long, value_name = "SECONDS", requires = "film")]
    to: Option<f64>,
    /// Frames a second, to 50 in a GIF, to 60 else [default: 25]
    #[arg(long, requires = "film")]
    rate: Option<f64>,
    /// Pixels a point: the size of letters [default: legible at the size of the film]
    #[arg(long, requires = "film")]
    scale: Option<f32>,
}

#[cfg(feature = "window")]
impl FilmArguments {
    /// Writes the film `out` of a view of the recording `file`. A signal leaves nothing behind.
    pub(super) fn write(&self, out: &Path, file: &Path, view: &str, size: Option<&str>, theme: Option<&str>) -> anyhow::Result<()> {
        let usual = FilmSettings::default();
        let settings = FilmSettings {
            view: app::view_by_name(view)?,
            from: self.from.unwrap_or(usual.from),
            to: self.to,
            rate: self.rate.unwrap_or(usual.rate),
            size: size.map(pixels).transpose()?.unwrap_or(usual.size),
            scale: self.scale,
            dark: theme.map(is_dark).transpose()?.unwrap_or(usual.dark),
        };
        let out_option = out.to_path_buf();
        writes("--film", Some(&out_option), FilmFormat::ENDINGS, Outputs::default().reads("FILE", file)).check()?;
        let stop = Stop::listen()?;
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(1) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} frames, {eta} left").context("the progress bar")?);
        let mut frames = 0;
        let request = FilmRequest { recording: file.into(), path: out.into(), settings };
        let is_whole = app::write_film(&request, &mut |done, all| {
            frames = all;
            bar.set_length(all as u64);
            bar.set_position(done as u64);
            stop.signal().is_none()
        })?;
        bar.finish_and_clear();
        if !is_whole {
            bail!("{}: stopped by {}; nothing was written", out.display(), stop.signal().unwrap_or("a signal"));
        }
        let mut console = Console::beside([out]);
        let ([width, height], rate) = (request.settings.size, request.settings.rate);
        console.line(format_args!("{}: {frames} frames of {width} x {height} pixels, {rate} a second", out.display()));
        console.finish()
    }
}

/// Width and height of a film.
#[cfg(feature = "window")]
fn pixels(size: &str) -> anyhow::Result<[u16; 2]> {
    match size.split_once('x').map(|(width, height)| (width.parse(), height.parse())) {
        Some((Ok(width), Ok(height))) => Ok([width, height]),
        _ => bail!("--size {size}: WIDTHxHEIGHT in pixels is needed, such as 960x600"),
    }
}
