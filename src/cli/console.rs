//! What commands say: results on standard output, notices on standard error. Either may be closed or full; neither ends in a panic.

use crate::shown::one_line;
use anyhow::anyhow;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Standard output until something cannot be written there; then nothing more is, and [`Console::finish`] tells.
pub(super) struct Console {
    /// Results go to standard error: a file of the command goes to standard output.
    aside: bool,
    failure: Option<std::io::Error>,
}

impl Console {
    /// For a command that writes these files.
    pub(super) fn beside<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        Self { aside: files.into_iter().any(crate::export::is_standard_output), failure: None }
    }

    /// For a command that writes no file.
    pub(super) fn new() -> Self {
        Self::beside([])
    }

    /// Whether somebody still reads: what nobody will see need not be found.
    pub(super) fn is_open(&self) -> bool {
        self.failure.is_none()
    }

    /// Writes a text, which ends its own lines.
    pub(super) fn print(&mut self, text: impl Display) {
        if self.aside {
            let _ = write!(std::io::stderr().lock(), "{text}"); // where it cannot be said there is nowhere left to say so
        } else if self.is_open() {
            let mut output = std::io::stdout().lock();
            self.failure = write!(output, "{text}").and_then(|()| output.flush()).err();
        }
    }

    /// Writes a line.
    pub(super) fn line(&mut self, text: impl Display) {
        self.print(format_args!("{text}\n"));
    }

    /// An error where what was to be said could not be written. A reader that has gone, as `head` does, has read all that it wanted.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self.failure {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(anyhow!("cannot write to standard output: {error}")),
            _ => Ok(()),
        }
    }
}

/// Says something beside the results in one line, where standard error can be written to.
pub(super) fn notice(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{}", one_line(&text.to_string()));
}
