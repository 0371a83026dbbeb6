//! A gauge as it was held: the matching series joined at every timestamp of any of them, and reduced over windows.
//!
//! Owns holding, joining and reducing. At each timestamp the values then held (at most 2.5 steps old) are summed, or
//! their greatest, smallest or mean is taken; where none is held, or all are no finite numbers, there is no value,
//! and the joined gauge keeps a NaN at that time as the mark of the loss. The mean weighs each value by the time it
//! is held inside the window; the other reducers take the samples in `[start, end)` as they are.

use std::sync::Arc;

use crate::frame::coverage;
use crate::frame::matched::{Matched, median_spacing};
use crate::frame::rule;
use crate::frame::series::{Frame, Series};
use crate::spec::{Across, Reduce, Selector};
use crate::stats::count_to_f64;
use crate::stats::quantile::{QuantileType, sorted_quantile};
use crate::unit::{Labels, Span, Timestamp, Window};

/// The gauges that a selector means, joined into one series.
#[derive(Debug, Clone)]
pub struct Gauge {
    matched: Matched,
    /// Joined values; absent when one series matches, which is then read in place.
    joined: Option<Series>,
    step: Option<Span>,
}

impl Gauge {
    /// The gauges that a selector means; `None` when it means nothing in this recording.
    pub fn new(frame: &Arc<Frame>, selector: &Selector, across: Across) -> Option<Self> {
        Self::of(Matched::by_selector(frame, selector), across)
    }

    /// All series of a frame, summed: what a recorded query answered.
    pub fn of_query(frame: &Arc<Frame>) -> Option<Self> {
        Self::of(Matched::all(frame), Across::Sum)
    }

    fn of(matched: Matched, across: Across) -> Option<Self> {
        let step = matched.step();
        let mut series = matched.series();
        series.next()?;
        let joined = series.next().map(|_| join(matched.series(), across, step));
        drop(series);
        Some(Self { matched, joined, step })
    }

    /// The joined values; a value that is no finite number marks a loss.
    pub fn series(&self) -> &Series {
        match &self.joined {
            Some(joined) => joined,
            None => self.matched.series().next().expect("a gauge is made of at least one series"),
        }
    }

    /// Median spacing of the samples of the matching series.
    pub fn step(&self) -> Option<Span> {
        self.step
    }

    /// The frame that it comes from.
    pub fn frame(&self) -> &Arc<Frame> {
        self.matched.frame()
    }

    /// Labels of the matching series that have a sample inside a window.
    pub fn labels_seen(&self, window: Window) -> impl Iterator<Item = &Labels> {
        self.matched
            .series()
            .filter(move |series| series.has_sample_in(window))
            .map(|series| &series.labels)
    }

    /// Share of the window during which a value was held.
    pub fn coverage(&self, window: Window) -> f64 {
        coverage::coverage(std::iter::once(self.series()), window, self.step)
    }

    /// Whether more than 3 steps without a value reach into a range.
    pub fn has_gap(&self, range: Window) -> bool {
        coverage::has_gap(std::iter::once(self.series()), range, self.step)
    }

    /// One number for a window; `None` when there is nothing to reduce.
    pub fn reduce(&self, window: Window, reduce: Reduce) -> Option<f64> {
        match reduce {
            Reduce::Mean => held_mean(self.series(), window, self.step?),
            Reduce::Max => finite_values(self.series(), window).max_by(f64::total_cmp),
            Reduce::Min => finite_values(self.series(), window).min_by(f64::total_cmp),
            Reduce::Last => finite_values(self.series(), window).last(),
            Reduce::Median => sample_quantile(self.series(), window, 0.5),
            Reduce::Quantile(p) => sample_quantile(self.series(), window, p),
        }
    }
}

/// The finite values of the samples in `[start, end)`, oldest first.
pub fn finite_values(series: &Series, window: Window) -> impl DoubleEndedIterator<Item = f64> {
    let inside = series.first_at_or_after(window.start)..series.first_at_or_after(window.end);
    series.values[inside].iter().copied().filter(|value| value.is_finite())
}

/// Quantile (type 7) of the finite samples in a window; `None` without any. Cost: O(n log n).
pub fn sample_quantile(series: &Series, window: Window, p: f64) -> Option<f64> {
    let mut values: Vec<f64> = finite_values(series, window).collect();
    values.sort_unstable_by(f64::total_cmp);
    sorted_quantile(&values, p, QuantileType::LinearModes).ok()
}

/// Mean of a series over a window, each value weighted by the time it is held inside the window.
///
/// The sum is taken around the first value, so that the mean of a constant is that constant to the last bit.
fn held_mean(series: &Series, window: Window, step: Span) -> Option<f64> {
    let (start, end) = (window.start.milliseconds(), window.end.milliseconds());
    let longest = rule::hold(step).milliseconds();
    let mut anchor = None;
    let mut weighted = 0.0;
    let mut held = 0_i64;
    let from = series.last_at_or_before(window.start).unwrap_or_default();
    for at in from..series.first_at_or_after(window.end) {
        let (time, value) = (series.times[at], series.values[at]);
        let next = series.times.get(at + 1).copied().unwrap_or(i64::MAX);
        let span = next.min(time.saturating_add(longest)).min(end) - time.max(start);
        if span > 0 && value.is_finite() {
            let first = *anchor.get_or_insert(value);
            weighted += (value - first) * Span::from_milliseconds(span).seconds();
            held += span;
        }
    }
    anchor.map(|first| first + weighted / Span::from_milliseconds(held).seconds())
}

/// Joins series at every timestamp of any of them over the values then held.
///
/// Cost: O(T·k) for k series that share T timestamps; series are added in the order given, so that the last bits do
/// not depend on anything else.
pub fn join<'series>(
    series: impl Iterator<Item = &'series Series>,
    across: Across,
    step: Option<Span>,
) -> Series {
    let all: Vec<&Series> = series.collect();
    let times = union_of_times(&all);
    let longest = step.map_or(0, |step| rule::hold(step).milliseconds());
    let mut values = vec![f64::NAN; times.len()];
    let mut held = vec![0_usize; times.len()];
    for one in &all {
        let mut at = one.times.first().map_or(0, |first| times.partition_point(|t| t < first));
        for (position, (time, value)) in one.times.iter().zip(&one.values).enumerate() {
            let next = one.times.get(position + 1).copied().unwrap_or(i64::MAX);
            while at < times.len() && times[at] < next {
                if value.is_finite() && times[at] - time <= longest {
                    values[at] = joined(values[at], *value, held[at], across);
                    held[at] += 1;
                }
                at += 1;
            }
        }
    }
    if across == Across::Mean {
        for (value, count) in values.iter_mut().zip(&held) {
            if *count > 0 {
                *value /= count_to_f64(*count);
            }
        }
    }
    Series { labels: Labels::default(), times, values }
}

/// What was joined so far with one more value.
fn joined(so_far: f64, value: f64, held: usize, across: Across) -> f64 {
    if held == 0 {
        return value;
    }
    match across {
        Across::Sum | Across::Mean => so_far + value,
        Across::Max if value > so_far => value,
        Across::Min if value < so_far => value,
        Across::Max | Across::Min => so_far,
    }
}

/// All timestamps of any series, sorted and each once. Series scraped together share theirs, which is looked at
/// first. Cost: O(n), or O(n log n) where timestamps differ.
fn union_of_times(series: &[&Series]) -> Vec<i64> {
    let Some((first, rest)) = series.split_first() else { return Vec::new() };
    let mut times = first.times.clone();
    for one in rest {
        if one.times != first.times {
            times.extend_from_slice(&one.times);
        }
    }
    times.sort_unstable();
    times.dedup();
    times
}

/// A joined series from series made on the spot (rates), with the step of their timestamps.
pub fn join_all(series: &[Series], step: Option<Span>) -> Series {
    let step = step.or_else(|| median_spacing(series.iter()));
    join(series.iter(), Across::Sum, step)
}

/// The last finite sample before a moment.
pub fn last_before(series: &Series, moment: Timestamp) -> Option<f64> {
    let past = series.first_at_or_after(moment);
    series.values[..past].iter().rev().copied().find(|value| value.is_finite())
}
