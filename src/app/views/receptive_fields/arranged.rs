//! The filters of a layer, in the order and the groups asked for.

use crate::app::gabor_fitter::Fits;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::filter_order::{Grouping, Order, arrange};
use crate::app::widgets::latest_picture::pause;
use crate::app::widgets::whole_frame;
use crate::engine::Snapshot;
use crate::export::mosaic::{Colours, Layout, Scale};
use crate::model::receptive_field;
use egui::Ui;
use ndarray::Array2;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two orders that follow activity, state or fits.
const REORDER: Duration = Duration::from_millis(400);

/// Which filters are shown, and how.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) layer: usize,
    /// Linearised at the present state of network 0 rather than at zero.
    pub(super) at_state: bool,
    pub(super) scale: Scale,
    pub(super) sort: Order,
    pub(super) grouping: Grouping,
}

impl Default for Choice {
    fn default() -> Self {
        Self { layer: 1, at_state: false, scale: Scale::PerFilter, sort: Order::Index, grouping: Grouping::Nothing }
    }
}

impl Choice {
    /// Whether fits say where a filter stands.
    pub(super) fn needs_fits(&self) -> bool {
        self.grouping != Grouping::Nothing || self.sort.needs_fits()
    }
}

/// What the filters were arranged from.
#[derive(Clone, Copy, PartialEq)]
struct Source {
    model_id: u64,
    /// Of the weights, and of what else the order or the filters follow.
    version: [u64; 2],
    choice: Choice,
    colours: Colours,
}

/// The filters in their order.
pub(super) struct Arranged {
    source: Option<Source>,
    at: Option<Instant>,
    /// Columns are filters.
    pub(super) filters: Arc<Array2<f32>>,
    /// The strongest weight of all, where they share a scale; else 0.
    pub(super) top: f32,
    /// Rows and columns of a filter.
    pub(super) shape: [usize; 2],
    /// Units by position, and how many each group holds.
    pub(super) order: Vec<usize>,
    pub(super) counts: Vec<usize>,
}

impl Default for Arranged {
    fn default() -> Self {
        Self {
            source: None,
            at: None,
            filters: Arc::new(Array2::zeros((0, 0))),
            top: 0.0,
            shape: [0, 0],
            order: Vec::new(),
            counts: Vec::new(),
        }
    }
}

impl Arranged {
    /// When they were arranged last.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Takes in what the model has learned, and arranges it anew where that is due; whether it is another model's.
    pub(super) fn refresh(&mut self, ui: &Ui, choice: Choice, state: &ViewState, snapshot: &Snapshot, fits: Option<&Fits>) -> bool {
        let moving = choice.layer > 1 && choice.at_state;
        let other = if moving || choice.sort == Order::Activity {
            snapshot.clock.steps
        } else if choice.needs_fits() {
            fits.map_or(0, |fits| fits.of.weights)
        } else {
            0
        };
        let version = [snapshot.weights_version, other];
        let source = Source { model_id: snapshot.model_id, version, choice, colours: theme::colours(ui) };
        if self.source == Some(source) {
            return false;
        }
        let only_values = self.source.is_some_and(|before| Source { version, ..before } == source);
        let redraw = pause(self.filters.len());
        let pause = if other == 0 { redraw } else { redraw.max(REORDER) };
        let rest = self.at.and_then(|at| pause.checked_sub(at.elapsed()));
        if let Some(rest) = rest.filter(|_| only_values && !whole_frame::is_asked(ui.ctx())) {
            ui.ctx().request_repaint_after(rest);
            return false;
        }
        self.at = Some(Instant::now());
        let is_another = self.source.is_some_and(|before| before.model_id != source.model_id);
        self.source = Some(source);
        self.shape = snapshot.image_shape();
        self.filters = if choice.layer == 1 {
            Arc::clone(&snapshot.weights[0])
        } else {
            let Ok(model) = snapshot.model() else { return is_another };
            Arc::new(receptive_field::filters(&model, choice.layer, moving.then_some(&snapshot.states)))
        };
        let strongest = || self.filters.iter().fold(0.0f32, |top, w| if w.is_finite() { top.max(w.abs()) } else { top });
        self.top = if choice.scale == Scale::Shared { strongest() } else { 0.0 };
        self.arrange(choice, state, fits);
        is_another
    }

    /// Where the tiles stand: as many in a row as a square without groups would have.
    pub(super) fn layout(&self) -> Layout {
        let square = Layout::new(self.filters.ncols(), self.shape, 1);
        Layout { rows: self.order.len().div_ceil(square.columns).max(1), ..square }
    }

    /// Puts the filters in the order and the groups asked for.
    fn arrange(&mut self, choice: Choice, state: &ViewState, fits: Option<&Fits>) {
        let fit = |unit: usize| fits.and_then(|fits| fits.gabors.get(unit).map(|fit| (fit, fits.shape)));
        let rank = |unit: usize| match choice.sort {
            Order::Index => unit as f64,
            Order::Norm => f64::from(-self.filters.column(unit).dot(&self.filters.column(unit))),
            Order::Activity => -state.activity.get(choice.layer).and_then(|a| a.get(unit)).copied().map_or(0.0, f64::from),
            order => fit(unit).and_then(|(fit, _)| order.of_fit(fit)).unwrap_or(unit as f64),
        };
        let grouping = if fits.is_some() { choice.grouping } else { Grouping::Nothing };
        let good = |unit: usize| fit(unit).filter(|(fit, shape)| fit.is_gabor_like(*shape)).map(|(fit, _)| fit);
        let units: Vec<(usize, f64)> = (0..self.filters.ncols()).map(|unit| (grouping.of(good(unit)), rank(unit))).collect();
        (self.order, self.counts) = arrange(&units, grouping.groups().len(), self.layout().columns);
    }

    /// The groups that hold filters, from above, and how many each of them holds; empty where there is but one.
    pub(super) fn groups(&self, grouping: Grouping) -> String {
        if self.counts.len() < 2 {
            return String::new();
        }
        let groups = grouping.groups().iter().zip(&self.counts).filter(|(_, count)| **count > 0);
        groups.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    }
}
