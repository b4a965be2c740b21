//! What every view can do: draw itself, and hand over the numbers behind its figures.

use crate::app::actions::Action;
use crate::app::gabor_fitter::FitPriority;
use crate::app::state::ViewState;
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::export::table::Table;

/// Draws all of a view, on whatever it is given.
pub type WholeView = Box<dyn FnMut(&mut egui::Ui) + Send>;

/// A view; the window knows it by its [`super::ViewKind`].
pub trait View {
    /// Draws it; `snapshot` is `state.latest`.
    fn ui(&mut self, ui: &mut egui::Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>);

    /// How urgently it needs the Gabor fits of the filters.
    fn fit_priority(&self) -> FitPriority {
        FitPriority::Unneeded
    }

    /// The command that begins the view's first measurement, where it measures something (`--measure`).
    fn measurement(&self, _config: &Config) -> Option<Command> {
        None
    }

    /// Draws all of it as one figure, where more belongs to it than a window has room for; None: what is in sight is all.
    fn whole(&self, _state: &ViewState, _snapshot: &Snapshot) -> Option<WholeView> {
        None
    }

    /// How a figure of it, or all of it, is arranged, for captions; None where there is no choice.
    fn arrangement(&self, _figure: Option<&str>) -> Option<String> {
        None
    }

    /// The numbers behind the picture, for CSV and NPY; None where there are none.
    fn table(&self, _state: &ViewState, _snapshot: &Snapshot) -> Option<Table> {
        None
    }

    /// The numbers behind one figure of it, where they are not the view's.
    fn figure_table(&self, _figure: &str, _state: &ViewState, _snapshot: &Snapshot) -> Option<Table> {
        None
    }
}
