//! Studies: experiments on a frozen model that report what they measure beside what theory expects. Each is one file behind the trait
//! [`Study`] and one line of the registry below; the window's view, `heescope measure NAME`, its help, JSON and tables follow from it.
//!
//! ```
//! use heescope::experiment::{Session, presets};
//! use heescope::studies::{self, StudyOptions, StudyTarget};
//!
//! let session = Session::new(presets::by_name("competition")?)?;
//! let target = StudyTarget::of(&session, Default::default());
//! let study = studies::by_name("partition")?;
//! let findings = studies::measure(study, &target, &StudyOptions::of(study), &mut |_| true)?;
//! assert_eq!(findings.points.len(), findings.total);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checked_options;
mod error;
mod figure;
mod findings;
mod options;
mod presentation;
mod report;
mod speed_up;
mod stationary;
mod study;
mod target;

pub mod completion;
pub mod likelihood;
pub mod linear_gaussian;
pub mod model_comparison;
pub mod natural_parameter;

pub use error::StudyError;
pub use figure::{Axis, Curve, Expectation, Figure, Scale, Series};
pub use findings::StudyFindings;
pub use options::{OptionKind, OptionValue, StudyOption, StudyOptions};
pub use report::{Detail, Observer, Point, Report};
pub use study::Study;
pub use target::{SameTarget, StudyTarget};

/// Declares the module of each study, whose `STUDY` is its value, and the registry of all of them.
macro_rules! studies {
    ($($module:ident),* $(,)?) => {
        $(pub mod $module;)*
        /// The registry, in the order in which studies are listed.
        static REGISTRY: &[&dyn Study] = &[$(&$module::STUDY),*];
    };
}

studies! { adaptation, adaptation_time, separation, partition, partition_error, race, learning_rules, temperature, tuning, fits, generation }

/// All studies, in the order in which they are listed.
pub fn all() -> impl ExactSizeIterator<Item = &'static dyn Study> {
    REGISTRY.iter().copied()
}

/// The study of that name; the error lists the names.
pub fn by_name(name: &str) -> Result<&'static dyn Study, StudyError> {
    all()
        .find(|study| study.name() == name)
        .ok_or_else(|| StudyError::Unknown { name: name.into(), known: all().map(Study::name).collect::<Vec<_>>().join(", ") })
}

/// Runs a study on the calling thread. The observer gets its reports, each point with what theory expects of it, and says whether to go
/// on; [`StudyError::Stopped`] where it does not.
pub fn run(study: &dyn Study, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
    study.applies(target)?;
    let options = options.completed(study)?;
    study.run(target, &options, &mut |report: Report| {
        observer.report(match report {
            Report::Point(point) => {
                let expected = point.expected.or_else(|| study.expected(target, &options, point.series, point.x));
                Report::Point(Point { expected, ..point })
            }
            other => other,
        })
    })
}

/// Runs a study to its end, or until `watch`, which sees the findings after each report, returns false: what was found so far.
pub fn measure(
    study: &dyn Study,
    target: &StudyTarget,
    options: &StudyOptions,
    watch: &mut dyn FnMut(&StudyFindings) -> bool,
) -> Result<StudyFindings, StudyError> {
    let mut findings = StudyFindings::new(study, target, options)?;
    let outcome = run(study, target, options, &mut |report: Report| {
        findings.absorb(report);
        watch(&findings)
    });
    match outcome {
        Ok(()) | Err(StudyError::Stopped) => {
            findings.end(outcome.err());
            Ok(findings)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Session, presets};
    use std::collections::BTreeSet;

    #[test]
    fn every_study_has_a_name_of_its_own_and_options_that_agree() {
        let names: BTreeSet<&str> = all().map(Study::name).collect();
        assert_eq!(names.len(), all().len());
        for study in all() {
            assert_eq!(by_name(study.name()).unwrap().title(), study.title());
            assert!(study.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", study.name());
            assert!(!study.title().is_empty() && !study.summary().contains('\n'), "{}", study.name());
            for option in study.options() {
                let mut same = all().flat_map(Study::options).filter(|other| other.key == option.key);
                assert!(same.all(|other| other.kind == option.kind), "{}: one key, two kinds", option.key);
            }
        }
        let error = by_name("nothing").err().unwrap().to_string();
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
    }

    #[test]
    fn what_does_not_apply_says_why() {
        let session = Session::new(presets::by_name("ridge").unwrap()).unwrap();
        let target = StudyTarget::of(&session, Default::default());
        let reasons = |name: &str| by_name(name).unwrap().applies(&target).map_err(|e| e.to_string());
        for name in ["adaptation", "adaptation-time", "separation", "partition", "partition-error", "race"] {
            assert_eq!(reasons(name), Ok(()), "{name}");
        }
        for (name, reason) in
            [("tuning", "no picture of at least 6 x 6"), ("fits", "no picture of at least 6 x 6"), ("generation", "picture")]
        {
            assert!(reasons(name).unwrap_err().contains(reason), "{name}: {:?}", reasons(name));
        }
        let of = |preset: &str| StudyTarget::of(&Session::new(presets::by_name(preset).unwrap()).unwrap(), Default::default());
        assert!(by_name("race").unwrap().applies(&of("chain")).is_ok(), "linear-Gaussian layers above");
        let target = of("competition");
        assert!(by_name("race").unwrap().applies(&target).unwrap_err().to_string().contains("two neurons"));
    }

    /// A study that is not in the registry: x squared at four places. Theory says nothing between 2 and 3.
    struct Squares;

    impl Study for Squares {
        fn name(&self) -> &'static str {
            "squares"
        }
        fn title(&self) -> &'static str {
            "Squares"
        }
        fn summary(&self) -> &'static str {
            "x squared"
        }
        fn options(&self) -> &'static [StudyOption] {
            const { &[StudyOption { key: "count", help: "Points", kind: OptionKind::Whole { usual: 4, least: 1, most: 9 } }] }
        }
        fn figure(&self, _: &StudyTarget, _: &StudyOptions) -> Figure {
            Figure::of(Axis::linear("x"), Axis::linear("x^2")).over(0.0, 4.0).exact()
        }
        fn total(&self, _: &StudyTarget, options: &StudyOptions) -> usize {
            options.whole("count") as usize
        }
        fn expected(&self, _: &StudyTarget, _: &StudyOptions, _: usize, x: f64) -> Option<f64> {
            Some(x * x).filter(|_| x <= 2.0 || x >= 3.0)
        }
        fn run(&self, _: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
            (0..options.whole("count")).try_for_each(|i| observer.point(Point::new(0, i as f64, (i * i) as f64, 0.1)))
        }
    }

    #[test]
    fn a_study_needs_no_more_than_its_trait() {
        let session = Session::new(presets::by_name("ridge").unwrap()).unwrap();
        let target = StudyTarget::of(&session, Default::default());
        let found = measure(&Squares, &target, &StudyOptions::default(), &mut |_| true).unwrap();
        assert_eq!((found.points.len(), found.total, found.finished), (4, 4, true));
        assert!(found.points.iter().all(|p| p.expected == Some(p.y)));
        let mut options = StudyOptions::of(&Squares);
        options.set(&Squares, "count", "3").unwrap();
        let stopped = measure(&Squares, &target, &options, &mut |f| f.points.len() < 2).unwrap();
        assert_eq!((stopped.points.len(), stopped.total, stopped.stopped.as_deref()), (2, 3, Some("stopped before its end")));
        assert!(options.set(&Squares, "count", "10").unwrap_err().to_string().contains("1 to 9"));
        assert!(options.set(&Squares, "size", "1").unwrap_err().to_string().contains("count"));
        assert_eq!(found.to_table(&Squares).csv().lines().next(), Some("series,x,measured,standard_error,exact"));
        let curves = Squares.curves(&target, &StudyOptions::default());
        let ends = curves.iter().map(|c| (c.series, c.points[0], c.points[c.points.len() - 1])).collect::<Vec<_>>();
        assert_eq!(ends, [(0, [0.0, 0.0], [2.0, 4.0]), (0, [3.0, 9.0], [4.0, 16.0])], "no line where theory says nothing");
        let text = serde_json::to_string(&found).unwrap();
        let again: StudyFindings = serde_json::from_str(&text).unwrap();
        assert_eq!((again.points, again.study), (found.points, found.study));
    }
}
