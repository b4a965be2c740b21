//! NPY (NumPy Enhancement Proposal 1): images `(count, rows, columns)` of uint8, float32 or float64, and labels of any integer.

use super::input::Input;
use super::values::{self, Item, Shape};
use super::{Found, Images};
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

    /// Shape and kind of images that may be in `length` bytes, header included.
    pub fn images(&self, length: u64) -> Result<(Shape, Item), ReadError> {
        let item = match self.kind.as_str() {
            "|u1" | "<u1" | ">u1" => Item::Byte,
            "<f4" | ">f4" => Item::Single { big_endian: self.kind.starts_with('>') },
            "<f8" | ">f8" => Item::Double { big_endian: self.kind.starts_with('>') },
            other => return Err(format!("values of type {other}: uint8, float32 or float64 are needed").into()),
        };
        let &[count, rows, columns] = &self.sides[..] else {
            return Err(format!("an array of shape {:?}: (count, rows, columns) is needed", self.sides).into());
        };
        if self.fortran {
            return Err("its values are in Fortran order: numpy.ascontiguousarray puts them into the order needed".into());
        }
        let shape = Shape::checked(count, rows, columns)?;
        shape.fits(item, length.saturating_sub(self.bytes))?;
        Ok((shape, item))
    }

    /// Reads labels of `count` images: whole numbers from 0 to 255, of any integer type.
    pub fn labels(&self, reader: &mut dyn Read, count: usize) -> Result<Vec<u8>, ReadError> {
        if !matches!(self.sides[..], [n] | [n, 1] if n == count as u64) {
            return Err(format!("labels of shape {:?}: one for each of {count} images is needed", self.sides).into());
        }
        let big_endian = self.kind.starts_with('>');
        let size = match self.kind.get(1..) {
            Some("u1" | "i1") => 1,
            Some("u2" | "i2") => 2,
            Some("u4" | "i4") => 4,
            Some("u8" | "i8") => 8,
            _ => return Err(format!("labels of type {}: integers are needed", self.kind).into()),
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
    divisor: f32,
}

/// Checks an NPY file, packed by gzip or not.
pub fn find(path: &Path, progress: &Progress) -> Result<Found, ReadError> {
    let input = Input::File(path);
    let mut reader = input.unpacked()?;
    let (shape, item) = Header::read(&mut reader)?.images(input.most_bytes()?)?;
    let divisor = values::check(&mut reader, &shape, item, progress)?;
    Ok(Found::new(path, NpyImages { path: path.into(), shape, item, divisor }))
}

impl Images for NpyImages {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, first: usize, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
        let mut reader = Input::File(&self.path).unpacked()?;
        Header::read(&mut reader)?;
        values::fill(&mut reader, self.item, self.divisor, first * self.shape.pixels(), out, progress)
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
