//! All series of one metric name, cleaned: sorted by time, oldest first, and one value per time unless every row counts.
//!
//! A frame is what a source hands to the measuring rules. Times and values are kept in two parallel columns so that
//! a scan touches only what it needs.

use std::cmp::Ordering;

use crate::unit::{Labels, Span, Timestamp, Window};

/// Which rows of a series a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Rows {
    /// One per time: a series that is scraped has one value at a moment, and of duplicates the greatest stays.
    #[default]
    Deduplicated,
    /// All of them, equal ones too: each row is a request, and requests may share a millisecond.
    Every,
}

/// All series of one metric name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// The metric's name.
    pub metric: String,
    /// Which rows its series hold.
    pub rows: Rows,
    /// The series, sorted by labels.
    pub series: Vec<Series>,
    /// Samples that shared series and time with another of a different value; the greatest value was kept.
    pub conflicting_duplicates: u64,
}

/// One series: increasing times with their values; strictly increasing unless it holds every row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Its labels, without the metric's name.
    pub labels: Labels,
    /// Milliseconds since the epoch, increasing; strictly, unless the series holds every row.
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
            samples.sort_unstable_by(in_order);
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

    /// A series that keeps every row, from columns in any order: sorted by time, rows of one time by value, NaN first.
    ///
    /// # Panics
    /// If the columns differ in length.
    pub fn of_every_row(labels: Labels, times: Vec<i64>, values: Vec<f64>) -> Self {
        assert_eq!(times.len(), values.len(), "each time has one value");
        let row = |at: usize| (times[at], values[at]);
        if (1..times.len()).all(|at| in_order(&row(at - 1), &row(at)).is_le()) {
            return Self { labels, times, values };
        }
        let mut samples: Vec<(i64, f64)> = times.into_iter().zip(values).collect();
        samples.sort_unstable_by(in_order);
        let (times, values) = samples.into_iter().unzip();
        Self { labels, times, values }
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

/// The order of samples: by time, then NaN before numbers, then by value. Samples that compare equal have equal bits or
/// are NaN, so that an unstable sort gives one answer for every order of the input.
fn in_order(left: &(i64, f64), right: &(i64, f64)) -> Ordering {
    let numbers = right.1.is_nan().cmp(&left.1.is_nan());
    left.0.cmp(&right.0).then(numbers).then(left.1.total_cmp(&right.1))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stays_in_one_order_whatever_order_they_came_in() {
        let sorted = Series::of_every_row(
            Labels::default(),
            vec![1, 1, 1, 2],
            vec![f64::NAN, -0.0, 0.0, -1.0],
        );
        let shuffled = Series::of_every_row(
            Labels::default(),
            vec![2, 1, 1, 1],
            vec![-1.0, 0.0, -f64::NAN, -0.0],
        );
        assert_eq!(shuffled.times, [1, 1, 1, 2]);
        assert_eq!(sorted.times, shuffled.times);
        for (left, right) in sorted.values.iter().zip(&shuffled.values).skip(1) {
            assert_eq!(left.to_bits(), right.to_bits());
        }
        assert!(shuffled.values[0].is_nan());
    }

    #[test]
    fn equal_rows_all_stay() {
        let series = Series::of_every_row(Labels::default(), vec![5, 5, 5], vec![2.0, 1.0, 2.0]);
        assert_eq!(series.values, [1.0, 2.0, 2.0]);
    }
}
