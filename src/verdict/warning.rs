//! What a reader should know besides the verdict. A warning never changes a verdict.

use std::collections::BTreeMap;

use crate::spec::{Measure, Metric};
use crate::stats::descriptive;
use crate::summary::{Counts, HistogramForms, MetricSummary};
use crate::unit::Unit;
use crate::verdict::estimate::Pair;
use crate::verdict::kill::{Kill, all_positive, number};
use crate::verdict::policy;
use crate::verdict::result::Warning;
use crate::verdict::typical::{limits, pseudo_median};

/// A warning from its code and words.
pub(crate) fn warning(code: &str, message: String) -> Warning {
    Warning { code: code.to_owned(), message }
}

/// Warnings about one metric.
pub(crate) fn of_metric(summary: &MetricSummary, kills: &[Kill<'_>]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if summary.measured_on_target {
        warnings.push(warning(
            "measured_on_target",
            "every matching series lives on a target of the fault: a kill takes its last counts with it; measure at the caller, the broker or the load balancer".to_owned(),
        ));
    }
    if summary.conflicting_duplicates > 0 {
        warnings.push(warning(
            "conflicting_duplicates",
            format!(
                "{} samples contradict another one of the same series and time; the greatest value was kept",
                summary.conflicting_duplicates
            ),
        ));
    }
    if summary.histogram_forms == Some(HistogramForms::NativeBesideClassic) {
        warnings.push(warning(
            "native_histogram_used",
            "the selector means a native and a classic histogram; the native one was measured, because its buckets are finer".to_owned(),
        ));
    }
    let changes = changes(kills);
    warnings.extend(dependence(&changes));
    warnings.extend(outlier(kills, &changes));
    warnings
}

/// Change of every kill with both numbers: on logarithms where all are above zero.
fn changes(kills: &[Kill<'_>]) -> Vec<f64> {
    let logs = all_positive(kills);
    kills
        .iter()
        .filter_map(Pair::of)
        .map(|pair| {
            if logs {
                (pair.experiment / pair.baseline).ln()
            } else {
                pair.experiment - pair.baseline
            }
        })
        .collect()
}

/// Changes that drift or follow one another: too short a cooldown.
fn dependence(changes: &[f64]) -> Option<Warning> {
    if changes.len() < policy::DEPENDENCE_ITERATIONS {
        return None;
    }
    let trend = crate::verdict::baseline::trend_p(changes);
    // Under independence the lag-1 autocorrelation has mean −1/n and a standard error near 1/√n (Box & Jenkins).
    let n = number(changes.len());
    let lag = descriptive::lag1_autocorrelation(changes).ok();
    let critical =
        crate::stats::distribution::normal_quantile(1.0 - policy::DEPENDENCE_LEVEL / 2.0);
    let drifts = trend.is_some_and(|p| p < policy::DEPENDENCE_LEVEL);
    let follows = lag.is_some_and(|lag| lag + 1.0 / n > critical / n.sqrt());
    if !drifts && !follows {
        return None;
    }
    let what = if drifts { "drift over the campaign" } else { "follow one another" };
    Some(warning(
        "dependence",
        format!("the changes {what}: iterations may not be independent; a longer cooldown helps"),
    ))
}

/// An iteration far from the others.
fn outlier(kills: &[Kill<'_>], changes: &[f64]) -> Option<Warning> {
    if changes.len() < policy::OUTLIER_ITERATIONS {
        return None;
    }
    let middle = pseudo_median(changes)?;
    let deviations: Vec<f64> = changes.iter().map(|change| (change - middle).abs()).collect();
    let scale = median(&deviations)? * policy::MAD_TO_SIGMA;
    if scale <= 0.0 {
        return None;
    }
    let indices: Vec<u32> = kills.iter().filter_map(Pair::of).map(|pair| pair.index).collect();
    let far: Vec<String> = indices
        .iter()
        .zip(&deviations)
        .filter(|(_, deviation)| **deviation > policy::OUTLIER_DEVIATIONS * scale)
        .map(|(index, _)| index.to_string())
        .collect();
    if far.is_empty() {
        return None;
    }
    let plural = if far.len() == 1 { "iteration" } else { "iterations" };
    Some(warning(
        "outlier_iteration",
        format!(
            "{plural} {} far from the others: look at it before believing an average",
            far.join(", ")
        ),
    ))
}

/// The median.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len();
    if count == 0 {
        return None;
    }
    Some(sorted[(count - 1) / 2] / 2.0 + sorted[count / 2] / 2.0)
}

/// Latency that improves while failures rise or traffic falls: the slow requests may be the missing ones. `lengths`
/// holds the length of the experiment window over that of the baseline, by iteration.
pub(crate) fn survivorship(
    metrics: &[(&Metric, Vec<Kill<'_>>)],
    lengths: &BTreeMap<u32, f64>,
    alpha: f64,
) -> Vec<(String, Warning)> {
    let sign: Option<String> = metrics.iter().find_map(|(metric, kills)| {
        if failures_rise(metric, kills, alpha) {
            Some(format!("{} gets worse", metric.name))
        } else if traffic_falls(kills, lengths, alpha) {
            Some(format!("the requests behind {} fall", metric.name))
        } else {
            None
        }
    });
    let Some(sign) = sign else { return Vec::new() };
    metrics
        .iter()
        .filter(|(metric, kills)| is_latency(metric) && improves(kills, alpha))
        .map(|(metric, _)| {
            (
                metric.name.clone(),
                warning(
                    "survivorship",
                    format!("latency improves while {sign}: the slow requests may be the ones that are missing"),
                ),
            )
        })
        .collect()
}

/// Whether a metric is a latency.
fn is_latency(metric: &Metric) -> bool {
    let by_measure = matches!(metric.measure, Measure::Histogram { .. } | Measure::Samples { .. });
    by_measure
        && (metric.unit == Unit::Seconds || metric.unit.dimension() == crate::unit::Dimension::Time)
}

/// Whether the typical change is shown to be downwards.
fn improves(kills: &[Kill<'_>], alpha: f64) -> bool {
    limits(&changes(kills), alpha).upper.is_some_and(|upper| upper < 0.0)
}

/// Whether the bad share of a ratio is shown to rise.
fn failures_rise(metric: &Metric, kills: &[Kill<'_>], alpha: f64) -> bool {
    if !matches!(metric.measure, Measure::Ratio { .. }) {
        return false;
    }
    let rises: Vec<f64> = traffic(kills)
        .map(|seen| seen.after.bad / seen.after.total - seen.before.bad / seen.before.total)
        .collect();
    limits(&rises, alpha).lower.is_some_and(|lower| lower > 0.0)
}

/// Whether the requests per second are shown to fall below [`policy::SURVIVORSHIP_TRAFFIC`] of the baseline's.
fn traffic_falls(kills: &[Kill<'_>], lengths: &BTreeMap<u32, f64>, alpha: f64) -> bool {
    let falls: Vec<f64> = traffic(kills)
        .map(|seen| {
            let length = lengths.get(&seen.index).copied().unwrap_or(1.0);
            (seen.after.total / seen.before.total / length).ln()
        })
        .filter(|fall| fall.is_finite())
        .collect();
    limits(&falls, alpha).upper.is_some_and(|upper| upper < policy::SURVIVORSHIP_TRAFFIC.ln())
}

/// Counts of both windows of one kill.
struct Traffic {
    index: u32,
    before: Counts,
    after: Counts,
}

/// Counts of both windows of every kill that has them, with requests in both.
fn traffic<'kills>(kills: &'kills [Kill<'_>]) -> impl Iterator<Item = Traffic> + 'kills {
    kills
        .iter()
        .filter(|kill| kill.lost.is_none())
        .filter_map(|kill| {
            Some(Traffic {
                index: kill.windows.index,
                before: kill.windows.baseline.counts?,
                after: kill.windows.experiment.counts?,
            })
        })
        .filter(|seen| seen.before.total > 0.0 && seen.after.total > 0.0)
}
