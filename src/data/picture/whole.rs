//! Whether a picture's file reaches to the end of the picture. Decoders fill what is missing of a JPEG with grey, and show it.

use crate::data::ReadError;
use image::ImageFormat;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// An error where a PNG, JPEG or WebP ends early. The decoders of TIFF and BMP tell it themselves; of TIFF see [`tiff_directory`].
pub(super) fn check(path: &Path, format: ImageFormat) -> Result<(), ReadError> {
    let whole = match format {
        ImageFormat::Jpeg => jpeg(&std::fs::read(path)?),
        ImageFormat::Png => png(path)?,
        ImageFormat::WebP => webp(path)?,
        _ => true,
    };
    if whole { Ok(()) } else { Err("the file ends before the picture does".into()) }
}

/// Whether the marker that ends the image stands where the image ends (ITU T.81, B.1.1): that of a preview within it does not count.
fn jpeg(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&byte) = bytes.get(at) {
        let Some(&marker) = bytes.get(at + 1).filter(|_| byte == 0xff) else {
            at += 1; // bytes between segments, which decoders pass over
            continue;
        };
        at += 2;
        match marker {
            0xff => at -= 1, // a filler
            0xd9 => return true,
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(length) = bytes.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
    false
}

/// Whether the chunk that ends the image is there.
fn png(path: &Path) -> Result<bool, ReadError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let (mut reader, mut at, mut chunk) = (BufReader::new(file), 8, [0; 8]);
    while at + 12 <= length {
        reader.seek(SeekFrom::Start(at))?;
        reader.read_exact(&mut chunk)?;
        at += 12 + u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
        if chunk[4..] == *b"IEND" {
            return Ok(at <= length);
        }
    }
    Ok(false)
}

/// Whether the file is as long as its header says.
fn webp(path: &Path) -> Result<bool, ReadError> {
    let (mut file, mut header) = (File::open(path)?, [0; 8]);
    let length = file.metadata()?.len();
    file.read_exact(&mut header)?;
    Ok(u64::from(u32::from_le_bytes([header[4], header[5], header[6], header[7]])) + 8 <= length)
}

/// Tags of a picture that the decoder of TIFF reads: it makes room for as many values as a tag says it has, before it looks.
const TIFF_TAGS: [u16; 20] = [256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339, 347, 530];
/// Bytes of a value by its type (TIFF 6.0, and BigTIFF from 16 on).
const TIFF_TYPES: [u64; 19] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/// Tags of a directory at most; a picture has a dozen or two.
const MOST_TAGS: u64 = 4096;

/// An error where the directory of a TIFF promises values that the file does not hold.
pub(super) fn tiff_directory(path: &Path) -> Result<(), ReadError> {
    let (mut file, mut head) = (File::open(path)?, [0; 16]);
    let length = file.metadata()?.len();
    file.read_exact(&mut head[..8])?;
    let (big_endian, is_big) = (head[0] == b'M', head[2..4].contains(&43));
    if is_big {
        file.read_exact(&mut head[8..])?;
    }
    let number = |bytes: &[u8]| match big_endian {
        true => bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)),
        false => bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte)),
    };
    // Of BigTIFF all numbers are twice as long, but for tags and types.
    let (start, digits, word) = if is_big { (number(&head[8..]), 8, 8) } else { (number(&head[4..8]), 2, 4) };
    file.seek(SeekFrom::Start(start))?;
    let mut count = [0; 8];
    file.read_exact(&mut count[..digits])?;
    let mut tags = vec![0; number(&count[..digits]).min(MOST_TAGS) as usize * (4 + 2 * word)];
    file.read_exact(&mut tags)?;
    for tag in tags.chunks_exact(4 + 2 * word) {
        let [kind, values, place] = [&tag[2..4], &tag[4..4 + word], &tag[4 + word..]].map(number);
        let bytes = TIFF_TYPES.get(kind as usize).and_then(|size| size.checked_mul(values)).unwrap_or(u64::MAX);
        let is_there = bytes <= word as u64 || place.checked_add(bytes).is_some_and(|end| end <= length);
        if TIFF_TAGS.contains(&(number(&tag[..2]) as u16)) && !is_there {
            return Err("its directory promises more than the file holds".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([(x * 6) as u8, (y * 8) as u8, (x * y % 256) as u8]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_file_cut_anywhere_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture");
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let bytes = encoded(format);
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(check(&path, format), Ok(()), "{format:?}");
            std::fs::write(&path, [&bytes[..], b"what programs append"].concat()).unwrap();
            assert_eq!(check(&path, format), Ok(()), "{format:?} with more behind it");
            for cut in (20..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
                std::fs::write(&path, &bytes[..cut]).unwrap();
                assert!(check(&path, format).is_err(), "{format:?} cut to {cut} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn a_directory_of_tiff_that_lies_is_refused_before_room_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let bytes = encoded(ImageFormat::Tiff);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(tiff_directory(&path), Ok(()));
        // The tag of the strips' places (273), of any type, and its number of values.
        let tag = bytes.windows(2).rposition(|pair| u16::from_le_bytes([pair[0], pair[1]]) == 273).unwrap();
        let mut lie = bytes.clone();
        lie[tag + 4..tag + 8].copy_from_slice(&6_553_600u32.to_le_bytes());
        std::fs::write(&path, &lie).unwrap();
        assert!(tiff_directory(&path).is_err());
        let mut file = File::open(&path).unwrap();
        let decoder = image::codecs::tiff::TiffDecoder::new(BufReader::new(&mut file));
        assert!(decoder.is_err(), "the decoder refuses it as well, once it has made room");
    }

    #[test]
    fn the_end_of_a_preview_is_not_the_end_of_its_jpeg() {
        let (outer, preview) = (encoded(ImageFormat::Jpeg), encoded(ImageFormat::Jpeg));
        let length = (preview.len() + 2) as u16;
        let within = [&outer[..2], &[0xff, 0xe1], &length.to_be_bytes(), &preview, &outer[2..]].concat();
        assert!(jpeg(&within));
        assert!(!jpeg(&within[..within.len() / 2 + preview.len() / 2]), "the preview is whole, the picture is not");
        // A restart marker and an escaped byte within the data are none of its ends.
        assert!(jpeg(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd3, 2, 0xff, 0xd9]));
        assert!(!jpeg(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd3, 2]));
    }
}
