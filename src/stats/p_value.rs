//! The p-value.
//!
//! Owns what zero, one, underflow and undefined mean for a p-value, so that no kernel, verdict or
//! report has to decide it again.

use crate::stats::count_to_f64;

/// The smallest p-value that is told apart from zero.
///
/// A p-value is never zero: a tail that underflows is reported as this floor, which is the smallest
/// normal double. Reports print it as "< 0.001".
pub const P_VALUE_FLOOR: f64 = f64::MIN_POSITIVE;

/// A p-value in `[P_VALUE_FLOOR, 1]`.
///
/// ```
/// use unfazed::stats::PValue;
/// assert_eq!(PValue::new(0.25).get(), 0.25);
/// assert_eq!(PValue::new(f64::NAN), PValue::NO_EVIDENCE);
/// assert_eq!(PValue::new(0.0).to_string(), "< 0.001");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct PValue(f64);

impl PValue {
    /// The p-value of data that say nothing against the null hypothesis.
    pub const NO_EVIDENCE: Self = Self(1.0);

    /// A p-value from a computed tail probability.
    ///
    /// A number that is not finite is no evidence (1). Rounding above 1 is cut to 1, and below the
    /// floor to [`P_VALUE_FLOOR`].
    pub fn new(probability: f64) -> Self {
        if !probability.is_finite() || probability > 1.0 {
            Self::NO_EVIDENCE
        } else if probability < P_VALUE_FLOOR {
            Self(P_VALUE_FLOOR)
        } else {
            Self(probability)
        }
    }

    /// Twice a one-sided p-value, at most 1.
    pub fn doubled(one_sided: f64) -> Self {
        Self::new(2.0 * one_sided)
    }

    /// The p-value of a Monte-Carlo permutation test: (extreme + 1) / (draws + 1).
    ///
    /// The observed arrangement counts as one of the draws (Phipson and Smyth 2010, equation 2), so
    /// the value is never 0 and the test keeps its level.
    ///
    /// ```
    /// use unfazed::stats::PValue;
    /// assert_eq!(PValue::from_draws(0, 99).get(), 0.01);
    /// ```
    pub fn from_draws(extreme: usize, draws: usize) -> Self {
        Self::new((count_to_f64(extreme) + 1.0) / (count_to_f64(draws) + 1.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether the null hypothesis is rejected at the level: p ≤ level.
    ///
    /// A tolerance of 1e-12 relative absorbs rounding, so that p-values which equal the level in exact
    /// arithmetic (1/32 at level 0.03125) reject.
    pub fn rejects_at(self, level: f64) -> bool {
        self.0 <= level * (1.0 + 1e-12)
    }
}

impl std::fmt::Display for PValue {
    /// Three decimals, and never "0.000".
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 < 0.001 {
            formatter.write_str("< 0.001")
        } else {
            write!(formatter, "{:.3}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_is_no_evidence() {
        assert_eq!(PValue::new(f64::NAN).get(), 1.0);
        assert_eq!(PValue::new(f64::INFINITY).get(), 1.0);
    }

    #[test]
    fn zero_is_the_floor() {
        assert_eq!(PValue::new(0.0).get(), P_VALUE_FLOOR);
        assert_eq!(PValue::new(-1e-18).get(), P_VALUE_FLOOR);
    }

    #[test]
    fn rounding_above_one_is_one() {
        assert_eq!(PValue::new(1.0 + 1e-15).get(), 1.0);
        assert_eq!(PValue::doubled(0.7).get(), 1.0);
    }

    #[test]
    fn the_observed_arrangement_counts_as_a_draw() {
        assert_eq!(PValue::from_draws(99, 99).get(), 1.0);
        assert!(PValue::from_draws(0, 100_000).get() > 0.0);
    }

    #[test]
    fn a_p_equal_to_the_level_rejects() {
        assert!(PValue::new(0.05).rejects_at(0.05));
        assert!(!PValue::new(0.050_001).rejects_at(0.05));
    }

    #[test]
    fn print_never_shows_zero() {
        assert_eq!(PValue::new(1e-9).to_string(), "< 0.001");
        assert_eq!(PValue::new(0.0005).to_string(), "< 0.001");
        assert_eq!(PValue::new(0.001).to_string(), "0.001");
    }
}
