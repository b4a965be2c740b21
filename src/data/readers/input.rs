//! Bytes that are read more than once from the beginning: of a file or in memory, packed by gzip or not.

use crate::data::ReadError;
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// DEFLATE makes at most 1032 bytes of one (RFC 1951: 258 bytes from two bits).
pub const MOST_UNPACKED: u64 = 1032;

/// Where bytes come from.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A file, opened anew each time.
    File(&'a Path),
    /// Bytes in memory.
    Memory(&'a [u8]),
}

impl<'a> Input<'a> {
    /// Bytes as they are stored.
    pub fn length(&self) -> Result<u64, ReadError> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(path)?.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// The bytes as they are stored, from the beginning.
    pub fn stored(&self) -> Result<Box<dyn BufRead + 'a>, ReadError> {
        match *self {
            Self::File(path) => Ok(Box::new(BufReader::new(File::open(path)?))),
            Self::Memory(bytes) => Ok(Box::new(bytes)),
        }
    }

    /// The first bytes as they are stored, at most `count`.
    pub fn head(&self, count: u64) -> Result<Vec<u8>, ReadError> {
        read_head(self.stored()?, count)
    }

    /// Whether gzip packed it.
    pub fn packed(&self) -> Result<bool, ReadError> {
        Ok(self.head(2)? == [0x1f, 0x8b])
    }

    /// The bytes from the beginning, unpacked where gzip packed them.
    pub fn unpacked(&self) -> Result<Box<dyn Read + 'a>, ReadError> {
        let stored = self.stored()?;
        Ok(if self.packed()? { Box::new(Gunzip { member: Some(GzDecoder::new(stored)) }) } else { stored })
    }

    /// The first unpacked bytes, at most `count`.
    pub fn unpacked_head(&self, count: u64) -> Result<Vec<u8>, ReadError> {
        read_head(self.unpacked()?, count)
    }

    /// Unpacked bytes that there can be at most.
    pub fn most_bytes(&self) -> Result<u64, ReadError> {
        Ok(if self.packed()? { self.length()?.saturating_mul(MOST_UNPACKED) } else { self.length()? })
    }
}

/// What gzip packed: members one after the other, and zeros behind the last, as tapes and blocks of a fixed length leave them.
struct Gunzip<R> {
    /// None once the end was reached.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(member) = self.member.take() else { return Ok(0) };
            let mut rest = member.into_inner();
            self.member = follows_zeros(&mut rest)?.then(|| GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// Passes over zeros; whether anything else follows.
fn follows_zeros(reader: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let bytes = reader.fill_buf()?;
        let (zeros, all) = (bytes.iter().take_while(|&&byte| byte == 0).count(), bytes.len());
        reader.consume(zeros);
        if zeros < all || all == 0 {
            return Ok(all > 0);
        }
    }
}

fn read_head(reader: impl Read, count: u64) -> Result<Vec<u8>, ReadError> {
    let mut head = Vec::new();
    reader.take(count).read_to_end(&mut head)?;
    Ok(head)
}
