//! Drawing with replacement, fast and repeatable.
//!
//! Owns how a bootstrap sample is drawn and how its statistic is computed without building the sample:
//! sums for the mean and the standard deviation, counts over the sorted values for quantiles. Draws come in
//! fixed blocks, each with its own named stream, so that the numbers do not depend on how many threads work.

use crate::stats::quantile::Place;
use crate::stats::random::Stream;
use crate::stats::{Undefined, count_to_f64};
use crate::unit::Seed;
use rayon::prelude::*;

/// Resamples that share one stream. Part of what a seed means: changing it changes every bootstrap.
const BLOCK: usize = 256;

/// Where the random draws of a bootstrap come from and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling<'a> {
    /// The seed of the analysis.
    pub seed: Seed,
    /// The name of what is resampled, usually a metric; another name gives other draws.
    pub key: &'a str,
    /// How many resamples to draw.
    pub resamples: usize,
}

/// The most resamples that are accepted, 80 MB of results.
pub const MAX_RESAMPLES: usize = 10_000_000;

impl Resampling<'_> {
    /// One result per resample, in the order of the resamples, computed by all cores.
    ///
    /// `worker` makes the state of one block; `draw` uses it with the block's stream for every resample.
    pub(in crate::stats) fn run<State, Value: Send>(
        &self,
        purpose: &str,
        worker: impl Fn() -> State + Sync,
        draw: impl Fn(&mut State, &mut Stream) -> Value + Sync,
    ) -> Result<Vec<Value>, Undefined> {
        if self.resamples == 0 {
            return Err(Undefined::TooFew { found: 0, needed: 1 });
        }
        if self.resamples > MAX_RESAMPLES {
            return Err(Undefined::WorkLimit {
                what: "a bootstrap",
                size: self.resamples as u64,
                limit: MAX_RESAMPLES as u64,
            });
        }
        let blocks: Vec<Vec<Value>> = (0..self.resamples.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let mut stream = Stream::new(self.seed, self.key, &format!("{purpose}/{block}"));
                let mut state = worker();
                let size = BLOCK.clamp(1, self.resamples - block * BLOCK);
                (0..size).map(|_| draw(&mut state, &mut stream)).collect()
            })
            .collect();
        Ok(blocks.into_iter().flatten().collect())
    }
}

/// Uniform positions in a list, two per 64 random bits.
///
/// Lemire's (2019) multiplication with rejection on 32 bits: exactly uniform. Lists beyond 2^32 values are
/// outside its domain.
#[derive(Debug, Clone, Copy)]
pub(in crate::stats) struct Positions {
    size: u64,
    rejected_below: u64,
}

const LOW: u64 = 0xFFFF_FFFF;

impl Positions {
    pub(in crate::stats) fn of(values: &[f64]) -> Self {
        let size = values.len() as u64;
        Self { size, rejected_below: (1 << 32) % size }
    }

    /// The product whose upper half is the position; drawn again in the rare case that it would be biased.
    #[inline]
    fn unbiased(self, product: u64, stream: &mut Stream) -> u64 {
        if product & LOW >= self.rejected_below { product } else { self.again(stream) }
    }

    #[cold]
    #[inline(never)]
    fn again(self, stream: &mut Stream) -> u64 {
        loop {
            let product = (stream.next_u64() & LOW) * self.size;
            if product & LOW >= self.rejected_below {
                return product;
            }
        }
    }

    /// Four positions from 128 random bits.
    #[inline]
    fn four(self, stream: &mut Stream) -> [usize; 4] {
        let (first, second) = (stream.next_u64(), stream.next_u64());
        let mut products = [
            (first & LOW) * self.size,
            (first >> 32) * self.size,
            (second & LOW) * self.size,
            (second >> 32) * self.size,
        ];
        // One branch for four positions: a bias is looked for only when one of them could have it.
        if products.iter().any(|product| product & LOW < self.rejected_below) {
            products = products.map(|product| self.unbiased(product, stream));
        }
        products.map(|product| to_position(product >> 32))
    }

    /// Calls `take` with four positions at a time, until there are as many as the list is long; the last
    /// call gets the rest.
    #[inline]
    pub(in crate::stats) fn draw(self, stream: &mut Stream, mut take: impl FnMut(&[usize])) {
        for _ in 0..self.size / 4 {
            take(&self.four(stream));
        }
        let rest = to_position(self.size % 4);
        if rest > 0 {
            take(&self.four(stream)[..rest]);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a position in a slice, below its length")]
#[inline]
fn to_position(position: u64) -> usize {
    position as usize
}

/// Σ of a resample of the values, in four interleaved sums.
#[inline]
pub(in crate::stats) fn resampled_sum(
    values: &[f64],
    positions: Positions,
    stream: &mut Stream,
) -> f64 {
    let mut sums = [0.0; 4];
    positions.draw(stream, |four| {
        for (sum, &position) in sums.iter_mut().zip(four) {
            *sum += values[position];
        }
    });
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// The first two sums of a resample.
#[derive(Debug, Clone, Copy)]
pub(in crate::stats) struct Moments {
    pub(in crate::stats) sum: f64,
    pub(in crate::stats) squares: f64,
}

impl Moments {
    /// The sums of a resample of values, which should be centred so that the squares keep their digits.
    #[inline]
    pub(in crate::stats) fn resampled(
        centred: &[f64],
        positions: Positions,
        stream: &mut Stream,
    ) -> Self {
        let (mut sums, mut squares) = ([0.0; 4], [0.0; 4]);
        positions.draw(stream, |four| {
            for ((sum, square), &position) in sums.iter_mut().zip(&mut squares).zip(four) {
                let value = centred[position];
                *sum += value;
                *square += value * value;
            }
        });
        let total = |parts: [f64; 4]| (parts[0] + parts[1]) + (parts[2] + parts[3]);
        Self { sum: total(sums), squares: total(squares) }
    }

    /// The sample standard deviation (denominator n − 1) of the resample.
    pub(in crate::stats) fn standard_deviation(self, n: usize) -> f64 {
        let size = count_to_f64(n);
        let around_mean = self.squares - self.sum * self.sum / size;
        if around_mean > 0.0 { (around_mean / (size - 1.0)).sqrt() } else { 0.0 }
    }
}

/// The quantile at a place of a resample of sorted values, by counting how often each value was drawn.
///
/// O(n) without moving any value: the quantile of a resample is one of the sorted values, or between two.
pub(in crate::stats) fn resampled_quantile(
    sorted: &[f64],
    positions: Positions,
    place: Place,
    counts: &mut [u32],
    stream: &mut Stream,
) -> f64 {
    counts.fill(0);
    positions.draw(stream, |four| {
        for &position in four {
            counts[position] += 1;
        }
    });
    let mut seen = 0;
    let mut below = None;
    for (value, &count) in sorted.iter().zip(counts.iter()) {
        seen += count as usize;
        if seen > place.below && below.is_none() {
            below = Some(*value);
        }
        if seen > place.above {
            let below = below.unwrap_or(*value);
            return if place.weight > 0.0 { below + place.weight * (value - below) } else { below };
        }
    }
    sorted[sorted.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile::{QuantileType, place};

    fn resampling(resamples: usize) -> Resampling<'static> {
        Resampling { seed: Seed(3), key: "test", resamples }
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let values: Vec<f64> = (0..37).map(f64::from).collect();
        let run = || {
            resampling(1000)
                .run(
                    "test",
                    || (),
                    |(), stream| resampled_sum(&values, Positions::of(&values), stream),
                )
                .unwrap()
        };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool(1).install(run), pool(3).install(run));
    }

    #[test]
    fn more_resamples_keep_the_first_ones() {
        let values = [1.0, 2.0, 4.0];
        let run = |resamples| {
            resampling(resamples)
                .run(
                    "test",
                    || (),
                    |(), stream| resampled_sum(&values, Positions::of(&values), stream),
                )
                .unwrap()
        };
        assert_eq!(run(300)[..], run(700)[..300]);
    }

    #[test]
    fn positions_are_uniform() {
        let values = [0.0; 7];
        let mut stream = Stream::new(Seed(1), "positions", "test");
        let mut counts = [0_u32; 7];
        for _ in 0..10_000 {
            Positions::of(&values).draw(&mut stream, |four| {
                for &position in four {
                    counts[position] += 1;
                }
            });
        }
        let chi: f64 =
            counts.iter().map(|&count| (f64::from(count) - 10_000.0).powi(2) / 10_000.0).sum();
        // 22.46 is the 0.999 quantile of chi-squared with 6 degrees of freedom.
        assert!(chi < 22.46, "{chi}");
    }

    #[test]
    fn counting_agrees_with_sorting_the_resample() {
        let sorted: Vec<f64> = (0..23).map(|i| f64::from(i) * f64::from(i)).collect();
        let positions = Positions::of(&sorted);
        for p in [0.0, 0.31, 0.5, 0.95, 1.0] {
            let place = place(sorted.len(), p, QuantileType::LinearModes);
            for purpose in ["a", "b", "c"] {
                let mut counts = vec![0; sorted.len()];
                let mut stream = Stream::new(Seed(1), "count", purpose);
                let fast = resampled_quantile(&sorted, positions, place, &mut counts, &mut stream);
                let mut stream = Stream::new(Seed(1), "count", purpose);
                let mut resample = Vec::new();
                positions.draw(&mut stream, |four| {
                    resample.extend(four.iter().map(|&position| sorted[position]));
                });
                resample.sort_by(f64::total_cmp);
                assert!((fast - place.of(&resample)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn no_resamples_and_too_many_are_refused() {
        let run =
            |resamples| resampling(resamples).run("test", || (), |(), _| 0.0).unwrap_err().code();
        assert_eq!(run(0), "too_few");
        assert_eq!(run(MAX_RESAMPLES + 1), "work_limit");
    }
}
