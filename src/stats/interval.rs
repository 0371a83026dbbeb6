//! Confidence limits.
//!
//! Owns the pair of limits with their level. A limit that does not exist, because the interval is
//! one-sided or because too few data could not bound it, is `None`; it is never an infinite number.

/// Confidence limits at a stated level.
///
/// `None` means that this side is unbounded. The level is the confidence of the interval as a whole:
/// for a one-sided interval it is the one-sided confidence.
///
/// ```
/// use unfazed::stats::Interval;
/// let interval = Interval::new(Some(0.1), None, 0.95);
/// assert!(interval.contains(7.0));
/// assert!(!interval.contains(0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower limit; `None` when the interval has none.
    pub lower: Option<f64>,
    /// The upper limit; `None` when the interval has none.
    pub upper: Option<f64>,
    /// The confidence level, between 0 and 1.
    pub level: f64,
}

impl Interval {
    /// Limits at a level. A limit that is not finite is taken as absent.
    pub fn new(lower: Option<f64>, upper: Option<f64>, level: f64) -> Self {
        let finite = |limit: Option<f64>| limit.filter(|value| value.is_finite());
        Self { lower: finite(lower), upper: finite(upper), level }
    }

    /// Whether the value lies inside the limits, both included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower.is_none_or(|lower| lower <= value)
            && self.upper.is_none_or(|upper| value <= upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_limit_is_no_limit() {
        let interval = Interval::new(Some(f64::NEG_INFINITY), Some(f64::NAN), 0.9);
        assert_eq!(interval, Interval { lower: None, upper: None, level: 0.9 });
    }

    #[test]
    fn limits_belong_to_the_interval() {
        let interval = Interval::new(Some(1.0), Some(2.0), 0.9);
        assert!(interval.contains(1.0) && interval.contains(2.0));
        assert!(!interval.contains(2.000_001));
    }
}
