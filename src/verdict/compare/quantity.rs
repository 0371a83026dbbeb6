//! The quantities of one claim that are compared, taken from two results.

use crate::run::Arm;
use crate::spec::{Estimand, Form};
use crate::stats::Alternative;
use crate::stats::brunner_munzel::{Reference, brunner_munzel};
use crate::stats::kaplan_meier::Ending;
use crate::stats::log_rank::{GroupedObservation, log_rank, permutation_log_rank};
use crate::stats::random::Stream;
use crate::unit::{Seed, show};
use crate::verdict::policy;
use crate::verdict::result::{
    AnalysisResult, ClaimInfo, EffectForm, IterationResult, MetricResult, RecoveryResult,
};

use super::contest::{
    self, BadOfAll, Contest, Outside, Requests, RestrictedMeans, Time, Values, median,
};
use super::judge::Margin;
use super::result::{CompareForm, CompareSensitivity, ComparedQuantity, QuantityComparison};

/// A quantity before it is weighed with the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    pub(super) what: ComparedQuantity,
    pub(super) form: CompareForm,
    /// Whether smaller is better, before it was turned so that greater is worse.
    pub(super) lower_is_better: bool,
    pub(super) contest: Contest,
    pub(super) margin_from: String,
}

/// One metric on one side with its usable kills.
#[derive(Clone, Copy)]
pub(super) struct Side<'result> {
    pub(super) result: &'result AnalysisResult,
    pub(super) metric: &'result MetricResult,
}

impl<'result> Side<'result> {
    /// Kills that nothing before them excludes.
    fn kills(self) -> impl Iterator<Item = &'result IterationResult> {
        let excluded = |index: u32| {
            self.result.iterations.excluded.iter().any(|one| one.index == index)
                || self.metric.excluded.iter().any(|one| one.index == index)
        };
        self.metric
            .iterations
            .iter()
            .filter(move |one| one.arm == Arm::Fault && !excluded(one.index))
    }

    /// How many kills were outside the bound.
    fn outside(self) -> Outside {
        let mut counted = Outside { outside: 0, unknown: 0, n: 0 };
        for kill in self.kills() {
            counted.n += 1;
            match kill.inside {
                Some(true) => {}
                Some(false) => counted.outside += 1,
                None => counted.unknown += 1,
            }
        }
        counted
    }

    /// Values of all kills by `of`, turned so that greater is worse.
    fn values(self, sign: f64, of: impl Fn(&IterationResult) -> Option<f64>) -> Values {
        Values(
            self.kills().map(|kill| known(kill).and_then(&of).map(|value| sign * value)).collect(),
        )
    }

    /// Bad requests of every kill, if the metric counts them.
    fn requests(self, good: Good) -> Option<Requests> {
        let counted = self.kills().any(|kill| kill.requests.is_some());
        counted.then(|| {
            Requests(
                self.kills()
                    .map(|kill| {
                        let (kill, ratio) = (known(kill)?, kill.experiment?);
                        let all = kill.requests.filter(|all| *all > 0.0)?;
                        let share = match good {
                            Good::Low => ratio,
                            Good::High => 1.0 - ratio,
                        };
                        // The ratio was made from whole requests: rounding gives them back.
                        Some(BadOfAll { bad: (share * all).round().clamp(0.0, all), all })
                    })
                    .collect(),
            )
        })
    }

    /// Values of the baseline windows.
    pub(super) fn baselines(self) -> Vec<f64> {
        self.kills().filter_map(|kill| kill.baseline).collect()
    }

    /// Whether any kill has lost its data.
    pub(super) fn lost(self) -> usize {
        self.kills().filter(|kill| known(kill).and_then(|kill| kill.experiment).is_none()).count()
    }
}

/// A kill unless a rule stopped it: what was measured then is not what would have been.
fn known(kill: &IterationResult) -> Option<&IterationResult> {
    (kill.reason.as_deref() != Some("aborted")).then_some(kill)
}

/// Which side of a ratio is good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Good {
    Low,
    High,
}

/// The quantities of a claim: what it is said of first.
pub(super) fn of_claim(
    before: Side<'_>,
    after: Side<'_>,
    claim: &ClaimInfo,
    margin: Margin,
    alpha: f64,
) -> Vec<Quantity> {
    let lower_is_better = claim.form.lower_is_better();
    let sign = if lower_is_better { 1.0 } else { -1.0 };
    let estimand = before.metric.estimand.unwrap_or(Estimand::TypicalKill);
    let relative = claim.form.is_against_baseline();
    match estimand {
        Estimand::AllRequests if !relative && before.metric.kind == "ratio" => {
            let good = if lower_is_better { Good::Low } else { Good::High };
            if let (Some(one), Some(other)) = (before.requests(good), after.requests(good)) {
                let (size, margin_from) = margin.of_bound(claim.bound);
                let contest = contest::requests(&one, &other, size, alpha);
                return vec![Quantity {
                    what: ComparedQuantity::AllRequests,
                    form: CompareForm::Difference,
                    lower_is_better,
                    contest: turned_shares(contest, good),
                    margin_from,
                }];
            }
            vec![values(before, after, claim, margin, sign, alpha)]
        }
        Estimand::MostKills | Estimand::EveryKill => {
            let required = claim.share.unwrap_or(policy::SHARES_WORTH_PROVING[1]);
            vec![
                share(before.outside(), after.outside(), required, alpha),
                values(before, after, claim, margin, sign, alpha),
            ]
        }
        Estimand::AllRequests | Estimand::TypicalKill => {
            vec![values(before, after, claim, margin, sign, alpha)]
        }
        Estimand::ThisRun => vec![this_run(before.outside(), after.outside(), lower_is_better)],
    }
}

/// Ratios of good requests were compared as ratios of bad ones: their numbers are shown as the metric has them.
fn turned_shares(mut contest: Contest, good: Good) -> Contest {
    if good == Good::High {
        contest.before = contest.before.map(|ratio| ratio - 1.0);
        contest.after = contest.after.map(|ratio| ratio - 1.0);
    }
    contest
}

/// The share of kills outside; the part that the claim allows to be outside is the margin.
fn share(before: Outside, after: Outside, required: f64, alpha: f64) -> Quantity {
    let mut contest = contest::shares(before, after, 1.0 - required, alpha);
    // Shown as shares inside: greater is better.
    contest.before = contest.before.map(|share| share - 1.0);
    contest.after = contest.after.map(|share| share - 1.0);
    Quantity {
        what: ComparedQuantity::ShareInside,
        form: CompareForm::Difference,
        lower_is_better: false,
        contest,
        margin_from: format!(
            "the {} of kills that the claim allows to be outside",
            show::percent(1.0 - required)
        ),
    }
}

/// The values that the claim bounds: experiment windows of an absolute claim, effects of one against the baseline.
fn values(
    before: Side<'_>,
    after: Side<'_>,
    claim: &ClaimInfo,
    margin: Margin,
    sign: f64,
    alpha: f64,
) -> Quantity {
    let lower_is_better = claim.form.lower_is_better();
    let quantity = |what, form, contest, margin_from| Quantity {
        what,
        form,
        lower_is_better,
        contest,
        margin_from,
    };
    let difference = |kill: &IterationResult| Some(kill.experiment? - kill.baseline?);
    match claim.form {
        Form::AtMost | Form::AtLeast => {
            let (size, from) = margin.of_bound(claim.bound);
            let of = |kill: &IterationResult| kill.experiment;
            let contest =
                contest::values(&before.values(sign, of), &after.values(sign, of), size, alpha);
            quantity(ComparedQuantity::Value, CompareForm::Difference, contest, from)
        }
        Form::IncreaseAtMost | Form::DecreaseAtMost => {
            if claim.relative && claim.or_by.is_none() && both_ratios(before, after) {
                let (size, from) = margin.of_change(claim.bound);
                // A decrease by m per cent is a ratio of 1 − m: as far on the scale of logarithms as it is.
                let size = if lower_is_better {
                    size.ln_1p()
                } else {
                    let left = 1.0 - size;
                    if left > 0.0 { -left.ln() } else { f64::MAX }
                };
                let of = |kill: &IterationResult| {
                    let (experiment, baseline) = (kill.experiment?, kill.baseline?);
                    (experiment > 0.0 && baseline > 0.0).then(|| (experiment / baseline).ln())
                };
                let contest =
                    contest::values(&before.values(sign, of), &after.values(sign, of), size, alpha);
                return quantity(ComparedQuantity::Effect, CompareForm::Ratio, contest, from);
            }
            let (size, from) = if claim.relative {
                let (share, from) = margin.of_change(claim.bound);
                let level = median(&before.baselines()).map_or(0.0, f64::abs);
                let by_share = share * level;
                match claim.or_by.filter(|or_by| *or_by > by_share) {
                    Some(or_by) => (
                        or_by,
                        format!("the claim's own allowance of {}", show::significant(or_by, 4)),
                    ),
                    None => (by_share, format!("{from}, of the baseline before")),
                }
            } else {
                margin.of_amount(claim.bound)
            };
            let contest = contest::values(
                &before.values(sign, difference),
                &after.values(sign, difference),
                size,
                alpha,
            );
            quantity(ComparedQuantity::Effect, CompareForm::Difference, contest, from)
        }
    }
}

/// Whether both results have their effects as ratios.
fn both_ratios(before: Side<'_>, after: Side<'_>) -> bool {
    let is_ratio = |side: Side<'_>| {
        side.metric.effect.as_ref().is_some_and(|effect| effect.form == EffectForm::Ratio)
    };
    is_ratio(before) && is_ratio(after)
}

/// What was observed, without inference.
fn this_run(before: Outside, after: Outside, lower_is_better: bool) -> Quantity {
    let held = |kills: Outside| kills.n > 0 && kills.outside + kills.unknown == 0;
    let broke = |kills: Outside| kills.outside > 0;
    let sure = |answer: bool| Some(if answer { 0.0 } else { 1.0 });
    let contest = Contest {
        before: None,
        after: None,
        estimate: None,
        lower: None,
        upper: None,
        margin: 0.0,
        n_before: before.n as usize,
        n_after: after.n as usize,
        method: "threshold",
        p_not_worse: sure(held(after)),
        p_better: sure(broke(before) && held(after)),
        p_worse: sure(held(before) && broke(after)),
    };
    Quantity {
        what: ComparedQuantity::ThisRun,
        form: CompareForm::Difference,
        lower_is_better,
        contest,
        margin_from: "none: what was observed in these runs is compared".to_owned(),
    }
}

/// The difference of an exploratory metric: its effect against the baseline, or its values.
pub(super) fn of_exploratory(before: Side<'_>, after: Side<'_>, alpha: f64) -> Quantity {
    let of = |kill: &IterationResult| Some(kill.experiment? - kill.baseline?);
    Quantity {
        what: ComparedQuantity::Effect,
        form: CompareForm::Difference,
        lower_is_better: true,
        contest: contest::values(&before.values(1.0, of), &after.values(1.0, of), 0.0, alpha),
        margin_from: "none: nothing is claimed".to_owned(),
    }
}

/// The recovery of two results: the share in time, and the time itself.
pub(super) fn of_recovery(
    before: &RecoveryResult,
    after: &RecoveryResult,
    margin: Margin,
    alpha: f64,
) -> Vec<Quantity> {
    let Some(within) = &before.recover.within else { return Vec::new() };
    let outside = |recovery: &RecoveryResult| {
        recovery.recover.within.as_ref().map(|within| Outside {
            outside: within.missed,
            unknown: within.unknown,
            n: within.n,
        })
    };
    let mut quantities = Vec::new();
    if let (Some(one), Some(other)) = (outside(before), outside(after)) {
        quantities.push(share(one, other, within.required_share, alpha));
    }
    let (size, margin_from) = margin.of_deadline(within.deadline_s);
    quantities.push(Quantity {
        what: ComparedQuantity::TimeToRecover,
        form: CompareForm::Difference,
        lower_is_better: true,
        contest: contest::times(&times(before), &times(after), size, alpha),
        margin_from,
    });
    quantities
}

/// Times of a result.
fn times(recovery: &RecoveryResult) -> Vec<Time> {
    recovery
        .recover
        .times
        .iter()
        .filter_map(|entry| {
            let ending = if entry.censored { Ending::Censored } else { Ending::Event };
            entry.seconds.map(|seconds| Time { seconds, ending })
        })
        .collect()
}

/// Whether values of both sides have one distribution (Brunner and Munzel 2000).
pub(super) fn brunner_munzel_beside(
    before: Side<'_>,
    after: Side<'_>,
    claim: Option<&ClaimInfo>,
) -> Option<CompareSensitivity> {
    let against_baseline = claim.is_none_or(|claim| claim.form.is_against_baseline());
    let of = |kill: &IterationResult| {
        let experiment = kill.experiment?;
        if against_baseline { Some(experiment - kill.baseline?) } else { Some(experiment) }
    };
    let values =
        |side: Side<'_>| -> Vec<f64> { side.values(1.0, of).0.into_iter().flatten().collect() };
    let found =
        brunner_munzel(&values(after), &values(before), Alternative::TwoSided, Reference::StudentT)
            .ok()?;
    Some(CompareSensitivity {
        method: "brunner_munzel".to_owned(),
        of: "chance that a kill before has a greater value than one after, ties counted half"
            .to_owned(),
        estimate: Some(found.relative_effect),
        lower: None,
        upper: None,
        p_value: Some(found.p.get()),
    })
}

/// Log-rank test and restricted means beside the decision on times.
pub(super) fn times_beside(
    before: &RecoveryResult,
    after: &RecoveryResult,
    seed: Seed,
    alpha: f64,
) -> Vec<CompareSensitivity> {
    let (before, after) = (times(before), times(after));
    let mut beside = Vec::new();
    if let Some(means) = RestrictedMeans::of(&before, &after) {
        let z = crate::stats::distribution::normal_quantile(1.0 - alpha);
        let limit = |sign: f64| Some(means.difference() + sign * z * means.standard_error()?);
        beside.push(CompareSensitivity {
            method: "restricted_mean".to_owned(),
            of: format!(
                "difference of the mean times up to {}, in seconds",
                show::seconds(means.before.horizon)
            ),
            estimate: Some(means.difference()),
            lower: limit(-1.0),
            upper: limit(1.0),
            p_value: None,
        });
    }
    let grouped: Vec<GroupedObservation> = before
        .iter()
        .map(|time| (time, 0))
        .chain(after.iter().map(|time| (time, 1)))
        .map(|(time, group)| GroupedObservation {
            observation: crate::stats::kaplan_meier::Observation {
                time: time.seconds,
                ending: time.ending,
            },
            group,
        })
        .collect();
    let events = grouped.iter().filter(|one| one.observation.ending == Ending::Event).count();
    let (method, p) = if events < policy::EVENTS_FOR_LOG_RANK {
        let mut stream = Stream::new(seed, "recovery", "compare-log-rank");
        let found = permutation_log_rank(&grouped, policy::PERMUTATIONS, &mut stream);
        ("permutation_log_rank", found.ok().map(|found| found.p.get()))
    } else {
        ("log_rank", log_rank(&grouped, 0.0).ok().map(|found| found.p.get()))
    };
    beside.push(CompareSensitivity {
        method: method.to_owned(),
        of: "whether the times to recover have one distribution".to_owned(),
        estimate: None,
        lower: None,
        upper: None,
        p_value: p,
    });
    beside
}

impl Quantity {
    /// The quantity as the result has it: turned back to after minus before.
    pub(super) fn shown(
        &self,
        p_better_holm: Option<f64>,
        p_worse_holm: Option<f64>,
    ) -> QuantityComparison {
        let contest = &self.contest;
        let sign = if self.lower_is_better { 1.0 } else { -1.0 };
        let back = |value: Option<f64>| value.map(|value| sign * value);
        // A value of a logarithm is shown as the ratio it is the logarithm of.
        let scaled = |value: Option<f64>| match self.form {
            CompareForm::Difference => back(value),
            CompareForm::Ratio => back(value).map(f64::exp),
        };
        let (lower, upper) = if self.lower_is_better {
            (contest.lower, contest.upper)
        } else {
            (contest.upper, contest.lower)
        };
        QuantityComparison {
            quantity: self.what,
            form: self.form,
            lower_is_better: self.lower_is_better,
            before: scaled(contest.before).map(positive_zero),
            after: scaled(contest.after).map(positive_zero),
            estimate: scaled(contest.estimate).map(positive_zero),
            lower: scaled(lower).map(positive_zero),
            upper: scaled(upper).map(positive_zero),
            margin: scaled(Some(contest.margin)).map_or(0.0, positive_zero),
            margin_from: self.margin_from.clone(),
            n_before: crate::verdict::kill::small(contest.n_before),
            n_after: crate::verdict::kill::small(contest.n_after),
            method: contest.method.to_owned(),
            p_not_worse: contest.p_not_worse,
            p_better: contest.p_better,
            p_better_holm,
            p_worse: contest.p_worse,
            p_worse_holm,
        }
    }
}

/// Zero without a sign: −0 reads as a change.
fn positive_zero(value: f64) -> f64 {
    value + 0.0
}
