//! Counters as Prometheus reads them.
//!
//! Owns resets, increase, rate and delta over a range of samples, with the extrapolation of Prometheus 3,
//! and beside them the raw increase that is never extrapolated and stays an integer. Values follow
//! Prometheus' own rules for NaN; an empty result is `None`. It knows no labels and no staleness markers:
//! those are taken out before.

use crate::stats::count_to_f64;

/// One sample of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Milliseconds since the epoch, or since any other fixed moment.
    pub time_ms: i64,
    /// The value.
    pub value: f64,
}

/// Whether a sample exactly at the start of the range belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeftEdge {
    /// Prometheus 3: (start, end].
    Open,
    /// Prometheus 2: [start, end].
    Closed,
}

/// The range of a range selector; its end is always included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where it starts, in milliseconds.
    pub start_ms: i64,
    /// Where it ends, in milliseconds.
    pub end_ms: i64,
    /// Whether the start belongs to it.
    pub left_edge: LeftEdge,
}

impl Range {
    /// The samples inside the range, out of samples in the order of time. Cost: O(log n).
    pub fn select<'a>(&self, samples: &'a [Sample]) -> &'a [Sample] {
        let first = samples.partition_point(|sample| match self.left_edge {
            LeftEdge::Open => sample.time_ms <= self.start_ms,
            LeftEdge::Closed => sample.time_ms < self.start_ms,
        });
        let end = samples.partition_point(|sample| sample.time_ms <= self.end_ms);
        samples.get(first..end).unwrap_or(&[])
    }
}

/// `resets()`: how often the value fell from one sample to the next; `None` without a sample.
///
/// ```
/// use unfazed::stats::prom_counter::{LeftEdge, Range, Sample, resets};
/// let samples = [1.0, 2.0, 0.0, 1.0].map(|value| value).into_iter().enumerate()
///     .map(|(i, value)| Sample { time_ms: 1000 * i as i64, value }).collect::<Vec<_>>();
/// let range = Range { start_ms: -1, end_ms: 3000, left_edge: LeftEdge::Open };
/// assert_eq!(resets(&samples, range), Some(1));
/// ```
pub fn resets(samples: &[Sample], range: Range) -> Option<usize> {
    let inside = range.select(samples);
    if inside.is_empty() {
        return None;
    }
    Some(inside.windows(2).filter(|pair| pair[1].value < pair[0].value).count())
}

/// The increase of a counter over its samples, with resets added back and nothing extrapolated.
///
/// Σ of the differences, where a fall counts as a restart from 0. Integers stay integers, so binomial and
/// Poisson methods may use the result. `None` with fewer than two samples. Cost: one pass.
///
/// ```
/// use unfazed::stats::prom_counter::{Sample, raw_increase};
/// let samples = [5.0, 7.0, 1.0, 4.0].map(|value| Sample { time_ms: 0, value });
/// assert_eq!(raw_increase(&samples), Some(6.0));
/// ```
pub fn raw_increase(samples: &[Sample]) -> Option<f64> {
    if samples.len() < 2 {
        return None;
    }
    let step = |pair: &[Sample]| {
        if pair[1].value < pair[0].value { pair[1].value } else { pair[1].value - pair[0].value }
    };
    Some(samples.windows(2).map(step).sum())
}

/// What the samples of a range are taken for, and in which unit the answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Increase,
    Rate,
    Delta,
}

/// `increase()`: the extrapolated increase of a counter over the range.
///
/// The reset-corrected difference of the last and the first sample is stretched to the range: to an edge
/// that is nearer than 1.1 average spacings entirely, otherwise by half a spacing; at the start never
/// beyond the moment when the counter would have been 0. Reference: Prometheus 3,
/// `extrapolatedRate`. `None` with fewer than two samples in the range.
///
/// ```
/// use unfazed::stats::prom_counter::{LeftEdge, Range, Sample, increase};
/// let samples = [(0, 1.0), (15_000, 2.0), (30_000, 3.0)].map(|(time_ms, value)| Sample { time_ms, value });
/// let range = Range { start_ms: -25_000, end_ms: 35_000, left_edge: LeftEdge::Open };
/// assert!((increase(&samples, range).unwrap() - 2.833_333_333).abs() < 1e-9);
/// ```
pub fn increase(samples: &[Sample], range: Range) -> Option<f64> {
    extrapolated(samples, range, Reading::Increase)
}

/// `rate()`: [`increase`] per second of the range.
pub fn rate(samples: &[Sample], range: Range) -> Option<f64> {
    extrapolated(samples, range, Reading::Rate)
}

/// `delta()`: the extrapolated difference of a gauge over the range; falls are falls, not resets.
pub fn delta(samples: &[Sample], range: Range) -> Option<f64> {
    extrapolated(samples, range, Reading::Delta)
}

fn extrapolated(samples: &[Sample], range: Range, reading: Reading) -> Option<f64> {
    let inside = range.select(samples);
    let (Some(first), Some(last)) = (inside.first(), inside.last()) else {
        return None;
    };
    if inside.len() < 2 || last.time_ms <= first.time_ms {
        return None;
    }
    let mut change = last.value - first.value;
    if reading != Reading::Delta {
        // The order of addition is Prometheus' own: the difference first, then one reset after the other.
        for pair in inside.windows(2) {
            if pair[1].value < pair[0].value {
                change += pair[0].value;
            }
        }
    }
    let sampled = seconds(last.time_ms - first.time_ms);
    let spacing = sampled / count_to_f64(inside.len() - 1);
    let near = spacing * 1.1;
    let mut to_start = seconds(first.time_ms - range.start_ms);
    let mut to_end = seconds(range.end_ms - last.time_ms);
    if to_start >= near {
        to_start = spacing / 2.0;
    }
    if reading != Reading::Delta && change > 0.0 && first.value >= 0.0 {
        // A counter cannot have been below zero: it does not reach back past the moment it would be 0.
        let to_zero = sampled * (first.value / change);
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    if to_end >= near {
        to_end = spacing / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if reading == Reading::Rate {
        factor /= seconds(range.end_ms - range.start_ms);
    }
    Some(change * factor)
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 ms, that is 285,000 years")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(values: &[f64]) -> Vec<Sample> {
        (0..).step_by(1000).zip(values).map(|(time_ms, &value)| Sample { time_ms, value }).collect()
    }

    fn range(start_ms: i64, end_ms: i64) -> Range {
        Range { start_ms, end_ms, left_edge: LeftEdge::Open }
    }

    #[test]
    fn the_left_edge_is_open_in_prometheus_3_and_closed_before() {
        let samples = series(&[1.0, 2.0, 3.0]);
        assert_eq!(range(0, 2000).select(&samples).len(), 2);
        assert_eq!(
            Range { left_edge: LeftEdge::Closed, ..range(0, 2000) }.select(&samples).len(),
            3
        );
    }

    #[test]
    fn one_sample_has_no_increase_and_no_reset() {
        let samples = series(&[5.0]);
        assert_eq!(increase(&samples, range(-1, 10)), None);
        assert_eq!(raw_increase(&samples), None);
        assert_eq!(resets(&samples, range(-1, 10)), Some(0));
        assert_eq!(resets(&samples, range(0, 10)), None);
    }

    #[test]
    fn a_range_that_the_samples_fill_is_not_stretched() {
        let samples = series(&[4.0, 6.0, 1.0]);
        let found =
            increase(&samples, Range { left_edge: LeftEdge::Closed, ..range(0, 2000) }).unwrap();
        assert_eq!(found, 3.0);
        assert_eq!(
            delta(&samples, Range { left_edge: LeftEdge::Closed, ..range(0, 2000) }),
            Some(-3.0)
        );
    }

    #[test]
    fn rate_divides_by_the_range() {
        let samples = series(&[0.0, 2.0, 4.0]);
        let whole = Range { left_edge: LeftEdge::Closed, ..range(0, 2000) };
        assert_eq!(rate(&samples, whole), Some(2.0));
    }

    #[test]
    fn a_reversed_range_is_empty() {
        assert!(range(5000, 1000).select(&series(&[1.0; 9])).is_empty());
    }

    proptest! {
        #[test]
        fn the_raw_increase_counts_every_event(steps in prop::collection::vec((0_u32..9, any::<bool>()), 2..30)) {
            // A counter that adds `step` events and may restart from 0 before each sample.
            let (mut value, mut events, mut values) = (0.0, 0.0, vec![0.0]);
            for (step, restart) in steps {
                // A restart shows only if the counter falls; otherwise the lost part cannot be known.
                if restart && f64::from(step) < value {
                    value = 0.0;
                }
                value += f64::from(step);
                events += f64::from(step);
                values.push(value);
            }
            prop_assert_eq!(raw_increase(&series(&values)), Some(events));
        }

        #[test]
        fn the_extrapolated_increase_is_at_least_the_raw_one(
            values in prop::collection::vec(0.0_f64..50.0, 2..20), before in 1_i64..900, after in 0_i64..900,
        ) {
            let samples = series(&values);
            let wide = range(-before, samples[samples.len() - 1].time_ms + after);
            prop_assert!(increase(&samples, wide).unwrap() >= raw_increase(&samples).unwrap() - 1e-9);
        }
    }
}
