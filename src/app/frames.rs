//! Hands frames from recordings to the measuring stages, each read once, and digests what was used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::frame::{Frame, FrameSource, SourceFailure};
use crate::source::metrics::{Recording, SamplesDigest};
use crate::spec::{Detection, Experiment, Measure, Metric, Remediation};

/// Frames of one piece of work, by session and metric; anything else is read on demand.
pub(crate) struct Shelf<'data> {
    recordings: &'data [&'data Recording],
    held: BTreeMap<(u32, String), Arc<Frame>>,
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

    /// Puts a frame onto the shelf.
    pub(crate) fn put(&mut self, session: u32, frame: Arc<Frame>) {
        self.digests.add(session, &frame);
        self.held.insert((session, frame.metric.clone()), frame);
    }
}

impl FrameSource for Shelf<'_> {
    fn frame(&self, session: u32, metric: &str) -> Result<Arc<Frame>, SourceFailure> {
        if let Some(frame) = self.held.get(&(session, metric.to_owned())) {
            return Ok(Arc::clone(frame));
        }
        let position = usize::try_from(session).ok().and_then(|number| number.checked_sub(1));
        let recording = position
            .and_then(|position| self.recordings.get(position))
            .expect("every session of a campaign has its recording");
        let frame = Arc::new(recording.frame(metric).map_err(SourceFailure::new)?);
        self.digests.add(session, &frame);
        Ok(frame)
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

    /// The digest of one session alone, or of all sessions in their order, joined by `+`.
    pub(crate) fn finish(&self) -> Option<String> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<String> = sessions.values().map(SamplesDigest::finish).collect();
        (!all.is_empty()).then(|| all.join("+"))
    }
}

/// Names of the series that a metric is measured from.
pub(crate) fn names_of_metric(metric: &Metric) -> Vec<String> {
    match &metric.measure {
        Measure::Ratio { part, total, .. } => counters(&[part.metric_name(), total.metric_name()]),
        Measure::Histogram { base, .. } => {
            let base = base.metric_name();
            let mut names = counters(&[&format!("{base}_bucket"), &format!("{base}_count")]);
            names.push(format!("{base}_created"));
            unique(names)
        }
        Measure::Gauge { selector, .. } | Measure::Samples { selector, .. } => {
            vec![selector.metric_name().to_owned()]
        }
        Measure::Counter { selector } => counters(&[selector.metric_name()]),
        Measure::Balance { incoming, outgoing } => {
            counters(&[incoming.metric_name(), outgoing.metric_name()])
        }
        Measure::Query { expression, .. } => vec![expression.clone()],
    }
}

/// Names of the series from which times to detect, remediate and recover are read.
pub(crate) fn names_of_recovery(experiment: &Experiment) -> Vec<String> {
    let Some(recovery) = &experiment.recovery else { return Vec::new() };
    let of_metric = |name: &str| {
        experiment
            .metrics
            .iter()
            .filter(|metric| metric.name == name)
            .flat_map(names_of_metric)
            .collect::<Vec<String>>()
    };
    let mut names = of_metric(&recovery.signal);
    match &recovery.detected_by {
        Some(Detection::Alert(_)) => names.push("ALERTS".to_owned()),
        Some(Detection::Above { signal, .. } | Detection::Below { signal, .. }) => {
            names.extend(of_metric(signal));
        }
        None => {}
    }
    match &recovery.remediated_by {
        Some(Remediation::CounterIncrease(selector)) => {
            names.extend(counters(&[selector.metric_name()]));
        }
        Some(Remediation::GaugeBack(selector)) => names.push(selector.metric_name().to_owned()),
        None => {}
    }
    unique(names)
}

/// Counters with the series that tell when they were born.
fn counters(names: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    all.push("process_start_time_seconds".to_owned());
    unique(all)
}

/// Sorted, each once.
fn unique(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}
