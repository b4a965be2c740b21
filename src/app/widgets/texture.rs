//! Textures: handed to the screen when they change, and never larger than it can hold.

use egui::{ColorImage, TextureHandle, TextureOptions, Ui};

/// Puts `image` into the texture of this slot, thinned where a side is longer than the screen's textures can be.
pub fn put<'a>(ui: &Ui, slot: &'a mut Option<TextureHandle>, name: &str, image: ColorImage, options: TextureOptions) -> &'a TextureHandle {
    let image = within(image, longest(ui));
    match slot {
        Some(texture) => {
            texture.set(image, options);
            texture
        }
        None => slot.insert(ui.ctx().load_texture(name, image, options)),
    }
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
    fn long_images_are_thinned_and_short_ones_are_not() {
        let image = ColorImage::new([10, 3], (0..30).map(Color32::from_gray).collect());
        assert_eq!(within(image.clone(), 10), image);
        let thin = within(image, 4);
        assert_eq!((thin.size, thin.pixels[1], thin.pixels[3]), ([4, 1], Color32::from_gray(3), Color32::from_gray(9)));
    }
}
