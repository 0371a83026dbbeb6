//! From numbers to positions.
//!
//! Owns the one audited conversion of a floating-point number into a position in a slice, and the two
//! comparisons of doubles that kernels need without losing a NaN on the way.

use std::cmp::Ordering;

/// The position below or at a number: its floor, 0 for everything negative or NaN.
///
/// Numbers above `usize::MAX` give `usize::MAX`; callers bound the result by the length of their slice.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the audited conversion: `as` saturates, and NaN becomes 0"
)]
pub(in crate::stats) fn floor_to_position(number: f64) -> usize {
    number.floor() as usize
}

/// Whether two numbers are equal as numbers: −0 equals 0, NaN equals nothing.
pub(in crate::stats) fn same(left: f64, right: f64) -> bool {
    left.partial_cmp(&right) == Some(Ordering::Equal)
}

/// The larger of two numbers of which none is NaN.
pub(in crate::stats) fn larger(left: f64, right: f64) -> f64 {
    if left < right { right } else { left }
}

/// The smaller of two numbers of which none is NaN.
pub(in crate::stats) fn smaller(left: f64, right: f64) -> f64 {
    if right < left { right } else { left }
}

/// A sorted copy, in the total order of IEEE 754.
pub(in crate::stats) fn sorted_copy(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_never_negative() {
        assert_eq!(floor_to_position(-0.5), 0);
        assert_eq!(floor_to_position(f64::NAN), 0);
        assert_eq!(floor_to_position(2.999), 2);
    }

    #[test]
    fn both_zeros_are_the_same_number() {
        assert!(same(-0.0, 0.0));
        assert!(!same(f64::NAN, f64::NAN));
    }

    #[test]
    fn larger_and_smaller_choose() {
        assert!(same(larger(1.0, 2.0), 2.0));
        assert!(same(smaller(1.0, 2.0), 1.0));
    }
}
