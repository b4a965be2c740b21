//! IDX, the format of MNIST: images (unsigned bytes, three dimensions) and labels (one dimension), packed by gzip or not.

use super::found::{Found, Images};
use super::input::Input;
use super::values::{self, Item, Shape};
use crate::data::{Progress, ReadError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What an IDX file is by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Images.
    Images(Shape),
    /// So many labels.
    Labels(usize),
}

/// Bytes before the values: a magic number (two zeros, the type, the number of dimensions), then each dimension, big-endian.
fn header_bytes(dimensions: u8) -> u64 {
    4 + 4 * u64::from(dimensions)
}

/// Whether these first bytes may be those of an IDX file.
pub fn begins(head: &[u8]) -> bool {
    matches!(head, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=8, ..])
}

/// Reads and checks the header alone, against the number of bytes too.
pub fn header(input: Input) -> Result<Header, ReadError> {
    let head = input.unpacked_head(16)?;
    let &[0, 0, kind, dimensions, ..] = &head[..] else { return Err("not an IDX file: its magic number is wrong".into()) };
    if kind != 0x08 {
        return Err(format!(
            "IDX values of type {kind:#04x}: unsigned bytes (0x08) are needed; NPY holds others, by numpy.save('images.npy', images)"
        )
        .into());
    }
    let sides: Vec<u64> = head[4..].as_chunks::<4>().0.iter().map(|&b| u64::from(u32::from_be_bytes(b))).collect();
    let most = input.most_bytes()?;
    let room = most.checked_sub(header_bytes(dimensions)).ok_or("it ends within its header")?;
    match (dimensions, &sides[..]) {
        (3, &[count, rows, columns]) => {
            let shape = Shape::checked(count, rows, columns)?;
            shape.fits(Item::Byte, room)?;
            Ok(Header::Images(shape))
        }
        (1, &[count, ..]) => {
            if count == 0 || count > room {
                return Err(format!("its header promises {count} labels, its {room} bytes cannot hold them").into());
            }
            Ok(Header::Labels(count as usize))
        }
        (1 | 3, _) => Err("it ends within its header".into()),
        _ => Err(format!("IDX of {dimensions} dimensions: images have 3 and labels 1").into()),
    }
}

/// The values of a file with that header, from the first on.
fn body<'a>(input: Input<'a>, dimensions: u8) -> Result<Box<dyn Read + 'a>, ReadError> {
    let mut reader = input.unpacked()?;
    let mut header = vec![0; header_bytes(dimensions) as usize];
    reader.read_exact(&mut header)?;
    Ok(reader)
}

struct IdxImages {
    path: PathBuf,
    shape: Shape,
}

/// Checks a file of images.
pub fn find(path: &Path, progress: &Progress) -> Result<Found, ReadError> {
    let input = Input::File(path);
    let Header::Images(shape) = header(input)? else { return Err("labels, where images are needed".into()) };
    let range = values::check(&mut body(input, 3)?, &shape, Item::Byte, progress)?;
    Ok(Found::new(path, IdxImages { path: path.into(), shape }, Item::Byte.number(), range))
}

impl Images for IdxImages {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, first: usize, divisor: f32, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
        fill(Input::File(&self.path), first * self.shape.pixels(), divisor, out, progress)
    }
}

/// Where the labels of these images may be: beside them, `images` and `idx3` in the name replaced, packed or not.
pub fn partners(images: &Path) -> Vec<PathBuf> {
    let name = images.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = name.strip_suffix(".gz").unwrap_or(name).replace("images", "labels").replace("idx3", "idx1");
    let differs = plain != name.strip_suffix(".gz").unwrap_or(name);
    let beside = [plain.clone(), format!("{plain}.gz")].map(|name| images.with_file_name(name));
    if differs { beside.into() } else { Vec::new() }
}

/// Grey levels into `out`, past the first `skip` values, divided by `divisor`: 255 makes 0 to 1 of them.
pub fn fill(input: Input, skip: usize, divisor: f32, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
    values::fill(&mut body(input, 3)?, Item::Byte, divisor, skip, out, progress)
}

/// Labels, once it is known that they are there.
pub fn labels(input: Input, progress: &Progress) -> Result<Vec<u8>, ReadError> {
    let Header::Labels(count) = header(input)? else { return Err("images, where labels are needed".into()) };
    let whole = Shape { count, rows: 1, columns: 1 };
    values::check(&mut body(input, 1)?, &whole, Item::Byte, progress)?;
    let mut labels = vec![0; count];
    body(input, 1)?.read_exact(&mut labels)?;
    Ok(labels)
}
