//! Textures: handed to the screen when they change, and never larger than it can hold.

use egui::{ColorImage, Context, Id, TextureHandle, TextureId, TextureOptions, Ui};
use std::sync::atomic::{AtomicU64, Ordering};

/// A texture, of the window or of where a view is drawn for a file: neither knows the textures of the other.
#[derive(Default)]
pub struct Slot {
    texture: Option<TextureHandle>,
    /// The context that it belongs to.
    of: u64,
}

impl Slot {
    /// The texture here; None where there is none yet, or it was made elsewhere.
    pub fn id(&self, ui: &Ui) -> Option<TextureId> {
        self.texture.as_ref().filter(|_| self.of == identity(ui.ctx())).map(TextureHandle::id)
    }

    /// Puts `image` into the texture, thinned where a side is longer than the screen's textures can be.
    pub fn put(&mut self, ui: &Ui, name: &str, image: ColorImage, options: TextureOptions) -> TextureId {
        let (image, here) = (within(image, longest(ui)), identity(ui.ctx()));
        let texture = match self.texture.take().filter(|_| self.of == here) {
            Some(mut texture) => {
                texture.set(image, options);
                texture
            }
            None => ui.ctx().load_texture(name, image, options),
        };
        self.of = here;
        self.texture.insert(texture).id()
    }
}

/// A number that no other context has.
fn identity(ctx: &Context) -> u64 {
    static CONTEXTS: AtomicU64 = AtomicU64::new(0);
    let new = || CONTEXTS.fetch_add(1, Ordering::Relaxed) + 1;
    ctx.data_mut(|data| *data.get_temp_mut_or_insert_with(Id::unique("number of the context"), new))
}

/// The longest side that a texture may have here.
pub fn longest(ui: &Ui) -> usize {
    ui.ctx().input(|i| i.max_texture_side)
}

/// The image, or every k-th pixel of it so that no side is longer than `most`.
fn within(image: ColorImage, most: usize) -> ColorImage {
    let [width, height] = image.size;
    let k = width.max(height).div_ceil(most.max(1)).max(1);
    if k == 1 {
        return image;
    }
    let size = [width.div_ceil(k), height.div_ceil(k)];
    let pixels = (0..size[0] * size[1]).map(|i| image.pixels[i / size[0] * k * width + i % size[0] * k]).collect();
    ColorImage::new(size, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::Color32;

    #[test]
    fn a_texture_is_known_where_it_was_made_and_nowhere_else() {
        let mut slot = Slot::default();
        let [window, file] = [Context::default(), Context::default()];
        let mut in_frame = |ctx: &Context, put: bool| {
            let mut known = false;
            ctx.run_ui(egui::RawInput::default(), |ui| {
                if put {
                    slot.put(ui, "picture", ColorImage::filled([1, 1], Color32::WHITE), TextureOptions::NEAREST);
                }
                known = slot.id(ui).is_some();
            })
            .textures_delta
            .clear();
            known
        };
        assert_eq!([in_frame(&window, false), in_frame(&window, true), in_frame(&window, false)], [false, true, true]);
        assert_eq!([in_frame(&file, false), in_frame(&file, true), in_frame(&window, false)], [false, true, false]);
    }

    #[test]
    fn long_images_are_thinned_and_short_ones_are_not() {
        let image = ColorImage::new([10, 3], (0..30).map(Color32::from_gray).collect());
        assert_eq!(within(image.clone(), 10), image);
        let thin = within(image, 4);
        assert_eq!((thin.size, thin.pixels[1], thin.pixels[3]), ([4, 1], Color32::from_gray(3), Color32::from_gray(9)));
    }
}
