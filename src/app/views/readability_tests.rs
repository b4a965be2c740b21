//! Whether what the views show can be read: numbers on every axis, and letters that do not run over each other, at the sizes that windows
//! have.

use super::tests::{at_work, fitted, taken_in, wave};
use super::{ViewKind, registry};
use crate::app::state::ViewState;
use crate::app::widgets::figure::{self, PlotPlace};
use crate::app::widgets::whole_frame;
use crate::engine::Snapshot;
use crate::experiment::presets;
use egui::epaint::{ClippedShape, TextShape};
use egui::{Rect, Shape, Theme};

/// What is left to a view of windows of 1400 x 900, 1024 x 768, 1000 x 700 and 500 x 350 points.
const ROOMS: [[f32; 2]; 4] = [[1060.0, 790.0], [700.0, 650.0], [680.0, 580.0], [480.0, 240.0]];

/// A shorter axis has no room for two numbers with a line between them, points.
const SHORTEST: f32 = 45.0;

/// A frame of a view: its shapes and its plots.
struct Frame {
    shapes: Vec<ClippedShape>,
    plots: Vec<PlotPlace>,
}

fn frame(kind: ViewKind, state: &ViewState, [width, height]: [f32; 2], theme: Theme) -> Frame {
    let ctx = egui::Context::default();
    ctx.set_theme(theme);
    whole_frame::ask(&ctx);
    let (mut view, snapshot) = (registry::create(kind), state.latest.as_ref().unwrap());
    let mut frame = Frame { shapes: Vec::new(), plots: Vec::new() };
    for _ in 0..3 {
        figure::take_plots(&ctx);
        let screen = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, height));
        let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
        let mut output = ctx.run_ui(input, |ui| {
            egui::CentralPanel::default().show(ui, |ui| view.ui(ui, state, snapshot, &mut Vec::new()));
        });
        output.textures_delta.clear();
        frame = Frame { shapes: output.shapes, plots: figure::take_plots(&ctx) };
    }
    frame
}

/// Every piece of text with its place, and the part of the frame that it is seen through.
fn texts(shapes: &[ClippedShape]) -> Vec<(String, Rect, Rect)> {
    fn collect(shape: &Shape, clip: Rect, found: &mut Vec<(String, Rect, Rect)>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
            Shape::Text(text) if !is_faint(text) => {
                // Row by row: a text that goes on in the next line leaves room for another one before it and after it.
                for row in text.galley.rows.iter().filter(|row| text.angle == 0.0 && !row.text().trim().is_empty()) {
                    let place = row.visuals.mesh_bounds.translate(text.pos.to_vec2() + row.pos.to_vec2());
                    found.push((row.text(), place, clip));
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    shapes.iter().for_each(|of| collect(&of.shape, of.clip_rect, &mut found));
    found
}

fn is_faint(text: &TextShape) -> bool {
    text.opacity_factor < 0.1
}

/// A number, as axes have it: with a unit or a power perhaps.
fn is_number(text: &str) -> bool {
    let text = text.trim().trim_end_matches("ms").trim_end_matches(['k', 'M', 's', '%']).trim();
    text.replace('\u{2212}', "-").parse::<f64>().is_ok()
}

/// The states in which views are looked at: every preset at work, and before its first step.
fn states() -> impl Iterator<Item = (String, ViewState)> {
    presets::all().iter().flat_map(|preset| {
        let snapshot = at_work(preset.config(), wave);
        let fits = fitted(&snapshot, wave);
        let empty = taken_in(Snapshot::synthetic(preset.config()), None);
        [(preset.name.to_string(), taken_in(snapshot, fits)), (format!("{} before its first step", preset.name), empty)]
    })
}

#[test]
fn every_axis_has_two_numbers_at_every_size() {
    let mut poor = Vec::new();
    for (name, state) in states() {
        for kind in ViewKind::ALL {
            for size in ROOMS {
                let Frame { shapes, plots } = frame(kind, &state, size, Theme::Dark);
                let texts = texts(&shapes);
                for (plot, [outer, inner]) in plots.iter().filter(|(plot, _)| plot != "stimulus") {
                    let within = |region: Rect| {
                        let of_plot = |(text, place, clip): &&(String, Rect, Rect)| {
                            is_number(text) && region.contains(place.center()) && clip.intersects(*place)
                        };
                        texts.iter().filter(of_plot).count()
                    };
                    let seen = shapes.iter().any(|shape| shape.clip_rect.contains_rect(*outer));
                    let below = Rect::from_min_max(egui::pos2(outer.min.x - 9.0, inner.max.y), outer.max + egui::vec2(9.0, 0.0));
                    let beside = Rect::from_min_max(outer.min - egui::vec2(0.0, 9.0), egui::pos2(inner.min.x, outer.max.y + 9.0));
                    for (axis, region, room) in [("lower", below, outer.max.y - inner.max.y), ("side", beside, inner.min.x - outer.min.x)] {
                        let length = if axis == "side" { inner.height() } else { inner.width() };
                        if seen && room > 4.0 && length > SHORTEST && within(region) < 2 {
                            poor.push(format!(
                                "{}, {name}, {size:?}: {} numbers at the {axis} axis of {plot}",
                                kind.title(),
                                within(region)
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(poor.is_empty(), "{} axes:\n{}", poor.len(), poor.join("\n"));
}

#[test]
fn generation_says_where_interneurons_are_slow_and_else_does_not() {
    for (tau_eps_ms, is_slow) in [(0.02, false), (20.0, true)] {
        let mut config = presets::by_name("digits").unwrap();
        config.dynamics.tau_eps_ms = tau_eps_ms;
        let state = taken_in(at_work(config, wave), None);
        let Frame { shapes, .. } = frame(ViewKind::Generation, &state, ROOMS[0], Theme::Light);
        let said = texts(&shapes).iter().any(|(text, ..)| text.contains("interneurons are slow"));
        assert_eq!(said, is_slow, "tau_eps = {tau_eps_ms} ms");
    }
}

#[test]
fn no_text_runs_over_another_or_out_of_its_view() {
    let mut poor = Vec::new();
    for (name, state) in states() {
        for kind in ViewKind::ALL {
            for (size, theme) in ROOMS.into_iter().zip([Theme::Dark, Theme::Light, Theme::Dark, Theme::Light]) {
                let Frame { shapes, .. } = frame(kind, &state, size, theme);
                let texts = texts(&shapes);
                let seen: Vec<&(String, Rect, Rect)> = texts.iter().filter(|(_, place, clip)| clip.intersects(*place)).collect();
                for (i, (text, place, clip)) in seen.iter().enumerate() {
                    let at = format!("{}, {name}, {size:?}", kind.title());
                    for (other, its_place, its_clip) in &seen[i + 1..] {
                        let common = place.intersect(*its_place).intersect(*clip).intersect(*its_clip);
                        if common.width() > 2.0 && common.height() > 3.0 {
                            poor.push(format!("{at}: {text:?} and {other:?} share {common:?}"));
                        }
                    }
                    if place.max.x > size[0] + 1.0 && clip.max.x > size[0] - 8.0 && place.min.y < size[1] {
                        poor.push(format!("{at}: {text:?} ends at {:.0} of {:.0} points", place.max.x, size[0]));
                    }
                }
            }
        }
    }
    poor.dedup();
    assert!(poor.is_empty(), "{} places:\n{}", poor.len(), poor.join("\n"));
}
