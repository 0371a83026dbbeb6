//! The experiment's verdict: all claims together.
//!
//! Pass if every primary claim passes at its own level: an intersection–union test (Berger 1982), which needs no
//! adjustment. Fail if at least one claim fails after Holm (1979) over all primary claims; blocked claims keep their
//! place with p = 1. Everything else is inconclusive, with reasons.

use std::collections::BTreeMap;

use crate::run::{Arm, Campaign};
use crate::spec::{Estimand, Experiment, Metric};
use crate::stats::PValue;
use crate::stats::multiplicity::{Adjustment, adjusted};
use crate::summary::{MetricSummary, RecoverySummary};
use crate::unit::{Seed, Window};
use crate::verdict::claim::{self, ClaimCase};
use crate::verdict::describe;
use crate::verdict::estimate;
use crate::verdict::exploratory;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{self, Kill, small};
use crate::verdict::recovery;
use crate::verdict::result::{
    AnalysisResult, MetricResult, Reason, ReasonCode, Role, Verdict, Warning,
};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sentence::{self, Conditions, Headlined};
use crate::verdict::subject;
use crate::verdict::warning;
use crate::verdict::within_window;

/// Everything a verdict stands on.
#[derive(Debug, Clone)]
pub struct Evidence<'data> {
    /// The document.
    pub experiment: &'data Experiment,
    /// What happened.
    pub campaign: &'data Campaign,
    /// One summary per metric, in document order.
    pub metrics: &'data [MetricSummary],
    /// Times to detect, remediate and recover, if the document asks for them.
    pub recovery: Option<&'data RecoverySummary>,
    /// Seed of every random draw.
    pub seed: u64,
    /// Digest of the samples used.
    pub samples_digest: Option<String>,
    /// Warnings of the stages before.
    pub warnings: Vec<Warning>,
    /// How the numbers were fetched, if not from a recording.
    pub source: Option<String>,
}

/// One primary claim between its ruling and its verdict.
pub(crate) struct Weighed {
    /// Metric's name or "recovery".
    pub(crate) name: String,
    pub(crate) ruling: Ruling,
    pub(crate) gates: GateLog,
}

/// Judges an experiment.
pub fn judge(evidence: &Evidence<'_>) -> AnalysisResult {
    let experiment = evidence.experiment;
    let alpha = 1.0 - experiment.confidence;
    let sessions = evidence.campaign.sessions.len();
    let cases: Vec<Option<ClaimCase<'_>>> = experiment
        .metrics
        .iter()
        .zip(evidence.metrics)
        .map(|(metric, summary)| {
            metric.claim.as_ref().map(|claim| {
                ClaimCase::new(metric, claim, summary, sessions, alpha, Seed(evidence.seed))
            })
        })
        .collect();
    let mut weighed: Vec<Weighed> = cases
        .iter()
        .flatten()
        .map(|case| {
            let mut gates = GateLog::new();
            let ruling = case.rule(&mut gates);
            Weighed { name: case.metric.name.clone(), ruling, gates }
        })
        .collect();
    let mut recovery = recovery::look(evidence, alpha);
    weighed.extend(recovery.as_mut().and_then(|recovery| recovery.claim.take()));
    let verdicts = weigh(&mut weighed, alpha);
    let conditions = Conditions {
        confidence: experiment.confidence,
        sessions,
        environment: experiment.environment.clone(),
        claims: weighed.len(),
    };
    let mut rulings = weighed.into_iter().zip(verdicts);
    let mut metrics: Vec<MetricResult> = Vec::new();
    let mut headlined: Vec<Headlined> = Vec::new();
    for ((metric, summary), case) in experiment.metrics.iter().zip(evidence.metrics).zip(&cases) {
        match case {
            None => {
                metrics.push(describe::exploratory(metric, summary, alpha, Seed(evidence.seed)));
            }
            Some(case) => {
                let (weighed, verdict) =
                    rulings.next().expect("there is one ruling per claim, in the same order");
                let (result, line) = primary(case, weighed, verdict, &conditions);
                metrics.push(result);
                headlined.push(line);
            }
        }
    }
    exploratory::adjust(&mut metrics);
    let recovery = recovery.map(|times| {
        let described = recovery::describe(times, rulings.next(), &conditions);
        headlined.extend(described.headlined);
        described.result
    });
    add_survivorship(evidence, &mut metrics, alpha);
    let verdict = overall(&headlined);
    let mut reasons: Vec<Reason> =
        metrics.iter().flat_map(|metric| metric.reasons.iter().cloned()).collect();
    reasons.extend(recovery.iter().flat_map(|recovery| recovery.reasons.iter().cloned()));
    if headlined.is_empty() {
        reasons.push(Reason {
            code: ReasonCode::NoClaims,
            metric: None,
            message: "nothing is claimed: add an `expect` to a metric or `within` to recovery"
                .to_owned(),
            iterations_needed: None,
        });
    }
    let headline = sentence::headline(verdict, &headlined, &conditions);
    describe::assemble(evidence, describe::Judged { verdict, headline, reasons, metrics, recovery })
}

/// Weighs all claims together: Holm for fails, each for itself for passes.
fn weigh(weighed: &mut [Weighed], alpha: f64) -> Vec<Verdict> {
    let levels: Vec<Option<PValue>> = weighed
        .iter()
        .map(|claim| {
            // A claim that may not fail, whatever its level, keeps its place with p = 1.
            let level = claim.ruling.decision.p_fail;
            let level = level.filter(|level| claim.ruling.fails || *level > alpha);
            Some(level.map_or(PValue::NO_EVIDENCE, PValue::new))
        })
        .collect();
    let holm = adjusted(&levels, Adjustment::Holm);
    let observed = |claim: &Weighed| claim.ruling.decision.method == "threshold";
    weighed
        .iter_mut()
        .zip(holm)
        .map(|(claim, holm)| {
            let holm = if observed(claim) && claim.ruling.fails {
                // What was observed needs no correction: p is 0 by definition of the estimand.
                0.0
            } else {
                holm.map_or(1.0, PValue::get)
            };
            claim.ruling.decision.p_fail_holm = Some(holm);
            if claim.ruling.passes {
                return Verdict::Pass;
            }
            if !claim.ruling.fails {
                return Verdict::Inconclusive;
            }
            if claim.gates.at_most("level at which the claim fails, after Holm", holm, alpha) {
                return Verdict::Fail;
            }
            claim.ruling.causes.insert(
                0,
                Cause::new(
                    ReasonCode::Multiplicity,
                    "fails alone, but not after Holm's correction over all claims: more iterations would settle it".to_owned(),
                ),
            );
            Verdict::Inconclusive
        })
        .collect()
}

/// The verdict over all primary claims.
fn overall(claims: &[Headlined]) -> Verdict {
    if claims.is_empty() {
        return Verdict::Inconclusive;
    }
    if claims.iter().any(|claim| claim.verdict == Verdict::Fail) {
        return Verdict::Fail;
    }
    if claims.iter().all(|claim| claim.verdict == Verdict::Pass) {
        return Verdict::Pass;
    }
    Verdict::Inconclusive
}

/// The reasons of a ruling, tied to a metric; a pass or a fail has none.
pub(crate) fn reasons(name: &str, ruling: &Ruling, verdict: Verdict) -> Vec<Reason> {
    match verdict {
        Verdict::Pass | Verdict::Fail => Vec::new(),
        Verdict::Inconclusive => ruling
            .causes
            .iter()
            .map(|cause| Reason {
                code: cause.code,
                metric: Some(name.to_owned()),
                message: cause.message.clone(),
                iterations_needed: cause.iterations_needed,
            })
            .collect(),
    }
}

/// One metric with a claim.
fn primary(
    case: &ClaimCase<'_>,
    weighed: Weighed,
    verdict: Verdict,
    conditions: &Conditions,
) -> (MetricResult, Headlined) {
    let (metric, claim, kills) = (case.metric, case.claim, &case.kills);
    let Weighed { name, ruling, gates } = weighed;
    let line = kill::line(metric, claim, kills, case.basis, conditions.confidence);
    let reasons = reasons(&name, &ruling, verdict);
    let is_this_run = match claim.estimand {
        Estimand::ThisRun => true,
        Estimand::MostKills
        | Estimand::EveryKill
        | Estimand::AllRequests
        | Estimand::TypicalKill => false,
    };
    let remarked = match &ruling.remark {
        Some(remark) => format!("{}; {remark}", line.line),
        None => line.line.clone(),
    };
    let sentence = sentence::of_claim(
        verdict,
        &sentence::breach(metric, claim),
        is_this_run,
        &remarked,
        &reasons,
        conditions,
    );
    let mut warnings = warning::of_metric(case.summary, kills);
    warnings.extend(ruling.warnings.iter().cloned());
    let alpha = case.alpha;
    let basis = claim.form.is_against_baseline().then_some(case.basis);
    let sights = case.sights();
    let worst =
        line.worst.as_ref().map(|worst| kill::worst_words(metric, claim, worst.value, case.basis));
    let headlined = Headlined {
        name: name.clone(),
        verdict,
        this_run: is_this_run,
        carries_line: claim.estimand == Estimand::TypicalKill && !claim.form.is_against_baseline(),
        short: sentence::short(&line, worst.as_deref()),
        broken: sentence::broken(&line, &name, worst.as_deref()),
        outside: line.outside,
        total: line.inside + line.outside + line.unknown,
        needed: reasons.iter().find_map(|reason| reason.iterations_needed),
        reason: reasons.first().map(|reason| reason.message.clone()).unwrap_or_default(),
        baseline_breaches: describe::baseline_breaches(metric, claim, kills),
    };
    let result = MetricResult {
        name,
        kind: claim::kind(&metric.measure).to_owned(),
        description: subject::measure(metric),
        unit: metric.unit.word().map(str::to_owned),
        role: Role::Primary,
        estimand: Some(claim.estimand),
        claim: Some(describe::claim_info(claim)),
        kills: Some(line),
        baseline: describe::baseline_estimate(metric, kills, alpha),
        experiment: describe::experiment_estimate(metric, kills, alpha),
        effect: estimate::of_change(metric, kills, basis, alpha),
        decision: Some(ruling.decision),
        n: small(kills.len()),
        verdict: Some(verdict),
        sentence: Some(sentence),
        reasons,
        warnings,
        gates: describe::with_coverage(case.summary, gates),
        excluded: describe::exclusions(case.summary),
        sensitivity: ruling.sensitivity,
        within_window: within_window::describe(metric, case.summary, alpha, case.seed),
        iterations: describe::iterations(case.summary, kills, &sights),
        exploratory: None,
    };
    (result, headlined)
}

/// Adds the warning about latency that improves because requests are missing.
fn add_survivorship(evidence: &Evidence<'_>, results: &mut [MetricResult], alpha: f64) {
    let lengths: BTreeMap<u32, f64> = evidence
        .campaign
        .iterations
        .iter()
        .map(|entry| {
            let seconds = |window: Window| window.length().seconds();
            let iteration = &entry.iteration;
            (entry.index, seconds(iteration.experiment) / seconds(iteration.baseline))
        })
        .collect();
    let metrics: Vec<(&Metric, Vec<Kill<'_>>)> = evidence
        .experiment
        .metrics
        .iter()
        .zip(evidence.metrics)
        .map(|(metric, summary)| (metric, kill::kills(summary, Arm::Fault)))
        .collect();
    for (name, warning) in warning::survivorship(&metrics, &lengths, alpha) {
        if let Some(result) = results.iter_mut().find(|result| result.name == name) {
            result.warnings.push(warning);
        }
    }
}
