//! A film that another program writes: ffmpeg takes the frames as they are drawn.

use super::format::FilmFormat;
use crate::export::{FileError, PendingFile};
use image::RgbImage;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = "ffmpeg";
/// Between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// The running program. Dropping it ends it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have ended already
        let _ = self.0.wait();
    }
}

/// A film that ffmpeg is writing.
pub(super) struct Ffmpeg {
    path: PathBuf,
    process: Process,
    /// What it says where something is wrong.
    complaints: File,
    file: PendingFile,
}

impl Ffmpeg {
    /// Starts the program. An error where it is not installed.
    pub(super) fn start(path: &Path, format: FilmFormat, [width, height]: [u16; 2], rate: f64) -> Result<Self, FileError> {
        let file = PendingFile::begin(path)?;
        let name = file.temporary_name().ok_or_else(|| FileError::content(path, "MP4 and WebM are written into regular files alone"))?;
        let mut output = OsString::from("file:"); // whatever the name begins with
        output.push(name);
        let failed = |problem| FileError::Write { path: path.into(), problem };
        let complaints = tempfile::tempfile().map_err(failed)?;
        let mut command = Command::new(PROGRAM);
        command.args(["-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24"]);
        command.args(["-video_size", &format!("{width}x{height}"), "-framerate", &rate.to_string(), "-i", "pipe:0"]);
        command.args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"]); // what every player shows
        command.args(match format {
            FilmFormat::WebM => ["-b:v", "0", "-crf", "30", "-f", "webm"].as_slice(),
            _ => ["-movflags", "+faststart", "-f", "mp4"].as_slice(),
        });
        command.arg(output).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(complaints.try_clone().map_err(failed)?);
        let child = command.spawn().map_err(|problem| match problem.kind() {
            ErrorKind::NotFound => {
                let text =
                    "MP4 and WebM are written by ffmpeg, which is not installed here; a name that ends in .gif needs no other program";
                FileError::content(path, text)
            }
            _ => FileError::content(path, format!("cannot start ffmpeg: {problem}")),
        })?;
        Ok(Self { path: path.into(), process: Process(child), complaints, file })
    }

    pub(super) fn add(&mut self, frame: &RgbImage) -> Result<(), FileError> {
        let Some(input) = &mut self.process.0.stdin else { return Ok(()) };
        match input.write_all(frame.as_raw()) {
            Err(problem) if problem.kind() == ErrorKind::BrokenPipe => Err(self.complaint()), // it has ended
            written => written.map_err(|problem| FileError::content(&self.path, format!("ffmpeg takes no frames: {problem}"))),
        }
    }

    pub(super) fn finish(mut self, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, FileError> {
        drop(self.process.0.stdin.take());
        let ended = loop {
            if !goes_on() {
                return Ok(false);
            }
            match self.process.0.try_wait() {
                Ok(None) => std::thread::sleep(LOOK),
                ended => break ended,
            }
        };
        // What asks this program to end asks the other one too, which then ends early.
        match ended {
            _ if !goes_on() => Ok(false),
            Ok(Some(status)) if status.success() => self.file.finish().map(|()| true),
            _ => Err(self.complaint()),
        }
    }

    /// The last that it has said.
    fn complaint(&mut self) -> FileError {
        drop(self.process.0.stdin.take());
        let _ = self.process.0.wait();
        let mut text = Vec::new();
        let _ = self.complaints.rewind();
        let _ = (&self.complaints).take(1 << 16).read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it has ended without a word");
        FileError::content(&self.path, format!("ffmpeg has failed: {last}"))
    }
}
