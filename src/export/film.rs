//! Films: frames that become a file one by one as they are drawn.

mod ffmpeg;
mod format;
mod gif;
mod palette;

pub use format::FilmFormat;

use crate::export::FileError;
use ffmpeg::Ffmpeg;
use gif::GifWriter;
use image::RgbImage;
use std::path::Path;

/// A film that is being written; one that is dropped before it is finished leaves nothing behind.
pub struct FilmWriter(Encoder);

enum Encoder {
    Gif(GifWriter),
    Other(Ffmpeg),
}

impl FilmWriter {
    /// Begins a film of so many pixels, width and height, and so many frames a second; the ending of `path` tells the format. An error
    /// where nothing can be written there, or where ffmpeg is needed and is not installed.
    pub fn create(path: &Path, size: [u16; 2], rate: f64) -> Result<Self, FileError> {
        Ok(Self(match FilmFormat::of(path)? {
            FilmFormat::Gif => Encoder::Gif(GifWriter::create(path, size, rate)?),
            format => Encoder::Other(Ffmpeg::start(path, format, size, rate)?),
        }))
    }

    /// Adds a frame, which has the size of the film.
    pub fn add(&mut self, frame: RgbImage) -> Result<(), FileError> {
        match &mut self.0 {
            Encoder::Gif(gif) => gif.add(frame),
            Encoder::Other(ffmpeg) => ffmpeg.add(&frame),
        }
    }

    /// Ends the film, and gives the file its name. Another program may need a while for the last frames: `goes_on` is asked whether to go
    /// on. Answers whether the film was written to its end.
    pub fn finish(self, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, FileError> {
        match self.0 {
            Encoder::Gif(gif) => gif.finish().map(|()| true),
            Encoder::Other(ffmpeg) => ffmpeg.finish(goes_on),
        }
    }
}
