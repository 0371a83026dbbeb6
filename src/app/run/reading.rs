//! A metric's number over a window while the campaign runs, by the rules of the verdict.
//!
//! Owns the window that is read at a moment, and the healthy band. Builds a campaign of one iteration around the
//! question, so that `summary` answers it.

use std::sync::Arc;

use crate::app::run::telemetry::Telemetry;
use crate::frame::{Frame, FrameSource, SourceFailure, Wanted};
use crate::run::{Arm, Campaign, Iteration, RunRecord};
use crate::spec::{AbortRule, Experiment, Measure, Metric, Reduce};
use crate::summary::{self, MetricSummary};
use crate::unit::{Span, Timestamp, Window};

/// Shares, quantiles and rates are read over no more than this: rules speak of minutes.
const SLICE: Span = Span::from_seconds(60);

/// Without a time to hold for, a share is read over this much, or over more if the source is slow.
const SHORT_SLICE: Span = Span::from_seconds(10);

/// The stretch of time in which a metric is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    /// The iteration's baseline.
    pub(crate) baseline: Window,
    /// The fault, or in a control iteration the end of the baseline.
    pub(crate) since: Timestamp,
    /// The moment of the question.
    pub(crate) now: Timestamp,
    /// Spacing of the source's samples.
    pub(crate) step: Span,
}

impl Stretch {
    /// The baseline and what has passed since, as an iteration of a campaign.
    fn campaign(&self, from: Timestamp) -> Campaign {
        let end = Timestamp::from_milliseconds(
            self.now.milliseconds().max(from.milliseconds().saturating_add(1)),
        );
        let iteration = Iteration {
            index: 1,
            arm: Arm::Control,
            baseline: self.baseline,
            fault: None,
            experiment: Window { start: from, end },
            detected_at: None,
            remediated_at: None,
            recovered_at: None,
            aborted: None,
        };
        Campaign::join(vec![RunRecord {
            schema: crate::run::record::SCHEMA.to_owned(),
            run_id: "live".to_owned(),
            experiment: String::new(),
            experiment_digest: None,
            started_at: self.baseline.start,
            ended_at: None,
            origin: None,
            iterations: vec![iteration],
            events: Vec::new(),
            audit: None,
        }])
    }
}

/// A metric's two numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) baseline: Option<f64>,
    pub(crate) now: Option<f64>,
}

/// The metric over its baseline, and over the last moments as a rule looks at it.
pub(crate) fn numbers(
    experiment: &Experiment,
    metric: &Metric,
    slice: Span,
    stretch: Stretch,
    telemetry: &dyn Telemetry,
) -> Result<Numbers, String> {
    let slice = slice_of(metric, slice, stretch.step);
    let from = stretch.now.minus(slice);
    let latest = latest(metric);
    let measured = measured(experiment, &latest, &stretch.campaign(from), telemetry)?;
    let now = measured.iterations.first().and_then(|iteration| iteration.experiment.value.ok());
    // The baseline is reduced as the document says, the present as it is.
    let campaign = stretch.campaign(from);
    let before = self::measured(experiment, metric, &campaign, telemetry)?;
    let baseline = before.iterations.first().and_then(|iteration| iteration.baseline.value.ok());
    Ok(Numbers { baseline, now })
}

/// How long a rule looks back: its own time, up to a minute.
pub(crate) fn slice(rule: &AbortRule) -> Span {
    if rule.consecutive == Span::ZERO { SHORT_SLICE } else { rule.consecutive.min(SLICE) }
}

fn slice_of(metric: &Metric, wanted: Span, step: Span) -> Span {
    match metric.measure {
        // The value that is held now.
        Measure::Gauge { .. } | Measure::Query { .. } => step.times(3),
        Measure::Ratio { .. }
        | Measure::Histogram { .. }
        | Measure::Counter { .. }
        | Measure::Samples { .. }
        | Measure::Balance { .. } => wanted.max(step.times(3)),
    }
}

/// The metric as it is read at a moment: the last value of a gauge, and however few requests there were.
fn latest(metric: &Metric) -> Metric {
    let mut latest = metric.clone();
    latest.worst = None;
    match &mut latest.measure {
        Measure::Gauge { reduce, .. } | Measure::Query { reduce, .. } => *reduce = Reduce::Last,
        Measure::Ratio { min_requests, .. } => *min_requests = 1,
        Measure::Histogram { .. }
        | Measure::Counter { .. }
        | Measure::Samples { .. }
        | Measure::Balance { .. } => {}
    }
    latest
}

fn measured(
    experiment: &Experiment,
    metric: &Metric,
    campaign: &Campaign,
    telemetry: &dyn Telemetry,
) -> Result<MetricSummary, String> {
    let frames = |session, wanted: Wanted<'_>| telemetry.frame(session, wanted);
    summary::summarise(metric, campaign, experiment, &Borrowed(&frames))
        .map_err(|error| error.to_string())
}

/// How the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WellBeing {
    /// Inside its healthy band, since then.
    Since(Timestamp),
    /// Outside, or nothing was seen lately.
    Unwell,
    /// There is no band: nothing is known of the baseline.
    Unmeasured,
}

/// How the service is, by the signal of its recovery.
pub(crate) fn well_being(
    experiment: &Experiment,
    stretch: Stretch,
    telemetry: &dyn Telemetry,
) -> Result<WellBeing, String> {
    let Some(document) = &experiment.recovery else { return Ok(WellBeing::Unmeasured) };
    let Some(signal) = experiment.metrics.iter().find(|metric| metric.name == document.signal)
    else {
        return Ok(WellBeing::Unmeasured);
    };
    let campaign = stretch.campaign(stretch.since);
    let frames = |session, wanted: Wanted<'_>| telemetry.frame(session, wanted);
    let frames = Borrowed(&frames);
    let failed = |error: summary::SummaryError| error.to_string();
    let metrics = [summary::summarise(signal, &campaign, experiment, &frames).map_err(failed)?];
    // Only the signal matters here: signs of detection may be anywhere.
    let mut alone = experiment.clone();
    if let Some(recovery) = &mut alone.recovery {
        recovery.detected_by = None;
        recovery.remediated_by = None;
    }
    let recovery = summary::recovery(&alone, &campaign, &metrics, &frames).map_err(failed)?;
    let time = recovery.as_ref().and_then(|recovery| recovery.recover.times.first());
    let Some(time) = time.filter(|time| time.band.is_some()) else {
        return Ok(WellBeing::Unmeasured);
    };
    let numbers = numbers(experiment, signal, SHORT_SLICE, stretch, telemetry)?;
    let inside = numbers.now.is_some_and(|now| time.band.is_some_and(|band| band.holds(now)));
    if !inside {
        return Ok(WellBeing::Unwell);
    }
    let last = time
        .last_unhealthy_seconds
        .and_then(|seconds| Timestamp::from_seconds(stretch.since.seconds() + seconds));
    Ok(WellBeing::Since(last.unwrap_or(stretch.since)))
}

/// A closure as a source of frames.
struct Borrowed<'a, F>(&'a F);

impl<F> FrameSource for Borrowed<'_, F>
where
    F: Fn(u32, Wanted<'_>) -> Result<Arc<Frame>, SourceFailure>,
{
    fn frame(&self, session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        (self.0)(session, wanted)
    }
}
