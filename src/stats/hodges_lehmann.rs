//! The Hodges–Lehmann estimate with exact limits, and the rule of `typical_kill`.
//!
//! Owns the pseudo-median (median of the Walsh averages (`d_i` + `d_j)/2`, i ≤ j), the two-sample shift
//! (median of the differences `x_i` − `y_j`), and limits that are order statistics of the same sets, so that
//! limit and p-value come from one test. It reports the coverage that an interval really has.
//!
//! Hodges and Lehmann (1963); Hollander, Wolfe and Chicken (2014), 3.2–3.3 and 4.2–4.3. The limits assume
//! differences that are symmetric about their centre (one sample), or two distributions that differ by a
//! shift (two samples). Cost: O(n log n) to sort, then at most 64 passes of O(n) per order statistic.

use crate::stats::distribution::{normal_cdf, normal_quantile};
use crate::stats::mann_whitney::rank_sum_lower_half;
use crate::stats::pair_selection::{
    kth_pair_difference, kth_pair_sum, pair_differences_at_most, pair_sums_at_most,
};
use crate::stats::signed_rank::signed_rank_lower_half;
use crate::stats::{
    Alternative, Interval, PValue, Undefined, count_to_f64, require_finite, require_level,
    require_ordered, wide_count_to_f64,
};

/// Sizes up to which the null distribution behind the limits is counted; beyond, it is normal.
pub const EXACT_LIMIT: usize = 300;

/// An estimate of a shift with its confidence limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftEstimate {
    /// The Hodges–Lehmann estimate.
    pub estimate: f64,
    /// The limits, at the level that was asked for.
    pub interval: Interval,
    /// The exact null coverage of the limits, which with few values is below the level.
    pub true_coverage: f64,
}

/// The side of a one-sided limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitSide {
    /// A lower limit: the value lies above it.
    Lower,
    /// An upper limit: the value lies below it.
    Upper,
}

/// The pseudo-median of the values and its limits, as R's `wilcox.test(conf.int = TRUE, exact = TRUE)`.
///
/// With too few values to reach the level the limits are the extremes, and `true_coverage` says what they
/// are worth (five values: 93.75 % where 95 % was asked for). Use [`walsh_limit`] where a decision hangs
/// on the level.
///
/// ```
/// use unfazed::stats::{Alternative, hodges_lehmann::pseudo_median};
/// let shift = pseudo_median(&[1.1, 2.3, 3.7, 4.2, 5.9, 7.7], 0.95, Alternative::TwoSided).unwrap();
/// assert!((shift.estimate - 4.1).abs() < 1e-12);
/// assert_eq!((shift.interval.lower, shift.interval.upper), (Some(1.1), Some(7.7)));
/// assert_eq!(shift.true_coverage, 0.96875);
/// ```
pub fn pseudo_median(
    values: &[f64],
    level: f64,
    alternative: Alternative,
) -> Result<ShiftEstimate, Undefined> {
    require_finite(values)?;
    require_level("conf_level", level)?;
    let d = sorted(values);
    let pairs = Pairs {
        count: pair_count(d.len()),
        null: NullTail::signed_rank(d.len()),
        rounding: ROUNDING * largest_size(&d),
        order_statistic: |k| 0.5 * kth_pair_sum(&d, k),
        at_most: |value: f64| pair_sums_at_most(&d, 2.0 * value),
    };
    Ok(pairs.estimate(level, alternative))
}

/// The shift between two samples, x − y, and its limits, as R's `wilcox.test(x, y, conf.int = TRUE)`.
///
/// ```
/// use unfazed::stats::{Alternative, hodges_lehmann::shift};
/// let shift = shift(&[1.0, 2.0, 3.5, 4.4], &[4.1, 5.3, 6.9, 8.8], 0.95, Alternative::TwoSided).unwrap();
/// assert!((shift.estimate + 3.35).abs() < 1e-12);
/// ```
pub fn shift(
    x: &[f64],
    y: &[f64],
    level: f64,
    alternative: Alternative,
) -> Result<ShiftEstimate, Undefined> {
    require_finite(x)?;
    require_finite(y)?;
    require_level("conf_level", level)?;
    let (x, y) = (sorted(x), sorted(y));
    let (of_x, of_y) = (largest_size(&x), largest_size(&y));
    let pairs = Pairs {
        count: x.len() as u128 * y.len() as u128,
        null: NullTail::rank_sum(x.len(), y.len()),
        rounding: ROUNDING * if of_x > of_y { of_x } else { of_y },
        order_statistic: |k| kth_pair_difference(&x, &y, k),
        at_most: |value| pair_differences_at_most(&x, &y, value),
    };
    Ok(pairs.estimate(level, alternative))
}

/// The one-sided limit of the pseudo-median at error rate `alpha`, for verdicts.
///
/// The limit inverts the test of [`walsh_p`] exactly: an upper limit U satisfies U ≤ B if and only if
/// `walsh_p(values, B, Upper) ≤ alpha`. Values may be infinite: lost data enter as +∞ where an upper limit
/// is asked for and as −∞ for a lower one; `None` says that the limit itself is infinite.
///
/// Undefined when 2^−n > alpha, because no data of this size could have bounded anything, and when values
/// hold both infinities.
///
/// ```
/// use unfazed::stats::{Undefined, hodges_lehmann::{LimitSide, walsh_limit}};
/// let limit = walsh_limit(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.05, LimitSide::Upper);
/// assert_eq!(limit, Ok(Some(5.0)));
/// assert!(matches!(walsh_limit(&[1.0; 4], 0.05, LimitSide::Upper), Err(Undefined::Unattainable { .. })));
/// ```
pub fn walsh_limit(values: &[f64], alpha: f64, side: LimitSide) -> Result<Option<f64>, Undefined> {
    require_level("alpha", alpha)?;
    let d = ordered_with_lost_data(values)?;
    let null = NullTail::signed_rank(d.len());
    let beyond = null.largest_rejected(alpha);
    let Some(beyond) = beyond else {
        return Err(Undefined::Unattainable { smallest: null.at_most(0), level: alpha });
    };
    let pairs = pair_count(d.len());
    let limit = match side {
        LimitSide::Upper => 0.5 * kth_pair_sum(&d, pairs - beyond),
        LimitSide::Lower => 0.5 * kth_pair_sum(&d, beyond + 1),
    };
    Ok(Some(limit).filter(|limit| limit.is_finite()))
}

/// The one-sided p-value that belongs to [`walsh_limit`].
///
/// `Upper`: P(W ≤ number of Walsh averages above the bound), the evidence that the pseudo-median lies at or
/// below the bound. `Lower`: the mirror image. A Walsh average that equals the bound up to 1e-12 relative
/// counts as inside.
///
/// ```
/// use unfazed::stats::hodges_lehmann::{LimitSide, walsh_p};
/// assert_eq!(walsh_p(&[1.0, 2.0, 3.0, 4.0, 5.0], 5.0, LimitSide::Upper).unwrap().get(), 1.0 / 32.0);
/// ```
pub fn walsh_p(values: &[f64], bound: f64, side: LimitSide) -> Result<PValue, Undefined> {
    let d = ordered_with_lost_data(values)?;
    let null = NullTail::signed_rank(d.len());
    let slack = 2.0 * EQUALITY * bound.abs();
    let outside = match side {
        LimitSide::Upper => pair_count(d.len()) - pair_sums_at_most(&d, 2.0 * bound + slack),
        // Strictly below: at most the next double down.
        LimitSide::Lower => pair_sums_at_most(&d, (2.0 * bound - slack).next_down()),
    };
    Ok(PValue::new(null.at_most(outside)))
}

/// The level that a limit of [`walsh_limit`] really has: 1 − P(T ≤ c), with c the largest count that is rejected at
/// alpha. `None` when no data of this size could have bounded anything (2^−n > alpha).
///
/// ```
/// use unfazed::stats::hodges_lehmann::attained_level;
/// assert_eq!(attained_level(5, 0.05), Some(0.96875));
/// assert_eq!(attained_level(4, 0.05), None);
/// ```
pub fn attained_level(n: usize, alpha: f64) -> Option<f64> {
    if n == 0 {
        return None;
    }
    let null = NullTail::signed_rank(n);
    null.largest_rejected(alpha).map(|largest| 1.0 - null.at_most(largest))
}

/// Relative difference up to which a value equals the bound and counts as inside.
pub const EQUALITY: f64 = 1e-12;

fn ordered_with_lost_data(values: &[f64]) -> Result<Vec<f64>, Undefined> {
    require_ordered(values)?;
    let d = sorted(values);
    let lowest_infinite = d[0].is_infinite() && d[0] < 0.0;
    let highest = d[d.len() - 1];
    if lowest_infinite && highest.is_infinite() && highest > 0.0 {
        let index = values.iter().position(|value| value.is_infinite());
        return Err(Undefined::NonFinite {
            index: index.expect("an infinite value was just seen"),
        });
    }
    Ok(d)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn pair_count(n: usize) -> u128 {
    n as u128 * (n as u128 + 1) / 2
}

/// Pairs closer than this share of the largest value are one value that was rounded differently.
const ROUNDING: f64 = 1e-13;

fn largest_size(ascending: &[f64]) -> f64 {
    let (low, high) = (ascending[0].abs(), ascending[ascending.len() - 1].abs());
    if low > high { low } else { high }
}

/// The Walsh averages of a sample, or the differences of two, as a set that can be asked.
struct Pairs<K, C> {
    count: u128,
    null: NullTail,
    rounding: f64,
    order_statistic: K,
    at_most: C,
}

impl<K: Fn(u128) -> f64, C: Fn(f64) -> u128> Pairs<K, C> {
    fn estimate(&self, level: f64, alternative: Alternative) -> ShiftEstimate {
        let middle = (self.order_statistic)(self.count / 2 + 1);
        let estimate = if self.count % 2 == 1 {
            middle
        } else {
            0.5 * ((self.order_statistic)(self.count / 2) + middle)
        };
        let alpha = 1.0 - level;
        let tail = match alternative {
            Alternative::TwoSided => 0.5 * alpha,
            Alternative::Less | Alternative::Greater => alpha,
        };
        let k = self.null.quantile(tail);
        let lower = || Some((self.order_statistic)(k));
        let upper = || Some((self.order_statistic)(self.count - k + 1));
        let (lower, upper) = match alternative {
            Alternative::TwoSided => (lower(), upper()),
            Alternative::Less => (None, upper()),
            Alternative::Greater => (lower(), None),
        };
        let missed = lower.map_or(0.0, |limit| self.missed_below(limit))
            + upper.map_or(0.0, |limit| self.missed_above(limit));
        ShiftEstimate {
            estimate,
            interval: Interval::new(lower, upper, level),
            true_coverage: 1.0 - missed,
        }
    }

    /// The null probability that the true shift lies below the limit: as few pairs as this below it.
    fn missed_below(&self, limit: f64) -> f64 {
        self.null.at_most((self.at_most)((limit - self.rounding).next_down()))
    }

    /// The null probability that the true shift lies above the limit.
    fn missed_above(&self, limit: f64) -> f64 {
        self.null.at_most(self.count - (self.at_most)(limit + self.rounding))
    }
}

/// The lower tail of a symmetric count statistic: counted, or normal for large samples.
enum NullTail {
    Counted { lower_half: Vec<f64>, largest: u128 },
    Normal { mean: f64, deviation: f64, largest: u128 },
}

impl NullTail {
    fn signed_rank(n: usize) -> Self {
        let largest = pair_count(n);
        if n <= EXACT_LIMIT {
            return Self::Counted { lower_half: signed_rank_lower_half(n), largest };
        }
        let m = count_to_f64(n);
        let variance = m * (m + 1.0) * (2.0 * m + 1.0) / 24.0;
        Self::Normal { mean: m * (m + 1.0) / 4.0, deviation: variance.sqrt(), largest }
    }

    fn rank_sum(m: usize, n: usize) -> Self {
        let largest = m as u128 * n as u128;
        if let Some(lower_half) = rank_sum_lower_half(m, n) {
            return Self::Counted { lower_half, largest };
        }
        let product = wide_count_to_f64(largest);
        let variance = product * (count_to_f64(m) + count_to_f64(n) + 1.0) / 12.0;
        Self::Normal { mean: 0.5 * product, deviation: variance.sqrt(), largest }
    }

    /// P(W ≤ w).
    fn at_most(&self, w: u128) -> f64 {
        match self {
            Self::Counted { lower_half, largest } => {
                if w >= *largest {
                    return 1.0;
                }
                let tail =
                    |w: u128| usize::try_from(w).ok().and_then(|w| lower_half.get(w)).copied();
                match tail(w) {
                    Some(p) => p,
                    None => {
                        1.0 - tail(largest - w - 1)
                            .expect("one of the two tails is in the lower half")
                    }
                }
            }
            Self::Normal { mean, deviation, largest } => {
                if w >= *largest {
                    return 1.0;
                }
                normal_cdf((wide_count_to_f64(w) + 0.5 - mean) / deviation)
            }
        }
    }

    /// The smallest k ≥ 1 with P(W ≤ k) ≥ p: R's `qsignrank` and `qwilcox`, with its 0 lifted to 1.
    fn quantile(&self, p: f64) -> u128 {
        let largest = match self {
            Self::Counted { largest, .. } | Self::Normal { largest, .. } => *largest,
        };
        let (mut low, mut high) = match self {
            Self::Counted { .. } => (0, largest),
            Self::Normal { mean, deviation, .. } => {
                let guess = mean + deviation * normal_quantile(p);
                (floor(guess - 2.0), floor(guess + 3.0))
            }
        };
        // The hair below p is R's guard against rounding in the counted probabilities.
        let wanted = p * (1.0 - 1e-12);
        while low < high {
            let middle = low.midpoint(high);
            if self.at_most(middle) >= wanted {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low.clamp(1, if largest > 1 { largest } else { 1 })
    }

    /// The largest w whose lower tail is at most alpha; `None` when even P(W = 0) is above it.
    fn largest_rejected(&self, alpha: f64) -> Option<u128> {
        if !PValue::new(self.at_most(0)).rejects_at(alpha) {
            return None;
        }
        let (mut low, mut high) = match self {
            Self::Counted { largest, .. } | Self::Normal { largest, .. } => (0, *largest),
        };
        while low + 1 < high {
            let middle = low.midpoint(high);
            if PValue::new(self.at_most(middle)).rejects_at(alpha) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a negative guess saturates at 0, which is its meaning"
)]
fn floor(value: f64) -> u128 {
    value as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_values_by_hand() {
        // Walsh averages of 1, 2, 6: 1, 1.5, 2, 3.5, 4, 6; their median is 2.75.
        let shift = pseudo_median(&[6.0, 1.0, 2.0], 0.75, Alternative::TwoSided).unwrap();
        assert!((shift.estimate - 2.75).abs() < 1e-15);
        assert_eq!((shift.interval.lower, shift.interval.upper), (Some(1.0), Some(6.0)));
        assert_eq!(shift.true_coverage, 0.75);
    }

    #[test]
    fn five_values_cover_less_than_was_asked_for() {
        let shift = pseudo_median(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95, Alternative::TwoSided).unwrap();
        assert_eq!(shift.true_coverage, 0.9375);
    }

    #[test]
    fn one_value_is_its_own_pseudo_median() {
        let shift = pseudo_median(&[2.5], 0.95, Alternative::TwoSided).unwrap();
        assert_eq!((shift.estimate, shift.true_coverage), (2.5, 0.0));
    }

    #[test]
    fn a_lost_iteration_moves_the_limit_and_many_remove_it() {
        let mut values: Vec<f64> = (1..12).map(f64::from).collect();
        let complete = walsh_limit(&values, 0.05, LimitSide::Upper).unwrap().unwrap();
        values.push(f64::INFINITY);
        assert!(walsh_limit(&values, 0.05, LimitSide::Upper).unwrap().unwrap() > complete);
        values.extend([f64::INFINITY; 4]);
        assert_eq!(walsh_limit(&values, 0.05, LimitSide::Upper), Ok(None));
        assert!(walsh_p(&values, 100.0, LimitSide::Upper).unwrap().get() > 0.05);
        values.push(f64::NEG_INFINITY);
        assert_eq!(walsh_limit(&values, 0.05, LimitSide::Upper).unwrap_err().code(), "non_finite");
    }

    #[test]
    fn a_limit_that_equals_the_bound_is_inside() {
        let values = [0.1 + 0.2, 0.3, 0.3, 0.3, 0.3];
        assert!(walsh_p(&values, 0.3, LimitSide::Upper).unwrap().rejects_at(0.05));
        assert!(walsh_p(&values, 0.3, LimitSide::Lower).unwrap().rejects_at(0.05));
    }

    #[test]
    fn the_normal_tail_takes_over_smoothly() {
        let values: Vec<f64> = (0..=EXACT_LIMIT).map(|i| (count_to_f64(i) * 0.7).sin()).collect();
        let exact = pseudo_median(&values[1..], 0.95, Alternative::TwoSided).unwrap().interval;
        let normal = pseudo_median(&values, 0.95, Alternative::TwoSided).unwrap().interval;
        assert!((exact.lower.unwrap() - normal.lower.unwrap()).abs() < 0.01);
    }

    proptest::proptest! {
        #[test]
        fn the_limit_is_inside_exactly_when_the_p_value_rejects(
            values in proptest::collection::vec(-50_i32..50, 5..25), bound in -60_i32..60, lost in 0_usize..3
        ) {
            let bound = f64::from(bound) / 4.0;
            for side in [LimitSide::Upper, LimitSide::Lower] {
                let infinite = match side { LimitSide::Upper => f64::INFINITY, LimitSide::Lower => f64::NEG_INFINITY };
                let mut d: Vec<f64> = values.iter().map(|&v| f64::from(v) / 4.0).collect();
                d.extend(std::iter::repeat_n(infinite, lost));
                let limit = walsh_limit(&d, 0.05, side).unwrap();
                let inside = match (side, limit) {
                    (_, None) => false,
                    (LimitSide::Upper, Some(limit)) => limit <= bound,
                    (LimitSide::Lower, Some(limit)) => limit >= bound,
                };
                assert_eq!(inside, walsh_p(&d, bound, side).unwrap().rejects_at(0.05));
            }
        }

        #[test]
        fn without_ties_the_p_value_is_that_of_the_signed_rank_test(seed in proptest::collection::vec(-1e3_f64..1e3, 1..20)) {
            use crate::stats::signed_rank::{NullDistribution, Zeros, signed_rank_test};
            let p = walsh_p(&seed, 0.0, LimitSide::Upper).unwrap().get();
            let test = signed_rank_test(&seed, Alternative::Less, Zeros::Drop, NullDistribution::Exact).unwrap();
            assert!((p - test.p.get()).abs() < 1e-12);
        }

        #[test]
        fn moving_every_value_moves_the_estimate(values in proptest::collection::vec(-50_i32..50, 1..20)) {
            let d: Vec<f64> = values.iter().copied().map(f64::from).collect();
            let moved: Vec<f64> = d.iter().map(|v| v + 7.0).collect();
            let one = pseudo_median(&d, 0.9, Alternative::TwoSided).unwrap();
            let other = pseudo_median(&moved, 0.9, Alternative::TwoSided).unwrap();
            assert!((one.estimate + 7.0 - other.estimate).abs() < 1e-12);
            assert!((one.interval.upper.unwrap() + 7.0 - other.interval.upper.unwrap()).abs() < 1e-12);
        }
    }
}
