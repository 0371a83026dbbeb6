//! The bootstrap distribution of a tiny sample, exactly.
//!
//! Owns the enumeration of all n^n resamples by their multisets. No random number is involved, so the
//! limits of a handful of kills never depend on a seed.

use crate::stats::bootstrap::{Statistic, acceleration, bca_level, bias};
use crate::stats::position::{floor_to_position, larger, sorted_copy};
use crate::stats::{Undefined, count_to_f64, require_level, wide_count_to_f64};

/// The largest sample: C(23, 12) = 1,352,078 multisets.
pub const LARGEST_SAMPLE: usize = 12;

/// The exact bootstrap of a statistic with its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdealBootstrap {
    /// The statistic of the sample.
    pub estimate: f64,
    /// The bias correction z₀, half of the ties counted.
    pub bias: f64,
    /// The acceleration from the jackknife.
    pub acceleration: f64,
    /// The probability at which the lower BCa limit is read.
    pub lower_level: f64,
    /// The probability at which the upper BCa limit is read.
    pub upper_level: f64,
    /// The lower BCa limit.
    pub bca_lower: f64,
    /// The upper BCa limit.
    pub bca_upper: f64,
    /// The lower percentile limit.
    pub percentile_lower: f64,
    /// The upper percentile limit.
    pub percentile_upper: f64,
    /// The standard deviation of the statistic over all resamples.
    pub standard_error: f64,
    /// The mean of the statistic over all resamples.
    pub mean: f64,
}

/// The exact bootstrap distribution of a sample of at most [`LARGEST_SAMPLE`] values, with two-sided limits.
///
/// Each multiset of n values stands for n!/Πcᵢ! of the n^n resamples (Fisher and Hall 1991); limits are
/// quantiles of type 7 of the full list of n^n. Formulae of BCa as in `bootstrap`. Cost: C(2n − 1, n)
/// evaluations of the statistic: 462 at n = 6, 92,378 at n = 10.
/// Edge cases: as in `bootstrap`; larger samples are over the work limit.
///
/// ```
/// use unfazed::stats::bootstrap::Statistic;
/// use unfazed::stats::ideal_bootstrap::ideal_bootstrap;
/// let found = ideal_bootstrap(&[1.1, 2.7, 3.2, 5.9, 14.0], Statistic::Mean, 0.95).unwrap();
/// assert!((found.bca_lower - 2.58).abs() < 1e-12);
/// ```
pub fn ideal_bootstrap(
    values: &[f64],
    statistic: Statistic,
    level: f64,
) -> Result<IdealBootstrap, Undefined> {
    require_level("the confidence level", level)?;
    statistic.check(values)?;
    let n = values.len();
    if n > LARGEST_SAMPLE {
        return Err(Undefined::WorkLimit {
            what: "an exact bootstrap",
            size: n as u64,
            limit: LARGEST_SAMPLE as u64,
        });
    }
    let sorted = sorted_copy(values);
    let mut all = Vec::new();
    let mut resample = Vec::with_capacity(n);
    visit(&sorted, 0, factorial(n), &mut resample, statistic, &mut all);
    all.sort_unstable_by(|left, right| left.value.total_cmp(&right.value));
    let total: u64 = all.iter().map(|weighted| weighted.ways).sum();
    let size = wide_count_to_f64(total.into());
    let weight = |weighted: &Weighted| wide_count_to_f64(weighted.ways.into()) / size;
    let estimate = statistic.of_sorted(&sorted);
    let mean: f64 = all.iter().map(|weighted| weighted.value * weight(weighted)).sum();
    let variance: f64 =
        all.iter().map(|weighted| (weighted.value - mean).powi(2) * weight(weighted)).sum();
    let scale = larger(all[0].value.abs(), all[all.len() - 1].value.abs());
    let slack = 1e-12 * larger(estimate.abs(), scale);
    let below: f64 = all
        .iter()
        .map(|weighted| match weighted.value - estimate {
            difference if difference < -slack => weight(weighted),
            difference if difference <= slack => 0.5 * weight(weighted),
            _ => 0.0,
        })
        .sum();
    let bias = bias(below)?;
    let acceleration = acceleration(values, statistic)?;
    let error = (1.0 - level) / 2.0;
    let lower_level = bca_level(error, bias, acceleration)?;
    let upper_level = bca_level(1.0 - error, bias, acceleration)?;
    let full = Full::new(all);
    Ok(IdealBootstrap {
        estimate,
        bias,
        acceleration,
        lower_level,
        upper_level,
        bca_lower: full.quantile(lower_level),
        bca_upper: full.quantile(upper_level),
        percentile_lower: full.quantile(error),
        percentile_upper: full.quantile(1.0 - error),
        standard_error: variance.sqrt(),
        mean,
    })
}

/// A value of the statistic and the number of resamples that give it.
#[derive(Debug, Clone, Copy)]
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

/// The sorted full list of n^n values, kept as its runs.
struct Full {
    runs: Vec<Weighted>,
    /// The position behind each run in the full list.
    ends: Vec<usize>,
}

impl Full {
    fn new(runs: Vec<Weighted>) -> Self {
        let mut end = 0;
        let ends = runs
            .iter()
            .map(|run| {
                end += usize::try_from(run.ways).expect("at most 12^12 resamples, which fit");
                end
            })
            .collect();
        Self { runs, ends }
    }

    fn at(&self, position: usize) -> f64 {
        let run = self.ends.partition_point(|&end| end <= position);
        self.runs[run.clamp(0, self.runs.len() - 1)].value
    }

    /// The quantile of type 7.
    fn quantile(&self, p: f64) -> f64 {
        let last = self.ends[self.ends.len() - 1] - 1;
        let place = count_to_f64(last) * p;
        let position = floor_to_position(place);
        let (below, above) = (self.at(position), self.at(position + 1));
        below + (place - place.floor()) * (above - below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::bootstrap::{Distribution, Method};
    use crate::stats::resample::Resampling;
    use crate::stats::{Alternative, quantile};
    use crate::unit::Seed;
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
        assert_eq!(
            ideal_bootstrap(&values, Statistic::Mean, 0.9).unwrap_err().code(),
            "work_limit"
        );
    }

    #[test]
    fn the_standard_error_of_the_mean_is_its_formula() {
        let found = ideal_bootstrap(&[1.0, 3.0], Statistic::Mean, 0.9).unwrap();
        // Σ(x − m)²/n² = 2/4.
        assert!((found.standard_error - 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((found.mean - 2.0).abs() < 1e-15);
    }

    #[test]
    fn random_draws_come_near_the_exact_limits() {
        let values = [0.2, 0.4, 0.5, 0.9, 1.6, 3.3, 8.1];
        let exact = ideal_bootstrap(&values, Statistic::Mean, 0.95).unwrap();
        let draws = Resampling { seed: Seed(5), key: "test", resamples: 40_000 };
        let random = Distribution::draw(&values, Statistic::Mean, draws).unwrap();
        let limits = random.interval(Method::Bca, 0.95, Alternative::TwoSided).unwrap();
        let width = exact.bca_upper - exact.bca_lower;
        assert!((limits.lower.unwrap() - exact.bca_lower).abs() < 0.03 * width);
        assert!((limits.upper.unwrap() - exact.bca_upper).abs() < 0.03 * width);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn multisets_agree_with_all_resamples(values in prop::collection::vec(0.0_f64..9.0, 3..6), level in 0.6_f64..0.98) {
            for statistic in [Statistic::Mean, Statistic::Median, Statistic::StandardDeviation] {
                let Ok(found) = ideal_bootstrap(&values, statistic, level) else { continue };
                let all = slow(&values, statistic);
                let at = |p| quantile::sorted_quantile(&all, p, quantile::QuantileType::LinearModes).unwrap();
                prop_assert!((found.percentile_lower - at((1.0 - level) / 2.0)).abs() < 1e-9);
                prop_assert!((found.percentile_upper - at(1.0 - (1.0 - level) / 2.0)).abs() < 1e-9);
                prop_assert!((found.bca_upper - at(found.upper_level)).abs() < 1e-9);
                let mean = all.iter().sum::<f64>() / count_to_f64(all.len());
                prop_assert!((found.mean - mean).abs() < 1e-9);
            }
        }
    }
}
