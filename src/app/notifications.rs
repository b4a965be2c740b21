//! Messages in the corner: what was written, what was left out, what failed; broken into lines that fit, shown as long as reading takes.

use egui::Context;
use egui_notify::{Anchor, Toasts};
use std::time::Duration;

/// Letters of a line at most; a longer word keeps its line to itself.
const LINE: usize = 72;
/// Letters read in a second, slowly.
const LETTERS_A_SECOND: u64 = 12;

/// The messages that are shown.
pub(super) struct Notifications(Toasts);

impl Default for Notifications {
    fn default() -> Self {
        Self(Toasts::default().with_anchor(Anchor::BottomRight))
    }
}

impl Notifications {
    /// Something failed.
    pub(super) fn error(&mut self, text: &str) {
        self.0.error(lines(text)).duration(time_to_read(text));
    }

    /// Something was left out.
    pub(super) fn warning(&mut self, text: &str) {
        self.0.warning(lines(text)).duration(time_to_read(text));
    }

    /// Something is as it may not have been expected.
    pub(super) fn info(&mut self, text: &str) {
        self.0.info(lines(text)).duration(time_to_read(text));
    }

    /// Something was done.
    pub(super) fn success(&mut self, text: &str) {
        self.0.success(lines(text));
    }

    /// Draws them.
    pub(super) fn show(&mut self, ctx: &Context) {
        self.0.show(ctx);
    }
}

fn time_to_read(text: &str) -> Option<Duration> {
    Some(Duration::from_secs((4 + text.len() as u64 / LETTERS_A_SECOND).min(30)))
}

fn lines(text: &str) -> String {
    let mut broken = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > LINE {
            broken.push('\n');
            length = 0;
        } else if length > 0 {
            broken.push(' ');
            length += 1;
        }
        broken.push_str(word);
        length += letters;
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_no_word_is_lost() {
        let text = "a folder: there is no train-images-idx3-ubyte(.gz): ".repeat(6) + &"x".repeat(100);
        let broken = lines(&text);
        assert!(broken.split_whitespace().eq(text.split_whitespace()));
        assert!(broken.lines().all(|line| line.chars().count() <= LINE || !line.contains(' ')) && broken.lines().count() > 4);
        assert_eq!(lines("short"), "short");
        assert!(time_to_read(&text) > time_to_read("short"));
    }
}
