//! What a single kill says about itself: how well the change of the mean is known within its own two windows.
//!
//! One kill is one replicate: nothing can be inferred from it about the next one, so that nothing here decides. Samples
//! of a window depend on each other, which is why blocks of them are resampled (Politis and Romano 1994, block length by
//! Politis and White 2004) and not single ones.

use crate::spec::{Measure, Metric};
use crate::stats::block_bootstrap::block_bootstrap_difference;
use crate::stats::resample::Resampling;
use crate::summary::{MetricSummary, OnlyKill};
use crate::unit::{Seed, Unit, show};
use crate::verdict::kill::small;
use crate::verdict::policy;
use crate::verdict::result::WithinWindow;

/// The method's name in results.
const METHOD: &str = "stationary_block_bootstrap";

/// Describes the only kill of a gauge or a query; `None` where there are several, where samples were lost, and where the
/// figure does not exist (fewer than four samples in a window, or none that differs).
pub(crate) fn describe(
    metric: &Metric,
    summary: &MetricSummary,
    alpha: f64,
    seed: Seed,
) -> Option<WithinWindow> {
    match metric.measure {
        Measure::Gauge { .. } | Measure::Query { .. } => {}
        Measure::Ratio { .. }
        | Measure::Histogram { .. }
        | Measure::Counter { .. }
        | Measure::Samples { .. }
        | Measure::Balance { .. } => return None,
    }
    let OnlyKill { index, baseline, experiment } = summary.only_kill.as_ref()?;
    let draws = Resampling { seed, key: &metric.name, resamples: policy::WITHIN_WINDOW_RESAMPLES };
    // Limits are one-sided at the experiment's confidence: two of them enclose 1 − 2α.
    let found = block_bootstrap_difference(baseline, experiment, 1.0 - 2.0 * alpha, draws).ok()?;
    let (lower, upper) = (found.interval.lower?, found.interval.upper?);
    let level = 1.0 - alpha;
    let line = format!(
        "within the windows of kill {index} the mean changed by {} ({} to {}, each limit at {}); this describes this one window and says nothing about the next kill",
        change(found.estimate, &metric.unit),
        change(lower, &metric.unit),
        change(upper, &metric.unit),
        show::percent(level),
    );
    Some(WithinWindow {
        method: METHOD.to_owned(),
        index: *index,
        estimate: found.estimate,
        lower,
        upper,
        level,
        baseline_block_length: found.earlier_length,
        experiment_block_length: found.later_length,
        baseline_samples: small(baseline.len()),
        experiment_samples: small(experiment.len()),
        resamples: small(policy::WITHIN_WINDOW_RESAMPLES),
        stream: metric.name.clone(),
        line,
    })
}

/// A change with its sign.
fn change(value: f64, unit: &Unit) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    let shown = match unit {
        Unit::Ratio => show::percentage_points(value),
        Unit::Seconds | Unit::Bytes | Unit::Named(_) | Unit::None => show::value(value, unit),
    };
    format!("{sign}{shown}")
}
