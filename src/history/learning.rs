//! What was learnt: runbooks changed, experiments documented, postmortems filled in, and whether later runs pass.
//!
//! Shares have exact limits (Clopper & Pearson 1934), one-sided, because a pass rate of three runs is no rate.

use serde::{Deserialize, Serialize};

use crate::stats::proportion::{clopper_pearson_lower, clopper_pearson_upper};
use crate::unit::{Timestamp, Window};
use crate::verdict::result::Verdict;

use super::finding::counted;
use super::line::Line;
use super::policy;
use super::record::RunSummary;

/// A share of runs with exact one-sided limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShareOfRuns {
    /// Runs of which it is true.
    pub k: u32,
    /// Runs looked at.
    pub n: u32,
    /// k of n; none of nothing.
    pub share: Option<f64>,
    /// One-sided lower limit.
    pub lower: Option<f64>,
    /// One-sided upper limit.
    pub upper: Option<f64>,
}

impl ShareOfRuns {
    /// The share of the verdicts that are a pass.
    fn passed(verdicts: &[Verdict]) -> Self {
        let k = verdicts.iter().filter(|verdict| **verdict == Verdict::Pass).count();
        let (k, n) = (counted(k), counted(verdicts.len()));
        let some = n > 0;
        let alpha = 1.0 - policy::LEVEL;
        let (events, trials) = (f64::from(k), f64::from(n));
        Self {
            k,
            n,
            share: some.then(|| events / trials),
            lower: some.then(|| clopper_pearson_lower(events, trials, alpha)),
            upper: some.then(|| clopper_pearson_upper(events, trials, alpha)),
        }
    }
}

/// A runbook that changed between two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunbookUpdate {
    /// The experiment whose runbook it is.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// Path of the runbook.
    pub path: String,
    /// The first run that found it changed.
    pub run_id: String,
    /// When that run began.
    pub at: Timestamp,
}

/// How many experiments of the period have what makes their runs count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Documented {
    /// What they have.
    pub item: String,
    /// Experiments that have it.
    pub with: u32,
    /// Experiments that ran in the period.
    pub of: u32,
    /// Names of those that do not.
    pub missing: Vec<String>,
}

/// Postmortems of runs that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postmortems {
    /// Runs of the period that failed.
    pub wanted: u32,
    /// Of these, runs with a postmortem.
    pub written: u32,
    /// Sections filled in, over those.
    pub sections_filled: u32,
    /// Sections that ask for it, over those.
    pub sections: u32,
    /// Action items still open, over those.
    pub open_actions: u32,
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// Runbooks that changed in the period.
    pub runbook_updates: Vec<RunbookUpdate>,
    /// Runs of the period that passed.
    pub pass_rate: ShareOfRuns,
    /// Runs after a failed run of the same experiment, up to the end of the period, that passed.
    pub pass_rate_after_failure: ShareOfRuns,
    /// Runs after a change of the runbook that passed.
    pub pass_rate_after_runbook_update: ShareOfRuns,
    /// What experiments of the period have.
    pub documented: Vec<Documented>,
    /// Postmortems of failed runs.
    pub postmortems: Postmortems,
}

/// What lines say of the period.
pub(super) fn learning(lines: &[Line<'_>], period: Window) -> Learning {
    let mut updates = Vec::new();
    let (mut now, mut after_failure, mut after_update) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        now.extend(line.within(period).iter().map(|run| run.verdict));
        let (mut failed, mut updated) = (false, false);
        let mut runbook: Option<(&str, &str)> = None;
        for run in line.before(period.end) {
            let found = run
                .runbook
                .as_ref()
                .and_then(|state| Some((state.path.as_str(), state.digest.as_deref()?)));
            if let (Some(before), Some(after)) = (runbook, found)
                && before.0 == after.0
                && before.1 != after.1
            {
                updated = true;
                if period.contains(run.started_at) {
                    updates.push(update(line, run, after.0));
                }
            }
            runbook = found.or(runbook);
            if failed {
                after_failure.push(run.verdict);
            }
            if updated {
                after_update.push(run.verdict);
            }
            failed |= run.verdict == Verdict::Fail;
        }
    }
    Learning {
        runbook_updates: updates,
        pass_rate: ShareOfRuns::passed(&now),
        pass_rate_after_failure: ShareOfRuns::passed(&after_failure),
        pass_rate_after_runbook_update: ShareOfRuns::passed(&after_update),
        documented: documented(lines, period),
        postmortems: postmortems(lines, period),
    }
}

fn update(line: &Line<'_>, run: &RunSummary, path: &str) -> RunbookUpdate {
    RunbookUpdate {
        experiment: line.key.experiment.to_owned(),
        environment: line.key.environment.to_owned(),
        path: path.to_owned(),
        run_id: run.run_id.clone(),
        at: run.started_at,
    }
}

/// What an experiment should have, and how its latest run tells.
type Item = (&'static str, fn(&RunSummary) -> bool);

/// In the order in which they help.
const ITEMS: [Item; 6] = [
    ("an owner", |run| !run.owner.trim().is_empty()),
    ("a ticket", |run| run.ticket.is_some()),
    ("a deadline to recover", |run| {
        run.recovery.as_ref().is_some_and(|recovery| recovery.deadline_s.is_some())
    }),
    ("a sign of detection", |run| {
        run.recovery.as_ref().is_some_and(|recovery| recovery.detect.is_some())
    }),
    ("control iterations", |run| run.kills.control > 0),
    ("a runbook that is there", |run| {
        run.runbook.as_ref().is_some_and(|runbook| runbook.digest.is_some())
    }),
];

fn documented(lines: &[Line<'_>], period: Window) -> Vec<Documented> {
    let latest: Vec<&RunSummary> =
        lines.iter().filter_map(|line| line.within(period).last().copied()).collect();
    ITEMS
        .iter()
        .map(|(item, has)| {
            let missing: Vec<String> =
                latest.iter().filter(|run| !has(run)).map(|run| run.experiment.clone()).collect();
            Documented {
                item: (*item).to_owned(),
                with: counted(latest.len() - missing.len()),
                of: counted(latest.len()),
                missing,
            }
        })
        .collect()
}

fn postmortems(lines: &[Line<'_>], period: Window) -> Postmortems {
    let failed: Vec<&RunSummary> = lines
        .iter()
        .flat_map(|line| line.within(period))
        .copied()
        .filter(|run| run.verdict == Verdict::Fail)
        .collect();
    let written: Vec<_> = failed.iter().filter_map(|run| run.postmortem).collect();
    Postmortems {
        wanted: counted(failed.len()),
        written: counted(written.len()),
        sections_filled: written.iter().map(|state| state.filled).sum(),
        sections: written.iter().map(|state| state.sections).sum(),
        open_actions: written.iter().map(|state| state.open_actions).sum(),
    }
}
