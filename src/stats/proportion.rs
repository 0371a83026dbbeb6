//! One proportion: k events among n trials.
//!
//! Owns the exact (Clopper–Pearson) and score (Wilson) limits, the exact bound for zero events, the
//! binomial test against a bound and the success run. It knows nothing of clustering: counts that vary
//! more between iterations than a binomial does belong to [`super::clustered_ratio`].

use crate::stats::distribution::{
    beta_quantile, beta_upper_quantile, binomial_at_least, binomial_cdf, binomial_pmf,
    binomial_survival, normal_quantile,
};
use crate::stats::{Alternative, Interval, PValue, Undefined, require_level, wide_count_to_f64};

/// The lower Clopper–Pearson limit at a one-sided error rate `alpha`, for real counts.
///
/// Clopper and Pearson (1934): the p with P(X ≥ k | n, p) = alpha, which is the alpha quantile of
/// Beta(k, n − k + 1). Real counts arise as effective sample sizes (Korn and Graubard 1998). 0 when
/// k = 0. Cost: some 6 evaluations of the incomplete beta function.
///
/// ```
/// use unfazed::stats::proportion::clopper_pearson_lower;
/// // 14 of 14 proves a share of 0.8: 0.05^(1/14).
/// assert!((clopper_pearson_lower(14.0, 14.0, 0.05) - 0.05_f64.powf(1.0 / 14.0)).abs() < 1e-14);
/// ```
pub fn clopper_pearson_lower(events: f64, trials: f64, alpha: f64) -> f64 {
    if events <= 0.0 {
        0.0
    } else if events >= trials {
        (alpha.ln() / trials).exp()
    } else {
        beta_quantile(alpha, events, trials - events + 1.0)
    }
}

/// The upper Clopper–Pearson limit at a one-sided error rate `alpha`, for real counts.
///
/// The p with P(X ≤ k | n, p) = alpha, which is the upper alpha quantile of Beta(k + 1, n − k). For
/// zero events it is the closed form 1 − alpha^(1/n). 1 when k = n.
///
/// ```
/// use unfazed::stats::proportion::clopper_pearson_upper;
/// let bound = clopper_pearson_upper(0.0, 1e6, 0.05);
/// assert!((bound / 2.995727786352544e-06 - 1.0).abs() < 1e-12);
/// ```
pub fn clopper_pearson_upper(events: f64, trials: f64, alpha: f64) -> f64 {
    if events >= trials {
        1.0
    } else if events <= 0.0 {
        -(alpha.ln() / trials).exp_m1()
    } else {
        beta_upper_quantile(alpha, events + 1.0, trials - events)
    }
}

/// The Clopper–Pearson interval of k events among n trials.
///
/// `Less` gives [0, upper] and `Greater` [lower, 1], each at the one-sided level. No trials, or more
/// events than trials: undefined.
///
/// ```
/// use unfazed::stats::{Alternative, proportion::clopper_pearson};
/// let interval = clopper_pearson(3, 30, 0.95, Alternative::TwoSided).unwrap();
/// assert!((interval.upper.unwrap() - 0.2652884504742081).abs() < 1e-12);
/// ```
pub fn clopper_pearson(
    events: u64,
    trials: u64,
    level: f64,
    alternative: Alternative,
) -> Result<Interval, Undefined> {
    require_counts(events, trials)?;
    require_level("conf_level", level)?;
    let (k, n) = (wide(events), wide(trials));
    let alpha = 1.0 - level;
    let (lower, upper) = match alternative {
        Alternative::TwoSided => {
            (clopper_pearson_lower(k, n, 0.5 * alpha), clopper_pearson_upper(k, n, 0.5 * alpha))
        }
        Alternative::Less => (0.0, clopper_pearson_upper(k, n, alpha)),
        Alternative::Greater => (clopper_pearson_lower(k, n, alpha), 1.0),
    };
    Ok(Interval::new(Some(lower), Some(upper), level))
}

/// Whether a score interval is widened for the discreteness of counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Continuity {
    /// No correction.
    None,
    /// Yates' correction of half a count, at most |k − n·p0| for the hypothesised proportion p0, as R's
    /// `prop.test` does (p0 = 0.5 there unless given).
    Yates {
        /// The hypothesised proportion p0.
        hypothesised: f64,
    },
}

/// The Wilson score interval of k events among n trials.
///
/// Wilson (1927); with continuity correction Newcombe (1998), method 4, limited as R limits it. For
/// display: its coverage is close to the level on average and not guaranteed.
///
/// ```
/// use unfazed::stats::{Alternative, proportion::{Continuity, wilson}};
/// let interval = wilson(81, 263, 0.95, Alternative::TwoSided, Continuity::None).unwrap();
/// assert!((interval.lower.unwrap() - 0.2552885198782742).abs() < 1e-12);
/// ```
pub fn wilson(
    events: u64,
    trials: u64,
    level: f64,
    alternative: Alternative,
    continuity: Continuity,
) -> Result<Interval, Undefined> {
    require_counts(events, trials)?;
    require_level("conf_level", level)?;
    let (k, n) = (wide(events), wide(trials));
    let z = match alternative {
        Alternative::TwoSided => -normal_quantile(0.5 * (1.0 - level)),
        Alternative::Less | Alternative::Greater => -normal_quantile(1.0 - level),
    };
    let correction = match continuity {
        Continuity::None => 0.0,
        Continuity::Yates { hypothesised } => {
            let distance = (k - n * hypothesised).abs();
            if distance < 0.5 { distance } else { 0.5 }
        }
    };
    let lower = score_limit((k - correction) / n, n, -z);
    let upper = score_limit((k + correction) / n, n, z);
    let (lower, upper) = match alternative {
        Alternative::TwoSided => (lower, upper),
        Alternative::Less => (0.0, upper),
        Alternative::Greater => (lower, 1.0),
    };
    Ok(Interval::new(Some(lower), Some(upper), level))
}

/// The root of the score equation on the side of the sign of z, kept inside [0, 1].
pub(crate) fn score_limit(share: f64, n: f64, z: f64) -> f64 {
    if z < 0.0 && share <= 0.0 {
        return 0.0;
    }
    if z > 0.0 && share >= 1.0 {
        return 1.0;
    }
    let half = z * z / (2.0 * n);
    let root = (share * (1.0 - share) / n + half / (2.0 * n)).sqrt();
    ((share + half + z * root) / (1.0 + 2.0 * half)).clamp(0.0, 1.0)
}

/// The exact upper bound after zero events in n trials: 1 − alpha^(1/n).
///
/// ```
/// use unfazed::stats::proportion::zero_event_bound;
/// assert!((zero_event_bound(1000, 0.95).unwrap() - 0.002991249545095296).abs() < 1e-15);
/// ```
pub fn zero_event_bound(trials: u64, level: f64) -> Result<f64, Undefined> {
    require_counts(0, trials)?;
    require_level("conf_level", level)?;
    Ok(clopper_pearson_upper(0.0, wide(trials), 1.0 - level))
}

/// A binomial test against a stated proportion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinomialTest {
    /// The exact p-value, consistent with the Clopper–Pearson limits for one-sided alternatives.
    pub exact: PValue,
    /// The mid-p value (Lancaster 1961), which counts the observed outcome half.
    pub mid: PValue,
}

/// Tests whether the proportion is on the stated side of `p0`.
///
/// `Less`: P(X ≤ k | p0). `Greater`: P(X ≥ k | p0). `TwoSided`: the total probability of all outcomes
/// that are not more likely than the observed one, within a relative 1e-7 as in R and scipy.
/// Cost: O(1) one-sided, O(log n) two-sided.
///
/// ```
/// use unfazed::stats::{Alternative, proportion::binomial_test};
/// let test = binomial_test(0, 3000, 0.001, Alternative::Less).unwrap();
/// assert!((test.exact.get() - 0.049712393998036286).abs() < 1e-12);
/// ```
pub fn binomial_test(
    events: u64,
    trials: u64,
    p0: f64,
    alternative: Alternative,
) -> Result<BinomialTest, Undefined> {
    require_counts(events, trials)?;
    if !(0.0..=1.0).contains(&p0) {
        return Err(Undefined::OutOfRange { what: "p0", found: p0, accepted: "0 to 1" });
    }
    let observed = binomial_pmf(events, trials, p0);
    let (exact, mid) = match alternative {
        Alternative::Less => {
            let below = if events == 0 { 0.0 } else { binomial_cdf(events - 1, trials, p0) };
            (binomial_cdf(events, trials, p0), below + 0.5 * observed)
        }
        Alternative::Greater => {
            let above = binomial_survival(events, trials, p0);
            (binomial_at_least(events, trials, p0), above + 0.5 * observed)
        }
        Alternative::TwoSided => {
            let exact = not_more_likely(events, trials, p0, observed);
            (exact, exact - 0.5 * observed)
        }
    };
    Ok(BinomialTest { exact: PValue::new(exact), mid: PValue::new(mid) })
}

/// P(pmf(X) ≤ pmf(k)), by bisection for the matching outcome on the other side of the mode.
fn not_more_likely(events: u64, trials: u64, p0: f64, observed: f64) -> f64 {
    let limit = observed * (1.0 + 1e-7);
    let mean = wide(trials) * p0;
    if (wide(events) - mean).abs() <= f64::EPSILON * mean {
        return 1.0;
    }
    if wide(events) < mean {
        // The smallest outcome above the mean that is not more likely.
        let mut low = ceiling(mean);
        let mut high = trials + 1;
        while low < high {
            let middle = low + (high - low) / 2;
            if binomial_pmf(middle, trials, p0) <= limit {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        binomial_cdf(events, trials, p0)
            + if low > trials { 0.0 } else { binomial_at_least(low, trials, p0) }
    } else {
        // One past the largest outcome below the mean that is not more likely.
        let mut low = 0;
        let mut high = ceiling(mean.floor()) + 1;
        while low < high {
            let middle = low + (high - low) / 2;
            if binomial_pmf(middle, trials, p0) <= limit {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        binomial_at_least(events, trials, p0)
            + if low == 0 { 0.0 } else { binomial_cdf(low - 1, trials, p0) }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of counts is between 0 and the number of trials"
)]
fn ceiling(mean: f64) -> u64 {
    mean.ceil() as u64
}

/// The number of trials without a failure that proves a share of at least p0: ⌈ln(1 − C) / ln p0⌉.
///
/// ```
/// use unfazed::stats::proportion::success_run;
/// assert_eq!(success_run(0.8, 0.95).unwrap(), 14);
/// assert_eq!(success_run(0.95, 0.95).unwrap(), 59);
/// ```
pub fn success_run(p0: f64, level: f64) -> Result<u64, Undefined> {
    require_level("p0", p0)?;
    require_level("conf_level", level)?;
    // A hair is taken off so that a quotient which is whole in exact arithmetic stays whole.
    Ok(ceiling((1.0 - level).ln() / p0.ln() * (1.0 - 1e-12)))
}

fn require_counts(events: u64, trials: u64) -> Result<(), Undefined> {
    if trials == 0 {
        return Err(Undefined::Empty);
    }
    if events > trials {
        return Err(Undefined::OutOfRange {
            what: "the number of events",
            found: wide(events),
            accepted: "at most the number of trials",
        });
    }
    Ok(())
}

fn wide(count: u64) -> f64 {
    wide_count_to_f64(u128::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_by_hand() {
        // Clopper–Pearson for 1 of 2 at 95 %: lower solves 1 − (1 − p)² = 0.025.
        let interval = clopper_pearson(1, 2, 0.95, Alternative::TwoSided).unwrap();
        assert!((interval.lower.unwrap() - (1.0 - 0.975_f64.sqrt())).abs() < 1e-14);
        assert!((interval.upper.unwrap() - 0.975_f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn five_of_five_proves_little() {
        assert!((clopper_pearson_lower(5.0, 5.0, 0.05) - 0.549_280_271_653).abs() < 1e-9);
    }

    #[test]
    fn no_trials_and_too_many_events_are_undefined() {
        assert_eq!(clopper_pearson(0, 0, 0.95, Alternative::TwoSided), Err(Undefined::Empty));
        assert_eq!(binomial_test(3, 2, 0.5, Alternative::Less).unwrap_err().code(), "out_of_range");
    }

    #[test]
    fn success_runs_of_the_planning_table() {
        let runs: Vec<u64> =
            [0.8, 0.85, 0.9, 0.95, 0.99].iter().map(|&p0| success_run(p0, 0.95).unwrap()).collect();
        assert_eq!(runs, [14, 19, 29, 59, 299]);
        assert_eq!(success_run(0.5, 0.75).unwrap(), 2);
    }

    /// The two-sided p by adding up all outcomes.
    fn slow_two_sided(k: u64, n: u64, p0: f64) -> f64 {
        let limit = binomial_pmf(k, n, p0) * (1.0 + 1e-7);
        (0..=n).map(|j| binomial_pmf(j, n, p0)).filter(|&pmf| pmf <= limit).sum()
    }

    proptest::proptest! {
        #[test]
        fn the_two_sided_p_adds_up_all_outcomes_that_are_not_more_likely(n in 1_u64..60, share in 0.0_f64..=1.0, p0 in 0.01_f64..0.99) {
            let k = ceiling(share * wide(n));
            let fast = binomial_test(k, n, p0, Alternative::TwoSided).unwrap().exact.get();
            let slow = PValue::new(slow_two_sided(k, n, p0)).get();
            assert!((fast - slow).abs() < 1e-10, "{k} of {n} at {p0}: {fast} {slow}");
        }

        #[test]
        fn the_limit_passes_the_bound_exactly_when_the_p_value_passes_the_level(n in 1_u64..200, share in 0.0_f64..=1.0, p0 in 0.01_f64..0.99) {
            let k = ceiling(share * wide(n));
            let lower = clopper_pearson_lower(wide(k), wide(n), 0.05);
            let p = binomial_test(k, n, p0, Alternative::Greater).unwrap().exact;
            assert_eq!(lower >= p0, p.rejects_at(0.05));
        }

        #[test]
        fn wilson_lies_inside_the_unit_interval_and_holds_the_estimate(n in 1_u64..500, share in 0.0_f64..=1.0) {
            let k = ceiling(share * wide(n));
            let interval = wilson(k, n, 0.9, Alternative::TwoSided, Continuity::None).unwrap();
            assert!(interval.contains(wide(k) / wide(n)));
            let corrected = wilson(k, n, 0.9, Alternative::TwoSided, Continuity::Yates { hypothesised: 0.5 }).unwrap();
            assert!(corrected.lower <= interval.lower && corrected.upper >= interval.upper);
        }
    }
}
