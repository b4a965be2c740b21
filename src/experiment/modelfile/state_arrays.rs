//! A session's state as arrays and one text of an archive, and back.

use super::{ModelFile, ModelFileError, STATE, add_model};
use crate::dynamics::{StateArray, StateValues};
use crate::experiment::session::{SessionCounters, SessionState};
use crate::export::FileError;
use crate::export::npz::Archive;
use ndarray::{Array0, ArrayViewD, IxDyn};
use ndarray_npy::WritableElement;
use serde::{Deserialize, Serialize};

/// The version of the state's form. What is added to it or means something else makes the next.
pub(super) const FORMAT: i64 = 1;

/// The text `state`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    format: i64,
    session: SessionCounters,
}

/// A model file of this state, to be written. Without `save_latents` the chains are left out.
pub fn state_archive(mut state: SessionState) -> Result<Archive, FileError> {
    if !state.config.stimulus.save_latents {
        state.leave_out_chains();
    }
    let mut archive = Archive::default();
    add_model(&mut archive, &state.config, &state.model)?;
    let numbers = Numbers { format: FORMAT, session: state.counters().clone() };
    archive.add_text(STATE, &toml::to_string(&numbers).map_err(|e| FileError::encode("the numbers of the state", e))?)?;
    let updates = numbers.session.weight_updates.iter().chain(&numbers.session.bias_updates);
    if let Some(count) = updates.max().filter(|&&count| count > 0) {
        archive.add("adam_count", &Array0::from_elem((), *count as f32))?; // where earlier versions look for it
    }
    state.arrays().iter().try_for_each(|array| add(&mut archive, array))?;
    Ok(archive)
}

/// Adds an array: in single precision as it is, of other types as bytes, with one more axis at the end.
fn add(archive: &mut Archive, array: &StateArray) -> Result<(), FileError> {
    match &array.values {
        StateValues::Single(parts) => match &parts[..] {
            [only] => add_values(archive, array, only, &[]),
            parts => add_values(archive, array, &bytes_of(parts, |value| [value]), &[]),
        },
        StateValues::Double(parts) => add_values(archive, array, &bytes_of(parts, f64::to_le_bytes), &[8]),
        StateValues::Whole(parts) => add_values(archive, array, &bytes_of(parts, u32::to_le_bytes), &[4]),
    }
}

/// What each value becomes, one behind the other.
fn bytes_of<T: Copy, B, const N: usize>(parts: &[&mut [T]], bytes: impl Fn(T) -> [B; N]) -> Vec<B> {
    parts.iter().flat_map(|part| part.iter()).flat_map(|&value| bytes(value)).collect()
}

fn add_values<T: WritableElement>(archive: &mut Archive, array: &StateArray, values: &[T], item: &[usize]) -> Result<(), FileError> {
    let shape = if array.shape.is_empty() { vec![array.values.len()] } else { array.shape.clone() };
    let view = ArrayViewD::from_shape(IxDyn(&[&shape, item].concat()), values);
    archive.add(&array.name, &view.map_err(|e| FileError::encode(format!("array {}", array.name), e))?)
}

/// The numbers of the state, of the present form; None where there is no state, the number of the form where it is another one.
pub(super) fn read_numbers(file: &mut ModelFile) -> Result<Option<Result<SessionCounters, i64>>, ModelFileError> {
    if !file.has(STATE) {
        return Ok(None);
    }
    let text = file.archive.text(STATE)?;
    let wrong = |problem: String| file.wrong(format!("{STATE}: {problem}"));
    let table: toml::Table = toml::from_str(&text).map_err(|e| wrong(e.message().into()))?;
    match table.get("format").and_then(toml::Value::as_integer) {
        Some(FORMAT) => {}
        Some(other) => return Ok(Some(Err(other))),
        None => return Err(wrong("it has no number `format`".into())),
    }
    let numbers: Numbers = table.try_into().map_err(|e: toml::de::Error| wrong(e.message().into()))?;
    Ok(Some(Ok(numbers.session)))
}

/// Fills an array of the state from the file.
pub(super) fn read(file: &mut ModelFile, array: &mut StateArray) -> Result<(), ModelFileError> {
    let (name, count) = (&array.name, array.values.len());
    let spoiled = match &mut array.values {
        StateValues::Single(parts) => {
            let values: Vec<f32> = file.archive.values(name, count)?;
            spread(&values, parts);
            values.iter().position(|value| !value.is_finite()).map(|at| (at, values[at].to_string()))
        }
        StateValues::Double(parts) => {
            let values = numbers(&file.archive.values(name, count.saturating_mul(8))?, f64::from_le_bytes);
            spread(&values, parts);
            values.iter().position(|value| !value.is_finite()).map(|at| (at, values[at].to_string()))
        }
        StateValues::Whole(parts) => {
            spread(&numbers(&file.archive.values(name, count.saturating_mul(4))?, u32::from_le_bytes), parts);
            None
        }
    };
    let Some((at, value)) = spoiled else { return Ok(()) };
    let place = match array.shape[..] {
        [_, columns] => format!("the value in row {}, column {}", at / columns, at % columns),
        _ => format!("value {at}"),
    };
    Err(file.wrong(format!("{name}: {place} is {value}: all must be finite")))
}

fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|bytes| number(*bytes)).collect()
}

/// Copies values into parts that together hold as many.
fn spread<T: Copy>(mut values: &[T], parts: &mut [&mut [T]]) {
    for part in parts {
        let (own, rest) = values.split_at(part.len());
        part.copy_from_slice(own);
        values = rest;
    }
}
