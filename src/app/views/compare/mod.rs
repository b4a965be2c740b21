//! Compare: two or more runs side by side, with what differs between them and the one that runs.

mod beside;
mod columns;
mod compared;
mod distributions;
mod models;
mod overlays;
mod sections;

use crate::app::actions::Action;
use crate::app::gabor_fitter::FitPriority;
use crate::app::state::ViewState;
use crate::app::views::{View, WholeView};
use crate::app::widgets::background_value::{BackgroundValue, COMPUTED};
use crate::engine::{RunId, RunList, Snapshot};
use crate::experiment::modelfile;
use crate::export::table::Table;
use compared::{Compared, LiveModel, Other, RunCurves, Wanted, named};
use egui::{ScrollArea, Ui};
use models::Mosaic;
use overlays::Chosen;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs that can be ticked at most.
const LISTED: usize = 40;
/// Runs that are compared at most.
const MOST: usize = 6;

/// What the view keeps.
#[derive(Default)]
pub struct Compare {
    /// Runs beside the one that runs.
    ticked: BTreeSet<RunId>,
    /// Model files beside the runs, as they were typed.
    files: Vec<PathBuf>,
    file: String,
    found: BackgroundValue<Wanted, Arc<Vec<Compared>>>,
    mosaics: Vec<Mosaic>,
    chosen: Chosen,
    /// Whether a run beside goes on with the weights as they are.
    from_here: bool,
}

impl View for Compare {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        beside::row(ui, &mut self.from_here, state, snapshot, actions);
        self.choose(ui, state, snapshot);
        let others = self.others(state, snapshot);
        if others.is_empty() {
            ui.weak(
                "Tick a run, or name a model file, to see it beside the one that runs: filters that belong together, curves over each \
                 other, and every value that differs.",
            );
            return;
        }
        let Some(present) = LiveModel::of(snapshot) else { return };
        let wanted = Wanted { present, others };
        let found = self.found.latest(ui, &wanted, |wanted| Arc::new(compared::compare(wanted)));
        let Some((of, compared)) = found else {
            ui.weak(COMPUTED);
            return;
        };
        let is_same = of.others.len() == wanted.others.len() && of.others.iter().zip(&wanted.others).all(|(of, now)| of.is_same(now));
        if !is_same {
            ui.weak(COMPUTED);
            return;
        }
        let curves = compared::curves(compared, state, snapshot);
        ScrollArea::vertical().show(ui, |ui| drawn(ui, compared, &curves, &mut self.mosaics, &mut self.chosen));
    }

    fn fit_priority(&self) -> FitPriority {
        if self.found.found().is_some() { FitPriority::Visible } else { FitPriority::Unneeded }
    }

    fn whole(&self, state: &ViewState, snapshot: &Snapshot) -> Option<WholeView> {
        let (_, compared) = self.found.found()?;
        let curves = compared::curves(compared, state, snapshot).into_iter().map(|curves| curves.map(RunCurves::into_owned));
        let (compared, curves, mut chosen) = (compared.clone(), curves.collect::<Vec<_>>(), self.chosen.clone());
        let mut mosaics = Vec::new();
        Some(Box::new(move |ui| drawn(ui, &compared, &curves, &mut mosaics, &mut chosen)))
    }

    /// The curves that are drawn, and the quantities of all units.
    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        self.numbers(state, snapshot, None)
    }

    /// Those of one plot; of a mosaic all of the view's.
    fn figure_table(&self, figure: &str, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        self.numbers(state, snapshot, Some(figure))
    }
}

impl Compare {
    /// Curves and quantities of what is compared, of one figure or of all; None where nothing is compared.
    fn numbers(&self, state: &ViewState, snapshot: &Snapshot, figure: Option<&str>) -> Option<Table> {
        let (_, compared) = self.found.found()?;
        let mut table = Table::default();
        overlays::add_to(&mut table, compared, &compared::curves(compared, state, snapshot), &self.chosen, figure);
        distributions::add_to(&mut table, compared, figure);
        (!table.columns.is_empty()).then_some(table)
    }

    /// Which runs and files stand beside the one that runs.
    fn choose(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot) {
        let list: Arc<RunList> = snapshot.runs.clone().unwrap_or_default();
        let is_live = |id: &RunId| *id == snapshot.run || beside::run(state) == Some(id);
        self.ticked.retain(|id| !is_live(id) && list.runs.iter().any(|run| run.id == *id));
        ui.horizontal_wrapped(|ui| {
            let full = self.ticked.len() + self.files.len() + usize::from(state.beside.is_some()) + 1 >= MOST;
            for run in list.runs.iter().filter(|run| !is_live(&run.id)).take(LISTED) {
                let mut is_ticked = self.ticked.contains(&run.id);
                let title = run.title();
                let hint = if run.changes.is_empty() { "As the preset has it".to_string() } else { run.changes.join("\n") };
                if ui.add_enabled(is_ticked || !full, egui::Checkbox::new(&mut is_ticked, title)).on_hover_text(hint).changed() {
                    if is_ticked {
                        self.ticked.insert(run.id.clone())
                    } else {
                        self.ticked.remove(&run.id)
                    };
                }
            }
        });
        ui.horizontal(|ui| {
            let label = ui.label("Model file");
            let field = ui.add(egui::TextEdit::singleline(&mut self.file).desired_width(180.0).hint_text("model.npz"));
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            let _ = field.labelled_by(label.id);
            if (ui.button("Add").clicked() || entered) && !self.file.trim().is_empty() {
                self.files.push(crate::app::paths::full_path(&self.file, Some(modelfile::ENDING)));
                self.file.clear();
            }
            let mut removed = None;
            for (i, path) in self.files.iter().enumerate() {
                let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                if ui.button(format!("{name} x")).on_hover_text(format!("Leave out {}", path.display())).clicked() {
                    removed = Some(i);
                }
            }
            removed.map(|i| self.files.remove(i));
        });
    }

    /// The run beside, if there is one, what is ticked, and the files.
    fn others(&self, state: &ViewState, snapshot: &Snapshot) -> Vec<Other> {
        let list: Arc<RunList> = snapshot.runs.clone().unwrap_or_default();
        let beside = state.beside.as_ref().and_then(|state| state.latest.as_ref());
        let beside = beside.and_then(|snapshot| {
            let live = LiveModel::of(snapshot)?;
            Some(Other { name: beside::NAME.into(), path: list.folder.join(&snapshot.run.0), saved: None, live: Some(live) })
        });
        let ticked = list.runs.iter().filter(|run| self.ticked.contains(&run.id));
        let state = |id: &RunId| list.folder.join(&id.0).join("state.npz");
        let runs = ticked.map(|run| Other { name: run.title(), path: state(&run.id), saved: Some(run.saved), live: None });
        let file = |path: &PathBuf| Other { name: path.display().to_string(), path: path.clone(), saved: None, live: None };
        beside.into_iter().chain(runs).chain(self.files.iter().map(file)).take(MOST - 1).collect()
    }
}

/// All that is compared.
fn drawn(ui: &mut Ui, compared: &[Compared], curves: &[Option<RunCurves<'_>>], mosaics: &mut Vec<Mosaic>, chosen: &mut Chosen) {
    mosaics.resize_with(compared.len(), Mosaic::default);
    legend(ui, compared);
    models::mosaics(ui, mosaics, compared);
    overlays::all(ui, compared, curves, chosen);
    distributions::all(ui, compared);
    models::differences(ui, compared);
}

/// Each run in its colour, with the values that tell it from the others.
fn legend(ui: &mut Ui, compared: &[Compared]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for (i, of) in compared.iter().enumerate() {
            let text = if of.label == of.name { of.name.clone() } else { format!("{}: {}", of.name, of.label) };
            let differing = of.comparison.iter().flat_map(|found| &found.differing);
            let all: Vec<String> = differing.map(|value| format!("{}: {} here, {}", value.key, value.first, value.second)).collect();
            let response = named(ui, i, &format!("\u{2022} {text}"));
            if !all.is_empty() {
                response.on_hover_text(all.join("\n"));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::figures::FigureSettings;
    use crate::app::figures::drawing::{Content, lay_out};
    use crate::app::widgets::figure;
    use crate::engine::LearningPoint;
    use crate::experiment::presets;
    use crate::experiment::session::Session;
    use std::time::{Duration, Instant};

    #[test]
    fn a_model_file_is_drawn_beside_the_run_with_the_curves_that_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.npz");
        let config = presets::by_name("bars").unwrap();
        let mut other = config.clone();
        (other.dynamics.adaptation, other.data.patches) = (0.0, 500);
        modelfile::save(&path, &other.clone(), &Session::new(other).unwrap()).unwrap();
        let mut snapshot = Snapshot::synthetic(config);
        snapshot.increment.learning =
            (0..20).map(|i| LearningPoint { images: 100 * i, residual_variance: 0.5, ..Default::default() }).collect();
        let mut state = ViewState::default();
        state.absorb(Box::new(snapshot));
        let snapshot = state.latest.clone().unwrap();
        for size in [[700.0, 1500.0], [1400.0, 1500.0]] {
            let ctx = egui::Context::default();
            let mut view = Compare { files: vec![path.clone()], ..Compare::default() };
            let begin = Instant::now();
            let mut names = Vec::new();
            while !names.iter().any(|name| name == "Residual variance") {
                assert!(begin.elapsed() < Duration::from_secs(20), "only {names:?} are drawn at {size:?}");
                let screen_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, size.into()));
                let input = egui::RawInput { screen_rect, ..Default::default() };
                let mut output = ctx.run_ui(input, |ui| {
                    egui::CentralPanel::default().show(ui, |ui| view.ui(ui, &state, &snapshot, &mut Vec::new()));
                });
                output.textures_delta.clear();
                names = figure::take(&ctx).into_iter().map(|(name, _)| name).collect();
                std::thread::sleep(Duration::from_millis(2));
            }
            let columns = |figure: Option<&str>| {
                let table = figure.map_or_else(|| view.table(&state, &snapshot), |name| view.figure_table(name, &state, &snapshot));
                table.map_or_else(Vec::new, |table| table.columns)
            };
            let curve = columns(Some("Residual variance"));
            assert!(curve.len() == 4 && curve.iter().all(|(_, values)| values.len() == 20), "images and values of two lines: {curve:?}");
            assert!(curve[1].1.iter().all(|&value| value == 0.5));
            assert!(columns(None).len() > curve.len() + 2, "every curve, and the quantities of both");
            assert_eq!(view.figure_table("filters of other.npz", &state, &snapshot), None);
            // One figure of all: as high as what is compared, with the mosaics as pictures and the letters of its last part as text.
            let [png, svg] = ["a.png", "a.svg"].map(|name| folder.path().join(name));
            let settings = FigureSettings { width_mm: 0.2 * size[0], outlines: false, ..FigureSettings::default() };
            for path in [&png, &svg] {
                let mut whole = view.whole(&state, &snapshot).unwrap();
                lay_out(Content::AsHighAsItIs, &settings, 254.0, size, |ui| whole(ui)).unwrap().write(path, "two models", "").unwrap();
            }
            let picture = image::open(&png).unwrap().into_rgb8();
            assert!(picture.width().abs_diff(2 * size[0] as u32) <= 1, "as wide as was asked for: {}", picture.width());
            assert!((1200..12_000).contains(&picture.height()), "{} rows", picture.height());
            let rows: Vec<bool> = picture.rows().map(|mut row| row.any(|pixel| *pixel != *picture.get_pixel(0, 0))).collect();
            let last = rows.iter().rposition(|is_drawn| *is_drawn).unwrap();
            assert!(rows.len() - last < 60, "{} rows of {} are empty", rows.len() - last, rows.len());
            let text = std::fs::read_to_string(&svg).unwrap();
            assert!(text.matches("<image").count() >= 2, "a mosaic each");
            for words in ["Residual variance", "filters alike", "adaptation"] {
                assert!(text.contains(words), "{words} is missing");
            }
            assert!(!text.contains("Model file"), "nothing to be pressed or typed");
        }
    }
}
