//! Whether a claim's number moves from run to run: Mann–Kendall and Theil–Sen, adjusted for how many are looked at.
//!
//! The number is what the claim bounds: the experiment windows' estimate of an absolute claim, the effect of one
//! against the baseline. One number a run: the replicate of a trend is the run, not the kill.

use serde::{Deserialize, Serialize};

use crate::stats::mann_kendall::{Continuity, Variance, exact_p, mann_kendall};
use crate::stats::multiplicity::{Adjustment, adjusted};
use crate::stats::theil_sen::theil_sen;
use crate::stats::{Alternative, PValue};
use crate::unit::Timestamp;
use crate::unit::WEEK;

use super::finding::counted;
use super::line::Line;
use super::policy;
use super::record::ClaimSummary;

/// Which number of a claim is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrendOf {
    /// The experiment windows' estimate.
    Experiment,
    /// Experiment against baseline.
    Effect,
}

/// Where a number is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards its bound or beyond, after adjusting for the number of trends.
    Worsening,
    /// Away from its bound, likewise.
    Improving,
    /// No trend is shown; there may be one that these runs cannot show.
    NotShown,
    /// Too few runs for any trend to be shown.
    TooFew,
}

/// The trend of one claim's number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// The experiment.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// The metric.
    pub metric: String,
    /// Unit of its numbers.
    pub unit: Option<String>,
    /// Which number is followed.
    pub of: TrendOf,
    /// Whether the effect is a ratio, whose slope is then one of the ratio.
    pub ratio: bool,
    /// Runs.
    pub n: u32,
    /// The first of them.
    pub from: Timestamp,
    /// The last of them.
    pub to: Timestamp,
    /// Its latest number.
    pub latest: f64,
    /// Theil–Sen slope per week.
    pub slope_per_week: Option<f64>,
    /// Its lower limit, two-sided at 90 %.
    pub lower: Option<f64>,
    /// Its upper limit.
    pub upper: Option<f64>,
    /// Kendall's tau-a.
    pub tau: Option<f64>,
    /// `mann_kendall_exact` or `mann_kendall`.
    pub method: String,
    /// Two-sided p of no trend.
    pub p_value: Option<f64>,
    /// The same after Benjamini–Hochberg over all trends of the report.
    pub p_adjusted: Option<f64>,
    /// Whether smaller is better.
    pub lower_is_better: bool,
    /// Where it is going.
    pub direction: Direction,
}

/// The trends of lines up to the end of a period, those of most evidence first.
pub(super) fn trends(lines: &[&Line<'_>], end: Timestamp) -> Vec<Trend> {
    let mut trends: Vec<Trend> = lines.iter().flat_map(|line| of_line(line, end)).collect();
    let p_values: Vec<Option<PValue>> =
        trends.iter().map(|trend| trend.p_value.map(PValue::new)).collect();
    for (trend, p) in trends.iter_mut().zip(adjusted(&p_values, Adjustment::BenjaminiHochberg)) {
        trend.p_adjusted = p.map(PValue::get);
        let Some(p) = p else { continue };
        let rising = trend.tau.is_some_and(|tau| tau > 0.0);
        trend.direction = if !p.rejects_at(policy::TREND_LEVEL) {
            Direction::NotShown
        } else if rising == trend.lower_is_better {
            Direction::Worsening
        } else {
            Direction::Improving
        };
    }
    trends.sort_by(|left, right| {
        let key = |trend: &Trend| trend.p_adjusted.unwrap_or(2.0);
        key(left).total_cmp(&key(right)).then_with(|| {
            (&left.experiment, &left.environment, &left.metric).cmp(&(
                &right.experiment,
                &right.environment,
                &right.metric,
            ))
        })
    });
    trends
}

/// One number of one run.
struct Point {
    at: Timestamp,
    value: f64,
}

fn of_line(line: &Line<'_>, end: Timestamp) -> Vec<Trend> {
    let runs = line.before(end);
    let Some(latest) = runs.last() else { return Vec::new() };
    let from = end.minus(policy::TREND_REACH);
    latest
        .claims
        .iter()
        .filter_map(|claim| {
            let mut points: Vec<Point> = runs
                .iter()
                .filter(|run| run.started_at >= from)
                .filter_map(|run| {
                    let same = |other: &&ClaimSummary| {
                        other.metric == claim.metric
                            && other.unit == claim.unit
                            && other.form == claim.form
                    };
                    let other = run.claims.iter().find(same)?;
                    let value = followed(other, claim)?;
                    Some(Point { at: run.started_at, value })
                })
                .collect();
            if points.len() > policy::TREND_MOST_RUNS {
                points.drain(..points.len() - policy::TREND_MOST_RUNS);
            }
            trend(line, claim, &points)
        })
        .collect()
}

/// The number of a run's claim that the latest run's claim is about.
fn followed(claim: &ClaimSummary, latest: &ClaimSummary) -> Option<f64> {
    let value = if latest.form.is_against_baseline() {
        (claim.effect_form == latest.effect_form).then_some(claim.effect)?
    } else {
        claim.experiment
    };
    value.filter(|value| value.is_finite())
}

fn trend(line: &Line<'_>, claim: &ClaimSummary, points: &[Point]) -> Option<Trend> {
    let (first, last) = (points.first()?, points.last()?);
    let mut trend = Trend {
        experiment: line.key.experiment.to_owned(),
        environment: line.key.environment.to_owned(),
        metric: claim.metric.clone(),
        unit: claim.unit.clone(),
        of: if claim.form.is_against_baseline() { TrendOf::Effect } else { TrendOf::Experiment },
        ratio: claim.form.is_against_baseline()
            && claim.effect_form == Some(crate::verdict::result::EffectForm::Ratio),
        n: counted(points.len()),
        from: first.at,
        to: last.at,
        latest: last.value,
        slope_per_week: None,
        lower: None,
        upper: None,
        tau: None,
        method: "mann_kendall".to_owned(),
        p_value: None,
        p_adjusted: None,
        lower_is_better: claim.form.lower_is_better(),
        direction: Direction::TooFew,
    };
    if points.len() < policy::TREND_RUNS {
        return Some(trend);
    }
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let found =
        mann_kendall(&values, Variance::Independent, Continuity::Corrected, Alternative::TwoSided)
            .ok()?;
    let exact = (values.len() <= crate::stats::mann_kendall::EXACT_LIMIT)
        .then(|| exact_p(&values, Alternative::TwoSided).ok())
        .flatten();
    if exact.is_some() {
        "mann_kendall_exact".clone_into(&mut trend.method);
    }
    trend.tau = Some(found.tau_a);
    trend.p_value = Some(exact.unwrap_or(found.p).get());
    let weeks: Vec<f64> =
        points.iter().map(|point| point.at.since(first.at).seconds() / WEEK.seconds()).collect();
    // Two-sided at 2·level − 1, so that each limit has the level by itself.
    if let Ok(line) = theil_sen(&weeks, &values, 2.0 * policy::LEVEL - 1.0) {
        trend.slope_per_week = Some(line.slope).filter(|slope| slope.is_finite());
        trend.lower = line.interval.lower.filter(|limit| limit.is_finite());
        trend.upper = line.interval.upper.filter(|limit| limit.is_finite());
    }
    Some(trend)
}
