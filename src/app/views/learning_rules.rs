//! Learning rules: the model's rule beside those that need a negative phase, and how well each finds the gradient.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::cached_texture::CachedTexture;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::app::widgets::number_field::drag_value;
use crate::app::widgets::panels::{self, Panel};
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::export::mosaic::{self, Colours, Layout, Scale};
use crate::export::table::Table;
use crate::studies::learning_rules::{GRADIENT_RULES, GradientEstimate, IMAGES, LearningPoint, MACHINES, RuleComparison, STUDY};
use crate::studies::{Detail, Point, Study, StudyOptions};
use egui::{Color32, ColorImage, Rect, Sense, Ui, Vec2, pos2, vec2};
use egui_plot::{HLine, Plot};
use ndarray::Array2;
use std::collections::HashMap;
use std::sync::Arc;

/// Height of the strip of filters and samples.
const STRIP: f32 = 132.0;
/// Units whose filters are shown.
const SHOWN: usize = 16;

const UPDATES: &str = "log-likelihood by updates";
const TIME: &str = "log-likelihood by computing time";
const BIAS: &str = "bias of the gradient";
const DEVIATION: &str = "spread of the gradient";

const LEARN_TIP: &str = "Every rule learns from the same binary images, 100 an update, at the rate of a grid that was best on other images. Points: mean log-likelihood of 100 held-out images, nats; exact where states can be enumerated, else by annealed importance sampling, with one standard error. Line: the distribution that has drawn the images, where that is known.";
const GRADIENT_TIP: &str = "Nine binary pixels and two hidden units, whose gradient is known: by quadrature for the model, by enumeration for the machine of the same layers. 300 estimates each from 40 images; the more steps of the network (5 to 160) or of Gibbs sampling (1 to 50), the longer one takes.";
const NEGATIVE_TIP: &str = "Samples of the machine as a whole, which its rule needs at every update: those of CD-k begin at images and take k steps of Gibbs sampling, those of PCD go on from update to update";
const NONE_TIP: &str = "The interneurons sample the normaliser's gradient while the neurons sample the posterior of each image: no image is generated to learn";

/// What the view keeps.
#[derive(Default)]
pub struct LearningRules {
    images: usize,
    machine: usize,
    updates: Option<u64>,
    comparison: Option<Arc<RuleComparison>>,
    gradients: Option<Arc<Vec<GradientEstimate>>>,
    mosaics: HashMap<String, CachedTexture<Colours>>,
}

impl View for LearningRules {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        self.follow(snapshot);
        self.learning_controls(ui, snapshot, actions);
        self.gradient_controls(ui, snapshot, actions);
        if self.comparison.is_none() && self.gradients.is_none() {
            ui.add_space(8.0);
            ui.label(
                "The model learns from what its interneurons report while it looks at an image. A machine with one partition function for \
                 all layers must also generate: contrastive divergence (CD) and persistent chains (PCD) do so at every update. Press \
                 \"Measure\" to see them learn side by side; the model on the left goes on as it is.",
            );
            return;
        }
        if let Some(comparison) = self.comparison.clone() {
            self.strip(ui, &comparison);
        }
        self.plots(ui);
    }

    fn measurement(&self, _: &Config) -> Option<Command> {
        Some(Command::RunStudy { name: STUDY.name().into(), options: self.learning_options() })
    }

    fn table(&self, _: &ViewState, _: &Snapshot) -> Option<Table> {
        self.comparison.as_deref().map(RuleComparison::table)
    }

    fn figure_table(&self, figure: &str, _: &ViewState, _: &Snapshot) -> Option<Table> {
        match figure {
            BIAS | DEVIATION => self.gradients.as_ref().map(|all| GradientEstimate::table(all)),
            _ => None,
        }
    }
}

impl LearningRules {
    /// Keeps what was measured when another study comes after it.
    fn follow(&mut self, snapshot: &Snapshot) {
        match snapshot.findings.as_deref().map(|findings| &findings.detail) {
            Some(Detail::LearningRules(comparison)) => self.comparison = Some(comparison.clone()),
            Some(Detail::Gradients(gradients)) => self.gradients = Some(gradients.clone()),
            _ => {}
        }
    }

    fn learning_options(&self) -> StudyOptions {
        let mut options = StudyOptions::of(&STUDY);
        let updates = self.updates.map(|updates| updates.to_string());
        let words = [("learn-from", Some(IMAGES[self.images])), ("machine", Some(MACHINES[self.machine])), ("updates", updates.as_deref())];
        for (key, value) in words {
            // The fields keep to what is allowed.
            value.map(|value| options.set(&STUDY, key, value)).transpose().unwrap_or_default();
        }
        options
    }

    fn learning_controls(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            ui.label("Images");
            for (i, word) in IMAGES.into_iter().enumerate() {
                ui.switch_value(&mut self.images, i, word);
            }
            ui.separator();
            ui.label("Beside it learns").on_hover_text("What learns with a negative phase");
            for (i, name) in ["a restricted Boltzmann machine", "the same layers"].into_iter().enumerate() {
                ui.switch_value(&mut self.machine, i, name);
            }
            ui.separator();
            let label = ui.label("Updates");
            let mut updates = self.updates.unwrap_or_else(|| StudyOptions::of(&STUDY).whole("updates"));
            if ui.add(drag_value(&mut updates).range(10..=10_000_000).speed(100.0)).labelled_by(label.id).changed() {
                self.updates = Some(updates);
            }
        });
        let options = self.learning_options();
        measured::controls(ui, snapshot, &STUDY, &options, LEARN_TIP, actions);
    }

    fn gradient_controls(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let options = StudyOptions::with_text("quantity", "bias");
        let complete = options.completed(&STUDY).ok();
        let is_under_way = snapshot.findings.as_deref().is_some_and(|f| !f.finished && Some(&f.options) == complete.as_ref());
        ui.horizontal_wrapped(|ui| {
            if is_under_way {
                measured::controls(ui, snapshot, &STUDY, &options, GRADIENT_TIP, actions);
            } else if ui.button("Measure the gradient").on_hover_text(GRADIENT_TIP).clicked() {
                actions.push(Action::Send(Command::RunStudy { name: STUDY.name().into(), options }));
            }
            if self.gradients.is_some() {
                ui.weak("of nine pixels and two hidden units:").on_hover_text(GRADIENT_TIP);
                GRADIENT_RULES.iter().enumerate().for_each(|(i, name)| _ = ui.colored_label(theme::SERIES[i], *name));
            }
        });
    }

    /// Filters of each rule, and the samples of its negative phase.
    fn strip(&mut self, ui: &mut Ui, comparison: &Arc<RuleComparison>) {
        let version = [Arc::as_ptr(comparison) as u64, 0];
        let count = 1 + comparison.rules.len();
        let width = ui.available_width() / count as f32 - 10.0;
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.strong("Images");
                let side = (STRIP - 20.0).min(width);
                self.tiles(ui, "images", &comparison.images.t().to_owned(), comparison.shape, version, side);
            });
            for (rule, progress) in comparison.rules.iter().enumerate() {
                ui.vertical(|ui| {
                    ui.set_width(width);
                    ui.colored_label(theme::SERIES[rule % theme::SERIES.len()], &progress.name);
                    let side = ((width - 6.0) / 2.0).min(STRIP - 38.0);
                    ui.horizontal_top(|ui| {
                        ui.vertical(|ui| {
                            ui.weak("filters");
                            let filters = progress.filters.t().to_owned();
                            self.tiles(ui, &format!("filters {rule}"), &filters, comparison.shape, version, side);
                        });
                        ui.vertical(|ui| match &progress.negative_samples {
                            Some(samples) => {
                                ui.weak("samples").on_hover_text(NEGATIVE_TIP);
                                self.tiles(ui, &format!("samples {rule}"), &samples.t().to_owned(), comparison.shape, version, side);
                            }
                            None => {
                                ui.add(egui::Label::new(egui::RichText::new("no samples").weak()).extend()).on_hover_text(NONE_TIP);
                            }
                        });
                    });
                });
            }
        });
    }

    /// The first columns of `images`, `[pixels, count]`, as a square of tiles.
    fn tiles(&mut self, ui: &mut Ui, name: &str, images: &Array2<f32>, shape: [usize; 2], version: [u64; 2], side: f32) {
        let colours = theme::colours(ui);
        let count = images.ncols().min(SHOWN);
        let make = || {
            let layout = Layout::new(count, shape, 1);
            let picture = mosaic::render(images.view(), &Vec::from_iter(0..count), layout, Scale::Shared, colours);
            ColorImage::from_rgb([picture.width() as usize, picture.height() as usize], picture.as_raw())
        };
        let texture = self.mosaics.entry(name.into()).or_default().get(ui, name, colours, version, make);
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(side.max(8.0)), Sense::hover());
        figure::mark(ui, name, rect);
        if let Some(texture) = texture {
            ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
    }

    fn plots(&self, ui: &mut Ui) {
        let mut list: Vec<Panel<'_>> = Vec::new();
        let count = 2 * (usize::from(self.comparison.is_some()) + usize::from(self.gradients.is_some()));
        let (columns, size) = panels::layout(ui, count, 2);
        let size = vec2(size.x, size.y.max(100.0));
        if let Some(comparison) = &self.comparison {
            list.push(Box::new(|ui| likelihood(ui, size, UPDATES, "updates", comparison, |point| point.updates as f64)));
            list.push(Box::new(|ui| likelihood(ui, size, TIME, "seconds of computing", comparison, |point| point.seconds)));
        }
        if let Some(gradients) = &self.gradients {
            list.push(Box::new(|ui| gradient(ui, size, BIAS, "Bias over |gradient|", gradients, |of| of.bias)));
            list.push(Box::new(|ui| gradient(ui, size, DEVIATION, "Standard deviation over |gradient|", gradients, |of| of.deviation)));
        }
        panels::grid(ui, "learning rules", columns, list);
    }
}

/// A plot whose lower axis is logarithmic.
fn plot<'a>(name: &str, size: Vec2, x: &str, y: Axis) -> Plot<'a> {
    grid::scaled(Plot::new(name.to_string()), [Axis::Logarithmic, y])
        .width(size.x)
        .height(size.y)
        .allow_scroll(false)
        .x_axis_label(x.to_string())
        .y_axis_min_width(34.0)
}

/// Held-out log-likelihood of each rule.
fn likelihood(ui: &mut Ui, size: Vec2, name: &str, x: &str, comparison: &RuleComparison, at: impl Fn(&LearningPoint) -> f64 + Copy) {
    let dark = ui.visuals().dark_mode;
    // The strip above has the names in these colours.
    let truth = comparison.truth.map(|_| ("true distribution", theme::exact(dark)));
    figure::title(ui, "Log-likelihood, nats an image", truth);
    plot(name, size, x, Axis::Linear).figure(ui, name, |plot| {
        if let Some(truth) = comparison.truth {
            plot.hline(HLine::new("true distribution", truth).color(theme::exact(dark)).width(1.2));
        }
        for (i, rule) in comparison.rules.iter().enumerate() {
            let color = theme::SERIES[i % theme::SERIES.len()];
            let point = |of: &LearningPoint| Point::new(i, at(of), of.log_likelihood, of.error);
            let found: Vec<Point> = rule.points.iter().map(point).filter(|point| point.x > 0.0).collect();
            series(plot, &rule.name, &found, [Axis::Logarithmic, Axis::Linear], color);
        }
    });
}

/// A figure of each rule's estimates of the gradient.
fn gradient(
    ui: &mut Ui,
    size: Vec2,
    name: &str,
    title: &str,
    all: &[GradientEstimate],
    value: impl Fn(&GradientEstimate) -> [f64; 2] + Copy,
) {
    figure::title(ui, title, []);
    let axes = [Axis::Logarithmic, Axis::Logarithmic];
    plot(name, size, "computing time of an estimate, microseconds", axes[1]).figure(ui, name, |plot| {
        for (rule, name) in GRADIENT_RULES.iter().enumerate() {
            let found: Vec<Point> =
                all.iter().filter(|of| of.rule == rule).map(|of| Point::new(rule, of.microseconds, value(of)[0], value(of)[1])).collect();
            series(plot, name, &found, axes, theme::SERIES[rule]);
        }
    });
}

/// Points with their errors, and a line through them.
fn series(plot: &mut egui_plot::PlotUi<'_>, name: &str, found: &[Point], axes: [Axis; 2], color: Color32) {
    let line: Vec<[f64; 2]> = found.iter().map(|point| [axes[0].place(point.x), axes[1].place(point.y)]).collect();
    plot.line(figure::line(name.to_string(), figure::points(line)).color(color).width(1.2));
    measured::points(plot, name, found.iter().copied().filter(|point| point.y.is_finite()), axes, color);
}
