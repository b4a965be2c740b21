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

/// The colours of signed values; those of no map differ by red against green alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ColourMap {
    /// Below zero blue, above red.
    #[default]
    BlueRed,
    /// Below zero green, above purple.
    GreenPurple,
    /// Below zero black, above white, zero grey.
    Greys,
}

impl ColourMap {
    /// All.
    pub const ALL: [Self; 3] = [Self::BlueRed, Self::GreenPurple, Self::Greys];

    /// Its colours from below zero to above.
    pub fn name(self) -> &'static str {
        match self {
            Self::BlueRed => "blue to red",
            Self::GreenPurple => "green to purple",
            Self::Greys => "black to white",
        }
    }
}

/// A colour map on a ground.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colours {
    /// The map.
    pub map: ColourMap,
    /// Zero is black, where the map leaves the choice; else white.
    pub dark: bool,
}

impl Colours {
    /// The usual map on a ground.
    pub fn usual(dark: bool) -> Self {
        Self { map: ColourMap::default(), dark }
    }
}

/// Steps from neutral to an end of the colour map: colours are within one of 255 levels of the exact ones.
const STEPS: usize = 2048;

/// The colours from -1 to 1, by map, light and dark.
static COLOURS: LazyLock<[[Vec<[u8; 3]>; 2]; 3]> = LazyLock::new(|| {
    let table = |colours| (0..=2 * STEPS).map(|i| exact((i as f32 - STEPS as f32) / STEPS as f32, colours)).collect();
    ColourMap::ALL.map(|map| [false, true].map(|dark| table(Colours { map, dark })))
});

/// The colour of a value in `[-1, 1]`; not a number gives the neutral colour.
pub fn diverging(value: f32, Colours { map, dark }: Colours) -> [u8; 3] {
    let value = if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) };
    COLOURS[map as usize][usize::from(dark)][((value + 1.0) * STEPS as f32 + 0.5) as usize]
}

fn exact(value: f32, Colours { map, dark }: Colours) -> [u8; 3] {
    let neutral = match (map, dark) {
        (ColourMap::Greys, _) => [128.0; 3],
        (_, true) => [16.0, 16.0, 20.0],
        (_, false) => [250.0; 3],
    };
    let end: [f32; 3] = match (map, value > 0.0, dark) {
        (ColourMap::BlueRed, true, false) => [178.0, 24.0, 43.0],
        (ColourMap::BlueRed, false, false) => [33.0, 84.0, 172.0],
        (ColourMap::BlueRed, true, true) => [255.0, 138.0, 90.0],
        (ColourMap::BlueRed, false, true) => [92.0, 170.0, 255.0],
        (ColourMap::GreenPurple, true, false) => [112.0, 36.0, 138.0],
        (ColourMap::GreenPurple, false, false) => [20.0, 112.0, 52.0],
        (ColourMap::GreenPurple, true, true) => [216.0, 150.0, 240.0],
        (ColourMap::GreenPurple, false, true) => [110.0, 214.0, 140.0],
        (ColourMap::Greys, true, _) => [255.0; 3],
        (ColourMap::Greys, false, _) => [0.0; 3],
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
pub fn render(filters: ArrayView2<f32>, order: &[usize], layout: Layout, scale: Scale, colours: Colours) -> RgbImage {
    let [width, height] = layout.size();
    let background = if colours.dark { [52, 54, 60] } else { [205, 208, 214] };
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
                picture.put_pixel((left + c) as u32, (upper + row) as u32, Rgb(diverging(relative, colours)));
            }
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_colours_is_within_one_level_of_the_exact_maps() {
        for (map, dark) in ColourMap::ALL.into_iter().flat_map(|map| [(map, false), (map, true)]) {
            let colours = Colours { map, dark };
            for i in -1000..=1000 {
                let (shown, exact) = (diverging(i as f32 / 1000.0, colours), exact(i as f32 / 1000.0, colours));
                assert!((0..3).all(|k| shown[k].abs_diff(exact[k]) <= 1), "{map:?} {i}: {shown:?} for {exact:?}");
            }
            assert_eq!([-9.0, f32::NAN, 9.0].map(|v| diverging(v, colours)), [-1.0, 0.0, 1.0].map(|v| exact(v, colours)), "{map:?}");
        }
    }

    /// Relative luminance of a colour (WCAG 2), and what those see of it who lack one kind of cones: Viénot, Brettel and Mollon (1999)
    /// give the projections of linear RGB.
    #[test]
    fn the_ends_of_every_map_differ_for_those_who_do_not_see_red_or_green() {
        let linear = |colour: [u8; 3]| colour.map(|c| (f64::from(c) / 255.0).powf(2.2));
        let seen = |rows: [[f64; 3]; 3], colour: [u8; 3]| {
            let c = linear(colour);
            rows.map(|row| (row[0] * c[0] + row[1] * c[1] + row[2] * c[2]).max(0.0).powf(1.0 / 2.2) * 255.0)
        };
        let without_red = [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]];
        let without_green = [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]];
        for (map, dark) in ColourMap::ALL.into_iter().flat_map(|map| [(map, false), (map, true)]) {
            let [below, zero, above] = [-1.0, 0.0, 1.0].map(|value| diverging(value, Colours { map, dark }));
            for eyes in [without_red, without_green] {
                for (a, b) in [(below, above), (below, zero), (zero, above)] {
                    let (a, b) = (seen(eyes, a), seen(eyes, b));
                    let apart = (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt();
                    assert!(apart > 60.0, "{map:?}, dark {dark}: {a:?} and {b:?} are {apart:.0} apart");
                }
            }
        }
    }

    #[test]
    fn zero_and_nan_are_neutral_and_tiles_are_found_again() {
        let filters = ndarray::array![[0.0f32, 1.0, f32::NAN], [0.0, -2.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]];
        let (layout, light) = (Layout::new(3, [2, 2], 1), Colours::usual(false));
        let picture = render(filters.view(), &[0, 1, 2], layout, Scale::PerFilter, light);
        let pixel = |tile: usize, row: usize, column: usize| {
            let [x, y] = layout.corner(tile);
            assert_eq!(layout.hit(x + column, y + row), Some((tile, [row, column])));
            picture.get_pixel((x + column) as u32, (y + row) as u32).0
        };
        assert_eq!(pixel(0, 0, 0), diverging(0.0, light));
        assert_eq!(pixel(2, 0, 0), diverging(0.0, light));
        assert_eq!(pixel(1, 0, 1), diverging(-1.0, light));
        assert_eq!(pixel(1, 1, 1), diverging(1.0, light));
        assert_eq!(layout.hit(0, 0), None);
    }
}
