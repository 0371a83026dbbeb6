//! All resamples of a tiny sample.
//!
//! Owns the enumeration of the n^n resamples by their multisets. No random number is involved, so the limits
//! of a handful of kills never depend on a seed.

use crate::stats::position::floor_to_position;
use crate::stats::statistic::Statistic;
use crate::stats::{Undefined, count_to_f64, wide_count_to_f64};

/// The largest sample: C(23, 12) = 1,352,078 multisets.
pub(in crate::stats) const LARGEST_SAMPLE: usize = 12;

/// The values of a statistic over all n^n resamples of a sample, kept as runs of equal multisets.
///
/// Each multiset of n values stands for n!/Πcᵢ! resamples (Fisher and Hall 1991). Cost: C(2n − 1, n)
/// evaluations of the statistic: 462 at n = 6, 92,378 at n = 10.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::stats) struct ExactResamples {
    runs: Vec<Weighted>,
    /// The position behind each run in the full sorted list.
    ends: Vec<usize>,
}

/// How many multisets a sample has, C(2n − 1, n).
pub(in crate::stats) fn multisets(n: usize) -> f64 {
    (1..n).fold(1.0, |count, k| count * count_to_f64(n + k) / count_to_f64(k))
}

impl ExactResamples {
    /// Enumerates the resamples of a sorted sample that has been checked.
    pub(in crate::stats) fn of(sorted: &[f64], statistic: Statistic) -> Result<Self, Undefined> {
        let n = sorted.len();
        if n > LARGEST_SAMPLE {
            return Err(Undefined::WorkLimit {
                what: "an exact bootstrap",
                size: n as u64,
                limit: LARGEST_SAMPLE as u64,
            });
        }
        let mut runs = Vec::new();
        visit(sorted, 0, factorial(n), &mut Vec::with_capacity(n), statistic, &mut runs);
        runs.sort_unstable_by(|left, right| left.value.total_cmp(&right.value));
        let mut end = 0;
        let ends = runs
            .iter()
            .map(|run| {
                end += usize::try_from(run.ways).expect("at most 12^12 resamples, which fit");
                end
            })
            .collect();
        Ok(Self { runs, ends })
    }

    fn at(&self, position: usize) -> f64 {
        let run = self.ends.partition_point(|&end| end <= position);
        self.runs[run.clamp(0, self.runs.len() - 1)].value
    }

    fn total(&self) -> usize {
        self.ends[self.ends.len() - 1]
    }

    /// The quantile of type 7 of the full list.
    pub(in crate::stats) fn quantile(&self, p: f64) -> f64 {
        let place = count_to_f64(self.total() - 1) * p;
        let position = floor_to_position(place);
        let (below, above) = (self.at(position), self.at(position + 1));
        below + (place - place.floor()) * (above - below)
    }

    /// How many values are below a number.
    pub(in crate::stats) fn below(&self, number: f64) -> usize {
        let run = self.runs.partition_point(|run| run.value < number);
        run.checked_sub(1).map_or(0, |run| self.ends[run])
    }

    /// The share of all resamples that a run holds.
    fn weight(&self, run: &Weighted) -> f64 {
        wide_count_to_f64(run.ways.into()) / count_to_f64(self.total())
    }

    /// The mean of the values.
    pub(in crate::stats) fn mean(&self) -> f64 {
        self.runs.iter().map(|run| run.value * self.weight(run)).sum()
    }

    /// The standard deviation of the values around their mean.
    pub(in crate::stats) fn standard_deviation(&self) -> f64 {
        let mean = self.mean();
        self.runs
            .iter()
            .map(|run| (run.value - mean).powi(2) * self.weight(run))
            .sum::<f64>()
            .sqrt()
    }

    /// How many resamples there are.
    pub(in crate::stats) fn count(&self) -> usize {
        self.total()
    }
}

/// A value of the statistic and the number of resamples that give it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Weighted {
    value: f64,
    ways: u64,
}

/// Visits every multiset in order: how often each value from `next` on is drawn.
fn visit(
    sorted: &[f64],
    next: usize,
    ways: u64,
    resample: &mut Vec<f64>,
    statistic: Statistic,
    all: &mut Vec<Weighted>,
) {
    let open = sorted.len() - resample.len();
    if open == 0 {
        all.push(Weighted { value: statistic.of_sorted(resample), ways });
        return;
    }
    if next == sorted.len() - 1 {
        resample.extend(std::iter::repeat_n(sorted[next], open));
        all.push(Weighted { value: statistic.of_sorted(resample), ways: ways / factorial(open) });
        resample.truncate(sorted.len() - open);
        return;
    }
    let start = resample.len();
    for times in 0..=open {
        resample.extend(std::iter::repeat_n(sorted[next], times));
        visit(sorted, next + 1, ways / factorial(times), resample, statistic, all);
        resample.truncate(start);
    }
}

/// n!, exact for n ≤ 20.
fn factorial(n: usize) -> u64 {
    (1..=n as u64).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile::{QuantileType, sorted_quantile};
    use proptest::prelude::*;

    /// All n^n resamples, one by one.
    fn slow(values: &[f64], statistic: Statistic) -> Vec<f64> {
        let n = values.len();
        let mut all = Vec::new();
        for code in 0..n.pow(u32::try_from(n).unwrap()) {
            let mut rest = code;
            let mut resample: Vec<f64> = (0..n)
                .map(|_| {
                    let value = values[rest % n];
                    rest /= n;
                    value
                })
                .collect();
            resample.sort_by(f64::total_cmp);
            all.push(statistic.of_sorted(&resample));
        }
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn a_sample_over_the_limit_is_refused() {
        let values: Vec<f64> = (0..13).map(f64::from).collect();
        assert_eq!(ExactResamples::of(&values, Statistic::Mean).unwrap_err().code(), "work_limit");
    }

    #[test]
    fn multisets_are_counted() {
        assert_eq!(multisets(6), 462.0);
        assert_eq!(multisets(12), 1_352_078.0);
        let values: Vec<f64> = (0..6).map(|i| f64::from(i) * 1.5).collect();
        let all = ExactResamples::of(&values, Statistic::Mean).unwrap();
        assert_eq!((all.runs.len(), all.count()), (462, 46_656));
    }

    #[test]
    fn the_spread_of_the_mean_is_its_formula() {
        let all = ExactResamples::of(&[1.0, 3.0], Statistic::Mean).unwrap();
        // Σ(x − m)²/n² = 2/4.
        assert!((all.standard_deviation() - 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((all.mean() - 2.0).abs() < 1e-15);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn multisets_agree_with_all_resamples(values in prop::collection::vec(0.0_f64..9.0, 2..6), p in 0.0_f64..1.0) {
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            for statistic in [Statistic::Mean, Statistic::Median, Statistic::StandardDeviation] {
                let found = ExactResamples::of(&sorted, statistic).unwrap();
                let all = slow(&sorted, statistic);
                prop_assert_eq!(all.len(), found.count());
                let slow = sorted_quantile(&all, p, QuantileType::LinearModes).unwrap();
                prop_assert!((found.quantile(p) - slow).abs() < 1e-9);
                let mean = all.iter().sum::<f64>() / count_to_f64(all.len());
                prop_assert!((found.mean() - mean).abs() < 1e-9);
            }
        }
    }
}
