//! The difference of two independent proportions.
//!
//! Owns Newcombe's hybrid score interval. It assumes binomial counts; counts that are clustered by
//! iteration belong to [`super::clustered_ratio`].

use crate::stats::proportion::{Continuity, wilson};
use crate::stats::{Alternative, Interval, Undefined, wide_count_to_f64};

/// A difference of proportions with its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionDifference {
    /// k1/n1 − k2/n2.
    pub difference: f64,
    /// The limits.
    pub interval: Interval,
}

/// The hybrid score interval (Newcombe 1998, Statistics in Medicine 17:873, method 10): the Wilson limits
/// of each proportion, combined by squares. `Less` and `Greater` give one limit at the one-sided level.
///
/// ```
/// use unfazed::stats::{Alternative, newcombe::newcombe};
/// let found = newcombe(56, 70, 48, 80, 0.95, Alternative::TwoSided).unwrap();
/// assert!((found.interval.lower.unwrap() - 0.05243147240236498).abs() < 1e-12);
/// ```
pub fn newcombe(
    events1: u64,
    trials1: u64,
    events2: u64,
    trials2: u64,
    level: f64,
    alternative: Alternative,
) -> Result<ProportionDifference, Undefined> {
    let both_sided = match alternative {
        Alternative::TwoSided => level,
        Alternative::Less | Alternative::Greater => 2.0 * level - 1.0,
    };
    let first = Score::of(events1, trials1, both_sided)?;
    let second = Score::of(events2, trials2, both_sided)?;
    let difference = first.share - second.share;
    let lower = difference - first.below.hypot(second.above);
    let upper = difference + first.above.hypot(second.below);
    let (lower, upper) = match alternative {
        Alternative::TwoSided => (lower, upper),
        Alternative::Less => (-1.0, upper),
        Alternative::Greater => (lower, 1.0),
    };
    Ok(ProportionDifference {
        difference,
        interval: Interval::new(Some(lower), Some(upper), level),
    })
}

/// A proportion and how far its Wilson limits reach.
struct Score {
    share: f64,
    below: f64,
    above: f64,
}

impl Score {
    fn of(events: u64, trials: u64, level: f64) -> Result<Self, Undefined> {
        let interval = wilson(events, trials, level, Alternative::TwoSided, Continuity::None)?;
        let share = wide_count_to_f64(u128::from(events)) / wide_count_to_f64(u128::from(trials));
        Ok(Self {
            share,
            below: share - interval.lower.expect("a two-sided interval has a lower limit"),
            above: interval.upper.expect("a two-sided interval has an upper limit") - share,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_events_in_either_arm_still_has_limits_on_both_sides() {
        let found = newcombe(0, 10, 0, 10, 0.95, Alternative::TwoSided).unwrap();
        assert!((found.interval.upper.unwrap() - 0.277_532_799_862_889).abs() < 1e-12);
        assert!((found.interval.lower.unwrap() + 0.277_532_799_862_889).abs() < 1e-12);
    }

    #[test]
    fn an_empty_arm_is_undefined() {
        assert_eq!(newcombe(0, 0, 1, 2, 0.95, Alternative::TwoSided), Err(Undefined::Empty));
    }

    proptest::proptest! {
        #[test]
        fn swapping_the_arms_turns_the_interval(n1 in 1_u64..50, n2 in 1_u64..50, a in 0.0_f64..1.0, b in 0.0_f64..1.0) {
            let part = |n: u64, share: f64| (0..n).filter(|&i| wide_count_to_f64(u128::from(i)) < share * wide_count_to_f64(u128::from(n))).count() as u64;
            let (k1, k2) = (part(n1, a), part(n2, b));
            let one = newcombe(k1, n1, k2, n2, 0.9, Alternative::TwoSided).unwrap().interval;
            let other = newcombe(k2, n2, k1, n1, 0.9, Alternative::TwoSided).unwrap().interval;
            assert!((one.lower.unwrap() + other.upper.unwrap()).abs() < 1e-12);
            assert!(one.contains(wide_count_to_f64(u128::from(k1)) / wide_count_to_f64(u128::from(n1)) - wide_count_to_f64(u128::from(k2)) / wide_count_to_f64(u128::from(n2))));
        }
    }
}
