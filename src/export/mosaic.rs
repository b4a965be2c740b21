//! Filters as a mosaic of tiles in a diverging colour map whose neutral colour is zero.

use image::{Rgb, RgbImage};
use ndarray::ArrayView2;
use std::sync::LazyLock;

/// What the strongest colour stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scale {
    /// Each filter's own largest |value|.
    #[default]
    PerFilter,
    /// The largest |value| of all.
    Shared,
}

/// Steps from neutral to an end of the colour map: colours are within one of 255 levels of the exact ones.
const STEPS: usize = 2048;

/// The colour map from -1 to 1, light and dark.
static COLOURS: LazyLock<[Vec<[u8; 3]>; 2]> =
    LazyLock::new(|| [false, true].map(|dark| (0..=2 * STEPS).map(|i| exact((i as f32 - STEPS as f32) / STEPS as f32, dark)).collect()));

/// Blue, neutral, red for a value in `[-1, 1]`; not a number gives the neutral colour. `dark`: black is neutral, else white.
pub fn diverging(value: f32, dark: bool) -> [u8; 3] {
    let value = if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) };
    COLOURS[usize::from(dark)][((value + 1.0) * STEPS as f32 + 0.5) as usize]
}

fn exact(value: f32, dark: bool) -> [u8; 3] {
    let neutral = if dark { [16.0, 16.0, 20.0] } else { [250.0, 250.0, 250.0] };
    let end: [f32; 3] = match (value > 0.0, dark) {
        (true, false) => [178.0, 24.0, 43.0],
        (false, false) => [33.0, 84.0, 172.0],
        (true, true) => [255.0, 138.0, 90.0],
        (false, true) => [92.0, 170.0, 255.0],
    };
    std::array::from_fn(|i| (neutral[i] + (end[i] - neutral[i]) * value.abs().powf(0.85)).round() as u8)
}

/// Where the tiles stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Tiles in a row.
    pub columns: usize,
    /// Rows of tiles.
    pub rows: usize,
    /// Pixels of a tile: `[height, width]`.
    pub tile: [usize; 2],
    /// Pixels between tiles.
    pub gap: usize,
}

impl Layout {
    /// As square as can be for `count` tiles.
    pub fn new(count: usize, tile: [usize; 2], gap: usize) -> Self {
        let columns = (count as f64).sqrt().ceil().max(1.0) as usize;
        Self { columns, rows: count.div_ceil(columns).max(1), tile, gap }
    }

    /// `[width, height]` in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.columns * (self.tile[1] + self.gap) + self.gap, self.rows * (self.tile[0] + self.gap) + self.gap]
    }

    /// Upper left corner `[x, y]` of a tile.
    pub fn corner(&self, position: usize) -> [usize; 2] {
        let (row, column) = (position / self.columns, position % self.columns);
        [self.gap + column * (self.tile[1] + self.gap), self.gap + row * (self.tile[0] + self.gap)]
    }

    /// The tile under a pixel, and the pixel within it as `[row, column]`.
    pub fn hit(&self, x: usize, y: usize) -> Option<(usize, [usize; 2])> {
        let (x, y) = (x.checked_sub(self.gap)?, y.checked_sub(self.gap)?);
        let (column, row) = (x / (self.tile[1] + self.gap), y / (self.tile[0] + self.gap));
        let (c, r) = (x % (self.tile[1] + self.gap), y % (self.tile[0] + self.gap));
        (c < self.tile[1] && r < self.tile[0] && column < self.columns).then_some((row * self.columns + column, [r, c]))
    }
}

/// The columns of `filters` `[pixels, units]` in `order` as a picture, one pixel a weight.
pub fn render(filters: ArrayView2<f32>, order: &[usize], layout: Layout, scale: Scale, dark: bool) -> RgbImage {
    let [width, height] = layout.size();
    let background = if dark { [52, 54, 60] } else { [205, 208, 214] };
    let mut picture = RgbImage::from_pixel(width as u32, height as u32, Rgb(background));
    let largest = |values: &mut dyn Iterator<Item = &f32>| values.fold(0.0f32, |top, v| if v.is_finite() { top.max(v.abs()) } else { top });
    let shared = largest(&mut filters.iter());
    for (position, &unit) in order.iter().enumerate().filter(|(_, unit)| **unit < filters.ncols()) {
        let column = filters.column(unit);
        let top = if scale == Scale::Shared { shared } else { largest(&mut column.iter()) };
        let [left, upper] = layout.corner(position);
        for (i, value) in column.iter().enumerate() {
            let (row, c) = (i / layout.tile[1], i % layout.tile[1]);
            if row < layout.tile[0] {
                let relative = if top > 0.0 { value / top } else { 0.0 };
                picture.put_pixel((left + c) as u32, (upper + row) as u32, Rgb(diverging(relative, dark)));
            }
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_colours_is_within_one_level_of_the_exact_map() {
        for i in -1000..=1000 {
            for dark in [false, true] {
                let (shown, exact) = (diverging(i as f32 / 1000.0, dark), exact(i as f32 / 1000.0, dark));
                assert!((0..3).all(|k| shown[k].abs_diff(exact[k]) <= 1), "{i}: {shown:?} for {exact:?}");
            }
        }
        assert_eq!([-1.0, 0.0, 1.0].map(|v| diverging(v, true)), [-1.0, 0.0, 1.0].map(|v| exact(v, true)));
        assert_eq!([-9.0, f32::NAN, 9.0].map(|v| diverging(v, false)), [-1.0, 0.0, 1.0].map(|v| exact(v, false)));
    }

    #[test]
    fn zero_and_nan_are_neutral_and_tiles_are_found_again() {
        let filters = ndarray::array![[0.0f32, 1.0, f32::NAN], [0.0, -2.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]];
        let layout = Layout::new(3, [2, 2], 1);
        let picture = render(filters.view(), &[0, 1, 2], layout, Scale::PerFilter, false);
        let pixel = |tile: usize, row: usize, column: usize| {
            let [x, y] = layout.corner(tile);
            assert_eq!(layout.hit(x + column, y + row), Some((tile, [row, column])));
            picture.get_pixel((x + column) as u32, (y + row) as u32).0
        };
        assert_eq!(pixel(0, 0, 0), diverging(0.0, false));
        assert_eq!(pixel(2, 0, 0), diverging(0.0, false));
        assert_eq!(pixel(1, 0, 1), diverging(-1.0, false));
        assert_eq!(pixel(1, 1, 1), diverging(1.0, false));
        assert_eq!(layout.hit(0, 0), None);
    }
}
