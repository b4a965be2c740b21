//! The curves of a run that its generation, races and studies have drawn last: kept with it, and laid over those of other runs.

use crate::engine::{Snapshot, ViewArrays};
use crate::studies::generation::comparison::ModeResult;
use crate::studies::{Study, adaptation, adaptation_time};
use ndarray::{Array2, ArrayView1};
use std::sync::Arc;

/// Ends the name of the text that has a curve's name.
const NAME: &str = "_name";

/// Points of `N` values each, under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve<const N: usize> {
    /// What it is of.
    pub name: String,
    /// Its points, the oldest first.
    pub points: Vec<[f64; N]>,
}

/// What was measured on a run, beside what it has learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasuredCurves {
    /// Of each way of generating: seconds of computing, steps of the network, Frechet distance of the samples and of the means.
    pub generation: Vec<Curve<4>>,
    /// Of each sampler of a race: simulated time, ms, and total variation distance to the exact posterior.
    pub race: Vec<Curve<2>>,
    /// Of each sweep under the name of its study: m or tau_v, speed-up, its standard error, and S.
    pub adaptation: Vec<Curve<4>>,
    /// Images seen, log-likelihood of images that are not learned from, nats an image, and its error; one curve at most.
    pub likelihood: Vec<Curve<3>>,
}

impl MeasuredCurves {
    /// Those of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mode = |found: &Arc<ModeResult>, count: usize| Curve {
            name: format!("{} of {count} images", found.mode.name()),
            points: found.distances.iter().map(|d| [d.seconds, d.steps as f64, d.samples, d.means]).collect(),
        };
        let generation = snapshot.generation.iter().flat_map(|of| of.modes.iter().map(|found| mode(found, of.settings.count)));
        let racers = snapshot.race.iter().flat_map(|race| &race.racers);
        let findings = snapshot.findings.iter().filter(|found| sweeps().contains(&found.study.as_str()));
        let likelihood = snapshot.likelihood.iter().map(|found| Curve {
            name: found.of.clone(),
            points: found.points.iter().map(|p| [p.images as f64, p.mean, p.estimation_error]).collect(),
        });
        let found = Self {
            generation: generation.collect(),
            race: racers.map(|racer| Curve { name: racer.config.label(), points: racer.distance.clone() }).collect(),
            adaptation: findings
                .map(|found| Curve {
                    name: found.study.clone(),
                    points: found.points.iter().map(|p| [p.x, p.y, p.error, p.expected.unwrap_or(f64::NAN)]).collect(),
                })
                .collect(),
            likelihood: likelihood.collect(),
        };
        found.without_empty()
    }

    /// Curves without points are none.
    fn without_empty(mut self) -> Self {
        self.generation.retain(|curve| !curve.points.is_empty());
        self.race.retain(|curve| !curve.points.is_empty());
        self.adaptation.retain(|curve| !curve.points.is_empty());
        self.likelihood.retain(|curve| !curve.points.is_empty());
        self
    }

    /// With newer ones in place of those of the same kind; of sweeps, of the same study.
    pub fn renewed(mut self, newer: Self) -> Self {
        let Self { generation, race, adaptation, likelihood } = newer;
        self.adaptation.retain(|curve| adaptation.iter().all(|other| other.name != curve.name));
        self.adaptation.extend(adaptation);
        self.adaptation.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            generation: if generation.is_empty() { self.generation } else { generation },
            race: if race.is_empty() { self.race } else { race },
            adaptation: self.adaptation,
            likelihood: if likelihood.is_empty() { self.likelihood } else { likelihood },
        }
    }

    /// Adds them to what is kept of a run.
    pub fn add_to(&self, views: &mut ViewArrays) {
        add(views, "generation", &self.generation);
        add(views, "race", &self.race);
        add(views, "adaptation", &self.adaptation);
        add(views, "likelihood", &self.likelihood);
    }

    /// What was kept; what is not there or has another form stays empty.
    pub fn from_arrays(views: &ViewArrays) -> Self {
        Self {
            generation: read(views, "generation"),
            race: read(views, "race"),
            adaptation: read(views, "adaptation"),
            likelihood: read(views, "likelihood"),
        }
    }
}

/// The studies that the view Adaptation shows: of m, and of tau_v.
pub fn sweeps() -> [&'static str; 2] {
    [adaptation::STUDY.name(), adaptation_time::STUDY.name()]
}

/// Whether the newer of two snapshots of one run lacks curves that the older one has: a race or study has ended or begun anew.
pub fn are_left_behind(older: &Snapshot, newer: &Snapshot) -> bool {
    let race = |of: &Snapshot| of.race.as_ref().map_or(0, |race| race.racers.iter().map(|racer| racer.distance.len()).sum());
    let generation = |of: &Snapshot| of.generation.as_ref().map_or(0, |of| of.modes.iter().map(|mode| mode.distances.len()).sum());
    let likelihood = |of: &Snapshot| of.likelihood.as_ref().map_or(0, |found| found.points.len());
    let sweep = |of: &Snapshot| of.findings.as_ref().map(|found| (found.study.clone(), found.points.len()));
    let fewer = |count: &dyn Fn(&Snapshot) -> usize| count(newer) < count(older);
    let other_sweep = match (sweep(older), sweep(newer)) {
        (Some((study, points)), Some((newer, remaining))) => study != newer || remaining < points,
        (older, newer) => older.is_some() && newer.is_none(),
    };
    fewer(&race) || fewer(&generation) || fewer(&likelihood) || other_sweep
}

fn add<const N: usize>(views: &mut ViewArrays, kind: &str, curves: &[Curve<N>]) {
    for (i, curve) in curves.iter().enumerate() {
        let rows = Array2::from_shape_fn((curve.points.len(), N), |(row, column)| curve.points[row][column] as f32);
        views.arrays.push((format!("{kind}{i}"), rows));
        views.texts.push((format!("{kind}{i}{NAME}"), curve.name.clone()));
    }
}

fn read<const N: usize>(views: &ViewArrays, kind: &str) -> Vec<Curve<N>> {
    let found = (0..).map_while(|i| {
        let rows = views.array(&format!("{kind}{i}")).filter(|rows| rows.ncols() == N)?;
        let name = views.text(&format!("{kind}{i}{NAME}"))?.to_string();
        let point = |row: ArrayView1<'_, f32>| std::array::from_fn(|column| f64::from(row[column]));
        Some(Curve { name, points: rows.rows().into_iter().map(point).collect() })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{RaceState, RacerState};
    use crate::experiment::presets;
    use crate::studies::race::SamplerConfig;

    fn curve<const N: usize>(name: &str, points: Vec<[f64; N]>) -> Curve<N> {
        Curve { name: name.into(), points }
    }

    fn racing(points: usize) -> Snapshot {
        let mut snapshot = Snapshot::synthetic(presets::by_name("ridge").unwrap());
        let racer = RacerState {
            path: Vec::new(),
            config: SamplerConfig::of(&snapshot.config.dynamics),
            trail: Vec::new(),
            visits: Array2::zeros((2, 2)),
            visited: 0,
            distance: (0..points).map(|i| [i as f64, 0.5]).collect(),
            theory_ms: None,
            floor: None,
            mixing: None,
        };
        snapshot.state.race = Some(RaceState {
            racers: vec![racer],
            window: [[0.0, 1.0]; 2],
            common_start: true,
            time_ms: 0.0,
            dt_ms: 1.0,
            tau_x_ms: 1.0,
            chains: 1,
        });
        snapshot
    }

    #[test]
    fn curves_are_kept_and_come_back() {
        let curves = MeasuredCurves {
            generation: vec![curve("joint of 256 images", vec![[0.5, 8.0, 4.0, 2.0], [1.0, 16.0, 2.0, 1.0]])],
            race: vec![curve("m = 0", vec![[1.0, 0.5]]), curve("m = 2", vec![[1.0, 0.25], [2.0, 0.125]])],
            adaptation: vec![curve("adaptation", vec![[2.0, 5.0, 0.5, 4.0]])],
            likelihood: Vec::new(),
        };
        let mut views = ViewArrays::default();
        curves.add_to(&mut views);
        assert_eq!(MeasuredCurves::from_arrays(&views), curves);
        assert_eq!(MeasuredCurves::from_arrays(&ViewArrays::default()), MeasuredCurves::default());
        views.arrays.iter_mut().for_each(|(_, rows)| *rows = Array2::zeros((1, 9)));
        assert_eq!(MeasuredCurves::from_arrays(&views), MeasuredCurves::default(), "of another form");
    }

    #[test]
    fn newer_curves_replace_those_of_their_kind_alone() {
        let sweep = |name: &str, y: f64| curve(name, vec![[1.0, y, 0.1, 1.0]]);
        let older = MeasuredCurves {
            race: vec![curve("m = 0", vec![[1.0, 0.5]])],
            adaptation: vec![sweep("adaptation", 1.0), sweep("adaptation-time", 2.0)],
            ..MeasuredCurves::default()
        };
        let newer = MeasuredCurves { adaptation: vec![sweep("adaptation", 3.0)], ..MeasuredCurves::default() };
        let found = older.clone().renewed(newer);
        assert_eq!(found.race, older.race);
        assert_eq!(found.adaptation, [sweep("adaptation", 3.0), sweep("adaptation-time", 2.0)]);
    }

    #[test]
    fn a_race_that_ends_or_starts_again_leaves_curves_behind_and_one_that_goes_on_does_not() {
        let ended = Snapshot::synthetic(presets::by_name("ridge").unwrap());
        assert!(are_left_behind(&racing(3), &racing(0)) && are_left_behind(&racing(3), &ended));
        assert!(
            !are_left_behind(&racing(3), &racing(3)) && !are_left_behind(&racing(3), &racing(4)) && !are_left_behind(&ended, &racing(1))
        );
        assert_eq!(MeasuredCurves::of(&racing(0)), MeasuredCurves::default(), "no points are no curve");
        assert_eq!(MeasuredCurves::of(&racing(3)).race[0].points.len(), 3);
    }
}
