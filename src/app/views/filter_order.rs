//! In which order the filters of a mosaic stand, and in which groups.

use crate::analysis::gabor::Gabor;
use std::f64::consts::PI;

/// Stands in an arrangement where there is no filter.
pub const EMPTY: usize = usize::MAX;

/// What filters are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Index,
    Norm,
    Activity,
    Orientation,
    Frequency,
    Phase,
    Width,
    CentreX,
    CentreY,
    Fit,
}

impl Order {
    /// All, with their names.
    pub const ALL: [(Self, &str); 10] = [
        (Self::Index, "index"),
        (Self::Norm, "norm"),
        (Self::Activity, "activity"),
        (Self::Orientation, "orientation"),
        (Self::Frequency, "frequency"),
        (Self::Phase, "phase"),
        (Self::Width, "width"),
        (Self::CentreX, "place, left to right"),
        (Self::CentreY, "place, top to bottom"),
        (Self::Fit, "R^2 of the fit"),
    ];

    /// What a fitted filter is sorted by; None where the order needs no fit.
    pub fn of_fit(self, fit: &Gabor) -> Option<f64> {
        match self {
            Self::Index | Self::Norm | Self::Activity => None,
            Self::Orientation => Some(fit.orientation),
            Self::Frequency => Some(fit.frequency),
            Self::Phase => Some(fit.phase),
            Self::Width => Some(fit.widths[0]),
            Self::CentreX => Some(fit.centre[0]),
            Self::CentreY => Some(fit.centre[1]),
            Self::Fit => Some(-fit.r2),
        }
    }

    /// Whether it needs fits.
    pub fn needs_fits(self) -> bool {
        self.of_fit(&Gabor::default()).is_some()
    }
}

/// What filters are grouped by; those without a good fit come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    Nothing,
    Fit,
    Orientation,
    Frequency,
    Symmetry,
}

impl Grouping {
    /// All, with their names.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Nothing, "nothing"),
        (Self::Fit, "Gabor-like or not"),
        (Self::Orientation, "orientation"),
        (Self::Frequency, "frequency"),
        (Self::Symmetry, "symmetry"),
    ];

    /// Names of its groups, in order.
    pub fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &["all"],
            Self::Fit => &["Gabor-like", "not"],
            Self::Orientation => &["horizontal", "rising", "vertical", "falling", "no good fit"],
            Self::Frequency => &["below 0.1 cycles a pixel", "0.1 to 0.2", "above 0.2", "no good fit"],
            Self::Symmetry => &["even", "between", "odd", "no good fit"],
        }
    }

    /// The group of a filter; `fit` where it is Gabor-like.
    pub fn of(self, fit: Option<&Gabor>) -> usize {
        let Some(fit) = fit else { return self.groups().len() - 1 };
        match self {
            Self::Nothing | Self::Fit => 0,
            Self::Orientation => ((4.0 * fit.orientation / PI + 0.5) as usize) % 4,
            Self::Frequency => usize::from(fit.frequency >= 0.1) + usize::from(fit.frequency >= 0.2),
            Self::Symmetry => ((6.0 * fit.phase / PI) as usize).min(2),
        }
    }
}

/// Units in the order of (group, rank), each group from the beginning of a row of `columns`, filled up with [`EMPTY`]; and how many
/// each group holds.
pub fn arrange(units: &[(usize, f64)], groups: usize, columns: usize) -> (Vec<usize>, Vec<usize>) {
    let mut order = Vec::with_capacity(units.len() + groups * columns);
    let mut counts = Vec::with_capacity(groups);
    for group in 0..groups {
        let mut members: Vec<usize> = (0..units.len()).filter(|&unit| units[unit].0 == group).collect();
        members.sort_by(|&a, &b| units[a].1.total_cmp(&units[b].1));
        counts.push(members.len());
        order.extend(members);
        order.resize(order.len().next_multiple_of(columns.max(1)), EMPTY);
    }
    (order, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_begin_rows_and_are_sorted_within() {
        let (order, counts) = arrange(&[(1, 3.0), (0, 2.0), (1, 1.0), (0, 1.0), (0, 9.0)], 3, 2);
        assert_eq!(order, [3, 1, 4, EMPTY, 2, 0]);
        assert_eq!(counts, [3, 2, 0]);
    }

    #[test]
    fn every_fit_has_its_group() {
        let fit = |orientation: f64| Gabor { orientation: orientation.to_radians(), frequency: 0.15, phase: 1.5, ..Gabor::default() };
        let found = [0.0, 40.0, 100.0, 130.0, 170.0].map(|degrees| Grouping::Orientation.of(Some(&fit(degrees))));
        assert_eq!(found, [0, 1, 2, 3, 0], "nearly 180 degrees is horizontal again");
        assert_eq!((Grouping::Frequency.of(Some(&fit(0.0))), Grouping::Symmetry.of(Some(&fit(0.0)))), (1, 2));
        for (grouping, _) in Grouping::ALL {
            assert_eq!(grouping.of(None), grouping.groups().len() - 1);
            assert!(grouping.of(Some(&fit(0.0))) < grouping.groups().len());
        }
    }
}
