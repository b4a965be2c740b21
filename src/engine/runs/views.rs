//! What the views of a run have shown: columns of numbers by their names, as the window hands them over.

use crate::engine::watch::Watch;
use crate::export::FileError;
use crate::export::npz::{Archive, open};
use ndarray::{Array2, Ix2};
use std::path::Path;

/// The text that says of which form the file is, and the form that this version reads.
const FORM: &str = "format";
const FORMAT: &str = "1";
/// The text that says what was watched.
const WATCH: &str = "watch";
/// Begins the name of each text in the file.
const TEXT: &str = "text_";

/// Arrays `[rows, columns]` by their names, and texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewArrays {
    /// Each with its name.
    pub arrays: Vec<(String, Array2<f32>)>,
    /// Each with its name.
    pub texts: Vec<(String, String)>,
    /// What was watched.
    pub watch: Option<Watch>,
}

impl ViewArrays {
    /// The array of this name.
    pub fn array(&self, name: &str) -> Option<&Array2<f32>> {
        self.arrays.iter().find(|(key, _)| key == name).map(|(_, array)| array)
    }

    /// The text of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str())
    }

    /// As an NPZ file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, FileError> {
        let mut archive = Archive::default();
        archive.add_text(FORM, FORMAT)?;
        archive.add_text("names", &self.arrays.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\n"))?;
        archive.add_text("texts", &self.texts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\n"))?;
        if let Some(watch) = &self.watch {
            archive.add_text(WATCH, &serde_json::to_string(watch).map_err(|error| FileError::encode("what is watched", error))?)?;
        }
        self.arrays.iter().try_for_each(|(name, array)| archive.add(name, array))?;
        self.texts.iter().try_for_each(|(name, text)| archive.add_text(&format!("{TEXT}{name}"), text))?;
        archive.into_bytes()
    }

    /// From such a file; None where it is not there, not whole or of another form: views begin anew then.
    pub fn load(path: &Path) -> Option<Self> {
        let mut file = open(path).ok()?;
        if file.text(FORM).ok()? != FORMAT {
            return None;
        }
        let watch = if file.has(WATCH) { serde_json::from_str(&file.text(WATCH).ok()?).ok() } else { None };
        let mut found = Self { watch, ..Self::default() };
        for name in file.text("names").ok()?.lines() {
            let array = file.array(name).ok()?.into_dimensionality::<Ix2>().ok()?;
            found.arrays.push((name.into(), array.as_standard_layout().into_owned()));
        }
        for name in file.text("texts").ok()?.lines() {
            found.texts.push((name.into(), file.text(&format!("{TEXT}{name}")).ok()?));
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_views_have_shown_comes_back_and_a_damaged_file_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views.npz");
        let views = ViewArrays {
            arrays: vec![
                ("learning".into(), Array2::from_shape_fn((3, 2), |(i, j)| (i * j) as f32)),
                ("empty".into(), Array2::zeros((0, 4))),
            ],
            texts: vec![("layout".into(), "(a: \"b\")\nsecond line".into())],
            watch: Some(Watch::first_units(4)),
        };
        let bytes = views.to_bytes().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let again = ViewArrays::load(&path).unwrap();
        assert_eq!(again, views);
        assert_eq!(again.array("learning").unwrap()[[2, 1]], 2.0);
        assert!(again.array("nothing").is_none() && again.text("layout").unwrap().ends_with("line"));
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(ViewArrays::load(&path), None);
        assert_eq!(ViewArrays::load(&folder.path().join("none.npz")), None);
    }
}
