//! Some entries of the last axis of an array, read as they come: an array need not fit into memory.

use super::Unsound;
use super::header::Header;
use ndarray::{ArrayView, IxDyn, ShapeBuilder};
use std::io::Read;
use std::ops::Range;

/// Bytes that are taken from the file at once, about.
const AT_ONCE: usize = 1 << 18;
/// Bytes of a value.
const ITEM: usize = size_of::<f32>();

/// Reads the values behind `header`, and returns those of the entries `wanted` of its last axis: of each all values together, in C order
/// of the other axes. `taken` is told how many values came, of all entries.
pub(super) fn read(
    reader: &mut dyn Read,
    header: &Header,
    wanted: Range<usize>,
    taken: &mut dyn FnMut(usize),
) -> Result<Vec<f32>, Unsound> {
    let number: fn([u8; ITEM]) -> f32 = match header.kind.as_str() {
        "<f4" => f32::from_le_bytes,
        ">f4" => f32::from_be_bytes,
        other => return Err(Unsound::Kind(other.into())),
    };
    let (Some((&width, leading)), Some(values)) = (header.shape.split_last(), header.values()) else { return Err(Unsound::Header) };
    let rows = values / width.max(1);
    let parts = Parts { rows, width, wanted, number };
    let found = if header.fortran { parts.by_entry(reader, leading, taken)? } else { parts.by_row(reader, taken)? };
    match reader.read(&mut [0])? {
        0 => Ok(found), // at the end the checksum was compared
        _ => Err(Unsound::Longer),
    }
}

struct Parts {
    /// Values of an entry.
    rows: usize,
    /// Entries.
    width: usize,
    wanted: Range<usize>,
    number: fn([u8; ITEM]) -> f32,
}

impl Parts {
    /// From C order: a value of each entry, then the next of each.
    fn by_row(&self, reader: &mut dyn Read, taken: &mut dyn FnMut(usize)) -> Result<Vec<f32>, Unsound> {
        let mut found = vec![0.0; self.wanted.len() * self.rows];
        let row = self.width * ITEM;
        let together = (AT_ONCE / row.max(1)).max(1);
        let mut buffer = vec![0; together.min(self.rows) * row];
        for first in (0..self.rows).step_by(together) {
            let count = together.min(self.rows - first);
            let bytes = &mut buffer[..count * row];
            fill(reader, bytes)?;
            for (entry, values) in self.wanted.clone().zip(found.chunks_exact_mut(self.rows)) {
                let items = bytes.chunks_exact(row).map(|row| &row[entry * ITEM..(entry + 1) * ITEM]);
                values[first..first + count].iter_mut().zip(items).for_each(|(value, item)| *value = self.read_item(item));
            }
            taken(count * self.width);
        }
        Ok(found)
    }

    /// From Fortran order: all values of an entry, those of the first axis next to each other.
    fn by_entry(&self, reader: &mut dyn Read, leading: &[usize], taken: &mut dyn FnMut(usize)) -> Result<Vec<f32>, Unsound> {
        let mut found = Vec::with_capacity(self.wanted.len() * self.rows);
        let mut bytes = vec![0; self.rows * ITEM];
        for entry in 0..self.width {
            fill(reader, &mut bytes)?;
            if self.wanted.contains(&entry) {
                let values: Vec<f32> = bytes.chunks_exact(ITEM).map(|item| self.read_item(item)).collect();
                let view = ArrayView::from_shape(IxDyn(leading).f(), &values).map_err(|_| Unsound::Header)?;
                found.extend(view.iter());
            }
            taken(self.rows);
        }
        Ok(found)
    }

    fn read_item(&self, item: &[u8]) -> f32 {
        item.try_into().map_or(f32::NAN, self.number) // items have four bytes
    }
}

fn fill(reader: &mut dyn Read, bytes: &mut [u8]) -> Result<(), Unsound> {
    reader.read_exact(bytes).map_err(|e| if e.kind() == std::io::ErrorKind::UnexpectedEof { Unsound::Short } else { e.into() })
}
