//! The runs of one experiment in one environment, in time order, each run once.
//!
//! A run that was judged twice counts as judged last. A run whose sessions are all part of a larger campaign is set
//! aside: its kills are counted there.

use std::collections::BTreeMap;

use crate::history::RunSummary;
use crate::unit::{Timestamp, Window};
use crate::verdict::result::Verdict;

/// What runs of one line have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LineKey<'run> {
    pub(super) experiment: &'run str,
    pub(super) environment: &'run str,
}

/// The runs of one experiment in one environment.
#[derive(Debug, Clone)]
pub(super) struct Line<'run> {
    pub(super) key: LineKey<'run>,
    /// In time order.
    pub(super) runs: Vec<&'run RunSummary>,
    /// Runs that are part of a larger campaign.
    pub(super) contained: usize,
    /// Judgements that a later one of the same run replaced.
    pub(super) judged_again: usize,
}

/// All lines, by experiment and environment. `runs` come in the order in which they were remembered.
pub(super) fn lines<'run>(runs: &[&'run RunSummary]) -> Vec<Line<'run>> {
    let mut grouped: BTreeMap<LineKey<'run>, Vec<&'run RunSummary>> = BTreeMap::new();
    for run in runs {
        let key = LineKey { experiment: &run.experiment, environment: &run.environment };
        grouped.entry(key).or_default().push(run);
    }
    grouped.into_iter().map(|(key, runs)| Line::new(key, &runs)).collect()
}

impl<'run> Line<'run> {
    fn new(key: LineKey<'run>, runs: &[&'run RunSummary]) -> Self {
        // The last judgement of a run stands where its first did.
        let mut latest: BTreeMap<Identity<'run>, &'run RunSummary> = BTreeMap::new();
        for run in runs {
            latest.insert(Identity::of(run), run);
        }
        let judged_again = runs.len() - latest.len();
        let campaigns: Vec<&RunSummary> =
            latest.values().copied().filter(|run| run.sessions.len() > 1).collect();
        let mut kept: Vec<&'run RunSummary> = latest
            .values()
            .copied()
            .filter(|run| !campaigns.iter().any(|campaign| campaign.contains_run(run)))
            .collect();
        let contained = latest.len() - kept.len();
        kept.sort_by(|left, right| {
            (left.started_at, &left.run_id).cmp(&(right.started_at, &right.run_id))
        });
        Self { key, runs: kept, contained, judged_again }
    }

    /// Runs that began in a stretch of time.
    pub(super) fn within(&self, window: Window) -> &[&'run RunSummary] {
        let from = self.runs.partition_point(|run| run.started_at < window.start);
        let to = self.runs.partition_point(|run| run.started_at < window.end);
        &self.runs[from..to.max(from)]
    }

    /// Runs that began before a moment.
    pub(super) fn before(&self, moment: Timestamp) -> &[&'run RunSummary] {
        &self.runs[..self.runs.partition_point(|run| run.started_at < moment)]
    }

    /// The last run that began before a moment.
    pub(super) fn last_before(&self, moment: Timestamp) -> Option<&'run RunSummary> {
        self.before(moment).last().copied()
    }
}

/// What makes a run the same run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity<'run> {
    sessions: &'run [crate::history::SessionKey],
    /// For runs of versions that did not keep their sessions.
    alone: Option<(Timestamp, &'run str)>,
}

impl<'run> Identity<'run> {
    fn of(run: &'run RunSummary) -> Self {
        let alone = run.sessions.is_empty().then_some((run.started_at, run.run_id.as_str()));
        Self { sessions: &run.sessions, alone }
    }
}

/// Whether a verdict says something either way.
pub(super) const fn is_decisive(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Pass | Verdict::Fail => true,
        Verdict::Inconclusive => false,
    }
}
