//! What failed: new, recurring or resolved, claim by claim.
//!
//! Over the runs of one experiment in one environment: a claim that fails in the period is *new* if it never failed
//! before, else *recurring*; a claim whose last decisive verdict in the period is a pass, after one that failed, is
//! *resolved*. An inconclusive verdict neither opens nor closes anything.

use serde::{Deserialize, Serialize};

use crate::unit::{Timestamp, Window, show};
use crate::verdict::result::Verdict;

use super::line::{Line, is_decisive};
use super::record::RunSummary;

/// A claim that failed, or no longer does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The experiment.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// The metric, or `recovery`.
    pub metric: String,
    /// The claim in words.
    pub claim: String,
    /// First run in which it failed.
    pub first_failed_at: Timestamp,
    /// Last run in which it failed.
    pub last_failed_at: Timestamp,
    /// How often it failed, up to the end of the period.
    pub failures: u32,
    /// Runs that decided about it, up to the end of the period.
    pub decided: u32,
    /// The run that made it what it is.
    pub run_id: String,
}

/// The findings of a period.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// Fails in the period, and never failed before.
    pub new: Vec<Finding>,
    /// Fails in the period, and failed before.
    pub recurring: Vec<Finding>,
    /// Passed last in the period, and failed before that.
    pub resolved: Vec<Finding>,
}

/// One claim of one run.
struct Decided<'run> {
    run: &'run RunSummary,
    claim: String,
    failed: bool,
}

/// Adds what a line's runs say of the period.
pub(super) fn add(findings: &mut Findings, line: &Line<'_>, period: Window) {
    if line.within(period).is_empty() {
        return;
    }
    let runs = line.before(period.end);
    let mut names: Vec<&str> = Vec::new();
    for run in runs {
        for name in claims(run).map(|claim| claim.metric) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    for name in names {
        let decided: Vec<Decided<'_>> = runs
            .iter()
            .flat_map(|run| claims(run).map(move |claim| (*run, claim)))
            .filter(|(_, claim)| claim.metric == name && is_decisive(claim.verdict))
            .map(|(run, claim)| Decided {
                run,
                claim: claim.text,
                failed: claim.verdict == Verdict::Fail,
            })
            .collect();
        settle(findings, line, name, &decided, period);
    }
}

fn settle(
    findings: &mut Findings,
    line: &Line<'_>,
    metric: &str,
    decided: &[Decided<'_>],
    period: Window,
) {
    let failed: Vec<&Decided<'_>> = decided.iter().filter(|one| one.failed).collect();
    let (Some(first), Some(last)) = (failed.first(), failed.last()) else { return };
    let Some(latest) = decided.last() else { return };
    let finding = |of: &Decided<'_>| Finding {
        experiment: line.key.experiment.to_owned(),
        environment: line.key.environment.to_owned(),
        metric: metric.to_owned(),
        claim: of.claim.clone(),
        first_failed_at: first.run.started_at,
        last_failed_at: last.run.started_at,
        failures: counted(failed.len()),
        decided: counted(decided.len()),
        run_id: of.run.run_id.clone(),
    };
    let inside = |one: &Decided<'_>| period.contains(one.run.started_at);
    if !latest.failed && inside(latest) {
        findings.resolved.push(finding(latest));
    } else if inside(last) {
        if inside(first) {
            findings.new.push(finding(last));
        } else {
            findings.recurring.push(finding(last));
        }
    }
}

/// A claim of a run, on a metric or on recovery.
struct Claim<'run> {
    metric: &'run str,
    text: String,
    verdict: Verdict,
}

fn claims(run: &RunSummary) -> impl Iterator<Item = Claim<'_>> {
    let metrics = run.claims.iter().map(|claim| Claim {
        metric: &claim.metric,
        text: claim.text.clone(),
        verdict: claim.verdict,
    });
    let recovery = run.recovery.iter().filter_map(|recovery| {
        let verdict = recovery.verdict?;
        let text = recovery.deadline_s.map_or_else(
            || "in time".to_owned(),
            |deadline| format!("within {}", show::seconds(deadline)),
        );
        Some(Claim { metric: "recovery", text, verdict })
    });
    metrics.chain(recovery)
}

/// A count that fits; a history has no four billion runs.
pub(super) fn counted(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
