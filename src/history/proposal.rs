//! What to run next, and why: a fixed order of reasons, the longest wait first within each.

use serde::{Deserialize, Serialize};

use crate::unit::Timestamp;
use crate::verdict::result::Verdict;

use super::policy;
use super::standing::Standing;
use super::trend::{Direction, Trend};

/// Why an experiment is proposed, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalReason {
    /// It failed, and the document or runbook changed since: the fix is not proved.
    FixNotProved,
    /// It failed last.
    Failed,
    /// It is planned and was never run.
    NeverRun,
    /// It passed, and a number moves towards its bound.
    Drifting,
    /// It was not decided.
    Undecided,
    /// It was last run too long ago.
    Stale,
    /// It passed: the next wave may open.
    NextWave,
}

impl ProposalReason {
    /// Every reason, most urgent first.
    pub const ALL: [Self; 7] = [
        Self::FixNotProved,
        Self::Failed,
        Self::NeverRun,
        Self::Drifting,
        Self::Undecided,
        Self::Stale,
        Self::NextWave,
    ];
}

/// An experiment worth running next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Place, from 1.
    pub rank: u32,
    /// The experiment.
    pub experiment: String,
    /// Where to run it.
    pub environment: String,
    /// Why, as a code.
    pub code: ProposalReason,
    /// Why, in words.
    pub reason: String,
    /// When it was last run.
    pub last_run_at: Option<Timestamp>,
}

/// The highest wave that there is.
const LAST_WAVE: u8 = 3;

/// What to run next.
pub(super) fn proposals(standings: &[Standing], trends: &[Trend]) -> Vec<Proposal> {
    let mut proposals: Vec<Proposal> =
        standings.iter().filter_map(|standing| proposal(standing, trends)).collect();
    proposals.sort_by(|left, right| {
        (left.code, left.last_run_at, &left.experiment, &left.environment).cmp(&(
            right.code,
            right.last_run_at,
            &right.experiment,
            &right.environment,
        ))
    });
    proposals.truncate(policy::PROPOSALS);
    for (proposal, rank) in proposals.iter_mut().zip(1..) {
        proposal.rank = rank;
    }
    proposals
}

fn proposal(standing: &Standing, trends: &[Trend]) -> Option<Proposal> {
    let drifting = trends.iter().find(|trend| {
        trend.direction == Direction::Worsening
            && trend.experiment == standing.experiment
            && trend.environment == standing.environment
    });
    let changed =
        standing.stale_because.as_deref() == Some("the document changed since its last run");
    let (code, reason) = match standing.verdict {
        None => (ProposalReason::NeverRun, "planned and never run".to_owned()),
        Some(Verdict::Fail) if changed => (
            ProposalReason::FixNotProved,
            "failed last, and its document changed since: whether that helped is not shown"
                .to_owned(),
        ),
        Some(Verdict::Fail) => (
            ProposalReason::Failed,
            "failed last: run it again once something was changed, and compare".to_owned(),
        ),
        Some(Verdict::Pass) if let Some(trend) = drifting => (
            ProposalReason::Drifting,
            format!("passed, but {} moves towards its bound from run to run", trend.metric),
        ),
        Some(Verdict::Inconclusive) => {
            (ProposalReason::Undecided, "not decided last: more kills would settle it".to_owned())
        }
        Some(Verdict::Pass) => match (&standing.stale_because, standing.wave) {
            (Some(why), _) => (ProposalReason::Stale, why.clone()),
            (None, Some(wave)) if wave < LAST_WAVE => (
                ProposalReason::NextWave,
                format!("passed wave {wave}: wave {} may open", wave + 1),
            ),
            (None, _) => return None,
        },
    };
    Some(Proposal {
        rank: 0,
        experiment: standing.experiment.clone(),
        environment: standing.environment.clone(),
        code,
        reason,
        last_run_at: standing.last_run_at,
    })
}
