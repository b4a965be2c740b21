//! Grey levels of many images in a row: checked in one pass, and only then given room and read.

use crate::data::{Progress, ReadError};
use std::io::Read;

/// Values of all images together, 4 bytes each in memory.
pub const MOST_VALUES: u64 = 250_000_000;
/// Rows or columns of an image.
pub const LONGEST_SIDE: u64 = 4096;
/// Bytes read in one go: of a multiple of every item's size.
const CHUNK: usize = 1 << 16;

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A byte, 0 to 255.
    Byte,
    /// IEEE 754 of 4 bytes.
    Single {
        /// The most significant byte comes first.
        big_endian: bool,
    },
    /// IEEE 754 of 8 bytes.
    Double {
        /// The most significant byte comes first.
        big_endian: bool,
    },
}

impl Item {
    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Single { .. } => 4,
            Self::Double { .. } => 8,
        }
    }

    /// Calls `f` with each whole value in `bytes`.
    fn each(self, bytes: &[u8], mut f: impl FnMut(f64)) {
        match self {
            Self::Byte => bytes.iter().for_each(|&b| f(f64::from(b))),
            Self::Single { big_endian } => bytes.as_chunks::<4>().0.iter().for_each(|&b| {
                f(f64::from(if big_endian { f32::from_be_bytes(b) } else { f32::from_le_bytes(b) }));
            }),
            Self::Double { big_endian } => bytes.as_chunks::<8>().0.iter().for_each(|&b| {
                f(if big_endian { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) });
            }),
        }
    }
}

/// Images of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many.
    pub count: usize,
    /// Rows of each.
    pub rows: usize,
    /// Columns of each.
    pub columns: usize,
}

impl Shape {
    /// A shape that a header promises, refused where it is absurd.
    pub fn checked(count: u64, rows: u64, columns: u64) -> Result<Self, ReadError> {
        let shown = format!("its header promises {count} images of {rows} x {columns}");
        if count == 0 || rows == 0 || columns == 0 {
            return Err(format!("{shown}: there is nothing in them").into());
        }
        if rows.max(columns) > LONGEST_SIDE {
            return Err(format!("{shown}: at most {LONGEST_SIDE} a side are read").into());
        }
        if count.checked_mul(rows * columns).is_none_or(|values| values > MOST_VALUES) {
            return Err(format!("{shown}: at most {MOST_VALUES} pixels are read").into());
        }
        Ok(Self { count: count as usize, rows: rows as usize, columns: columns as usize })
    }

    /// Pixels of an image.
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Pixels of all images.
    pub fn values(&self) -> usize {
        self.count * self.pixels()
    }

    /// An error where the values cannot be in `most` bytes.
    pub fn fits(&self, item: Item, most: u64) -> Result<(), ReadError> {
        let needed = (self.values() * item.bytes()) as u64;
        if needed > most {
            let Self { count, rows, columns } = self;
            return Err(format!("its header promises {count} images of {rows} x {columns}, its {most} bytes cannot hold them").into());
        }
        Ok(())
    }
}

/// Reads the values of `shape` and what may follow, and keeps nothing: an error where there are fewer or more than promised, or
/// one is not finite. Returns what they are to be divided by for grey levels of 0 to 1: 255 for bytes, and for other numbers that
/// are all whole and reach from 0 to at most 255; 1 where they lie in 0 to 1; others are refused.
pub fn check(reader: &mut dyn Read, shape: &Shape, item: Item, progress: &Progress) -> Result<f32, ReadError> {
    let (mut low, mut high, mut whole, mut finite) = (f64::INFINITY, f64::NEG_INFINITY, true, true);
    chunks(reader, shape.values(), item, progress, |bytes| {
        if item != Item::Byte {
            item.each(bytes, |v| {
                (low, high) = (low.min(v), high.max(v));
                finite &= v.is_finite();
                whole &= v.fract() == 0.0;
            });
        }
    })?;
    match reader.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => return Err("it holds more than its header promises".into()),
        Err(error) => return Err(format!("its end is damaged: {error}").into()),
    }
    match item {
        Item::Byte => Ok(255.0),
        _ if !finite => Err("a value is not finite".into()),
        _ if low >= 0.0 && high <= 1.0 => Ok(1.0),
        _ if low >= 0.0 && high <= 255.0 && whole => Ok(255.0),
        _ => Err(format!("values from {low} to {high}: grey levels from 0 to 1 are needed, or whole numbers from 0 to 255").into()),
    }
}

/// Reads grey levels of 0 to 1 into `out`, past the first `skip` values. An error where there are fewer, or one is out of range.
pub fn fill(reader: &mut dyn Read, item: Item, divisor: f32, skip: usize, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
    chunks(reader, skip, item, progress, |_| {})?;
    let (mut slots, mut sound) = (out.iter_mut(), true);
    let values = slots.len();
    chunks(reader, values, item, progress, |bytes| {
        item.each(bytes, |v| {
            let grey = v as f32 / divisor;
            sound &= (0.0..=1.0).contains(&grey);
            slots.next().into_iter().for_each(|slot| *slot = grey);
        });
    })?;
    if sound { Ok(()) } else { Err("it changed while it was read".into()) }
}

/// Hands `values` values on in pieces.
fn chunks(reader: &mut dyn Read, values: usize, item: Item, progress: &Progress, mut f: impl FnMut(&[u8])) -> Result<(), ReadError> {
    let mut buffer = vec![0; CHUNK.min(values * item.bytes())];
    let mut left = values * item.bytes();
    while left > 0 {
        if progress.cancelled() {
            return Err(ReadError::Stopped);
        }
        let piece = &mut buffer[..left.min(CHUNK)];
        reader.read_exact(piece).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "it ends before all that its header promises has come".to_string(),
            _ => format!("it is damaged: {error}"),
        })?;
        left -= piece.len();
        f(piece);
    }
    Ok(())
}
