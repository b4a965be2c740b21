//! Generated images as one picture: grey levels, or signed values in the diverging colour map.

use crate::export::FileError;
use crate::export::mosaic::{Colours, Layout, diverging};
use crate::export::npz::Archive;
use image::{Rgb, RgbImage};
use ndarray::{Array2, ArrayView1, ArrayView2};
use std::path::Path;

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Tone {
    /// Grey levels 0 (black) to 1 (white).
    Grey,
    /// Signed values; the strongest colour is the image's own largest |value|.
    Signed,
}

impl Tone {
    /// The tone of an observation layer: grey where its support is `[0, 1]`.
    pub fn of(bounds: [f64; 2]) -> Self {
        if bounds == [0.0, 1.0] { Self::Grey } else { Self::Signed }
    }

    /// The colour of each value of one image.
    pub fn colours(self, image: ArrayView1<f32>) -> Vec<[u8; 3]> {
        let top = image.iter().fold(0.0f32, |top, v| if v.is_finite() { top.max(v.abs()) } else { top }).max(f32::MIN_POSITIVE);
        let colour = |&value: &f32| match self {
            Self::Grey => [(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3],
            Self::Signed => diverging(value / top, Colours::usual(false)),
        };
        image.iter().map(colour).collect()
    }
}

/// Writes samples and means, `[count, rows x columns]` each, as `[count, rows, columns]`, with the configuration.
pub fn save_npz(
    path: &Path,
    samples: &Array2<f32>,
    means: &Array2<f32>,
    [rows, columns]: [usize; 2],
    config: &str,
) -> Result<(), FileError> {
    let mut archive = Archive::default();
    for (name, images) in [("samples", samples), ("means", means)] {
        let stack = images.to_shape((images.nrows(), rows, columns)).map_err(|e| FileError::encode(name, e))?;
        archive.add(name, &stack.to_owned())?;
    }
    archive.add_text("config", config)?;
    archive.save(path)
}

/// The first `most` images, `[count, rows x columns]`, as tiles of a picture, each pixel `zoom` wide.
pub fn picture(images: ArrayView2<f32>, [rows, columns]: [usize; 2], most: usize, tone: Tone, zoom: usize) -> RgbImage {
    let count = images.nrows().min(most);
    let layout = Layout::new(count, [rows * zoom, columns * zoom], 2);
    let [width, height] = layout.size();
    let mut picture = RgbImage::from_pixel(width as u32, height as u32, Rgb([128, 130, 136]));
    for (position, image) in images.rows().into_iter().take(count).enumerate() {
        let [left, upper] = layout.corner(position);
        for (i, colour) in tone.colours(image).into_iter().enumerate().take(rows * columns) {
            let (row, column) = (i / columns * zoom, i % columns * zoom);
            for (y, x) in (0..zoom * zoom).map(|k| (k / zoom, k % zoom)) {
                picture.put_pixel((left + column + x) as u32, (upper + row + y) as u32, Rgb(colour));
            }
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn tiles_lie_row_by_row_and_values_have_their_colours() {
        let images = array![[0.0f32, 1.0], [1.0, 0.5], [0.0, 0.0]];
        let grey = picture(images.view(), [1, 2], 2, Tone::Grey, 3);
        assert_eq!(grey.dimensions(), (2 * (6 + 2) + 2, 3 + 4)); // two tiles of the three
        let at = |x, y| grey.get_pixel(x, y).0[0];
        assert_eq!([at(2, 2), at(5, 2), at(7, 4), at(10, 2), at(13, 2)], [0, 255, 255, 255, 128]);
        let signed = Tone::Signed.colours(array![-2.0f32, 0.0, 1.0].view());
        assert_eq!([signed[0], signed[1]], [diverging(-1.0, Colours::usual(false)), diverging(0.0, Colours::usual(false))]);
        assert!(Tone::of([0.0, 1.0]) == Tone::Grey && Tone::of([f64::NEG_INFINITY, f64::INFINITY]) == Tone::Signed);
    }
}
