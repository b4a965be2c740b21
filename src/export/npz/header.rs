//! The header of an NPY array (NumPy Enhancement Proposal 1): what it says of the values behind it.

use std::io::Read;

/// Bytes of the text in a header at most: NumPy itself reads no more than 10,000.
const LONGEST: usize = 1 << 16;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Type of the values: byte order, kind, bytes.
    pub(super) kind: String,
    /// Whether the first index runs fastest.
    pub(super) fortran: bool,
    /// Sides, the slowest first.
    pub(super) shape: Vec<usize>,
    /// The header itself.
    pub(super) bytes: Vec<u8>,
}

impl Header {
    /// Reads it, and leaves the reader at the first value. None where it is not whole or not one that NumPy writes.
    pub(super) fn read(reader: &mut dyn Read) -> std::io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        if !extend(reader, &mut bytes, 8)? || !bytes.starts_with(b"\x93NUMPY") {
            return Ok(None);
        }
        let width = match bytes[6] {
            1 => 2,
            2 | 3 => 4,
            _ => return Ok(None),
        };
        if !extend(reader, &mut bytes, width)? {
            return Ok(None);
        }
        let length = bytes[8..].iter().rev().fold(0usize, |sum, &byte| (sum << 8) | usize::from(byte));
        if length > LONGEST || !extend(reader, &mut bytes, length)? {
            return Ok(None);
        }
        Ok(std::str::from_utf8(&bytes[8 + width..]).ok().and_then(parse).map(|(kind, fortran, shape)| Self { kind, fortran, shape, bytes }))
    }

    /// Values that it promises; None where their number overflows.
    pub(super) fn values(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
    }
}

/// Reads so many bytes more; false where there are fewer.
fn extend(reader: &mut dyn Read, bytes: &mut Vec<u8>, count: usize) -> std::io::Result<bool> {
    Ok(reader.take(count as u64).read_to_end(bytes)? == count)
}

/// Type, order and shape of `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
fn parse(text: &str) -> Option<(String, bool, Vec<usize>)> {
    let after = |key: &str| {
        let quoted = |mark: char| text.split_once(&format!("{mark}{key}{mark}")).map(|(_, rest)| rest);
        Some(quoted('\'').or_else(|| quoted('"'))?.trim_start().strip_prefix(':')?.trim_start())
    };
    let kind = after("descr")?.trim_start_matches(['\'', '"']).split(['\'', '"']).next()?.to_string();
    let order = after("fortran_order")?;
    if !order.starts_with("True") && !order.starts_with("False") {
        return None;
    }
    let sides = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
    // A side that does not fit a machine word is larger than any memory.
    let shape = sides.map(|side| side.bytes().all(|b| b.is_ascii_digit()).then(|| side.parse().unwrap_or(usize::MAX)));
    Some((kind, order.starts_with("True"), shape.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_they_are_written_and_others() {
        let read = |version: u8, text: &str| {
            let mut bytes = b"\x93NUMPY".to_vec();
            bytes.extend([version, 0]);
            let length = (text.len() as u32).to_le_bytes();
            bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
            bytes.extend(text.bytes());
            bytes.extend([1, 2, 3]);
            let mut rest = &bytes[..];
            let header = Header::read(&mut rest).unwrap();
            assert!(header.is_none() || rest == [1, 2, 3], "it leaves the reader at the values");
            header.map(|h| (h.kind, h.fortran, h.shape))
        };
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n";
        for version in [1, 2, 3] {
            assert_eq!(read(version, good), Some(("<f4".into(), false, vec![3, 4])));
        }
        assert_eq!(read(1, "{\"descr\": \"|u1\", \"shape\": (), \"fortran_order\": True}"), Some(("|u1".into(), true, vec![])));
        assert_eq!(read(1, &good.replace('3', "99999999999999999999")).map(|h| h.2), Some(vec![usize::MAX, 4]));
        for bad in ["", "{'descr': '<f4'}", &good.replace('3', "-3"), &good.replace("False", "No"), &good.replace(')', "")] {
            assert_eq!(read(1, bad), None, "{bad}");
        }
        assert_eq!(read(9, good), None);
    }
}
