//! Learned filters as files: PNG mosaic, SVG, NPY, one PNG a filter.

use crate::export::mosaic::{ColourMap, Colours, Layout, Scale, render};
use crate::export::table::Table;
use crate::export::{FileError, npz, save_png, write_atomically};
use ndarray::{Array3, ArrayView2};
use std::fmt::Write;
use std::path::Path;

/// How filters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Format {
    /// A mosaic.
    Png,
    /// A mosaic of rectangles, one group a filter.
    Svg,
    /// `[units, rows, columns]`, float32.
    Npy,
    /// A folder with one PNG a filter.
    EachPng,
    /// One row a filter.
    Csv,
}

impl Format {
    /// The ending of its files; None where it is a folder.
    pub fn ending(self) -> Option<&'static str> {
        match self {
            Self::Png => Some(".png"),
            Self::Svg => Some(".svg"),
            Self::Npy => Some(".npy"),
            Self::EachPng => None,
            Self::Csv => Some(".csv"),
        }
    }
}

/// What pictures of filters look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Look {
    /// What the strongest colour stands for.
    pub scale: Scale,
    /// Colours, on a light ground.
    pub map: ColourMap,
}

impl Look {
    fn colours(self) -> Colours {
        Colours { map: self.map, dark: false }
    }
}

/// An ellipse laid over a filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// Pixels from the left and from the top of the filter.
    pub centre: [f32; 2],
    /// Half axes, pixels.
    pub radii: [f32; 2],
    /// Of the first half axis, radians, clockwise from the right as seen on screen.
    pub angle: f32,
}

/// Writes the columns of `filters` `[pixels, units]`, each a picture of `shape`, rows and columns; `zoom` is screen pixels a weight;
/// `ellipses`, by unit, are laid over an SVG. Errors name the path.
pub fn save(
    path: &Path,
    filters: ArrayView2<f32>,
    shape: [usize; 2],
    format: Format,
    look: Look,
    zoom: u32,
    ellipses: &[Option<Ellipse>],
) -> Result<(), FileError> {
    if !(1..=64).contains(&zoom) {
        return Err(FileError::OutOfRange { key: "zoom", value: zoom.to_string(), range: "1 to 64" });
    }
    let order: Vec<usize> = (0..filters.ncols()).collect();
    let layout = Layout::new(order.len(), shape, 1);
    let enlarged = |picture: &image::RgbImage| {
        let (w, h) = (picture.width() * zoom, picture.height() * zoom);
        image::imageops::resize(picture, w, h, image::imageops::FilterType::Nearest)
    };
    match format {
        Format::Png => save_png(path, &enlarged(&render(filters, &order, layout, look.scale, look.colours()))),
        Format::Svg => write_atomically(path, svg(filters, layout, look, ellipses).as_bytes()),
        Format::Npy => {
            let [rows, columns] = shape;
            let stack = Array3::from_shape_fn((filters.ncols(), rows, columns), |(u, r, c)| filters[[r * columns + c, u]]);
            npz::save_npy(path, &stack)
        }
        Format::Csv => {
            let mut table = Table::default();
            table.push("unit", order.iter().map(|&unit| unit as f64));
            for (i, row) in filters.rows().into_iter().enumerate() {
                table.push(format!("w{i}"), row.iter().map(|&w| f64::from(w)));
            }
            write_atomically(path, table.csv().as_bytes())
        }
        Format::EachPng => {
            std::fs::create_dir_all(path).map_err(|problem| FileError::Folder { path: path.into(), problem })?;
            for unit in order {
                let alone = Layout { columns: 1, rows: 1, tile: layout.tile, gap: 0 };
                let shown = if look.scale == Scale::Shared { None } else { Some(()) };
                let column = filters.slice(ndarray::s![.., unit..=unit]);
                let picture = match shown {
                    Some(()) => render(column, &[0], alone, look.scale, look.colours()),
                    None => {
                        let top = filters.iter().fold(0.0f32, |t, v| if v.is_finite() { t.max(v.abs()) } else { t });
                        // Rendered with the shared maximum as an extra column that is not shown.
                        let padded = ndarray::concatenate![ndarray::Axis(1), column, ndarray::Array2::from_elem((column.nrows(), 1), top)];
                        render(padded.view(), &[0], alone, look.scale, look.colours())
                    }
                };
                save_png(&path.join(format!("filter_{unit:03}.png")), &enlarged(&picture))?;
            }
            Ok(())
        }
    }
}

fn svg(filters: ArrayView2<f32>, layout: Layout, look: Look, ellipses: &[Option<Ellipse>]) -> String {
    let order: Vec<usize> = (0..filters.ncols()).collect();
    let picture = render(filters, &order, layout, look.scale, look.colours());
    let [width, height] = layout.size();
    let mut text = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" shape-rendering=\"crispEdges\">\n");
    for unit in order {
        let [x, y] = layout.corner(unit);
        let _ = writeln!(text, "<g><title>unit {unit}</title>"); // writing to a String cannot fail
        for row in 0..layout.tile[0] {
            for column in 0..layout.tile[1] {
                let [r, g, b] = picture.get_pixel((x + column) as u32, (y + row) as u32).0;
                let _ = writeln!(
                    text,
                    "<rect x=\"{}\" y=\"{}\" width=\"1\" height=\"1\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>",
                    x + column,
                    y + row
                );
            }
        }
        if let Some(Some(e)) = ellipses.get(unit) {
            let ([cx, cy], degrees) = ([x as f32 + e.centre[0], y as f32 + e.centre[1]], e.angle.to_degrees());
            let _ = writeln!(
                text,
                "<ellipse cx=\"{cx:.2}\" cy=\"{cy:.2}\" rx=\"{:.2}\" ry=\"{:.2}\" transform=\"rotate({degrees:.1} {cx:.2} {cy:.2})\" \
                 fill=\"none\" stroke=\"black\" stroke-width=\"0.25\" shape-rendering=\"geometricPrecision\"/>",
                e.radii[0], e.radii[1]
            );
        }
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: Look = Look { scale: Scale::Shared, map: ColourMap::BlueRed };

    #[test]
    fn every_format_is_written_and_bad_folders_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let filters = ndarray::Array2::from_shape_fn((9, 4), |(i, j)| i as f32 - j as f32);
        for (name, format) in
            [("a.png", Format::Png), ("a.svg", Format::Svg), ("a.npy", Format::Npy), ("each", Format::EachPng), ("a.csv", Format::Csv)]
        {
            save(&folder.path().join(name), filters.view(), [3, 3], format, SHARED, 3, &[]).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path().join("each")).unwrap().count(), 4);
        assert_eq!(image::open(folder.path().join("a.png")).unwrap().width(), 3 * (2 * 4 + 1));
        let text = std::fs::read_to_string(folder.path().join("a.csv")).unwrap();
        assert_eq!(text.lines().nth(2).unwrap(), "1,-1,0,1,2,3,4,5,6,7", "unit 1 and its weights");
        let ellipse = Ellipse { centre: [1.5, 1.0], radii: [2.0, 1.0], angle: 0.0 };
        save(&folder.path().join("a.svg"), filters.view(), [3, 3], Format::Svg, SHARED, 3, &[None, Some(ellipse)]).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("a.svg")).unwrap().matches("<ellipse").count(), 1);
        let back: Array3<f32> = npz::read_npy(&folder.path().join("a.npy")).unwrap();
        assert_eq!(back[[3, 2, 1]], filters[[7, 3]]);
        let error = save(&folder.path().join("none/a.png"), filters.view(), [3, 3], Format::Png, SHARED, 3, &[]).unwrap_err();
        assert!(format!("{error:#}").contains("none"), "{error:#}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
