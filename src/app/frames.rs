//! Hands frames from recordings to the measuring stages, each read once, and digests what was used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::frame::{Frame, FrameSource, NativeFrame, Rows, SourceFailure, Wanted};
use crate::source::metrics::{Recording, SamplesDigest};
use crate::spec::{Detection, Experiment, Measure, Metric, Remediation};

/// Frames of one piece of work, by session, metric and rows; anything else is read on demand.
pub(crate) struct Shelf<'data> {
    recordings: &'data [&'data Recording],
    held: BTreeMap<(u32, Needed), Arc<Frame>>,
    digests: &'data Digests,
}

impl<'data> Shelf<'data> {
    /// An empty shelf over the recordings of all sessions, in session order.
    pub(crate) const fn new(
        recordings: &'data [&'data Recording],
        digests: &'data Digests,
    ) -> Self {
        Self { recordings, held: BTreeMap::new(), digests }
    }

    /// The recording of a session.
    fn recording(&self, session: u32) -> &'data Recording {
        let position = usize::try_from(session).ok().and_then(|number| number.checked_sub(1));
        position
            .and_then(|position| self.recordings.get(position))
            .expect("every session of a campaign has its recording")
    }

    /// Puts a frame onto the shelf.
    pub(crate) fn put(&mut self, session: u32, frame: Arc<Frame>) {
        self.digests.add(session, &frame);
        self.held
            .insert((session, Needed { metric: frame.metric.clone(), rows: frame.rows }), frame);
    }
}

impl FrameSource for Shelf<'_> {
    fn frame(&self, session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        if let Some(frame) = self.held.get(&(session, Needed::from(wanted))) {
            return Ok(Arc::clone(frame));
        }
        let frame = Arc::new(self.recording(session).frame(wanted).map_err(SourceFailure::new)?);
        self.digests.add(session, &frame);
        Ok(frame)
    }

    fn native(&self, session: u32, metric: &str) -> Result<Arc<NativeFrame>, SourceFailure> {
        let frame = self.recording(session).native_frame(metric).map_err(SourceFailure::new)?;
        self.digests.add_native(session, &frame);
        Ok(Arc::new(frame))
    }
}

/// Digests of all samples that were used, by session.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    sessions: Mutex<BTreeMap<u32, SamplesDigest>>,
}

impl Digests {
    /// Adds a frame; a second time it changes nothing.
    fn add(&self, session: u32, frame: &Frame) {
        let mut own = SamplesDigest::default();
        own.add(frame);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.entry(session).or_default().join(own);
    }

    /// Adds native histograms, under the same rule.
    fn add_native(&self, session: u32, frame: &NativeFrame) {
        let mut own = SamplesDigest::default();
        own.add_native(frame);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.entry(session).or_default().join(own);
    }

    /// The digest of one session alone, or of all sessions in their order, joined by `+`.
    pub(crate) fn finish(&self) -> Option<String> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<String> = sessions.values().map(SamplesDigest::finish).collect();
        (!all.is_empty()).then(|| all.join("+"))
    }
}

/// A metric's series of which a piece of work is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Needed {
    metric: String,
    rows: Rows,
}

impl Needed {
    /// As a request to a recording.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted { metric: &self.metric, rows: self.rows }
    }
}

impl From<Wanted<'_>> for Needed {
    fn from(wanted: Wanted<'_>) -> Self {
        Self { metric: wanted.metric.to_owned(), rows: wanted.rows }
    }
}

impl From<String> for Needed {
    fn from(metric: String) -> Self {
        Self { metric, rows: Rows::Deduplicated }
    }
}

/// The series that a metric is measured from. Of raw samples every row is a request; everything else has one value at a
/// time.
pub(crate) fn needed_of_metric(metric: &Metric) -> Vec<Needed> {
    match &metric.measure {
        Measure::Ratio { part, total, .. } => counters(&[part.metric_name(), total.metric_name()]),
        Measure::Histogram { base, .. } => {
            let base = base.metric_name();
            let mut needed = counters(&[&format!("{base}_bucket"), &format!("{base}_count")]);
            needed.push(format!("{base}_created").into());
            unique(needed)
        }
        Measure::Samples { selector, .. } => {
            vec![Wanted::every_row(selector.metric_name()).into()]
        }
        Measure::Gauge { selector, .. } => vec![selector.metric_name().to_owned().into()],
        Measure::Counter { selector } => counters(&[selector.metric_name()]),
        Measure::Balance { incoming, outgoing } => {
            counters(&[incoming.metric_name(), outgoing.metric_name()])
        }
        Measure::Query { expression, .. } => vec![expression.clone().into()],
    }
}

/// The series from which times to detect, remediate and recover are read.
pub(crate) fn needed_of_recovery(experiment: &Experiment) -> Vec<Needed> {
    let Some(recovery) = &experiment.recovery else { return Vec::new() };
    let of_metric = |name: &str| {
        experiment
            .metrics
            .iter()
            .filter(|metric| metric.name == name)
            .flat_map(needed_of_metric)
            .collect::<Vec<Needed>>()
    };
    let mut needed = of_metric(&recovery.signal);
    match &recovery.detected_by {
        Some(Detection::Alert(_)) => needed.push("ALERTS".to_owned().into()),
        Some(Detection::Above { signal, .. } | Detection::Below { signal, .. }) => {
            needed.extend(of_metric(signal));
        }
        None => {}
    }
    match &recovery.remediated_by {
        Some(Remediation::CounterIncrease(selector)) => {
            needed.extend(counters(&[selector.metric_name()]));
        }
        Some(Remediation::GaugeBack(selector)) => {
            needed.push(selector.metric_name().to_owned().into());
        }
        None => {}
    }
    unique(needed)
}

/// Counters with the series that tell when they were born.
fn counters(names: &[&str]) -> Vec<Needed> {
    let mut all: Vec<Needed> = names.iter().map(|name| (*name).to_owned().into()).collect();
    all.push("process_start_time_seconds".to_owned().into());
    unique(all)
}

/// Sorted, each once.
fn unique(mut needed: Vec<Needed>) -> Vec<Needed> {
    needed.sort_unstable();
    needed.dedup();
    needed
}
