//! Estimates that are shown beside a decision: baseline, experiment and the change between them.
//!
//! Nothing here decides. Ratios are ratios of sums with clustered limits; everything else is the pseudo-median over
//! iterations with its exact limits. A number that does not exist stays away.

use crate::spec::{Counted, Measure, Metric};
use crate::stats::clustered_ratio::{ClusteredRatio, Truncation};
use crate::stats::hodges_lehmann::LimitSide;
use crate::summary::{Counts, WindowValue};
use crate::verdict::kill::{Basis, Kill, all_positive};
use crate::verdict::result::{Effect, EffectForm, Estimate};
use crate::verdict::typical::{limits, pseudo_median};

/// One window kind over all kills.
pub(crate) fn of_windows<'summary>(
    metric: &Metric,
    windows: impl Iterator<Item = &'summary WindowValue>,
    alpha: f64,
) -> Estimate {
    let known: Vec<&WindowValue> = windows.filter(|window| window.value.is_ok()).collect();
    if let Some(pooled) = pooled(metric, known.iter().copied()) {
        return pooled.estimate(alpha);
    }
    let values: Vec<f64> = known.iter().filter_map(|window| window.value.ok()).collect();
    of_values(&values, alpha)
}

/// The counted part and all events of the windows of a ratio; `None` for
/// another kind of metric.
pub(crate) fn pooled<'summary>(
    metric: &Metric,
    windows: impl Iterator<Item = &'summary WindowValue>,
) -> Option<Pooled> {
    let Measure::Ratio { counted, .. } = &metric.measure else { return None };
    let part = |count: &Counts| match counted {
        Counted::Bad => count.bad,
        Counted::Good => count.total - count.bad,
    };
    let counts: Vec<Counts> = windows.filter_map(|window| window.counts).collect();
    Some(Pooled {
        parts: counts.iter().map(part).collect(),
        totals: counts.iter().map(|count| count.total).collect(),
    })
}

/// Counts of the windows of a ratio.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pooled {
    parts: Vec<f64>,
    totals: Vec<f64>,
}

impl Pooled {
    /// The ratio of sums; `None` without events.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let total: f64 = self.totals.iter().sum();
        (total > 0.0).then(|| self.parts.iter().sum::<f64>() / total)
    }

    /// The ratio of sums with its clustered limits.
    fn estimate(&self, alpha: f64) -> Estimate {
        let Some(estimate) = self.ratio() else {
            return Estimate { estimate: None, lower: None, upper: None };
        };
        let ratio = ClusteredRatio::of(&self.parts, &self.totals).ok();
        let limit = |side| {
            ratio
                .as_ref()
                .and_then(|ratio| ratio.korn_graubard(alpha, side, Truncation::AtRequests).ok())
                .filter(|number| number.is_finite())
        };
        Estimate {
            estimate: Some(estimate),
            lower: limit(LimitSide::Lower),
            upper: limit(LimitSide::Upper),
        }
    }
}

/// The pseudo-median with its limits.
fn of_values(values: &[f64], alpha: f64) -> Estimate {
    let both = limits(values, alpha);
    Estimate {
        estimate: pseudo_median(values).filter(|v| v.is_finite()),
        lower: both.lower,
        upper: both.upper,
    }
}

/// Experiment against baseline over all kills with both numbers: a quotient where every value is above zero and the
/// metric is no ratio, or where the claim is on that scale; else a difference.
pub(crate) fn of_change(
    metric: &Metric,
    kills: &[Kill<'_>],
    basis: Option<Basis>,
    alpha: f64,
) -> Option<Effect> {
    if matches!(metric.measure, Measure::Balance { .. }) {
        return None;
    }
    let pairs: Vec<Pair> = kills.iter().filter_map(Pair::of).collect();
    if pairs.is_empty() {
        return None;
    }
    let quotient = match basis {
        Some(Basis::Ratio) => true,
        Some(Basis::Difference) => false,
        None => all_positive(kills) && !matches!(metric.measure, Measure::Ratio { .. }),
    };
    let values: Vec<f64> = pairs
        .iter()
        .map(|pair| {
            if quotient {
                (pair.experiment / pair.baseline).ln()
            } else {
                pair.experiment - pair.baseline
            }
        })
        .collect();
    let estimate = of_values(&values, alpha);
    let show = |value: Option<f64>| {
        value
            .map(|number| if quotient { number.exp() } else { number })
            .filter(|number| number.is_finite())
    };
    Some(Effect {
        form: if quotient { EffectForm::Ratio } else { EffectForm::Difference },
        estimate: show(estimate.estimate),
        lower: show(estimate.lower),
        upper: show(estimate.upper),
        level: 1.0 - alpha,
    })
}

/// Both numbers of one kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    pub(crate) index: u32,
    pub(crate) baseline: f64,
    pub(crate) experiment: f64,
}

impl Pair {
    /// Both numbers, if both are known.
    pub(crate) fn of(kill: &Kill<'_>) -> Option<Self> {
        if kill.lost.is_some() {
            return None;
        }
        Some(Self {
            index: kill.windows.index,
            baseline: kill.windows.baseline.value.ok()?,
            experiment: kill.windows.experiment.value.ok()?,
        })
    }
}
