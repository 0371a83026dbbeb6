//! Pieces of series, as they lie in one row group or file, and the frame they make together.
//!
//! A piece keeps times in the smallest of three forms, because pieces of many metrics wait side by side when a file
//! mixes metrics: 8 bytes a sample when the spacing is regular, 12 when it is not, 16 when a piece spans more than
//! 49 days.

use std::collections::BTreeMap;
use std::ops::Range;

use super::labels::{LabelTable, LabelsId};
use crate::frame::{Frame, Rows, Series, Wanted};

/// A piece of one series.
#[derive(Debug, Clone)]
pub(super) struct SeriesPart {
    /// Its labels.
    pub labels: LabelsId,
    /// Times of the samples.
    pub times: Times,
    /// Their values.
    pub values: Vec<f64>,
}

/// Times in milliseconds since the epoch.
#[derive(Debug, Clone)]
pub(super) enum Times {
    /// `start`, `start + step`, …
    Regular {
        /// The first time.
        start: i64,
        /// The spacing.
        step: i64,
        /// How many.
        count: usize,
    },
    /// Distances to the smallest time.
    Near {
        /// The smallest time.
        start: i64,
        /// Distances.
        offsets: Vec<u32>,
    },
    /// Each in full.
    Full(Vec<i64>),
}

/// What one metric has in one place.
#[derive(Debug, Clone, Default)]
pub(super) struct MetricPart {
    /// Its series, in order of appearance.
    pub series: Vec<SeriesPart>,
    /// Rows whose value was null.
    pub null_values: u64,
}

impl Times {
    /// The smallest form of `times`.
    pub(super) fn compact(times: Vec<i64>) -> Self {
        let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
            return Self::Full(times);
        };
        let step = times.get(1).map_or(0, |second| second.wrapping_sub(first));
        if times.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
            return Self::Regular { start: first, step, count: times.len() };
        }
        let start = times.iter().copied().min().unwrap_or(first);
        let end = times.iter().copied().max().unwrap_or(last);
        if end.checked_sub(start).is_none_or(|span| u32::try_from(span).is_err()) {
            return Self::Full(times);
        }
        let offsets = times
            .iter()
            .map(|time| u32::try_from(time - start).expect("the span was just checked"))
            .collect();
        Self::Near { start, offsets }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Regular { count, .. } => *count,
            Self::Near { offsets, .. } => offsets.len(),
            Self::Full(times) => times.len(),
        }
    }

    /// The smallest and the greatest time.
    pub(super) fn extent(&self) -> Option<Range<i64>> {
        let range = |mut times: Box<dyn Iterator<Item = i64> + '_>| {
            let first = times.next()?;
            Some(times.fold(first..first, |range, time| range.start.min(time)..range.end.max(time)))
        };
        match self {
            Self::Regular { count: 0, .. } => None,
            Self::Regular { start, step, count } => {
                let last = i64::try_from(*count - 1).map_or(i64::MAX, |steps| start + step * steps);
                Some(last.min(*start)..last.max(*start))
            }
            Self::Near { start, offsets } => {
                range(Box::new(offsets.iter().map(|offset| start + i64::from(*offset))))
            }
            Self::Full(times) => range(Box::new(times.iter().copied())),
        }
    }

    /// Bytes that the times take.
    fn bytes(&self) -> usize {
        match self {
            Self::Regular { .. } => 0,
            Self::Near { offsets, .. } => size_of_val(offsets.as_slice()),
            Self::Full(times) => size_of_val(times.as_slice()),
        }
    }

    /// Writes all times behind `target`.
    fn append_to(self, target: &mut Vec<i64>) {
        match self {
            Self::Regular { start, step, count } => {
                let mut time = start;
                target.extend((0..count).map(|_| {
                    let now = time;
                    time = time.wrapping_add(step);
                    now
                }));
            }
            Self::Near { start, offsets } => {
                target.extend(offsets.iter().map(|offset| start + i64::from(*offset)));
            }
            Self::Full(times) => {
                if target.is_empty() {
                    *target = times;
                } else {
                    target.extend_from_slice(&times);
                }
            }
        }
    }
}

impl MetricPart {
    /// Rows with a value.
    pub(super) fn rows(&self) -> usize {
        self.series.iter().map(|series| series.values.len()).sum()
    }

    /// Bytes that the part takes, with 32 for the allocator's share of each piece.
    pub(super) fn bytes(&self) -> usize {
        self.series
            .iter()
            .map(|series| {
                size_of::<SeriesPart>()
                    + 32
                    + series.times.bytes()
                    + size_of_val(series.values.as_slice())
            })
            .sum()
    }
}

/// The frame that `parts` make together. Order of the parts does not matter.
pub(super) fn assemble(wanted: Wanted<'_>, parts: Vec<MetricPart>, table: &LabelTable) -> Frame {
    let mut by_labels: BTreeMap<LabelsId, Vec<SeriesPart>> = BTreeMap::new();
    for series in parts.into_iter().flat_map(|part| part.series) {
        by_labels.entry(series.labels).or_default().push(series);
    }
    let mut frame =
        Frame { metric: wanted.metric.to_owned(), rows: wanted.rows, ..Frame::default() };
    for (labels, pieces) in by_labels {
        let count = pieces.iter().map(|piece| piece.times.len()).sum();
        let mut times = Vec::new();
        let mut values = Vec::new();
        let alone = pieces.len() == 1;
        if !alone {
            times.reserve_exact(count);
            values.reserve_exact(count);
        }
        for piece in pieces {
            piece.times.append_to(&mut times);
            if alone {
                values = piece.values;
            } else {
                values.extend_from_slice(&piece.values);
            }
        }
        let labels = table.labels(labels);
        let series = match wanted.rows {
            Rows::Deduplicated => {
                let (series, conflicts) = Series::from_columns(labels, times, values);
                frame.conflicting_duplicates += conflicts;
                series
            }
            Rows::Every => Series::of_every_row(labels, times, values),
        };
        frame.series.push(series);
    }
    frame.series.sort_by(|left, right| left.labels.cmp(&right.labels));
    frame
}
