//! The band in which a signal is healthy, for one iteration.
//!
//! Bounds against the baseline start from the baseline window's own greatest (or smallest) value, not from its mean: a
//! queue that breathes between 10 and 30 is not ill at 30. The allowance is a share of the baseline's number, or the
//! absolute `or_by`, whichever is larger. Absolute bounds are taken as stated.

use crate::spec::{Amount, Band};
use crate::summary::value::HealthyBand;

/// Equality up to this relative distance is inside.
const EQUALITY: f64 = 1e-12;

/// What the baseline of one iteration showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BaselineLevel {
    /// The metric's number for the baseline window.
    pub(crate) number: f64,
    /// Smallest value of the signal in it.
    pub(crate) least: f64,
    /// Greatest value of the signal in it.
    pub(crate) greatest: f64,
}

/// The band of one iteration; `None` when it is stated against a baseline that showed nothing.
pub(crate) fn healthy_band(band: Band, baseline: Option<BaselineLevel>) -> Option<HealthyBand> {
    Some(match band {
        Band::AtMost(bound) => HealthyBand { lower: None, upper: Some(bound) },
        Band::AtLeast(bound) => HealthyBand { lower: Some(bound), upper: None },
        Band::IncreaseAtMost { amount, or_by } => {
            let level = baseline?;
            let upper = level.greatest + allowance(amount, or_by, level.number);
            HealthyBand { lower: None, upper: Some(upper) }
        }
        Band::DecreaseAtMost { amount, or_by } => {
            let level = baseline?;
            let lower = level.least - allowance(amount, or_by, level.number);
            HealthyBand { lower: Some(lower), upper: None }
        }
    })
}

/// The larger of the two allowances.
fn allowance(amount: Amount, or_by: Option<f64>, number: f64) -> f64 {
    let stated = match amount {
        Amount::Absolute(value) => value,
        Amount::Relative(share) => share * number.abs(),
    };
    match or_by {
        Some(or_by) if or_by > stated => or_by,
        Some(_) | None => stated,
    }
}

impl HealthyBand {
    /// Whether a value is healthy; equality up to 1e-12 relative is.
    pub fn holds(self, value: f64) -> bool {
        let at_most = |value: f64, bound: f64| value <= bound + EQUALITY * bound.abs();
        self.upper.is_none_or(|upper| at_most(value, upper))
            && self.lower.is_none_or(|lower| at_most(-value, -lower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: BaselineLevel = BaselineLevel { number: 50.0, least: 40.0, greatest: 60.0 };

    fn upper(amount: Amount, or_by: Option<f64>) -> f64 {
        let band = Band::IncreaseAtMost { amount, or_by };
        healthy_band(band, Some(LEVEL)).unwrap().upper.unwrap()
    }

    #[test]
    fn the_band_starts_at_the_baselines_own_maximum_and_takes_the_larger_allowance() {
        assert_eq!(upper(Amount::Relative(0.2), Some(20.0)), 80.0);
        assert_eq!(upper(Amount::Relative(0.5), Some(20.0)), 85.0);
        assert_eq!(upper(Amount::Absolute(5.0), None), 65.0);
        let lower = Band::DecreaseAtMost { amount: Amount::Relative(0.2), or_by: Some(1.0) };
        assert_eq!(healthy_band(lower, Some(LEVEL)).unwrap().lower, Some(30.0));
    }

    #[test]
    fn a_value_at_the_edge_is_healthy_and_one_beyond_is_not() {
        let band = HealthyBand { lower: Some(0.1), upper: Some(0.3) };
        assert!(band.holds(0.1 + 0.2) && band.holds(0.1));
        assert!(!band.holds(0.300_000_1) && !band.holds(0.099_999_9));
    }

    #[test]
    fn only_bounds_against_the_baseline_need_one() {
        assert!(healthy_band(Band::AtMost(3.0), None).is_some());
        let against = Band::IncreaseAtMost { amount: Amount::Relative(0.2), or_by: None };
        assert_eq!(healthy_band(against, None), None);
    }
}
