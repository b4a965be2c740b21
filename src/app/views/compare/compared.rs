//! What is compared: the models of runs and files, what is known of each, and by what they are told apart.

use crate::app::histories;
use crate::app::measured_curves::MeasuredCurves;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::greek::greek;
use crate::engine::{LearningPoint, Snapshot, ViewArrays};
use crate::experiment::config::DynamicsConfig;
use crate::experiment::{modelfile, parameters};
use crate::model::receptive_field;
use crate::studies::model_comparison::{ComparedModel, ModelComparison};
use egui::{Color32, Label, Response, RichText, Ui};
use ndarray::{Array2, Axis};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// What the one that runs is called.
pub(super) const PRESENT: &str = "the one that runs";
/// Images after which a run that goes on is compared again.
const IMAGES: u64 = 5000;
/// Values that tell one from the others in a legend, at most.
const TOLD: usize = 3;

/// One of the others: its name, its model file, and when that was saved last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Of a run, ms since 1970; a file from elsewhere has none.
    pub(super) saved: Option<u64>,
    /// Of a run that goes on beside the one that is shown.
    pub(super) live: Option<LiveModel>,
}

impl Other {
    /// Whether both are the same run or file, at whatever moment.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.path == other.path && self.live.is_some() == other.live.is_some()
    }
}

/// A model that goes on, as it was when a few thousand images were full, or its dynamics changed.
#[derive(Clone, Debug)]
pub(super) struct LiveModel {
    pub(super) model: Arc<ComparedModel>,
    version: (u64, u64, DynamicsConfig),
}

impl LiveModel {
    /// None where the snapshot holds no model.
    pub(super) fn of(snapshot: &Snapshot) -> Option<Self> {
        let model = ComparedModel { config: snapshot.config_so_far(), model: snapshot.model().ok()? };
        let version = (snapshot.model_id, snapshot.clock.images / IMAGES, snapshot.config.dynamics);
        Some(Self { model: Arc::new(model), version })
    }
}

impl PartialEq for LiveModel {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
    }
}

/// What is to be compared: the first is what the others are compared with.
#[derive(Clone, PartialEq)]
pub(super) struct Wanted {
    pub(super) present: LiveModel,
    pub(super) others: Vec<Other>,
}

/// One of them: its name, its model, its curves and how it compares with the first.
pub(super) struct Compared {
    pub(super) name: String,
    /// In which values it differs from the others, in short; its name where it does in none.
    pub(super) label: String,
    /// Why there is no more.
    pub(super) problem: Option<String>,
    /// Filters of the first layer, `[pixels, units]`, in the order of those of the first that they belong to.
    pub(super) filters: Array2<f32>,
    pub(super) shape: [usize; 2],
    /// What its views had shown when they were kept; None of the one that runs, and where nothing was kept.
    pub(super) kept: Option<KeptCurves>,
    /// It is no run.
    pub(super) is_file: bool,
    /// It goes on beside the one that is shown.
    pub(super) is_live: bool,
    pub(super) comparison: Option<ModelComparison>,
}

/// The curves that are kept of a run.
pub(super) struct KeptCurves {
    learning: Vec<LearningPoint>,
    fits: Vec<[f64; 3]>,
    measured: MeasuredCurves,
}

/// The curves of a run, kept or live.
pub(super) struct RunCurves<'a> {
    pub(super) learning: Cow<'a, [LearningPoint]>,
    /// Images seen, share of Gabor-like filters and median R^2.
    pub(super) fits: Cow<'a, [[f64; 3]]>,
    pub(super) measured: Cow<'a, MeasuredCurves>,
}

impl RunCurves<'_> {
    /// The same, which outlives what it was taken from.
    pub(super) fn into_owned(self) -> RunCurves<'static> {
        RunCurves {
            learning: Cow::Owned(self.learning.into_owned()),
            fits: Cow::Owned(self.fits.into_owned()),
            measured: Cow::Owned(self.measured.into_owned()),
        }
    }
}

/// The colour of one of them.
pub(super) fn color(i: usize) -> Color32 {
    theme::SERIES[i % theme::SERIES.len()]
}

/// A text in the colour of one of them, in one piece on one line.
pub(super) fn named(ui: &mut Ui, i: usize, text: &str) -> Response {
    ui.add(Label::new(RichText::new(greek(text)).color(color(i))).extend())
}

/// The curves of all, the live ones of the one that runs first; None of what has none.
pub(super) fn curves<'a>(compared: &'a [Compared], state: &'a ViewState, snapshot: &Snapshot) -> Vec<Option<RunCurves<'a>>> {
    let live = |state: &'a ViewState, snapshot: &Snapshot| RunCurves {
        learning: state.learning.as_slice().into(),
        fits: state.fit_history.as_slice().into(),
        measured: Cow::Owned(state.measured(snapshot)),
    };
    let other = |of: &'a Compared| {
        if of.is_live {
            let beside = state.beside.as_ref()?;
            return beside.latest.as_ref().map(|snapshot| live(beside, snapshot));
        }
        let KeptCurves { learning, fits, measured } = of.kept.as_ref()?;
        Some(RunCurves { learning: learning.into(), fits: fits.into(), measured: Cow::Borrowed(measured) })
    };
    std::iter::once(Some(live(state, snapshot))).chain(compared.iter().skip(1).map(other)).collect()
}

/// Reads the others and compares each with the one that runs.
pub(super) fn compare(wanted: &Wanted) -> Vec<Compared> {
    let of = &*wanted.present.model;
    let present = Compared {
        name: PRESENT.into(),
        label: String::new(),
        problem: None,
        filters: receptive_field::filters(&of.model, 1, None),
        shape: of.model.image_shape(),
        kept: None,
        is_file: false,
        is_live: false,
        comparison: None,
    };
    let mut all: Vec<Compared> = std::iter::once(present).chain(wanted.others.iter().map(|other| read(other, of))).collect();
    for (of, label) in labels(&all).into_iter().enumerate() {
        all[of].label = label;
    }
    all
}

/// Reads one of the others and compares it with the one that runs.
fn read(other: &Other, present: &ComparedModel) -> Compared {
    let mut found = Compared {
        name: other.name.clone(),
        label: String::new(),
        problem: None,
        filters: Array2::zeros((0, 0)),
        shape: [0, 0],
        kept: None,
        is_file: other.saved.is_none() && other.live.is_none(),
        is_live: other.live.is_some(),
        comparison: None,
    };
    let of = match &other.live {
        Some(live) => live.model.clone(),
        None => match modelfile::load(&other.path) {
            Ok((config, model)) => Arc::new(ComparedModel { config, model }),
            Err(error) => return Compared { problem: Some(error.to_string()), ..found },
        },
    };
    let comparison = ModelComparison::of(present, &of);
    let filters = receptive_field::filters(&of.model, 1, None);
    let mut order: Vec<(usize, usize)> = comparison.matched.iter().map(|pair| (pair.first, pair.second)).collect();
    order.sort_unstable();
    let matched: BTreeSet<usize> = order.iter().map(|(_, second)| *second).collect();
    let rest = (0..filters.ncols()).filter(|unit| !matched.contains(unit));
    let order: Vec<usize> = order.iter().map(|(_, second)| *second).chain(rest).collect();
    found.filters = filters.select(Axis(1), &order);
    found.shape = of.model.image_shape();
    found.kept =
        other.path.parent().filter(|_| !found.is_live).and_then(|folder| ViewArrays::load(&folder.join("views.npz"))).map(|views| {
            let histories::Histories { learning, fits, measured, .. } = histories::from_arrays(&views);
            KeptCurves { learning, fits, measured }
        });
    found.comparison = Some(comparison);
    found
}

/// The values by which each is told from the others, as `m = 0, seed = 2`; the name where there are none, or two have the same.
fn labels(all: &[Compared]) -> Vec<String> {
    let differing = |of: &Compared| of.comparison.iter().flat_map(|found| found.differing.clone()).collect::<Vec<_>>();
    let of_each: Vec<_> = all.iter().map(differing).collect();
    let mut told: Vec<(&'static str, &'static str, String)> = Vec::new();
    for value in of_each.iter().flatten() {
        let parameter = parameters::settings().find(|parameter| parameter.key == value.key);
        if let Some(parameter) = parameter.filter(|parameter| told.iter().all(|(key, ..)| *key != parameter.key)) {
            told.push((parameter.key, parameter.symbol, value.first.clone()));
        }
    }
    let label = |(of, differing): (&Compared, &Vec<crate::studies::model_comparison::DifferingValue>)| {
        if of.problem.is_some() {
            return of.name.clone();
        }
        let own = |key: &str| differing.iter().find(|value| value.key == key).map(|value| &value.second);
        let values: Vec<String> =
            told.iter().take(TOLD).map(|(key, symbol, first)| format!("{symbol} = {}", own(key).unwrap_or(first))).collect();
        if values.is_empty() { of.name.clone() } else { values.join(", ") }
    };
    let labels: Vec<String> = all.iter().zip(&of_each).map(label).collect();
    let is_shared = |label: &String| labels.iter().filter(|other| *other == label).count() > 1;
    let unique = |(of, label): (&Compared, &String)| match is_shared(label) {
        true if *label == of.name => label.clone(),
        true => format!("{} ({label})", of.name),
        false => label.clone(),
    };
    all.iter().zip(&labels).map(unique).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Config, Session, presets};

    fn saved(folder: &std::path::Path, name: &str, change: fn(&mut Config)) -> Other {
        let mut config = presets::by_name("bars").unwrap();
        config.data.patches = 300;
        change(&mut config);
        let session = Session::new(config).unwrap();
        let path = folder.join(name);
        modelfile::save(&path, session.config(), &session).unwrap();
        Other { name: name.into(), path, saved: None, live: None }
    }

    #[test]
    fn a_label_has_the_values_that_differ_of_every_run_and_names_where_none_do() {
        let folder = tempfile::tempdir().unwrap();
        let first = saved(folder.path(), "first.npz", |config| config.dynamics.adaptation = 2.0);
        let none = saved(folder.path(), "none.npz", |config| config.dynamics.adaptation = 0.0);
        let seeded = saved(folder.path(), "seeded.npz", |config| (config.dynamics.adaptation, config.dynamics.seed) = (2.0, 77));
        let same = saved(folder.path(), "same.npz", |config| config.dynamics.adaptation = 2.0);
        let missing = Other { name: "missing.npz".into(), path: folder.path().join("missing.npz"), saved: None, live: None };
        let (config, model) = modelfile::load(&first.path).unwrap();
        let seed = config.dynamics.seed;
        let dynamics = config.dynamics;
        let present = LiveModel { model: Arc::new(ComparedModel { config, model }), version: (1, 1, dynamics) };
        let of = |others: Vec<Other>| {
            let found = compare(&Wanted { present: present.clone(), others });
            found.into_iter().map(|of| of.label).collect::<Vec<_>>()
        };
        assert_eq!(of(vec![none.clone()]), ["m = 2", "m = 0"]);
        let labels = of(vec![none, seeded, missing]);
        assert_eq!(
            labels,
            [format!("m = 2, seed = {seed}"), format!("m = 0, seed = {seed}"), "m = 2, seed = 77".into(), "missing.npz".into()]
        );
        assert_eq!(of(vec![same]), [PRESENT, "same.npz"]);
    }
}
