//! Lists of numbers as byte strings, little-endian, in formats that have such strings: CBOR has them, JSON has plain lists. Plain lists are
//! read from either.
//!
//! [`lists`] and [`matrices`] are for `#[serde(with = ...)]`.

use ndarray::Array2;
use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::marker::PhantomData;

/// A number, or a record of some.
pub trait Packed: Copy + Serialize + DeserializeOwned {
    /// Its length in a byte string.
    const BYTES: usize;

    /// Adds its bytes.
    fn put(&self, bytes: &mut Vec<u8>);

    /// That of the first bytes, which are taken away; there are at least [`Packed::BYTES`].
    fn take(bytes: &mut &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Packed for $number {
            const BYTES: usize = size_of::<$number>();

            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Self {
                let (own, rest) = bytes.split_at(size_of::<$number>());
                *bytes = rest;
                let mut word = [0; size_of::<$number>()];
                word.copy_from_slice(own);
                <$number>::from_le_bytes(word)
            }
        })*
    };
}

numbers!(f32, f64, u64);

impl Packed for [f32; 2] {
    const BYTES: usize = 8;

    fn put(&self, bytes: &mut Vec<u8>) {
        self.iter().for_each(|number| number.put(bytes));
    }

    fn take(bytes: &mut &[u8]) -> Self {
        [f32::take(bytes), f32::take(bytes)]
    }
}

/// A record as the numbers that its fields hold, in this order.
macro_rules! packed_record {
    ($record:ident { $($field:ident: $number:ty),* $(,)? }) => {
        impl $crate::model::byte_lists::Packed for $record {
            const BYTES: usize = 0 $(+ size_of::<$number>())*;

            fn put(&self, bytes: &mut Vec<u8>) {
                $($crate::model::byte_lists::Packed::put(&self.$field, bytes);)*
            }

            fn take(bytes: &mut &[u8]) -> Self {
                Self { $($field: <$number as $crate::model::byte_lists::Packed>::take(bytes)),* }
            }
        }
    };
}

pub(crate) use packed_record;

/// A list that is written.
struct Written<'a, T>(&'a [T]);

impl<T: Packed> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let mut bytes = Vec::with_capacity(T::BYTES * self.0.len());
        self.0.iter().for_each(|number| number.put(&mut bytes));
        serializer.serialize_bytes(&bytes)
    }
}

/// A list that was read.
struct Read<T>(Vec<T>);

impl<'de, T: Packed> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor(PhantomData)).map(Self)
    }
}

struct ReadVisitor<T>(PhantomData<T>);

impl<'de, T: Packed> Visitor<'de> for ReadVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "a list, or a byte string of {} bytes each", T::BYTES)
    }

    fn visit_bytes<E: Error>(self, mut bytes: &[u8]) -> Result<Vec<T>, E> {
        if !bytes.len().is_multiple_of(T::BYTES) {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok((0..bytes.len() / T::BYTES).map(|_| T::take(&mut bytes)).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new(); // no length is believed before its elements are there
        while let Some(number) = list.next_element()? {
            found.push(number);
        }
        Ok(found)
    }
}

/// Lists, each a byte string.
pub mod lists {
    use super::*;

    /// Writes each.
    pub fn serialize<S: Serializer, T: Packed>(lists: &[Vec<T>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(lists.iter().map(|list| Written(list)))
    }

    /// Reads each; an error where the bytes of one are no whole number of elements.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Packed>(deserializer: D) -> Result<Vec<Vec<T>>, D::Error> {
        Ok(Vec::<Read<T>>::deserialize(deserializer)?.into_iter().map(|list| list.0).collect())
    }
}

/// A matrix, its rows one after the other.
#[derive(Serialize)]
struct WrittenMatrix<'a> {
    dim: [usize; 2],
    data: Written<'a, f32>,
}

/// A matrix as it was read: of this module, or as `ndarray` writes it.
#[derive(Deserialize)]
struct ReadMatrix {
    dim: [usize; 2],
    data: Read<f32>,
}

/// Matrices, each with its shape and a byte string.
pub mod matrices {
    use super::*;

    /// Writes each.
    pub fn serialize<S: Serializer, M: Borrow<Array2<f32>>>(matrices: &[M], serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<_> = matrices.iter().map(|matrix| matrix.borrow().as_standard_layout()).collect();
        serializer.collect_seq(rows.iter().map(|matrix| {
            let (rows, columns) = matrix.dim();
            WrittenMatrix { dim: [rows, columns], data: Written(matrix.as_slice().unwrap_or_default()) }
        }))
    }

    /// Reads each; an error where one has not as many numbers as its shape says.
    pub fn deserialize<'de, D: Deserializer<'de>, M: From<Array2<f32>>>(deserializer: D) -> Result<Vec<M>, D::Error> {
        let matrix = |ReadMatrix { dim, data }| Array2::from_shape_vec(dim, data.0).map(M::from).map_err(D::Error::custom);
        Vec::<ReadMatrix>::deserialize(deserializer)?.into_iter().map(matrix).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciborium::Value;
    use ndarray::array;

    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        at: f64,
        count: u64,
        value: f32,
    }

    packed_record!(Point { at: f64, count: u64, value: f32 });

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Held {
        #[serde(with = "lists")]
        points: Vec<Vec<Point>>,
        #[serde(with = "matrices")]
        weights: Vec<Array2<f32>>,
    }

    /// The same without byte strings.
    #[derive(Serialize)]
    struct Plain {
        points: Vec<Vec<Point>>,
        weights: Vec<Array2<f32>>,
    }

    fn held() -> Held {
        let point = |i: u64| Point { at: 0.1 * i as f64, count: u64::MAX - i, value: f32::INFINITY };
        let points = vec![(0..3000).map(point).collect(), Vec::new()];
        Held { points, weights: vec![array![[1.0, -0.0, 1e-40], [0.1, 2.0, 3.0]].reversed_axes(), Array2::zeros((0, 4))] }
    }

    #[test]
    fn what_is_written_is_read_to_the_bit_from_either_form() {
        let (mut bytes, mut plain) = (Vec::new(), Vec::new());
        ciborium::into_writer(&held(), &mut bytes).unwrap();
        let Held { points, weights } = held();
        ciborium::into_writer(&Plain { points, weights }, &mut plain).unwrap();
        assert!(bytes.len() < 3000 * Point::BYTES + 200 && 3 * bytes.len() < 2 * plain.len(), "{} and {} bytes", bytes.len(), plain.len());
        for form in [bytes, plain] {
            let read: Held = ciborium::from_reader(form.as_slice()).unwrap();
            assert_eq!(read, held());
            assert_eq!(read.weights[0][[1, 0]].to_bits(), (-0.0_f32).to_bits());
        }
    }

    #[test]
    fn a_format_for_people_has_plain_lists() {
        let finite = Held { points: vec![vec![Point { at: 0.5, count: 1, value: 2.0 }]], weights: vec![array![[1.0, 2.0]]] };
        let text = serde_json::to_string(&finite).unwrap();
        assert!(text.contains("\"data\":[1.0,2.0]"), "{text}");
        assert_eq!(serde_json::from_str::<Held>(&text).unwrap(), finite);
    }

    #[test]
    fn what_is_no_whole_number_of_elements_or_of_another_shape_is_refused() {
        let shape = serde_json::from_str::<Held>("{\"points\": [], \"weights\": [{\"dim\": [2, 2], \"data\": [1, 2, 3]}]}");
        assert!(shape.unwrap_err().to_string().to_lowercase().contains("shape"));
        let points = Value::Array(vec![Value::Bytes(vec![0; Point::BYTES + 1])]);
        let short = Value::Map(vec![(Value::from("points"), points), (Value::from("weights"), Value::Array(Vec::new()))]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&short, &mut bytes).unwrap();
        let found = ciborium::from_reader::<Held, _>(bytes.as_slice()).unwrap_err().to_string();
        assert!(found.contains("20 bytes each"), "{found}");
    }
}
