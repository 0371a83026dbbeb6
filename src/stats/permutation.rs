//! The exact two-sample permutation test of the difference of means.
//!
//! Owns the distribution of the sum of x over all choices of which pooled values are x, counted by meeting
//! in the middle: the sums of each half are kept apart by how many values they take.
//!
//! Pitman (1937). Cost: O(2^((m+n)/2)) time and memory; 40 values: two million sums.

use crate::stats::moments::Moments;
use crate::stats::{Alternative, PValue, Undefined, require_finite, wide_count_to_f64};

/// The largest number of pooled values that is counted exactly.
pub const EXACT_LIMIT: usize = 40;

/// Sums that differ by less than this share of Σ|v − mean| are one sum: rounding must not break a tie.
const TIE: f64 = 1e-14;

/// The result of an exact permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationTest {
    /// How many choices there are: the binomial coefficient m + n over m.
    pub total: u64,
    /// mean(x) − mean(y).
    pub difference: f64,
    /// The p-value; two-sided it is twice the smaller one-sided one, at most 1 (scipy's definition).
    pub p: PValue,
}

/// Tests whether x and y are exchangeable, by mean(x) − mean(y).
///
/// ```
/// use unfazed::stats::{Alternative, permutation::mean_difference_test};
/// let test = mean_difference_test(&[9.0, 10.0], &[1.0, 2.0, 3.0], Alternative::TwoSided).unwrap();
/// assert_eq!((test.total, test.p.get()), (10, 0.2));
/// ```
pub fn mean_difference_test(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
) -> Result<PermutationTest, Undefined> {
    require_finite(x)?;
    require_finite(y)?;
    let pooled: Vec<f64> = x.iter().chain(y).copied().collect();
    if pooled.len() > EXACT_LIMIT {
        return Err(Undefined::WorkLimit {
            what: "the exact permutation distribution",
            size: pooled.len() as u64,
            limit: EXACT_LIMIT as u64,
        });
    }
    // Centring leaves the order of the sums unchanged and keeps the rounding small. The difference of means
    // grows with the sum of x, so the sum decides.
    let mean = Moments::of(&pooled).mean;
    let centred: Vec<f64> = pooled.iter().map(|value| value - mean).collect();
    let observed: f64 = centred[..x.len()].iter().sum();
    let slack = TIE * centred.iter().map(|value| value.abs()).sum::<f64>();
    let halves = Halves::of(&centred, x.len());
    let total = wide_count_to_f64(u128::from(halves.total));
    let share = |count: u64| wide_count_to_f64(u128::from(count)) / total;
    let greater = || share(halves.at_least(observed - slack));
    let less = || share(halves.total - halves.at_least((observed + slack).next_up()));
    let p = match alternative {
        Alternative::Greater => PValue::new(greater()),
        Alternative::Less => PValue::new(less()),
        Alternative::TwoSided => {
            let (above, below) = (greater(), less());
            PValue::doubled(if above < below { above } else { below })
        }
    };
    let difference = Moments::of(x).mean - Moments::of(y).mean;
    Ok(PermutationTest { total: halves.total, difference, p })
}

/// Ascending sums of the subsets of each half, by how many values they take.
struct Halves {
    left: Vec<Vec<f64>>,
    right: Vec<Vec<f64>>,
    taken: usize,
    total: u64,
}

impl Halves {
    fn of(values: &[f64], taken: usize) -> Self {
        let (left, right) = values.split_at(values.len() / 2);
        let (left, right) = (sums_by_size(left), sums_by_size(right));
        let total = pairings(&left, &right, taken).map(|(a, b)| (a.len() * b.len()) as u64).sum();
        Self { left, right, taken, total }
    }

    /// How many choices have a sum of at least the threshold.
    fn at_least(&self, threshold: f64) -> u64 {
        pairings(&self.left, &self.right, self.taken)
            .map(|(left, right)| {
                let mut count = 0;
                let mut start = right.len();
                for &sum in left {
                    while start > 0 && sum + right[start - 1] >= threshold {
                        start -= 1;
                    }
                    count += (right.len() - start) as u64;
                }
                count
            })
            .sum()
    }
}

/// The pairs of lists that together take the right number of values.
fn pairings<'lists>(
    left: &'lists [Vec<f64>],
    right: &'lists [Vec<f64>],
    taken: usize,
) -> impl Iterator<Item = (&'lists [f64], &'lists [f64])> {
    left.iter().enumerate().filter_map(move |(size, sums)| {
        let rest = taken.checked_sub(size)?;
        Some((sums.as_slice(), right.get(rest)?.as_slice()))
    })
}

fn sums_by_size(values: &[f64]) -> Vec<Vec<f64>> {
    let mut lists = vec![vec![0.0]];
    for &value in values {
        lists.push(Vec::new());
        for size in (1..lists.len()).rev() {
            lists[size] = merged(&lists[size], &lists[size - 1], value);
        }
    }
    lists
}

/// Merges an ascending list with another one moved by a value.
fn merged(stay: &[f64], moved: &[f64], by: f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(stay.len() + moved.len());
    let mut next = 0;
    for &sum in stay {
        while next < moved.len() && moved[next] + by < sum {
            out.push(moved[next] + by);
            next += 1;
        }
        out.push(sum);
    }
    out.extend(moved[next..].iter().map(|sum| sum + by));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(x: &[i32], y: &[i32], greater: bool) -> f64 {
        let pooled: Vec<i32> = x.iter().chain(y).copied().collect();
        let observed: i32 = x.iter().sum();
        let (mut all, mut extreme) = (0_u32, 0_u32);
        for chosen in 0..1_u32 << pooled.len() {
            if chosen.count_ones() as usize == x.len() {
                let sum: i32 =
                    (0..pooled.len()).filter(|i| chosen >> i & 1 == 1).map(|i| pooled[i]).sum();
                all += 1;
                extreme += u32::from(if greater { sum >= observed } else { sum <= observed });
            }
        }
        f64::from(extreme) / f64::from(all)
    }

    #[test]
    fn all_equal_values_are_no_evidence() {
        for alternative in Alternative::ALL {
            let test = mean_difference_test(&[3.0; 3], &[3.0; 3], alternative).unwrap();
            assert_eq!((test.total, test.p.get()), (20, 1.0));
        }
    }

    #[test]
    fn empty_samples_and_too_many_values_are_undefined() {
        assert_eq!(mean_difference_test(&[], &[1.0], Alternative::Less), Err(Undefined::Empty));
        let refused = mean_difference_test(&[1.0; 21], &[1.0; 20], Alternative::Less);
        assert_eq!(refused.unwrap_err().code(), "work_limit");
    }

    proptest::proptest! {
        #[test]
        fn every_choice_is_counted_even_in_tenths(x in proptest::collection::vec(-20_i32..20, 1..7), y in proptest::collection::vec(-20_i32..20, 1..7)) {
            let tenths = |values: &[i32]| values.iter().map(|&v| f64::from(v) / 10.0).collect::<Vec<f64>>();
            let (left, right) = (tenths(&x), tenths(&y));
            let p = |alternative| mean_difference_test(&left, &right, alternative).unwrap().p.get();
            assert!((p(Alternative::Greater) - slow(&x, &y, true)).abs() < 1e-12);
            assert!((p(Alternative::Less) - slow(&x, &y, false)).abs() < 1e-12);
        }
    }
}
