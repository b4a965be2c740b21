//! Compare: two or more runs side by side, with what differs between them and the one that runs.

use crate::app::actions::Action;
use crate::app::histories;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::background_value::{BackgroundValue, COMPUTED};
use crate::app::widgets::cached_texture::CachedTexture;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::engine::{RunId, RunList, Snapshot, ViewArrays};
use crate::experiment::modelfile;
use crate::export::mosaic::{self, Layout, Scale};
use crate::export::table::Table;
use crate::model::receptive_field;
use crate::studies::model_comparison::{ALIKE, ComparedModel, ModelComparison};
use egui::{Color32, ColorImage, Rect, ScrollArea, Sense, Ui, Vec2, pos2};
use egui_plot::{Line, Plot};
use ndarray::Array2;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs that are compared at most.
const MOST: usize = 6;
/// Height of the curves.
const CURVES: f32 = 190.0;
/// Points a side of a mosaic, at most.
const MOSAIC: f32 = 260.0;
/// Filters of a mosaic, at most.
const FILTERS: usize = 400;

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
}

/// What is to be compared: the first is what the others are compared with.
#[derive(Clone)]
struct Wanted {
    /// The model that runs, and its number and version.
    present: Arc<ComparedModel>,
    version: (u64, u64),
    others: Vec<(String, PathBuf)>,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.others == other.others
    }
}

/// One of them: its name, its model, its curves and how it compares with the first.
struct Compared {
    name: String,
    /// Why there is no more.
    problem: Option<String>,
    /// Filters of the first layer, `[pixels, units]`, in the order of those of the first that they belong to.
    filters: Array2<f32>,
    shape: [usize; 2],
    views: Option<ViewArrays>,
    comparison: Option<ModelComparison>,
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
        let found = self.found.latest(ui, &wanted, compare);
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
            curves(ui, state, compared);
            mosaics(ui, &mut self.mosaics, compared, address);
            differences(ui, compared);
        });
    }

    fn table(&self, _: &ViewState, _: &Snapshot) -> Option<Table> {
        None
    }
}

impl Compare {
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

    fn others(&self, snapshot: &Snapshot) -> Vec<(String, PathBuf)> {
        let list: Arc<RunList> = snapshot.runs.clone().unwrap_or_default();
        let ticked = list.runs.iter().filter(|run| self.ticked.contains(&run.id));
        let runs = ticked.map(|run| (run.title(), list.folder.join(&run.id.0).join("state.npz")));
        let files = self.files.iter().map(|path| (path.display().to_string(), path.clone()));
        runs.chain(files).take(MOST - 1).collect()
    }
}

/// Reads the others and compares each with the one that runs.
fn compare(wanted: &Wanted) -> Vec<Compared> {
    let filters_of = |of: &ComparedModel| receptive_field::filters(&of.model, 1, None);
    let first = filters_of(&wanted.present);
    let shape = wanted.present.model.image_shape();
    let present = Compared { name: "the one that runs".into(), problem: None, filters: first, shape, views: None, comparison: None };
    let other = |(name, path): &(String, PathBuf)| match modelfile::load(path) {
        Ok((config, model)) => {
            let of = ComparedModel { config, model };
            let comparison = ModelComparison::of(&wanted.present, &of);
            let filters = filters_of(&of);
            let mut order: Vec<(usize, usize)> = comparison.matched.iter().map(|pair| (pair.first, pair.second)).collect();
            order.sort_unstable();
            let matched: BTreeSet<usize> = order.iter().map(|(_, second)| *second).collect();
            let rest = (0..filters.ncols()).filter(|unit| !matched.contains(unit));
            let order: Vec<usize> = order.iter().map(|(_, second)| *second).chain(rest).collect();
            Compared {
                name: name.clone(),
                problem: None,
                filters: filters.select(ndarray::Axis(1), &order),
                shape: of.model.image_shape(),
                views: path.parent().and_then(|folder| ViewArrays::load(&folder.join("views.npz"))),
                comparison: Some(comparison),
            }
        }
        Err(error) => Compared {
            name: name.clone(),
            problem: Some(error.to_string()),
            filters: Array2::zeros((0, 0)),
            shape: [0, 0],
            views: None,
            comparison: None,
        },
    };
    std::iter::once(present).chain(wanted.others.iter().map(other)).collect()
}

fn color(i: usize) -> Color32 {
    theme::SERIES[i % theme::SERIES.len()]
}

/// Curves of learning over each other.
fn curves(ui: &mut Ui, state: &ViewState, compared: &[Compared]) {
    let learned = |i: usize, of: &Compared| {
        if i == 0 {
            return state.learning.clone();
        }
        of.views.as_ref().map_or_else(Vec::new, |views| histories::from_arrays(views).learning)
    };
    let all: Vec<_> = compared.iter().enumerate().map(|(i, of)| learned(i, of)).collect();
    if all.iter().all(|points| points.len() < 2) {
        return;
    }
    let names = compared.iter().enumerate().map(|(i, of)| (of.name.as_str(), color(i)));
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            let width = (ui.available_width() - 12.0) / 2.0;
            ui.set_width(width);
            figure::title(ui, "Residual variance", names.clone());
            plot(ui, "residual variance of runs", width, |p| f64::from(p.residual_variance), &all);
        });
        ui.vertical(|ui| {
            let width = ui.available_width();
            figure::title(ui, "Excess kurtosis of x", names);
            plot(ui, "kurtosis of runs", width, |p| f64::from(p.kurtosis), &all);
        });
    });
}

fn plot(ui: &mut Ui, name: &str, width: f32, value: fn(&crate::engine::LearningPoint) -> f64, all: &[Vec<crate::engine::LearningPoint>]) {
    let plot = Plot::new(name).height(CURVES).width(width).allow_scroll(false).x_axis_label("images").y_axis_min_width(40.0);
    grid::numbered(plot).figure(ui, name, |plot| {
        for (i, points) in all.iter().enumerate() {
            let line: Vec<[f64; 2]> = points.iter().map(|p| [p.images as f64, value(p)]).collect();
            plot.line(Line::new("", figure::points(line)).color(color(i)).width(1.4));
        }
    });
}

/// Filters side by side, those that belong together at the same place.
fn mosaics(ui: &mut Ui, textures: &mut [CachedTexture<(usize, bool)>], compared: &[Compared], address: u64) {
    let dark = ui.visuals().dark_mode;
    let side = ((ui.available_width() - 12.0 * compared.len() as f32) / compared.len() as f32).min(MOSAIC);
    ui.horizontal_top(|ui| {
        for (i, of) in compared.iter().enumerate() {
            ui.vertical(|ui| {
                ui.set_width(side);
                ui.colored_label(color(i), &of.name);
                if let Some(problem) = &of.problem {
                    ui.colored_label(theme::alarm(dark), problem);
                    return;
                }
                match &of.comparison {
                    Some(c) if !c.matched.is_empty() => ui.weak(format!("{} of {} filters alike", c.alike, c.matched.len())),
                    Some(_) => ui.weak("other pixels"),
                    None => ui.weak("filters in their order"),
                }
                .on_hover_text(format!("Alike: |cosine| of at least {ALIKE}. Filters that belong together stand at the same place"));
                let count = of.filters.ncols().min(FILTERS);
                let make = || {
                    let layout = Layout::new(count, of.shape, 1);
                    let picture = mosaic::render(of.filters.view(), &Vec::from_iter(0..count), layout, Scale::PerFilter, dark);
                    ColorImage::from_rgb([picture.width() as usize, picture.height() as usize], picture.as_raw())
                };
                let texture = textures[i].get(ui, &format!("compared {i}"), (i, dark), [address, count as u64], make);
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
                figure::mark(ui, format!("filters of {}", of.name), rect);
                if let Some(texture) = texture {
                    ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
                }
            });
        }
    });
}

/// Values that differ, and how the units' quantities compare.
fn differences(ui: &mut Ui, compared: &[Compared]) {
    for (i, of) in compared.iter().enumerate().skip(1) {
        let Some(comparison) = &of.comparison else { continue };
        ui.separator();
        ui.colored_label(color(i), format!("{} beside the one that runs", of.name));
        if comparison.weight_difference.is_finite() {
            ui.label(format!("|W - W'| / |W| with filters matched: {:.3}", comparison.weight_difference));
        }
        egui::Grid::new(("differing", i)).striped(true).num_columns(3).show(ui, |ui| {
            ui.strong("value");
            ui.strong("the one that runs");
            ui.strong(&of.name);
            ui.end_row();
            for value in &comparison.differing {
                ui.label(&value.key);
                ui.label(&value.first);
                ui.label(&value.second);
                ui.end_row();
            }
            for quantity in &comparison.distributions {
                let text = format!("KS {:.3}, p = {:.2}", quantity.statistic, quantity.chance);
                let tip =
                    "Statistic of Kolmogorov and Smirnov for two samples, and the chance of one so large where both are one distribution";
                ui.label(format!("{}, median ({text})", quantity.name)).on_hover_text(tip);
                quantity.medians.iter().for_each(|median| _ = ui.label(grid::short(*median)));
                ui.end_row();
            }
        });
    }
}
