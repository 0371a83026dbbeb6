//! The policy's word before a campaign, before every kill and once more right before the signal.
//!
//! Owns the situation that `safety` is told: documents read again each time, so that a swapped one is noticed; what the
//! watcher saw; how many the injector's dry run found; what this run and the history remember. Every decision goes into
//! the audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::{read, read_experiment};
use crate::app::run::injector::Mode;
use crate::app::run::watcher::Observation;
use crate::safety::{
    self, Begun, Decision, Fact, Failures, History as Past, Moment, Situation, WaveBefore, approval,
};
use crate::spec::{Experiment, Policy, Target};
use crate::store::History;
use crate::unit::Timestamp;
use crate::verdict::result::Verdict;

/// A policy larger than this is not read to its end.
const POLICY_BYTES: u64 = 2 * 1024 * 1024;

/// Reads documents and asks the gates.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    pub(crate) document: PathBuf,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) history: Option<PathBuf>,
    pub(crate) mode: Mode,
    pub(crate) actor: String,
    pub(crate) run_id: String,
    pub(crate) begun: Begun,
}

/// What the run itself knows when a gate is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// What was seen last.
    pub(crate) observation: Option<Observation>,
    /// How many the injector's dry run found.
    pub(crate) matching: Option<Result<u32, String>>,
    /// How many faults of other campaigns are in place.
    pub(crate) in_place: Option<Result<u32, String>>,
    pub(crate) last_recovery: Option<Timestamp>,
    pub(crate) failures: u32,
    pub(crate) last_failure_at: Option<Timestamp>,
}

/// A decision with the documents it was made on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) experiment: Experiment,
}

impl Gatekeeper {
    /// Asks every gate at a moment.
    ///
    /// # Errors
    /// A document that can no longer be read; then nothing may be done.
    pub(crate) fn decide(
        &self,
        moment: Moment,
        now: Timestamp,
        known: &Known,
    ) -> Result<Judged, AppError> {
        let experiment = read_experiment(&self.document)?.experiment;
        let policy = self.policy.as_deref().map(read_policy).transpose()?;
        let mode = match self.mode {
            Mode::DryRun => safety::Mode::Dry,
            Mode::Live => safety::Mode::Live,
        };
        let (answers, metrics) = known.observation.as_ref().map_or_else(
            || (BTreeMap::new(), BTreeMap::new()),
            |seen| (seen.answers.clone(), seen.metrics.clone()),
        );
        let situation = Situation {
            now,
            moment,
            mode,
            actor: Fact::Known(self.actor.clone()),
            begun: Some(self.begun.clone()),
            labels: labels(&experiment),
            matching: match &known.matching {
                None => Fact::NotYet,
                Some(Ok(count)) => Fact::Known(*count),
                Some(Err(why)) => Fact::Unknown(why.clone()),
            },
            in_place: match (&known.in_place, &self.policy) {
                // A dry run hits nobody.
                (_, None) => Fact::Known(0),
                (None, Some(_)) => Fact::NotYet,
                (Some(Ok(count)), Some(_)) => Fact::Known(*count),
                (Some(Err(why)), Some(_)) => Fact::Unknown(why.clone()),
            },
            answers,
            metrics,
            history: self.past(&experiment, now, known)?,
            approvals: self.approvals()?,
        };
        let decision = safety::decide(&experiment, policy.as_ref(), &situation);
        Ok(Judged { decision, experiment })
    }

    fn past(
        &self,
        experiment: &Experiment,
        now: Timestamp,
        known: &Known,
    ) -> Result<Past, AppError> {
        let runs = match &self.history {
            None => None,
            Some(directory) if !directory.exists() => Some(Vec::new()),
            Some(directory) => Some(History::existing(directory)?.runs()?),
        };
        let own = |run: &&crate::store::RunEntry| {
            run.run.experiment == experiment.name
                && run.run.environment == experiment.environment
                && run.run.run_id != self.run_id
        };
        let last_recovery = runs
            .iter()
            .flatten()
            .filter(own)
            .filter(|entry| entry.run.killed() > 0)
            .filter_map(|entry| entry.run.ended_at)
            .chain(known.last_recovery)
            .max();
        Ok(Past {
            wave_before: Fact::Known(self.wave_before(experiment, runs.as_deref(), now, known)),
            last_recovery: Fact::Known(last_recovery),
            failures: Fact::Known(Failures {
                in_a_row: known.failures,
                last_at: known.last_failure_at,
            }),
        })
    }

    /// Wave 0 names targets and hits nobody: the injector's own dry run before every kill is one. The others are
    /// remembered in the history.
    fn wave_before(
        &self,
        experiment: &Experiment,
        runs: Option<&[crate::store::RunEntry]>,
        now: Timestamp,
        known: &Known,
    ) -> WaveBefore {
        let wave = experiment.fault.as_ref().map_or(0, |fault| fault.wave);
        if wave <= 1 {
            return match &known.matching {
                Some(Err(why)) => {
                    WaveBefore::NotPassed(format!("the dry run before the kill: {why}"))
                }
                Some(Ok(_)) | None => WaveBefore::Passed { run_id: self.run_id.clone(), at: now },
            };
        }
        let before = wave - 1;
        let Some(runs) = runs else {
            return WaveBefore::NotPassed(
                "no history was given, name it with --history DIR".to_owned(),
            );
        };
        let last = runs
            .iter()
            .filter(|entry| {
                entry.run.experiment == experiment.name
                    && entry.run.environment == experiment.environment
                    && entry.run.wave == Some(before)
            })
            .max_by_key(|entry| (entry.run.started_at, entry.sequence));
        match last {
            None => WaveBefore::NotPassed(format!(
                "the history holds no run of wave {before} of {} in {}",
                experiment.name, experiment.environment
            )),
            Some(entry) if entry.run.verdict == Verdict::Pass => WaveBefore::Passed {
                run_id: entry.run.run_id.clone(),
                at: entry.run.ended_at.unwrap_or(entry.run.started_at),
            },
            Some(entry) => WaveBefore::NotPassed(format!(
                "its last run, {}, did not pass: {}",
                entry.run.run_id, entry.run.headline
            )),
        }
    }

    /// `NAME.approvals.jsonl` beside the document.
    fn approvals(&self) -> Result<Vec<approval::Record>, AppError> {
        let stem = self.document.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = self.document.with_file_name(format!("{stem}.approvals.jsonl"));
        if !path.exists() {
            return Ok(Vec::new());
        }
        let hint = "make it readable, or take it away and approve again";
        Ok(approval::read(&read(&path, "the approvals", POLICY_BYTES, hint)?))
    }
}

/// Reads and checks a policy document.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, AppError> {
    let hint = "give a policy document with --policy";
    let bytes = read(path, "the policy", POLICY_BYTES, hint)?;
    Ok(Policy::parse(&path.display().to_string(), &bytes)?)
}

/// The labels that the target's own selector demands. The injector holds the labels that are really there against the
/// protected ones and against the one that opts in.
fn labels(experiment: &Experiment) -> Fact<BTreeSet<String>> {
    let Some(fault) = &experiment.fault else { return Fact::Known(BTreeSet::new()) };
    Fact::Known(match &fault.target {
        Target::Process { .. } => BTreeSet::new(),
        Target::Container { label, .. } => label.iter().cloned().collect(),
        Target::Kubernetes { selector, .. } => {
            selector.split(',').map(|term| term.trim().replace("==", "=")).collect()
        }
    })
}
