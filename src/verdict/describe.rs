//! The parts of a result that only describe: what was measured, which iterations there were, what was excluded.

use std::collections::BTreeSet;

use crate::run::{Arm, Campaign};
use crate::spec::{Amount, Claim, Estimand, Measure, Metric, Strictness};
use crate::summary::{IterationSummary, MetricSummary, PreKillLoss, census};
use crate::unit::Seed;
use crate::verdict::claim::kind;
use crate::verdict::estimate;
use crate::verdict::exploratory as exploratory_test;
use crate::verdict::gate::GateLog;
use crate::verdict::judge::Evidence;
use crate::verdict::kill::{self, Kill, Sight, small};
use crate::verdict::result::{
    AnalysisResult, ClaimInfo, Estimate, Exclusion, ExperimentInfo, Gate, IterationCounts,
    IterationResult, MetricResult, Reason, RecoveryResult, Role, SCHEMA, SessionInfo, Tool,
    Verdict, Warning,
};
use crate::verdict::subject;
use crate::verdict::timeline;
use crate::verdict::tool_verdict;
use crate::verdict::typical::pseudo_median;
use crate::verdict::warning::{self, warning};
use crate::verdict::within_window;

/// What was judged, before it becomes a result.
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) headline: String,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) metrics: Vec<MetricResult>,
    pub(crate) recovery: Option<RecoveryResult>,
}

/// The whole result.
pub(crate) fn assemble(evidence: &Evidence<'_>, judged: Judged) -> AnalysisResult {
    let (experiment, campaign) = (evidence.experiment, evidence.campaign);
    let excluded: Vec<Exclusion> = census(campaign, evidence.metrics)
        .excluded
        .into_iter()
        .map(|(index, cause)| exclusion(index, cause))
        .collect();
    let count = |arm: Arm| {
        small(campaign.iterations.iter().filter(|entry| entry.iteration.arm == arm).count())
    };
    let fault = count(Arm::Fault);
    let lost = excluded
        .iter()
        .filter(|exclusion| {
            campaign
                .iterations
                .iter()
                .any(|entry| entry.index == exclusion.index && entry.iteration.arm == Arm::Fault)
        })
        .count();
    let mut warnings = warnings(evidence);
    warnings.extend(tool_verdict::differences(campaign, judged.verdict, because(&judged)));
    AnalysisResult {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "unfazed".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        experiment: ExperimentInfo {
            name: experiment.name.clone(),
            owner: experiment.owner.clone(),
            ticket: experiment.ticket.clone(),
            labels: experiment.labels.clone(),
            hypothesis: experiment.hypothesis.clone(),
            environment: experiment.environment.clone(),
            digest: experiment.digest.clone(),
            runbook: experiment.runbook.clone(),
            fault: experiment.fault.as_ref().map(subject::fault),
        },
        run_id: campaign.run_id(),
        started_at: campaign.sessions.iter().map(|session| session.run.started_at).min(),
        ended_at: campaign.sessions.iter().filter_map(|session| session.run.ended_at).max(),
        session_list: sessions(campaign),
        sessions: small(campaign.sessions.len()),
        seed: evidence.seed,
        confidence: experiment.confidence,
        verdict: judged.verdict,
        headline: judged.headline,
        reasons: judged.reasons,
        iterations: IterationCounts {
            planned: experiment.iterations.fault,
            fault,
            control: count(Arm::Control),
            usable: fault - small(lost),
            excluded,
        },
        metrics: judged.metrics,
        recovery: judged.recovery,
        timeline: timeline::timeline(campaign, evidence.metrics),
        warnings,
        samples_digest: evidence.samples_digest.clone(),
        source: evidence.source.clone(),
    }
}

/// The sentence that explains a verdict best.
fn because(judged: &Judged) -> &str {
    match (judged.verdict, judged.reasons.first()) {
        (Verdict::Inconclusive, Some(reason)) => &reason.message,
        (Verdict::Pass | Verdict::Fail | Verdict::Inconclusive, _) => &judged.headline,
    }
}

/// The runs.
fn sessions(campaign: &Campaign) -> Vec<SessionInfo> {
    campaign
        .sessions
        .iter()
        .map(|session| {
            let origin = session.run.origin.as_ref();
            SessionInfo {
                number: session.number,
                run_id: session.run.run_id.clone(),
                started_at: session.run.started_at,
                ended_at: session.run.ended_at,
                tool: origin.map(|origin| origin.tool.clone()),
                tool_verdict: origin.and_then(|origin| origin.verdict.clone()),
                tool_reason: origin.and_then(|origin| origin.reason.clone()),
            }
        })
        .collect()
}

/// Warnings of the whole result.
fn warnings(evidence: &Evidence<'_>) -> Vec<Warning> {
    let mut warnings = evidence.warnings.clone();
    let sessions = evidence.campaign.sessions.len();
    if sessions == 1 {
        warnings.push(warning(
            "single_session",
            "all kills are of one session: the verdict is about that session's conditions; repeat on other days to speak about the service".to_owned(),
        ));
    }
    let names: BTreeSet<&str> =
        evidence.campaign.sessions.iter().map(|session| session.run.experiment.as_str()).collect();
    for name in names.into_iter().filter(|name| *name != evidence.experiment.name) {
        warnings.push(warning(
            "experiment_changed",
            format!(
                "the run was of the experiment '{name}', the document is '{}'",
                evidence.experiment.name
            ),
        ));
    }
    for session in &evidence.campaign.sessions {
        if let Some(digest) = &session.run.experiment_digest
            && *digest != evidence.experiment.digest
        {
            warnings.push(warning(
                "experiment_changed",
                format!(
                    "the document has changed since run {}: claims made after looking at the data are no claims",
                    session.run.run_id
                ),
            ));
        }
    }
    warnings
}

fn exclusion(index: u32, cause: PreKillLoss) -> Exclusion {
    Exclusion { index, reason: cause.code().to_owned() }
}

/// Iterations that one metric excludes.
pub(crate) fn exclusions(summary: &MetricSummary) -> Vec<Exclusion> {
    summary
        .iterations
        .iter()
        .filter_map(|windows| windows.excluded.map(|cause| exclusion(windows.index, cause)))
        .collect()
}

/// An exploratory metric.
pub(crate) fn exploratory(
    metric: &Metric,
    summary: &MetricSummary,
    alpha: f64,
    seed: Seed,
) -> MetricResult {
    let kills = kill::kills(summary, Arm::Fault);
    MetricResult {
        name: metric.name.clone(),
        kind: kind(&metric.measure).to_owned(),
        description: subject::measure(metric),
        unit: metric.unit.word().map(str::to_owned),
        role: Role::Exploratory,
        estimand: None,
        claim: None,
        kills: None,
        baseline: baseline_estimate(metric, &kills, alpha),
        experiment: experiment_estimate(metric, &kills, alpha),
        effect: estimate::of_change(metric, &kills, None, alpha),
        decision: None,
        n: small(kills.len()),
        verdict: None,
        sentence: None,
        reasons: Vec::new(),
        warnings: warning::of_metric(summary, &kills),
        gates: with_coverage(summary, GateLog::new()),
        excluded: exclusions(summary),
        sensitivity: Vec::new(),
        within_window: within_window::describe(metric, summary, alpha, seed),
        iterations: iterations(summary, &kills, &[]),
        exploratory: Some(exploratory_test::p_value(&kills)),
    }
}

/// The baseline windows of all kills.
pub(crate) fn baseline_estimate(metric: &Metric, kills: &[Kill<'_>], alpha: f64) -> Estimate {
    estimate::of_windows(metric, kills.iter().map(|kill| &kill.windows.baseline), alpha)
}

/// The experiment windows of all kills without lost data.
pub(crate) fn experiment_estimate(metric: &Metric, kills: &[Kill<'_>], alpha: f64) -> Estimate {
    let known =
        kills.iter().filter(|kill| kill.lost.is_none()).map(|kill| &kill.windows.experiment);
    estimate::of_windows(metric, known, alpha)
}

/// The gate log with the smallest coverage of any judged window in front.
pub(crate) fn with_coverage(summary: &MetricSummary, gates: GateLog) -> Vec<Gate> {
    let mut log = GateLog::new();
    let smallest = summary
        .iterations
        .iter()
        .filter(|windows| windows.excluded.is_none())
        .flat_map(|windows| [windows.baseline.coverage, windows.experiment.coverage])
        .flatten()
        .min_by(f64::total_cmp);
    if let Some(coverage) = smallest {
        log.at_least("coverage", coverage, crate::frame::rule::COVERAGE_REQUIRED);
    }
    let mut all = log.into_gates();
    all.extend(gates.into_gates());
    all
}

/// One line per iteration of the campaign.
pub(crate) fn iterations(
    summary: &MetricSummary,
    kills: &[Kill<'_>],
    sights: &[Sight],
) -> Vec<IterationResult> {
    summary
        .iterations
        .iter()
        .map(|windows| {
            let sight = kills
                .iter()
                .position(|kill| kill.windows.index == windows.index)
                .and_then(|position| sights.get(position));
            IterationResult {
                index: windows.index,
                session: windows.session,
                arm: windows.arm,
                baseline: finite(windows.baseline.value.ok()),
                experiment: finite(windows.experiment.value.ok()),
                coverage: coverage(windows),
                inside: match sight {
                    Some(Sight::Inside) => Some(true),
                    Some(Sight::Outside) => Some(false),
                    Some(Sight::Unknown(_)) | None => None,
                },
                reason: reason(windows, sight),
                requests: windows.experiment.counts.map(|counts| counts.total),
            }
        })
        .collect()
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|number| number.is_finite())
}

/// Smaller coverage of the two windows.
fn coverage(windows: &IterationSummary) -> Option<f64> {
    [windows.baseline.coverage, windows.experiment.coverage]
        .into_iter()
        .flatten()
        .min_by(f64::total_cmp)
}

/// Why an iteration has no number, was excluded or is unknown.
fn reason(windows: &IterationSummary, sight: Option<&Sight>) -> Option<String> {
    if let Some(cause) = windows.excluded {
        return Some(cause.code().to_owned());
    }
    if let Some(Sight::Unknown(code)) = sight {
        return Some(code.word().to_owned());
    }
    if windows.aborted.is_some() {
        return Some("aborted".to_owned());
    }
    windows.experiment.value.err().map(|loss| loss.code().to_owned())
}

/// The claim as results show it.
pub(crate) fn claim_info(claim: &Claim) -> ClaimInfo {
    ClaimInfo {
        form: claim.form,
        bound: claim.amount.value(),
        relative: matches!(claim.amount, Amount::Relative(_)),
        or_by: claim.or_by,
        strict: claim.strictness == Strictness::EqualityOutside,
        share: match claim.estimand {
            Estimand::MostKills | Estimand::EveryKill => Some(claim.share),
            Estimand::AllRequests | Estimand::TypicalKill | Estimand::ThisRun => None,
        },
        text: claim.text.clone(),
    }
}

/// Whether the baseline itself lies beyond an absolute bound: the ratio of sums for all requests, the typical baseline
/// else.
pub(crate) fn baseline_breaches(metric: &Metric, claim: &Claim, kills: &[Kill<'_>]) -> bool {
    if claim.form.is_against_baseline() || matches!(metric.measure, Measure::Balance { .. }) {
        return false;
    }
    let lower_is_better = claim.form.lower_is_better();
    if let Some(required) = kill::share_required(metric, claim) {
        let shares: Vec<f64> = kills
            .iter()
            .filter_map(|kill| kill.windows.baseline.share_under)
            .map(|bracket| if lower_is_better { bracket.upper } else { bracket.lower })
            .collect();
        return pseudo_median(&shares).is_some_and(|share| {
            if lower_is_better { share < required } else { share > required }
        });
    }
    let level = match claim.estimand {
        Estimand::AllRequests => {
            let windows = kills.iter().map(|kill| &kill.windows.baseline);
            estimate::pooled(metric, windows).and_then(|pooled| pooled.ratio())
        }
        Estimand::MostKills | Estimand::EveryKill | Estimand::TypicalKill | Estimand::ThisRun => {
            let values: Vec<f64> =
                kills.iter().filter_map(|kill| kill.windows.baseline.value.ok()).collect();
            pseudo_median(&values)
        }
    };
    level.is_some_and(|level| kill::excess(claim, level, level) > 0.0)
}
