//! What a counter gained over a window.
//!
//! Owns resets, births and restarts. The increase runs from the base (the last sample at or before the start if it
//! is at most 2 steps old, else the first one after it) to the last sample at or before the end. Increments that
//! become visible with the sample exactly at the end belong to the window, those of the sample exactly at the start
//! do not: neighbouring windows add up. Nothing is extrapolated, so that counts stay whole.
//!
//! A series counts from 0 when it was born inside the window: its first sample in the recording lies inside while
//! other series of its metric (of the whole metric, not only of the selector: a first error is born beside
//! successes) already existed, or the start time that its process tells lies inside. Samples that are not finite
//! numbers are no samples.

use std::sync::Arc;

use crate::frame::coverage;
use crate::frame::matched::Matched;
use crate::frame::rule;
use crate::frame::series::{Frame, Series};
use crate::frame::start::{Lives, Starts};
use crate::spec::Selector;
use crate::unit::{Labels, Span, Timestamp, Window};

/// The counters of one metric that a selector means.
#[derive(Debug, Clone)]
pub struct Counters {
    matched: Matched,
    each: Vec<Counter>,
    step: Option<Span>,
}

/// One counter beside its samples.
#[derive(Debug, Clone)]
struct Counter {
    /// The samples that are finite numbers, if the recording has others too.
    finite: Option<Series>,
    /// Starts of its process.
    lives: Lives,
    /// Whether its first sample came after other series of the metric already existed.
    joined_late: bool,
}

/// What was gained between two moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Increase {
    /// How much, resets added back.
    pub amount: f64,
    /// Time of the earliest base; the window's start for a series that counts from 0.
    pub from: Timestamp,
    /// Time of the latest sample used.
    pub to: Timestamp,
}

impl Increase {
    /// The increase per second between the two samples used; `None` when they are one and the same.
    pub fn per_second(self) -> Option<f64> {
        let elapsed = self.to.since(self.from);
        (elapsed > Span::ZERO).then(|| self.amount / elapsed.seconds())
    }

    /// Both increases together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            amount: self.amount + other.amount,
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }
}

/// The samples of one counter that a window uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Position of the first one.
    pub(super) first: usize,
    /// Position of the last one.
    pub(super) last: usize,
    /// Whether the first one itself was gained: the counter was born inside the window.
    pub(super) from_zero: bool,
}

/// Where the summing of one series starts.
struct Base {
    /// Position of the first sample used.
    at: usize,
    /// Whether that sample itself was gained: all of it for a series that counts from 0.
    from_zero: bool,
    /// From when on the increase counts.
    from: i64,
}

impl Counters {
    /// The counters that a selector means. Cost: one pass over their samples.
    pub fn new(frame: &Arc<Frame>, selector: &Selector, starts: &Starts) -> Self {
        let matched = Matched::by_selector(frame, selector);
        let step = matched.step();
        let earliest = frame.series.iter().filter_map(first_finite).min();
        let each = matched
            .series()
            .map(|series| Counter {
                finite: finite_only(series),
                lives: starts.of(&series.labels),
                joined_late: joined_late(series, earliest, step),
            })
            .collect();
        Self { matched, each, step }
    }

    /// Whether the selector means nothing in this recording.
    pub fn is_empty(&self) -> bool {
        self.matched.is_empty()
    }

    /// Median spacing of their samples.
    pub fn step(&self) -> Option<Span> {
        self.step
    }

    /// The series themselves, by labels.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.matched.series()
    }

    /// The finite samples of each counter with what is known of it, by labels.
    fn each(&self) -> impl Iterator<Item = (&Series, &Counter)> {
        self.matched
            .series()
            .zip(&self.each)
            .map(|(series, counter)| (counter.finite.as_ref().unwrap_or(series), counter))
    }

    /// The summed increase over a window; `None` when no counter has a sample that speaks for it.
    ///
    /// Cost: O(log n) per series to find the window, plus its samples.
    pub fn increase(&self, window: Window) -> Option<Increase> {
        self.each()
            .filter_map(|(series, counter)| counter.increase(series, window, self.step))
            .reduce(Increase::plus)
    }

    /// Whether more than one counter is meant.
    pub fn are_several(&self) -> bool {
        self.each.len() > 1
    }

    /// The increase of each counter, in the order of [`Self::series`].
    pub fn increases(&self, window: Window) -> impl Iterator<Item = Option<Increase>> {
        self.each().map(move |(series, counter)| counter.increase(series, window, self.step))
    }

    /// The samples of each counter that a window uses, in the order of [`Self::series`], of counters whose samples are all
    /// finite numbers.
    pub(super) fn stretches(&self, window: Window) -> impl Iterator<Item = Option<Stretch>> {
        self.each().map(move |(series, counter)| {
            let last = series.last_at_or_before(window.end)?;
            let base = counter.base(series, window, self.step, last)?;
            Some(Stretch { first: base.at, last, from_zero: base.from_zero })
        })
    }

    /// Tells of each sample of a counter whether its process was started anew since the sample before it.
    pub(super) fn restarts(&self, counter: usize) -> impl Fn(usize) -> bool {
        let (series, counter) =
            self.each().nth(counter).expect("a counter is asked for by its own position");
        move |sample| {
            counter.lives.restarted_between(series.times[sample - 1], series.times[sample])
        }
    }

    /// Share of the window that is held by samples of any of the counters.
    pub fn coverage(&self, window: Window) -> f64 {
        coverage::coverage(self.series(), window, self.step)
    }

    /// Whether more than 3 steps without a sample reach into a range.
    pub fn has_gap(&self, range: Window) -> bool {
        coverage::has_gap(self.series(), range, self.step)
    }

    /// Labels of the counters that have a sample inside a window.
    pub fn labels_seen(&self, window: Window) -> impl Iterator<Item = &Labels> {
        self.series()
            .filter(move |series| series.has_sample_in(window))
            .map(|series| &series.labels)
    }

    /// All times at which any of the counters has a sample in `[start, end)`, sorted.
    pub fn times(&self, range: Window) -> Vec<i64> {
        let mut times: Vec<i64> = Vec::new();
        let mut first = 0;
        for (series, _) in self.each() {
            let inside = &series.times
                [series.first_at_or_after(range.start)..series.first_at_or_after(range.end)];
            // Series scraped together share their times.
            if times.is_empty() {
                first = inside.len();
                times.extend_from_slice(inside);
            } else if times[..first] != *inside {
                times.extend_from_slice(inside);
            }
        }
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Per counter, the rate between each sample in a range and the one before it, as a series at the later times.
    /// A pair further apart than a sample holds has no rate.
    pub fn rates(&self, range: Window) -> Vec<Series> {
        self.each().map(|(series, counter)| counter.rates(series, range, self.step)).collect()
    }

    /// The first sample after `after` and before `end` at which any of the counters has gained something, with the
    /// time of the sample before it.
    pub fn first_gain(&self, after: Timestamp, end: Timestamp) -> Option<Gain> {
        self.each()
            .filter_map(|(series, counter)| counter.first_gain(series, after, end))
            .min_by_key(|gain| (gain.at, std::cmp::Reverse(gain.before)))
    }
}

/// A gain of a counter: it happened after one sample and not after the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain {
    /// The sample before; for a counter that was born with the gain the moment from which on it was looked for.
    pub before: Timestamp,
    /// The sample that shows it.
    pub at: Timestamp,
}

impl Counter {
    /// The increase of one series.
    fn increase(&self, series: &Series, window: Window, step: Option<Span>) -> Option<Increase> {
        let last = series.last_at_or_before(window.end)?;
        let base = self.base(series, window, step, last)?;
        let mut amount = if base.from_zero { series.values[base.at] } else { 0.0 };
        for at in base.at + 1..=last {
            amount += self.gain(series, at);
        }
        Some(Increase {
            amount,
            from: Timestamp::from_milliseconds(base.from),
            to: Timestamp::from_milliseconds(series.times[last]),
        })
    }

    /// The base of a window whose last sample is known.
    fn base(
        &self,
        series: &Series,
        window: Window,
        step: Option<Span>,
        last: usize,
    ) -> Option<Base> {
        let start = window.start.milliseconds();
        let oldest = start - step.map_or(0, |step| rule::base_age(step).milliseconds());
        let before = series.last_at_or_before(window.start);
        if let Some(at) = before.filter(|at| series.times[*at] >= oldest) {
            return Some(Base { at, from_zero: false, from: series.times[at] });
        }
        let first = before.map_or(0, |at| at + 1);
        if first > last {
            return None;
        }
        let time = series.times[first];
        let started_inside = self.lives.started(time).is_some_and(|at| start <= at && at <= time);
        if started_inside || (first == 0 && self.joined_late) {
            return Some(Base { at: first, from_zero: true, from: start });
        }
        Some(Base { at: first, from_zero: false, from: time })
    }

    /// What was gained between the sample before `at` and the one at `at`.
    fn gain(&self, series: &Series, at: usize) -> f64 {
        let (before, now) = (series.values[at - 1], series.values[at]);
        if now < before || self.lives.restarted_between(series.times[at - 1], series.times[at]) {
            now
        } else {
            now - before
        }
    }

    /// Rates between neighbouring samples.
    fn rates(&self, series: &Series, range: Window, step: Option<Span>) -> Series {
        let longest = step.map_or(i64::MAX, |step| rule::hold(step).milliseconds());
        let mut rates = Series { labels: series.labels.clone(), ..Series::default() };
        let from = series.first_at_or_after(range.start).max(1);
        for at in from..series.first_at_or_after(range.end) {
            let elapsed = series.times[at] - series.times[at - 1];
            if elapsed <= longest {
                let seconds = Span::from_milliseconds(elapsed).seconds();
                rates.times.push(series.times[at]);
                rates.values.push(self.gain(series, at) / seconds);
            }
        }
        rates
    }

    /// The first gain of one series.
    fn first_gain(&self, series: &Series, after: Timestamp, end: Timestamp) -> Option<Gain> {
        let from = series.last_at_or_before(after).map_or(0, |at| at + 1);
        (from..series.first_at_or_after(end)).find_map(|at| {
            let now = Timestamp::from_milliseconds(series.times[at]);
            let before = match at.checked_sub(1) {
                Some(before) => {
                    let gained = self.gain(series, at) > 0.0;
                    gained.then(|| Timestamp::from_milliseconds(series.times[before]))
                }
                None => (self.joined_late && series.values[at] > 0.0).then_some(after),
            };
            before.map(|before| Gain { before, at: now })
        })
    }
}

/// Time of the first finite sample.
fn first_finite(series: &Series) -> Option<i64> {
    let at = series.values.iter().position(|value| value.is_finite())?;
    Some(series.times[at])
}

/// Whether a series' first sample came after others of its metric already existed, and not merely because its
/// target is scraped a part of a step later.
fn joined_late(series: &Series, earliest: Option<i64>, step: Option<Span>) -> bool {
    let delay = step.map_or(1, |step| rule::birth_delay(step).milliseconds().max(1));
    match (first_finite(series), earliest) {
        (Some(first), Some(earliest)) => first - earliest >= delay,
        (None, _) | (_, None) => false,
    }
}

/// A copy without the samples that are not finite numbers; `None` when there are none of them.
fn finite_only(series: &Series) -> Option<Series> {
    if series.values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut finite = Series { labels: series.labels.clone(), ..Series::default() };
    for (time, value) in series.times.iter().zip(&series.values) {
        if value.is_finite() {
            finite.times.push(*time);
            finite.values.push(*value);
        }
    }
    Some(finite)
}
