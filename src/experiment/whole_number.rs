//! Whole numbers in TOML, whose integers end at 2^63 - 1: what is counted ends there too, and a seed above it is written as text.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// The largest that is counted, as images seen.
pub const LARGEST_COUNT: u64 = i64::MAX as u64;

/// An integer, or text where TOML has no such integer.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*value) {
        Ok(value) => to.serialize_i64(value),
        Err(_) => to.serialize_str(&value.to_string()),
    }
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "a whole number from 0 to {}", u64::MAX)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<u64, E> {
        value.parse().map_err(|_| E::invalid_value(Unexpected::Str(value), &self))
    }
}

/// An integer or text.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    from.deserialize_any(Whole)
}
