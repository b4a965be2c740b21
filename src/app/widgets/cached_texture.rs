//! A texture that is made anew when what it shows has changed, but not too often while weights learn.

use crate::app::widgets::{texture, whole_frame};
use egui::{ColorImage, TextureHandle, TextureId, TextureOptions, Ui};
use std::time::{Duration, Instant};

/// Between two pictures of weights that learn.
const REDRAW: Duration = Duration::from_millis(250);

/// A texture and what it was made of: what is shown, and versions of the values shown.
pub struct CachedTexture<K> {
    texture: Option<TextureHandle>,
    of: Option<(K, [u64; 2])>,
    at: Option<Instant>,
}

impl<K> Default for CachedTexture<K> {
    fn default() -> Self {
        Self { texture: None, of: None, at: None }
    }
}

impl<K: Copy + PartialEq> CachedTexture<K> {
    /// The texture; `make` is called where `key` has changed, or `versions` have and the last picture is old enough.
    pub fn get(&mut self, ui: &Ui, name: &str, key: K, versions: [u64; 2], make: impl FnOnce() -> ColorImage) -> Option<TextureId> {
        let early =
            self.of.is_some_and(|of| of.0 == key) && self.at.is_some_and(|at| at.elapsed() < REDRAW) && !whole_frame::is_asked(ui.ctx());
        if self.of != Some((key, versions)) {
            if early {
                ui.ctx().request_repaint_after(REDRAW);
            } else {
                (self.of, self.at) = (Some((key, versions)), Some(Instant::now()));
                texture::put(ui, &mut self.texture, name, make(), TextureOptions::NEAREST);
            }
        }
        self.texture.as_ref().map(TextureHandle::id)
    }
}
