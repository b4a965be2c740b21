//! Network: the model as a picture, live: layers, neurons, interneurons, errors and adaptation, and the currents between them.

mod diagram;
mod elements;

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::cell_values;
use crate::app::widgets::greek::greek;
use crate::app::widgets::texture::Slot;
use crate::app::widgets::{figure, highlight, whole_frame};
use crate::engine::{Snapshot, Watch};
use crate::export::mosaic::diverging;
use crate::export::table::Table;
use diagram::{Diagram, arrow, distance};
use egui::{Align2, Color32, ColorImage, FontId, Label, Pos2, Rect, RichText, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use elements::{Flow, Node, Role, flows, nodes, short};
use std::collections::HashMap;

/// Share of its height that the strongest colour of a node keeps from one picture to the next while its values are smaller.
const MEMORY: f32 = 0.98;
/// Widths of arrows, points.
const WIDTHS: [f32; 2] = [1.0, 6.0];
/// Height of the text beside a coupling's arrow with room around it, points.
const COUPLING: f32 = 34.0;
/// An arrow is pointed at from as far as this, points.
const REACH: f32 = 7.0;
/// Units of which each has its value beside its colour, at most.
const WRITTEN: usize = 6;

/// What the view keeps.
#[derive(Default)]
pub struct Network {
    model_id: u64,
    textures: HashMap<Node, Slot>,
    /// What the strongest colour of a node stands for.
    tops: HashMap<Node, f32>,
    /// What the widest arrow stands for.
    widest: f64,
    /// Share of both that is kept from picture to picture.
    memory: f32,
}

impl View for Network {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let layers = &snapshot.config.model.layers;
        if layers.is_empty() {
            ui.label("No model yet: choose a preset on the left.");
            return;
        }
        if std::mem::replace(&mut self.model_id, snapshot.model_id) != snapshot.model_id {
            *self = Self { model_id: snapshot.model_id, ..Self::default() };
        }
        self.memory = if whole_frame::is_asked(ui.ctx()) { 0.0 } else { MEMORY };
        ui.weak(if snapshot.parts.is_some() {
            "Network 0 now. Colour: a value against the largest of its node. Width of an arrow: the strength of a current. Point at anything to have it explained; click a unit to trace it."
        } else {
            "Activities alone: currents, errors and adaptation are known while this view is open and the simulation has run."
        });
        let rect = ui.available_rect_before_wrap();
        let background = ui.allocate_rect(rect, Sense::hover());
        figure::mark(ui, "network", rect);
        let diagram = Diagram::new(rect, layers.len(), snapshot.image_shape());
        self.arrows(ui, &diagram, snapshot, background.hover_pos());
        for node in nodes(layers) {
            self.node(ui, &diagram, node, snapshot, actions);
        }
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        for node in nodes(&snapshot.config.model.layers) {
            let values = node.values(snapshot);
            if !values.is_empty() {
                table.push(node.symbol(), values.iter().map(|&value| f64::from(value)));
            }
        }
        Some(table)
    }
}

impl Network {
    /// The currents, as wide as they are strong; the one that is pointed at is explained.
    fn arrows(&mut self, ui: &mut Ui, diagram: &Diagram, snapshot: &Snapshot, pointer: Option<Pos2>) {
        let dark = ui.visuals().dark_mode;
        let flows: Vec<(Flow, Option<f64>)> =
            flows(&snapshot.config.model.layers).into_iter().map(|flow| (flow, flow.strength(snapshot))).collect();
        let strongest = flows.iter().filter_map(|(_, strength)| *strength).fold(0.0, f64::max);
        self.widest = strongest.max(f64::from(self.memory) * self.widest);
        let pointed = pointer.and_then(|at| {
            let near = flows.iter().map(|(flow, strength)| (distance(at, diagram.line(*flow)), flow, strength));
            near.filter(|(far, ..)| *far < REACH).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, flow, strength)| (*flow, *strength))
        });
        for (flow, strength) in &flows {
            let share = strength.filter(|_| self.widest > 0.0).map_or(0.0, |strength| (strength / self.widest) as f32);
            let width = WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * share;
            let is_pointed = pointed.is_some_and(|(other, _)| other == *flow);
            let line = diagram.line(*flow);
            arrow(ui.painter(), line, if is_pointed { width + 1.5 } else { width }, color(*flow, dark));
            let has_room = (line[0].y - line[1].y).abs() > COUPLING;
            if let Some(coupling) = flow.coupling(snapshot).filter(|_| has_room) {
                let (at, ink) = (line[0].lerp(line[1], 0.25) + vec2(8.0, 0.0), ui.visuals().weak_text_color());
                ui.painter().text(at, Align2::LEFT_CENTER, coupling, FontId::proportional(10.0), ink);
            }
        }
        if let Some((flow, strength)) = pointed {
            let strength = strength.map_or_else(String::new, |strength| format!("\nnow {} (root mean square)", short(strength)));
            let tip = greek(&format!("{}{strength}", flow.explanation(&snapshot.config.model.layers)));
            egui::Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), ui.scope_id().with("current"), egui::PopupAnchor::Pointer)
                .show(|ui| ui.label(tip));
        }
    }

    /// A node: its name and constants over its values.
    fn node(&mut self, ui: &mut Ui, diagram: &Diagram, node: Node, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let layers = &snapshot.config.model.layers;
        let (place, values) = (diagram.place(node), node.values(snapshot));
        let constants = node.constants(snapshot);
        let separated = if constants.is_empty() { String::new() } else { format!("  {constants}") };
        let caption = RichText::new(greek(&format!("{} {}{separated}", node.symbol(), node.word(layers)))).small();
        let caption = ui.put(diagram.caption(node), Label::new(caption).truncate());
        caption.on_hover_text(greek(&node.explanation(layers)));
        let colours = theme::colours(ui);
        ui.painter().rect_filled(place, 2.0, ui.visuals().extreme_bg_color);
        let response = ui.interact(place, ui.scope_id().with(("node", node)), Sense::click());
        let [rows, columns] = arrangement(node, values.len(), place, snapshot);
        if !values.is_empty() {
            let top = self.top(node, values);
            let pixels = (0..rows * columns).map(|i| match values.get(i) {
                Some(&value) => {
                    let [r, g, b] = diverging(value / top, colours);
                    Color32::from_rgb(r, g, b)
                }
                None => Color32::TRANSPARENT,
            });
            let image = ColorImage::new([columns, rows], pixels.collect());
            let shown = self.textures.entry(node).or_default().put(ui, "network", image, egui::TextureOptions::NEAREST);
            ui.painter().image(shown, place, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
            write_values(ui, place, [rows, columns], values, top);
        }
        outline_traced(ui, place, [rows, columns], node, snapshot);
        let edge = if response.hovered() { ui.visuals().strong_text_color() } else { ui.visuals().weak_text_color() };
        let is_shown = highlight::shown(ui.ctx()).is_some_and(|key| node.role.is_moved_by(&key));
        let stroke = if is_shown { Stroke::new(3.0, theme::SERIES[4]) } else { Stroke::new(1.0, edge) };
        ui.painter().rect_stroke(place, 2.0, stroke, StrokeKind::Outside);
        let unit = response.hover_pos().and_then(|at| unit_at(place, [rows, columns], at)).filter(|&unit| unit < values.len());
        let traced = unit.and_then(|unit| node.traced(unit, snapshot));
        if let Some((layer, unit)) = traced.filter(|_| response.clicked()) {
            let watch = Watch { trace_layer: layer, trace_units: vec![unit], pair: [unit, unit], raster: snapshot.watch.raster };
            actions.push(Action::Watch(watch));
        }
        let of_unit = unit.map(|unit| format!("\nunit {unit}: {}", short(f64::from(values[unit])))).unwrap_or_default();
        let click = traced.map(|(layer, unit)| format!("\nClick: unit {unit} of layer {layer} in Traces")).unwrap_or_default();
        response.on_hover_text(greek(&format!("{}{of_unit}{click}", node.explanation(layers))));
    }

    /// What the strongest colour stands for: the largest |value| there is, which is forgotten slowly so that colours do not flicker.
    fn top(&mut self, node: Node, values: &[f32]) -> f32 {
        let largest = values.iter().map(|value| value.abs()).filter(|value| value.is_finite()).fold(0.0, f32::max);
        let top = self.tops.entry(node).or_insert(largest);
        *top = largest.max(self.memory * *top);
        top.max(f32::MIN_POSITIVE)
    }
}

/// Rows and columns in which the units of a node are drawn: those of the picture that is observed, else as near to squares as fits the node.
fn arrangement(node: Node, units: usize, place: Rect, snapshot: &Snapshot) -> [usize; 2] {
    let units = units.max(1);
    let [rows, columns] = snapshot.image_shape();
    if node.layer == 0 && rows * columns == units {
        return [rows, columns];
    }
    let columns = ((units as f32 * place.width() / place.height()).sqrt().round() as usize).clamp(1, units);
    [units.div_ceil(columns), columns]
}

/// The rectangle of a unit.
fn cell(place: Rect, [rows, columns]: [usize; 2], unit: usize) -> Rect {
    let size = vec2(place.width() / columns as f32, place.height() / rows as f32);
    let corner = place.min + vec2((unit % columns) as f32 * size.x, (unit / columns) as f32 * size.y);
    Rect::from_min_size(corner, size)
}

/// The unit at this point of a node.
fn unit_at(place: Rect, [rows, columns]: [usize; 2], at: Pos2) -> Option<usize> {
    let share = (at - place.min) / place.size();
    let within = |share: f32, count: usize| (0.0..1.0).contains(&share).then_some((share * count as f32) as usize);
    Some(within(share.y, rows)? * columns + within(share.x, columns)?)
}

/// Writes the values of a few units into their cells.
fn write_values(ui: &Ui, place: Rect, shape: [usize; 2], values: &[f32], top: f32) {
    if values.len() > WRITTEN {
        return;
    }
    for (unit, &value) in values.iter().enumerate() {
        let cell = cell(place, shape, unit);
        if cell_values::has_room(cell.size()) {
            cell_values::write(ui, ui.painter(), cell, value, top);
        }
    }
}

/// Outlines the units that are traced.
fn outline_traced(ui: &Ui, place: Rect, shape: [usize; 2], node: Node, snapshot: &Snapshot) {
    let is_own = node.role == Role::Neurons && node.layer == snapshot.watch.trace_layer;
    let size = snapshot.states.get(node.layer).map_or(0, Vec::len);
    for (i, &unit) in snapshot.watch.trace_units.iter().enumerate().filter(|(_, unit)| is_own && **unit < size) {
        let stroke = Stroke::new(2.0, theme::SERIES[i % theme::SERIES.len()]);
        ui.painter().rect_stroke(cell(place, shape, unit), 0.0, stroke, StrokeKind::Inside);
    }
}

/// The colour of a current, which is the one that it has in Traces.
fn color(flow: Flow, dark: bool) -> Color32 {
    match flow {
        Flow::Likelihood(_) | Flow::Choice(_) => theme::SERIES[0],
        Flow::Prior(_) => theme::SERIES[1],
        Flow::Predicted(_) => theme::SERIES[2],
        Flow::Observed(_) => theme::SERIES[4],
        Flow::Adapting(_) | Flow::Driving(_) => theme::SERIES[3],
        Flow::Prediction(_) => theme::exact(dark),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_under_the_pointer_is_the_one_that_is_drawn_there() {
        let place = Rect::from_min_size(pos2(3.0, 7.0), vec2(90.0, 40.0));
        for shape in [[1, 1], [4, 9], [7, 3]] {
            for unit in 0..shape[0] * shape[1] {
                assert_eq!(unit_at(place, shape, cell(place, shape, unit).center()), Some(unit));
            }
        }
        assert_eq!(unit_at(place, [4, 9], pos2(0.0, 0.0)), None);
    }
}
