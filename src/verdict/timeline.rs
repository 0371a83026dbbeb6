//! What charts need: points of every metric, windows of every iteration, events of every session.

use crate::run::Campaign;
use crate::summary::MetricSummary;
use crate::verdict::onset::onsets;
use crate::verdict::result::{Timeline, TimelineEvent, TimelineMetric, TimelineWindow};

/// Points, windows and events for charts.
pub(crate) fn timeline(campaign: &Campaign, metrics: &[MetricSummary]) -> Timeline {
    let windows: Vec<TimelineWindow> = campaign
        .iterations
        .iter()
        .map(|entry| {
            let iteration = &entry.iteration;
            TimelineWindow {
                index: entry.index,
                session: entry.session,
                arm: iteration.arm,
                baseline: iteration.baseline,
                fault_at: iteration.fault.as_ref().map(|fault| fault.at),
                outcome: iteration.fault.as_ref().map(|fault| fault.outcome.word().to_owned()),
                experiment: iteration.experiment,
                aborted: iteration.aborted.as_ref().map(|abort| abort.at),
            }
        })
        .collect();
    let mut events: Vec<TimelineEvent> = campaign
        .sessions
        .iter()
        .flat_map(|session| session.run.events.iter().map(|event| (session.number, event)))
        .map(|(session, event)| TimelineEvent {
            at: event.at,
            kind: event.kind.clone(),
            message: event.message.clone(),
            correlation_id: event.correlation_id.clone(),
            iteration: event.iteration.and_then(|own| {
                campaign
                    .iterations
                    .iter()
                    .find(|entry| entry.session == session && entry.iteration.index == own)
                    .map(|entry| entry.index)
            }),
        })
        .collect();
    events.sort_by(|left, right| {
        (left.at, &left.kind, &left.message).cmp(&(right.at, &right.kind, &right.message))
    });
    let metrics: Vec<TimelineMetric> = metrics
        .iter()
        .map(|metric| TimelineMetric {
            name: metric.name.clone(),
            points: metric
                .timeline
                .iter()
                .filter(|point| {
                    point.min.is_finite() && point.mean.is_finite() && point.max.is_finite()
                })
                .map(|point| (point.at, point.min, point.mean, point.max))
                .collect(),
        })
        .collect();
    let onsets = onsets(&metrics, &windows);
    Timeline { metrics, windows, events, onsets }
}
