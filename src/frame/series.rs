//! All series of one metric name, cleaned: sorted by time, one value per time, oldest first.
//!
//! A frame is what a source hands to the measuring rules. Times and values are kept in two parallel columns so that
//! a scan touches only what it needs.

use crate::unit::{Labels, Span, Timestamp, Window};

/// All series of one metric name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// The metric's name.
    pub metric: String,
    /// The series, sorted by labels.
    pub series: Vec<Series>,
    /// Samples that shared series and time with another of a different value; the greatest value was kept.
    pub conflicting_duplicates: u64,
}

/// One series: strictly increasing times with their values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Its labels, without the metric's name.
    pub labels: Labels,
    /// Milliseconds since the epoch, strictly increasing.
    pub times: Vec<i64>,
    /// Values at these times; NaN and infinities are kept as they were recorded.
    pub values: Vec<f64>,
}

impl Series {
    /// A series from samples in any order. Of samples that share a time the greatest value is kept; a number is
    /// greater than NaN. Returns the series and how many conflicting samples were dropped.
    pub fn from_unordered(labels: Labels, mut samples: Vec<(i64, f64)>) -> (Self, u64) {
        let sorted = samples.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !sorted {
            // Equal keys have equal bits, so that an unstable sort gives one answer for every order of the input.
            samples.sort_unstable_by(|left, right| {
                let numbers = right.1.is_nan().cmp(&left.1.is_nan());
                left.0.cmp(&right.0).then(numbers).then(left.1.total_cmp(&right.1))
            });
        }
        let mut series = Self {
            labels,
            times: Vec::with_capacity(samples.len()),
            values: Vec::with_capacity(samples.len()),
        };
        let mut conflicts = 0;
        for (time, value) in samples {
            if series.times.last() == Some(&time) {
                if let Some(last) = series.values.last_mut() {
                    if last.to_bits() != value.to_bits() {
                        conflicts += 1;
                    }
                    *last = value;
                }
            } else {
                series.times.push(time);
                series.values.push(value);
            }
        }
        (series, conflicts)
    }

    /// A series from a column of times and one of values, by the rules of [`Self::from_unordered`]. Columns that
    /// are strictly increasing already are taken as they are.
    ///
    /// # Panics
    /// If the columns differ in length.
    pub fn from_columns(labels: Labels, times: Vec<i64>, values: Vec<f64>) -> (Self, u64) {
        assert_eq!(times.len(), values.len(), "each time has one value");
        if times.windows(2).all(|pair| pair[0] < pair[1]) {
            return (Self { labels, times, values }, 0);
        }
        Self::from_unordered(labels, times.into_iter().zip(values).collect())
    }

    /// Position of the first sample at or after `at`.
    pub fn first_at_or_after(&self, at: Timestamp) -> usize {
        self.times.partition_point(|time| *time < at.milliseconds())
    }

    /// Position of the last sample at or before `at`.
    pub fn last_at_or_before(&self, at: Timestamp) -> Option<usize> {
        self.times.partition_point(|time| *time <= at.milliseconds()).checked_sub(1)
    }

    /// Whether any sample, of whatever value, lies in a window.
    pub fn has_sample_in(&self, window: Window) -> bool {
        self.first_at_or_after(window.start) < self.first_at_or_after(window.end)
    }
}

impl Frame {
    /// Median spacing of neighbouring samples over all series, in whole milliseconds; the lower one of two middle
    /// spacings. `None` without two samples in any series.
    pub fn step(&self) -> Option<Span> {
        let mut spacings: Vec<i64> = self
            .series
            .iter()
            .flat_map(|series| series.times.windows(2).map(|pair| pair[1] - pair[0]))
            .collect();
        if spacings.is_empty() {
            return None;
        }
        let middle = (spacings.len() - 1) / 2;
        let (_, median, _) = spacings.select_nth_unstable(middle);
        Some(Span::from_milliseconds(*median))
    }
}
