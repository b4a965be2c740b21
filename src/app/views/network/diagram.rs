//! Where the nodes of the picture stand, and how currents are drawn between them.

use super::elements::{Flow, Node, Role};
use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

/// The largest node, points.
const LARGEST: Vec2 = vec2(230.0, 150.0);
/// Height of the line of text above a node, points.
const CAPTION: f32 = 17.0;
/// Between two arrows that join the same nodes, points.
const APART: f32 = 14.0;

/// The places of a model's nodes in a rectangle: the observation at the bottom, each layer's errors and interneurons above it, and
/// adaptation at its left.
pub(super) struct Diagram {
    rect: Rect,
    rows: usize,
    /// Rows and columns of the picture that is observed.
    picture: [usize; 2],
}

impl Diagram {
    /// Of so many layers, the observation included, which is a picture of these rows and columns.
    pub(super) fn new(rect: Rect, layers: usize, picture: [usize; 2]) -> Self {
        Self { rect, rows: (2 * layers).saturating_sub(1).max(1), picture }
    }

    /// Where the values of a node are drawn.
    pub(super) fn place(&self, node: Node) -> Rect {
        let (row, column) = match node.role {
            Role::Neurons => (2 * node.layer, 0.5),
            Role::Adaptation => (2 * node.layer, 0.15),
            Role::Error => (2 * node.layer + 1, 0.2),
            Role::Interneurons => (2 * node.layer + 1, 0.8),
        };
        let height = self.rect.height() / self.rows as f32;
        let middle = pos2(self.rect.left() + column * self.rect.width(), self.rect.bottom() - (row as f32 + 0.5) * height);
        let most = vec2(0.25 * self.rect.width(), 0.8 * height - CAPTION).max(vec2(4.0, 4.0));
        Rect::from_center_size(middle + vec2(0.0, CAPTION / 2.0), self.shape_of(node, most.min(LARGEST)))
    }

    /// The room that a node's values take of what there is: where they are a picture, they keep its shape.
    fn shape_of(&self, node: Node, room: Vec2) -> Vec2 {
        let [rows, columns] = self.picture.map(|side| side.max(1) as f32);
        if node.layer > 0 || rows == 1.0 || columns == 1.0 {
            return room;
        }
        vec2(columns, rows) * (room.x / columns).min(room.y / rows)
    }

    /// Where the line of text above a node stands.
    pub(super) fn caption(&self, node: Node) -> Rect {
        let place = self.place(node);
        let width = (0.32 * self.rect.width()).max(place.width());
        Rect::from_min_max(pos2(place.center().x - width / 2.0, place.top() - CAPTION), pos2(place.center().x + width / 2.0, place.top()))
    }

    /// The two ends of a current's arrow, on the edges of the nodes that it joins.
    pub(super) fn line(&self, flow: Flow) -> [Pos2; 2] {
        let [from, to] = flow.ends().map(|node| self.place(node)).map(|place| place.with_min_y(place.top() - CAPTION));
        let aside = match flow {
            Flow::Adapting(_) => vec2(0.0, -APART / 2.0),
            Flow::Driving(_) => vec2(0.0, APART / 2.0),
            _ => Vec2::ZERO,
        };
        let [a, b] = [from.center() + aside, to.center() + aside];
        [edge(from, a, b), edge(to, b, a)]
    }
}

/// Where the line from `inside`, a point of the rectangle, to `outside` leaves the rectangle.
fn edge(rect: Rect, inside: Pos2, outside: Pos2) -> Pos2 {
    let step = outside - inside;
    let until = |from: f32, step: f32, low: f32, high: f32| match step {
        s if s > 0.0 => (high - from) / s,
        s if s < 0.0 => (low - from) / s,
        _ => f32::INFINITY,
    };
    let share = until(inside.x, step.x, rect.left(), rect.right()).min(until(inside.y, step.y, rect.top(), rect.bottom()));
    inside + step * share.clamp(0.0, 1.0)
}

/// An arrow of this width.
pub(super) fn arrow(painter: &Painter, [from, to]: [Pos2; 2], width: f32, color: Color32) {
    let along = to - from;
    if along.length() < 2.0 {
        return;
    }
    let (unit, head) = (along.normalized(), (5.0 + 1.5 * width).min(along.length()));
    let side = vec2(-unit.y, unit.x) * 0.5 * head;
    let neck = to - unit * head;
    painter.line_segment([from, neck], Stroke::new(width, color));
    painter.add(Shape::convex_polygon(vec![to, neck + side, neck - side], color, Stroke::NONE));
}

/// How far a point is from the line between two others.
pub(super) fn distance(point: Pos2, [a, b]: [Pos2; 2]) -> f32 {
    let along = b - a;
    let share = ((point - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    (a + along * share - point).length()
}

#[cfg(test)]
mod tests {
    use super::super::elements::{flows, nodes};
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn nodes_of_every_preset_stand_apart_inside_the_rectangle_and_arrows_end_at_their_edges() {
        for preset in presets::all() {
            let config = preset.config();
            let layers = config.model.layers.clone();
            for size in [vec2(900.0, 700.0), vec2(420.0, 300.0)] {
                let rect = Rect::from_min_size(pos2(10.0, 20.0), size);
                let diagram = Diagram::new(rect, layers.len(), config.model.shape());
                let places: Vec<Rect> = nodes(&layers).into_iter().map(|node| diagram.place(node)).collect();
                for (i, place) in places.iter().enumerate() {
                    assert!(rect.contains_rect(*place), "{}: {place:?} of {rect:?}", preset.name);
                    assert!(places[..i].iter().all(|other| !other.intersects(*place)), "{}: two nodes overlap at {size:?}", preset.name);
                }
                for flow in flows(&layers) {
                    let ([from, to], line) = (flow.ends().map(|node| diagram.place(node)), diagram.line(flow));
                    let outside =
                        |rect: Rect, point: Pos2| rect.distance_to_pos(point) <= CAPTION + 1.0 && !rect.shrink(1.0).contains(point);
                    assert!(outside(from, line[0]) && outside(to, line[1]), "{}: {flow:?} at {size:?}", preset.name);
                }
            }
        }
    }

    #[test]
    fn the_pointer_is_as_far_from_an_arrow_as_its_nearest_point() {
        let line = [pos2(0.0, 0.0), pos2(10.0, 0.0)];
        assert_eq!([pos2(5.0, 3.0), pos2(14.0, 3.0), pos2(0.0, 0.0)].map(|p| distance(p, line)), [3.0, 5.0, 0.0]);
    }
}
