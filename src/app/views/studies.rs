//! Studies: every study of the registry, run on the present model and plotted beside theory as it describes itself.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::background_value::{BackgroundValue, COMPUTED};
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid;
use crate::app::widgets::measured;
use crate::app::widgets::number_field::drag_value;
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::export::table::Table;
use crate::studies::{
    self, Curve, Expectation, Figure, OptionKind, SameTarget, Study, StudyFindings, StudyOption, StudyOptions, StudyTarget,
};
use egui::{ScrollArea, Ui};
use egui_plot::{Corner, Legend, Plot};
use std::collections::HashMap;
use std::sync::Arc;

/// Width of the list.
const LIST: f32 = 230.0;

/// What the view keeps.
#[derive(Default)]
pub struct Studies {
    /// Place in the registry.
    chosen: usize,
    /// Options as people have set them, by the study's name.
    options: HashMap<&'static str, StudyOptions>,
    /// Why each study does not apply to a target; None where it does.
    reasons: Option<(Arc<StudyTarget>, Vec<Option<String>>)>,
    theory: BackgroundValue<Picture, Theory>,
}

/// What axes and curves are made of.
#[derive(Clone, PartialEq)]
struct Picture {
    target: SameTarget,
    name: &'static str,
    options: StudyOptions,
}

/// Axes, and curves, which may cost an equation a point.
struct Theory {
    figure: Figure,
    curves: Vec<Curve>,
}

impl View for Studies {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let Some(target) = snapshot.subject() else {
            ui.label("No model yet: choose a preset on the left.");
            return;
        };
        if self.reasons.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &target)) {
            let reason = |study: &dyn Study| study.applies(&target).err().map(|error| error.to_string());
            self.reasons = Some((target.clone(), studies::all().map(reason).collect()));
        }
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width((0.35 * ui.max_rect().width()).clamp(110.0, LIST));
                ScrollArea::vertical().id_salt("list of studies").show(ui, |ui| self.list(ui));
            });
            ui.separator();
            ui.vertical(|ui| self.study(ui, snapshot, &target, actions));
        });
    }

    fn measurement(&self, _: &Config) -> Option<Command> {
        let study = studies::all().nth(self.chosen)?;
        Some(Command::RunStudy { name: study.name().into(), options: StudyOptions::of(study) })
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let findings = snapshot.findings.as_deref().filter(|f| !f.points.is_empty())?;
        Some(findings.to_table(studies::by_name(&findings.study).ok()?))
    }
}

impl Studies {
    /// Every study with what it measures, and why it does not apply.
    fn list(&mut self, ui: &mut Ui) {
        let caution = theme::caution(ui.visuals().dark_mode);
        for (i, study) in studies::all().enumerate() {
            ui.selectable_value(&mut self.chosen, i, study.title()).on_hover_text(format!("heescope measure {}", study.name()));
            ui.add(egui::Label::new(egui::RichText::new(study.summary()).weak().small()).wrap());
            if let Some(reason) = self.reasons.as_ref().and_then(|(_, reasons)| reasons.get(i)?.as_deref()) {
                ui.add(egui::Label::new(egui::RichText::new(format!("Not for this model: {reason}")).color(caution).small()).wrap());
            }
            ui.add_space(4.0);
        }
    }

    /// The chosen study: its options, buttons and picture.
    fn study(&mut self, ui: &mut Ui, snapshot: &Snapshot, target: &Arc<StudyTarget>, actions: &mut Vec<Action>) {
        let Some(study) = studies::all().nth(self.chosen) else { return };
        ui.strong(study.title());
        if let Some(reason) = self.reasons.as_ref().and_then(|(_, reasons)| reasons.get(self.chosen)?.clone()) {
            ui.label(format!("This study cannot be done on this model: {reason}."));
            return;
        }
        let options = self.options.entry(study.name()).or_insert_with(|| StudyOptions::of(study));
        ui.horizontal_wrapped(|ui| study.options().iter().for_each(|option| edit(ui, study, option, options)));
        let options = options.clone();
        let findings = measured::controls(ui, snapshot, study, &options, study.summary(), actions);
        if !snapshot.exact_stimulus() {
            ui.weak("Each network has its own stimulus now: a study takes that of the first network.");
        }
        if let Some(reason) = findings.and_then(|f| f.stopped.as_ref()) {
            ui.colored_label(theme::caution(ui.visuals().dark_mode), format!("It ended early: {reason}."));
        }
        if let Some(text) = findings.filter(|f| f.finished).and_then(|f| study.printed(f)) {
            ui.monospace(text.trim_end());
        }
        let target = findings.and_then(|f| f.target.clone()).map_or_else(|| target.clone(), Arc::new);
        let Ok(options) = options.completed(study) else { return }; // the engine says what is wrong when it is asked to run
        let picture = Picture { target: SameTarget(target), name: study.name(), options };
        let compute = move |Picture { target: SameTarget(target), options, .. }: &Picture| Theory {
            figure: study.figure(target, options),
            curves: study.curves(target, options),
        };
        let found = self.theory.latest(ui, &picture, compute);
        match found.filter(|(of, _)| of.name == picture.name && of.options == picture.options) {
            Some((_, theory)) => plot(ui, picture.name, theory, findings),
            None => _ = ui.weak(COMPUTED),
        }
    }
}

/// What theory is, and the points beside it.
fn plot(ui: &mut Ui, name: &str, theory: &Theory, findings: Option<&StudyFindings>) {
    let (figure, dark) = (&theory.figure, ui.visuals().dark_mode);
    ui.weak(match figure.expectation {
        Expectation::None => "Points: measured.",
        Expectation::Exact => "Lines: exact. Points: measured, one standard error.",
        Expectation::Guide => "Lines: a guide. Points: measured, one standard error.",
    });
    let axes = [figure.x.scale, figure.y.scale];
    let mut plot = grid::scaled(Plot::new(("study", name)), axes)
        .legend(Legend::default().follow_insertion_order(true).position(Corner::LeftTop))
        .allow_scroll(false)
        .x_axis_label(greek(&figure.x.label))
        .y_axis_label(greek(&figure.y.label));
    if let Some(range) = figure.range {
        plot = range.into_iter().fold(plot, |plot, x| plot.include_x(axes[0].place(x)));
    }
    plot.figure(ui, name, |plot| {
        for (i, series) in figure.series.iter().enumerate() {
            let color = theme::SERIES[i % theme::SERIES.len()];
            let own = theory.curves.iter().filter(|curve| curve.series == i);
            // Of several series each has its colour, line and points alike; of one alone the line has a name of its own.
            let (name, line) = match (figure.series.len(), figure.expectation) {
                (1, Expectation::Guide) => ("guide", theme::exact(dark)),
                (1, _) => ("exact", theme::exact(dark)),
                _ => (series.name.as_str(), color),
            };
            own.for_each(|curve| measured::curve(plot, name, curve, axes, line));
            let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == i);
            measured::points(plot, &series.name, found, axes, color);
        }
    });
}

/// A field for an option.
fn edit(ui: &mut Ui, study: &dyn Study, option: &StudyOption, options: &mut StudyOptions) {
    let label = ui.label(option.key).on_hover_text(option.help);
    match option.kind {
        OptionKind::Whole { least, most, .. } => {
            let mut value = options.whole(option.key);
            if ui.add(drag_value(&mut value).range(least..=most)).labelled_by(label.id).changed() {
                let _ = options.set(study, option.key, &value.to_string()); // the field keeps to the range
            }
        }
        OptionKind::Number { least, most, .. } => {
            let mut value = options.number(option.key);
            let speed = 0.01 * value.abs().max(0.01);
            if ui.add(drag_value(&mut value).range(least..=most).speed(speed)).labelled_by(label.id).changed() {
                let _ = options.set(study, option.key, &value.to_string());
            }
        }
        OptionKind::Choice(words) => {
            let mut chosen = options.text(option.key).to_string();
            for word in words {
                if ui.selectable_value(&mut chosen, (*word).to_string(), *word).changed() {
                    let _ = options.set(study, option.key, word);
                }
            }
        }
        OptionKind::Text => {
            let mut text = options.text(option.key).replace('\n', "; ");
            let field = egui::TextEdit::singleline(&mut text).desired_width(180.0).hint_text("as the model has it");
            if ui.add(field).labelled_by(label.id).on_hover_text(option.help).changed() {
                let _ = options.set(study, option.key, &text);
            }
        }
        OptionKind::Texts => {
            let mut text = options.texts(option.key).join(" ");
            let field = egui::TextEdit::singleline(&mut text).desired_width(180.0).hint_text("as usual");
            if ui.add(field).labelled_by(label.id).on_hover_text(option.help).changed() {
                options.set_texts(option.key, text.split_whitespace().map(String::from).collect());
            }
        }
    }
}
