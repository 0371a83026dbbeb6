//! What was measured lately, for those who must decide while it goes on.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::batch::{CollectedSample, CollectedSeries};
use crate::frame::{Frame, FrameSource, Series, SourceFailure, Wanted};
use crate::unit::{Labels, Span, Timestamp};

/// The samples of a span, by series.
#[derive(Debug)]
pub(super) struct Memory {
    span: Span,
    /// By the address of the shared name, which is kept here and so stays its own.
    series: HashMap<usize, Remembered>,
    newest: Option<Timestamp>,
    /// When series that ended were last dropped.
    swept: Option<Timestamp>,
}

/// The samples of a metric's series.
type BySeries<'labels> = BTreeMap<&'labels Labels, Vec<(i64, f64)>>;

#[derive(Debug)]
struct Remembered {
    series: Arc<CollectedSeries>,
    samples: VecDeque<(i64, f64)>,
}

impl Memory {
    pub(super) fn new(span: Span) -> Self {
        Self { span, series: HashMap::new(), newest: None, swept: None }
    }

    /// Takes samples, and gives up those that are older than the span.
    pub(super) fn remember(&mut self, samples: &[CollectedSample]) {
        if self.span == Span::ZERO {
            return;
        }
        self.newest = self.newest.max(samples.iter().map(|sample| sample.at).max());
        let Some(newest) = self.newest else { return };
        let oldest = newest.minus(self.span).milliseconds();
        for sample in samples {
            let key = Arc::as_ptr(&sample.series).addr();
            let remembered = self.series.entry(key).or_insert_with(|| Remembered {
                series: Arc::clone(&sample.series),
                samples: VecDeque::new(),
            });
            remembered.samples.push_back((sample.at.milliseconds(), sample.value));
            while remembered.samples.front().is_some_and(|(at, _)| *at < oldest) {
                remembered.samples.pop_front();
            }
        }
        if self.swept.is_none_or(|swept| newest.since(swept) > self.span) {
            self.swept = Some(newest);
            self.series.retain(|_, one| one.samples.back().is_some_and(|(at, _)| *at >= oldest));
        }
    }

    /// The samples of the last `window` before the newest one.
    pub(super) fn latest(&self, window: Span) -> Recent {
        let oldest = self.newest.map(|newest| newest.minus(window).milliseconds());
        let mut metrics: BTreeMap<&str, BySeries<'_>> = BTreeMap::new();
        #[expect(
            clippy::iter_over_hash_type,
            reason = "metrics and series are sorted by name, samples by time"
        )]
        for one in self.series.values() {
            let wanted = one.samples.iter().filter(|(at, _)| Some(*at) >= oldest);
            let samples = metrics
                .entry(one.series.metric.as_str())
                .or_default()
                .entry(&one.series.labels)
                .or_default();
            samples.extend(wanted);
        }
        let frames = metrics.into_iter().map(|(metric, series)| {
            let mut frame = Frame { metric: metric.to_owned(), ..Frame::default() };
            for (labels, samples) in series.into_iter().filter(|(_, samples)| !samples.is_empty()) {
                let (series, conflicts) = Series::from_unordered(labels.clone(), samples);
                frame.series.push(series);
                frame.conflicting_duplicates += conflicts;
            }
            (metric.to_owned(), Arc::new(frame))
        });
        Recent { frames: frames.collect(), newest: self.newest }
    }
}

/// Samples of the last while, as frames. It does not change while more is collected.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recent {
    frames: BTreeMap<String, Arc<Frame>>,
    newest: Option<Timestamp>,
}

impl Recent {
    /// When the newest sample of any metric was taken. While a collector runs this is at most one interval ago, even if
    /// every target is down: `up` is recorded of each attempt.
    pub const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }
}

impl FrameSource for Recent {
    fn frame(&self, _session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        Ok(self.frames.get(wanted.metric).map_or_else(
            || {
                Arc::new(Frame {
                    metric: wanted.metric.to_owned(),
                    rows: wanted.rows,
                    ..Frame::default()
                })
            },
            Arc::clone,
        ))
    }
}
