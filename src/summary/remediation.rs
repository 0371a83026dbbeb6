//! When a fault was repaired: a counter that goes up after it, or a gauge that left its value and is back at it.

use std::collections::BTreeMap;

use crate::frame::gauge::last_before;
use crate::frame::{Counters, FrameSource, Gauge, Series};
use crate::run::{Campaign, Iteration, SessionIteration};
use crate::spec::{Across, Recovery, Remediation};
use crate::summary::detection::FirstSeen;
use crate::summary::error::SummaryError;
use crate::summary::load::Loader;
use crate::summary::reading::{Looked, after_fault, only_given, reading};
use crate::summary::value::ReadingSummary;
use crate::unit::{Span, Timestamp, Window};

/// Two values of a gauge up to this relative distance are the same value.
const SAME_VALUE: f64 = 1e-12;

/// Times to remediate; `None` when the document names no sign and the run record gives no time.
pub(crate) fn remediate(
    document: &Recovery,
    campaign: &Campaign,
    frames: &impl FrameSource,
) -> Result<Option<ReadingSummary>, SummaryError> {
    let given_at = |iteration: &Iteration| iteration.remediated_at;
    let Some(sign) = &document.remediated_by else { return only_given(campaign, given_at) };
    let mut signs = BTreeMap::new();
    for session in &campaign.sessions {
        let mut loader = Loader::new(frames, session.number);
        signs.insert(session.number, sign_of(sign, &mut loader)?);
    }
    let resolution = signs.values().filter_map(Sign::step).max();
    let look = |of_session: &SessionIteration| {
        Ok(signs[&of_session.session].look(after_fault(&of_session.iteration)))
    };
    reading(campaign, resolution, given_at, look).map(Some)
}

/// What shows a remediation in one session.
enum Sign {
    Gain(Counters),
    Back(Option<Gauge>),
}

impl Sign {
    fn step(&self) -> Option<Span> {
        match self {
            Self::Gain(counters) => counters.step(),
            Self::Back(gauge) => gauge.as_ref()?.step(),
        }
    }

    /// What was seen of it in a range that starts with the fault.
    fn look(&self, range: Window) -> Looked {
        match self {
            Self::Gain(counters) if counters.is_empty() => Looked::Absent,
            Self::Gain(counters) => Looked::of(first_gain(counters, range)),
            Self::Back(None) => Looked::Absent,
            Self::Back(Some(gauge)) => Looked::of(first_back(gauge.series(), range)),
        }
    }
}

/// The series that show a remediation.
fn sign_of<S: FrameSource>(
    sign: &Remediation,
    loader: &mut Loader<'_, S>,
) -> Result<Sign, SummaryError> {
    Ok(match sign {
        Remediation::CounterIncrease(selector) => Sign::Gain(loader.counters(selector)?),
        Remediation::GaugeBack(selector) => {
            let frame = loader.frame(selector.metric_name())?;
            Sign::Back(Gauge::new(&frame, selector, Across::Sum))
        }
    })
}

/// The first gain of a counter in a range that starts with the fault.
fn first_gain(counters: &Counters, range: Window) -> Option<FirstSeen> {
    let gain = counters.first_gain(range.start, range.end)?;
    Some(FirstSeen { after: gain.before, at: gain.at })
}

/// The first sample in a range that starts with the fault at which a gauge is back at its last value before it, having
/// left that value. A gauge that never left it was never away.
fn first_back(series: &Series, range: Window) -> Option<FirstSeen> {
    let usual = last_before(series, range.start)?;
    let mut away: Option<i64> = None;
    for at in series.first_at_or_after(range.start)..series.first_at_or_after(range.end) {
        let (time, value) = (series.times[at], series.values[at]);
        if !value.is_finite() {
            continue;
        }
        let is_usual = (value - usual).abs() <= SAME_VALUE * usual.abs();
        match away {
            Some(after) if is_usual => {
                return Some(FirstSeen {
                    after: Timestamp::from_milliseconds(after),
                    at: Timestamp::from_milliseconds(time),
                });
            }
            Some(_) | None if !is_usual => away = Some(time),
            Some(_) | None => {}
        }
    }
    None
}
