//! How often one sample exceeds the other.
//!
//! Owns Cliff's delta and its twin, the Vargha–Delaney A. They describe; they do not test. The labels of
//! size are words for a reader and never decide anything.

use crate::stats::position::sorted_copy;
use crate::stats::{Undefined, require_ordered, wide_count_to_f64};

/// How pairs (x, y) compare, over all m·n of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dominance {
    /// Cliff's delta: (pairs with x > y − pairs with x < y) / (m·n), in [−1, 1].
    pub delta: f64,
    /// Vargha and Delaney's A: P(x > y) + ½·P(x = y) = (delta + 1)/2, in [0, 1].
    pub a: f64,
    /// Pairs with x > y less pairs with x < y.
    pub dominance: i128,
    /// Pairs with x > y.
    pub greater: u128,
    /// Pairs with x < y.
    pub less: u128,
    /// Pairs with x = y.
    pub equal: u128,
}

/// Cliff's delta and the Vargha–Delaney A.
///
/// delta = Σᵢⱼ sign(xᵢ − yⱼ) / (m·n) (Cliff 1993, equation 2); A = (delta + 1)/2 (Vargha and Delaney 2000,
/// equation 14). Cost: O((m + n) log(m + n)) by merging the sorted samples.
/// Edge cases: equal samples give 0 and ½; infinite values have a rank; NaN and empty samples are refused.
///
/// ```
/// use unfazed::stats::effect_size::dominance;
/// let found = dominance(&[1.0, 2.0, 3.0], &[2.0, 4.0]).unwrap();
/// assert_eq!((found.greater, found.less, found.equal), (1, 4, 1));
/// assert_eq!(found.delta, -0.5);
/// assert_eq!(found.a, 0.25);
/// ```
pub fn dominance(x: &[f64], y: &[f64]) -> Result<Dominance, Undefined> {
    require_ordered(x)?;
    require_ordered(y)?;
    let y = sorted_copy(y);
    let (mut below, mut not_above) = (0, 0);
    let (mut greater, mut less) = (0_u128, 0_u128);
    for value in sorted_copy(x) {
        while below < y.len() && y[below] < value {
            below += 1;
        }
        while not_above < y.len() && y[not_above] <= value {
            not_above += 1;
        }
        greater += below as u128;
        less += (y.len() - not_above) as u128;
    }
    let pairs = x.len() as u128 * y.len() as u128;
    let (greater_share, less_share) = (wide_count_to_f64(greater), wide_count_to_f64(less));
    let delta = (greater_share - less_share) / wide_count_to_f64(pairs);
    let equal = pairs - greater - less;
    Ok(Dominance {
        delta,
        a: (2.0 * greater_share + wide_count_to_f64(equal)) / (2.0 * wide_count_to_f64(pairs)),
        dominance: greater.cast_signed() - less.cast_signed(),
        greater,
        less,
        equal,
    })
}

/// A word for the size of a delta (Romano and others 2006). A label, never a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Magnitude {
    /// |delta| < 0.147.
    Negligible,
    /// |delta| < 0.33.
    Small,
    /// |delta| < 0.474.
    Medium,
    /// Everything above.
    Large,
}

impl Magnitude {
    /// The word for a delta.
    ///
    /// ```
    /// use unfazed::stats::effect_size::Magnitude;
    /// assert_eq!(Magnitude::of(-0.4), Magnitude::Medium);
    /// ```
    pub fn of(delta: f64) -> Self {
        match delta.abs() {
            size if size < 0.147 => Self::Negligible,
            size if size < 0.33 => Self::Small,
            size if size < 0.474 => Self::Medium,
            _ => Self::Large,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separated_samples_are_at_the_end_of_the_scale() {
        let found = dominance(&[1.0, 2.0], &[3.0]).unwrap();
        assert_eq!((found.delta, found.a, found.dominance), (-1.0, 0.0, -2));
    }

    #[test]
    fn an_empty_sample_has_no_effect_size() {
        assert_eq!(dominance(&[], &[1.0]), Err(Undefined::Empty));
        assert_eq!(dominance(&[1.0], &[f64::NAN]), Err(Undefined::NonFinite { index: 0 }));
    }

    proptest! {
        #[test]
        fn merging_agrees_with_comparing_all_pairs(
            x in prop::collection::vec(0_i32..8, 1..25), y in prop::collection::vec(0_i32..8, 1..25),
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) =
                (x.into_iter().map(f64::from).collect(), y.into_iter().map(f64::from).collect());
            let found = dominance(&x, &y).unwrap();
            let mut slow = 0;
            for left in &x {
                for right in &y {
                    slow += i128::from(left > right) - i128::from(left < right);
                }
            }
            prop_assert_eq!(found.dominance, slow);
            let back = dominance(&y, &x).unwrap();
            prop_assert_eq!(back.delta.to_bits() << 1, found.delta.to_bits() << 1);
        }
    }
}
