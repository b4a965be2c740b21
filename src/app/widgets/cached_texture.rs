//! A texture that is made anew when what it shows has changed, but not too often while weights learn.

use crate::app::widgets::texture::Slot;
use crate::app::widgets::whole_frame;
use egui::{ColorImage, Context, Id, TextureId, TextureOptions, Ui};
use std::time::{Duration, Instant};

/// Between two pictures of weights that learn.
const REDRAW: Duration = Duration::from_millis(250);

/// Time that pictures may take of one frame, all views together; a picture that comes later waits for the next one.
const SHARE_OF_FRAME: Duration = Duration::from_millis(6);

/// The time that pictures have taken of the present frame.
fn taken(ctx: &Context, more: Duration) -> Duration {
    let now = ctx.cumulative_pass_nr();
    ctx.data_mut(|data| {
        let taken: &mut (u64, Duration) = data.get_temp_mut_or_default(Id::unique("time taken by pictures"));
        if taken.0 != now {
            *taken = (now, Duration::ZERO);
        }
        taken.1 += more;
        taken.1
    })
}

/// A texture and what it was made of: what is shown, and versions of the values shown.
pub struct CachedTexture<K> {
    texture: Slot,
    of: Option<(K, [u64; 2])>,
    at: Option<Instant>,
}

impl<K> Default for CachedTexture<K> {
    fn default() -> Self {
        Self { texture: Slot::default(), of: None, at: None }
    }
}

impl<K: Copy + PartialEq> CachedTexture<K> {
    /// The texture; `make` is called where `key` has changed, or `versions` have and the last picture is old enough. Where other pictures have
    /// taken their share of the frame, the last picture stands for another one; None where there was none.
    pub fn get(&mut self, ui: &Ui, name: &str, key: K, versions: [u64; 2], make: impl FnOnce() -> ColorImage) -> Option<TextureId> {
        let is_here = self.texture.id(ui).is_some();
        if self.of != Some((key, versions)) || !is_here {
            let is_whole = whole_frame::is_asked(ui.ctx());
            let early = is_here && self.of.is_some_and(|of| of.0 == key) && self.at.is_some_and(|at| at.elapsed() < REDRAW);
            if early && !is_whole {
                ui.ctx().request_repaint_after(REDRAW);
            } else if !is_whole && taken(ui.ctx(), Duration::ZERO) >= SHARE_OF_FRAME {
                ui.ctx().request_repaint();
            } else {
                let begin = Instant::now();
                (self.of, self.at) = (Some((key, versions)), Some(Instant::now()));
                self.texture.put(ui, name, make(), TextureOptions::NEAREST);
                taken(ui.ctx(), begin.elapsed());
            }
        }
        self.texture.id(ui)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of three pictures, each of which takes the whole share, are there after each of the next frames.
    fn made(ctx: &Context, textures: &mut [CachedTexture<bool>], key: bool) -> Vec<usize> {
        let mut all = Vec::new();
        for _ in 0..4 {
            let mut made = 0;
            let slow = || {
                std::thread::sleep(SHARE_OF_FRAME);
                ColorImage::filled([1, 1], egui::Color32::WHITE)
            };
            ctx.run_ui(egui::RawInput::default(), |ui| {
                textures.iter_mut().for_each(|texture| _ = texture.get(ui, "picture", key, [0; 2], slow));
                made = textures.iter().filter(|texture| texture.of == Some((key, [0; 2]))).count();
            })
            .textures_delta
            .clear();
            all.push(made);
        }
        all
    }

    #[test]
    fn pictures_take_turns_and_a_whole_frame_has_all() {
        let (ctx, mut textures) = (Context::default(), [(); 3].map(|()| CachedTexture::default()));
        assert_eq!(made(&ctx, &mut textures, false), [1, 2, 3, 3]);
        assert_eq!(made(&ctx, &mut textures, true), [1, 2, 3, 3]);
        whole_frame::ask(&ctx);
        assert_eq!(made(&ctx, &mut textures, false), [3, 3, 3, 3]);
    }
}
