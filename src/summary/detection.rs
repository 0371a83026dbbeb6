//! When a fault was noticed: an alert that starts to fire, or a signal that crosses a value.
//!
//! What was already firing, or already across, when the fault came is no detection until it has stopped. Alerts are
//! judged series by series: the same alert for another instance is another alert.

use std::collections::BTreeMap;

use crate::frame::{FrameSource, Matched, Series, rule};
use crate::run::{Campaign, Iteration};
use crate::spec::{Detection, Experiment, Recovery};
use crate::summary::error::SummaryError;
use crate::summary::load::Loader;
use crate::summary::meter::{SignalPoint, SignalReading};
use crate::summary::reading::{Looked, after_fault, only_given, reading};
use crate::summary::value::ReadingSummary;
use crate::summary::watched::Watched;
use crate::unit::{Labels, Span, Timestamp, Window};

/// The name of the series in which alerts are recorded.
pub(crate) const ALERTS: &str = "ALERTS";

/// Times to detect; `None` when the document names no sign and the run record gives no time.
pub(crate) fn detect(
    experiment: &Experiment,
    document: &Recovery,
    campaign: &Campaign,
    frames: &impl FrameSource,
) -> Result<Option<ReadingSummary>, SummaryError> {
    let given_at = |iteration: &Iteration| iteration.detected_at;
    let summary = match &document.detected_by {
        None => return only_given(campaign, given_at),
        Some(Detection::Alert(name)) => detect_by_alert(name, campaign, frames)?,
        Some(Detection::Above { signal, above }) => {
            let watched = Watched::new(experiment, signal, "detected_by", campaign, frames)?;
            crossing(&watched, document, campaign, |value| value > *above)?
        }
        Some(Detection::Below { signal, below }) => {
            let watched = Watched::new(experiment, signal, "detected_by", campaign, frames)?;
            crossing(&watched, document, campaign, |value| value < *below)?
        }
    };
    Ok(Some(summary))
}

/// Times to detect by an alert. A recording without the alert is one in which it never fired.
fn detect_by_alert(
    name: &str,
    campaign: &Campaign,
    frames: &impl FrameSource,
) -> Result<ReadingSummary, SummaryError> {
    let mut alerts = BTreeMap::new();
    for session in &campaign.sessions {
        let frame = Loader::new(frames, session.number).frame(ALERTS)?;
        let firing = Matched::by(&frame, |labels| is_firing_alert(labels, name));
        alerts.insert(session.number, firing);
    }
    let firing = alerts.values().filter(|alerts| !alerts.is_empty());
    let resolution = firing.filter_map(Matched::step).max();
    reading(
        campaign,
        resolution,
        |iteration| iteration.detected_at,
        |of_session| {
            let range = after_fault(&of_session.iteration);
            Ok(Looked::of(first_alert(&alerts[&of_session.session], range)))
        },
    )
}

/// Times to detect by a signal.
fn crossing(
    watched: &Watched<'_>,
    document: &Recovery,
    campaign: &Campaign,
    is_across: impl Fn(f64) -> bool,
) -> Result<ReadingSummary, SummaryError> {
    reading(
        campaign,
        watched.resolution(),
        |iteration| iteration.detected_at,
        |of_session| {
            let iteration = &of_session.iteration;
            // The samples before the fault tell whether the signal was across already.
            let range = Window { start: iteration.baseline.start, end: iteration.experiment.end };
            let points = watched.points(of_session.session, range, document.stable_for)?;
            let fault = iteration.reference();
            let known = points.iter().any(|point| {
                point.at >= fault.milliseconds() && point.reading != SignalReading::Unknown
            });
            Ok(if known {
                Looked::of(first_crossing(&points, fault, &is_across))
            } else {
                Looked::Absent
            })
        },
    )
}

/// First moment of something, and the last one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstSeen {
    /// Last moment at which it was not so.
    pub(crate) after: Timestamp,
    /// First moment at which it was.
    pub(crate) at: Timestamp,
}

/// Whether a series says that an alert of this name fires.
fn is_firing_alert(labels: &Labels, name: &str) -> bool {
    labels.get("alertname") == name && labels.get("alertstate") == "firing"
}

/// The first time in a range that starts with the fault at which one of the alerts begins to fire. An alert has no
/// samples while it is silent, so that it began within the step before its first one.
fn first_alert(alerts: &Matched, range: Window) -> Option<FirstSeen> {
    let step = alerts.step();
    let first = alerts.series().filter_map(|series| starts_firing(series, range, step)).min()?;
    let at = Timestamp::from_milliseconds(first);
    let after = step.map_or(range.start, |step| at.minus(step));
    Some(FirstSeen { after, at })
}

/// The first sample in a range at which one alert fires and did not just before.
fn starts_firing(series: &Series, range: Window, step: Option<Span>) -> Option<i64> {
    // A single sample has no step: nothing then says that it was still firing later.
    let hold = step.map_or(0, |step| rule::hold(step).milliseconds());
    let fires = |at: usize| series.values[at] > 0.0;
    let from = series.first_at_or_after(range.start);
    (from..series.first_at_or_after(range.end)).find_map(|at| {
        let time = series.times[at];
        let fired_before = at
            .checked_sub(1)
            .is_some_and(|before| fires(before) && time - series.times[before] <= hold);
        (fires(at) && !fired_before).then_some(time)
    })
}

/// The first sample at or after the fault at which a signal is across a value and was not at the sample before.
fn first_crossing(
    points: &[SignalPoint],
    fault: Timestamp,
    is_across: impl Fn(f64) -> bool,
) -> Option<FirstSeen> {
    let mut was_across = false;
    let mut before: Option<i64> = None;
    for point in points {
        let across = match point.reading {
            SignalReading::Value(value) => is_across(value),
            SignalReading::NoTraffic => false,
            SignalReading::Unknown => continue,
        };
        if across && !was_across && point.at >= fault.milliseconds() {
            let after = before.map_or(fault, Timestamp::from_milliseconds);
            return Some(FirstSeen { after, at: Timestamp::from_milliseconds(point.at) });
        }
        was_across = across;
        before = Some(point.at);
    }
    None
}
