//! What is compared: the models of runs and files, what is known of each, and by what they are told apart.

use crate::app::histories;
use crate::app::measured_curves::MeasuredCurves;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::engine::{LearningPoint, Snapshot, ViewArrays};
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
/// Values that tell one from the others in a legend, at most.
const TOLD: usize = 3;

/// One of the others: its name, its model file, and when that was saved last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Of a run, ms since 1970; a file from elsewhere has none.
    pub(super) saved: Option<u64>,
}

/// What is to be compared: the first is what the others are compared with.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The model that runs, and its number and version.
    pub(super) present: Arc<ComparedModel>,
    pub(super) version: (u64, u64),
    pub(super) others: Vec<Other>,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.others == other.others
    }
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
    pub(super) learning: &'a [LearningPoint],
    /// Images seen, share of Gabor-like filters and median R^2.
    pub(super) fits: &'a [[f64; 3]],
    pub(super) measured: Cow<'a, MeasuredCurves>,
}

/// The colour of one of them.
pub(super) fn color(i: usize) -> Color32 {
    theme::SERIES[i % theme::SERIES.len()]
}

/// A text in the colour of one of them, in one piece on one line.
pub(super) fn named(ui: &mut Ui, i: usize, text: &str) -> Response {
    ui.add(Label::new(RichText::new(text).color(color(i))).extend())
}

/// The curves of all, the live ones of the one that runs first; None of what has none.
pub(super) fn curves<'a>(compared: &'a [Compared], state: &'a ViewState, snapshot: &Snapshot) -> Vec<Option<RunCurves<'a>>> {
    let live = RunCurves { learning: &state.learning, fits: &state.fit_history, measured: Cow::Owned(state.measured(snapshot)) };
    let kept = |of: &'a Compared| {
        let KeptCurves { learning, fits, measured } = of.kept.as_ref()?;
        Some(RunCurves { learning, fits, measured: Cow::Borrowed(measured) })
    };
    std::iter::once(Some(live)).chain(compared.iter().skip(1).map(kept)).collect()
}

/// Reads the others and compares each with the one that runs.
pub(super) fn compare(wanted: &Wanted) -> Vec<Compared> {
    let present = Compared {
        name: PRESENT.into(),
        label: String::new(),
        problem: None,
        filters: receptive_field::filters(&wanted.present.model, 1, None),
        shape: wanted.present.model.image_shape(),
        kept: None,
        is_file: false,
        comparison: None,
    };
    let mut all: Vec<Compared> = std::iter::once(present).chain(wanted.others.iter().map(|other| read(other, &wanted.present))).collect();
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
        is_file: other.saved.is_none(),
        comparison: None,
    };
    let (config, model) = match modelfile::load(&other.path) {
        Ok(loaded) => loaded,
        Err(error) => return Compared { problem: Some(error.to_string()), ..found },
    };
    let of = ComparedModel { config, model };
    let comparison = ModelComparison::of(present, &of);
    let filters = receptive_field::filters(&of.model, 1, None);
    let mut order: Vec<(usize, usize)> = comparison.matched.iter().map(|pair| (pair.first, pair.second)).collect();
    order.sort_unstable();
    let matched: BTreeSet<usize> = order.iter().map(|(_, second)| *second).collect();
    let rest = (0..filters.ncols()).filter(|unit| !matched.contains(unit));
    let order: Vec<usize> = order.iter().map(|(_, second)| *second).chain(rest).collect();
    found.filters = filters.select(Axis(1), &order);
    found.shape = of.model.image_shape();
    found.kept = other.path.parent().and_then(|folder| ViewArrays::load(&folder.join("views.npz"))).map(|views| {
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
        Other { name: name.into(), path, saved: None }
    }

    #[test]
    fn a_label_has_the_values_that_differ_of_every_run_and_names_where_none_do() {
        let folder = tempfile::tempdir().unwrap();
        let first = saved(folder.path(), "first.npz", |config| config.dynamics.adaptation = 2.0);
        let none = saved(folder.path(), "none.npz", |config| config.dynamics.adaptation = 0.0);
        let seeded = saved(folder.path(), "seeded.npz", |config| (config.dynamics.adaptation, config.dynamics.seed) = (2.0, 77));
        let same = saved(folder.path(), "same.npz", |config| config.dynamics.adaptation = 2.0);
        let missing = Other { name: "missing.npz".into(), path: folder.path().join("missing.npz"), saved: None };
        let (config, model) = modelfile::load(&first.path).unwrap();
        let seed = config.dynamics.seed;
        let present = Arc::new(ComparedModel { config, model });
        let of = |others: Vec<Other>| {
            let found = compare(&Wanted { present: present.clone(), version: (1, 1), others });
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
