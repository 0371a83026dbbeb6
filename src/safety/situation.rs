//! Everything that a decision needs beside the documents: the moment, what was measured, what happened before.
//!
//! Plain data, filled in by whoever can look. Refuses to judge.

use std::collections::{BTreeMap, BTreeSet};

use crate::safety::approval::Record;
use crate::safety::fact::Fact;
use crate::spec::{Experiment, Policy};
use crate::unit::Timestamp;

/// Everything that a decision needs beside the documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// When it is asked.
    pub now: Timestamp,
    /// At which point of the campaign.
    pub moment: Moment,
    /// Whether anybody can be hit.
    pub mode: Mode,
    /// Who runs the experiment.
    pub actor: Fact<String>,
    /// The documents with which the campaign began; `None` before it has begun.
    pub begun: Option<Begun>,
    /// Every label, as `key=value`, that any of those carries that the target means; a process carries none.
    pub labels: Fact<BTreeSet<String>>,
    /// How many the target's selector means.
    pub matching: Fact<u32>,
    /// Faults of other campaigns that are in place.
    pub in_place: Fact<u32>,
    /// Answers of the source by the query of [`queries`].
    pub answers: BTreeMap<String, Fact<f64>>,
    /// What is known of the experiment's metrics, by name.
    pub metrics: BTreeMap<String, MetricFacts>,
    /// What happened before.
    pub history: History,
    /// The approvals that were handed in.
    pub approvals: Vec<Record>,
}

/// At which point of a campaign a decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Long before: `unfazed check`.
    Check,
    /// Before the first baseline.
    Start,
    /// Before a kill, and once more right before the signal. Nothing may be unknown.
    Kill,
}

/// Whether anybody can be hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Targets are looked for and nobody is hit.
    Dry,
    /// `--live`.
    Live,
}

/// The documents with which a campaign began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Digest of the experiment.
    pub experiment_digest: String,
    /// Digest of the policy.
    pub policy_digest: Option<String>,
}

/// What is known of a metric, in its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFacts {
    /// Its value over the iteration's baseline window.
    pub baseline: Fact<f64>,
    /// Its value now.
    pub now: Fact<f64>,
}

/// What happened before.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Whether the wave before was passed.
    pub wave_before: Fact<WaveBefore>,
    /// When the target last recovered from a kill; `None`: it was never hit.
    pub last_recovery: Fact<Option<Timestamp>>,
    /// Failed iterations since the last good one.
    pub failures: Fact<Failures>,
}

/// Whether the wave before was passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaveBefore {
    /// It was.
    Passed {
        /// The run that shows it.
        run_id: String,
        /// When that run ended.
        at: Timestamp,
    },
    /// It was not, and why.
    NotPassed(String),
}

/// Failed iterations in a row: aborted, or not recovered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many since the last good one.
    pub in_a_row: u32,
    /// When the last of them ended.
    pub last_at: Option<Timestamp>,
}

impl Situation {
    /// Long before a campaign nothing but the time is known.
    pub fn at_check(now: Timestamp, mode: Mode) -> Self {
        Self {
            now,
            moment: Moment::Check,
            mode,
            actor: Fact::NotYet,
            begun: None,
            labels: Fact::NotYet,
            matching: Fact::NotYet,
            in_place: Fact::NotYet,
            answers: BTreeMap::new(),
            metrics: BTreeMap::new(),
            history: History {
                wave_before: Fact::NotYet,
                last_recovery: Fact::NotYet,
                failures: Fact::NotYet,
            },
            approvals: Vec::new(),
        }
    }

    /// The answer to a query: what nobody asked is not known yet.
    pub fn answer(&self, query: &str) -> Fact<f64> {
        self.answers.get(query).cloned().unwrap_or(Fact::NotYet)
    }
}

/// Every query that the gates need an answer to, each once, in the order in which they are asked.
pub fn queries(experiment: &Experiment, policy: Option<&Policy>) -> Vec<String> {
    let own = experiment.safety.preconditions.iter();
    let shared = policy.into_iter().flat_map(|policy| &policy.preconditions);
    let canary = policy.and_then(|policy| policy.canary.as_ref());
    let mut queries: Vec<String> = Vec::new();
    let all = own.chain(shared).map(|condition| &condition.query);
    for query in all.chain(canary.map(|canary| &canary.query)) {
        if !queries.contains(query) {
            queries.push(query.clone());
        }
    }
    queries
}
