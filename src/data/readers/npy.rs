//! NPY (NumPy Enhancement Proposal 1): images `(count, rows, columns)` or `(count, side * side)` of bool, bytes, integers of 2 bytes,
//! float32 or float64, and labels of any integer.

use super::found::{Found, Images};
use super::input::Input;
use super::values::{self, Item, Shape};
use crate::data::{Progress, ReadError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// First bytes of every NPY file.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of the text in a header: NumPy itself reads no more than 10,000.
const LONGEST_HEADER: u64 = 1 << 16;

/// What an NPY header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type of the values: byte order, kind, bytes.
    kind: String,
    /// Whether the first index runs fastest.
    fortran: bool,
    /// Sides, the slowest first.
    sides: Vec<u64>,
    /// Bytes before the values.
    bytes: u64,
}

impl Header {
    /// Reads it, and leaves the reader at the first value.
    pub fn read(reader: &mut dyn Read) -> Result<Self, ReadError> {
        let short = |_| ReadError::from("it ends within its header");
        let mut start = [0; 8];
        reader.read_exact(&mut start).map_err(short)?;
        if !start.starts_with(MAGIC) {
            return Err("not an NPY array: its magic number is wrong".into());
        }
        let (length, before) = if start[6] == 1 {
            let mut length = [0; 2];
            reader.read_exact(&mut length).map_err(short)?;
            (u64::from(u16::from_le_bytes(length)), 10)
        } else {
            let mut length = [0; 4];
            reader.read_exact(&mut length).map_err(short)?;
            (u64::from(u32::from_le_bytes(length)), 12)
        };
        if !(1..=3).contains(&start[6]) || length > LONGEST_HEADER {
            return Err(format!("NPY version {}, header of {length} bytes: not one that NumPy writes", start[6]).into());
        }
        let mut text = vec![0; length as usize];
        reader.read_exact(&mut text).map_err(short)?;
        let text = std::str::from_utf8(&text).map_err(|_| "its header is not text")?;
        Self::parse(text, before + length).ok_or_else(|| "its header is not one that NumPy writes".into())
    }

    /// The values of `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
    fn parse(text: &str, bytes: u64) -> Option<Self> {
        let after = |key: &str| Some(text.split_once(&format!("'{key}':"))?.1.trim_start());
        let kind = after("descr")?.strip_prefix('\'')?.split_once('\'')?.0.to_string();
        let order = after("fortran_order")?;
        if !order.starts_with("True") && !order.starts_with("False") {
            return None;
        }
        let sides = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
        let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty()).map(|side| side.parse().ok());
        Some(Self { kind, fortran: order.starts_with("True"), sides: sides.collect::<Option<_>>()?, bytes })
    }

    /// Shape and type of images that may be in `length` bytes, header included; the error says what would be accepted.
    pub fn images(&self, length: u64) -> Result<(Shape, Item), ReadError> {
        let big_endian = self.kind.starts_with('>');
        let item = match self.kind.as_str() {
            "|b1" => Item::Truth,
            "|u1" | "<u1" | ">u1" => Item::Byte,
            "<u2" | ">u2" => Item::Word { big_endian, signed: false },
            "<i2" | ">i2" => Item::Word { big_endian, signed: true },
            "<f4" | ">f4" => Item::Single { big_endian },
            "<f8" | ">f8" => Item::Double { big_endian },
            other => {
                return Err(format!(
                    "values of type {other}: bool, uint8, uint16, int16, float32 or float64 are needed, such as images.astype('float32')"
                )
                .into());
            }
        };
        let (count, [rows, columns]) = self.picture().ok_or_else(|| self.other_shape())?;
        if self.fortran {
            return Err("its values are in Fortran order: numpy.ascontiguousarray(images) puts them into the order needed".into());
        }
        let shape = Shape::checked(count, rows, columns)?;
        shape.fits(item, length.saturating_sub(self.bytes))?;
        Ok((shape, item))
    }

    /// Number of images, and rows and columns of each; a row of values is a square where it can be one.
    fn picture(&self) -> Option<(u64, [u64; 2])> {
        match self.sides[..] {
            [count, rows, columns] => Some((count, [rows, columns])),
            [count, values] => Some((count, [values.isqrt(); 2])).filter(|(_, [side, _])| *side > 1 && side * side == values),
            _ => None,
        }
    }

    /// What is to be said of a shape that was taken for images in another way than it is written.
    pub fn said(&self) -> Option<String> {
        let ([_, values], Some((count, [side, _]))) = (&self.sides[..], self.picture()) else { return None };
        Some(format!("{count} rows of {values} values, read as images of {side} x {side}"))
    }

    /// The sides as NumPy writes them.
    pub fn shape_text(&self) -> String {
        match &self.sides[..] {
            [one] => format!("({one},)"),
            sides => format!("({})", sides.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Of a shape that is not that of images, the line of NumPy that makes images of it.
    fn other_shape(&self) -> ReadError {
        let line = match self.sides[..] {
            [count, rows, columns, 1] | [count, 1, rows, columns] => format!("images.reshape({count}, {rows}, {columns})"),
            [_, _, _, 3 | 4] => "images[..., :3].mean(axis=3)".into(),
            [_, 3 | 4, _, _] => "images[:, :3].mean(axis=1)".into(),
            [count, values] if values > 1 => {
                let rows = (1..=values.isqrt()).rev().find(|rows| values.is_multiple_of(*rows)).unwrap_or(1);
                format!("images.reshape({count}, {rows}, {})", values / rows)
            }
            _ => "images.reshape(count, rows, columns)".into(),
        };
        format!(
            "an array of shape {}: (count, rows, columns) is needed, or (count, side * side) of square images; for example {line}",
            self.shape_text()
        )
        .into()
    }

    /// Reads labels of `count` images: whole numbers from 0 to 255, of any integer type.
    pub fn labels(&self, reader: &mut dyn Read, count: usize) -> Result<Vec<u8>, ReadError> {
        if !matches!(self.sides[..], [n] | [n, 1] if n == count as u64) {
            let one_hot = if matches!(self.sides[..], [n, classes] if n == count as u64 && classes > 1) {
                ", such as labels.argmax(axis=1)"
            } else {
                ""
            };
            return Err(format!("labels of shape {}: one for each of {count} images is needed{one_hot}", self.shape_text()).into());
        }
        let big_endian = self.kind.starts_with('>');
        let size = match self.kind.get(1..) {
            Some("u1" | "i1") => 1,
            Some("u2" | "i2") => 2,
            Some("u4" | "i4") => 4,
            Some("u8" | "i8") => 8,
            _ => return Err(format!("labels of type {}: integers are needed, such as labels.astype('uint8')", self.kind).into()),
        };
        let (mut labels, mut number) = (Vec::with_capacity(count), [0u8; 8]);
        for _ in 0..count {
            reader.read_exact(&mut number[..size]).map_err(|e| format!("labels: {e}"))?;
            let (low, rest) = if big_endian { (number[size - 1], &number[..size - 1]) } else { (number[0], &number[1..size]) };
            if rest.iter().any(|&byte| byte != 0) || self.kind.ends_with("i1") && low > 127 {
                return Err("labels are not all from 0 to 255".into());
            }
            labels.push(low);
        }
        Ok(labels)
    }
}

/// Images of an NPY file.
struct NpyImages {
    path: PathBuf,
    shape: Shape,
    item: Item,
}

/// Checks an NPY file, packed by gzip or not.
pub fn find(path: &Path, progress: &Progress) -> Result<Found, ReadError> {
    let input = Input::File(path);
    let mut reader = input.unpacked()?;
    let header = Header::read(&mut reader)?;
    let (shape, item) = header.images(input.most_bytes()?)?;
    let range = values::check(&mut reader, &shape, item, progress)?;
    let images = NpyImages { path: path.into(), shape, item };
    Ok(Found { said: header.said(), ..Found::new(path, images, item.number(), range) })
}

impl Images for NpyImages {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, first: usize, divisor: f32, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
        let mut reader = Input::File(&self.path).unpacked()?;
        Header::read(&mut reader)?;
        values::fill(&mut reader, self.item, divisor, first * self.shape.pixels(), out, progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_numpy_writes_them() {
        let header = |text: &str| Header::parse(text, 128);
        let read = header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }   \n").unwrap();
        let shape = Shape { count: 3, rows: 4, columns: 5 };
        assert_eq!(read.images(128 + 240), Ok((shape, Item::Single { big_endian: false })));
        assert!(read.images(128 + 239).unwrap_err().to_string().contains("cannot hold"));
        let flat = header("{'descr': '|u1', 'fortran_order': True, 'shape': (7,), }").unwrap();
        assert_eq!((flat.sides.clone(), flat.fortran), (vec![7], true));
        assert!(flat.images(1000).unwrap_err().to_string().contains("(count, rows, columns)"));
        for bad in ["{'descr': '<f4', 'fortran_order': No, 'shape': (3,)}", "{'descr': '<f4', 'fortran_order': True, 'shape': (-3,)}", ""] {
            assert_eq!(header(bad), None, "{bad}");
        }
    }

    #[test]
    fn shapes_that_are_no_images_are_answered_with_the_line_that_makes_images_of_them() {
        let shaped = |sides: &[u64]| Header { kind: "|u1".into(), fortran: false, sides: sides.into(), bytes: 128 };
        let square = shaped(&[40, 784]);
        assert_eq!(square.images(1 << 20).unwrap().0, Shape { count: 40, rows: 28, columns: 28 });
        assert!(square.said().unwrap().contains("40 rows of 784 values, read as images of 28 x 28"));
        assert_eq!(shaped(&[40, 28, 28]).said(), None);
        for (sides, line) in [
            (&[40, 600][..], "images.reshape(40, 24, 25)"),
            (&[40, 28, 28, 1], "images.reshape(40, 28, 28)"),
            (&[40, 1, 20, 30], "images.reshape(40, 20, 30)"),
            (&[40, 32, 32, 3], "images[..., :3].mean(axis=3)"),
            (&[40, 3, 32, 32], "images[:, :3].mean(axis=1)"),
            (&[40, 1], "images.reshape(count, rows, columns)"),
            (&[600], "images.reshape(count, rows, columns)"),
        ] {
            let text = shaped(sides).images(1 << 20).unwrap_err().to_string();
            assert!(text.contains(line) && text.contains(&shaped(sides).shape_text()), "{sides:?}: {text}");
        }
        let text = Header { kind: "<i8".into(), ..shaped(&[4, 2, 2]) }.images(1 << 20).unwrap_err().to_string();
        assert!(text.contains("<i8") && text.contains("images.astype('float32')"), "{text}");
    }

    #[test]
    fn labels_of_any_integer_type() {
        for (kind, bytes) in
            [("|u1", vec![3, 200]), ("<i8", [[3, 0, 0, 0, 0, 0, 0, 0], [200, 0, 0, 0, 0, 0, 0, 0]].concat()), (">i2", vec![0, 3, 0, 200])]
        {
            let header = Header { kind: kind.into(), fortran: false, sides: vec![2], bytes: 128 };
            assert_eq!(header.labels(&mut &bytes[..], 2), Ok(vec![3, 200]), "{kind}");
            assert!(header.labels(&mut &bytes[..], 3).is_err(), "{kind}: another number of images");
        }
        let negative = Header { kind: "|i1".into(), fortran: false, sides: vec![1], bytes: 128 };
        assert!(negative.labels(&mut &[255u8][..], 1).is_err());
        let large = Header { kind: "<i2".into(), fortran: false, sides: vec![1], bytes: 128 };
        assert!(large.labels(&mut &[1u8, 1][..], 1).is_err());
    }
}
