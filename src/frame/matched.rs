//! The series of a frame that a selector means.
//!
//! Owns the choice, the order (by labels, so that every sum over series has one order) and the step of what was
//! chosen. Keeps the frame alive and copies nothing: counters, gauges and histograms are read through it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frame::series::{Frame, Series};
use crate::spec::Selector;
use crate::unit::{Labels, Span};

/// The matching series of one frame, by labels.
#[derive(Debug, Clone)]
pub struct Matched {
    frame: Arc<Frame>,
    positions: Vec<usize>,
}

impl Matched {
    /// The series that a selector means.
    pub fn by_selector(frame: &Arc<Frame>, selector: &Selector) -> Self {
        Self::by(frame, |labels| selector.matches(labels))
    }

    /// All series of a frame.
    pub fn all(frame: &Arc<Frame>) -> Self {
        Self::by(frame, |_| true)
    }

    /// The series whose labels are meant.
    pub fn by(frame: &Arc<Frame>, meant: impl Fn(&Labels) -> bool) -> Self {
        let mut positions: Vec<usize> =
            (0..frame.series.len()).filter(|at| meant(&frame.series[*at].labels)).collect();
        positions
            .sort_by(|left, right| frame.series[*left].labels.cmp(&frame.series[*right].labels));
        Self { frame: Arc::clone(frame), positions }
    }

    /// The frame that they come from.
    pub fn frame(&self) -> &Arc<Frame> {
        &self.frame
    }

    /// Whether the selector means nothing here.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The matching series, by labels.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.positions.iter().map(|at| &self.frame.series[*at])
    }

    /// Median spacing of neighbouring samples over the matching series, in whole milliseconds; the lower one of two
    /// middle spacings. Without two samples in any of them, the median spacing of the whole frame.
    pub fn step(&self) -> Option<Span> {
        median_spacing(self.series()).or_else(|| median_spacing(self.frame.series.iter()))
    }
}

/// The lower median of the spacings of neighbouring samples; cost O(n log d) for d different spacings.
///
/// Recordings have few different spacings, so that they are counted instead of collected.
pub fn median_spacing<'series>(series: impl Iterator<Item = &'series Series>) -> Option<Span> {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    let mut total = 0_u64;
    let mut run = (0_i64, 0_u64);
    for one in series {
        for pair in one.times.windows(2) {
            let spacing = pair[1] - pair[0];
            total += 1;
            if spacing == run.0 {
                run.1 += 1;
            } else {
                if run.1 > 0 {
                    *counts.entry(run.0).or_default() += run.1;
                }
                run = (spacing, 1);
            }
        }
    }
    if run.1 > 0 {
        *counts.entry(run.0).or_default() += run.1;
    }
    let middle = total.checked_sub(1)? / 2;
    let mut before = 0;
    counts.into_iter().find_map(|(spacing, count)| {
        before += count;
        (before > middle).then(|| Span::from_milliseconds(spacing))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counting_spacings_gives_the_median_of_the_collected_ones(
            columns in prop::collection::vec(prop::collection::btree_set(0_i64..60, 0..20), 0..4)
        ) {
            let series: Vec<Series> = columns
                .into_iter()
                .map(|times| {
                    let times: Vec<i64> = times.into_iter().collect();
                    let values = vec![0.0; times.len()];
                    Series { labels: Labels::default(), times, values }
                })
                .collect();
            let frame = Frame { metric: "x".to_owned(), series, ..Frame::default() };
            prop_assert_eq!(median_spacing(frame.series.iter()), frame.step());
        }
    }

    #[test]
    fn the_step_is_that_of_the_matching_series() {
        let series = |zone: &str, times: &[i64]| Series {
            labels: Labels::from_pairs([("zone", zone)]),
            times: times.to_vec(),
            values: vec![1.0; times.len()],
        };
        let frame = Arc::new(Frame {
            metric: "x".to_owned(),
            series: vec![
                series("b", &[0, 1000, 2000, 3000]),
                series("a", &[0, 5000]),
                series("c", &[7]),
            ],
            ..Frame::default()
        });
        let step = |text: &str| {
            Matched::by_selector(&frame, &Selector::parse(text).unwrap()).step().unwrap()
        };
        assert_eq!(step("x{zone=\"a\"}"), Span::from_seconds(5));
        assert_eq!(step("x"), Span::from_seconds(1));
        assert_eq!(
            step("x{zone=\"c\"}"),
            Span::from_seconds(1),
            "of the frame, for want of its own"
        );
    }
}
