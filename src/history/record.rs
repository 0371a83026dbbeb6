//! One run as history remembers it: small enough to load ten thousand of them, and enough for the week.
//!
//! Owns what is taken over from a result, a run record and the circumstances of the analysis. Refuses to judge again:
//! every verdict is the result's own. Fields that later versions added are optional when read, so that what an older
//! version wrote stays readable; fields that a newer version adds are ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::run::RunRecord;
use crate::spec::{Estimand, Form};
use crate::unit::Timestamp;
use crate::verdict::result::{
    AnalysisResult, EffectForm, MetricResult, RecoveryResult, TimeResult, Verdict,
};

/// Everything that is kept of a run: its result, its run records, and what was around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// The result, with its timelines.
    pub result: AnalysisResult,
    /// The run records of its sessions, in time order.
    pub runs: Vec<RunRecord>,
    /// What neither of them says.
    pub circumstances: Circumstances,
}

/// What neither result nor run record says about a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Circumstances {
    /// The wave of the document's fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u8>,
    /// The runbook that the document names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<RunbookState>,
    /// How far the postmortem was filled in, if one was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postmortem: Option<PostmortemState>,
}

/// A runbook when the run was analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookState {
    /// Its path as the document names it.
    pub path: String,
    /// `sha256:<hex>` of its bytes; none if it was not found.
    #[serde(default)]
    pub digest: Option<String>,
}

/// How far a postmortem was filled in when the run was analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostmortemState {
    /// Sections that a person has filled in.
    pub filled: u32,
    /// Sections that ask for it.
    pub sections: u32,
    /// Action items still open.
    #[serde(default)]
    pub open_actions: u32,
}

/// One session of a run: together with the experiment, what makes a run the same run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// The run's id.
    pub run_id: String,
    /// Its start.
    pub started_at: Timestamp,
}

/// Counts of kills.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KillCounts {
    /// Planned, if the document says so.
    #[serde(default)]
    pub planned: Option<u32>,
    /// Fault iterations that happened.
    pub fault: u32,
    /// Control iterations that happened.
    #[serde(default)]
    pub control: u32,
    /// Fault iterations that are not excluded for every metric.
    pub usable: u32,
    /// How the faults came out: `killed`, `dry_run`, `refused`, `no_target`, `failed`.
    #[serde(default)]
    pub outcomes: BTreeMap<String, u32>,
    /// Iterations that a rule stopped.
    #[serde(default)]
    pub aborted: u32,
}

/// One claim of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimSummary {
    /// The metric.
    pub metric: String,
    /// Unit of its numbers; none for bare numbers.
    #[serde(default)]
    pub unit: Option<String>,
    /// What the claim is said of.
    #[serde(default)]
    pub estimand: Option<Estimand>,
    /// Its form.
    pub form: Form,
    /// Its bound.
    pub bound: f64,
    /// The claim in words.
    pub text: String,
    /// How it came out.
    pub verdict: Verdict,
    /// Kills that stayed inside.
    #[serde(default)]
    pub inside: u32,
    /// Kills that did not.
    #[serde(default)]
    pub outside: u32,
    /// Kills of which it cannot be said.
    #[serde(default)]
    pub unknown: u32,
    /// The baseline windows' estimate.
    #[serde(default)]
    pub baseline: Option<f64>,
    /// The experiment windows' estimate.
    #[serde(default)]
    pub experiment: Option<f64>,
    /// Experiment against baseline.
    #[serde(default)]
    pub effect: Option<f64>,
    /// The scale of the effect.
    #[serde(default)]
    pub effect_form: Option<EffectForm>,
    /// Why it is not a pass, as codes.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// Recovery in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoverySummary {
    /// The metric watched.
    pub signal: String,
    /// Verdict on the deadline; none without one.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// The deadline in seconds.
    #[serde(default)]
    pub deadline_s: Option<f64>,
    /// Kills that surely recovered in time.
    #[serde(default)]
    pub recovered: u32,
    /// Kills that surely did not.
    #[serde(default)]
    pub missed: u32,
    /// Times to detect.
    #[serde(default)]
    pub detect: Option<TimesSummary>,
    /// Times to remediate.
    #[serde(default)]
    pub remediate: Option<TimesSummary>,
    /// Times to recover.
    pub recover: TimesSummary,
    /// Why it is not a pass, as codes.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// Times of a run's kills, in seconds from the kill.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TimesSummary {
    /// Kills in which the event was seen: when.
    pub seen: Vec<f64>,
    /// Kills in which it was not: how long it was looked for.
    pub censored: Vec<f64>,
    /// Step of the signal.
    #[serde(default)]
    pub resolution_s: Option<f64>,
}

/// One run as the index of a history holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Run ids joined by `+`.
    pub run_id: String,
    /// Name of the experiment.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: String,
    /// `metadata.ticket`.
    #[serde(default)]
    pub ticket: Option<String>,
    /// `metadata.labels`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Digest of the document's bytes.
    pub digest: String,
    /// Digest of the samples.
    #[serde(default)]
    pub samples_digest: Option<String>,
    /// The wave of the document's fault.
    #[serde(default)]
    pub wave: Option<u8>,
    /// Start of the first session.
    pub started_at: Timestamp,
    /// End of the last session.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// The sessions, in time order.
    #[serde(default)]
    pub sessions: Vec<SessionKey>,
    /// Version of the program that judged.
    #[serde(default)]
    pub tool: String,
    /// One-sided level of every limit.
    pub confidence: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// The result's one sentence.
    #[serde(default)]
    pub headline: String,
    /// Why it is not a pass, as codes, each once.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Codes of warnings, each once.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Counts of kills.
    pub kills: KillCounts,
    /// Claims on metrics, in document order.
    #[serde(default)]
    pub claims: Vec<ClaimSummary>,
    /// Recovery, if the document looks at it.
    #[serde(default)]
    pub recovery: Option<RecoverySummary>,
    /// The runbook that the document names.
    #[serde(default)]
    pub runbook: Option<RunbookState>,
    /// How far the postmortem was filled in.
    #[serde(default)]
    pub postmortem: Option<PostmortemState>,
}

/// Why a run cannot be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// Neither result nor run record say when it began.
    #[error(
        "neither the result nor a run record says when the run began; history is kept by time: give \"started_at\" in run.json"
    )]
    NoStart,
}

impl RunSummary {
    /// What the index holds of a run.
    ///
    /// # Errors
    /// [`SummaryError::NoStart`] if nothing says when it began.
    pub fn of(run: &Remembered) -> Result<Self, SummaryError> {
        let Remembered { result, runs, circumstances } = run;
        let earliest = runs.iter().map(|run| run.started_at).min();
        let started_at = result.started_at.or(earliest).ok_or(SummaryError::NoStart)?;
        let latest = runs.iter().filter_map(|run| run.ended_at).max();
        Ok(Self {
            run_id: result.run_id.clone(),
            experiment: result.experiment.name.clone(),
            environment: result.experiment.environment.clone(),
            owner: result.experiment.owner.clone(),
            ticket: result.experiment.ticket.clone(),
            labels: result.experiment.labels.clone(),
            digest: result.experiment.digest.clone(),
            samples_digest: result.samples_digest.clone(),
            wave: circumstances.wave,
            started_at,
            ended_at: result.ended_at.or(latest),
            sessions: sessions(result, started_at),
            tool: result.tool.version.clone(),
            confidence: result.confidence,
            verdict: result.verdict,
            headline: result.headline.clone(),
            reasons: once(result.reasons.iter().map(|reason| reason.code.word())),
            warnings: once(result.warnings.iter().map(|warning| warning.code.as_str())),
            kills: kills(result),
            claims: result.metrics.iter().filter_map(ClaimSummary::of).collect(),
            recovery: result.recovery.as_ref().map(RecoverySummary::of),
            runbook: circumstances.runbook.clone().or_else(|| {
                let path = result.experiment.runbook.clone()?;
                Some(RunbookState { path, digest: None })
            }),
            postmortem: circumstances.postmortem,
        })
    }

    /// Whether both are records of one run: the same sessions of the same experiment, judged twice.
    pub fn is_same_run(&self, other: &Self) -> bool {
        self.experiment == other.experiment
            && self.environment == other.environment
            && self.sessions == other.sessions
            && (!self.sessions.is_empty()
                || (self.run_id == other.run_id && self.started_at == other.started_at))
    }

    /// Whether every session of `other` is also one of this run's, and this run has more.
    pub fn contains_run(&self, other: &Self) -> bool {
        self.experiment == other.experiment
            && self.environment == other.environment
            && self.sessions.len() > other.sessions.len()
            && !other.sessions.is_empty()
            && other.sessions.iter().all(|session| self.sessions.contains(session))
    }

    /// Kills that were carried out.
    pub fn killed(&self) -> u32 {
        self.kills.outcomes.get("killed").copied().unwrap_or_default()
    }
}

/// The sessions of a result, in time order.
fn sessions(result: &AnalysisResult, started_at: Timestamp) -> Vec<SessionKey> {
    let mut sessions: Vec<SessionKey> = result
        .session_list
        .iter()
        .map(|session| SessionKey {
            run_id: session.run_id.clone(),
            started_at: session.started_at,
        })
        .collect();
    if sessions.is_empty() {
        sessions.push(SessionKey { run_id: result.run_id.clone(), started_at });
    }
    sessions.sort_by(|left, right| {
        (left.started_at, &left.run_id).cmp(&(right.started_at, &right.run_id))
    });
    sessions
}

/// Words in their first order, each once.
fn once<'word>(words: impl Iterator<Item = &'word str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        if !kept.iter().any(|known| known == word) {
            kept.push(word.to_owned());
        }
    }
    kept
}

/// Counts of a result's kills.
fn kills(result: &AnalysisResult) -> KillCounts {
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    let mut aborted = 0;
    for window in &result.timeline.windows {
        if let Some(outcome) = &window.outcome {
            *outcomes.entry(outcome.clone()).or_default() += 1;
        }
        aborted += u32::from(window.aborted.is_some());
    }
    let counts = &result.iterations;
    KillCounts {
        planned: counts.planned,
        fault: counts.fault,
        control: counts.control,
        usable: counts.usable,
        outcomes,
        aborted,
    }
}

impl ClaimSummary {
    /// The claim of a metric; none of an exploratory one.
    fn of(metric: &MetricResult) -> Option<Self> {
        let claim = metric.claim.as_ref()?;
        let verdict = metric.verdict?;
        let kills = metric.kills.as_ref();
        Some(Self {
            metric: metric.name.clone(),
            unit: metric.unit.clone(),
            estimand: metric.estimand,
            form: claim.form,
            bound: claim.bound,
            text: claim.text.clone(),
            verdict,
            inside: kills.map_or(0, |kills| kills.inside),
            outside: kills.map_or(0, |kills| kills.outside),
            unknown: kills.map_or(0, |kills| kills.unknown),
            baseline: metric.baseline.estimate,
            experiment: metric.experiment.estimate,
            effect: metric.effect.as_ref().and_then(|effect| effect.estimate),
            effect_form: metric.effect.as_ref().map(|effect| effect.form),
            reasons: once(metric.reasons.iter().map(|reason| reason.code.word())),
        })
    }
}

impl RecoverySummary {
    fn of(recovery: &RecoveryResult) -> Self {
        let within = recovery.recover.within.as_ref();
        Self {
            signal: recovery.signal.clone(),
            verdict: recovery.verdict,
            deadline_s: within.map(|within| within.deadline_s),
            recovered: within.map_or(0, |within| within.recovered),
            missed: within.map_or(0, |within| within.missed),
            detect: recovery.detect.as_ref().map(TimesSummary::of),
            remediate: recovery.remediate.as_ref().map(TimesSummary::of),
            recover: TimesSummary::of(&recovery.recover),
            reasons: once(recovery.reasons.iter().map(|reason| reason.code.word())),
        }
    }
}

impl TimesSummary {
    fn of(times: &TimeResult) -> Self {
        let with = |censored: bool| {
            times
                .times
                .iter()
                .filter(|entry| entry.censored == censored)
                .filter_map(|entry| entry.seconds)
                .collect()
        };
        Self { seen: with(false), censored: with(true), resolution_s: times.resolution_s }
    }

    /// Kills looked at.
    pub fn n(&self) -> usize {
        self.seen.len() + self.censored.len()
    }
}
