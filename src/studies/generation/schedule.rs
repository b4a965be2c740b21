//! Gains of the couplings while chains wake from the top down (model.md 10).

use serde::{Deserialize, Serialize};

/// How chains come from their start to the model's distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The gain of each coupling rises from 0 to 1, the highest coupling first.
    Woken,
    /// Every gain is 1 throughout.
    Plain,
}

impl Schedule {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Woken => "woken",
            Self::Plain => "plain",
        }
    }
}

/// Share of the run over which the gain of each coupling but the lowest rises.
const UPPER: f64 = 0.2;
/// Share of the run over which all of these rise, at most: in a deep hierarchy each has less than [`UPPER`].
const ALL_UPPER: f64 = 0.4;
/// Share of the run after which every gain is 1.
const AWAKE: f64 = 0.8;

/// Gains of the couplings W_0 .. at this share of the run, `[couplings]`: the highest coupling rises first, the one to x_0 last, each as
/// u^2 over its own share of the run (model.md 10).
pub fn gains(share: f64, couplings: usize) -> Vec<f32> {
    let upper = couplings.saturating_sub(1);
    let each = UPPER.min(ALL_UPPER / upper.max(1) as f64);
    let gain = |l: usize| {
        let begin = each * (couplings - 1 - l) as f64;
        let end = if l == 0 { AWAKE } else { begin + each };
        (((share - begin) / (end - begin)).clamp(0.0, 1.0).powi(2)) as f32
    };
    (0..couplings).map(gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_rise_from_the_top_down_and_all_are_1_at_the_end() {
        for couplings in 1..9 {
            assert_eq!(gains(0.0, couplings), vec![0.0; couplings]);
            assert_eq!(gains(AWAKE + 1e-9, couplings), vec![1.0; couplings]);
            let mut before = vec![0.0; couplings];
            for step in 1..=100 {
                let now = gains(step as f64 / 100.0, couplings);
                assert!(now.iter().zip(&before).all(|(now, before)| now >= before), "{couplings} couplings: gains fall");
                assert!(now.windows(2).all(|pair| pair[0] <= pair[1]), "{couplings} couplings: {now:?}");
                before = now;
            }
        }
        assert_eq!(gains(0.1, 2), [0.0, 0.25]);
        assert_eq!(gains(0.5, 2), [0.25, 1.0]);
    }
}
