//! Triangles of a frame as pixels, without a display or a graphics card: what egui's painters for these draw, to about a level of 255.

use egui::epaint::{ImageData, Mesh, Primitive, Vertex};
use egui::{ClippedPrimitive, Color32, ColorImage, Pos2, Rect, TextureFilter, TextureId, TextureOptions, TextureWrapMode, TexturesDelta};
use image::RgbImage;
use std::collections::HashMap;

/// Corners of triangles lie on a grid of so many places a pixel, so that triangles that touch leave no gap and share no pixel.
const SUBPIXELS: f32 = 256.0;
/// Corners farther out than this, in pixels, are brought there.
const FARTHEST: f32 = 4e6;

/// Textures, and what is drawn with them.
#[derive(Default)]
pub(super) struct Rasteriser {
    textures: HashMap<TextureId, Texture>,
}

struct Texture {
    image: ColorImage,
    options: TextureOptions,
}

impl Rasteriser {
    /// Takes in the textures that are new or changed. Those that are no longer needed are forgotten by [`Rasteriser::free`], after the
    /// frame that came with them is drawn.
    pub(super) fn set_textures(&mut self, delta: &mut TexturesDelta) {
        for (id, parts) in delta.set.drain() {
            for part in parts {
                let ImageData::Color(image) = part.image;
                match (part.pos, self.textures.get_mut(&id)) {
                    (Some(place), Some(texture)) => texture.replace(place, &image),
                    _ => _ = self.textures.insert(id, Texture { image: (*image).clone(), options: part.options }),
                }
            }
        }
    }

    /// Forgets textures.
    pub(super) fn free(&mut self, delta: &mut TexturesDelta) {
        delta.free.drain().for_each(|id| _ = self.textures.remove(&id));
    }

    /// A picture of so many pixels, width and height, in which a point has `scale` pixels.
    pub(super) fn draw(&self, primitives: &[ClippedPrimitive], [width, height]: [u32; 2], scale: f32, background: Color32) -> RgbImage {
        let [r, g, b, _] = background.to_array();
        let mut picture = RgbImage::from_pixel(width, height, image::Rgb([r, g, b]));
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            let Primitive::Mesh(mesh) = primitive else { continue }; // no view draws in another way
            let Some(texture) = self.textures.get(&mesh.texture_id) else { continue };
            let area = pixels_of(*clip_rect, scale, [width, height]);
            draw_mesh(&mut picture, mesh, texture, area, scale);
        }
        picture
    }
}

/// Columns and rows of a rectangle in points.
struct Area {
    columns: std::ops::Range<i64>,
    rows: std::ops::Range<i64>,
}

fn pixels_of(clip: Rect, scale: f32, [width, height]: [u32; 2]) -> Area {
    let pixel = |point: f32, most: u32| ((point * scale).round() as i64).clamp(0, i64::from(most));
    Area { columns: pixel(clip.min.x, width)..pixel(clip.max.x, width), rows: pixel(clip.min.y, height)..pixel(clip.max.y, height) }
}

impl Texture {
    /// Puts an image into a part of it.
    fn replace(&mut self, [left, top]: [usize; 2], part: &ColorImage) {
        let [width, height] = self.image.size;
        for (row, pixels) in part.pixels.chunks_exact(part.size[0].max(1)).enumerate() {
            let y = top + row;
            if y < height && left + pixels.len() <= width {
                self.image.pixels[y * width + left..][..pixels.len()].copy_from_slice(pixels);
            }
        }
    }

    /// The colour at `at`, 0 to 1 from the upper left corner: premultiplied red, green, blue and opacity, 0 to 255.
    fn sample(&self, at: Pos2, filter: TextureFilter) -> [f32; 4] {
        let [width, height] = self.image.size;
        let (x, y) = (at.x * width as f32, at.y * height as f32);
        if filter == TextureFilter::Nearest {
            return self.texel(x.floor() as i64, y.floor() as i64).map(f32::from);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (dx, dy, left, top) = (x - left, y - top, left as i64, top as i64);
        let corner = |right: i64, down: i64| self.texel(left + right, top + down).map(f32::from);
        let corners = [corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)];
        let shares = [(1.0 - dx) * (1.0 - dy), dx * (1.0 - dy), (1.0 - dx) * dy, dx * dy];
        std::array::from_fn(|channel| corners.iter().zip(shares).map(|(corner, share)| corner[channel] * share).sum())
    }

    fn texel(&self, x: i64, y: i64) -> [u8; 4] {
        let [width, height] = self.image.size;
        let (x, y) = (self.wrapped(x, width as i64), self.wrapped(y, height as i64));
        self.image.pixels.get(y * width + x).map_or([0; 4], Color32::to_array)
    }

    fn wrapped(&self, at: i64, size: i64) -> usize {
        let size = size.max(1);
        (match self.options.wrap_mode {
            TextureWrapMode::ClampToEdge => at.clamp(0, size - 1),
            TextureWrapMode::Repeat => at.rem_euclid(size),
            TextureWrapMode::MirroredRepeat => {
                let place = at.rem_euclid(2 * size);
                place.min(2 * size - 1 - place)
            }
        }) as usize
    }
}

fn draw_mesh(picture: &mut RgbImage, mesh: &Mesh, texture: &Texture, area: Area, scale: f32) {
    for corners in mesh.indices.as_chunks::<3>().0 {
        let corners = corners.map(|i| mesh.vertices.get(i as usize).copied());
        if let [Some(a), Some(b), Some(c)] = corners
            && let Some(triangle) = Triangle::new([a, b, c], texture, scale)
        {
            triangle.draw(picture, texture, &area);
        }
    }
}

/// A triangle in pixels.
struct Triangle {
    /// On the grid of [`SUBPIXELS`], clockwise as rows grow downwards.
    corners: [[i64; 2]; 3],
    /// Twice its area, in squares of the grid.
    area: i64,
    vertices: [Vertex; 3],
    filter: TextureFilter,
    /// The colour of the texture, where that is the same everywhere.
    plain: Option<[f32; 4]>,
}

impl Triangle {
    /// None where it has no area, or corners that are nowhere.
    fn new(mut vertices: [Vertex; 3], texture: &Texture, scale: f32) -> Option<Self> {
        if vertices.iter().any(|vertex| !vertex.pos.is_finite() || !vertex.uv.is_finite()) {
            return None;
        }
        let on_grid = |value: f32| ((value * scale).clamp(-FARTHEST, FARTHEST) * SUBPIXELS).round() as i64;
        let place = |vertex: &Vertex| [on_grid(vertex.pos.x), on_grid(vertex.pos.y)];
        let mut corners = [place(&vertices[0]), place(&vertices[1]), place(&vertices[2])];
        let mut area = cross(corners[0], corners[1], corners[2]);
        if area < 0 {
            corners.swap(1, 2);
            vertices.swap(1, 2);
            area = -area;
        }
        if area == 0 {
            return None;
        }
        let [a, b, c] = vertices.map(|vertex| vertex.uv);
        let [width, height] = texture.image.size.map(|side| side as f32);
        let texels = ((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)).abs() * width * height;
        let is_shrunk = texels > area as f32 / (SUBPIXELS * SUBPIXELS);
        let filter = if is_shrunk { texture.options.minification } else { texture.options.magnification };
        let plain = (a == b && b == c).then(|| texture.sample(a, filter));
        Some(Self { corners, area, vertices, filter, plain })
    }

    /// Columns of a row whose centres lie inside, and twice the areas of the parts towards each corner at the first of them.
    fn span(&self, row: i64, columns: &std::ops::Range<i64>) -> (std::ops::Range<i64>, [i64; 3]) {
        let (mut from, mut to) = (columns.start, columns.end);
        let centre = |pixel: i64| pixel * SUBPIXELS as i64 + SUBPIXELS as i64 / 2;
        let mut at_first = [0; 3];
        let mut steps = [0; 3];
        for corner in 0..3 {
            let [p, q] = [self.corners[(corner + 1) % 3], self.corners[(corner + 2) % 3]];
            let step = (p[1] - q[1]) * SUBPIXELS as i64;
            let first = cross(p, q, [centre(columns.start), centre(row)]);
            (at_first[corner], steps[corner]) = (first, step);
            // A centre on an edge belongs to the triangle below or right of it alone.
            let is_inside_edge = p[1] > q[1] || (p[1] == q[1] && q[0] > p[0]);
            let least = if is_inside_edge { 0 } else { 1 };
            let missing = least - first;
            match step.signum() {
                1 => from = from.max(columns.start + missing.div_euclid(step) + i64::from(missing.rem_euclid(step) != 0)),
                -1 => to = to.min(columns.start + (-missing).div_euclid(-step) + 1),
                _ if missing > 0 => return (0..0, [0; 3]),
                _ => {}
            }
        }
        let skipped = from - columns.start;
        let parts = std::array::from_fn(|corner| at_first[corner] + skipped * steps[corner]);
        (from..to.max(from), parts)
    }

    fn draw(&self, picture: &mut RgbImage, texture: &Texture, area: &Area) {
        let side = |axis: usize| self.corners.map(|corner| corner[axis]);
        let pixels = |places: [i64; 3], within: &std::ops::Range<i64>| {
            let (low, high) = (places.into_iter().min().unwrap_or(0), places.into_iter().max().unwrap_or(0));
            (low >> 8).max(within.start)..((high >> 8) + 1).min(within.end)
        };
        let columns = pixels(side(0), &area.columns);
        if columns.is_empty() {
            return;
        }
        let width = i64::from(picture.width());
        let channels: [[f32; 3]; 4] =
            std::array::from_fn(|channel| self.vertices.map(|vertex| f32::from(vertex.color.to_array()[channel]) / 255.0));
        let is_even = channels.iter().all(|values| values[0] == values[1] && values[1] == values[2]);
        let even = self.plain.filter(|_| is_even).map(|texel| std::array::from_fn(|channel| texel[channel] * channels[channel][0]));
        let inverse = 1.0 / self.area as f64;
        let step: [f32; 3] = std::array::from_fn(|corner| {
            let [p, q] = [self.corners[(corner + 1) % 3], self.corners[(corner + 2) % 3]];
            ((p[1] - q[1]) as f64 * f64::from(SUBPIXELS) * inverse) as f32
        });
        for row in pixels(side(1), &area.rows) {
            let (span, parts) = self.span(row, &columns);
            if span.is_empty() {
                continue;
            }
            let begin = 3 * (row * width + span.start) as usize;
            let pixels = &mut picture.as_mut()[begin..begin + 3 * (span.end - span.start) as usize];
            let (pixels, _) = pixels.as_chunks_mut::<3>();
            if let Some(colour) = even {
                pixels.iter_mut().for_each(|pixel| blend(pixel, colour));
                continue;
            }
            let at = parts.map(|part| (part as f64 * inverse) as f32);
            for (i, pixel) in pixels.iter_mut().enumerate() {
                let shares: [f32; 3] = std::array::from_fn(|corner| at[corner] + i as f32 * step[corner]);
                let mixed = |values: [f32; 3]| values[0] * shares[0] + values[1] * shares[1] + values[2] * shares[2];
                let texel = self.plain.unwrap_or_else(|| {
                    let uv = self.vertices.map(|vertex| vertex.uv);
                    texture.sample(Pos2::new(mixed(uv.map(|uv| uv.x)), mixed(uv.map(|uv| uv.y))), self.filter)
                });
                blend(pixel, std::array::from_fn(|channel| texel[channel] * mixed(channels[channel])));
            }
        }
    }
}

/// Twice the area of a triangle, positive where it is clockwise as rows grow downwards.
fn cross(a: [i64; 2], b: [i64; 2], c: [i64; 2]) -> i64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Puts a premultiplied colour, 0 to 255, over a pixel.
fn blend(pixel: &mut [u8; 3], [r, g, b, opacity]: [f32; 4]) {
    let rest = 1.0 - opacity / 255.0;
    for (value, colour) in pixel.iter_mut().zip([r, g, b]) {
        *value = (colour + f32::from(*value) * rest + 0.5) as u8; // saturates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{pos2, vec2};

    /// A texture of 2 x 2 colours.
    fn rasteriser(options: TextureOptions) -> Rasteriser {
        let pixels = vec![Color32::WHITE, Color32::RED, Color32::GREEN, Color32::BLUE];
        let texture = Texture { image: ColorImage::new([2, 2], pixels), options };
        Rasteriser { textures: [(TextureId::default(), texture)].into() }
    }

    fn draw(rasteriser: &Rasteriser, mesh: Mesh, clip: Rect) -> RgbImage {
        let primitive = ClippedPrimitive { clip_rect: clip, primitive: Primitive::Mesh(mesh) };
        rasteriser.draw(&[primitive], [40, 30], 1.0, Color32::BLACK)
    }

    fn corner(x: f32, y: f32, color: Color32) -> Vertex {
        Vertex { pos: pos2(x, y), uv: pos2(0.25, 0.25), color }
    }

    #[test]
    fn triangles_that_touch_cover_every_pixel_once() {
        // A fan around a point that is no pixel's centre, each triangle with a third of the light, in both directions of turning.
        let light = Color32::from_rgba_premultiplied(85, 85, 85, 0);
        let mut mesh = Mesh { vertices: vec![corner(19.3, 14.7, light)], ..Mesh::default() };
        let rim = 11u32;
        for i in 0..rim {
            let angle = std::f32::consts::TAU * i as f32 / rim as f32;
            mesh.vertices.push(corner(20.0 + 90.0 * angle.cos(), 15.0 + 90.0 * angle.sin(), light));
        }
        for i in 0..rim {
            let [a, b] = [1 + i, 1 + (i + 1) % rim];
            mesh.indices.extend(if i % 2 == 0 { [0, a, b] } else { [0, b, a] });
        }
        // Edges through the centres of pixels belong to one side alone.
        let square = [corner(4.5, 4.5, light), corner(20.5, 4.5, light), corner(20.5, 20.5, light), corner(4.5, 20.5, light)];
        let halves = Mesh { vertices: square.into(), indices: vec![0, 1, 2, 0, 2, 3], ..Mesh::default() };
        let rasteriser = rasteriser(TextureOptions::NEAREST);
        let picture = draw(&rasteriser, mesh, Rect::EVERYTHING);
        assert!(picture.pixels().all(|pixel| pixel.0 == [85; 3]));
        let picture = draw(&rasteriser, halves, Rect::EVERYTHING);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let is_inside = (4..20).contains(&x) && (4..20).contains(&y);
            assert_eq!(pixel.0, [if is_inside { 85 } else { 0 }; 3], "{x}, {y}");
        }
    }

    #[test]
    fn colours_are_mixed_textures_sampled_and_clips_kept() {
        let rect = |from: [f32; 2], size: [f32; 2]| Rect::from_min_size(from.into(), size.into());
        let mut mesh = Mesh::default();
        mesh.add_rect_with_uv(rect([0.0, 0.0], [40.0, 30.0]), rect([0.0, 0.0], [1.0, 1.0]), Color32::WHITE);
        let clip = rect([3.4, 0.0], [30.0, 30.0]);
        let nearest = draw(&rasteriser(TextureOptions::NEAREST), mesh.clone(), clip);
        let at = |picture: &RgbImage, x, y| picture.get_pixel(x, y).0;
        assert_eq!((at(&nearest, 2, 5), at(&nearest, 3, 5), at(&nearest, 34, 5)), ([0; 3], [255; 3], [0; 3]));
        assert_eq!((at(&nearest, 19, 14), at(&nearest, 20, 14), at(&nearest, 19, 15)), ([255; 3], [255, 0, 0], [0, 255, 0]));
        let linear = draw(&rasteriser(TextureOptions::LINEAR), mesh, Rect::EVERYTHING);
        // Between the centres of the texels, a quarter and three quarters of the way.
        assert_eq!(at(&linear, 0, 0), [255; 3], "beyond them the edge goes on");
        let between = at(&linear, 19, 2); // 9.5 of 20 pixels from white to red
        assert!(between[0] == 255 && between[1].abs_diff(134) <= 1 && between[1] == between[2], "{between:?}");
        // Half transparent white over black, then over itself; colours from corner to corner.
        let half = Color32::from_white_alpha(128);
        let mut twice = Mesh { vertices: Vec::new(), ..Mesh::default() };
        (0..2).for_each(|_| twice.add_colored_rect(Rect::from_min_size(pos2(5.0, 5.0), vec2(8.0, 8.0)), half));
        twice.vertices.iter_mut().for_each(|vertex| vertex.uv = pos2(0.25, 0.25));
        let picture = draw(&rasteriser(TextureOptions::NEAREST), twice, Rect::EVERYTHING);
        assert_eq!((at(&picture, 4, 8), at(&picture, 8, 8)), ([0; 3], [192; 3]));
        let (dark, bright) = (Color32::BLACK, Color32::WHITE);
        let vertices = vec![corner(0.0, 0.0, dark), corner(40.0, 0.0, bright), corner(40.0, 30.0, bright), corner(0.0, 30.0, dark)];
        let ramp = Mesh { vertices, indices: vec![0, 1, 2, 0, 2, 3], ..Mesh::default() };
        let picture = draw(&rasteriser(TextureOptions::NEAREST), ramp, Rect::EVERYTHING);
        for x in 0..40 {
            let expected = 255.0 * (x as f32 + 0.5) / 40.0;
            assert!((f32::from(at(&picture, x, 17)[1]) - expected).abs() <= 1.0, "{x}");
        }
    }

    #[test]
    fn triangles_that_are_nowhere_or_endless_harm_nothing() {
        let rasteriser = rasteriser(TextureOptions::LINEAR_REPEAT);
        let mut strange = [f32::NAN, f32::INFINITY, f32::MAX, -1e30, 1e9, 3.0];
        let mut mesh = Mesh::default();
        for i in 0..200u32 {
            strange.rotate_left(1 + i as usize % 3);
            mesh.vertices.push(Vertex { pos: pos2(strange[0], strange[2]), uv: pos2(strange[1] % 9.0, -3.3), color: Color32::WHITE });
        }
        mesh.indices = (0..600).map(|i| (i * 7 + i / 3) % 201).collect(); // one is no vertex
        draw(&rasteriser, mesh, Rect::EVERYTHING);
        let endless = vec![corner(-1e9, -1e9, Color32::WHITE), corner(1e9, -1e9, Color32::WHITE), corner(0.0, 1e9, Color32::WHITE)];
        let picture = draw(&rasteriser, Mesh { vertices: endless, indices: vec![0, 1, 2], ..Mesh::default() }, Rect::EVERYTHING);
        assert!(picture.pixels().all(|pixel| pixel.0 == [255; 3]));
    }

    #[test]
    fn a_part_of_a_texture_is_replaced() {
        let mut rasteriser = rasteriser(TextureOptions::NEAREST);
        let part = egui::epaint::ImageDelta::partial([1, 0], ColorImage::filled([1, 2], Color32::BLACK), TextureOptions::NEAREST);
        let mut delta = TexturesDelta::default();
        delta.push(TextureId::default(), part);
        rasteriser.set_textures(&mut delta);
        assert_eq!(
            rasteriser.textures[&TextureId::default()].image.pixels,
            [Color32::WHITE, Color32::BLACK, Color32::GREEN, Color32::BLACK]
        );
        delta.free(TextureId::default());
        rasteriser.free(&mut delta);
        assert!(rasteriser.textures.is_empty() && delta.is_empty());
    }
}
