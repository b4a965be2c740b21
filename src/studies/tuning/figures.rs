//! What a tuning experiment comes to, as numbers: a row a unit, and the medians that published ones stand beside.

use crate::export::table::Table;
use crate::studies::tuning::{Responses, UnitTuning};

/// Medians over the units that have the figure; NaN where none has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Medians {
    /// Units that respond to gratings.
    pub responding: usize,
    /// Of the circular variance.
    pub circular_variance: f64,
    /// Of the half-width at 1/sqrt(2) of the peak, degrees.
    pub half_width_deg: f64,
    /// Of F1/F0.
    pub modulation: f64,
    /// Share of the responding units that are simple, F1/F0 above 1.
    pub simple: f64,
}

/// The figure of each unit that has it.
pub fn values(responses: &Responses, value: impl Fn(&UnitTuning) -> Option<f64>) -> Vec<f64> {
    responses.units.iter().filter_map(value).collect()
}

/// Circular variance.
pub fn circular_variance(unit: &UnitTuning) -> Option<f64> {
    unit.orientation.as_ref().map(|tuning| tuning.circular_variance)
}

/// Half-width at 1/sqrt(2) of the peak, degrees.
pub fn half_width_deg(unit: &UnitTuning) -> Option<f64> {
    unit.orientation.as_ref().and_then(|tuning| tuning.half_width).map(f64::to_degrees)
}

/// The median, the upper one of two in the middle; NaN of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians over the population.
pub fn medians(responses: &Responses) -> Medians {
    let ratios = values(responses, |unit| unit.modulation);
    Medians {
        responding: values(responses, circular_variance).len(),
        circular_variance: median(values(responses, circular_variance)),
        half_width_deg: median(values(responses, half_width_deg)),
        simple: ratios.iter().filter(|&&ratio| ratio > 1.0).count() as f64 / ratios.len() as f64,
        modulation: median(ratios),
    }
}

/// One row a unit: preferred orientation (degrees) and frequency (cycles a pixel), circular variance, half-widths (degrees), F1/F0,
/// rates by contrast and by orientation; NaN where a unit does not respond.
pub fn table(responses: &Responses) -> Table {
    let (mut table, protocol) = (Table::default(), &responses.protocol);
    table.push("unit", (0..responses.units.len()).map(|unit| unit as f64));
    let mut column = |name: &str, value: &dyn Fn(&UnitTuning) -> Option<f64>| {
        table.push(name, responses.units.iter().map(|unit| value(unit).unwrap_or(f64::NAN)));
    };
    column("preferred_deg", &|u| u.orientation.as_ref().map(|o| o.preferred.to_degrees()));
    column("frequency", &|u| protocol.frequencies.get(u.best[1]).copied());
    column("circular_variance", &circular_variance);
    column("half_width_deg", &half_width_deg);
    column("half_width_at_half_deg", &|u| u.orientation.as_ref().and_then(|o| o.half_width_at_half).map(f64::to_degrees));
    column("f1_f0", &|u| u.modulation);
    for k in 0..protocol.orientations {
        let degrees = 180.0 * k as f64 / protocol.orientations as f64;
        column(&format!("rate_{degrees:.1}_deg"), &|u| u.by_orientation.get(k).map(|r| r[0]));
    }
    for (contrast, rates) in protocol.contrasts.iter().zip(responses.contrast.columns()) {
        table.push(format!("rate_contrast_{contrast}"), rates.iter().map(|&rate| f64::from(rate)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tuning::OrientationTuning;
    use crate::studies::tuning::Protocol;
    use ndarray::{Array2, Array4};

    #[test]
    fn units_that_do_not_respond_are_left_out_of_the_medians_and_have_no_numbers() {
        let unit = |variance: f64, half_width: Option<f64>, ratio: f64| UnitTuning {
            orientation: Some(OrientationTuning { circular_variance: variance, half_width, ..Default::default() }),
            modulation: Some(ratio),
            by_orientation: vec![[1.0, 0.0]; 2],
            ..UnitTuning::default()
        };
        let wide = std::f64::consts::FRAC_PI_4;
        let units = vec![unit(0.2, Some(0.1), 1.5), unit(0.6, None, 0.1), UnitTuning::default(), unit(0.9, Some(wide), 1.8)];
        let protocol = Protocol { orientations: 2, contrasts: vec![0.0, 1.0], ..Protocol::default() };
        let cube = Array4::zeros((2, 6, 8, 4));
        let contrast = Array2::from_elem((4, 2), 0.5);
        let found =
            Responses { protocol, layer: 1, shape: [12, 12], blank: vec![0.0; 4], rate: cube.clone(), spread: cube, contrast, units };
        let medians = medians(&found);
        assert_eq!((medians.responding, medians.circular_variance, medians.modulation), (3, 0.6, 1.5));
        assert!((medians.half_width_deg - 45.0).abs() < 1e-9 && (medians.simple - 2.0 / 3.0).abs() < 1e-12, "{medians:?}");
        let text = table(&found).csv();
        let silent = text.lines().nth(3).unwrap();
        assert!(silent.starts_with("2,NaN,0.06,NaN") && silent.ends_with("NaN,NaN,0.5,0.5"), "{silent}");
        assert!(median(Vec::new()).is_nan());
    }
}
