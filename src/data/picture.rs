//! One picture: the formats that are read, its size, and its grey levels as it is meant to be seen, that is turned as EXIF says, on
//! white where it is transparent, and whole.

mod whole;

use crate::data::ReadError;
use crate::data::folder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use ndarray::Array2;
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The formats that are read, for messages.
pub const READ: &str = "PNG, JPEG, TIFF, WebP or BMP";
/// Endings of names of pictures, those of formats that are not read included.
const ENDINGS: [&str; 29] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "tif", "tiff", "webp", "bmp", "dib", "gif", "heic", "heif", "avif", "jxl", "jp2", "j2k",
    "psd", "svg", "ico", "tga", "pbm", "pgm", "ppm", "pnm", "exr", "hdr", "qoi",
];
/// Bytes of a file that are looked at to know its format.
const HEAD: u64 = 32;
/// Bytes of a file at most: the JPEG decoder reads all of it into memory.
const LARGEST_FILE: u64 = 1 << 30;

/// What becomes of whole pictures of another size than the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSize {
    /// They keep their size, and must have one.
    Own,
    /// They are scaled to these rows and columns: the largest part in the middle of each that has this shape.
    Exactly([usize; 2]),
    /// Pictures of one size keep it where it has so many pixels; others are scaled to a square of so many, where there is one.
    Pixels(usize),
    /// The same, and small pictures of one size that is not square keep it too: the model can take their shape.
    Usually(usize),
}

/// The format of a file that begins so, where it is read here.
pub(super) fn format(head: &[u8]) -> Option<ImageFormat> {
    let at = |place: usize, bytes: &[u8]| head.get(place..place + bytes.len()) == Some(bytes);
    // "BM" begins words too: the length of the header that follows tells a BMP.
    let bmp = || matches!(head.get(14..18), Some([12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]));
    match () {
        () if at(0, b"\x89PNG") => Some(ImageFormat::Png),
        () if at(0, &[0xff, 0xd8, 0xff]) => Some(ImageFormat::Jpeg),
        () if at(0, b"II*\0") || at(0, b"MM\0*") || at(0, b"II+\0") || at(0, b"MM\0+") => Some(ImageFormat::Tiff),
        () if at(0, b"RIFF") && at(8, b"WEBP") => Some(ImageFormat::WebP),
        () if at(0, b"BM") && bmp() => Some(ImageFormat::Bmp),
        () => None,
    }
}

/// The name of a format of pictures that is not read here, of a file that begins so.
pub(super) fn unread_format(head: &[u8]) -> Option<&'static str> {
    let known: [(usize, &[u8], &str); 14] = [
        (0, b"GIF8", "GIF"),
        (4, b"ftypheic", "HEIC"),
        (4, b"ftypheix", "HEIC"),
        (4, b"ftypmif1", "HEIF"),
        (4, b"ftypavif", "AVIF"),
        (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
        (0, &[0xff, 0x0a], "JPEG XL"),
        (0, b"8BPS", "Photoshop"),
        (0, b"qoif", "QOI"),
        (0, b"#?RADIANCE", "HDR"),
        (0, &[0x76, 0x2f, 0x31, 0x01], "OpenEXR"),
        (0, b"<svg", "SVG"),
        (0, b"%PDF", "PDF"),
    ];
    let found = known.iter().find(|(at, bytes, _)| head.get(*at..at + bytes.len()) == Some(*bytes));
    let pnm = || matches!(head, [b'P', b'1'..=b'7', b' ' | b'\t' | b'\n' | b'\r', ..]).then_some("PNM");
    found.map(|(_, _, name)| *name).or_else(pnm)
}

/// The error of a picture in a format that is not read.
pub(super) fn unread(format: &str) -> ReadError {
    format!("a picture in the format {format}: {READ} are read; save it as one of these").into()
}

/// Whether a file's name says that it is a picture.
pub(super) fn is_named_so(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The format of a file, told by its content. An error says what it is instead, or why it cannot be read.
pub(super) fn format_of(path: &Path) -> Result<ImageFormat, ReadError> {
    if let Some(problem) = folder::irregular(path) {
        return Err(problem);
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    format(&head).ok_or_else(|| match unread_format(&head) {
        Some(format) => unread(format),
        None if head.is_empty() => "an empty file".into(),
        None => format!("not an image: {READ} is needed (sets of images, as IDX or NPZ, are for digits, fashion and mnist)").into(),
    })
}

/// A decoder that has read the header of a file.
fn decoder(path: &Path, format: ImageFormat) -> Result<impl ImageDecoder, ReadError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > LARGEST_FILE {
        return Err(format!("{length} bytes: a picture of at most {LARGEST_FILE} is read").into());
    }
    let mut reader = ImageReader::with_format(BufReader::new(file), format);
    reader.no_limits(); // sizes are checked before anything is decoded, and limits are set then
    reader.into_decoder().map_err(|error| not_readable(&error))
}

fn not_readable(error: &image::ImageError) -> ReadError {
    format!("not a readable image: {error}").into()
}

/// What the header of a picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The format of the file.
    pub format: ImageFormat,
    /// Columns of the picture as it is seen.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Reads the header alone.
pub(super) fn header(path: &Path) -> Result<Header, ReadError> {
    let format = format_of(path)?;
    if format == ImageFormat::Tiff {
        whole::tiff_directory(path)?;
    }
    guarded(|| {
        let mut decoder = decoder(path, format)?;
        let (width, height) = decoder.dimensions();
        let turned = decoder.orientation().is_ok_and(is_turned);
        let [width, height] = if turned { [height, width] } else { [width, height] };
        Ok(Header { format, width, height })
    })
}

fn is_turned(orientation: image::metadata::Orientation) -> bool {
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// A picture as it is seen.
pub(super) struct Picture {
    /// Without transparency.
    pub image: DynamicImage,
    /// Whether its numbers have no scale of their own, as TIFF can hold them: else they are integers.
    pub is_real: bool,
}

/// Decodes a picture whose header was found sound. An error where the file ends before the picture does.
pub(super) fn decode(path: &Path, Header { format, width, height }: Header) -> Result<Picture, ReadError> {
    whole::check(path, format)?;
    guarded(|| {
        let mut decoder = decoder(path, format)?;
        let mut limits = image::Limits::default();
        // Up to four numbers of 4 bytes a pixel, and as much again while they are decoded.
        limits.max_alloc = Some((1 << 20) + 32 * u64::from(width) * u64::from(height));
        decoder.set_limits(limits).map_err(|error| not_readable(&error))?;
        let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| not_readable(&error))?;
        picture.apply_orientation(orientation);
        let is_real = matches!(picture, DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_));
        Ok(Picture { image: on_white(picture), is_real })
    })
}

/// A picture laid on white, where it is transparent.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let rgba = picture.to_rgba32f();
    let (width, height) = rgba.dimensions();
    let values = rgba.pixels().flat_map(|&image::Rgba([r, g, b, alpha])| [r, g, b].map(|v| 1.0 + alpha * (v - 1.0))).collect();
    image::ImageBuffer::from_raw(width, height, values).map_or(picture, DynamicImage::ImageRgb32F)
}

/// Luma (Rec. 601), `[rows, columns]`, of a picture without transparency: 0 to 1 where its numbers are integers.
pub(super) fn luma(picture: &DynamicImage) -> Array2<f32> {
    let rgb = picture.to_rgb32f();
    let dimensions = (rgb.height() as usize, rgb.width() as usize);
    let luma = |p: &image::Rgb<f32>| 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    Array2::from_shape_vec(dimensions, rgb.pixels().map(luma).collect()).unwrap_or_default() // as many pixels as it has
}

/// Runs a decoder. A panic within it becomes an error of its file, and the others go on.
fn guarded<T>(decode: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("its decoder failed: {}", text.unwrap_or("no reason was given")).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_within_a_decoder_is_an_error_of_its_file_and_the_next_is_read() {
        let failed: Result<(), _> = guarded(|| panic!("index {} out of range", 7));
        assert_eq!(failed.unwrap_err().to_string(), "its decoder failed: index 7 out of range");
        let failed: Result<(), _> = guarded(|| std::panic::panic_any(7));
        assert!(failed.unwrap_err().to_string().starts_with("its decoder failed"));
        assert_eq!(guarded(|| Ok(5)).unwrap(), 5);
        assert_eq!(guarded(|| Err::<(), _>("an error".into())).unwrap_err().to_string(), "an error");
    }

    #[test]
    fn formats_are_told_by_content_and_words_are_none() {
        assert_eq!(format(b"BMW is a word of many letters"), None);
        assert_eq!(format(b"RIFF\0\0\0\0WAVEfmt "), None);
        assert_eq!(unread_format(b"GIF89a"), Some("GIF"));
        assert_eq!(unread_format(b"\0\0\0\x18ftypheic"), Some("HEIC"));
        assert_eq!(unread_format(b"P5\n8 8\n255\n"), Some("PNM"));
        assert_eq!(unread_format(b"Plain text"), None);
        assert!(is_named_so(Path::new("a.HEIC")) && is_named_so(Path::new("b/a.Jpg")) && !is_named_so(Path::new("README")));
    }
}
