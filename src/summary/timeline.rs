//! Points for charts: at most 300 stretches of equal length per iteration.
//!
//! Owns the stretches and how samples in them become one point. Refuses to decide anything: nothing reads a timeline but
//! charts.

use crate::frame::Series;
use crate::frame::gauge::finite_values;
use crate::run::Iteration;
use crate::stats::count_to_f64;
use crate::summary::value::{TIMELINE_POINTS, TimelinePoint};
use crate::unit::{Span, Window};

/// Stretches of equal length from an iteration's baseline to the end of its experiment window; the last one may be
/// shorter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretches {
    range: Window,
    length: Span,
}

impl Stretches {
    /// The stretches of an iteration: one step long, or longer where that would be more than 300.
    pub(crate) fn of(iteration: &Iteration, step: Option<Span>) -> Self {
        let range = Window { start: iteration.baseline.start, end: iteration.experiment.end };
        let most = i64::try_from(TIMELINE_POINTS).unwrap_or(i64::MAX);
        let total = range.length().milliseconds();
        let shortest = (total + most - 1) / most;
        let step = step.map_or(shortest, Span::milliseconds);
        let length = Span::from_milliseconds(shortest.max(step).max(1));
        Self { range, length }
    }

    /// From the first stretch's start to the last one's end.
    pub(crate) fn range(self) -> Window {
        self.range
    }

    /// The stretches in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Window> {
        let mut start = self.range.start;
        std::iter::from_fn(move || {
            let stretch = Window { start, end: start.plus(self.length).min(self.range.end) };
            start = start.plus(self.length);
            (stretch.start < self.range.end).then_some(stretch)
        })
    }

    /// One point per stretch that has samples.
    pub(crate) fn of_samples(self, series: &Series) -> Vec<TimelinePoint> {
        self.iter().filter_map(|stretch| point(stretch, finite_values(series, stretch))).collect()
    }

    /// One point per stretch that has a number.
    pub(crate) fn of_windows(
        self,
        mut read: impl FnMut(Window) -> Option<f64>,
    ) -> Vec<TimelinePoint> {
        self.iter()
            .filter_map(|stretch| {
                let value = read(stretch).filter(|value| value.is_finite())?;
                Some(TimelinePoint { at: stretch.start, min: value, mean: value, max: value })
            })
            .collect()
    }
}

/// Smallest, mean and greatest of some values; `None` without any.
pub(crate) fn point(stretch: Window, values: impl Iterator<Item = f64>) -> Option<TimelinePoint> {
    let mut count = 0;
    let mut sum = 0.0;
    let mut range: Option<(f64, f64)> = None;
    for value in values {
        count += 1;
        sum += value;
        range = Some(range.map_or((value, value), |(least, most)| {
            (if value < least { value } else { least }, if value > most { value } else { most })
        }));
    }
    let (min, max) = range?;
    // Rounding must not push the mean of equal values out of their range.
    let mean = (sum / count_to_f64(count)).clamp(min, max);
    Some(TimelinePoint { at: stretch.start, min, mean, max })
}
