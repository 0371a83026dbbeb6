//! The slope of a trend that no outlier can bend.
//!
//! Owns the median of all pairwise slopes over real times, with Sen's limits. Whether there is a trend at
//! all is asked of `mann_kendall`.

use crate::stats::descriptive::{median, sorted_median};
use crate::stats::distribution::normal_quantile;
use crate::stats::mann_kendall::tie_sizes;
use crate::stats::position::floor_to_position;
use crate::stats::{Interval, Undefined, count_to_f64, require_finite, require_level};

/// The most values: 8,000 have 32 million slopes, 256 MB.
pub const LARGEST_SERIES: usize = 8_000;

/// A Theil–Sen line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TheilSen {
    /// The median slope, per unit of time.
    pub slope: f64,
    /// median(y) − slope·median(t).
    pub intercept: f64,
    /// Sen's limits of the slope.
    pub interval: Interval,
}

/// The Theil–Sen slope of y over the times t, with Sen's limits.
///
/// The median of (yⱼ − yᵢ)/(tⱼ − tᵢ) over all pairs with tⱼ > tᵢ (Theil 1950; Sen 1968). The limits are the
/// slopes at ranks (N ∓ z·σ)/2, σ² = (n(n − 1)(2n + 5) − ties of t − ties of y)/18 (Sen 1968, equation 2.6),
/// ranks rounded to the nearest even number at a half and cut to the list. Numbers agree with
/// `scipy.stats.theilslopes(y, t, alpha=level)`. Cost: O(n² log n) time and n²/2 slopes of memory.
/// Edge cases: times need not be sorted; all times equal are [`Undefined::DegenerateVariance`].
///
/// ```
/// use unfazed::stats::theil_sen::theil_sen;
/// let found = theil_sen(&[0.0, 1.0, 2.0, 10.0], &[1.0, 3.0, 5.0, 21.0], 0.95).unwrap();
/// assert_eq!((found.slope, found.intercept), (2.0, 1.0));
/// ```
pub fn theil_sen(times: &[f64], values: &[f64], level: f64) -> Result<TheilSen, Undefined> {
    require_level("the confidence level", level)?;
    require_finite(values)?;
    require_finite(times)?;
    let n = values.len();
    if times.len() != n {
        return Err(Undefined::LengthMismatch { left: times.len(), right: n });
    }
    if n < 2 {
        return Err(Undefined::TooFew { found: n, needed: 2 });
    }
    if n > LARGEST_SERIES {
        return Err(Undefined::WorkLimit {
            what: "a list of pairwise slopes",
            size: n as u64,
            limit: LARGEST_SERIES as u64,
        });
    }
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    for i in 0..n {
        for j in i + 1..n {
            let apart = times[j] - times[i];
            if apart > 0.0 {
                slopes.push((values[j] - values[i]) / apart);
            } else if apart < 0.0 {
                slopes.push((values[i] - values[j]) / -apart);
            }
        }
    }
    if slopes.is_empty() {
        return Err(Undefined::DegenerateVariance);
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let slope = sorted_median(&slopes);
    let term = |t: usize| {
        let t = count_to_f64(t);
        t * (t - 1.0) * (2.0 * t + 5.0)
    };
    let ties = |list: &[f64]| tie_sizes(list).into_iter().map(term).sum::<f64>();
    let variance = (term(n) - ties(times) - ties(values)) / 18.0;
    let all = count_to_f64(slopes.len());
    let reach =
        normal_quantile(0.5 + 0.5 * level) * if variance > 0.0 { variance.sqrt() } else { 0.0 };
    let last = slopes.len() - 1;
    let upper = floor_to_position(f64::midpoint(all, reach).round_ties_even()).clamp(0, last);
    let lower = floor_to_position(((all - reach) / 2.0).round_ties_even() - 1.0).clamp(0, last);
    Ok(TheilSen {
        slope,
        intercept: median(values)? - slope * median(times)?,
        interval: Interval::new(Some(slopes[lower]), Some(slopes[upper]), level),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_outlier_does_not_bend_the_line() {
        let found =
            theil_sen(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 4.0, 600.0, 8.0, 10.0], 0.9).unwrap();
        assert_eq!(found.slope, 2.0);
    }

    #[test]
    fn equal_times_have_no_slope() {
        assert_eq!(theil_sen(&[1.0, 1.0], &[2.0, 4.0], 0.9), Err(Undefined::DegenerateVariance));
        assert!(theil_sen(&[1.0], &[2.0, 4.0], 0.9).is_err());
    }

    #[test]
    fn equal_values_have_slope_zero() {
        let found = theil_sen(&[1.0, 2.0, 3.0], &[4.0; 3], 0.9).unwrap();
        assert_eq!(
            (found.slope, found.interval.lower, found.interval.upper),
            (0.0, Some(0.0), Some(0.0))
        );
    }

    proptest! {
        #[test]
        fn adding_a_line_adds_its_slope(
            pairs in prop::collection::vec((0.0_f64..50.0, -5.0_f64..5.0), 4..25), line in -3.0_f64..3.0,
        ) {
            let (times, values): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let tilted: Vec<f64> = times.iter().zip(&values).map(|(t, y)| y + line * t).collect();
            let plain = theil_sen(&times, &values, 0.9).unwrap();
            let other = theil_sen(&times, &tilted, 0.9).unwrap();
            prop_assert!((other.slope - plain.slope - line).abs() < 1e-6 * (1.0 + plain.slope.abs()));
            prop_assert!(plain.interval.contains(plain.slope));
        }
    }
}
