//! Bootstrap of the mean of a dependent series.
//!
//! Owns the moving and the stationary block bootstrap and the choice of their block length. For use inside
//! one window only: it says how well this window's mean is known, never anything about other windows, and it
//! cannot replace repeated iterations.

use crate::stats::descriptive::two_pass_mean;
use crate::stats::position::{larger, same, smaller};
use crate::stats::quantile::{QuantileType, sorted_quantile};
use crate::stats::random::Stream;
use crate::stats::resample::Resampling;
use crate::stats::{Interval, Undefined, count_to_f64, require_finite, require_level};

/// How blocks are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Blocks {
    /// Blocks of a fixed length from every start that fits (Künsch 1989).
    Moving {
        /// Values in a block, 1 to n.
        length: usize,
    },
    /// Blocks of geometric length around a circle (Politis and Romano 1994).
    Stationary {
        /// The mean length, at least 1.
        mean_length: f64,
    },
}

/// The mean of a series with percentile limits that allow for dependence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockBootstrap {
    /// The mean of the series.
    pub estimate: f64,
    /// The standard deviation of the resampled means.
    pub standard_error: f64,
    /// The percentile limits.
    pub interval: Interval,
}

/// The block bootstrap of the mean, two-sided percentile limits.
///
/// Whole blocks are drawn with replacement until the series is full; the last one is cut. Cost:
/// resamples × n. Draws come from named streams, the same whatever the number of threads.
/// Edge cases: fewer than 4 values, values without spread, and blocks longer than the series are refused.
///
/// ```
/// use unfazed::stats::block_bootstrap::{Blocks, block_bootstrap_mean};
/// use unfazed::stats::resample::Resampling;
/// use unfazed::unit::Seed;
/// let series: Vec<f64> = (0..60).map(|i| (f64::from(i) / 5.0).sin()).collect();
/// let draws = Resampling { seed: Seed(0), key: "latency", resamples: 500 };
/// let found = block_bootstrap_mean(&series, Blocks::Stationary { mean_length: 8.0 }, 0.9, draws).unwrap();
/// assert!(found.interval.contains(found.estimate));
/// ```
pub fn block_bootstrap_mean(
    values: &[f64],
    blocks: Blocks,
    level: f64,
    draws: Resampling<'_>,
) -> Result<BlockBootstrap, Undefined> {
    require_level("the confidence level", level)?;
    check(values)?;
    let n = values.len();
    let (longest, found) = match blocks {
        Blocks::Moving { length } => (count_to_f64(n), count_to_f64(length)),
        Blocks::Stationary { mean_length } => (f64::MAX, mean_length),
    };
    if !(found >= 1.0 && found <= longest) {
        return Err(Undefined::OutOfRange {
            what: "the block length",
            found,
            accepted: "1 to the length of the series",
        });
    }
    let center = two_pass_mean(values);
    let mut means = resampled_means(values, center, blocks, "block-bootstrap", draws)?;
    let summary = percentiles(&mut means, level)?;
    Ok(BlockBootstrap {
        estimate: center,
        standard_error: summary.standard_error,
        interval: summary.interval,
    })
}

/// The difference of two means with percentile limits that allow for dependence within each series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockBootstrapDifference {
    /// Mean of the later series minus mean of the earlier one.
    pub estimate: f64,
    /// The standard deviation of the resampled differences.
    pub standard_error: f64,
    /// The percentile limits.
    pub interval: Interval,
    /// Mean block length of the earlier series; none where all of its values are equal.
    pub earlier_length: Option<f64>,
    /// Mean block length of the later series; none where all of its values are equal.
    pub later_length: Option<f64>,
}

/// The stationary block bootstrap of the difference of two means (Politis and Romano 1994), two-sided percentile limits.
///
/// Each series is resampled on its own, with the block length that [`optimal_block_lengths`] finds for it, and the
/// means of the same draw are subtracted. This takes the two series as independent of each other, which stretches
/// that follow each other in time nearly are when both are long beside their blocks. Cost: n·√n for the lengths
/// and resamples × (blocks that fill the series).
/// Edge cases: fewer than 4 values in one of them, values that are not finite, and two series without any spread are
/// refused. One series without spread is known exactly: only the other one is resampled.
///
/// ```
/// use unfazed::stats::block_bootstrap::block_bootstrap_difference;
/// use unfazed::stats::resample::Resampling;
/// use unfazed::unit::Seed;
/// let before: Vec<f64> = (0..60).map(|i| (f64::from(i) / 5.0).sin()).collect();
/// let after: Vec<f64> = before.iter().map(|value| value + 10.0).collect();
/// let draws = Resampling { seed: Seed(0), key: "queue", resamples: 500 };
/// let found = block_bootstrap_difference(&before, &after, 0.9, draws).unwrap();
/// assert!((found.estimate - 10.0).abs() < 1e-12);
/// assert!(found.interval.lower.unwrap() > 5.0);
/// ```
pub fn block_bootstrap_difference(
    earlier: &[f64],
    later: &[f64],
    level: f64,
    draws: Resampling<'_>,
) -> Result<BlockBootstrapDifference, Undefined> {
    require_level("the confidence level", level)?;
    let before = Resampled::of(earlier, "block-bootstrap-earlier", draws)?;
    let after = Resampled::of(later, "block-bootstrap-later", draws)?;
    if before.length.is_none() && after.length.is_none() {
        return Err(Undefined::DegenerateVariance);
    }
    let mut differences: Vec<f64> =
        after.means.iter().zip(&before.means).map(|(after, before)| after - before).collect();
    let summary = percentiles(&mut differences, level)?;
    Ok(BlockBootstrapDifference {
        estimate: after.mean - before.mean,
        standard_error: summary.standard_error,
        interval: summary.interval,
        earlier_length: before.length,
        later_length: after.length,
    })
}

/// A series and the means of its resamples.
struct Resampled {
    mean: f64,
    means: Vec<f64>,
    length: Option<f64>,
}

impl Resampled {
    fn of(values: &[f64], purpose: &str, draws: Resampling<'_>) -> Result<Self, Undefined> {
        let mean = match check(values) {
            Ok(()) => two_pass_mean(values),
            Err(Undefined::DegenerateVariance) => {
                let means = vec![values[0]; draws.resamples];
                return Ok(Self { mean: values[0], means, length: None });
            }
            Err(other) => return Err(other),
        };
        let mean_length = optimal_block_lengths(values)?.stationary;
        let blocks = Blocks::Stationary { mean_length };
        let means = resampled_means(values, mean, blocks, purpose, draws)?;
        Ok(Self { mean, means, length: Some(mean_length) })
    }
}

/// What resampled values say about their spread.
struct Percentiles {
    standard_error: f64,
    interval: Interval,
}

/// Sorts resampled values and takes their spread and percentile limits.
fn percentiles(resampled: &mut [f64], level: f64) -> Result<Percentiles, Undefined> {
    if resampled.len() < 2 {
        return Err(Undefined::TooFew { found: resampled.len(), needed: 2 });
    }
    resampled.sort_unstable_by(f64::total_cmp);
    let error = (1.0 - level) / 2.0;
    let at = |p| sorted_quantile(resampled, p, QuantileType::LinearModes);
    Ok(Percentiles {
        standard_error: crate::stats::descriptive::standard_deviation(resampled)?,
        interval: Interval::new(Some(at(error)?), Some(at(1.0 - error)?), level),
    })
}

/// The means of the resamples of a series around its own mean, in the order of the draws.
fn resampled_means(
    values: &[f64],
    center: f64,
    blocks: Blocks,
    purpose: &str,
    draws: Resampling<'_>,
) -> Result<Vec<f64>, Undefined> {
    let n = values.len();
    // Sums over every beginning of the series written twice: a block is a difference, a circle has no edge.
    let mut sums = Vec::with_capacity(2 * n + 1);
    let mut running = 0.0;
    sums.push(running);
    for value in values.iter().chain(values) {
        running += value - center;
        sums.push(running);
    }
    let size = count_to_f64(n);
    draws.run(
        purpose,
        || (),
        |(), stream| {
            let mut sum = 0.0;
            let mut open = n;
            while open > 0 {
                let block = next_block(blocks, n, stream);
                let length = block.length.clamp(1, open);
                sum += sums[block.start + length] - sums[block.start];
                open -= length;
            }
            center + sum / size
        },
    )
}

struct Block {
    start: usize,
    length: usize,
}

fn next_block(blocks: Blocks, n: usize, stream: &mut Stream) -> Block {
    match blocks {
        Blocks::Moving { length } => Block { start: stream.index(n - length + 1), length },
        Blocks::Stationary { mean_length } => {
            let start = stream.index(n);
            // The geometric length by inversion; one block never goes more than once around.
            let stay = 1.0 - 1.0 / mean_length;
            let length = if stay > 0.0 {
                (stream.uniform_open().ln() / stay.ln()).floor() + 1.0
            } else {
                1.0
            };
            let length = crate::stats::position::floor_to_position(length).clamp(1, n);
            Block { start, length }
        }
    }
}

fn check(values: &[f64]) -> Result<(), Undefined> {
    require_finite(values)?;
    if values.len() < 4 {
        return Err(Undefined::TooFew { found: values.len(), needed: 4 });
    }
    if values.iter().all(|&value| same(value, values[0])) {
        return Err(Undefined::DegenerateVariance);
    }
    Ok(())
}

/// Block lengths that balance bias and variance of the bootstrap variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockLengths {
    /// Mean length for [`Blocks::Stationary`].
    pub stationary: f64,
    /// Length for blocks of fixed length (circular or moving).
    pub fixed: f64,
}

/// The automatic block length of Politis and White (2004), corrected by Patton, Politis and White (2009).
///
/// With autocovariances R(k) and the flat-top window λ over 2m lags, G = Σ λ(k/2m)·|k|·R(k) and
/// g = Σ λ(k/2m)·R(k): the length is (2G²/D)^{1/3}·n^{1/3} with D = 2g² (stationary) and 4g²/3 (fixed). m is
/// the first lag after which max(5, ⌊log₁₀ n⌋) autocorrelations stay below 2·√(log₁₀ n/n). Lengths are cut at
/// ⌈min(3√n, n/3)⌉ and at 1. Numbers follow `arch.bootstrap.optimal_block_length`. Cost: n·√n.
/// Edge cases: as for the bootstrap; a white series gives lengths near 1.
///
/// ```
/// use unfazed::stats::block_bootstrap::optimal_block_lengths;
/// let wave: Vec<f64> = (0..200).map(|i| (f64::from(i) / 9.0).sin() + 0.01 * f64::from(i % 7)).collect();
/// assert!(optimal_block_lengths(&wave).unwrap().stationary > 5.0);
/// ```
pub fn optimal_block_lengths(values: &[f64]) -> Result<BlockLengths, Undefined> {
    check(values)?;
    let n = count_to_f64(values.len());
    let center = two_pass_mean(values);
    let centred: Vec<f64> = values.iter().map(|value| value - center).collect();
    let run = crate::stats::position::floor_to_position(n.log10()).clamp(5, values.len());
    let most = crate::stats::position::floor_to_position(n.sqrt().ceil()) + run;
    let most = most.clamp(1, values.len() - 1);
    let bound = 2.0 * (n.log10() / n).sqrt();
    let products = |lag: usize| -> f64 {
        centred.iter().zip(&centred[lag..]).map(|(left, right)| left * right).sum()
    };
    let mut covariances = Vec::with_capacity(most + 1);
    let mut quiet = 0;
    let mut last_loud = None;
    for lag in 0..=most {
        let product = products(lag);
        covariances.push(product / n);
        let squares = |part: &[f64]| part.iter().map(|value| value * value).sum::<f64>();
        let scale =
            (squares(&centred[lag + 1..]) * squares(&centred[..centred.len() - lag - 1])).sqrt();
        let loud = scale > 0.0 && product.abs() / scale >= bound;
        quiet = if loud { 0 } else { quiet + 1 };
        if quiet == run && last_loud.is_none() {
            last_loud = Some(lag + 1 - run);
        }
    }
    let lags =
        last_loud.map_or(most, |first_quiet| (2 * first_quiet.clamp(1, most)).clamp(1, most));
    let (mut weighted, mut variance) = (0.0, covariances[0]);
    for (lag, covariance) in covariances.iter().enumerate().take(lags + 1).skip(1) {
        let share = count_to_f64(lag) / count_to_f64(lags);
        let taper = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        weighted += 2.0 * taper * count_to_f64(lag) * covariance;
        variance += 2.0 * taper * covariance;
    }
    let longest = smaller(3.0 * n.sqrt(), n / 3.0).ceil();
    let length = |divisor: f64| {
        let raw = (2.0 * weighted * weighted / divisor).cbrt() * n.cbrt();
        if raw.is_finite() { larger(1.0, smaller(raw, longest)) } else { longest }
    };
    let square = variance * variance;
    Ok(BlockLengths { stationary: length(2.0 * square), fixed: length(4.0 / 3.0 * square) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Seed;
    use proptest::prelude::*;

    fn draws(resamples: usize) -> Resampling<'static> {
        Resampling { seed: Seed(8), key: "test", resamples }
    }

    /// An autoregressive series with a standard normal innovation.
    fn series(phi: f64, n: usize, purpose: &str) -> Vec<f64> {
        let mut stream = Stream::new(Seed(9), "series", purpose);
        let mut value = 0.0;
        (0..n)
            .map(|_| {
                value = phi * value + stream.normal();
                value
            })
            .collect()
    }

    #[test]
    fn dependence_lengthens_the_blocks() {
        let white = optimal_block_lengths(&series(0.0, 800, "white")).unwrap();
        let slow = optimal_block_lengths(&series(0.8, 800, "slow")).unwrap();
        assert!(slow.stationary > 2.0 * white.stationary, "{white:?} {slow:?}");
        assert!((slow.fixed / slow.stationary - 1.5_f64.cbrt()).abs() < 1e-9);
    }

    #[test]
    fn blocks_of_one_are_the_plain_bootstrap() {
        let values = series(0.0, 100, "plain");
        let spread = crate::stats::descriptive::standard_deviation(&values).unwrap()
            * (0.99_f64 / 100.0).sqrt();
        for blocks in [Blocks::Moving { length: 1 }, Blocks::Stationary { mean_length: 1.0 }] {
            let found = block_bootstrap_mean(&values, blocks, 0.9, draws(8000)).unwrap();
            assert!((found.standard_error / spread - 1.0).abs() < 0.05);
        }
    }

    #[test]
    fn blocks_see_the_dependence_that_single_values_do_not() {
        let values = series(0.8, 400, "slow");
        let error = |blocks| {
            block_bootstrap_mean(&values, blocks, 0.9, draws(2000)).unwrap().standard_error
        };
        let single = error(Blocks::Moving { length: 1 });
        assert!(error(Blocks::Moving { length: 25 }) > 1.5 * single);
        assert!(error(Blocks::Stationary { mean_length: 25.0 }) > 1.5 * single);
    }

    #[test]
    fn the_error_of_a_difference_adds_the_errors_of_its_two_windows() {
        let (earlier, later) = (series(0.6, 300, "earlier"), series(0.3, 500, "later"));
        let found = block_bootstrap_difference(&earlier, &later, 0.9, draws(4000)).unwrap();
        let alone = |values: &[f64]| {
            let mean_length = optimal_block_lengths(values).unwrap().stationary;
            let blocks = Blocks::Stationary { mean_length };
            block_bootstrap_mean(values, blocks, 0.9, draws(4000)).unwrap().standard_error
        };
        let expected = alone(&earlier).hypot(alone(&later));
        assert!((found.standard_error / expected - 1.0).abs() < 0.05, "{found:?} {expected}");
        assert!(found.interval.contains(found.estimate));
        let back = block_bootstrap_difference(&later, &earlier, 0.9, draws(4000)).unwrap();
        assert!((back.estimate + found.estimate).abs() < 1e-12);
    }

    #[test]
    fn a_window_without_spread_is_known_exactly() {
        let later = series(0.3, 200, "later");
        let found = block_bootstrap_difference(&[2.0; 50], &later, 0.9, draws(2000)).unwrap();
        assert_eq!(found.earlier_length, None);
        let length = found.later_length.unwrap();
        let blocks = Blocks::Stationary { mean_length: length };
        let alone = block_bootstrap_mean(&later, blocks, 0.9, draws(2000)).unwrap();
        assert!((found.standard_error / alone.standard_error - 1.0).abs() < 0.1);
        let flat = block_bootstrap_difference(&[2.0; 50], &[3.0; 50], 0.9, draws(2000));
        assert_eq!(flat.unwrap_err().code(), "degenerate_variance");
        let few = block_bootstrap_difference(&[2.0; 3], &later, 0.9, draws(2000));
        assert_eq!(few.unwrap_err().code(), "too_few");
    }

    #[test]
    fn a_block_longer_than_the_series_is_refused() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let refused = block_bootstrap_mean(&values, Blocks::Moving { length: 5 }, 0.9, draws(10));
        assert_eq!(refused.unwrap_err().code(), "out_of_range");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_block_sum_by_difference_is_the_sum_around_the_circle(
            values in prop::collection::vec(-5.0_f64..5.0, 4..20), mean_length in 1.0_f64..6.0,
        ) {
            let draws = draws(300);
            let Ok(found) = block_bootstrap_mean(&values, Blocks::Stationary { mean_length }, 0.8, draws) else { return Ok(()) };
            // The slow oracle walks the same draws value by value.
            let mut stream = Stream::new(draws.seed, draws.key, "block-bootstrap/0");
            let n = values.len();
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for _ in 0..256 {
                let (mut sum, mut open) = (0.0, n);
                while open > 0 {
                    let block = next_block(Blocks::Stationary { mean_length }, n, &mut stream);
                    for step in 0..block.length.min(open) {
                        sum += values[(block.start + step) % n];
                    }
                    open -= block.length.min(open);
                }
                low = smaller(low, sum / count_to_f64(n));
                high = larger(high, sum / count_to_f64(n));
            }
            prop_assert!(low <= found.interval.upper.unwrap() && found.interval.lower.unwrap() <= high + 1e-9);
        }
    }
}
