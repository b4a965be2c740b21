//! Pictures one after the other as an animated GIF.

use crate::export::FileError;
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, RgbImage};

/// Of 1 (best) to 30 (fastest): grey tiles lose nothing that is seen.
const SPEED: i32 = 30;

/// `frames` pictures, which `next` gives one by one, each shown for `delay_ms`, repeated for ever. None where `next` stops early.
pub fn gif(frames: usize, delay_ms: u32, mut next: impl FnMut(usize) -> Option<RgbImage>) -> Result<Option<Vec<u8>>, FileError> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(|e| FileError::encode("GIF", e))?;
    for i in 0..frames {
        let Some(picture) = next(i) else { return Ok(None) };
        let picture = DynamicImage::ImageRgb8(picture).into_rgba8();
        let frame = Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(delay_ms, 1));
        encoder.encode_frame(frame).map_err(|e| FileError::encode("GIF", e))?;
    }
    drop(encoder);
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{AnimationDecoder, Rgb, codecs::gif::GifDecoder};

    #[test]
    fn frames_come_back_in_order_and_a_stop_leaves_nothing() {
        let shade = |i: usize| RgbImage::from_pixel(9, 7, Rgb([40 * i as u8; 3]));
        let bytes = gif(5, 80, |i| Some(shade(i))).unwrap().unwrap();
        let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
        let grey: Vec<i32> = frames.iter().map(|frame| i32::from(frame.buffer().get_pixel(4, 3).0[0])).collect();
        assert!(grey.len() == 5 && grey.iter().zip(0..).all(|(g, i)| (g - 40 * i).abs() < 4), "{grey:?}");
        assert_eq!((frames[0].buffer().dimensions(), frames[0].delay().numer_denom_ms().0), ((9, 7), 80));
        assert!(gif(5, 80, |i| (i < 3).then(|| shade(i))).unwrap().is_none());
    }
}
