//! How the filters of a layer are written weight by weight: as a mosaic of whole pixels, as numbers, each by itself, or as their fits.

use crate::app::actions::{Action, ExportSettings, PathField};
use crate::app::widgets::choice::choice;
use crate::app::widgets::number_field::slider;
use crate::app::widgets::path_field::{FILTERS, path_field};
use crate::app::widgets::switch::Switches as _;
use crate::export::filters::Format;
use crate::export::mosaic::ColourMap;
use egui::Ui;
use std::path::PathBuf;

/// What these files are called among the figures of their view.
pub(super) const ALL_FILTERS: &str = "All filters, weight by weight";

/// Formats, their names, and the endings of their files.
const FORMATS: [(Format, &str, &str); 5] = [
    (Format::Png, "PNG", "png"),
    (Format::Svg, "SVG", "svg"),
    (Format::Npy, "NPY", "npy"),
    (Format::EachPng, "A PNG each", ""),
    (Format::Csv, "Fits (CSV)", "csv"),
];

/// The fields; what has no effect on the format is left out.
pub(super) fn filter_fields(ui: &mut Ui, settings: &mut ExportSettings, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        for (format, name, ending) in FORMATS {
            if ui.switch_value(&mut settings.format, format, name).clicked() {
                settings.path = PathBuf::from(&settings.path).with_extension(ending).display().to_string();
            }
        }
    });
    let is_picture = matches!(settings.format, Format::Png | Format::Svg | Format::EachPng);
    if is_picture {
        colours(ui, &mut settings.look.map);
    }
    if settings.format == Format::Svg {
        ui.checkbox(&mut settings.outlines, "Outline the Gabor fits");
    } else if is_picture {
        let label = ui.label("Screen pixels a weight");
        ui.add(slider(&mut settings.zoom, 1..=16, "")).labelled_by(label.id);
    }
    ui.weak(match settings.format {
        Format::Npy => "Units x rows x columns, as 32-bit numbers",
        Format::EachPng => "A folder of pictures, one a unit",
        Format::Csv => "A row a unit: place, orientation, frequency, phase, widths, R^2",
        Format::Png | Format::Svg => "The units in their order, on a light ground",
    });
    let label = ui.label(if settings.format == Format::EachPng { "Folder" } else { "File" });
    ui.horizontal(|ui| {
        if path_field(ui, &label, FILTERS, &mut settings.path) {
            actions.push(Action::Export);
        }
        if ui.button("Choose").clicked() {
            actions.push(Action::Dialog(PathField::Export));
        }
    });
}

/// A list of colour maps.
pub(super) fn colours(ui: &mut Ui, map: &mut ColourMap) {
    ui.horizontal(|ui| choice(ui, "Colours", 130.0, map, &ColourMap::ALL.map(|map| (map, map.name()))));
}
