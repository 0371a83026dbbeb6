//! Times to detect, remediate and recover, one per iteration and kind.
//!
//! Owns which moment counts from which: all seconds count from the fault (in the control arm from the start of the
//! experiment window). Times given in the run record win over the signals. Loss of data after the kill makes a time
//! [`Timing::Lost`]; what never came until the end of the window is [`Timing::Censored`]. What either means for the
//! deadline is for the verdict.

use std::collections::BTreeMap;

use crate::frame::{Counters, FrameSource, Gauge, Matched, rule};
use crate::run::{Campaign, Iteration, SessionIteration};
use crate::spec::{
    Across, Detection, Experiment, Measure, Metric, Recovery, Remediation, Selector,
};
use crate::summary::band::{BaselineLevel, healthy_band};
use crate::summary::detection::{ALERTS, FirstSeen, first_alert, first_crossing, is_firing_alert};
use crate::summary::error::{SummaryError, seconds_after};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SignalPoint, SignalReading};
use crate::summary::metric::{Bench, benches, not_injected, until_deadline};
use crate::summary::onset::{Course, Ending, Watch, course, observed_until};
use crate::summary::remediation::{first_back, first_gain};
use crate::summary::value::{
    IterationSummary, MetricSummary, PreKillLoss, ReadingSummary, RecoverySummary, RecoveryTime,
    Timing,
};
use crate::unit::{Span, Timestamp, Window};

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

/// A metric that is watched from moment to moment, set up for every session.
struct Watched<'document> {
    metric: &'document Metric,
    role: &'static str,
    benches: BTreeMap<u32, Bench>,
}

fn no_signal(metric: &str, role: &'static str) -> SummaryError {
    SummaryError::NoSignal { metric: metric.to_owned(), role }
}

impl<'document> Watched<'document> {
    fn new(
        experiment: &'document Experiment,
        name: &str,
        role: &'static str,
        campaign: &Campaign,
        frames: &impl FrameSource,
    ) -> Result<Self, SummaryError> {
        let metric = experiment
            .metrics
            .iter()
            .find(|metric| metric.name == name)
            .ok_or_else(|| no_signal(name, role))?;
        Ok(Self { metric, role, benches: benches(metric, campaign, frames)? })
    }

    fn meter(&self, session: u32) -> &dyn Meter {
        self.benches[&session].meter.as_ref()
    }

    fn resolution(&self) -> Option<Span> {
        self.benches.values().filter_map(|bench| bench.meter.step()).max()
    }

    /// The samples of a range; shares and quantiles look back over `trailing`.
    fn points(
        &self,
        session: u32,
        range: Window,
        trailing: Span,
    ) -> Result<Vec<SignalPoint>, SummaryError> {
        self.meter(session)
            .signal(range, trailing)
            .ok_or_else(|| no_signal(&self.metric.name, self.role))
    }

    /// Whether a sample tells of the time before it too.
    fn looks_back(&self) -> bool {
        match self.metric.measure {
            Measure::Ratio { .. } | Measure::Histogram { .. } => true,
            Measure::Gauge { .. }
            | Measure::Counter { .. }
            | Measure::Samples { .. }
            | Measure::Balance { .. }
            | Measure::Query { .. } => false,
        }
    }

    /// Smallest and greatest value of a baseline window. A value that looks back beyond the window's start tells of
    /// other times and is left out, unless there is no other.
    fn level(
        &self,
        of_session: &SessionIteration,
        number: f64,
        trailing: Span,
    ) -> Result<Option<BaselineLevel>, SummaryError> {
        let window = of_session.iteration.baseline;
        let points = self.points(of_session.session, window, trailing)?;
        let own = window.start.plus(if self.looks_back() { trailing } else { Span::ZERO });
        let values = |from: Timestamp| {
            points.iter().filter(move |point| point.at >= from.milliseconds()).filter_map(|point| {
                match point.reading {
                    SignalReading::Value(value) => Some(value),
                    SignalReading::NoTraffic | SignalReading::Unknown => None,
                }
            })
        };
        let from = if values(own).next().is_some() { own } else { window.start };
        let least = values(from).min_by(f64::total_cmp);
        let greatest = values(from).max_by(f64::total_cmp);
        Ok(least.zip(greatest).map(|(least, greatest)| BaselineLevel { number, least, greatest }))
    }
}

/// An entry without anything seen.
fn entry(of_session: &SessionIteration, timing: Timing) -> RecoveryTime {
    let iteration = &of_session.iteration;
    RecoveryTime {
        index: of_session.index,
        session: of_session.session,
        arm: iteration.arm,
        excluded: not_injected(iteration).then_some(PreKillLoss::NotInjected),
        aborted: iteration.aborted.as_ref().map(|abort| abort.at),
        timing,
        never_departed: false,
        onset_seconds: None,
        relapses: 0,
        excursions: 0,
        last_unhealthy_seconds: None,
        band: None,
    }
}

/// A time that the run record gives.
fn given(iteration: &Iteration, moment: Timestamp) -> Timing {
    let at = seconds_after(moment, iteration.reference());
    Timing::Seen { after: at, at }
}

/// From the fault to the end of the experiment window.
fn after_fault(iteration: &Iteration) -> Window {
    Window { start: iteration.reference(), end: iteration.experiment.end }
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

/// The entry of an iteration for which something was looked for among signals. `Absent` when nothing could be.
enum Looked {
    /// It came.
    Seen(FirstSeen),
    /// It did not come until the end of the window.
    NotSeen,
    /// Nobody recorded what would have shown it.
    Absent,
}

impl Looked {
    fn of(first: Option<FirstSeen>) -> Self {
        first.map_or(Self::NotSeen, Self::Seen)
    }
}

/// One entry per iteration: as given, else as looked for.
fn reading(
    campaign: &Campaign,
    resolution: Option<Span>,
    given_at: impl Fn(&Iteration) -> Option<Timestamp>,
    mut look: impl FnMut(&SessionIteration) -> Result<Looked, SummaryError>,
) -> Result<ReadingSummary, SummaryError> {
    let mut times = Vec::with_capacity(campaign.iterations.len());
    for of_session in &campaign.iterations {
        let iteration = &of_session.iteration;
        let seconds = |moment: Timestamp| seconds_after(moment, iteration.reference());
        let timing = match given_at(iteration) {
            Some(moment) => given(iteration, moment),
            None => match look(of_session)? {
                Looked::Seen(first) => {
                    Timing::Seen { after: seconds(first.after), at: seconds(first.at) }
                }
                Looked::NotSeen => Timing::Censored { at: seconds(iteration.experiment.end) },
                Looked::Absent => Timing::Lost { from: 0.0 },
            },
        };
        times.push(entry(of_session, timing));
    }
    Ok(ReadingSummary { resolution, times })
}

/// Times to detect; `None` when the document names no sign and the run record gives no time.
fn detect(
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

/// Times that only the run record knows.
fn only_given(
    campaign: &Campaign,
    given_at: impl Fn(&Iteration) -> Option<Timestamp>,
) -> Result<Option<ReadingSummary>, SummaryError> {
    let any = campaign.iterations.iter().any(|of| given_at(&of.iteration).is_some());
    if !any {
        return Ok(None);
    }
    reading(campaign, None, given_at, |_| Ok(Looked::Absent)).map(Some)
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

/// Times to remediate; `None` when the document names no sign and the run record gives no time.
fn remediate(
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

/// The series that show a remediation.
fn sign_of<S: FrameSource>(
    sign: &Remediation,
    loader: &mut Loader<'_, S>,
) -> Result<Sign, SummaryError> {
    let gauge = |frame: &_, selector: &Selector| Gauge::new(frame, selector, Across::Sum);
    Ok(match sign {
        Remediation::CounterIncrease(selector) => Sign::Gain(loader.counters(selector)?),
        Remediation::GaugeBack(selector) => {
            Sign::Back(gauge(&loader.frame(selector.metric_name())?, selector))
        }
    })
}
