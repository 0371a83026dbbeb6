//! The change of a ratio against its baseline over all requests, linearised and clustered by iteration.
//!
//! With `R_e` and `R_b` the ratios of sums, each iteration contributes `z = (E − R_e·N_e)/ΣN_e` to the error of `R_e`
//! and likewise to `R_b`; a difference has variance `K/(K−1)·Σ(z_e − z_b)²`, a logarithm of the quotient has
//! `K/(K−1)·Σ(z_e/R_e − z_b/R_b)²` (Cochran 1977, section 6; Taylor linearisation). Limits use Student's t with K − 1
//! degrees of freedom. Used where logarithms per iteration are not trusted: fewer than 30 events in a window.

use crate::spec::{Amount, Claim, Form, Measure, Metric};
use crate::stats::distribution::{student_t_cdf, student_t_quantile};
use crate::summary::Counts;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Kill, number, small};
use crate::verdict::policy;
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};

/// Counted part and all requests of both windows of one iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    baseline_part: f64,
    baseline_total: f64,
    experiment_part: f64,
    experiment_total: f64,
}

/// How lost kills enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LostAs {
    AllPart,
    NoPart,
}

/// An estimate with its standard error on the scale that is tested.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    estimate: f64,
    standard_error: f64,
    clusters: usize,
}

/// Whether a claim on a ratio against its baseline has to be decided here: a purely relative one, with fewer than
/// [`policy::RATIO_EVENTS_FOR_LOGS`] counted events in some window, or one over all requests.
pub(crate) fn applies(metric: &Metric, claim: &Claim, kills: &[Kill<'_>]) -> bool {
    let is_ratio = matches!(metric.measure, Measure::Ratio { .. });
    if !is_ratio || !claim.form.is_against_baseline() || claim.or_by.is_some() {
        return false;
    }
    let over_all_requests = match claim.estimand {
        crate::spec::Estimand::AllRequests => true,
        crate::spec::Estimand::TypicalKill => false,
        crate::spec::Estimand::MostKills
        | crate::spec::Estimand::EveryKill
        | crate::spec::Estimand::ThisRun => return false,
    };
    let relative = matches!(claim.amount, Amount::Relative(_));
    over_all_requests || (relative && !enough_events(metric, kills))
}

/// Whether every window of every kill has enough counted events for logarithms.
fn enough_events(metric: &Metric, kills: &[Kill<'_>]) -> bool {
    kills.iter().all(|kill| {
        let enough = |counts: Option<Counts>| {
            counts.is_some_and(|counts| part(metric, &counts) >= policy::RATIO_EVENTS_FOR_LOGS)
        };
        enough(kill.windows.baseline.counts)
            && (kill.lost.is_some() || enough(kill.windows.experiment.counts))
    })
}

/// The counted part of a window.
fn part(metric: &Metric, counts: &Counts) -> f64 {
    match &metric.measure {
        Measure::Ratio { counted: crate::spec::Counted::Good, .. } => counts.total - counts.bad,
        _ => counts.bad,
    }
}

/// Counts of all kills.
fn pairs(metric: &Metric, kills: &[Kill<'_>], lost_as: LostAs) -> Vec<Pair> {
    kills
        .iter()
        .filter_map(|kill| {
            let baseline = kill.windows.baseline.counts?;
            let (experiment_part, experiment_total) = if kill.lost.is_some() {
                match lost_as {
                    LostAs::AllPart => (baseline.total, baseline.total),
                    LostAs::NoPart => (0.0, baseline.total),
                }
            } else {
                let experiment = kill.windows.experiment.counts?;
                (part(metric, &experiment), experiment.total)
            };
            Some(Pair {
                baseline_part: part(metric, &baseline),
                baseline_total: baseline.total,
                experiment_part,
                experiment_total,
            })
        })
        .collect()
}

/// The change on the tested scale; `None` where a ratio is zero under a logarithm or nothing was counted.
fn change(pairs: &[Pair], amount: Amount) -> Option<Change> {
    let clusters = pairs.len();
    if clusters < policy::CLUSTERS_TO_FAIL {
        return None;
    }
    let sum = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>();
    let (baseline_total, experiment_total) =
        (sum(|p| p.baseline_total), sum(|p| p.experiment_total));
    if baseline_total <= 0.0 || experiment_total <= 0.0 {
        return None;
    }
    let baseline = sum(|p| p.baseline_part) / baseline_total;
    let experiment = sum(|p| p.experiment_part) / experiment_total;
    let (estimate, baseline_scale, experiment_scale) = match amount {
        Amount::Absolute(_) => (experiment - baseline, 1.0, 1.0),
        Amount::Relative(_) if baseline > 0.0 && experiment > 0.0 => {
            ((experiment / baseline).ln(), baseline, experiment)
        }
        Amount::Relative(_) => return None,
    };
    let squares: f64 = pairs
        .iter()
        .map(|p| {
            let of_experiment =
                (p.experiment_part - experiment * p.experiment_total) / experiment_total;
            let of_baseline = (p.baseline_part - baseline * p.baseline_total) / baseline_total;
            (of_experiment / experiment_scale - of_baseline / baseline_scale).powi(2)
        })
        .sum();
    let k = number(clusters);
    Some(Change { estimate, standard_error: (squares * k / (k - 1.0)).sqrt(), clusters })
}

/// Rules on the change of a ratio.
pub(crate) fn rule(
    metric: &Metric,
    claim: &Claim,
    kills: &[Kill<'_>],
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let increase = matches!(claim.form, Form::IncreaseAtMost | Form::AtMost);
    let (worst, best) = if increase {
        (LostAs::AllPart, LostAs::NoPart)
    } else {
        (LostAs::NoPart, LostAs::AllPart)
    };
    let cautious = change(&pairs(metric, kills, worst), claim.amount);
    let generous = change(&pairs(metric, kills, best), claim.amount);
    let signed = if increase { claim.amount.value() } else { -claim.amount.value() };
    let (bound, shown_bound) = match claim.amount {
        Amount::Absolute(_) => (signed, signed),
        Amount::Relative(_) => (signed.ln_1p(), 1.0 + signed),
    };
    let show = |value: f64| match claim.amount {
        Amount::Absolute(_) => value,
        Amount::Relative(_) => value.exp(),
    };
    let (good_side, bad_side) =
        if increase { (Side::Below, Side::Above) } else { (Side::Above, Side::Below) };
    let towards_pass = cautious.and_then(|change| change.level(bound, good_side));
    let towards_fail = generous.and_then(|change| change.level(bound, bad_side));
    let enough = gates.enough("iterations with requests", kills.len(), policy::CLUSTERS_TO_PASS);
    let limit = |change: Option<Change>, side: Side| {
        change.map(|change| show(change.limit(alpha, side))).filter(|value| value.is_finite())
    };
    let (for_lower, for_upper) = if increase { (generous, cautious) } else { (cautious, generous) };
    let decision = Decision {
        quantity: DecidedQuantity::Effect,
        lower: limit(for_lower, Side::Below),
        upper: limit(for_upper, Side::Above),
        bound: shown_bound,
        method: "linearised_ratio".to_owned(),
        p_pass: towards_pass,
        p_fail: towards_fail,
        p_fail_holm: None,
        attained_level: Some(1.0 - alpha),
    };
    let (Some(pass), Some(fail)) = (towards_pass, towards_fail) else {
        return Ruling::undecidable(
            decision,
            Cause::new(
                ReasonCode::DegenerateVariance,
                "the change of the ratio has no spread or does not exist (no counted event before or after the kill); add `or_by` or claim an absolute bound".to_owned(),
            ),
        );
    };
    let passes = gates.at_most("level at which the change passes", pass, alpha);
    let fails = !passes && fail <= alpha;
    let mut ruling = Ruling::of(decision, passes && enough, fails);
    if ruling.passes || fails {
        return ruling;
    }
    if !enough {
        ruling.causes.push(Cause::with_needed(
            ReasonCode::TooFewIterations,
            format!("{} iterations cannot pass a change of a ratio over all requests", kills.len()),
            Some(small(policy::CLUSTERS_TO_PASS)),
        ));
        return ruling;
    }
    ruling.causes.push(Cause::new(
        ReasonCode::IntervalStraddlesBound,
        format!(
            "not shown either way: the limits lie on both sides of {}",
            show::significant(shown_bound, 4)
        ),
    ));
    ruling
}

impl Change {
    /// One-sided limit at level `1 − alpha`, on that side of the estimate.
    fn limit(self, alpha: f64, side: Side) -> f64 {
        let t = student_t_quantile(1.0 - alpha, number(self.clusters) - 1.0);
        match side {
            Side::Above => self.estimate + t * self.standard_error,
            Side::Below => self.estimate - t * self.standard_error,
        }
    }

    /// The level at which the change is shown to lie on a side of the bound. Without any variance between
    /// iterations no level can be given: `None`.
    fn level(self, bound: f64, side: Side) -> Option<f64> {
        let distance = match side {
            Side::Below => self.estimate - bound,
            Side::Above => bound - self.estimate,
        };
        (self.standard_error > 0.0)
            .then(|| student_t_cdf(distance / self.standard_error, number(self.clusters) - 1.0))
    }
}

/// A side of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Above,
}
