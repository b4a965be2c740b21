//! Second-layer units as SVG: of each, the first-layer filters that it drives, as bars at their place.

use crate::export::mosaic::Layout;
use std::fmt::Write;

/// A filter as a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// The first-layer unit.
    pub filter: usize,
    /// One end, pixels from the left and from the top of the patch.
    pub from: [f32; 2],
    /// The other end.
    pub to: [f32; 2],
    /// Weight, as a share of the unit's strongest.
    pub weight: f32,
}

/// Screen units a pixel of the patch.
const ZOOM: usize = 8;

/// One patch a unit, of `shape`, rows and columns; red bars where the weight is positive, blue ones where it is negative, fainter where it is
/// weaker. Each patch has the unit's number as its title.
pub fn svg(units: &[(usize, Vec<Bar>)], shape: [usize; 2]) -> String {
    let tile @ [tall, wide] = shape.map(|side| side * ZOOM);
    let layout = Layout::new(units.len(), tile, 4);
    let [width, height] = layout.size();
    let mut text = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\">\n");
    let zoom = ZOOM as f32;
    for (position, (unit, bars)) in units.iter().enumerate() {
        let [x, y] = layout.corner(position);
        // A nested svg element clips what reaches out of its patch. Writing to a String cannot fail.
        let _ = writeln!(text, "<svg x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{tall}\"><title>unit {unit}</title>");
        let _ = writeln!(text, "<rect width=\"{wide}\" height=\"{tall}\" fill=\"white\" stroke=\"#c8c8c8\"/>");
        for Bar { filter, from, to, weight } in bars {
            let color = if *weight > 0.0 { "#d63c32" } else { "#3c6ee1" };
            let [x1, y1, x2, y2] = [from[0], from[1], to[0], to[1]].map(|v| v * zoom);
            let _ = writeln!(
                text,
                "<line x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\" stroke=\"{color}\" stroke-width=\"3\" \
                 stroke-opacity=\"{:.2}\"><title>unit {filter} of layer 1: {weight:+.2} of the strongest</title></line>",
                weight.abs()
            );
        }
        text.push_str("</svg>\n");
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_is_a_line_of_its_colour() {
        let bar = |weight: f32| Bar { filter: 3, from: [1.0, 2.0], to: [4.0, 2.0], weight };
        let text = svg(&[(7, vec![bar(1.0), bar(-0.5)]), (8, Vec::new())], [6, 9]);
        assert_eq!((text.matches("<line").count(), text.matches("<rect").count()), (2, 2));
        assert_eq!(text.matches("width=\"72\" height=\"48\"").count(), 4, "six rows of nine pixels");
        assert!(text.contains("x1=\"8.00\" y1=\"16.00\" x2=\"32.00\"") && text.contains("unit 7"), "{text}");
        assert_eq!((text.matches("#d63c32").count(), text.matches("#3c6ee1").count()), (1, 1));
    }
}
