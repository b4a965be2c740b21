//! The texture of a picture of many pixels: while the next one is drawn beside the frames, the one of before stays.

use crate::app::widgets::background_value::BackgroundValue;
use crate::app::widgets::texture::{Slot, longest, within};
use crate::app::widgets::whole_frame;
use egui::{ColorImage, TextureFilter, TextureId, TextureOptions, Ui};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Between two pictures of weights that learn.
const REDRAW: Duration = Duration::from_millis(66);
/// The same for each weight, where that is longer: a picture takes a sixth of it to draw, so that many weights leave the cores to learning.
const PER_WEIGHT: Duration = Duration::from_nanos(150);
/// A picture of more pixels than this is drawn on another thread.
const AT_ONCE: usize = 200_000;

/// The time between two pictures of so many weights that learn.
pub fn pause(weights: usize) -> Duration {
    REDRAW.max(PER_WEIGHT * u32::try_from(weights).unwrap_or(u32::MAX))
}

/// What something was made of that follows weights while they learn: a key, values that go on, and when that was.
pub struct MadeOf<K, V>(Option<(K, V, Instant)>);

impl<K, V> Default for MadeOf<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq, V: PartialEq> MadeOf<K, V> {
    /// Takes note of what it is to be made of now, where it is to be made anew, and answers whether it is: at once of another key, of other values when
    /// it is old enough for so many weights.
    pub fn renew(&mut self, ui: &Ui, key: K, values: V, weights: usize) -> bool {
        if let Some((before, values_before, at)) = &self.0
            && *before == key
        {
            if *values_before == values {
                return false;
            }
            if let Some(rest) = pause(weights).checked_sub(at.elapsed()).filter(|_| !whole_frame::is_asked(ui.ctx())) {
                ui.ctx().request_repaint_after(rest);
                return false;
            }
        }
        self.0 = Some((key, values, Instant::now()));
        true
    }

    /// What it was made of last.
    pub fn key(&self) -> Option<&K> {
        self.0.as_ref().map(|(key, ..)| key)
    }

    /// When it was made last.
    pub fn at(&self) -> Option<Instant> {
        self.0.as_ref().map(|(.., at)| *at)
    }
}

/// Which part of something is pictured, and when that was as it is pictured.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictured {
    pub at: Instant,
    /// Columns and rows.
    pub part: [Range<usize>; 2],
    /// Columns and rows that are one pixel of the picture.
    pub per_pixel: [usize; 2],
    /// Whether a point of the screen holds several pixels: then it has the mean of their colours.
    pub is_reduced: bool,
}

impl Pictured {
    /// Whether it is the same part in the same size.
    fn same_part(&self, other: &Self) -> bool {
        (&self.part, self.per_pixel, self.is_reduced) == (&other.part, other.per_pixel, other.is_reduced)
    }
}

/// A texture, and the picture that will be in it next.
#[derive(Default)]
pub struct LatestPicture {
    texture: Slot,
    shown: Option<Pictured>,
    next: BackgroundValue<Pictured, ColorImage>,
}

impl LatestPicture {
    /// What the texture shows.
    #[cfg(test)]
    pub fn shown(&self) -> Option<&Pictured> {
        self.shown.as_ref()
    }

    /// The texture. `draw` makes a picture of `wanted` of so many pixels: of many on another thread, where the same part is in sight already.
    pub fn get(
        &mut self,
        ui: &Ui,
        name: &str,
        wanted: Pictured,
        pixels: usize,
        draw: impl FnOnce() -> ColorImage + Send + 'static,
    ) -> Option<TextureId> {
        let is_here = self.texture.id(ui).is_some();
        if self.shown.as_ref() != Some(&wanted) || !is_here {
            let stays = is_here && self.shown.as_ref().is_some_and(|shown| shown.same_part(&wanted));
            let most = longest(ui);
            let draw = move |_: &Pictured| within(draw(), most);
            let drawn = if stays && pixels > AT_ONCE && !whole_frame::is_asked(ui.ctx()) {
                let is_newer = |of: &Pictured| self.shown.as_ref().is_none_or(|shown| shown.at < of.at);
                self.next.taken_latest(ui, &wanted, draw).filter(|(of, _)| of.same_part(&wanted) && is_newer(of))
            } else {
                let image = draw(&wanted);
                Some((wanted, image))
            };
            if let Some((of, image)) = drawn {
                let mipmap_mode = of.is_reduced.then_some(TextureFilter::Linear);
                let minification = mipmap_mode.unwrap_or(TextureFilter::Nearest);
                self.texture.put(ui, name, image, TextureOptions { minification, mipmap_mode, ..TextureOptions::NEAREST });
                self.shown = Some(of);
            }
        }
        self.texture.id(ui)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::Context;

    /// Whether it is made anew in a frame of its own.
    fn due(ctx: &Context, made: &mut MadeOf<u8, u64>, key: u8, version: u64, weights: usize) -> bool {
        let mut due = false;
        ctx.run_ui(egui::RawInput::default(), |ui| due = made.renew(ui, key, version, weights)).textures_delta.clear();
        due
    }

    #[test]
    fn other_values_wait_another_key_and_a_whole_frame_do_not() {
        let (ctx, mut made, many) = (Context::default(), MadeOf::default(), usize::MAX);
        assert_eq!([due(&ctx, &mut made, 0, 0, many), due(&ctx, &mut made, 0, 0, many)], [true, false]);
        let first = made.at();
        assert!(!due(&ctx, &mut made, 0, 1, many), "too early for so many weights");
        assert_eq!((made.at(), made.key()), (first, Some(&0)));
        assert!(due(&ctx, &mut made, 1, 1, many) && made.at() > first);
        std::thread::sleep(pause(0));
        assert!(due(&ctx, &mut made, 1, 2, 0), "old enough for few weights");
        whole_frame::ask(&ctx);
        assert!(due(&ctx, &mut made, 1, 3, many));
    }
}
