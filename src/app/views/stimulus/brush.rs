//! The brush: a disc that is drawn along the pointer's way over a picture.

use super::edit::Edit;

/// What the brush does to pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Frees them.
    #[default]
    Occlude,
    /// Clamps them again.
    Clamp,
    /// The lightest value.
    Light,
    /// The darkest value.
    Dark,
    /// Takes back what was drawn.
    Erase,
}

impl Tool {
    /// All, with name and tooltip.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Occlude, "Occlude", "Free the pixels under the brush: they are sampled with all others clamped (in-painting)"),
        (Self::Clamp, "Clamp back", "Give freed pixels their value again"),
        (Self::Light, "Draw light", "Draw with the lightest value"),
        (Self::Dark, "Draw dark", "Draw with the darkest value"),
        (Self::Erase, "Erase", "Take back what was drawn: the original value again"),
    ];
}

/// Pixels whose centres lie within `radius` of the way from `from` to `to` (row, column; pixels) in a picture of `count` pixels,
/// `columns` wide; at least the pixel under `to`.
pub fn stroke(count: usize, columns: usize, from: [f32; 2], to: [f32; 2], radius: f32) -> impl Iterator<Item = usize> {
    let way = [to[0] - from[0], to[1] - from[1]];
    let length = way[0] * way[0] + way[1] * way[1];
    let under = |value: f32, most: usize| (value >= 0.0 && value < most as f32).then_some(value as usize);
    let last = under(to[0], count / columns).zip(under(to[1], columns)).map(|(row, column)| row * columns + column);
    (0..count).filter(move |&i| {
        let centre = [(i / columns) as f32 + 0.5, (i % columns) as f32 + 0.5];
        let off = [centre[0] - from[0], centre[1] - from[1]];
        let along = if length > 0.0 { ((off[0] * way[0] + off[1] * way[1]) / length).clamp(0.0, 1.0) } else { 0.0 };
        let (dy, dx) = (off[0] - along * way[0], off[1] - along * way[1]);
        dx * dx + dy * dy <= radius * radius || last == Some(i)
    })
}

impl Edit {
    /// Applies a tool to these pixels; `[dark, light]` are the values drawn with.
    pub fn paint(&mut self, tool: Tool, pixels: impl Iterator<Item = usize>, [dark, light]: [f32; 2]) {
        for i in pixels {
            match tool {
                Tool::Occlude => self.free[i] = true,
                Tool::Clamp => self.free[i] = false,
                Tool::Light => self.adjustments.painted[i] = Some(light),
                Tool::Dark => self.adjustments.painted[i] = Some(dark),
                Tool::Erase => self.adjustments.painted[i] = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_covers_a_disc_along_its_way() {
        let disc = |from, to, radius| stroke(25, 5, from, to, radius).collect::<Vec<_>>();
        assert_eq!(disc([2.5, 2.5], [2.5, 2.5], 1.1), [7, 11, 12, 13, 17]);
        assert_eq!(disc([-3.0, 2.0], [-3.0, 2.0], 1.5), [0usize; 0]);
        assert_eq!(disc([0.5, 0.5], [0.5, 4.5], 0.5), [0, 1, 2, 3, 4], "a fast drag leaves no gap");
        assert_eq!(disc([1.9, 1.1], [1.9, 1.1], 0.2), [6], "the pixel under a tiny brush");
    }
}
