//! How many trials prove a proportion.
//!
//! Owns the sample size of demonstration tests: the smallest number of kills after which the observed
//! failures still prove a bound. It is planning; the limits of data already seen are in `proportion`.

use crate::stats::distribution::binomial_cdf;
use crate::stats::{Undefined, require_level};

/// The largest number of trials that is looked for.
pub const MOST_TRIALS: u64 = 1 << 50;

/// The smallest n such that `failures` failures in n trials prove, at the level C, a failure share below `bound`.
///
/// The smallest n with P(X ≤ failures | n, bound) ≤ 1 − C: the exact upper limit of Clopper and Pearson
/// (1934) is then at most the bound. Without failures n = ⌈ln(1 − C)/ln(1 − bound)⌉. Cost: about 50
/// evaluations of the binomial distribution.
/// Edge cases: bound and level lie strictly between 0 and 1.
///
/// ```
/// use unfazed::stats::success_run::trials_needed;
/// assert_eq!(trials_needed(0.05, 0.95, 0), Ok(59));
/// assert_eq!(trials_needed(0.2, 0.95, 1), Ok(22));
/// ```
pub fn trials_needed(bound: f64, level: f64, failures: u64) -> Result<u64, Undefined> {
    require_level("the bound", bound)?;
    require_level("the confidence level", level)?;
    // A relative 1e-12 forgives rounding where the probability equals 1 − C in exact arithmetic.
    let error = (1.0 - level) * (1.0 + 1e-12);
    let proves = |n: u64| binomial_cdf(failures, n, bound) <= error;
    let mut high = failures + 1;
    while !proves(high) {
        high = high.saturating_mul(2);
        if high > MOST_TRIALS {
            return Err(Undefined::WorkLimit {
                what: "the number of trials",
                size: high,
                limit: MOST_TRIALS,
            });
        }
    }
    let mut low = failures;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if proves(middle) { high = middle } else { low = middle }
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_of_most_kills() {
        // Misses 0, 1 and 2 for shares .80, .85, .90 and .95 at 95 %.
        for (share, expected) in [
            (0.80, [14, 22, 30]),
            (0.85, [19, 30, 40]),
            (0.90, [29, 46, 61]),
            (0.95, [59, 93, 124]),
        ] {
            for (failures, expected) in (0..).zip(expected) {
                assert_eq!(
                    trials_needed(1.0 - share, 0.95, failures),
                    Ok(expected),
                    "{share} {failures}"
                );
            }
        }
    }

    #[test]
    fn a_bound_of_zero_cannot_be_proven() {
        assert_eq!(trials_needed(0.0, 0.95, 0).unwrap_err().code(), "out_of_range");
        assert_eq!(trials_needed(1e-300, 0.95, 0).unwrap_err().code(), "work_limit");
    }

    proptest! {
        #[test]
        fn without_failures_the_closed_form_holds(bound in 0.001_f64..0.9, level in 0.5_f64..0.999) {
            let closed = ((1.0 - level).ln() / (-bound).ln_1p()).ceil();
            let found = trials_needed(bound, level, 0).unwrap();
            prop_assert!((crate::stats::wide_count_to_f64(found.into()) - closed).abs() < 0.5);
        }

        #[test]
        fn one_trial_fewer_does_not_prove_it(bound in 0.01_f64..0.9, level in 0.5_f64..0.99, failures in 0_u64..6) {
            let n = trials_needed(bound, level, failures).unwrap();
            prop_assert!(binomial_cdf(failures, n, bound) <= (1.0 - level) * (1.0 + 1e-9));
            prop_assert!(n == failures + 1 || binomial_cdf(failures, n - 1, bound) > 1.0 - level);
        }
    }
}
