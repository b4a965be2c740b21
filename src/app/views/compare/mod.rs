//! Compare: two or more runs side by side, with what differs between them and the one that runs.

mod columns;
mod compared;
mod distributions;
mod models;
mod overlays;
mod sections;

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::views::View;
use crate::app::widgets::background_value::{BackgroundValue, COMPUTED};
use crate::app::widgets::cached_texture::CachedTexture;
use crate::engine::{RunId, RunList, Snapshot};
use crate::experiment::modelfile;
use crate::export::table::Table;
use crate::studies::model_comparison::ComparedModel;
use compared::{Compared, Other, Wanted, named};
use egui::{ScrollArea, Ui};
use overlays::Chosen;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

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
    found: BackgroundValue<Wanted, Vec<Compared>>,
    mosaics: Vec<CachedTexture<(usize, bool)>>,
    chosen: Chosen,
}

impl View for Compare {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, _: &mut Vec<Action>) {
        self.choose(ui, snapshot);
        if self.ticked.is_empty() && self.files.is_empty() {
            ui.weak("Tick a run, or name a model file, to see it beside the one that runs: filters that belong together, curves over each other, and every value that differs.");
            return;
        }
        let Ok(model) = snapshot.model() else { return };
        let mut config = (*snapshot.config).clone();
        config.learning.images_seen = snapshot.clock.images;
        let present = Arc::new(ComparedModel { config, model });
        let others = self.others(snapshot);
        // While it learns the one that runs is compared again every few seconds, not with every version of its weights.
        let version = (snapshot.model_id, snapshot.clock.images / 5000);
        let wanted = Wanted { present, version, others };
        let found = self.found.latest(ui, &wanted, compared::compare);
        let Some((of, compared)) = found else {
            ui.weak(COMPUTED);
            return;
        };
        if of.others != wanted.others {
            ui.weak(COMPUTED);
            return;
        }
        let address = compared.as_ptr() as u64;
        self.mosaics.resize_with(compared.len(), CachedTexture::default);
        ScrollArea::vertical().show(ui, |ui| {
            legend(ui, compared);
            models::mosaics(ui, &mut self.mosaics, compared, address);
            overlays::all(ui, compared, &compared::curves(compared, state, snapshot), &mut self.chosen);
            distributions::all(ui, compared);
            models::differences(ui, compared);
        });
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
    fn choose(&mut self, ui: &mut Ui, snapshot: &Snapshot) {
        let list: Arc<RunList> = snapshot.runs.clone().unwrap_or_default();
        self.ticked.retain(|id| *id != snapshot.run && list.runs.iter().any(|run| run.id == *id));
        ui.horizontal_wrapped(|ui| {
            let full = self.ticked.len() + self.files.len() + 1 >= MOST;
            for run in list.runs.iter().filter(|run| run.id != snapshot.run).take(40) {
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

    fn others(&self, snapshot: &Snapshot) -> Vec<Other> {
        let list: Arc<RunList> = snapshot.runs.clone().unwrap_or_default();
        let ticked = list.runs.iter().filter(|run| self.ticked.contains(&run.id));
        let state = |id: &RunId| list.folder.join(&id.0).join("state.npz");
        let runs = ticked.map(|run| Other { name: run.title(), path: state(&run.id), saved: Some(run.saved) });
        let files = self.files.iter().map(|path| Other { name: path.display().to_string(), path: path.clone(), saved: None });
        runs.chain(files).take(MOST - 1).collect()
    }
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
        }
    }
}
