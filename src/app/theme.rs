//! Every colour that is not a widget's own. The series are Okabe and Ito's, told apart by the colour-blind.

use crate::export::mosaic::{ColourMap, Colours};
use egui::{Color32, Context, Id, Ui};

/// Colours of series, in order.
pub const SERIES: [Color32; 6] = [
    Color32::from_rgb(0, 114, 178),
    Color32::from_rgb(213, 94, 0),
    Color32::from_rgb(0, 158, 115),
    Color32::from_rgb(204, 121, 167),
    Color32::from_rgb(230, 159, 0),
    Color32::from_rgb(86, 180, 233),
];

/// Colours of chains over the bluish densities.
pub const CHAINS: [Color32; 4] = [SERIES[1], SERIES[4], SERIES[3], SERIES[2]];

/// Colours of the samplers of a race.
pub const RACERS: [Color32; 4] = [SERIES[1], SERIES[2], SERIES[3], SERIES[4]];

/// The exact answer beside a measured one.
pub fn exact(dark: bool) -> Color32 {
    if dark { Color32::from_gray(210) } else { Color32::from_gray(40) }
}

/// Published measurements of others.
pub fn published(dark: bool) -> Color32 {
    if dark { Color32::from_rgb(200, 150, 60) } else { Color32::from_rgb(190, 120, 0) }
}

/// Bars of a histogram.
pub fn histogram(dark: bool) -> Color32 {
    if dark { Color32::from_rgb(70, 105, 150) } else { Color32::from_rgb(150, 185, 225) }
}

fn colour_map() -> Id {
    Id::unique("colour map of signed values")
}

/// Says which colours signed values have in what is drawn with this context.
pub fn set_colour_map(ctx: &Context, map: ColourMap) {
    ctx.data_mut(|data| data.insert_temp(colour_map(), map));
}

/// The colours of signed values here.
pub fn colours(ui: &Ui) -> Colours {
    Colours { map: ui.data(|data| data.get_temp(colour_map())).unwrap_or_default(), dark: ui.visuals().dark_mode }
}

/// What raises (red) and what lowers (blue).
pub fn signed(value: f32) -> Color32 {
    if value > 0.0 { Color32::from_rgb(214, 60, 50) } else { Color32::from_rgb(60, 110, 225) }
}

/// Something that deserves a look.
pub fn caution(dark: bool) -> Color32 {
    if dark { Color32::from_rgb(240, 180, 60) } else { Color32::from_rgb(160, 95, 0) }
}

/// Something that is wrong.
pub fn alarm(dark: bool) -> Color32 {
    if dark { Color32::from_rgb(255, 110, 100) } else { Color32::from_rgb(190, 20, 20) }
}

/// A density from 0 to 1 as a colour over the plot's background.
pub fn density(value: f64, dark: bool) -> Color32 {
    let steps = (value.clamp(0.0, 1.0).sqrt() * 9.0).floor() / 9.0; // bands: filled contours
    let [r, g, b] = if dark { [85.0, 150.0, 235.0] } else { [40.0, 100.0, 180.0] };
    Color32::from_rgba_unmultiplied(r as u8, g as u8, b as u8, (steps * if dark { 215.0 } else { 190.0 }) as u8)
}

/// Pixels that are free, in two alternating colours.
pub fn freed(even: bool, dark: bool) -> Color32 {
    match (even, dark) {
        (true, true) => Color32::from_rgb(92, 74, 24),
        (false, true) => Color32::from_rgb(58, 48, 20),
        (true, false) => Color32::from_rgb(240, 214, 140),
        (false, false) => Color32::from_rgb(252, 238, 196),
    }
}
