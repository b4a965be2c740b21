//! A line of a plot that becomes triangles once, for as long as its place stays the same.
//!
//! A dense line costs more to be made into triangles than all else in a frame, and many frames show the same line.

use crate::app::widgets::figure;
use egui::epaint::{ClippedShape, Mesh, Primitive};
use egui::{Color32, Pos2, Rect, Shape, Ui};
use egui_plot::{ClosestElem, Line, PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotTransform};
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

/// Where a line stands; its triangles depend on nothing else.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    frame: Rect,
    bounds: PlotBounds,
    pixels_per_point: f32,
}

type Triangles = Vec<Arc<Mesh>>;

struct Shared {
    line: Line<'static>,
    bounds: PlotBounds,
    drawn: RefCell<Option<(Place, Triangles)>>,
}

/// A line and its last triangles; a clone shares both.
#[derive(Clone)]
pub struct Lasting {
    base: PlotItemBase,
    shared: Rc<Shared>,
}

impl Lasting {
    /// Of a line of points; one given by a function has none before it is drawn.
    pub fn new(line: Line<'static>) -> Self {
        let (base, bounds) = (line.base().clone(), PlotItem::bounds(&line));
        Self { base, shared: Rc::new(Shared { line, bounds, drawn: RefCell::default() }) }
    }

    /// Its triangles at `place`: the last ones if they stood there.
    fn triangles(&self, ui: &Ui, transform: &PlotTransform) -> Triangles {
        let place = Place { frame: *transform.frame(), bounds: *transform.bounds(), pixels_per_point: ui.pixels_per_point() };
        let mut drawn = self.shared.drawn.borrow_mut();
        if let Some((_, triangles)) = drawn.as_ref().filter(|(at, _)| *at == place) {
            return triangles.clone();
        }
        let mut shapes = Vec::new();
        self.shared.line.shapes(ui, transform, &mut shapes);
        let whole = |shape| ClippedShape { clip_rect: Rect::EVERYTHING, shape, transform_after_tessellation: Default::default() };
        let primitives = ui.ctx().tessellate(shapes.into_iter().map(whole).collect(), place.pixels_per_point);
        let mesh = |primitive| match primitive {
            Primitive::Mesh(mesh) => Some(Arc::new(mesh)),
            Primitive::Callback(_) => None, // no line is one
        };
        let triangles: Triangles = primitives.into_iter().filter_map(|clipped| mesh(clipped.primitive)).collect();
        *drawn = Some((place, triangles.clone()));
        triangles
    }
}

impl PlotItem for Lasting {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        if figure::is_saved(ui.ctx()) {
            self.shared.line.shapes(ui, transform, shapes); // a file of curves gets the curve
        } else {
            shapes.extend(self.triangles(ui, transform).into_iter().map(Shape::Mesh));
        }
    }

    fn initialize(&mut self, _: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        PlotItem::color(&self.shared.line)
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        self.shared.line.geometry()
    }

    fn bounds(&self) -> PlotBounds {
        self.shared.bounds
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }

    fn find_closest(&self, point: Pos2, transform: &PlotTransform) -> Option<ClosestElem> {
        self.shared.line.find_closest(point, transform)
    }
}
