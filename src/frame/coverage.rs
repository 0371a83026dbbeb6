//! How much of a window was observed, and where it was not.
//!
//! A sample holds until the next one, at most 2.5 steps, or until the window ends; coverage is the held time over the
//! window's length, united over the matching series. A sample that is not a finite number holds nothing and ends
//! the hold of the one before it: it says that there is no value from here on.

use crate::frame::rule;
use crate::frame::series::Series;
use crate::unit::{Span, Window};

/// A stretch of time in milliseconds, `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    start: i64,
    end: i64,
}

/// Held time over window length, united over the series; between 0 and 1.
///
/// Without a step nothing says how long a sample holds: the coverage is 0. Cost: O(samples in the window); series
/// after one that covers the whole window are not looked at.
pub fn coverage<'series>(
    series: impl Iterator<Item = &'series Series>,
    window: Window,
    step: Option<Span>,
) -> f64 {
    let length = window.length().milliseconds();
    let Some(step) = step else { return 0.0 };
    if length <= 0 {
        return 0.0;
    }
    let mut held: Vec<Stretch> = Vec::new();
    for one in series {
        let before = held.len();
        push_held(one, window, step, &mut held);
        if total(&held[before..]) == length {
            return 1.0;
        }
    }
    held.sort_unstable();
    let mut covered = 0;
    let mut reached = window.start.milliseconds();
    for stretch in held {
        if stretch.end > reached {
            covered += stretch.end - stretch.start.max(reached);
            reached = stretch.end;
        }
    }
    Span::from_milliseconds(covered).seconds() / window.length().seconds()
}

/// Whether some time in `range` lies in a gap of more than 3 steps: between two neighbouring samples of the united
/// series, or at an end of the recording. Samples that are not finite numbers do not count.
pub fn has_gap<'series>(
    series: impl Iterator<Item = &'series Series>,
    range: Window,
    step: Option<Span>,
) -> bool {
    let Some(step) = step else { return true };
    let longest = rule::gap(step).milliseconds();
    let mut times: Vec<i64> = Vec::new();
    for one in series {
        let before = times.len();
        push_times_around(one, range, &mut times);
        if !gap_among(&times[before..], range, longest) {
            return false;
        }
    }
    times.sort_unstable();
    gap_among(&times, range, longest)
}

/// Adds the stretches of the window that samples of one series hold, in order and without overlap.
fn push_held(series: &Series, window: Window, step: Span, held: &mut Vec<Stretch>) {
    let (start, end) = (window.start.milliseconds(), window.end.milliseconds());
    let longest = rule::hold(step).milliseconds();
    let first = series.last_at_or_before(window.start);
    let past = series.first_at_or_after(window.end);
    for at in first.unwrap_or_default()..past {
        if !series.values[at].is_finite() {
            continue;
        }
        let time = series.times[at];
        let next = series.times.get(at + 1).copied().unwrap_or(i64::MAX);
        let stretch = Stretch {
            start: time.max(start),
            end: next.min(time.saturating_add(longest)).min(end),
        };
        if stretch.start < stretch.end {
            held.push(stretch);
        }
    }
}

/// Length of stretches that do not overlap.
fn total(stretches: &[Stretch]) -> i64 {
    stretches.iter().map(|stretch| stretch.end - stretch.start).sum()
}

/// Adds the times of the finite samples in a range, with the neighbours just outside it.
fn push_times_around(series: &Series, range: Window, times: &mut Vec<i64>) {
    let finite = |at: &usize| series.values[*at].is_finite();
    let from = series.first_at_or_after(range.start);
    let past = series.first_at_or_after(range.end);
    let before = (0..from).rev().find(finite);
    let after = (past..series.times.len()).find(finite);
    let inside = (from..past).filter(finite);
    times.extend(before.into_iter().chain(inside).chain(after).map(|at| series.times[at]));
}

/// Whether sorted times leave a gap that reaches into a range; beyond the first and last time only the part inside
/// the range counts.
fn gap_among(times: &[i64], range: Window, longest: i64) -> bool {
    let (start, end) = (range.start.milliseconds(), range.end.milliseconds());
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return end - start > longest;
    };
    first.min(&end) - start > longest
        || end - last.max(&start) > longest
        || times
            .windows(2)
            .any(|pair| pair[1] - pair[0] > longest && pair[0] < end && pair[1] > start)
}
