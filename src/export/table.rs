//! Columns of numbers as CSV or NPY.

use crate::export::{FileError, ending, is_stream, write_atomically};
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use std::fmt::Write as _;
use std::path::Path;

/// The endings of files that a table can be written to.
pub const TABLE_ENDINGS: &str = ".csv or .npy";

/// Named columns; shorter ones end in empty cells (CSV) or NaN (NPY).
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Table {
    /// Name and values of each.
    pub columns: Vec<(String, Vec<f64>)>,
}

impl Table {
    /// Adds a column.
    pub fn push(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = f64>) {
        self.columns.push((name.into(), values.into_iter().collect()));
    }

    fn rows(&self) -> usize {
        self.columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0)
    }

    /// As CSV: one line of names, quoted where they hold a comma.
    pub fn csv(&self) -> String {
        let quote = |name: &String| if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.clone() };
        let mut out = self.columns.iter().map(|(name, _)| quote(name)).collect::<Vec<_>>().join(",");
        out.push('\n');
        for row in 0..self.rows() {
            for (i, (_, values)) in self.columns.iter().enumerate() {
                let separator = if i == 0 { "" } else { "," };
                let _ = match values.get(row) {
                    Some(value) => write!(out, "{separator}{value}"),
                    None => write!(out, "{separator}"),
                };
            }
            out.push('\n');
        }
        out
    }

    /// Writes CSV, or NPY (float64, `[rows, columns]`) by the file's ending; CSV to what is no regular file.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        match ending(path).as_str() {
            "csv" => write_atomically(path, self.csv().as_bytes()),
            "npy" => {
                let cell = |(row, column): (usize, usize)| self.columns[column].1.get(row).copied().unwrap_or(f64::NAN);
                let array = Array2::from_shape_fn((self.rows(), self.columns.len()), cell);
                let mut bytes = Vec::new();
                array.write_npy(&mut bytes).map_err(|e| FileError::encode(format!("cannot write {}", path.display()), e))?;
                write_atomically(path, &bytes)
            }
            _ if is_stream(path) => write_atomically(path, self.csv().as_bytes()),
            _ => Err(FileError::Ending { path: path.into(), needed: TABLE_ENDINGS }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table::default();
        table.push("time, ms", [0.5, 1.0, 1.5]);
        table.push("x", [-2.25, 1e-9]);
        assert_eq!(table.csv(), "\"time, ms\",x\n0.5,-2.25\n1,0.000000001\n1.5,\n");
        table.save(&folder.path().join("t.npy")).unwrap();
        let array: Array2<f64> = ndarray_npy::read_npy(folder.path().join("t.npy")).unwrap();
        assert!(array[[1, 1]] == 1e-9 && array[[2, 1]].is_nan() && array.dim() == (3, 2));
        assert!(table.save(&folder.path().join("t.txt")).unwrap_err().to_string().contains(".csv"));
    }
}
