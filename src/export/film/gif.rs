//! A film as an animated GIF, repeated for ever: of each frame the part that differs from the frame before.

use super::palette;
use crate::export::{FileError, PendingFile};
use gif::{DisposalMethod, Encoder, Frame, Repeat};
use image::RgbImage;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// A GIF that is being written.
pub(super) struct GifWriter {
    path: PathBuf,
    encoder: Encoder<BufWriter<PendingFile>>,
    /// Frames a second.
    rate: f64,
    frames: u32,
    /// The frame before.
    before: Option<RgbImage>,
}

impl GifWriter {
    pub(super) fn create(path: &Path, [width, height]: [u16; 2], rate: f64) -> Result<Self, FileError> {
        let file = BufWriter::new(PendingFile::begin(path)?);
        let begin = || {
            let mut encoder = Encoder::new(file, width, height, &[])?;
            encoder.set_repeat(Repeat::Infinite)?;
            Ok(encoder)
        };
        let encoder = begin().map_err(|e: gif::EncodingError| failed(path, e))?;
        Ok(Self { path: path.into(), encoder, rate, frames: 0, before: None })
    }

    pub(super) fn add(&mut self, picture: RgbImage) -> Result<(), FileError> {
        let [left, top, width, height] = changed(self.before.as_ref(), &picture);
        let rows = picture.rows().skip(top as usize).take(height as usize);
        let pixels: Vec<[u8; 3]> = rows.flat_map(|row| row.skip(left as usize).take(width as usize).map(|pixel| pixel.0)).collect();
        let (colours, indices) = palette::indexed(&pixels);
        let [left, top, width, height] = [left, top, width, height].map(|side| u16::try_from(side).unwrap_or(u16::MAX));
        let frame = Frame {
            delay: self.delay(),
            dispose: DisposalMethod::Keep,
            palette: Some(colours),
            buffer: indices.into(),
            left,
            top,
            width,
            height,
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(|e| failed(&self.path, e))?;
        (self.frames, self.before) = (self.frames + 1, Some(picture));
        Ok(())
    }

    /// How long the next frame is shown, hundredths of a second: rounded so that no errors add up.
    fn delay(&self) -> u16 {
        let end = |frames: u32| (100.0 * f64::from(frames) / self.rate).round();
        (end(self.frames + 1) - end(self.frames)) as u16
    }

    pub(super) fn finish(self) -> Result<(), FileError> {
        let path = self.path;
        let buffer = self.encoder.into_inner().map_err(|e| failed(&path, e))?;
        let file = buffer.into_inner().map_err(|e| FileError::Write { path, problem: e.into_error() })?;
        file.finish()
    }
}

fn failed(path: &Path, error: gif::EncodingError) -> FileError {
    match error {
        gif::EncodingError::Io(problem) => FileError::Write { path: path.into(), problem },
        other => FileError::content(path, other.to_string()),
    }
}

/// Left, top, width and height of the part that differs, a pixel at least: an empty frame is none.
fn changed(before: Option<&RgbImage>, picture: &RgbImage) -> [u32; 4] {
    let (width, height) = picture.dimensions();
    let Some(before) = before else { return [0, 0, width, height] };
    let stride = 3 * width as usize;
    let mut found: Option<[usize; 4]> = None; // first and last column, first and last row
    let rows = before.as_raw().chunks_exact(stride).zip(picture.as_raw().chunks_exact(stride)).enumerate();
    for (y, (old, new)) in rows.filter(|(_, (old, new))| old != new) {
        let differs = |(a, b): (&u8, &u8)| a != b;
        let first = old.iter().zip(new).position(differs).unwrap_or(0) / 3;
        let last = old.iter().zip(new).rposition(differs).unwrap_or(0) / 3;
        let [left, right, top, _] = found.unwrap_or([first, last, y, y]);
        found = Some([left.min(first), right.max(last), top, y]);
    }
    let [left, right, top, bottom] = found.unwrap_or_default().map(|place| place as u32);
    [left, top, right - left + 1, bottom - top + 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{AnimationDecoder, Rgb, codecs::gif::GifDecoder};

    #[test]
    fn frames_come_back_as_they_were_with_their_times_and_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        // A square that moves, rests for a frame, and jumps.
        let picture = |i: u32| {
            RgbImage::from_fn(31, 17, |x, y| {
                let at = [0, 3, 3, 20, 25][i as usize];
                if (at..at + 6).contains(&x) && (5..9).contains(&y) { Rgb([200, 30 + i as u8 / 3, 9]) } else { Rgb([27, y as u8, 40]) }
            })
        };
        let mut writer = GifWriter::create(&path, [31, 17], 30.0).unwrap();
        (0..5).for_each(|i| writer.add(picture(i)).unwrap());
        assert!(!path.exists());
        writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.windows(11).any(|part| part == b"NETSCAPE2.0"), "it is repeated");
        let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
        assert_eq!(frames.len(), 5);
        for (frame, i) in frames.iter().zip(0..) {
            let shown = image::DynamicImage::ImageRgba8(frame.buffer().clone()).into_rgb8();
            assert_eq!(shown, picture(i), "frame {i}");
        }
        let delays: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        assert_eq!(delays, [30, 40, 30, 30, 40], "a thirtieth of a second in the mean");
        assert_eq!(changed(Some(&picture(1)), &picture(2)), [0, 0, 1, 1]);
        assert_eq!(changed(Some(&picture(0)), &picture(1)), [0, 5, 9, 4]);
    }

    #[test]
    fn one_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = GifWriter::create(&folder.path().join("a.gif"), [9, 9], 10.0).unwrap();
        writer.add(RgbImage::new(9, 9)).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
