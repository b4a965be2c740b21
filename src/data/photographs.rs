//! The embedded photographs and their attribution.

use crate::data::{DataError, ReadError, images::grey};
use ndarray::Array2;
use rayon::prelude::*;

/// One embedded photograph.
#[derive(Clone, Copy, Debug)]
pub struct Photograph {
    /// File name.
    pub name: &'static str,
    /// PNG.
    pub bytes: &'static [u8],
}

/// name, author, licence of each, tab-separated with a header line.
pub const LICENCES: &str = include_str!("../../assets/photographs/LICENSES.tsv");

macro_rules! photographs {
    ($($name:literal),* $(,)?) => {
        /// All of them.
        pub const ALL: &[Photograph] =
            &[$(Photograph { name: $name, bytes: include_bytes!(concat!("../../assets/photographs/", $name)) }),*];
    };
}

photographs![
    "n01_stream_rocks.png",
    "n02_forest_trunks.png",
    "n03_bank_branches.png",
    "n04_peak_snow.png",
    "n05_path_meadow.png",
    "n06_crag_cloud.png",
    "n07_mountain.png",
    "n08_spruce_bushes.png",
    "n09_dandelions.png",
    "n10_raccoon.png",
    "n11_grass.png",
    "n12_gravel.png",
];

/// (file, author, licence) of each photograph.
pub fn attribution() -> Vec<(&'static str, &'static str, &'static str)> {
    let row = |line: &'static str| {
        let mut cells = line.split('\t');
        Some((cells.next()?, cells.nth(2)?, cells.next()?))
    };
    LICENCES.lines().skip(1).filter_map(row).collect()
}

impl Photograph {
    /// Its grey levels 0 to 1, `[rows, columns]`.
    pub fn image(&self) -> Result<Array2<f32>, DataError> {
        let picture = image::load_from_memory(self.bytes).map_err(|e| ReadError::Content(e.to_string()));
        picture.and_then(|picture| grey(&picture)).map_err(|problem| DataError::File { path: self.name.into(), problem })
    }
}

/// Grey levels 0 to 1 of all photographs, `[rows, columns]` each.
pub fn images() -> Result<Vec<Array2<f32>>, DataError> {
    ALL.par_iter().map(Photograph::image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_photograph_decodes_and_is_attributed() {
        assert!(images().unwrap().iter().all(|image| image.dim() == (512, 512)));
        let attributed = attribution();
        assert!(ALL.iter().all(|p| attributed.iter().any(|a| a.0 == p.name && !a.1.is_empty() && !a.2.is_empty())));
    }
}
