//! One kill under one claim: inside its bound, outside, or unknown; and the line that says so for all of them.
//!
//! The k-of-N line is the most valuable of the report: it is said for every claim, whatever its estimand. Lost data
//! and aborts are unknown here; each estimand takes them as the worst case both ways.

use crate::run::Arm;
use crate::spec::{Amount, Claim, Form, Measure, Metric, Strictness};
use crate::stats::count_to_f64;
use crate::summary::{IterationSummary, Loss, MetricSummary, WindowValue};
use crate::unit::show;
use crate::verdict::policy;
use crate::verdict::result::{Kills, ReasonCode, WorstKill};
use crate::verdict::share;

/// One usable iteration of a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill<'summary> {
    /// Its windows.
    pub(crate) windows: &'summary IterationSummary,
    /// Why nothing is known after the kill, if so.
    pub(crate) lost: Option<ReasonCode>,
}

/// How a kill came out under a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sight {
    /// Stayed inside the bound.
    Inside,
    /// Did not.
    Outside,
    /// Cannot be said.
    Unknown(ReasonCode),
}

/// All iterations of one arm that are not excluded, in campaign order.
pub(crate) fn kills(summary: &MetricSummary, arm: Arm) -> Vec<Kill<'_>> {
    summary
        .iterations
        .iter()
        .filter(|windows| windows.arm == arm && windows.excluded.is_none())
        .map(|windows| Kill { windows, lost: lost(windows) })
        .collect()
}

/// Why nothing is known after the kill.
fn lost(windows: &IterationSummary) -> Option<ReasonCode> {
    if windows.aborted.is_some() {
        return Some(ReasonCode::Aborted);
    }
    match (&windows.experiment.value, &windows.experiment.share_under) {
        // A number without an end is none: nothing can be compared with it.
        (Ok(value), None) if !value.is_finite() => Some(ReasonCode::MissingData),
        (Ok(_), _) | (_, Some(_)) => None,
        (Err(Loss::MissingData), None) => Some(ReasonCode::MissingData),
        (Err(Loss::NoTraffic), None) => Some(ReasonCode::NoTraffic),
    }
}

/// Whether two numbers are equal up to [`policy::EQUALITY`], relative to the larger.
pub(crate) fn equal(left: f64, right: f64) -> bool {
    (left - right).abs() <= policy::EQUALITY * left.abs().max(right.abs())
}

/// Whether `value` is at most `bound`; equality up to [`policy::EQUALITY`] falls as the claim's strictness says.
pub(crate) fn within(value: f64, bound: f64, strictness: Strictness) -> bool {
    if equal(value, bound) {
        return match strictness {
            Strictness::EqualityInside => true,
            Strictness::EqualityOutside => false,
        };
    }
    value < bound
}

/// The allowance of a claim against the baseline, in the metric's unit.
pub(crate) fn allowance(amount: Amount, or_by: Option<f64>, baseline: f64) -> f64 {
    let by_amount = match amount {
        Amount::Absolute(value) => value,
        Amount::Relative(fraction) => fraction * baseline.abs(),
    };
    match or_by {
        Some(least) if least > by_amount => least,
        Some(_) | None => by_amount,
    }
}

/// By how much a kill oversteps its bound, in the metric's unit: above zero is outside. Snapped to zero at equality.
pub(crate) fn excess(claim: &Claim, baseline: f64, experiment: f64) -> f64 {
    let (value, bound) = match claim.form {
        Form::AtMost => (experiment, claim.amount.value()),
        Form::AtLeast => (-experiment, -claim.amount.value()),
        Form::IncreaseAtMost => {
            (experiment, baseline + allowance(claim.amount, claim.or_by, baseline))
        }
        Form::DecreaseAtMost => {
            (-experiment, -(baseline - allowance(claim.amount, claim.or_by, baseline)))
        }
    };
    let scale = value.abs().max(bound.abs()).max(baseline.abs());
    if (value - bound).abs() <= policy::EQUALITY * scale { 0.0 } else { value - bound }
}

/// How a kill came out.
pub(crate) fn sight(kill: &Kill<'_>, metric: &Metric, claim: &Claim) -> Sight {
    if let Some(code) = kill.lost {
        return Sight::Unknown(code);
    }
    if let Some(required) = share_required(metric, claim) {
        return sight_by_share(&kill.windows.experiment, required, claim);
    }
    let Ok(experiment) = kill.windows.experiment.value else {
        return Sight::Unknown(ReasonCode::MissingData);
    };
    let baseline = match kill.windows.baseline.value {
        Ok(value) => value,
        Err(_) if claim.form.is_against_baseline() => {
            return Sight::Unknown(ReasonCode::MissingData);
        }
        Err(_) => experiment,
    };
    let excess = excess(claim, baseline, experiment);
    let inside = match claim.strictness {
        Strictness::EqualityInside => excess <= 0.0,
        Strictness::EqualityOutside => excess < 0.0,
    };
    if inside { Sight::Inside } else { Sight::Outside }
}

/// The share of requests under the bound that an absolute claim on a histogram requires: its quantile. Such a claim
/// is never decided on the interpolated quantile.
pub(crate) fn share_required(metric: &Metric, claim: &Claim) -> Option<f64> {
    match (&metric.measure, claim.form.is_against_baseline()) {
        (Measure::Histogram { quantile, .. }, false) => Some(*quantile),
        _ => None,
    }
}

/// A histogram window under an absolute bound: decided by the edges around the bound.
fn sight_by_share(window: &WindowValue, required: f64, claim: &Claim) -> Sight {
    let Some(bracket) = window.share_under else {
        return Sight::Unknown(ReasonCode::MissingData);
    };
    // At most B: at least a share q of the requests is at or under B. At least B: at most a share q is.
    let inside = |share: f64| {
        if claim.form.lower_is_better() {
            within(-share, -required, claim.strictness)
        } else {
            within(share, required, claim.strictness)
        }
    };
    let (cautious, generous) = if claim.form.lower_is_better() {
        (bracket.lower, bracket.upper)
    } else {
        (bracket.upper, bracket.lower)
    };
    match (inside(cautious), inside(generous)) {
        (true, _) => Sight::Inside,
        (false, false) => Sight::Outside,
        (false, true) => Sight::Unknown(ReasonCode::HistogramResolution),
    }
}

/// Counts of the three sights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) inside: usize,
    pub(crate) outside: usize,
    pub(crate) unknown: usize,
}

impl Tally {
    /// Counts sights.
    pub(crate) fn of(sights: &[Sight]) -> Self {
        let mut tally = Self::default();
        for sight in sights {
            match sight {
                Sight::Inside => tally.inside += 1,
                Sight::Outside => tally.outside += 1,
                Sight::Unknown(_) => tally.unknown += 1,
            }
        }
        tally
    }

    /// All kills.
    pub(crate) const fn total(self) -> usize {
        self.inside + self.outside + self.unknown
    }
}

/// The k-of-N line of a claim, in numbers and words.
pub(crate) fn line(
    metric: &Metric,
    claim: &Claim,
    kills: &[Kill<'_>],
    basis: Basis,
    confidence: f64,
) -> Kills {
    let sights: Vec<Sight> = kills.iter().map(|kill| sight(kill, metric, claim)).collect();
    let tally = Tally::of(&sights);
    let worst = worst(metric, claim, kills, basis);
    let proven_share = share::proven(tally.inside, tally.total(), 1.0 - confidence);
    let mut text = format!("{} of {} kills stayed inside", tally.inside, tally.total());
    if tally.unknown > 0 {
        text = format!("{text} ({} unknown)", tally.unknown);
    }
    if let Some(worst) = &worst {
        text = format!(
            "{text}; worst {} at kill {}",
            worst_words(metric, claim, worst.value, basis),
            worst.index
        );
    }
    text.push_str(&share::proof_words(tally, proven_share, claim.share, confidence));
    Kills {
        inside: small(tally.inside),
        outside: small(tally.outside),
        unknown: small(tally.unknown),
        worst,
        proven_share,
        line: text,
    }
}

/// The kill that oversteps its bound most, or comes closest to it.
fn worst(metric: &Metric, claim: &Claim, kills: &[Kill<'_>], basis: Basis) -> Option<WorstKill> {
    let mut worst: Option<(f64, WorstKill)> = None;
    for kill in kills.iter().filter(|kill| kill.lost.is_none()) {
        let Ok(experiment) = kill.windows.experiment.value else { continue };
        let baseline = kill.windows.baseline.value.unwrap_or(experiment);
        let badness = match (share_required(metric, claim), kill.windows.experiment.share_under) {
            (Some(_), Some(bracket)) if claim.form.lower_is_better() => -bracket.lower,
            (Some(_), Some(bracket)) => bracket.upper,
            (Some(_) | None, _) => excess(claim, baseline, experiment),
        };
        let value = match basis {
            Basis::Ratio if claim.form.is_against_baseline() => experiment / baseline,
            Basis::Difference if claim.form.is_against_baseline() => experiment - baseline,
            Basis::Ratio | Basis::Difference => experiment,
        };
        let candidate = WorstKill { index: kill.windows.index, value };
        let is_worse = match &worst {
            None => true,
            Some((least, held)) => {
                let farther = if claim.form.lower_is_better() {
                    candidate.value > held.value
                } else {
                    candidate.value < held.value
                };
                badness > *least || (badness >= *least && farther)
            }
        };
        if is_worse && candidate.value.is_finite() {
            worst = Some((badness, candidate));
        }
    }
    worst.map(|(_, kill)| kill)
}

/// On which scale changes against the baseline are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Experiment over baseline, on logarithms.
    Ratio,
    /// Experiment minus baseline.
    Difference,
}

/// The scale of a claim: a ratio for a purely relative claim where every value is above zero, else a difference.
pub(crate) fn basis(claim: &Claim, kills: &[Kill<'_>]) -> Basis {
    let relative = matches!(claim.amount, Amount::Relative(_)) && claim.or_by.is_none();
    if relative && claim.form.is_against_baseline() && all_positive(kills) {
        Basis::Ratio
    } else {
        Basis::Difference
    }
}

/// Whether every baseline and experiment value that is known is above zero.
pub(crate) fn all_positive(kills: &[Kill<'_>]) -> bool {
    kills.iter().all(|kill| {
        let positive =
            |window: &WindowValue| window.value.is_err() || window.value.is_ok_and(|v| v > 0.0);
        positive(&kill.windows.baseline)
            && (kill.lost.is_some() || positive(&kill.windows.experiment))
    })
}

/// The worst value in words.
pub(crate) fn worst_words(metric: &Metric, claim: &Claim, value: f64, basis: Basis) -> String {
    if !claim.form.is_against_baseline() {
        show::value(value, &metric.unit)
    } else if basis == Basis::Ratio {
        format!("{} times its baseline", show::significant(value, 3))
    } else {
        let sign = if value > 0.0 { "+" } else { "" };
        let shown = if metric.unit == crate::unit::Unit::Ratio {
            show::percentage_points(value)
        } else {
            show::value(value, &metric.unit)
        };
        format!("{sign}{shown} against its baseline")
    }
}

/// A count of iterations as results write it.
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A count as a number.
pub(crate) fn number(count: usize) -> f64 {
    count_to_f64(count)
}
