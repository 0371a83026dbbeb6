//! A metric over time, every iteration laid over the others with the kill at zero.
//!
//! Thins out the points to what a drawing can show: of each stretch only its lowest and highest point stay, so that
//! no spike is lost.

use serde::Serialize;

use crate::report::number::{DASH, Figure};
use crate::run::Arm;
use crate::unit::{Timestamp, Unit};
use crate::verdict::result::{AnalysisResult, MetricResult, TimelineMetric, TimelineWindow};

/// Points of one chart over all its lanes: about 12 kB of drawing.
const POINT_BUDGET: usize = 1400;
/// Fewest stretches of a lane: a baseline and an experiment window with a shape each.
const LEAST_STRETCHES: usize = 12;
/// Most stretches of a lane: three pixels each on a phone.
const MOST_STRETCHES: usize = 120;

/// One metric's iterations over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineView {
    /// One lane per iteration.
    pub lanes: Vec<Lane>,
    /// Earliest start of a baseline, in seconds from the kill.
    pub from_s: f64,
    /// End of the baseline that ends nearest to the kill.
    pub baseline_end_s: f64,
    /// Latest end of an experiment window.
    pub to_s: f64,
    /// The bound where it is one number.
    pub bound: Option<Figure>,
    /// Whether a lane is the worst kill's.
    pub has_worst: bool,
    /// Whether a lane is a control iteration's.
    pub has_control: bool,
    /// Whether a rule stopped an iteration.
    pub has_aborted: bool,
    /// Unit of the values, for the axis of the chart.
    #[serde(skip)]
    pub unit: Unit,
}

/// One iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lane {
    /// Number within the campaign.
    pub index: u32,
    /// Whether it is a control iteration.
    pub control: bool,
    /// Whether it is the worst kill.
    pub worst: bool,
    /// When a rule stopped it, in seconds from the kill.
    pub aborted_s: Option<f64>,
    /// Lowest value before the kill.
    pub before_low: Figure,
    /// Highest value before the kill.
    pub before_high: Figure,
    /// Lowest value after the kill.
    pub after_low: Figure,
    /// Highest value after the kill.
    pub after_high: Figure,
    /// The drawing's points.
    #[serde(skip)]
    pub points: Vec<Point>,
}

/// A point of a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Seconds from the kill.
    pub at_s: f64,
    /// Smallest value.
    pub min: f64,
    /// Mean value.
    pub mean: f64,
    /// Greatest value.
    pub max: f64,
}

impl TimelineView {
    /// The timeline of the metric at position `at` (from 1) of the document, if the result has points for it.
    pub(crate) fn new(
        result: &AnalysisResult,
        metric: &MetricResult,
        at: usize,
        unit: &Unit,
    ) -> Option<Self> {
        let series = of_metric(&result.timeline.metrics, &metric.name, at.saturating_sub(1))?;
        let windows = &result.timeline.windows;
        let worst =
            metric.kills.as_ref().and_then(|kills| kills.worst.as_ref()).map(|worst| worst.index);
        let stretches =
            (POINT_BUDGET / (2 * windows.len().max(1))).clamp(LEAST_STRETCHES, MOST_STRETCHES);
        let lanes: Vec<Lane> = windows
            .iter()
            .map(|window| lane(window, &points_of(series, window), unit, worst, stretches))
            .filter(|lane| !lane.points.is_empty())
            .collect();
        if lanes.is_empty() {
            return None;
        }
        let relative = |window: &TimelineWindow, at: Timestamp| at.since(zero(window)).seconds();
        let from_s = windows
            .iter()
            .map(|window| relative(window, window.baseline.start))
            .min_by(f64::total_cmp)?;
        let baseline_end_s = windows
            .iter()
            .map(|window| relative(window, window.baseline.end))
            .max_by(f64::total_cmp)?;
        let to_s = windows
            .iter()
            .map(|window| relative(window, window.experiment.end))
            .max_by(f64::total_cmp)?;
        let bound = metric
            .claim
            .as_ref()
            .filter(|claim| !claim.form.is_against_baseline())
            .map(|claim| Figure::quantity(Some(claim.bound), unit, DASH));
        Some(Self {
            has_worst: lanes.iter().any(|lane| lane.worst),
            has_control: lanes.iter().any(|lane| lane.control),
            has_aborted: lanes.iter().any(|lane| lane.aborted_s.is_some()),
            lanes,
            from_s,
            baseline_end_s,
            to_s,
            bound,
            unit: unit.clone(),
        })
    }
}

/// The series of a metric: by position where the names agree, else by name.
fn of_metric<'a>(all: &'a [TimelineMetric], name: &str, at: usize) -> Option<&'a TimelineMetric> {
    all.get(at)
        .filter(|series| series.name == name)
        .or_else(|| all.iter().find(|series| series.name == name))
        .filter(|series| !series.points.is_empty())
}

/// The moment that is zero for a window: the kill, or in the control arm the start of the experiment window.
fn zero(window: &TimelineWindow) -> Timestamp {
    window.fault_at.unwrap_or(window.experiment.start)
}

/// A metric's points within an iteration, from the start of its baseline to the end of its experiment window.
fn points_of(series: &TimelineMetric, window: &TimelineWindow) -> Vec<Point> {
    let from = series.points.partition_point(|point| point.0 < window.baseline.start);
    let zero = zero(window);
    series.points[from..]
        .iter()
        .take_while(|point| point.0 < window.experiment.end)
        .filter(|point| point.1.is_finite() && point.2.is_finite() && point.3.is_finite())
        .map(|point| Point {
            at_s: point.0.since(zero).seconds(),
            min: point.1,
            mean: point.2,
            max: point.3,
        })
        .collect()
}

/// One iteration, thinned out to at most two points a stretch.
fn lane(
    window: &TimelineWindow,
    points: &[Point],
    unit: &Unit,
    worst: Option<u32>,
    stretches: usize,
) -> Lane {
    let low = |after: bool| {
        points
            .iter()
            .filter(|point| (point.at_s >= 0.0) == after)
            .map(|point| point.min)
            .min_by(f64::total_cmp)
    };
    let high = |after: bool| {
        points
            .iter()
            .filter(|point| (point.at_s >= 0.0) == after)
            .map(|point| point.max)
            .max_by(f64::total_cmp)
    };
    Lane {
        index: window.index,
        control: window.arm == Arm::Control,
        worst: window.arm == Arm::Fault && worst == Some(window.index),
        aborted_s: window.aborted.map(|at| at.since(zero(window)).seconds()),
        before_low: Figure::quantity(low(false), unit, DASH),
        before_high: Figure::quantity(high(false), unit, DASH),
        after_low: Figure::quantity(low(true), unit, DASH),
        after_high: Figure::quantity(high(true), unit, DASH),
        points: thinned(points, stretches),
    }
}

/// Of each stretch the point with the lowest and the one with the highest mean, in time order.
fn thinned(points: &[Point], stretches: usize) -> Vec<Point> {
    if points.len() <= 2 * stretches {
        return points.to_vec();
    }
    let size = points.len().div_ceil(stretches);
    let mut kept = Vec::with_capacity(2 * stretches);
    for stretch in points.chunks(size) {
        let by_mean = |left: &(usize, &Point), right: &(usize, &Point)| {
            left.1.mean.total_cmp(&right.1.mean).then(left.0.cmp(&right.0))
        };
        let low = stretch.iter().enumerate().min_by(by_mean);
        let high = stretch.iter().enumerate().max_by(by_mean);
        if let (Some((low, low_point)), Some((high, high_point))) = (low, high) {
            match low.cmp(&high) {
                std::cmp::Ordering::Less => kept.extend([*low_point, *high_point]),
                std::cmp::Ordering::Greater => kept.extend([*high_point, *low_point]),
                std::cmp::Ordering::Equal => kept.push(*low_point),
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_lone_spike() {
        let points: Vec<Point> = (0..300_u32)
            .map(|at| {
                let mean = if at == 137 { 9.0 } else { 1.0 };
                Point { at_s: f64::from(at), min: mean, mean, max: mean }
            })
            .collect();
        let kept = thinned(&points, 20);
        assert!(kept.len() <= 40);
        assert!(kept.iter().any(|point| point.mean > 8.0));
        assert!(kept.windows(2).all(|pair| pair[0].at_s < pair[1].at_s));
    }
}
