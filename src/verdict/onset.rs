//! Onset by change point: when the course of a metric left the level that it had before the kill.
//!
//! A tabular CUSUM chart (Page 1954) with the mean and the standard deviation of the iteration's own baseline, run from
//! the kill on; the change is dated at the last zero of the sum that signals (Montgomery 2013, section 9.1). It describes
//! one iteration and decides nothing: points within a window depend on each other, so that no level is attached.
//! Cost: one pass over the points of the fault iterations.

use crate::run::Arm;
use crate::stats::cusum::{Design, Shift, chart};
use crate::stats::descriptive::{mean, standard_deviation};
use crate::unit::Timestamp;
use crate::verdict::policy;
use crate::verdict::result::{Direction, Onset, TimelineMetric, TimelineWindow};

/// The onsets of all metrics in all iterations with a kill, by metric and iteration.
pub(crate) fn onsets(metrics: &[TimelineMetric], windows: &[TimelineWindow]) -> Vec<Onset> {
    metrics
        .iter()
        .flat_map(|metric| windows.iter().filter_map(|window| onset(metric, window)))
        .collect()
}

/// The onset of one metric in one iteration; none without a kill, without a change, or with too short a baseline.
fn onset(metric: &TimelineMetric, window: &TimelineWindow) -> Option<Onset> {
    let fault = window.fault_at.filter(|_| window.arm == Arm::Fault)?;
    let within = |from: Timestamp, to: Timestamp| {
        let first = metric.points.partition_point(|point| point.0 < from);
        let past = metric.points.partition_point(|point| point.0 < to);
        &metric.points[first..past.max(first)]
    };
    // The last point before the kill speaks for a stretch that may reach beyond it.
    let before = within(window.baseline.start, fault).split_last()?.1;
    let after = within(fault, window.experiment.end);
    if before.len() < policy::ONSET_POINTS {
        return None;
    }
    let levels: Vec<f64> = before.iter().map(|point| point.2).collect();
    let spread = standard_deviation(&levels).ok()?;
    let values: Vec<f64> = after.iter().map(|point| point.2).collect();
    let design = Design {
        target: mean(&levels).ok()?,
        allowance: policy::ONSET_ALLOWANCE * spread,
        decision: policy::ONSET_DECISION * spread,
    };
    let signal = chart(&values, design).ok()?.signal?;
    let at = after.get(signal.last_zero.map_or(0, |zero| zero + 1))?.0;
    Some(Onset {
        metric: metric.name.clone(),
        index: window.index,
        at,
        seconds: at.since(fault).seconds(),
        direction: match signal.shift {
            Shift::Up => Direction::Up,
            Shift::Down => Direction::Down,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Window;

    /// A point a second; the kill after ten of them.
    fn found(values: &[f64]) -> Option<(f64, Direction)> {
        let at =
            |second: usize| Timestamp::from_milliseconds(1000 * i64::try_from(second).unwrap());
        let metric = TimelineMetric {
            name: "queue".to_owned(),
            points: values.iter().enumerate().map(|(second, v)| (at(second), *v, *v, *v)).collect(),
        };
        let window = TimelineWindow {
            index: 1,
            session: 1,
            arm: Arm::Fault,
            baseline: Window { start: at(0), end: at(10) },
            fault_at: Some(at(10)),
            outcome: None,
            experiment: Window { start: at(10), end: at(values.len()) },
            aborted: None,
        };
        onsets(&[metric], &[window]).first().map(|onset| (onset.seconds, onset.direction))
    }

    const BEFORE: [f64; 10] = [4.0, 6.0, 5.0, 4.0, 6.0, 5.0, 4.0, 6.0, 5.0, 5.0];

    fn with(after: &[f64]) -> Vec<f64> {
        BEFORE.iter().chain(after).copied().collect()
    }

    #[test]
    fn the_onset_is_where_the_level_changes_and_not_where_the_chart_signals() {
        assert_eq!(found(&with(&[5.0, 4.0, 5.0, 9.0, 9.0, 9.0, 9.0])), Some((3.0, Direction::Up)));
        assert_eq!(found(&with(&[5.0, 1.0, 1.0, 1.0, 1.0])), Some((1.0, Direction::Down)));
    }

    #[test]
    fn what_the_baseline_did_as_well_is_no_onset() {
        assert_eq!(found(&with(&[6.0, 4.0, 6.0, 5.0, 6.0, 6.0, 4.0])), None);
    }

    #[test]
    fn after_a_flat_baseline_any_departure_is_one() {
        assert_eq!(found(&[0.0; 20]), None);
        let mut values = [0.0; 20];
        values[12] = 1.0;
        assert_eq!(found(&values), Some((2.0, Direction::Up)));
    }

    #[test]
    fn a_short_baseline_has_no_onset() {
        assert_eq!(found(&[5.0; 6]), None);
    }
}
