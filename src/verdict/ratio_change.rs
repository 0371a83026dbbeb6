//! The change of a ratio against its baseline over all requests, linearised and clustered by iteration.
//!
//! With `R_e` and `R_b` the ratios of sums, each iteration contributes `z = (E − R_e·N_e)/ΣN_e` to the error of `R_e` and
//! likewise to `R_b`; a contrast `w_e·R_e − w_b·R_b` has variance `K/(K−1)·Σ(w_e·z_e − w_b·z_b)²` (Cochran 1977, section 6;
//! Taylor linearisation). A share of the baseline is tested on `log R_e − log R_b`, with weights `1/R_e` and `1/R_b`; where
//! a ratio is zero or an allowance stands beside it, on `R_e − R_b` less the allowance, against zero. Limits use
//! Student's t with K − 1 degrees of freedom. Used where logarithms per iteration are not trusted: fewer than 30
//! events in a window.

use crate::spec::{Amount, Claim, Counted, Estimand, Measure, Metric};
use crate::stats::distribution::{student_t_cdf, student_t_quantile};
use crate::summary::Counts;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{self, Kill, number, small};
use crate::verdict::policy;
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sample::Replicate;
use crate::verdict::typical::{iterations_to_clear, needed_words};

/// Counted part and all requests of both windows of one cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    session: u32,
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

/// On which scale a change is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// `R_e − R_b` against the amount.
    Difference,
    /// `log R_e − log R_b` against log(1 + share).
    Logarithm,
    /// `R_e − R_b` less the allowance, against zero.
    Excess,
}

/// An estimate with its standard error on the scale that is tested.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    estimate: f64,
    standard_error: f64,
    clusters: usize,
}

/// Ratios of sums of both windows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ratios {
    baseline: f64,
    experiment: f64,
}

/// Whether a claim on a ratio against its baseline has to be decided here: one over all requests, or a purely relative
/// one with fewer than [`policy::RATIO_EVENTS_FOR_LOGS`] counted events in some window. With `worst` slices decide,
/// whose events are not counted.
pub(crate) fn applies(metric: &Metric, claim: &Claim, kills: &[Kill<'_>]) -> bool {
    let is_ratio = matches!(metric.measure, Measure::Ratio { .. });
    if !is_ratio || !claim.form.is_against_baseline() {
        return false;
    }
    match claim.estimand {
        Estimand::AllRequests => true,
        Estimand::TypicalKill => {
            let relative = matches!(claim.amount, Amount::Relative(_)) && claim.or_by.is_none();
            relative && metric.worst.is_none() && !enough_events(metric, kills)
        }
        Estimand::MostKills | Estimand::EveryKill | Estimand::ThisRun => false,
    }
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
        Measure::Ratio { counted: Counted::Good, .. } => counts.total - counts.bad,
        _ => counts.bad,
    }
}

/// Counts of all kills. An iteration without requests before the kill is excluded already.
fn pairs(metric: &Metric, kills: &[Kill<'_>], lost_as: LostAs, replicate: Replicate) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for kill in kills {
        let Some(baseline) = kill.windows.baseline.counts else { continue };
        let counts = kill.windows.experiment.counts.filter(|_| kill.lost.is_none());
        let (experiment_part, experiment_total) = match (counts, lost_as) {
            (Some(experiment), _) => (part(metric, &experiment), experiment.total),
            (None, LostAs::AllPart) => (baseline.total, baseline.total),
            (None, LostAs::NoPart) => (0.0, baseline.total),
        };
        let pair = Pair {
            session: kill.windows.session,
            baseline_part: part(metric, &baseline),
            baseline_total: baseline.total,
            experiment_part,
            experiment_total,
        };
        let held = match replicate {
            Replicate::Iteration => None,
            Replicate::Session => pairs.iter_mut().find(|held| held.session == pair.session),
        };
        match held {
            Some(held) => held.add(pair),
            None => pairs.push(pair),
        }
    }
    pairs
}

impl Pair {
    fn add(&mut self, other: Self) {
        self.baseline_part += other.baseline_part;
        self.baseline_total += other.baseline_total;
        self.experiment_part += other.experiment_part;
        self.experiment_total += other.experiment_total;
    }
}

impl Ratios {
    /// The ratios of sums; `None` where nothing was counted.
    fn of(pairs: &[Pair]) -> Option<Self> {
        let sum = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>();
        let (baseline, experiment) = (sum(|p| p.baseline_total), sum(|p| p.experiment_total));
        (baseline > 0.0 && experiment > 0.0).then(|| Self {
            baseline: sum(|p| p.baseline_part) / baseline,
            experiment: sum(|p| p.experiment_part) / experiment,
        })
    }

    fn positive(self) -> bool {
        self.baseline > 0.0 && self.experiment > 0.0
    }
}

/// A claim on the change of a ratio with its scale.
#[derive(Debug, Clone, Copy)]
struct Tested<'claim> {
    claim: &'claim Claim,
    scale: Scale,
    /// 1 for a claim on an increase, −1 for one on a decrease.
    sign: f64,
}

impl<'claim> Tested<'claim> {
    fn of(claim: &'claim Claim, cautious: &[Pair], generous: &[Pair]) -> Self {
        let sign = if claim.form.lower_is_better() { 1.0 } else { -1.0 };
        let positive = |pairs: &[Pair]| Ratios::of(pairs).is_some_and(Ratios::positive);
        let scale = match (claim.amount, claim.or_by) {
            (Amount::Absolute(_), None) => Scale::Difference,
            // No quotient falls below zero: a decrease by the whole baseline or more has no logarithm.
            (Amount::Relative(share), None)
                if sign * share > -1.0 && positive(cautious) && positive(generous) =>
            {
                Scale::Logarithm
            }
            (Amount::Absolute(_) | Amount::Relative(_), _) => Scale::Excess,
        };
        Self { claim, scale, sign }
    }

    /// The bound on the tested scale.
    fn bound(self) -> f64 {
        let signed = self.sign * self.claim.amount.value();
        match self.scale {
            Scale::Difference => signed,
            Scale::Logarithm => signed.ln_1p(),
            Scale::Excess => 0.0,
        }
    }

    /// A number of the tested scale as results show it.
    fn show(self, value: f64) -> f64 {
        match self.scale {
            Scale::Difference | Scale::Excess => value,
            Scale::Logarithm => value.exp(),
        }
    }

    /// The change; `None` with one cluster or where a ratio does not exist.
    fn change(self, pairs: &[Pair]) -> Option<Change> {
        let clusters = pairs.len();
        let ratios = Ratios::of(pairs).filter(|_| clusters > 1)?;
        let Ratios { baseline, experiment } = ratios;
        let (estimate, of_experiment, of_baseline) = match self.scale {
            Scale::Difference => (experiment - baseline, 1.0, 1.0),
            Scale::Logarithm => {
                ((experiment / baseline).ln(), experiment.recip(), baseline.recip())
            }
            Scale::Excess => {
                let allowance = kill::allowance(self.claim.amount, self.claim.or_by, baseline);
                let share = match self.claim.amount {
                    Amount::Relative(share) if share * baseline >= allowance => share,
                    Amount::Relative(_) | Amount::Absolute(_) => 0.0,
                };
                (experiment - baseline - self.sign * allowance, 1.0, 1.0 + self.sign * share)
            }
        };
        let sum = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>();
        let (baseline_total, experiment_total) =
            (sum(|p| p.baseline_total), sum(|p| p.experiment_total));
        let squares: f64 = pairs
            .iter()
            .map(|p| {
                let after =
                    (p.experiment_part - experiment * p.experiment_total) / experiment_total;
                let before = (p.baseline_part - baseline * p.baseline_total) / baseline_total;
                (of_experiment * after - of_baseline * before).powi(2)
            })
            .sum();
        let k = number(clusters);
        let spread = (squares * k / (k - 1.0)).sqrt();
        // What rounding leaves of equal rates is no spread.
        let size = of_experiment * experiment + of_baseline.abs() * baseline;
        let standard_error = if spread > policy::EQUALITY * size { spread } else { 0.0 };
        Some(Change { estimate, standard_error, clusters })
    }
}

/// Rules on the change of a ratio.
pub(crate) fn rule(
    metric: &Metric,
    claim: &Claim,
    kills: &[Kill<'_>],
    replicate: Replicate,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let increase = claim.form.lower_is_better();
    let (worst, best) = if increase {
        (LostAs::AllPart, LostAs::NoPart)
    } else {
        (LostAs::NoPart, LostAs::AllPart)
    };
    let cautious = pairs(metric, kills, worst, replicate);
    let generous = pairs(metric, kills, best, replicate);
    let tested = Tested::of(claim, &cautious, &generous);
    let (cautious, generous) = (tested.change(&cautious), tested.change(&generous));
    let (bound, clusters) = (tested.bound(), pairs(metric, kills, worst, replicate).len());
    let (good, bad) =
        if increase { (Side::Below, Side::Above) } else { (Side::Above, Side::Below) };
    let limit = |change: Option<Change>, side: Side| {
        change.map(|change| change.limit(alpha, side)).filter(|value| value.is_finite())
    };
    let (for_lower, for_upper) = if increase { (generous, cautious) } else { (cautious, generous) };
    let (lower, upper) = (limit(for_lower, Side::Below), limit(for_upper, Side::Above));
    let decision = Decision {
        quantity: DecidedQuantity::Effect,
        lower: lower.map(|value| tested.show(value)),
        upper: upper.map(|value| tested.show(value)).filter(|value| value.is_finite()),
        bound: tested.show(bound),
        method: "linearised_ratio".to_owned(),
        p_pass: cautious.and_then(|change| change.level(bound, good)),
        p_fail: generous.and_then(|change| change.level(bound, bad)),
        p_fail_holm: None,
        attained_level: Some(1.0 - alpha),
    };
    if !gates.enough("iterations with requests", clusters, policy::CLUSTERS_TO_PASS) {
        return Ruling::undecidable(decision, too_few(clusters, kills.len()));
    }
    let (Some(p_pass), Some(p_fail)) = (decision.p_pass, decision.p_fail) else {
        return Ruling::undecidable(
            decision,
            Cause::new(
                ReasonCode::DegenerateVariance,
                "the change of the ratio has no spread (no counted event, or the same in every window): claim an absolute bound".to_owned(),
            ),
        );
    };
    let passes = gates.at_most("level at which the change passes", p_pass, alpha);
    let fails = !passes && gates.at_most("level at which the change fails", p_fail, alpha);
    let mut ruling = Ruling::of(decision, passes, fails);
    if !passes && !fails {
        ruling.causes = lost(kills);
        let needed = cautious
            .and_then(|c| iterations_to_clear(clusters, c.estimate, bound, lower, upper))
            .map(|replicates| replicates.saturating_mul(small(kills.len().div_ceil(clusters))));
        ruling.causes.push(Cause::with_needed(
            ReasonCode::IntervalStraddlesBound,
            format!(
                "not shown either way: the limits lie on both sides of {}; {}",
                show::significant(tested.show(bound), 4),
                needed_words(needed)
            ),
            needed,
        ));
    }
    ruling
}

/// The causes of lost kills.
fn lost(kills: &[Kill<'_>]) -> Vec<Cause> {
    let mut codes: Vec<ReasonCode> = kills.iter().filter_map(|kill| kill.lost).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Cause::plain).collect()
}

/// Fewer clusters than the linearisation needs.
fn too_few(clusters: usize, kills: usize) -> Cause {
    let per_cluster = small(kills.div_ceil(clusters.max(1)));
    let needed = small(policy::CLUSTERS_TO_PASS).saturating_mul(per_cluster);
    Cause::with_needed(
        ReasonCode::TooFewIterations,
        format!(
            "{kills} {} cannot decide on the change of a ratio over all requests; at least {needed} are needed",
            if kills == 1 { "iteration" } else { "iterations" }
        ),
        Some(needed),
    )
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
