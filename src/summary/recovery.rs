//! Times to detect, remediate and recover, one per iteration and kind.
//!
//! Owns which moment counts from which: all seconds count from the fault (in the control arm from the start of the
//! experiment window). Times given in the run record win over the signals. Loss of data after the kill makes a time
//! [`Timing::Lost`]; what never came until the end of the window is [`Timing::Censored`]. What either means for the
//! deadline is for the verdict.

use crate::frame::{FrameSource, rule};
use crate::run::{Campaign, SessionIteration};
use crate::spec::{Experiment, Recovery};
use crate::summary::band::healthy_band;
use crate::summary::detection::detect;
use crate::summary::error::{SummaryError, seconds_after};
use crate::summary::meter::Meter;
use crate::summary::metric::until_deadline;
use crate::summary::onset::{Course, Ending, Watch, course, observed_until};
use crate::summary::reading::{after_fault, entry, given};
use crate::summary::remediation::remediate;
use crate::summary::value::{
    IterationSummary, MetricSummary, PreKillLoss, ReadingSummary, RecoverySummary, RecoveryTime,
    Timing,
};
use crate::summary::watched::{Watched, no_signal};
use crate::unit::Timestamp;

/// Times to detect, remediate and recover; `None` when the experiment has no recovery section.
///
/// `metrics` are the summaries of the experiment's metrics in any order; the signal's own baseline numbers are taken
/// from there. All iterations are in the answer, the control arm and the excluded ones included and marked.
///
/// # Errors
/// [`SummaryError`] when a series cannot be read or the named metric cannot be watched from moment to moment.
pub fn recovery(
    experiment: &Experiment,
    campaign: &Campaign,
    metrics: &[MetricSummary],
    frames: &impl FrameSource,
) -> Result<Option<RecoverySummary>, SummaryError> {
    let Some(document) = &experiment.recovery else { return Ok(None) };
    let signal = Watched::new(experiment, &document.signal, "signal", campaign, frames)?;
    let summary = metrics
        .iter()
        .find(|summary| summary.name == document.signal)
        .ok_or_else(|| no_signal(&document.signal, "signal"))?;
    let recover = recover(document, &signal, summary, campaign)?;
    Ok(Some(RecoverySummary {
        signal: document.signal.clone(),
        detect: detect(experiment, document, campaign, frames)?,
        remediate: remediate(document, campaign, frames)?,
        recover,
    }))
}

/// Times to recover.
fn recover(
    document: &Recovery,
    signal: &Watched<'_>,
    summary: &MetricSummary,
    campaign: &Campaign,
) -> Result<ReadingSummary, SummaryError> {
    let mut times = Vec::with_capacity(campaign.iterations.len());
    for (of_session, measured) in campaign.iterations.iter().zip(&summary.iterations) {
        times.push(recovery_time(document, signal, of_session, measured)?);
    }
    Ok(ReadingSummary { resolution: signal.resolution(), times })
}

/// Time to recover of one iteration.
fn recovery_time(
    document: &Recovery,
    signal: &Watched<'_>,
    of_session: &SessionIteration,
    measured: &IterationSummary,
) -> Result<RecoveryTime, SummaryError> {
    let iteration = &of_session.iteration;
    let reference = iteration.reference();
    let lost = Timing::Lost { from: 0.0 };
    let level = match measured.baseline.value {
        Ok(number) => signal.level(of_session, number, document.stable_for)?,
        Err(_) => None,
    };
    let band = healthy_band(document.healthy, level);
    let mut time = RecoveryTime { band, ..entry(of_session, lost) };
    if let Some(moment) = iteration.recovered_at {
        time.timing = given(iteration, moment);
    } else if time.excluded.is_none() {
        let unusable = band.is_none().then_some(PreKillLoss::BaselineMissing);
        time.excluded = measured.excluded.or(unusable);
    }
    let meter = signal.meter(of_session.session);
    let (Some(band), Some(step)) = (band, meter.step()) else { return Ok(time) };
    let points = signal.points(of_session.session, after_fault(iteration), document.stable_for)?;
    let watch = Watch { band, stable_for: document.stable_for, step };
    let course = course(&points, watch);
    let seconds = |at: i64| seconds_after(Timestamp::from_milliseconds(at), reference);
    time.onset_seconds = course.onset.map(seconds);
    time.relapses = course.relapses;
    time.excursions = course.excursions;
    time.last_unhealthy_seconds = course.last_unhealthy.map(seconds);
    if iteration.recovered_at.is_none() {
        let is_lost = lost_after_kill(document, meter, of_session, measured);
        let from = seconds(observed_until(&points, reference.milliseconds(), step));
        time.timing = timing(course, is_lost.then_some(from), seconds);
        time.never_departed = !is_lost && course.ending == Ending::NeverDeparted;
    }
    Ok(time)
}

/// What a course says about the time to recover; `lost_from` is set when too much of it is not known.
fn timing(course: Course, lost_from: Option<f64>, seconds: impl Fn(i64) -> f64) -> Timing {
    match (lost_from, course.ending) {
        (Some(from), _) => Timing::Lost { from },
        (None, Ending::Unseen) => Timing::Lost { from: 0.0 },
        (None, Ending::NeverDeparted) => Timing::Seen { after: 0.0, at: 0.0 },
        (None, Ending::Returned { after, at }) => {
            Timing::Seen { after: seconds(after), at: seconds(at) }
        }
        (None, Ending::NotReturned { last }) => Timing::Censored { at: seconds(last) },
    }
}

/// Whether too little of the signal is known after the kill: under 90 % of the experiment window, or with a deadline a
/// gap of more than 3 steps before it.
fn lost_after_kill(
    document: &Recovery,
    meter: &dyn Meter,
    of_session: &SessionIteration,
    measured: &IterationSummary,
) -> bool {
    let covered = measured.experiment.coverage.is_none_or(rule::covers);
    let gap = document
        .within
        .is_some_and(|within| meter.has_gap(until_deadline(&of_session.iteration, within)));
    !covered || gap
}
