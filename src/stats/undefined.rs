//! Why a number does not exist.
//!
//! Owns the reasons with which a kernel declines to answer. An undefined statistic is a value with a
//! reason, never NaN, and never a number that stands for something else.

use thiserror::Error;

/// The reason why a kernel has no number to give.
///
/// ```
/// use unfazed::stats::Undefined;
/// let reason = Undefined::TooFew { found: 1, needed: 2 };
/// assert_eq!(reason.code(), "too_few");
/// assert_eq!(reason.to_string(), "1 value is not enough: at least 2 are needed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum Undefined {
    /// There are no values at all.
    #[error("there are no values")]
    Empty,
    /// There are values, but fewer than the statistic needs.
    #[error("{found} {} not enough: at least {needed} are needed", if *found == 1 { "value is" } else { "values are" })]
    TooFew {
        /// How many there are.
        found: usize,
        /// The smallest number with which the statistic exists.
        needed: usize,
    },
    /// A value is NaN, or infinite where the method has no meaning for infinity.
    #[error("the value at position {index} (counted from 0) is not a usable number")]
    NonFinite {
        /// Position of the first such value, counted from 0.
        index: usize,
    },
    /// The values do not vary, so a statistic that divides by their spread does not exist.
    #[error("the values do not vary, so their spread cannot be estimated")]
    DegenerateVariance,
    /// Two lists that belong together have different lengths.
    #[error("the lists belong together but hold {left} and {right} values")]
    LengthMismatch {
        /// Length of the first list.
        left: usize,
        /// Length of the second list.
        right: usize,
    },
    /// An argument lies outside the range in which the statistic is defined.
    #[error("{what} is {found}: accepted is {accepted}")]
    OutOfRange {
        /// The argument.
        what: &'static str,
        /// What was given.
        found: f64,
        /// What is accepted, in words.
        accepted: &'static str,
    },
    /// No data of this size could have reached the level.
    #[error(
        "no data of this size reach the level {level}: the smallest attainable p is {smallest}"
    )]
    Unattainable {
        /// The smallest p-value that data of this size can give.
        smallest: f64,
        /// The level that was asked for.
        level: f64,
    },
    /// The exact answer would cost more than the documented limit.
    #[error("{what} of size {size} is over the work limit of {limit}: ask for the approximation")]
    WorkLimit {
        /// The computation.
        what: &'static str,
        /// Its size, in the unit of the limit.
        size: u64,
        /// The documented limit.
        limit: u64,
    },
}

impl Undefined {
    /// The stable name of the reason, for machine-readable answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooFew { .. } => "too_few",
            Self::NonFinite { .. } => "non_finite",
            Self::DegenerateVariance => "degenerate_variance",
            Self::LengthMismatch { .. } => "length_mismatch",
            Self::OutOfRange { .. } => "out_of_range",
            Self::Unattainable { .. } => "unattainable",
            Self::WorkLimit { .. } => "work_limit",
        }
    }
}

/// Refuses an empty list and the first value that is NaN or infinite.
///
/// ```
/// use unfazed::stats::{Undefined, require_finite};
/// assert_eq!(require_finite(&[1.0, f64::NAN]), Err(Undefined::NonFinite { index: 1 }));
/// assert_eq!(require_finite(&[]), Err(Undefined::Empty));
/// ```
pub fn require_finite(values: &[f64]) -> Result<(), Undefined> {
    if values.is_empty() {
        return Err(Undefined::Empty);
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Undefined::NonFinite { index }),
        None => Ok(()),
    }
}

/// Refuses an empty list and the first value that is NaN; infinities have a rank and pass.
///
/// ```
/// use unfazed::stats::{Undefined, require_ordered};
/// assert_eq!(require_ordered(&[1.0, f64::INFINITY]), Ok(()));
/// assert_eq!(require_ordered(&[f64::NAN]), Err(Undefined::NonFinite { index: 0 }));
/// ```
pub fn require_ordered(values: &[f64]) -> Result<(), Undefined> {
    if values.is_empty() {
        return Err(Undefined::Empty);
    }
    match values.iter().position(|value| value.is_nan()) {
        Some(index) => Err(Undefined::NonFinite { index }),
        None => Ok(()),
    }
}

/// Refuses a level that is not strictly between 0 and 1.
///
/// ```
/// use unfazed::stats::require_level;
/// assert!(require_level("conf_level", 0.95).is_ok());
/// assert!(require_level("conf_level", 1.0).is_err());
/// ```
pub fn require_level(what: &'static str, level: f64) -> Result<(), Undefined> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(Undefined::OutOfRange {
            what,
            found: level,
            accepted: "a number between 0 and 1, both excluded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code() {
        let all = [
            Undefined::Empty,
            Undefined::TooFew { found: 0, needed: 1 },
            Undefined::NonFinite { index: 0 },
            Undefined::DegenerateVariance,
            Undefined::LengthMismatch { left: 1, right: 2 },
            Undefined::OutOfRange { what: "p", found: 2.0, accepted: "0 to 1" },
            Undefined::Unattainable { smallest: 0.5, level: 0.05 },
            Undefined::WorkLimit { what: "sums", size: 2, limit: 1 },
        ];
        let mut codes: Vec<_> = all.iter().map(Undefined::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len());
    }

    #[test]
    fn a_level_of_nan_is_refused() {
        assert_eq!(require_level("level", f64::NAN).unwrap_err().code(), "out_of_range");
    }
}
