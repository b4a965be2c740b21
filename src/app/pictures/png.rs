//! Pixels as a PNG that knows its size in print and what it shows.

use super::About;
use image::RgbImage;
use png::{BitDepth, ColorType, Encoder, EncodingError, PixelDimensions, Unit};

const MM_PER_METRE: f32 = 1000.0;

/// A picture that is `width_mm` wide in print. The error of the encoder where its texts cannot be held.
pub(in crate::app) fn png(picture: &RgbImage, width_mm: f32, about: About<'_>) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let pixels = (picture.width() as f32 * MM_PER_METRE / width_mm).round() as u32; // a metre
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: pixels, yppu: pixels, unit: Unit::Meter }));
    for (keyword, text) in [("Title", about.title), ("Description", about.description), ("Software", about.program)] {
        encoder.add_itxt_chunk(keyword.into(), text.into())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.as_raw())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_knows_its_size_and_what_it_shows() {
        let picture = RgbImage::from_fn(1004, 30, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let about = About { title: "filters", description: "n = 144, \u{03C3} learned", program: "heescope 1" };
        let bytes = png(&picture, 85.0, about).unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let size = reader.info().pixel_dims.unwrap();
        assert_eq!((size.xppu, size.yppu, size.unit), (11_812, 11_812, Unit::Meter), "300 dots an inch");
        let texts: Vec<String> = reader.info().utf8_text.iter().map(|text| text.get_text().unwrap()).collect();
        assert_eq!(texts, [about.title, about.description, about.program]);
        assert_eq!(image::load_from_memory(&bytes).unwrap().into_rgb8(), picture);
    }
}
