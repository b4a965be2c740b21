//! Grey levels of many images in a row: checked in one pass, and only then given room and read.

use crate::data::grey_scale::{Number, ValueRange};
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
    /// A byte that is 0 or 1.
    Truth,
    /// A byte, 0 to 255.
    Byte,
    /// An integer of 2 bytes.
    Word {
        /// The most significant byte comes first.
        big_endian: bool,
        /// It can be below 0.
        signed: bool,
    },
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
            Self::Truth | Self::Byte => 1,
            Self::Word { .. } => 2,
            Self::Single { .. } => 4,
            Self::Double { .. } => 8,
        }
    }

    /// What kind of numbers they are.
    pub fn number(self) -> Number {
        match self {
            Self::Truth => Number::Truth,
            Self::Byte => Number::Integer(255),
            Self::Word { signed, .. } => Number::Integer(if signed { 32_767 } else { 65_535 }),
            Self::Single { .. } | Self::Double { .. } => Number::Real,
        }
    }

    /// Calls `f` with each whole value in `bytes`.
    fn each(self, bytes: &[u8], mut f: impl FnMut(f64)) {
        match self {
            Self::Truth => bytes.iter().for_each(|&b| f(f64::from(u8::from(b != 0)))),
            Self::Byte => bytes.iter().for_each(|&b| f(f64::from(b))),
            Self::Word { big_endian, signed } => bytes.as_chunks::<2>().0.iter().for_each(|&b| {
                let word = if big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) };
                f(if signed { f64::from(word.cast_signed()) } else { f64::from(word) });
            }),
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
        // No type of values is longer than 8 bytes: what follows counts bytes without overflow.
        if count.checked_mul(8 * rows * columns).is_none_or(|bytes| usize::try_from(bytes).is_err()) {
            return Err(format!("{shown}: no file holds so many").into());
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
            let many = if self.values() as u64 > MOST_VALUES { format!(", more than {MOST_VALUES} pixels") } else { String::new() };
            return Err(format!("its header promises {count} images of {rows} x {columns}{many}; its {most} bytes cannot hold them").into());
        }
        Ok(())
    }
}

/// Reads the values of `shape` and what may follow, and keeps nothing: an error where there are fewer or more than promised, or they
/// cannot be grey levels. Returns what they range over.
pub fn check(reader: &mut dyn Read, shape: &Shape, item: Item, progress: &Progress) -> Result<ValueRange, ReadError> {
    let mut range = ValueRange::default();
    let (mut low, mut high) = (u8::MAX, u8::MIN);
    chunks(reader, shape.values(), item, progress, |bytes| match item {
        // Bytes come by the hundred million: these two loops run many at a time.
        Item::Byte => (low, high) = bytes.iter().fold((low, high), |(low, high), &b| (low.min(b), high.max(b))),
        _ => item.each(bytes, |v| range.add(v)),
    })?;
    if item == Item::Byte {
        [low, high].into_iter().for_each(|v| range.add(f64::from(v)));
    }
    match reader.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => return Err("it holds more than its header promises".into()),
        Err(error) => return Err(format!("its end is damaged: {error}").into()),
    }
    range.check()?;
    Ok(range)
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
