//! Several runs of one experiment joined into one campaign.
//!
//! Owns the order: sessions by the time of their first iteration, iterations renumbered from 1 in time order over
//! all sessions. The result does not depend on the order in which the runs were given.

use crate::run::record::{Iteration, RunRecord};

/// One or more runs of one experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The runs in time order.
    pub sessions: Vec<Session>,
    /// All iterations in time order, numbered from 1.
    pub iterations: Vec<SessionIteration>,
}

/// One run within a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Number within the campaign, from 1.
    pub number: u32,
    /// Position of this run among the runs as they were given.
    pub given: usize,
    /// The run.
    pub run: RunRecord,
}

/// One iteration of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionIteration {
    /// Number within the campaign, from 1.
    pub index: u32,
    /// Number of its session.
    pub session: u32,
    /// The iteration; its own `index` is the one of its run.
    pub iteration: Iteration,
}

impl Campaign {
    /// Joins runs. Order of the argument does not matter beyond the field `given`.
    pub fn join(runs: Vec<RunRecord>) -> Self {
        let mut order: Vec<(usize, RunRecord)> = runs.into_iter().enumerate().collect();
        order.sort_by(|(_, left), (_, right)| {
            (first_start(left), &left.run_id).cmp(&(first_start(right), &right.run_id))
        });
        let sessions: Vec<Session> = (1_u32..)
            .zip(order)
            .map(|(number, (given, run))| Session { number, given, run })
            .collect();
        let mut all: Vec<(u32, Iteration)> = sessions
            .iter()
            .flat_map(|session| {
                session.run.iterations.iter().map(|iteration| (session.number, iteration.clone()))
            })
            .collect();
        all.sort_by_key(|(session, iteration)| {
            (iteration.baseline.start, *session, iteration.index)
        });
        let iterations = (1_u32..)
            .zip(all)
            .map(|(index, (session, iteration))| SessionIteration { index, session, iteration })
            .collect();
        Self { sessions, iterations }
    }

    /// The name of the campaign: the run ids of its sessions, joined.
    pub fn run_id(&self) -> String {
        self.sessions
            .iter()
            .map(|session| session.run.run_id.as_str())
            .collect::<Vec<_>>()
            .join("+")
    }
}

/// When a run's first window starts.
fn first_start(run: &RunRecord) -> Option<crate::unit::Timestamp> {
    run.iterations.iter().map(|iteration| iteration.baseline.start).min()
}
