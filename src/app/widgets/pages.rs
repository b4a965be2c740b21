//! Pages of a list that is too long for one picture.

use egui::{Key, Modifiers, Ui};
use std::ops::Range;

/// The page that is in sight.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pages {
    page: usize,
}

impl Pages {
    /// Which of `count` items are in sight, `most` of them a page.
    pub fn range(&self, count: usize, most: usize) -> Range<usize> {
        let most = most.max(1);
        let first = self.page.min(count.saturating_sub(1) / most) * most;
        first..(first + most).min(count)
    }

    /// Buttons and keys that turn the pages, where there is more than one; `what` the items are, and in which order.
    pub fn controls(&mut self, ui: &mut Ui, count: usize, most: usize, what: &str) {
        let last = count.saturating_sub(1) / most.max(1);
        self.page = self.page.min(last);
        if last == 0 {
            return;
        }
        let (mut back, mut on) = (false, false);
        ui.horizontal(|ui| {
            back = ui.add_enabled(self.page > 0, egui::Button::new("Previous")).on_hover_text("Page Up").clicked();
            on = ui.add_enabled(self.page < last, egui::Button::new("Next")).on_hover_text("Page Down").clicked();
            let Range { start, end } = self.range(count, most);
            ui.weak(format!("{} to {end} of {count} {what}", start + 1));
        });
        if !ui.ctx().text_edit_focused() {
            ui.input_mut(|input| {
                back |= input.consume_key(Modifiers::NONE, Key::PageUp);
                on |= input.consume_key(Modifiers::NONE, Key::PageDown);
            });
        }
        self.page = (self.page + usize::from(on)).saturating_sub(usize::from(back)).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Event, RawInput};

    #[test]
    fn keys_turn_the_pages_up_to_the_last_and_a_shorter_list_has_fewer() {
        let (ctx, mut pages) = (egui::Context::default(), Pages::default());
        let mut after = |key: Option<Key>, count: usize| {
            let event = |key| Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE };
            let input = RawInput { events: key.map(event).into_iter().collect(), ..Default::default() };
            ctx.run_ui(input, |ui| pages.controls(ui, count, 40, "units")).textures_delta.clear();
            pages.range(count, 40)
        };
        assert_eq!(after(None, 100), 0..40);
        assert_eq!([after(Some(Key::PageDown), 100), after(Some(Key::PageDown), 100)], [40..80, 80..100]);
        assert_eq!(after(Some(Key::PageDown), 100), 80..100, "the last one");
        assert_eq!(after(Some(Key::PageUp), 100), 40..80);
        assert_eq!([after(None, 7), after(None, 0)], [0..7, 0..0]);
    }
}
