//! Mid-ranks.
//!
//! Owns the one tie rule of the kernels: equal values share the mean of their ranks. Ranks are kept
//! doubled, so that they stay whole numbers and exact null distributions can be counted.

use crate::stats::{count_to_f64, wide_count_to_f64};

/// The mid-ranks of a list, doubled, and its tie term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MidRanks {
    /// Twice the mid-rank of each value, in the order of the values; ranks count from 1.
    pub doubled: Vec<usize>,
    /// Σ(t³ − t) over the groups of t equal values; 0 without ties.
    pub tie_term: u128,
}

impl MidRanks {
    /// Whether any two values are equal.
    pub fn has_ties(&self) -> bool {
        self.tie_term > 0
    }

    /// The mid-rank of the value at a position.
    pub fn rank(&self, position: usize) -> f64 {
        0.5 * count_to_f64(self.doubled[position])
    }

    /// The tie term as a number.
    pub fn tie_term_as_number(&self) -> f64 {
        wide_count_to_f64(self.tie_term)
    }
}

/// The mid-ranks of values without NaN; infinities rank at the ends. O(n log n).
///
/// ```
/// use unfazed::stats::ranks::mid_ranks;
/// let ranks = mid_ranks(&[3.0, 1.0, 3.0]);
/// assert_eq!(ranks.doubled, [5, 2, 5]); // ranks 2.5, 1, 2.5
/// assert_eq!(ranks.tie_term, 6);
/// ```
pub fn mid_ranks(values: &[f64]) -> MidRanks {
    // Adding 0.0 turns -0.0 into 0.0, which total order would tell apart.
    let mut order: Vec<(f64, usize)> =
        values.iter().enumerate().map(|(position, &value)| (value + 0.0, position)).collect();
    order.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let mut doubled = vec![0; values.len()];
    let mut tie_term = 0;
    let mut start = 0;
    for group in order.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let end = start + group.len();
        for &(_, position) in group {
            doubled[position] = start + end + 1;
        }
        tie_term += tie_cubes(group.len());
        start = end;
    }
    MidRanks { doubled, tie_term }
}

/// t³ − t, wide enough for any list that fits in memory.
pub(crate) fn tie_cubes(size: usize) -> u128 {
    let t = size as u128;
    t * t * t - t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_zero_ties_with_zero() {
        assert_eq!(mid_ranks(&[0.0, -0.0]).doubled, [3, 3]);
    }

    #[test]
    fn nothing_has_no_ranks() {
        assert_eq!(mid_ranks(&[]), MidRanks { doubled: vec![], tie_term: 0 });
    }

    #[test]
    fn the_tie_term_of_two_million_equal_values_does_not_overflow() {
        assert_eq!(tie_cubes(2_700_000), 2_700_000_u128.pow(3) - 2_700_000);
    }

    proptest::proptest! {
        #[test]
        fn a_doubled_rank_counts_smaller_values_twice_and_equal_ones_once(values in proptest::collection::vec(-5_i8..5, 0..30)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let ranks = mid_ranks(&values);
            for (position, value) in values.iter().enumerate() {
                let smaller = values.iter().filter(|other| *other < value).count();
                let equal = values.iter().filter(|other| other.total_cmp(value).is_eq()).count();
                assert_eq!(ranks.doubled[position], 2 * smaller + equal + 1);
            }
        }
    }
}
