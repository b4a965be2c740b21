//! How the points of a study are plotted: axes, series, and what the theory beside them is.

use serde::{Deserialize, Serialize};

/// How an axis shows its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// As they are.
    Linear,
    /// Their decimal logarithms.
    Logarithmic,
}

impl Scale {
    /// Where a value stands on the axis.
    pub fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.max(1e-12).log10(),
        }
    }

    /// The value at a place of the axis.
    pub fn value(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Logarithmic => 10f64.powf(place),
        }
    }
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What is on it.
    pub label: String,
    /// How.
    pub scale: Scale,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: &str) -> Self {
        Self { label: label.into(), scale: Scale::Linear }
    }

    /// A logarithmic axis.
    pub fn logarithmic(label: &str) -> Self {
        Self { label: label.into(), scale: Scale::Logarithmic }
    }
}

/// What the theory beside the points is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// Nothing is known.
    #[default]
    None,
    /// True of this model.
    Exact,
    /// Of a model like this one, or of others' measurements: points need not lie on it.
    Guide,
}

impl Expectation {
    /// The word for it, which is also the name of the column of expected values.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "expected",
            Self::Exact => "exact",
            Self::Guide => "guide",
        }
    }
}

/// A series of points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// The value by which it differs from the others.
    pub value: f64,
}

/// A theory curve: points (x, y) of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The series it belongs to.
    pub series: usize,
    /// Its points, x ascending.
    pub points: Vec<[f64; 2]>,
}

/// Axes and series of a study's points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What is varied.
    pub x: Axis,
    /// What is measured.
    pub y: Axis,
    /// What the series differ in: the name of the column that holds [`Series::value`].
    pub series_key: String,
    /// The series, by their index.
    pub series: Vec<Series>,
    /// What the theory is.
    pub expectation: Expectation,
    /// First and last value of x that is measured; none: that of the points.
    pub range: Option<[f64; 2]>,
}

impl Figure {
    /// One series without theory.
    pub fn of(x: Axis, y: Axis) -> Self {
        let series = vec![Series { name: "measured".into(), value: 0.0 }];
        Self { x, y, series_key: "series".into(), series, expectation: Expectation::None, range: None }
    }

    /// With these series, numbered.
    pub fn named(self, names: &[&str]) -> Self {
        let series = |(i, name): (usize, &&str)| Series { name: (*name).into(), value: i as f64 };
        Self { series: names.iter().enumerate().map(series).collect(), ..self }
    }

    /// With a series for each value of `key`.
    pub fn by(self, key: &str, values: &[f64]) -> Self {
        let series = |value: &f64| Series { name: format!("{key} = {value}"), value: *value };
        Self { series_key: key.into(), series: values.iter().map(series).collect(), ..self }
    }

    /// With theory that holds exactly.
    pub fn exact(self) -> Self {
        self.expecting(Expectation::Exact)
    }

    /// With this kind of theory.
    pub fn expecting(self, expectation: Expectation) -> Self {
        Self { expectation, ..self }
    }

    /// Over this range of x.
    pub fn over(self, low: f64, high: f64) -> Self {
        Self { range: Some([low, high]), ..self }
    }
}
