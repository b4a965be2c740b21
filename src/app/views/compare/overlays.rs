//! Curves of runs over each other, one colour a run.

use super::columns::{in_columns, shown_in_sight};
use super::compared::{Compared, RunCurves, color, named};
use super::sections::{Overlay, RunLine, SECTIONS, Section};
use crate::app::widgets::decimate::thinned;
use crate::app::widgets::figure;
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid;
use crate::app::widgets::whole_frame;
use crate::export::table::Table;
use egui::{Ui, vec2};
use egui_plot::{HoverPosition, LineStyle, Plot, PlotPoints, Points};
use std::collections::BTreeSet;

/// Height of a plot, and the width from which on two stand side by side.
pub(super) const HEIGHT: f32 = 170.0;
const TWO: f32 = 560.0;

/// Which plots are drawn.
#[derive(Clone)]
pub(super) struct Chosen(BTreeSet<&'static str>);

impl Default for Chosen {
    fn default() -> Self {
        let first = SECTIONS.iter().flat_map(|section| section.overlays).filter(|overlay| overlay.first);
        Self(first.map(|overlay| overlay.title).collect())
    }
}

/// A plot with the lines that each run has.
struct Filled<'a> {
    overlay: &'a Overlay,
    /// Of each run.
    lines: Vec<Vec<RunLine>>,
}

impl Filled<'_> {
    /// The plot of these runs; None where no run has a line.
    fn of<'a>(overlay: &'a Overlay, curves: &[Option<RunCurves<'_>>]) -> Option<Filled<'a>> {
        let lines_of = |curves: &Option<RunCurves<'_>>| {
            let mut lines = curves.as_ref().map_or_else(Vec::new, overlay.lines);
            lines.iter_mut().for_each(|line| line.keep_finite());
            lines.retain(|line| !line.points.is_empty());
            lines
        };
        let lines: Vec<Vec<RunLine>> = curves.iter().map(lines_of).collect();
        lines.iter().any(|lines| !lines.is_empty()).then_some(Filled { overlay, lines })
    }
}

/// Draws all sections, each with a button for every plot that it has; in a figure, where nobody presses buttons, those that have plots.
pub(super) fn all(ui: &mut Ui, compared: &[Compared], curves: &[Option<RunCurves<'_>>], chosen: &mut Chosen) {
    for section in &SECTIONS {
        let filled: Vec<Filled<'_>> = section.overlays.iter().filter_map(|overlay| Filled::of(overlay, curves)).collect();
        let is_figure = whole_frame::is_asked(ui.ctx());
        if is_figure && filled.iter().all(|filled| !chosen.0.contains(filled.overlay.title)) {
            continue;
        }
        ui.horizontal_wrapped(|ui| {
            ui.heading(section.title);
            for Filled { overlay, .. } in filled.iter().filter(|_| !is_figure) {
                let mut is_on = chosen.0.contains(overlay.title);
                if ui.toggle_value(&mut is_on, greek(overlay.short)).on_hover_text(overlay.title).changed() {
                    if is_on {
                        chosen.0.insert(overlay.title)
                    } else {
                        chosen.0.remove(overlay.title)
                    };
                }
            }
        });
        if let Some(text) = missing(section, compared, curves) {
            ui.weak(text);
        }
        let drawn: Vec<&Filled<'_>> = filled.iter().filter(|filled| chosen.0.contains(filled.overlay.title)).collect();
        let columns = if ui.available_width() > TWO { 2 } else { 1 };
        in_columns(ui, columns, &drawn, |ui, filled, width| plot(ui, filled, compared, width));
        ui.add_space(4.0);
    }
}

/// The points of curves, two or three columns a curve: those of the plot of this title, or of all that are drawn.
pub(super) fn add_to(table: &mut Table, compared: &[Compared], curves: &[Option<RunCurves<'_>>], chosen: &Chosen, title: Option<&str>) {
    let is_wanted = |overlay: &&Overlay| title.map_or_else(|| chosen.0.contains(overlay.title), |title| title == overlay.title);
    for overlay in SECTIONS.iter().flat_map(|section| section.overlays).filter(is_wanted) {
        let Some(filled) = Filled::of(overlay, curves) else { continue };
        for (of, line) in compared.iter().zip(&filled.lines).flat_map(|(of, lines)| lines.iter().map(move |line| (of, line))) {
            let name = format!("{}, {} ({})", overlay.title, line.name, of.label);
            table.push(format!("{} of {name}", overlay.x), line.points.iter().map(|point| point[0]));
            if !line.errors.is_empty() {
                table.push(format!("standard error of {name}"), line.errors.iter().copied());
            }
            table.push(name, line.points.iter().map(|point| point[1]));
        }
    }
}

/// Which of the runs have no curve of this kind, and why; None where all do.
fn missing(section: &Section, compared: &[Compared], curves: &[Option<RunCurves<'_>>]) -> Option<String> {
    let has_some = |curves: &Option<RunCurves<'_>>| section.overlays.iter().any(|o| Filled::of(o, std::slice::from_ref(curves)).is_some());
    let mut reasons = Vec::new();
    for (i, (of, curves)) in compared.iter().zip(curves).enumerate().filter(|(_, (_, curves))| !has_some(curves)) {
        let (name, what) = (&of.name, section.what);
        reasons.push(match curves {
            _ if of.problem.is_some() => format!("{name} could not be read"),
            Some(_) if i == 0 => format!("{name} has no {what}"),
            Some(_) => format!("{name} kept no {what}"),
            None if of.is_file => format!("{name} is a model file, which holds no curves"),
            None => format!("{name} has kept nothing of its views yet"),
        });
    }
    (!reasons.is_empty()).then(|| format!("{}.", reasons.join("; ")))
}

/// What is left of names in parts, as `m = 0, K = 1`, without the parts that all have.
fn distinguished(names: &[&str]) -> Vec<String> {
    let parts = |name: &str| name.split(", ").map(str::to_string).collect::<Vec<_>>();
    let is_common = |part: &String| names.len() > 1 && names.iter().all(|name| parts(name).contains(part));
    let own = |name: &&str| {
        let own: Vec<String> = parts(name).into_iter().filter(|part| !is_common(part)).collect();
        if own.is_empty() { (*name).to_string() } else { own.join(", ") }
    };
    names.iter().map(own).collect()
}

/// How the lines of one name are drawn, and what that is called.
fn style(i: usize) -> (LineStyle, &'static str) {
    match i % 5 {
        0 => (LineStyle::Solid, "solid"),
        1 => (LineStyle::dashed_loose(), "dashed"),
        2 => (LineStyle::dotted_loose(), "dotted"),
        3 => (LineStyle::dashed_dense(), "short dashes"),
        _ => (LineStyle::dotted_dense(), "dense dots"),
    }
}

/// One plot with its title and a legend of the runs.
fn plot(ui: &mut Ui, filled: &Filled<'_>, compared: &[Compared], width: f32) {
    let Filled { overlay, lines } = filled;
    let mut names: Vec<&str> = Vec::new();
    for line in lines.iter().flatten() {
        if !names.contains(&line.name.as_str()) {
            names.push(&line.name);
        }
    }
    let shown = ui.vertical(|ui| {
        ui.set_width(width);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            ui.strong(greek(overlay.title));
            for (i, of) in compared.iter().enumerate().filter(|(i, _)| !lines[*i].is_empty()) {
                named(ui, i, &of.label);
            }
        });
        if names.len() > 1 {
            let told = distinguished(&names).into_iter().enumerate().map(|(i, name)| format!("{}: {name}", style(i).1));
            ui.weak(greek(&told.collect::<Vec<_>>().join("; ")));
        }
        shown_in_sight(ui, overlay.title, vec2(width, HEIGHT), axes(overlay).width(width), |plot| {
            for (i, line) in lines.iter().enumerate().flat_map(|(i, lines)| lines.iter().map(move |line| (i, line))) {
                let place = |[x, y]: [f64; 2]| [overlay.axes[0].place(x), overlay.axes[1].place(y)];
                let points = thinned(line.points.iter().copied().map(place).collect(), width);
                let name = format!("{}: {}", compared[i].label, line.name);
                let style = style(names.iter().position(|name| *name == line.name).unwrap_or_default()).0;
                for (p, error) in line.points.iter().zip(&line.errors).filter(|(_, error)| error.is_finite()) {
                    let bar = vec![place([p[0], p[1] - error]), place([p[0], p[1] + error])];
                    plot.line(figure::line("", PlotPoints::from(bar)).color(color(i)).width(1.2).allow_hover(false));
                }
                if line.dotted || points.len() < 2 {
                    plot.points(Points::new(name.clone(), PlotPoints::from(points.clone())).color(color(i)).radius(2.4));
                }
                plot.line(figure::line(name, PlotPoints::from(points)).color(color(i)).width(1.4).style(style));
            }
        });
    });
    figure::mark(ui, overlay.title, shown.response.rect);
}

/// Axes and grid of a plot.
fn axes(overlay: &Overlay) -> Plot<'static> {
    let axes = overlay.axes;
    grid::scaled(Plot::new(("overlay", overlay.title)), axes)
        .height(HEIGHT)
        .allow_scroll(false)
        .x_axis_label(greek(overlay.x))
        .y_axis_min_width(40.0)
        .label_formatter(move |at| match at {
            HoverPosition::NearDataPoint { plot_name, position: p, .. } => {
                Some(format!("{plot_name}\n{}, {}", grid::short(axes[0].value(p.x)), grid::short(axes[1].value(p.y))))
            }
            HoverPosition::Elsewhere { .. } => None,
        })
}

#[cfg(test)]
mod tests {
    use super::super::sections::LEAST;
    use super::*;
    use crate::app::measured_curves::{Curve, MeasuredCurves};
    use std::borrow::Cow;

    fn compared(name: &str, is_file: bool) -> Compared {
        Compared {
            name: name.into(),
            label: name.into(),
            problem: None,
            filters: ndarray::Array2::zeros((0, 0)),
            shape: [0, 0],
            kept: None,
            is_file,
            is_live: false,
            comparison: None,
        }
    }

    fn measured(measured: MeasuredCurves) -> Option<RunCurves<'static>> {
        Some(RunCurves { learning: Cow::Borrowed(&[]), fits: Cow::Borrowed(&[]), measured: Cow::Owned(measured) })
    }

    fn section(title: &str) -> &'static Section {
        const { &SECTIONS }.iter().find(|section| section.title == title).unwrap()
    }

    #[test]
    fn every_kind_of_curve_is_drawn_and_titles_are_names_of_figures() {
        let curve = |name: &str| Curve { name: name.into(), points: vec![[0.5, 2.0, 3.0, 4.0], [1.0, f64::NAN, 1.5, 2.0]] };
        let of = measured(MeasuredCurves {
            generation: vec![curve("joint of 256 images")],
            race: vec![Curve { name: "m = 0".into(), points: vec![[0.0, 1.0], [500.0, 0.25], [1000.0, 0.0]] }],
            adaptation: vec![curve("adaptation")],
            likelihood: vec![Curve { name: "50 images".into(), points: vec![[100.0, -80.0, 1.0]] }],
        });
        let lines = |title: &str| {
            let overlay = SECTIONS.iter().flat_map(|section| section.overlays).find(|overlay| overlay.title == title).unwrap();
            let mut filled = Filled::of(overlay, std::slice::from_ref(&of)).unwrap();
            filled.lines.remove(0)
        };
        let samples = lines("Frechet distance of samples over computing time");
        assert_eq!(samples[0].points, [[0.5, 3.0], [1.0, 1.5]]);
        assert_eq!(lines("Frechet distance of means over computing time")[0].points, [[0.5, 4.0], [1.0, 2.0]]);
        let race = &lines("Total variation distance to the exact posterior")[0];
        assert_eq!(race.points, [[0.5, 0.25], [1.0, LEAST]], "s, and no logarithm of 0");
        let sweep = lines("Speed-up against m");
        assert_eq!((sweep[0].points.as_slice(), sweep[0].errors.as_slice()), ([[0.5, 2.0]].as_slice(), [3.0].as_slice()));
        assert_eq!(sweep[1].points, [[0.5, 4.0], [1.0, 2.0]], "theory");
        let titles: BTreeSet<&str> = SECTIONS.iter().flat_map(|section| section.overlays).map(|overlay| overlay.title).collect();
        assert_eq!(titles.len(), SECTIONS.iter().map(|section| section.overlays.len()).sum::<usize>());
    }

    #[test]
    fn a_section_names_every_run_that_has_nothing_for_it() {
        let raced = MeasuredCurves { race: vec![Curve { name: "m = 0".into(), points: vec![[1.0, 0.5]] }], ..MeasuredCurves::default() };
        let all =
            [compared("the one that runs", false), compared("ridge 2", false), compared("model.npz", true), compared("bars 3", false)];
        let curves = [measured(raced), measured(MeasuredCurves::default()), None, None];
        let text = missing(section("Race"), &all, &curves).unwrap();
        assert_eq!(
            text,
            "ridge 2 kept no race of samplers; model.npz is a model file, which holds no curves; bars 3 has kept nothing of its views yet."
        );
        let text = missing(section("Adaptation"), &all, &curves).unwrap();
        assert!(text.starts_with("the one that runs has no measured speed-up"), "{text}");
        assert_eq!(missing(section("Race"), &all[..1], &curves[..1]), None);
    }

    #[test]
    fn names_of_lines_keep_what_tells_them_apart() {
        assert_eq!(distinguished(&["m = 0, K = 1", "m = 2, K = 1"]), ["m = 0", "m = 2"]);
        assert_eq!(distinguished(&["joint", "marginal"]), ["joint", "marginal"]);
        assert_eq!(distinguished(&["m = 0, K = 1"]), ["m = 0, K = 1"]);
    }
}
