//! All claims of a comparison weighed together: one answer, one sentence.

use std::fmt::Write as _;

use crate::stats::brunner_munzel::{Reference, brunner_munzel};
use crate::stats::multiplicity::{Adjustment, adjusted};
use crate::stats::{Alternative, PValue};
use crate::unit::{Seed, show};
use crate::verdict::policy;
use crate::verdict::result::{AnalysisResult, Tool, Verdict, Warning};
use crate::verdict::typical::iterations_to_clear;

use super::pairing::{Names, Pair, PairingError, has_claim, pair};
use super::quantity::{self, Quantity, Side};
use super::result::{
    Campaign, Change, ClaimComparison, CompareReason, ComparedQuantity, Comparison, SCHEMA,
};

/// How much worse still counts as equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// What each claim says of itself: the allowance of a claim against the baseline, a tenth of an absolute bound.
    OfTheClaim,
    /// This part of an absolute bound, and this change for a claim against the baseline.
    Share(f64),
}

impl Margin {
    /// Of an absolute bound.
    pub(super) fn of_bound(self, bound: f64) -> (f64, String) {
        let share = match self {
            Self::OfTheClaim => policy::COMPARED_BOUND_SHARE,
            Self::Share(share) => share,
        };
        (share * bound.abs(), format!("{} of the bound", show::percent(share)))
    }

    /// Of a deadline.
    pub(super) fn of_deadline(self, deadline_seconds: f64) -> (f64, String) {
        let (size, _) = self.of_bound(deadline_seconds);
        let share = match self {
            Self::OfTheClaim => policy::COMPARED_BOUND_SHARE,
            Self::Share(share) => share,
        };
        (size, format!("{} of the deadline", show::percent(share)))
    }

    /// Of a claim against the baseline, as a share of it.
    pub(super) fn of_change(self, bound: f64) -> (f64, String) {
        match self {
            Self::OfTheClaim => {
                (bound.abs(), format!("the claim's own margin of {}", show::percent(bound.abs())))
            }
            Self::Share(share) => (share, format!("the margin given, {}", show::percent(share))),
        }
    }

    /// Of a claim against the baseline that is an amount.
    pub(super) fn of_amount(self, bound: f64) -> (f64, String) {
        match self {
            Self::OfTheClaim => (bound.abs(), "the claim's own margin".to_owned()),
            Self::Share(share) => {
                (share * bound.abs(), format!("{} of the claim's margin", show::percent(share)))
            }
        }
    }
}

/// What to compare, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'result> {
    /// The campaign before the change.
    pub before: &'result AnalysisResult,
    /// The campaign after it.
    pub after: &'result AnalysisResult,
    /// How much worse still counts as equal.
    pub margin: Margin,
    /// Whether the experiments may have two names.
    pub names: Names,
    /// The change to the runbook that this is to prove.
    pub runbook_change: Option<String>,
}

/// One claim before it is weighed with the others.
struct Weighed {
    shell: ClaimComparison,
    quantities: Vec<Quantity>,
    /// Kills whose data are lost.
    lost: usize,
}

/// Compares two campaigns.
///
/// # Errors
/// [`PairingError`] if they are not of one experiment, or have nothing in common.
pub fn compare(request: &Request<'_>) -> Result<Comparison, PairingError> {
    let (before, after) = (request.before, request.after);
    let paired = pair(before, after, request.names)?;
    let confidence =
        if before.confidence > after.confidence { before.confidence } else { after.confidence };
    let alpha = 1.0 - confidence;
    let mut weighed: Vec<Weighed> =
        paired.claims.iter().map(|pair| claim(request, pair, alpha)).collect();
    weighed.extend(recovery(request, alpha));
    let claims = settle(weighed, alpha);
    let verdict = overall(&claims);
    let exploratory = exploratory(request, &paired.exploratory, alpha);
    Ok(Comparison {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "unfazed".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        experiment: after.experiment.name.clone(),
        hypothesis: after.experiment.hypothesis.clone(),
        before: campaign(before),
        after: campaign(after),
        confidence,
        verdict,
        headline: headline(verdict, &claims, request, confidence),
        reasons: reasons(verdict, &claims),
        claims,
        exploratory,
        not_compared: paired.not_compared,
        document_changes: paired.changes,
        runbook_change: request.runbook_change.clone(),
        warnings: warnings(request),
    })
}

fn campaign(result: &AnalysisResult) -> Campaign {
    Campaign {
        experiment: result.experiment.name.clone(),
        run_id: result.run_id.clone(),
        digest: result.experiment.digest.clone(),
        samples_digest: result.samples_digest.clone(),
        environment: result.experiment.environment.clone(),
        started_at: result.started_at,
        ended_at: result.ended_at,
        sessions: result.sessions,
        kills: result.iterations.usable,
        verdict: result.verdict,
        runbook: result.experiment.runbook.clone(),
    }
}

fn sides<'result>(request: &Request<'result>, pair: &Pair<'result>) -> [Side<'result>; 2] {
    [
        Side { result: request.before, metric: pair.before },
        Side { result: request.after, metric: pair.after },
    ]
}

fn shell(metric: &str, unit: Option<&String>) -> ClaimComparison {
    ClaimComparison {
        metric: metric.to_owned(),
        unit: unit.cloned(),
        claim: None,
        before_verdict: None,
        after_verdict: None,
        verdict: None,
        sentence: String::new(),
        quantities: Vec::new(),
        sensitivity: Vec::new(),
        reasons: Vec::new(),
    }
}

fn claim(request: &Request<'_>, pair: &Pair<'_>, alpha: f64) -> Weighed {
    let [before, after] = sides(request, pair);
    let mut shell = shell(&pair.before.name, pair.before.unit.as_ref());
    shell.before_verdict = pair.before.verdict;
    shell.after_verdict = pair.after.verdict;
    let Some(claim) = pair.before.claim.as_ref().filter(|_| has_claim(pair.before)) else {
        return Weighed { shell, quantities: Vec::new(), lost: 0 };
    };
    shell.claim = Some(claim.text.clone());
    let quantities = quantity::of_claim(before, after, claim, request.margin, alpha);
    if quantities.iter().all(|quantity| quantity.what != ComparedQuantity::ThisRun) {
        shell.sensitivity.extend(quantity::brunner_munzel_beside(before, after, Some(claim)));
    }
    Weighed { shell, quantities, lost: before.lost() + after.lost() }
}

/// The recovery of both results, if both have a deadline.
fn recovery(request: &Request<'_>, alpha: f64) -> Option<Weighed> {
    let before = request.before.recovery.as_ref()?;
    let after = request.after.recovery.as_ref()?;
    let within = before.recover.within.as_ref()?;
    after.recover.within.as_ref()?;
    let mut shell = shell("recovery", Some(&"seconds".to_owned()));
    shell.claim = Some(format!(
        "{} of kills recover within {}",
        show::percent(within.required_share),
        show::seconds(within.deadline_s)
    ));
    shell.before_verdict = before.verdict;
    shell.after_verdict = after.verdict;
    shell.sensitivity = quantity::times_beside(before, after, Seed(request.after.seed), alpha);
    let quantities = quantity::of_recovery(before, after, request.margin, alpha);
    Some(Weighed { shell, quantities, lost: 0 })
}

/// Weighs all quantities together and answers every claim.
fn settle(weighed: Vec<Weighed>, alpha: f64) -> Vec<ClaimComparison> {
    let all = |of: fn(&Quantity) -> Option<f64>| -> Vec<Option<PValue>> {
        weighed
            .iter()
            .flat_map(|claim| claim.quantities.iter().map(move |one| of(one).map(PValue::new)))
            .collect()
    };
    let mut better = adjusted(&all(|one| one.contest.p_better), Adjustment::Holm).into_iter();
    let mut worse = adjusted(&all(|one| one.contest.p_worse), Adjustment::Holm).into_iter();
    weighed
        .into_iter()
        .map(|claim| {
            let Weighed { mut shell, quantities, lost } = claim;
            let mut held = Held {
                better: false,
                worse: false,
                not_worse: !quantities.is_empty(),
                only_alone: false,
            };
            for one in &quantities {
                let (p_better, p_worse) = (better.next().flatten(), worse.next().flatten());
                held.add(one, p_better, p_worse, alpha);
                shell
                    .quantities
                    .push(one.shown(p_better.map(PValue::get), p_worse.map(PValue::get)));
            }
            let answer = held.answer();
            shell.verdict = Some(answer);
            shell.reasons = claim_reasons(&shell, &quantities, answer, &held, lost, alpha);
            shell.sentence = sentence(&shell, answer);
            shell
        })
        .collect()
}

/// What has been shown of a claim.
#[expect(clippy::struct_excessive_bools, reason = "four findings, each shown or not by itself")]
struct Held {
    better: bool,
    worse: bool,
    not_worse: bool,
    /// Better or worse by itself, and no longer among all that was compared.
    only_alone: bool,
}

impl Held {
    fn add(&mut self, one: &Quantity, better: Option<PValue>, worse: Option<PValue>, alpha: f64) {
        let rejects = |p: Option<PValue>| p.is_some_and(|p| p.rejects_at(alpha));
        let alone = |p: Option<f64>| rejects(p.map(PValue::new));
        self.better |= rejects(better);
        self.worse |= rejects(worse);
        self.only_alone |= (alone(one.contest.p_better) && !rejects(better))
            || (alone(one.contest.p_worse) && !rejects(worse));
        self.not_worse &= match one.what {
            ComparedQuantity::ThisRun => alone(one.contest.p_not_worse),
            ComparedQuantity::ShareInside
            | ComparedQuantity::Value
            | ComparedQuantity::Effect
            | ComparedQuantity::AllRequests
            | ComparedQuantity::TimeToRecover => one.contest.is_not_worse(),
        };
    }

    fn answer(&self) -> Change {
        if self.worse {
            Change::Worse
        } else if self.better && self.not_worse {
            Change::Better
        } else if self.not_worse {
            Change::NotWorse
        } else {
            Change::CannotTell
        }
    }
}

/// Why a claim is neither better nor not worse.
fn claim_reasons(
    shell: &ClaimComparison,
    quantities: &[Quantity],
    answer: Change,
    held: &Held,
    lost: usize,
    alpha: f64,
) -> Vec<CompareReason> {
    let reason = |code: &str, message: String, needed: Option<u32>| CompareReason {
        code: code.to_owned(),
        metric: Some(shell.metric.clone()),
        message,
        iterations_needed: needed,
    };
    let mut reasons = Vec::new();
    match answer {
        Change::Better | Change::NotWorse => return reasons,
        Change::Worse => {
            let words = "worse by more than the margin, after allowing for everything compared";
            reasons.push(reason("worse", words.to_owned(), None));
            return reasons;
        }
        Change::CannotTell => {}
    }
    if lost > 0 {
        let words = format!(
            "the data of {lost} kills are lost after the kill and count as the worst case both ways"
        );
        reasons.push(reason("missing_data", words, None));
    }
    if held.only_alone {
        let words = "it differs by itself, and no longer among everything that was compared (Holm)";
        reasons.push(reason("multiplicity", words.to_owned(), None));
    }
    for one in quantities {
        let contest = &one.contest;
        let what = quantity_words(one.what);
        if one.what == ComparedQuantity::ThisRun {
            let words = "it broke in the runs after, or it cannot be said whether it held; one look at single runs shows no change";
            if contest.p_not_worse.is_none_or(|p| p > alpha) {
                reasons.push(reason("no_inference", words.to_owned(), None));
            }
        } else if contest.upper.is_none() {
            let words = format!(
                "{what}: {} kills before and {} after are too few for a limit at this level",
                contest.n_before, contest.n_after
            );
            reasons.push(reason("too_few_iterations", words, None));
        } else if !contest.is_not_worse() {
            let fewer = contest.n_before.min(contest.n_after);
            let needed = contest.estimate.and_then(|estimate| {
                iterations_to_clear(fewer, estimate, contest.margin, contest.lower, contest.upper)
            });
            let mut words = format!("{what}: the limits lie on both sides of the margin");
            if let Some(needed) = needed {
                let _ = write!(
                    words,
                    "; about {needed} kills in each campaign would settle it if they look like these"
                );
            }
            reasons.push(reason("interval_straddles_margin", words, needed));
        }
    }
    reasons
}

/// A quantity in words.
pub(super) const fn quantity_words(quantity: ComparedQuantity) -> &'static str {
    match quantity {
        ComparedQuantity::ShareInside => "the share of kills inside",
        ComparedQuantity::Value => "the value of the typical kill",
        ComparedQuantity::Effect => "the effect of the typical kill",
        ComparedQuantity::AllRequests => "the ratio over all requests",
        ComparedQuantity::TimeToRecover => "the time to recover",
        ComparedQuantity::ThisRun => "what these runs showed",
    }
}

/// One claim's answer in a sentence.
fn sentence(claim: &ClaimComparison, answer: Change) -> String {
    let first_words = |verdict: Option<Verdict>| verdict.map_or("not judged", Verdict::word);
    let verdicts = format!(
        "{} before, {} after",
        first_words(claim.before_verdict),
        first_words(claim.after_verdict)
    );
    let this_run = claim.quantities.iter().any(|one| one.quantity == ComparedQuantity::ThisRun);
    let in_runs = if this_run { " in these runs, as observed" } else { "" };
    match answer {
        Change::Better => format!("Better{in_runs}: {verdicts}."),
        Change::NotWorse => format!("Not worse{in_runs}: {verdicts}."),
        Change::Worse => format!("Worse{in_runs}: {verdicts}."),
        Change::CannotTell => {
            let why = claim.reasons.first().map_or("", |reason| reason.message.as_str());
            format!("Cannot tell: {verdicts}; {why}.")
        }
    }
}

/// The answer over all claims.
fn overall(claims: &[ClaimComparison]) -> Change {
    let any = |change| claims.iter().any(|claim| claim.verdict == Some(change));
    if any(Change::Worse) {
        Change::Worse
    } else if claims.is_empty() || any(Change::CannotTell) {
        Change::CannotTell
    } else if any(Change::Better) {
        Change::Better
    } else {
        Change::NotWorse
    }
}

/// The one sentence: the answer, then what was seen.
fn headline(
    verdict: Change,
    claims: &[ClaimComparison],
    request: &Request<'_>,
    confidence: f64,
) -> String {
    if claims.is_empty() {
        return "Cannot tell: the two results have no claim in common.".to_owned();
    }
    let with = |change: Change| -> Vec<&str> {
        let those = claims.iter().filter(|claim| claim.verdict == Some(change));
        those.map(|claim| claim.metric.as_str()).collect()
    };
    let mut seen = Vec::new();
    for change in [Change::Better, Change::Worse, Change::NotWorse, Change::CannotTell] {
        let names = with(change);
        if !names.is_empty() {
            seen.push(format!("{} {} ({})", names.len(), change.words(), names.join(", ")));
        }
    }
    let level = show::percent(confidence);
    let opening = match verdict {
        Change::Better => format!(
            "Better ({level}): no claim is worse than its margin allows, and at least one improved"
        ),
        Change::NotWorse => format!(
            "Not worse ({level}): the data rule out that any claim is worse than its margin allows; no improvement is shown"
        ),
        Change::Worse => format!(
            "Worse ({level}, Holm over everything compared): at least one claim is worse by more than its margin"
        ),
        Change::CannotTell => "Cannot tell: not shown either way for every claim".to_owned(),
    };
    let (before, after) = (request.before, request.after);
    format!(
        "{opening}. Of {} claims: {}. {} kills before, {} after.",
        claims.len(),
        seen.join(", "),
        before.iterations.usable,
        after.iterations.usable
    )
}

/// Reasons of all claims; those of the answer first.
fn reasons(verdict: Change, claims: &[ClaimComparison]) -> Vec<CompareReason> {
    if claims.is_empty() {
        return vec![CompareReason {
            code: "no_claims".to_owned(),
            metric: None,
            message: "the two results have no claim in common".to_owned(),
            iterations_needed: None,
        }];
    }
    let those = claims.iter().filter(|claim| match verdict {
        Change::Worse => claim.verdict == Some(Change::Worse),
        Change::CannotTell => claim.verdict == Some(Change::CannotTell),
        Change::Better | Change::NotWorse => false,
    });
    those.flat_map(|claim| claim.reasons.iter().cloned()).collect()
}

/// Metrics without a claim, their p-values adjusted for their number.
fn exploratory(request: &Request<'_>, pairs: &[Pair<'_>], alpha: f64) -> Vec<ClaimComparison> {
    let mut rows: Vec<ClaimComparison> = pairs
        .iter()
        .map(|pair| {
            let [before, after] = sides(request, pair);
            let mut row = shell(&pair.before.name, pair.before.unit.as_ref());
            row.quantities = vec![quantity::of_exploratory(before, after, alpha).shown(None, None)];
            row.sensitivity.extend(quantity::brunner_munzel_beside(before, after, None));
            row
        })
        .collect();
    let p_values: Vec<Option<PValue>> = rows
        .iter()
        .map(|row| row.sensitivity.first().and_then(|one| one.p_value).map(PValue::new))
        .collect();
    for (row, p) in rows.iter_mut().zip(adjusted(&p_values, Adjustment::BenjaminiHochberg)) {
        "Nothing is claimed; shown only.".clone_into(&mut row.sentence);
        if let (Some(one), Some(p)) = (row.sensitivity.first_mut(), p) {
            one.of.push_str("; p adjusted over these metrics (Benjamini–Hochberg)");
            one.p_value = Some(p.get());
        }
    }
    rows
}

/// What a reader should know besides.
fn warnings(request: &Request<'_>) -> Vec<Warning> {
    let (before, after) = (request.before, request.after);
    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: String| {
        warnings.push(Warning { code: code.to_owned(), message });
    };
    let same_samples =
        before.samples_digest.is_some() && before.samples_digest == after.samples_digest;
    if before.run_id == after.run_id && same_samples {
        warn(
            "same_run",
            format!("both are the run '{}': a run says nothing about a change", before.run_id),
        );
    }
    if let (Some(ended), Some(started)) = (before.ended_at, after.started_at)
        && started < ended
        && !same_samples
    {
        warn(
            "order",
            format!(
                "the campaign after began at {started}, before the one before ended at {ended}: were they given the wrong way round?"
            ),
        );
    }
    if before.experiment.environment != after.experiment.environment {
        warn(
            "environments_differ",
            format!(
                "before ran in {}, after in {}: the difference may be theirs",
                before.experiment.environment, after.experiment.environment
            ),
        );
    }
    if before.sessions == 1 || after.sessions == 1 {
        warn(
            "single_session",
            "a campaign of one session speaks of that session's conditions: load, time of day and neighbours may differ between before and after as much as the change does".to_owned(),
        );
    }
    let moved = moved_baselines(request);
    if !moved.is_empty() {
        warn(
            "baselines_differ",
            format!(
                "the baselines differ between the campaigns ({}): something besides the kills changed",
                moved.join(", ")
            ),
        );
    }
    warnings
}

/// Metrics whose baselines differ between the campaigns.
fn moved_baselines(request: &Request<'_>) -> Vec<String> {
    let Ok(paired) = pair(request.before, request.after, Names::MayDiffer) else {
        return Vec::new();
    };
    let pairs: Vec<&Pair<'_>> = paired.claims.iter().chain(&paired.exploratory).collect();
    let p_values: Vec<Option<PValue>> = pairs
        .iter()
        .map(|pair| {
            let [before, after] = sides(request, pair);
            let (x, y) = (before.baselines(), after.baselines());
            brunner_munzel(&x, &y, Alternative::TwoSided, Reference::StudentT)
                .ok()
                .map(|found| found.p)
        })
        .collect();
    pairs
        .iter()
        .zip(adjusted(&p_values, Adjustment::Holm))
        .filter(|(_, p)| p.is_some_and(|p| p.rejects_at(policy::BASELINES_DIFFER_LEVEL)))
        .map(|(pair, _)| pair.before.name.clone())
        .collect()
}
