//! Mean, spread and first autocorrelation of one list of numbers.
//!
//! Owns the definitions that every other kernel means when it says mean, standard deviation or lag-1
//! autocorrelation. It knows nothing about what was measured.
//!
//! All sums run in the order of the input and in two passes, so that an offset common to all values
//! costs no digits: the NIST `StRD` sets `NumAcc1` to `NumAcc4` come out at 13, 13, 9 and 8 digits or better.

use crate::stats::position::sorted_copy;
use crate::stats::{Undefined, count_to_f64, require_finite};

/// The arithmetic mean, in two passes: m = Σx/n, then m + Σ(x − m)/n.
///
/// Reference: Chan, Golub and `LeVeque` (1983). Cost: two passes. Edge cases: no value is
/// [`Undefined::Empty`], a value that is not finite is [`Undefined::NonFinite`].
///
/// ```
/// use unfazed::stats::descriptive::mean;
/// assert_eq!(mean(&[1.0, 2.0, 6.0]), Ok(3.0));
/// assert!(mean(&[]).is_err());
/// ```
pub fn mean(values: &[f64]) -> Result<f64, Undefined> {
    require_finite(values)?;
    Ok(two_pass_mean(values))
}

/// The mean of values that are known to be finite and present.
pub(in crate::stats) fn two_pass_mean(values: &[f64]) -> f64 {
    let n = count_to_f64(values.len());
    let first = values.iter().sum::<f64>() / n;
    if !first.is_finite() {
        // The plain sum overflowed: scale before adding.
        return values.iter().map(|value| value / n).sum();
    }
    first + values.iter().map(|value| value - first).sum::<f64>() / n
}

/// The sample variance with denominator n − 1, by the corrected two-pass algorithm.
///
/// s² = (Σ(x − m)² − (Σ(x − m))²/n) / (n − 1): the second term is zero in exact arithmetic and takes
/// back the rounding error of m (Chan, Golub and `LeVeque` 1983, equation 1.7).
/// Edge cases: fewer than two values are [`Undefined::TooFew`]; equal values give 0.
///
/// ```
/// use unfazed::stats::descriptive::variance;
/// assert_eq!(variance(&[1.0, 2.0, 3.0]), Ok(1.0));
/// assert!(variance(&[1.0]).is_err());
/// ```
pub fn variance(values: &[f64]) -> Result<f64, Undefined> {
    require_finite(values)?;
    if values.len() < 2 {
        return Err(Undefined::TooFew { found: values.len(), needed: 2 });
    }
    Ok(sum_of_squares(values) / count_to_f64(values.len() - 1))
}

/// Σ(x − m)², corrected for the rounding of m.
pub(in crate::stats) fn sum_of_squares(values: &[f64]) -> f64 {
    let center = two_pass_mean(values);
    let mut squares = 0.0;
    let mut rest = 0.0;
    for value in values {
        let deviation = value - center;
        squares += deviation * deviation;
        rest += deviation;
    }
    let corrected = squares - rest * rest / count_to_f64(values.len());
    if corrected > 0.0 { corrected } else { 0.0 }
}

/// The sample standard deviation with denominator n − 1: the root of [`variance`].
///
/// ```
/// use unfazed::stats::descriptive::standard_deviation;
/// assert_eq!(standard_deviation(&[10_000_001.0, 10_000_003.0, 10_000_002.0]), Ok(1.0));
/// ```
pub fn standard_deviation(values: &[f64]) -> Result<f64, Undefined> {
    variance(values).map(f64::sqrt)
}

/// The lag-1 autocorrelation r₁ = Σ(xᵢ − m)(xᵢ₊₁ − m) / Σ(xᵢ − m)², in the order of the input.
///
/// Reference: Box and Jenkins (1976), as certified by NIST `StRD`. Cost: three passes. Edge cases: fewer
/// than two values are [`Undefined::TooFew`], equal values [`Undefined::DegenerateVariance`].
///
/// ```
/// use unfazed::stats::descriptive::lag1_autocorrelation;
/// assert_eq!(lag1_autocorrelation(&[10_000_001.0, 10_000_003.0, 10_000_002.0]), Ok(-0.5));
/// ```
pub fn lag1_autocorrelation(values: &[f64]) -> Result<f64, Undefined> {
    require_finite(values)?;
    if values.len() < 2 {
        return Err(Undefined::TooFew { found: values.len(), needed: 2 });
    }
    let center = two_pass_mean(values);
    let squares: f64 = values.iter().map(|value| (value - center) * (value - center)).sum();
    if squares <= 0.0 {
        return Err(Undefined::DegenerateVariance);
    }
    let products: f64 = values.windows(2).map(|pair| (pair[0] - center) * (pair[1] - center)).sum();
    Ok(products / squares)
}

/// The sample median: the middle value, or the mean of the two middle values.
///
/// Cost: O(n log n). Infinite values have a rank; NaN is refused.
///
/// ```
/// use unfazed::stats::descriptive::median;
/// assert_eq!(median(&[3.0, 1.0, 2.0]), Ok(2.0));
/// assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Ok(2.5));
/// ```
pub fn median(values: &[f64]) -> Result<f64, Undefined> {
    crate::stats::require_ordered(values)?;
    Ok(sorted_median(&sorted_copy(values)))
}

/// The median of sorted values, of which there is at least one.
pub(in crate::stats) fn sorted_median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        let (below, above) = (sorted[half - 1], sorted[half]);
        if crate::stats::position::same(below, above) { below } else { 0.5 * below + 0.5 * above }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// NIST `StRD` `NumAcc3` and `NumAcc4`: a start value, then two neighbours alternating.
    fn alternating(start: f64, below: f64, above: f64) -> Vec<f64> {
        let mut values = vec![start];
        for position in 0..1000 {
            values.push(if position % 2 == 0 { below } else { above });
        }
        values
    }

    fn digits(found: f64, certified: f64) -> f64 {
        -((found - certified).abs() / certified.abs() + 1e-17).log10()
    }

    #[test]
    fn nist_sets_keep_their_digits() {
        let third = alternating(1_000_000.2, 1_000_000.1, 1_000_000.3);
        assert!(digits(mean(&third).unwrap(), 1_000_000.2) >= 13.0);
        assert!(digits(standard_deviation(&third).unwrap(), 0.1) >= 9.0);
        assert!(digits(lag1_autocorrelation(&third).unwrap(), -0.999) >= 9.0);
        let fourth = alternating(10_000_000.2, 10_000_000.1, 10_000_000.3);
        assert!(digits(mean(&fourth).unwrap(), 10_000_000.2) >= 13.0);
        assert!(digits(standard_deviation(&fourth).unwrap(), 0.1) >= 8.0);
    }

    #[test]
    fn equal_values_have_spread_zero_and_no_autocorrelation() {
        assert_eq!(variance(&[0.1; 7]), Ok(0.0));
        assert_eq!(lag1_autocorrelation(&[0.1; 7]), Err(Undefined::DegenerateVariance));
    }

    #[test]
    fn nan_is_named_by_its_position() {
        assert_eq!(mean(&[1.0, f64::NAN]), Err(Undefined::NonFinite { index: 1 }));
    }

    #[test]
    fn a_sum_that_overflows_still_has_a_mean() {
        let huge = f64::MAX / 1.5;
        assert!((mean(&[huge, huge]).unwrap() / huge - 1.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn a_shift_moves_the_mean_and_keeps_the_spread(
            values in prop::collection::vec(-100.0_f64..100.0, 2..40), shift in -1e6_f64..1e6,
        ) {
            let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
            prop_assert!((mean(&moved).unwrap() - mean(&values).unwrap() - shift).abs() < 1e-8);
            prop_assert!((variance(&moved).unwrap() - variance(&values).unwrap()).abs() < 1e-6);
        }

        #[test]
        fn the_median_splits_the_values(values in prop::collection::vec(-10.0_f64..10.0, 1..30)) {
            let middle = median(&values).unwrap();
            let below = values.iter().filter(|&&value| value < middle).count();
            let above = values.iter().filter(|&&value| value > middle).count();
            prop_assert!(2 * below <= values.len() && 2 * above <= values.len());
        }
    }
}
