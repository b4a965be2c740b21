//! Lines of a plot that become triangles once, for as long as their place stays the same.
//!
//! Dense lines cost more to be made into triangles than all else in a frame, and many frames show the same lines.

use crate::app::widgets::figure;
use egui::epaint::{ClippedShape, Mesh, Primitive};
use egui::{Color32, Pos2, Rect, Shape, Ui};
use egui_plot::{ClosestElem, Line, PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotTransform, PlotUi};
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

/// Where lines stand; their triangles depend on nothing else.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    frame: Rect,
    bounds: PlotBounds,
    pixels_per_point: f32,
}

struct Shared {
    lines: Vec<(Line<'static>, PlotBounds)>,
    drawn: RefCell<Option<(Place, Arc<Mesh>)>>,
}

/// The lines of one plot and their last triangles; a clone shares both.
#[derive(Clone)]
pub struct CachedLines(Rc<Shared>);

impl CachedLines {
    /// Of lines of points; one given by a function has none before it is drawn.
    pub fn new(lines: impl IntoIterator<Item = Line<'static>>) -> Self {
        let bounded = |line: Line<'static>| {
            let bounds = PlotItem::bounds(&line);
            (line, bounds)
        };
        Self(Rc::new(Shared { lines: lines.into_iter().map(bounded).collect(), drawn: RefCell::default() }))
    }

    /// Adds them to the plot.
    pub fn show(&self, plot: &mut PlotUi<'_>) {
        for (index, (line, _)) in self.0.lines.iter().enumerate() {
            plot.add(Item { base: line.base().clone(), all: self.clone(), index });
        }
    }

    /// Their triangles: the last ones if they stood in the same place.
    fn triangles(&self, ui: &Ui, transform: &PlotTransform) -> Arc<Mesh> {
        let place = Place { frame: *transform.frame(), bounds: *transform.bounds(), pixels_per_point: ui.pixels_per_point() };
        let mut drawn = self.0.drawn.borrow_mut();
        if let Some((_, triangles)) = drawn.as_ref().filter(|(at, _)| *at == place) {
            return triangles.clone();
        }
        let mut shapes = Vec::new();
        self.0.lines.iter().for_each(|(line, _)| line.shapes(ui, transform, &mut shapes));
        let whole = |shape| ClippedShape { clip_rect: Rect::EVERYTHING, shape, transform_after_tessellation: Default::default() };
        let mut triangles = Mesh::default();
        for clipped in ui.ctx().tessellate(shapes.into_iter().map(whole).collect(), place.pixels_per_point) {
            if let Primitive::Mesh(mesh) = clipped.primitive {
                triangles.append(mesh); // lines have no texture of their own
            }
        }
        let triangles = Arc::new(triangles);
        *drawn = Some((place, triangles.clone()));
        triangles
    }
}

/// One of the lines for the plot; the first draws them all, at once.
struct Item {
    base: PlotItemBase,
    all: CachedLines,
    index: usize,
}

impl Item {
    fn line(&self) -> &(Line<'static>, PlotBounds) {
        &self.all.0.lines[self.index]
    }
}

impl PlotItem for Item {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        if figure::is_saved(ui.ctx()) {
            self.line().0.shapes(ui, transform, shapes); // a file of curves gets the curve
        } else if self.index == 0 {
            shapes.push(Shape::Mesh(self.all.triangles(ui, transform)));
        }
    }

    fn initialize(&mut self, _: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        PlotItem::color(&self.line().0)
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        self.line().0.geometry()
    }

    fn bounds(&self) -> PlotBounds {
        self.line().1
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }

    fn find_closest(&self, point: Pos2, transform: &PlotTransform) -> Option<ClosestElem> {
        self.line().0.find_closest(point, transform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{pos2, vec2};
    use egui_plot::PlotPoints;

    fn lines() -> CachedLines {
        let wave = |name: &str, phase: f64| {
            let points: Vec<[f64; 2]> = (0..300).map(|i| [f64::from(i), (f64::from(i) * 0.7 + phase).sin()]).collect();
            figure::line(name, PlotPoints::from(points))
        };
        CachedLines::new([wave("sine", 0.0), wave("cosine", 1.57)])
    }

    /// The shapes of all items in a plot area whose left edge is at `left`.
    fn shapes(ctx: &egui::Context, lines: &CachedLines, left: f32) -> Vec<Shape> {
        let mut shapes = Vec::new();
        let frame = Rect::from_min_size(pos2(left, 0.0), vec2(200.0, 60.0));
        let place = PlotTransform::new(frame, PlotBounds::from_min_max([0.0, -1.0], [300.0, 1.0]), false);
        ctx.run_ui(egui::RawInput::default(), |ui| {
            shapes.clear(); // a frame may take two passes
            for (index, (line, _)) in lines.0.lines.iter().enumerate() {
                Item { base: line.base().clone(), all: lines.clone(), index }.shapes(ui, &place, &mut shapes);
            }
        })
        .textures_delta
        .clear();
        shapes
    }

    fn mesh(shapes: &[Shape]) -> &Arc<Mesh> {
        match shapes {
            [Shape::Mesh(mesh)] => mesh,
            other => panic!("{} shapes instead of one mesh", other.len()),
        }
    }

    #[test]
    fn triangles_are_those_of_the_lines_and_stay_while_the_place_does() {
        let (ctx, lines) = (egui::Context::default(), lines());
        let first = shapes(&ctx, &lines, 10.0);
        assert!(Arc::ptr_eq(mesh(&first), mesh(&shapes(&ctx, &lines, 10.0))), "the same place");
        let moved = shapes(&ctx, &lines, 30.0);
        assert!(!Arc::ptr_eq(mesh(&first), mesh(&moved)));
        for (a, b) in mesh(&first).vertices.iter().zip(&mesh(&moved).vertices) {
            assert!((b.pos - a.pos - vec2(20.0, 0.0)).length() < 1e-2, "{:?} became {:?}", a.pos, b.pos);
        }
        figure::set_saved(&ctx, figure::Shown { axis_names: true });
        let curves = shapes(&ctx, &lines, 10.0);
        assert!(curves.len() == 2 && curves.iter().all(|shape| matches!(shape, Shape::Path(path) if path.points.len() == 300)));
        let whole = |shape| ClippedShape { clip_rect: Rect::EVERYTHING, shape, transform_after_tessellation: Default::default() };
        let directly = ctx.tessellate(curves.into_iter().map(whole).collect(), 1.0);
        let mut expected = Mesh::default();
        for clipped in directly {
            match clipped.primitive {
                Primitive::Mesh(mesh) => expected.append(mesh),
                Primitive::Callback(_) => panic!("no line is one"),
            }
        }
        assert_eq!(mesh(&first).vertices, expected.vertices);
        assert_eq!(mesh(&first).indices, expected.indices);
    }
}
