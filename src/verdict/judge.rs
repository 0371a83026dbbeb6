//! The experiment's verdict: all claims together.
//!
//! Pass if every primary claim passes at its own level: an intersection–union test (Berger 1982), which needs no
//! adjustment. Fail if at least one claim fails after Holm (1979) over all primary claims; blocked claims keep their
//! place with p = 1. Everything else is inconclusive, with reasons.

use crate::run::{Arm, Campaign};
use crate::spec::{Estimand, Experiment, Metric};
use crate::stats::PValue;
use crate::stats::multiplicity::{Adjustment, adjusted};
use crate::summary::{MetricSummary, RecoverySummary};
use crate::unit::Seed;
use crate::verdict::claim::{self, ClaimCase};
use crate::verdict::deadline;
use crate::verdict::describe;
use crate::verdict::estimate;
use crate::verdict::exploratory;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{self, Kill, Sight, small};
use crate::verdict::result::{
    AnalysisResult, MetricResult, Reason, ReasonCode, RecoveryResult, Role, TimeResult, Verdict,
    Warning,
};
use crate::verdict::ruling::Ruling;
use crate::verdict::sentence::{self, Conditions, Headlined};
use crate::verdict::times;
use crate::verdict::warning::{self, warning};
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
struct Weighed {
    /// Metric's name or "recovery".
    name: String,
    ruling: Ruling,
    gates: GateLog,
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
    let recovery_times = recovery_claim(evidence, alpha, &mut weighed);
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
            None => metrics.push(describe::exploratory(
                metric,
                summary,
                alpha,
                Seed(evidence.seed),
            )),
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
    let recovery = recovery_times.map(|times| {
        let decided = rulings.next();
        recovery_result(evidence, times, decided, &conditions, &mut headlined)
    });
    add_survivorship(experiment, evidence.metrics, &mut metrics, alpha);
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

/// Adds the recovery claim, if there is one, and returns the figures of all times.
fn recovery_claim(
    evidence: &Evidence<'_>,
    alpha: f64,
    weighed: &mut Vec<Weighed>,
) -> Option<RecoveryTimes> {
    let (Some(spec), Some(summary)) = (&evidence.experiment.recovery, evidence.recovery) else {
        return None;
    };
    let confidence = 1.0 - alpha;
    let usable = times::usable(&summary.recover);
    let mut recover = times::describe(&summary.recover, confidence);
    let count = |of: fn(&crate::summary::RecoveryTime) -> u32| {
        usable.iter().map(|time| of(time)).sum::<u32>()
    };
    recover.never_departed = Some(count(|time| u32::from(time.never_departed)));
    recover.relapses = Some(count(|time| time.relapses));
    recover.excursions = Some(count(|time| time.excursions));
    if let Some(within) = spec.within {
        let mut gates = GateLog::new();
        let decided = deadline::rule(spec, within, &usable, alpha, &mut gates);
        let mut ruling = decided.ruling;
        let sights: Vec<(u32, Sight)> =
            usable.iter().map(|time| time.index).zip(decided.sights).collect();
        claim::name_recovery_causes(&mut ruling, &sights);
        recover.within = Some(decided.within);
        weighed.push(Weighed { name: "recovery".to_owned(), ruling, gates });
    }
    Some(RecoveryTimes {
        detect: summary.detect.as_ref().map(|reading| times::describe(reading, confidence)),
        remediate: summary.remediate.as_ref().map(|reading| times::describe(reading, confidence)),
        recover,
    })
}

/// Figures of all three times.
struct RecoveryTimes {
    detect: Option<TimeResult>,
    remediate: Option<TimeResult>,
    recover: TimeResult,
}

/// Weighs all claims together: Holm for fails, each for itself for passes.
fn weigh(weighed: &mut [Weighed], alpha: f64) -> Vec<Verdict> {
    let levels: Vec<Option<PValue>> = weighed
        .iter()
        .map(|claim| {
            // A claim that may not fail keeps its place with p = 1.
            let level = if claim.ruling.fails { claim.ruling.decision.p_fail } else { None };
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
                crate::verdict::ruling::Cause::new(
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

/// The reasons of a ruling, tied to a metric; a pass has none.
fn reasons(name: &str, ruling: &Ruling, verdict: Verdict) -> Vec<Reason> {
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
    let sentence = sentence::of_claim(
        verdict,
        &sentence::breach(metric, claim),
        is_this_run,
        &line.line,
        &reasons,
        conditions,
    );
    let mut warnings = warning::of_metric(case.summary, kills);
    warnings.extend(ruling.warnings.iter().cloned());
    let alpha = case.alpha;
    let basis = claim.form.is_against_baseline().then_some(case.basis);
    let sights = case.sights();
    let headlined = Headlined {
        name: name.clone(),
        verdict,
        this_run: is_this_run,
        carries_line: claim.estimand == Estimand::TypicalKill && !claim.form.is_against_baseline(),
        short: kill::short(metric, claim, &line, case.basis),
        outside: line.outside,
        total: line.inside + line.outside + line.unknown,
        needed: reasons.iter().find_map(|reason| reason.iterations_needed),
        reason: reasons.first().map(|reason| reason.message.clone()).unwrap_or_default(),
        baseline_breaches: describe::baseline_breaches(metric, claim, kills),
    };
    let result = MetricResult {
        name,
        kind: claim::kind(&metric.measure).to_owned(),
        description: describe::measure(metric),
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

/// The recovery section.
fn recovery_result(
    evidence: &Evidence<'_>,
    times: RecoveryTimes,
    decided: Option<(Weighed, Verdict)>,
    conditions: &Conditions,
    headlined: &mut Vec<Headlined>,
) -> RecoveryResult {
    let spec = evidence
        .experiment
        .recovery
        .as_ref()
        .expect("recovery times exist only with a recovery section");
    let signal = evidence.experiment.metrics.iter().find(|metric| metric.name == spec.signal);
    let mut warnings = Vec::new();
    if let Some(count) = times.recover.never_departed.filter(|count| *count > 0) {
        warnings.push(warning(
            "never_departed",
            format!(
                "in {count} of {} kills the signal never left its band: no impact seen, counted as recovered at 0 s; is it the right signal?",
                times.recover.n
            ),
        ));
    }
    let mut result = RecoveryResult {
        signal: spec.signal.clone(),
        healthy: describe::band(&spec.healthy, signal),
        verdict: None,
        sentence: None,
        reasons: Vec::new(),
        gates: Vec::new(),
        detect: times.detect,
        remediate: times.remediate,
        recover: times.recover,
        decision: None,
        warnings,
    };
    let (Some((weighed, verdict)), Some(within)) = (decided, &result.recover.within) else {
        return result;
    };
    let reasons = reasons("recovery", &weighed.ruling, verdict);
    let breach = format!(
        "more than {} of kills take longer than {} to recover",
        crate::unit::show::percent(1.0 - spec.share),
        crate::unit::show::seconds(within.deadline_s)
    );
    headlined.push(Headlined {
        name: "recovery".to_owned(),
        verdict,
        this_run: false,
        carries_line: false,
        short: format!("{} of {} kills recovered in time", within.recovered, within.n),
        outside: within.missed,
        total: within.n,
        needed: reasons.iter().find_map(|reason| reason.iterations_needed),
        reason: reasons.first().map(|reason| reason.message.clone()).unwrap_or_default(),
        baseline_breaches: false,
    });
    result.sentence =
        Some(sentence::of_claim(verdict, &breach, false, &within.line, &reasons, conditions));
    result.verdict = Some(verdict);
    result.reasons = reasons;
    result.gates = weighed.gates.into_gates();
    result.decision = Some(weighed.ruling.decision);
    result
}

/// Adds the warning about latency that improves because requests are missing.
fn add_survivorship(
    experiment: &Experiment,
    summaries: &[MetricSummary],
    results: &mut [MetricResult],
    alpha: f64,
) {
    let metrics: Vec<(&Metric, Vec<Kill<'_>>)> = experiment
        .metrics
        .iter()
        .zip(summaries)
        .map(|(metric, summary)| (metric, kill::kills(summary, Arm::Fault)))
        .collect();
    for (name, warning) in warning::survivorship(&metrics, alpha) {
        if let Some(result) = results.iter_mut().find(|result| result.name == name) {
            result.warnings.push(warning);
        }
    }
}
