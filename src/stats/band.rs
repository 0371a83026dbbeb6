//! Sustained return to a band.
//!
//! Owns the rule that decides from a sequence of values when a signal is back: the first of k values in a
//! row that all lie inside the band. It knows positions, not times; the caller turns a position into a time
//! and an absent return into a censored one.

use crate::stats::Undefined;

/// A closed band of healthy values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The smallest healthy value; −∞ when there is none.
    pub lower: f64,
    /// The greatest healthy value; +∞ when there is none.
    pub upper: f64,
}

impl Band {
    /// The band center ± half width.
    ///
    /// ```
    /// use unfazed::stats::band::Band;
    /// assert!(Band::around(10.0, 2.0).holds(12.0));
    /// assert!(!Band::around(10.0, 2.0).holds(f64::NAN));
    /// ```
    pub fn around(center: f64, half_width: f64) -> Self {
        Self { lower: center - half_width, upper: center + half_width }
    }

    /// Whether a value lies inside, edges included; NaN lies nowhere.
    pub fn holds(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// Where a signal came back to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// The first position of the sustained run.
    At(usize),
    /// No run was long enough by the end of the values: right-censored at the last of them.
    Censored,
}

/// The first sustained return to a band at or after a position.
///
/// The answer is the smallest i ≥ start such that the values i, …, i + k − 1 all lie inside the band. A
/// missing value (NaN) lies nowhere and breaks a run; a run cut short by the end of the values is censored.
/// Cost: one pass. Edge cases: k = 0 is refused; a start at or behind the end is censored.
///
/// ```
/// use unfazed::stats::band::{Band, Return, sustained_return};
/// let values = [10.0, 30.0, 12.0, 30.0, 11.0, 10.0, 10.0];
/// assert_eq!(sustained_return(&values, Band::around(10.0, 2.0), 0, 3), Ok(Return::At(4)));
/// assert_eq!(sustained_return(&values, Band::around(10.0, 2.0), 5, 3), Ok(Return::Censored));
/// ```
pub fn sustained_return(
    values: &[f64],
    band: Band,
    start: usize,
    run: usize,
) -> Result<Return, Undefined> {
    if run == 0 {
        return Err(Undefined::OutOfRange {
            what: "the length of the run",
            found: 0.0,
            accepted: "a whole number of at least 1",
        });
    }
    let mut inside = 0;
    for (position, value) in values.iter().enumerate().skip(start) {
        inside = if band.holds(*value) { inside + 1 } else { 0 };
        if inside == run {
            return Ok(Return::At(position + 1 - run));
        }
    }
    Ok(Return::Censored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BAND: Band = Band { lower: 8.0, upper: 12.0 };

    #[test]
    fn a_missing_value_breaks_a_run() {
        let values = [30.0, f64::NAN, 11.0, 10.0, f64::NAN, 10.0, 10.0, 10.0];
        assert_eq!(sustained_return(&values, BAND, 0, 3), Ok(Return::At(5)));
    }

    #[test]
    fn a_short_tail_is_censored() {
        assert_eq!(sustained_return(&[30.0, 10.0, 10.0], BAND, 0, 3), Ok(Return::Censored));
        assert_eq!(sustained_return(&[30.0, 10.0, 10.0, 10.0], BAND, 0, 3), Ok(Return::At(1)));
    }

    #[test]
    fn no_values_are_censored_and_no_run_is_refused() {
        assert_eq!(sustained_return(&[], BAND, 0, 1), Ok(Return::Censored));
        assert_eq!(sustained_return(&[], BAND, 0, 0).unwrap_err().code(), "out_of_range");
    }

    proptest! {
        #[test]
        fn one_pass_agrees_with_looking_at_every_run(
            values in prop::collection::vec(prop_oneof![Just(10.0_f64), Just(30.0), Just(f64::NAN)], 0..30),
            start in 0_usize..10, run in 1_usize..5,
        ) {
            let slow = (start..values.len())
                .find(|&i| i + run <= values.len() && values[i..i + run].iter().all(|value| BAND.holds(*value)));
            let expected = slow.map_or(Return::Censored, Return::At);
            prop_assert_eq!(sustained_return(&values, BAND, start, run), Ok(expected));
        }
    }
}
