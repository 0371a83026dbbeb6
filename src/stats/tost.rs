//! Equivalence and non-inferiority by two one-sided t tests.
//!
//! Owns what it means for a difference to lie inside margins: both one-sided tests reject, which is the
//! same as the (1 − 2α) interval lying inside the margins.
//!
//! Schuirmann (1987); Lakens (2017).

use crate::stats::student_t::MeanEstimate;
use crate::stats::{Alternative, PValue, Undefined};

/// The two one-sided tests of a difference against its margins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EquivalenceTest {
    /// t against the lower margin.
    pub t_low: f64,
    /// The p-value of "the difference is at or below the lower margin".
    pub p_low: PValue,
    /// t against the upper margin.
    pub t_upp: f64,
    /// The p-value of "the difference is at or above the upper margin".
    pub p_upp: PValue,
    /// The p-value of equivalence: the larger of the two.
    pub p: PValue,
}

/// Tests whether a mean or difference lies between the margins.
///
/// ```
/// use unfazed::stats::{student_t::MeanEstimate, tost::equivalence};
/// let difference = MeanEstimate::of_one(&[0.1, -0.2, 0.0, 0.2, -0.1]).unwrap();
/// assert!(equivalence(&difference, -1.0, 1.0).unwrap().p.rejects_at(0.05));
/// ```
pub fn equivalence(
    difference: &MeanEstimate,
    low: f64,
    upp: f64,
) -> Result<EquivalenceTest, Undefined> {
    if low.is_nan() || upp.is_nan() || low > upp {
        return Err(Undefined::OutOfRange {
            what: "the lower margin",
            found: low,
            accepted: "a number not above the upper margin",
        });
    }
    let p_low = difference.p(low, Alternative::Greater);
    let p_upp = difference.p(upp, Alternative::Less);
    Ok(EquivalenceTest {
        t_low: difference.t(low),
        p_low,
        t_upp: difference.t(upp),
        p_upp,
        p: if p_low > p_upp { p_low } else { p_upp },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_the_wrong_way_round_are_refused() {
        let difference = MeanEstimate::of_one(&[0.1, -0.2]).unwrap();
        assert_eq!(equivalence(&difference, 1.0, -1.0).unwrap_err().code(), "out_of_range");
    }

    proptest::proptest! {
        #[test]
        fn equivalence_is_the_inner_interval_inside_the_margins(values in proptest::collection::vec(-3.0_f64..3.0, 3..15)) {
            let difference = MeanEstimate::of_one(&values).unwrap();
            let inner = difference.interval(0.9, Alternative::TwoSided).unwrap();
            let inside = inner.lower.unwrap() >= -1.0 && inner.upper.unwrap() <= 1.0;
            assert_eq!(inside, equivalence(&difference, -1.0, 1.0).unwrap().p.rejects_at(0.05));
        }
    }
}
