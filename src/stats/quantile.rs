//! Sample quantiles and their order-statistic limits.
//!
//! Owns the nine definitions of Hyndman and Fan (1996), which decide between neighbouring order
//! statistics, and the distribution-free limits of a quantile. It knows nothing about histograms:
//! quantiles of buckets live in `prom_histogram`.

use crate::stats::distribution::{binomial_cdf, binomial_survival};
use crate::stats::position::{floor_to_position, same, sorted_copy};
use crate::stats::{
    Alternative, Interval, Undefined, count_to_f64, require_level, require_ordered,
};

/// Which of the nine sample quantiles of Hyndman and Fan (1996) is meant.
///
/// ```
/// use unfazed::stats::quantile::QuantileType;
/// assert_eq!(QuantileType::from_number(7), Some(QuantileType::LinearModes));
/// assert_eq!(QuantileType::from_number(0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuantileType {
    /// Type 1: inverse of the empirical distribution function.
    InverseCdf,
    /// Type 2: type 1 with averaging at the jumps.
    AveragedInverseCdf,
    /// Type 3: nearest even order statistic.
    NearestEven,
    /// Type 4: linear interpolation of the empirical distribution function.
    LinearCdf,
    /// Type 5: piecewise linear through the middles of the steps (Hazen).
    Hazen,
    /// Type 6: expectation of uniform order statistics (Weibull).
    Weibull,
    /// Type 7: modes of uniform order statistics; the default of R and numpy.
    LinearModes,
    /// Type 8: approximately median-unbiased for every distribution.
    MedianUnbiased,
    /// Type 9: approximately unbiased for the normal distribution.
    NormalUnbiased,
}

impl QuantileType {
    /// All types, in the order of their numbers from 1.
    pub const ALL: [Self; 9] = [
        Self::InverseCdf,
        Self::AveragedInverseCdf,
        Self::NearestEven,
        Self::LinearCdf,
        Self::Hazen,
        Self::Weibull,
        Self::LinearModes,
        Self::MedianUnbiased,
        Self::NormalUnbiased,
    ];

    /// The type with this number, 1 to 9.
    pub fn from_number(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }
}

/// A sample quantile, p in [0, 1].
///
/// The quantile is (1 − h)·x₍ⱼ₎ + h·x₍ⱼ₊₁₎ where j and h come from n·p + m, and m is the definition's own
/// constant (Hyndman and Fan 1996, equation 1). Numbers agree with R 4.2 `quantile(x, p, type)`, with its
/// rounding guard of 4 ulp in types 4 to 9. Cost: O(n log n) for the sort.
///
/// Edge cases: one value is every quantile of itself; infinite values have a rank; NaN is refused; an
/// interpolation between −∞ and +∞ has no value.
///
/// ```
/// use unfazed::stats::quantile::{QuantileType, quantile};
/// assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5, QuantileType::LinearModes), Ok(2.5));
/// assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5, QuantileType::InverseCdf), Ok(2.0));
/// ```
pub fn quantile(values: &[f64], p: f64, kind: QuantileType) -> Result<f64, Undefined> {
    require_ordered(values)?;
    sorted_quantile(&sorted_copy(values), p, kind)
}

/// The same for values that are already sorted; cost O(1).
pub fn sorted_quantile(sorted: &[f64], p: f64, kind: QuantileType) -> Result<f64, Undefined> {
    if sorted.is_empty() {
        return Err(Undefined::Empty);
    }
    // R allows an overshoot of 100 ulp, which sums of probabilities produce.
    let slack = 100.0 * f64::EPSILON;
    if !(p >= -slack && p <= 1.0 + slack) {
        return Err(Undefined::OutOfRange {
            what: "the probability",
            found: p,
            accepted: "0 to 1",
        });
    }
    let value = place(sorted.len(), p.clamp(0.0, 1.0), kind).of(sorted);
    if value.is_nan() { Err(Undefined::NonFinite { index: 0 }) } else { Ok(value) }
}

/// Two neighbouring order statistics and the share of the upper one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::stats) struct Place {
    /// Position of the lower order statistic, counted from 0.
    pub(in crate::stats) below: usize,
    /// Position of the upper order statistic, counted from 0.
    pub(in crate::stats) above: usize,
    /// The weight of the upper one.
    pub(in crate::stats) weight: f64,
}

impl Place {
    /// The quantile at this place.
    pub(in crate::stats) fn of(self, sorted: &[f64]) -> f64 {
        let (below, above) = (sorted[self.below], sorted[self.above]);
        if self.weight <= 0.0 || same(below, above) {
            below
        } else if self.weight >= 1.0 {
            above
        } else {
            (1.0 - self.weight) * below + self.weight * above
        }
    }
}

/// Where the quantile of `n` values lies; n ≥ 1, p in [0, 1].
pub(in crate::stats) fn place(n: usize, p: f64, kind: QuantileType) -> Place {
    let size = count_to_f64(n);
    let jump = |position: f64, weight_off_jump: f64, weight_on_jump: f64| {
        let floor = position.floor();
        Place::between(n, floor, if position > floor { weight_off_jump } else { weight_on_jump })
    };
    match kind {
        QuantileType::InverseCdf => jump(size * p, 1.0, 0.0),
        QuantileType::AveragedInverseCdf => jump(size * p, 1.0, 0.5),
        QuantileType::NearestEven => {
            let position = size * p - 0.5;
            let odd = (position.floor() / 2.0).fract() != 0.0;
            jump(position, 1.0, if odd { 1.0 } else { 0.0 })
        }
        QuantileType::LinearModes => {
            let position = 1.0 + (size - 1.0) * p;
            Place::between(n, position.floor(), position - position.floor())
        }
        QuantileType::LinearCdf => interpolated(n, p, 0.0, 1.0),
        QuantileType::Hazen => interpolated(n, p, 0.5, 0.5),
        QuantileType::Weibull => interpolated(n, p, 0.0, 0.0),
        QuantileType::MedianUnbiased => interpolated(n, p, 1.0 / 3.0, 1.0 / 3.0),
        QuantileType::NormalUnbiased => interpolated(n, p, 3.0 / 8.0, 3.0 / 8.0),
    }
}

/// The continuous types: position a + p·(n + 1 − a − b), with R's guard against rounding.
fn interpolated(n: usize, p: f64, a: f64, b: f64) -> Place {
    let guard = 4.0 * f64::EPSILON;
    let position = a + p * (count_to_f64(n) + 1.0 - a - b);
    let floor = (position + guard).floor();
    let rest = position - floor;
    Place::between(n, floor, if rest.abs() < guard { 0.0 } else { rest })
}

impl Place {
    /// The place between order statistics `floor` and `floor + 1`, counted from 1 and cut to 1..=n.
    fn between(n: usize, floor: f64, weight: f64) -> Self {
        let cut = |rank: f64| floor_to_position(rank).clamp(1, n) - 1;
        Self { below: cut(floor), above: cut(floor + 1.0), weight }
    }
}

/// Distribution-free limits of a quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileInterval {
    /// The limits. `None` on a side that was asked for means that no limit of this level exists at this n.
    pub interval: Interval,
    /// Rank of the lower limit among the values, counted from 1.
    pub lower_rank: Option<usize>,
    /// Rank of the upper limit among the values, counted from 1.
    pub upper_rank: Option<usize>,
    /// The coverage that these ranks really have for a continuous distribution.
    pub coverage: f64,
}

/// Confidence limits of the p-quantile from order statistics.
///
/// With B ~ Binomial(n, p) and one-sided error a: the lower limit is x₍ᵣ₎ with r the a-quantile of B, the
/// upper limit is x₍ₛ₊₁₎ with s the smallest number that B exceeds with probability at most a (Conover 1999,
/// section 3.2). a is 1 − level for one-sided limits and half of it for two. Numbers agree with
/// `scipy.stats.quantile_test(x, p=p, alternative=…).confidence_interval(level)`: `Less` gives the upper
/// limit, `Greater` the lower one. Cost: O(n log n).
///
/// A finite upper 95 % limit of p95 needs 59 values, of p99 it needs 299; with fewer the side is `None`.
///
/// ```
/// use unfazed::stats::Alternative;
/// use unfazed::stats::quantile::quantile_interval;
/// let found = quantile_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.5, 0.95, Alternative::Greater).unwrap();
/// assert_eq!(found.interval.lower, Some(1.0));
/// let none = quantile_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.5, 0.95, Alternative::TwoSided).unwrap();
/// assert_eq!(none.interval.lower, None);
/// ```
pub fn quantile_interval(
    values: &[f64],
    p: f64,
    level: f64,
    alternative: Alternative,
) -> Result<QuantileInterval, Undefined> {
    require_ordered(values)?;
    require_level("the confidence level", level)?;
    require_level("the probability of the quantile", p)?;
    let sorted = sorted_copy(values);
    let n = sorted.len() as u64;
    let error = match alternative {
        Alternative::Less | Alternative::Greater => 1.0 - level,
        Alternative::TwoSided => (1.0 - level) / 2.0,
    };
    let lower_rank = match alternative {
        Alternative::Less => None,
        Alternative::Greater | Alternative::TwoSided => {
            first_count(n, |k| reaches(binomial_cdf(k, n, p), error))
        }
    };
    let upper_rank = match alternative {
        Alternative::Greater => None,
        Alternative::Less | Alternative::TwoSided => {
            first_count(n, |k| reaches(error, binomial_survival(k, n, p))).map(|k| k + 1)
        }
    };
    let lower_rank = lower_rank.filter(|&rank| rank >= 1);
    let upper_rank = upper_rank.filter(|&rank| rank <= sorted.len());
    let below = lower_rank.map_or(0.0, |rank| binomial_cdf(rank as u64 - 1, n, p));
    let above = upper_rank.map_or(0.0, |rank| binomial_survival(rank as u64 - 1, n, p));
    Ok(QuantileInterval {
        interval: Interval::new(
            lower_rank.map(|rank| sorted[rank - 1]),
            upper_rank.map(|rank| sorted[rank - 1]),
            level,
        ),
        lower_rank,
        upper_rank,
        coverage: 1.0 - below - above,
    })
}

/// Whether `left ≥ right`, forgiving the rounding of a binomial sum.
fn reaches(left: f64, right: f64) -> bool {
    left >= right * (1.0 - 1e-13)
}

/// The smallest k in 0..=n for which a condition that stays true once true holds.
fn first_count(n: u64, holds: impl Fn(u64) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    usize::try_from(low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nine_types_of_a_small_sample() {
        // Computed by hand from the definitions, p = 0.3, n = 4: n·p = 1.2.
        let expected = [2.0, 2.0, 1.0, 1.2, 1.7, 1.5, 1.9, 1.0 + 0.633_333_333_333_333_3, 1.65];
        for (kind, expected) in QuantileType::ALL.into_iter().zip(expected) {
            let found = quantile(&[4.0, 2.0, 3.0, 1.0], 0.3, kind).unwrap();
            assert!((found - expected).abs() < 1e-12, "{kind:?}: {found} {expected}");
        }
    }

    #[test]
    fn averaging_happens_only_at_a_jump() {
        assert_eq!(
            quantile(&[1.0, 2.0, 3.0, 4.0], 0.25, QuantileType::AveragedInverseCdf),
            Ok(1.5)
        );
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.3, QuantileType::AveragedInverseCdf), Ok(2.0));
    }

    #[test]
    fn a_probability_above_one_is_refused() {
        assert_eq!(
            quantile(&[1.0], 1.1, QuantileType::LinearModes).unwrap_err().code(),
            "out_of_range"
        );
        assert!(quantile(&[1.0], f64::NAN, QuantileType::LinearModes).is_err());
    }

    #[test]
    fn fifty_nine_values_bound_the_95th_percentile_and_fifty_eight_do_not() {
        let values: Vec<f64> = (0..59).map(f64::from).collect();
        assert_eq!(
            quantile_interval(&values, 0.95, 0.95, Alternative::Less).unwrap().interval.upper,
            Some(58.0)
        );
        assert_eq!(
            quantile_interval(&values[1..], 0.95, 0.95, Alternative::Less).unwrap().interval.upper,
            None
        );
    }

    /// The slow oracle: adds up the binomial probabilities one by one.
    fn slow_ranks(n: usize, p: f64, error: f64) -> (usize, usize) {
        let mut cumulative = 0.0;
        let mut pmf = (1.0 - p).powi(i32::try_from(n).unwrap());
        let (mut lower, mut upper) = (usize::MAX, usize::MAX);
        for k in 0..=n {
            cumulative += pmf;
            if lower == usize::MAX && cumulative >= error {
                lower = k;
            }
            if upper == usize::MAX && 1.0 - cumulative <= error {
                upper = k + 1;
            }
            pmf *= p / (1.0 - p) * count_to_f64(n - k) / count_to_f64(k + 1);
        }
        (lower, upper)
    }

    proptest! {
        #[test]
        fn ranks_agree_with_summed_probabilities(n in 1_usize..60, p in 0.05_f64..0.95, error in 0.01_f64..0.3) {
            let values: Vec<f64> = (1..=n).map(count_to_f64).collect();
            let found = quantile_interval(&values, p, 1.0 - 2.0 * error, Alternative::TwoSided).unwrap();
            let (lower, upper) = slow_ranks(n, p, error);
            prop_assert_eq!(found.lower_rank, (lower >= 1).then_some(lower));
            prop_assert_eq!(found.upper_rank, (upper <= n).then_some(upper));
            prop_assert!(found.coverage >= 1.0 - 2.0 * error - 1e-9);
        }

        #[test]
        fn quantiles_rise_with_p(values in prop::collection::vec(-5.0_f64..5.0, 1..20), p in 0.0_f64..1.0, q in 0.0_f64..1.0) {
            let (low, high) = if p < q { (p, q) } else { (q, p) };
            for kind in QuantileType::ALL {
                prop_assert!(quantile(&values, low, kind).unwrap() <= quantile(&values, high, kind).unwrap() + 1e-12);
            }
        }
    }
}
