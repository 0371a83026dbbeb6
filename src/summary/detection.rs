//! When a fault was noticed: an alert that starts to fire, or a signal that crosses a value.
//!
//! What was already firing, or already across, when the fault came is no detection until it has stopped. Alerts are
//! judged series by series: the same alert for another instance is another alert.

use crate::frame::{Matched, Series, rule};
use crate::summary::meter::{SignalPoint, SignalReading};
use crate::unit::{Labels, Span, Timestamp, Window};

/// The name of the series in which alerts are recorded.
pub(crate) const ALERTS: &str = "ALERTS";

/// First moment of something, and the last one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstSeen {
    /// Last moment at which it was not so.
    pub(crate) after: Timestamp,
    /// First moment at which it was.
    pub(crate) at: Timestamp,
}

/// Whether a series says that an alert of this name fires.
pub(crate) fn is_firing_alert(labels: &Labels, name: &str) -> bool {
    labels.get("alertname") == name && labels.get("alertstate") == "firing"
}

/// The first time in a range that starts with the fault at which one of the alerts begins to fire. An alert has no
/// samples while it is silent, so that it began within the step before its first one.
pub(crate) fn first_alert(alerts: &Matched, range: Window) -> Option<FirstSeen> {
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
pub(crate) fn first_crossing(
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
