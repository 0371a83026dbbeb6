//! One metric over a whole campaign: every iteration's two windows, and what keeps them from being used.
//!
//! Owns the one reason for which an iteration is excluded, the loss after the kill, and the guards (selectors that match
//! nothing, series that live on the target). How a number comes about is each measure's own business; what it is
//! worth is the verdict's.

use std::collections::BTreeMap;

use crate::frame::FrameSource;
use crate::run::{Arm, Campaign, FaultRecord, Iteration, Outcome, SessionIteration, TargetRecord};
use crate::spec::{Experiment, Measure, Metric};
use crate::summary::balance::BalanceMeter;
use crate::summary::counter::CounterMeter;
use crate::summary::error::SummaryError;
use crate::summary::gauge::GaugeMeter;
use crate::summary::histogram::HistogramMeter;
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SelectorMatch};
use crate::summary::query;
use crate::summary::ratio::{RatioMeter, RatioTerms};
use crate::summary::samples::SamplesMeter;
use crate::summary::timeline::Stretches;
use crate::summary::value::{
    IterationSummary, Loss, MetricSummary, ONLY_KILL_SAMPLES, OnlyKill, PreKillLoss, TimelinePoint,
    WindowValue,
};
use crate::summary::worst::Slicing;
use crate::unit::{Labels, Span, Window};

/// A metric set up for one session.
pub(crate) struct Bench {
    /// What reads it.
    pub(crate) meter: Box<dyn Meter>,
    /// Conflicting duplicates in its frames.
    pub(crate) conflicting_duplicates: u64,
}

/// Reduces every window of a campaign to one number of a metric.
///
/// Sessions are separate recordings: steps, births and gaps are judged within one. A selector that matches nothing in
/// any of them is [`MetricSummary::matched_nothing`]. Cost: one pass over the metric's series to set up, then a binary
/// search and the window's own samples per window.
///
/// # Errors
/// [`SummaryError`] when a series cannot be read, or when a ratio's counted part exceeds all of its events.
pub fn summarise(
    metric: &Metric,
    campaign: &Campaign,
    experiment: &Experiment,
    frames: &impl FrameSource,
) -> Result<MetricSummary, SummaryError> {
    let benches = benches(metric, campaign, frames)?;
    let deadline = experiment.recovery.as_ref().and_then(|recovery| recovery.within);
    let mut iterations = Vec::with_capacity(campaign.iterations.len());
    let mut timeline: Vec<TimelinePoint> = Vec::new();
    for of_session in &campaign.iterations {
        let bench = &benches[&of_session.session];
        iterations.push(iteration(metric, of_session, bench.meter.as_ref(), deadline)?);
        let stretches = Stretches::of(&of_session.iteration, bench.meter.step());
        timeline.extend(bench.meter.timeline(&stretches));
    }
    let meters = || benches.values().map(|bench| bench.meter.as_ref());
    let matched_nothing = matched_nothing(meters().map(Meter::selectors));
    if matched_nothing.is_some() {
        iterations.iter_mut().for_each(forget);
        timeline.clear();
    }
    let only_kill = only_kill(campaign, &benches, &iterations);
    Ok(MetricSummary {
        name: metric.name.clone(),
        matched_nothing,
        step: meters().filter_map(Meter::step).max(),
        iterations,
        conflicting_duplicates: benches.values().map(|bench| bench.conflicting_duplicates).sum(),
        missing_edge: meters().find_map(Meter::missing_edge),
        histogram_forms: meters().filter_map(Meter::forms).max(),
        measured_on_target: measured_on_target(campaign, &benches),
        timeline,
        only_kill,
    })
}

/// The metric set up for every session of a campaign.
pub(crate) fn benches(
    metric: &Metric,
    campaign: &Campaign,
    frames: &impl FrameSource,
) -> Result<BTreeMap<u32, Bench>, SummaryError> {
    let mut benches = BTreeMap::new();
    for session in &campaign.sessions {
        benches.insert(session.number, bench(metric, session.number, frames)?);
    }
    Ok(benches)
}

/// The metric set up for one session.
fn bench<S: FrameSource>(metric: &Metric, session: u32, frames: &S) -> Result<Bench, SummaryError> {
    let mut loader = Loader::new(frames, session);
    let slicing = Slicing::of(metric);
    let meter: Box<dyn Meter> = match &metric.measure {
        Measure::Ratio { part, counted, total, min_requests } => {
            let terms = RatioTerms { part, counted: *counted, total, min_requests: *min_requests };
            Box::new(RatioMeter::new(&mut loader, terms, slicing)?)
        }
        Measure::Histogram { base, quantile } => {
            let claim = metric.claim.as_ref();
            Box::new(HistogramMeter::new(&mut loader, base, *quantile, claim, slicing)?)
        }
        Measure::Gauge { selector, reduce, across } => {
            Box::new(GaugeMeter::new(&mut loader, selector, *across, *reduce, slicing)?)
        }
        Measure::Counter { selector } => {
            Box::new(CounterMeter::new(&mut loader, selector, slicing)?)
        }
        Measure::Samples { selector, quantile } => {
            Box::new(SamplesMeter::new(&loader, selector, *quantile, slicing)?)
        }
        Measure::Balance { incoming, outgoing } => {
            Box::new(BalanceMeter::new(&mut loader, incoming, outgoing)?)
        }
        Measure::Query { expression, reduce } => {
            Box::new(query::meter(&mut loader, expression, *reduce, slicing)?)
        }
    };
    Ok(Bench { meter, conflicting_duplicates: loader.conflicting_duplicates() })
}

/// The two windows of one iteration.
fn iteration(
    metric: &Metric,
    of_session: &SessionIteration,
    meter: &dyn Meter,
    deadline: Option<Span>,
) -> Result<IterationSummary, SummaryError> {
    let iteration = &of_session.iteration;
    let refused = |refusal: crate::summary::error::PartExceedsTotal| {
        refusal.at(&metric.name, of_session.index)
    };
    let baseline = meter.baseline(iteration).map_err(refused)?;
    let mut experiment = meter.experiment(iteration).map_err(refused)?;
    if deadline.is_some_and(|within| meter.has_gap(until_deadline(iteration, within))) {
        experiment = WindowValue::missing(experiment.coverage);
    }
    Ok(IterationSummary {
        index: of_session.index,
        session: of_session.session,
        arm: iteration.arm,
        excluded: excluded(iteration, &baseline),
        aborted: iteration.aborted.as_ref().map(|abort| abort.at),
        baseline,
        experiment,
    })
}

/// The samples of the only kill that counts, if there is exactly one and nothing of it was lost.
fn only_kill(
    campaign: &Campaign,
    benches: &BTreeMap<u32, Bench>,
    summaries: &[IterationSummary],
) -> Option<OnlyKill> {
    let mut usable =
        campaign.iterations.iter().zip(summaries).filter(|(_, windows)| match windows.arm {
            Arm::Fault => windows.excluded.is_none(),
            Arm::Control => false,
        });
    let (of_session, windows) = usable.next()?;
    if usable.next().is_some() || windows.aborted.is_some() || windows.experiment.value.is_err() {
        return None;
    }
    let meter = benches[&of_session.session].meter.as_ref();
    let iteration = &of_session.iteration;
    Some(OnlyKill {
        index: of_session.index,
        baseline: thinned(meter.samples(iteration.baseline)?),
        experiment: thinned(meter.samples(iteration.experiment)?),
    })
}

/// Every sample, or evenly every k-th where there are more than [`ONLY_KILL_SAMPLES`].
fn thinned(samples: Vec<f64>) -> Vec<f64> {
    let every = samples.len().div_ceil(ONLY_KILL_SAMPLES).max(1);
    if every == 1 { samples } else { samples.into_iter().step_by(every).collect() }
}

/// Takes the numbers out of an iteration of which one selector means nothing: a misspelt counter of errors must not read
/// as an absence of errors.
fn forget(iteration: &mut IterationSummary) {
    for window in [&mut iteration.baseline, &mut iteration.experiment] {
        *window = WindowValue::missing(window.coverage);
    }
    iteration.excluded = match iteration.excluded {
        Some(PreKillLoss::NotInjected) => Some(PreKillLoss::NotInjected),
        Some(PreKillLoss::BaselineMissing | PreKillLoss::NoTraffic) | None => {
            Some(PreKillLoss::BaselineMissing)
        }
    };
}

/// From the fault to the recovery deadline, as far as the iteration was observed.
pub(crate) fn until_deadline(iteration: &Iteration, within: Span) -> Window {
    let start = iteration.reference();
    Window { start, end: start.plus(within).min(iteration.experiment.end) }
}

/// The one cause, settled before the kill, for which an iteration does not count.
fn excluded(iteration: &Iteration, baseline: &WindowValue) -> Option<PreKillLoss> {
    if not_injected(iteration) {
        return Some(PreKillLoss::NotInjected);
    }
    match baseline.value {
        Ok(_) => None,
        Err(Loss::MissingData) => Some(PreKillLoss::BaselineMissing),
        Err(Loss::NoTraffic) => Some(PreKillLoss::NoTraffic),
    }
}

/// Whether a fault was due and was not carried out. A control iteration is due none.
pub(crate) fn not_injected(iteration: &Iteration) -> bool {
    match iteration.arm {
        Arm::Control => false,
        Arm::Fault => killed(iteration).is_none(),
    }
}

/// The fault, if it was carried out.
fn killed(iteration: &Iteration) -> Option<&FaultRecord> {
    iteration.fault.as_ref().filter(|fault| fault.outcome == Outcome::Killed)
}

/// The first selector that matches nothing in any session.
fn matched_nothing(sessions: impl Iterator<Item = Vec<SelectorMatch>>) -> Option<String> {
    let all = sessions.reduce(|mut so_far, next| {
        for (selector, other) in so_far.iter_mut().zip(next) {
            selector.found |= other.found;
        }
        so_far
    })?;
    all.into_iter().find(|selector| !selector.found).map(|selector| selector.text)
}

/// Whether the metric was only measured on what was killed: in every iteration with a kill, each matching series
/// that had samples in the baseline names a target of that kill. Iterations without targets or series say nothing.
fn measured_on_target(campaign: &Campaign, benches: &BTreeMap<u32, Bench>) -> bool {
    let mut on_target = 0;
    for of_session in &campaign.iterations {
        let Some(fault) = killed(&of_session.iteration) else { continue };
        let seen = benches[&of_session.session].meter.labels_seen(of_session.iteration.baseline);
        if seen.is_empty() || fault.targets.is_empty() {
            continue;
        }
        let names_target =
            |labels: &&Labels| fault.targets.iter().any(|target| names(labels, target));
        if !seen.iter().all(names_target) {
            return false;
        }
        on_target += 1;
    }
    on_target > 0
}

/// Labels in which instances are named.
const INSTANCE_LABELS: [&str; 3] = ["instance", "pod", "container"];

/// Whether a label names a target by its name or id, with or without a port behind it.
fn names(labels: &Labels, target: &TargetRecord) -> bool {
    INSTANCE_LABELS.iter().map(|label| labels.get(label)).filter(|value| !value.is_empty()).any(
        |value| {
            let host = value.rsplit_once(':').map_or(value, |(host, _)| host);
            [Some(target.name.as_str()), target.id.as_deref()]
                .into_iter()
                .flatten()
                .any(|word| word == value || word == host)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_many_samples_is_thinned_evenly() {
        let many: Vec<f64> = (0_u32..10_001).map(f64::from).collect();
        let kept = thinned(many);
        assert!(kept.len() <= ONLY_KILL_SAMPLES);
        assert!(kept.windows(2).all(|pair| (pair[1] - pair[0] - 3.0).abs() < 1e-9));
        assert_eq!(thinned(vec![1.0, 2.0]), [1.0, 2.0]);
        assert_eq!(thinned(Vec::new()), Vec::<f64>::new());
    }
}
