//! Textures: handed to the screen when they change, and never larger than it can hold or show.

use egui::{Color32, ColorImage, Context, Id, TextureHandle, TextureId, TextureOptions, Ui};
use std::sync::atomic::{AtomicU64, Ordering};

/// Pixels of a texture at most, about as many as a large screen has: 32 MB.
const MOST_PIXELS: usize = 1 << 23;

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

    /// Puts `image` into the texture, reduced where it is larger than a texture can be ([`within`]).
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

/// The image, or the mean colour of every k x k of its pixels, so that no side is longer than `most` and there are no more than a large screen has.
pub fn within(image: ColorImage, most: usize) -> ColorImage {
    let [width, height] = image.size;
    let by_side = width.max(height).div_ceil(most.max(1));
    let by_pixels = ((width * height) as f64 / MOST_PIXELS as f64).sqrt().ceil() as usize;
    let k = by_side.max(by_pixels).max(1);
    if k == 1 {
        return image;
    }
    let size = [width.div_ceil(k), height.div_ceil(k)];
    let mean = |i: usize| {
        let (mut sum, mut count) = ([0; 4], 0);
        for y in (i / size[0] * k..height).take(k) {
            for pixel in &image.pixels[y * width..][i % size[0] * k..width.min((i % size[0] + 1) * k)] {
                sum = std::array::from_fn(|c| sum[c] + u32::from(pixel[c]));
                count += 1;
            }
        }
        let [r, g, b, a] = sum.map(|sum| ((sum + count / 2) / count.max(1)) as u8);
        Color32::from_rgba_premultiplied(r, g, b, a)
    };
    ColorImage::new(size, (0..size[0] * size[1]).map(mean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn large_images_have_the_mean_colours_of_their_squares_and_small_ones_stay() {
        let image = ColorImage::new([10, 3], (0..30).map(Color32::from_gray).collect());
        assert_eq!(within(image.clone(), 10), image);
        let small = within(image, 4);
        let grey = |values: &[u32]| Color32::from_gray((values.iter().sum::<u32>() as f64 / values.len() as f64).round() as u8);
        let expected = [grey(&[0, 1, 2, 10, 11, 12, 20, 21, 22]), grey(&[9, 19, 29])];
        assert_eq!((small.size, [small.pixels[0], small.pixels[3]]), ([4, 1], expected), "the last square is narrower");
        let large = within(ColorImage::filled([4096, 4096], Color32::RED), 8192);
        assert_eq!((large.size, large.pixels[7]), ([2048, 2048], Color32::RED));
    }
}
