//! The result: what was concluded, from what, and why (`unfazed.result/v1`).
//!
//! Plain data in the shape of `result.json`. Nothing here computes. Every number that does not exist is `None`
//! with a reason beside it; NaN and infinities cannot be written.

use serde::{Deserialize, Serialize};

use crate::run::Arm;
use crate::spec::{Estimand, Form};
use crate::unit::{Timestamp, Window};

/// The schema name that this version writes and reads.
pub const SCHEMA: &str = "unfazed.result/v1";

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The data rule out that the claim is broken.
    Pass,
    /// The data rule out that the claim holds.
    Fail,
    /// Neither.
    Inconclusive,
}

impl Verdict {
    /// The word of results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Everything that was concluded from a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisResult {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What wrote it.
    pub tool: Tool,
    /// The experiment's own words.
    pub experiment: ExperimentInfo,
    /// Run ids joined by `+`.
    pub run_id: String,
    /// Start of the first run.
    pub started_at: Option<Timestamp>,
    /// End of the last run.
    pub ended_at: Option<Timestamp>,
    /// The runs that make up the campaign.
    pub session_list: Vec<SessionInfo>,
    /// Number of sessions.
    pub sessions: u32,
    /// Seed of every random draw.
    pub seed: u64,
    /// One-sided level of every limit.
    pub confidence: f64,
    /// The verdict over all primary claims.
    pub verdict: Verdict,
    /// One sentence.
    pub headline: String,
    /// Why the verdict is not a pass.
    pub reasons: Vec<Reason>,
    /// Counts of iterations.
    pub iterations: IterationCounts,
    /// One entry per metric, in document order.
    pub metrics: Vec<MetricResult>,
    /// Times to detect, remediate and recover; absent without a recovery section.
    pub recovery: Option<RecoveryResult>,
    /// Points for charts.
    pub timeline: Timeline,
    /// What a reader should know besides.
    pub warnings: Vec<Warning>,
    /// `sha256:<hex>` over the canonically sorted samples that were used.
    pub samples_digest: Option<String>,
    /// How the numbers were fetched, if not from a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `unfazed`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The experiment's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentInfo {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.owner`.
    pub owner: String,
    /// `metadata.ticket`.
    pub ticket: Option<String>,
    /// `metadata.labels`.
    #[serde(default)]
    pub labels: std::collections::BTreeMap<String, String>,
    /// The claim in words.
    pub hypothesis: String,
    /// Where it ran.
    pub environment: String,
    /// Digest of the document's bytes.
    pub digest: String,
    /// Path of the runbook as the document names it.
    pub runbook: Option<String>,
    /// What the document injects; none where another tool does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultInfo>,
}

/// What is injected, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultInfo {
    /// Whom it hits: `process payment-worker`.
    pub target: String,
    /// `kill`, `terminate`, `pause` or `hook`.
    pub action: String,
    /// How many targets an iteration hits.
    pub count: u32,
    /// 0 to 3.
    pub wave: u8,
}

/// One run of the campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Number, from 1.
    pub number: u32,
    /// The run's id.
    pub run_id: String,
    /// Start.
    pub started_at: Timestamp,
    /// End.
    pub ended_at: Option<Timestamp>,
    /// The tool that ran it.
    pub tool: Option<String>,
    /// That tool's own verdict.
    pub tool_verdict: Option<String>,
    /// Why that tool came to its verdict, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_reason: Option<String>,
}

/// A reason of a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code.
    pub code: ReasonCode,
    /// The metric, `recovery`, or none for the experiment.
    pub metric: Option<String>,
    /// In words.
    pub message: String,
    /// How many usable iterations in all would settle it, if that can be said.
    pub iterations_needed: Option<u32>,
}

/// Stable codes of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// No data could have passed.
    TooFewIterations,
    /// The limits lie on both sides of the bound.
    IntervalStraddlesBound,
    /// The bound lies inside a bucket.
    HistogramResolution,
    /// The deadline lies between two samples.
    UndecidedByResolution,
    /// Observation ended before the deadline.
    CensoredBeforeDeadline,
    /// A rule stopped iterations.
    Aborted,
    /// Data are missing.
    MissingData,
    /// Too few requests.
    NoTraffic,
    /// All values are equal where a spread is needed.
    DegenerateVariance,
    /// The baseline drifts or breaches.
    BaselineUnstable,
    /// Errors come in bursts that the limit cannot carry.
    Overdispersed,
    /// Fails alone, not after Holm.
    Multiplicity,
    /// The control arm moved.
    ControlMoved,
    /// Nothing is claimed.
    NoClaims,
}

impl ReasonCode {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::TooFewIterations,
        Self::IntervalStraddlesBound,
        Self::HistogramResolution,
        Self::UndecidedByResolution,
        Self::CensoredBeforeDeadline,
        Self::Aborted,
        Self::MissingData,
        Self::NoTraffic,
        Self::DegenerateVariance,
        Self::BaselineUnstable,
        Self::Overdispersed,
        Self::Multiplicity,
        Self::ControlMoved,
        Self::NoClaims,
    ];

    /// The word of results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooFewIterations => "too_few_iterations",
            Self::IntervalStraddlesBound => "interval_straddles_bound",
            Self::HistogramResolution => "histogram_resolution",
            Self::UndecidedByResolution => "undecided_by_resolution",
            Self::CensoredBeforeDeadline => "censored_before_deadline",
            Self::Aborted => "aborted",
            Self::MissingData => "missing_data",
            Self::NoTraffic => "no_traffic",
            Self::DegenerateVariance => "degenerate_variance",
            Self::BaselineUnstable => "baseline_unstable",
            Self::Overdispersed => "overdispersed",
            Self::Multiplicity => "multiplicity",
            Self::ControlMoved => "control_moved",
            Self::NoClaims => "no_claims",
        }
    }
}

/// A warning never changes a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable snake-case code.
    pub code: String,
    /// In words.
    pub message: String,
}

/// Counts of iterations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IterationCounts {
    /// Planned kills, if the document says so.
    pub planned: Option<u32>,
    /// Fault iterations that happened.
    pub fault: u32,
    /// Control iterations that happened.
    pub control: u32,
    /// Fault iterations that are not excluded for every metric.
    pub usable: u32,
    /// Excluded for every metric.
    pub excluded: Vec<Exclusion>,
}

/// An excluded iteration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Number within the campaign.
    pub index: u32,
    /// `not_injected`, `baseline_missing` or `no_traffic`.
    pub reason: String,
}

/// Whether a metric takes part in the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has a claim.
    Primary,
    /// Shown only.
    Exploratory,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricResult {
    /// Its name.
    pub name: String,
    /// `ratio`, `histogram`, `gauge`, `counter`, `samples`, `balance` or `query`.
    pub kind: String,
    /// What is measured, in words: selectors, quantile, reducer.
    pub description: String,
    /// Unit of its numbers; none for bare numbers.
    pub unit: Option<String>,
    /// Primary or exploratory.
    pub role: Role,
    /// What the claim is said of; none without a claim.
    pub estimand: Option<Estimand>,
    /// The claim; none without one.
    pub claim: Option<ClaimInfo>,
    /// The k-of-N line in numbers; none without a claim.
    pub kills: Option<Kills>,
    /// Baseline windows of the iterations judged.
    pub baseline: Estimate,
    /// Experiment windows of the iterations judged.
    pub experiment: Estimate,
    /// Experiment against baseline; none where it does not exist.
    pub effect: Option<Effect>,
    /// What decided; none without a claim.
    pub decision: Option<Decision>,
    /// Iterations judged.
    pub n: u32,
    /// Pass, fail or inconclusive; none without a claim.
    pub verdict: Option<Verdict>,
    /// The verdict as one sentence; none without a claim.
    #[serde(default)]
    pub sentence: Option<String>,
    /// Why the verdict is not a pass.
    pub reasons: Vec<Reason>,
    /// What a reader should know besides.
    pub warnings: Vec<Warning>,
    /// What was compared with what, written by the deciding expression.
    pub gates: Vec<Gate>,
    /// Iterations excluded for this metric alone.
    pub excluded: Vec<Exclusion>,
    /// Figures that stand beside the decision and do not decide.
    pub sensitivity: Vec<Sensitivity>,
    /// What the only kill's own windows say, where exactly one kill counts; never decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_window: Option<WithinWindow>,
    /// One entry per iteration, control arm included.
    pub iterations: Vec<IterationResult>,
    /// For an exploratory metric the two-sided p-value of no change, adjusted by Benjamini–Hochberg.
    pub exploratory: Option<Exploratory>,
}

/// A claim in numbers and words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimInfo {
    /// Its form.
    pub form: Form,
    /// Its bound in the metric's unit, or as a fraction of the baseline.
    pub bound: f64,
    /// Whether the bound is a fraction of the baseline.
    pub relative: bool,
    /// Absolute allowance; the larger counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or_by: Option<f64>,
    /// Whether equality is outside.
    #[serde(default)]
    pub strict: bool,
    /// Required share of kills (`most_kills`, `every_kill`).
    pub share: Option<f64>,
    /// In words.
    pub text: String,
}

/// How many kills stayed inside the bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kills {
    /// Stayed inside.
    pub inside: u32,
    /// Did not.
    pub outside: u32,
    /// Cannot be said.
    pub unknown: u32,
    /// The worst kill.
    pub worst: Option<WorstKill>,
    /// The share of kills inside the bound that is proven at the confidence level (unknown counts as outside).
    pub proven_share: Option<f64>,
    /// The k-of-N line in words.
    pub line: String,
}

/// The worst kill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstKill {
    /// Number within the campaign.
    pub index: u32,
    /// Its value in the claim's terms: the experiment value, or the change against the baseline.
    pub value: f64,
}

/// A point estimate with one-sided limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub estimate: Option<f64>,
    /// One-sided lower limit.
    pub lower: Option<f64>,
    /// One-sided upper limit.
    pub upper: Option<f64>,
}

/// On which scale an effect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectForm {
    /// Experiment minus baseline.
    Difference,
    /// Experiment over baseline.
    Ratio,
}

/// Experiment against baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Difference or ratio.
    pub form: EffectForm,
    /// The estimate.
    pub estimate: Option<f64>,
    /// One-sided lower limit.
    pub lower: Option<f64>,
    /// One-sided upper limit.
    pub upper: Option<f64>,
    /// One-sided level of the limits.
    pub level: f64,
}

/// Which quantity decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedQuantity {
    /// The experiment windows.
    Experiment,
    /// Experiment against baseline.
    Effect,
    /// A share of kills.
    Share,
}

/// What decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Which quantity.
    pub quantity: DecidedQuantity,
    /// Its one-sided lower limit.
    pub lower: Option<f64>,
    /// Its one-sided upper limit.
    pub upper: Option<f64>,
    /// What it is compared with, on the same scale.
    pub bound: f64,
    /// `clopper_pearson`, `korn_graubard`, `zero_events`, `signed_rank`, `linearised_ratio`, `threshold`, …
    pub method: String,
    /// Smallest level at which the claim passes.
    pub p_pass: Option<f64>,
    /// Smallest level at which it fails.
    pub p_fail: Option<f64>,
    /// The same after Holm over the primary claims.
    pub p_fail_holm: Option<f64>,
    /// Level of the limit that decides a pass.
    pub attained_level: Option<f64>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// What was compared.
    pub name: String,
    /// The value.
    pub value: Option<f64>,
    /// The threshold.
    pub threshold: Option<f64>,
    /// How it came out.
    pub outcome: GateOutcome,
}

/// How a comparison came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// As wished.
    Passed,
    /// Not as wished.
    Failed,
    /// Could not be compared.
    Undefined,
}

/// A figure that does not decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The method.
    pub method: String,
    /// Its p-value for a pass.
    pub p_pass: Option<f64>,
    /// Its p-value for a fail.
    pub p_fail: Option<f64>,
    /// What it would have said.
    pub verdict: Option<Verdict>,
}

/// How well the change within one kill's own windows is known. It describes these windows and no other kill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithinWindow {
    /// `stationary_block_bootstrap`.
    pub method: String,
    /// The kill described.
    pub index: u32,
    /// Mean of the experiment window's samples minus mean of the baseline window's.
    pub estimate: f64,
    /// One-sided lower limit.
    pub lower: f64,
    /// One-sided upper limit.
    pub upper: f64,
    /// One-sided level of the limits.
    pub level: f64,
    /// Mean block length of the baseline window (Politis and White 2004), in samples; none if its samples are all equal.
    pub baseline_block_length: Option<f64>,
    /// Mean block length of the experiment window; none if its samples are all equal.
    pub experiment_block_length: Option<f64>,
    /// Samples of the baseline window.
    pub baseline_samples: u32,
    /// Samples of the experiment window.
    pub experiment_samples: u32,
    /// Resamples drawn.
    pub resamples: u32,
    /// Key of the random stream, which with the seed gives the same draws again.
    pub stream: String,
    /// In words.
    pub line: String,
}

/// One iteration of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IterationResult {
    /// Number within the campaign.
    pub index: u32,
    /// Number of the session.
    pub session: u32,
    /// Fault or control.
    pub arm: Arm,
    /// The baseline window's number.
    pub baseline: Option<f64>,
    /// The experiment window's number.
    pub experiment: Option<f64>,
    /// Smaller coverage of the two windows.
    pub coverage: Option<f64>,
    /// Whether it stayed inside the bound; none if that cannot be said or nothing is claimed.
    pub inside: Option<bool>,
    /// Why it has no number or was excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Requests in the experiment window, for ratios and histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<f64>,
}

/// What is said of an exploratory metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exploratory {
    /// Two-sided p-value of no change.
    pub p_value: Option<f64>,
    /// The same after Benjamini–Hochberg over the exploratory metrics.
    pub p_adjusted: Option<f64>,
}

/// Times to detect, remediate and recover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryResult {
    /// The metric watched.
    pub signal: String,
    /// The healthy band in words.
    pub healthy: String,
    /// How long a return has to last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_for_s: Option<f64>,
    /// What counts as detection, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_by: Option<String>,
    /// The alert that counts as detection, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// What counts as remediation, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediated_by: Option<String>,
    /// Verdict on the deadline; none without `within`.
    pub verdict: Option<Verdict>,
    /// The verdict as one sentence; none without `within`.
    #[serde(default)]
    pub sentence: Option<String>,
    /// Why the verdict is not a pass.
    pub reasons: Vec<Reason>,
    /// What was compared with what.
    pub gates: Vec<Gate>,
    /// Time to detect.
    pub detect: Option<TimeResult>,
    /// Time to remediate.
    pub remediate: Option<TimeResult>,
    /// Time to recover.
    pub recover: TimeResult,
    /// What decided; none without `within`.
    pub decision: Option<Decision>,
    /// What a reader should know besides.
    pub warnings: Vec<Warning>,
}

/// One kind of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeResult {
    /// Iterations looked at.
    pub n: u32,
    /// Iterations in which it was seen.
    pub events: u32,
    /// Iterations in which it was not.
    pub censored: u32,
    /// Kaplan–Meier median.
    pub median_s: Option<f64>,
    /// Its one-sided lower limit.
    pub median_lower_s: Option<f64>,
    /// Its one-sided upper limit.
    pub median_upper_s: Option<f64>,
    /// Restricted mean.
    pub rmst_s: Option<f64>,
    /// Up to here.
    pub rmst_tau_s: Option<f64>,
    /// Step of the signal.
    pub resolution_s: Option<f64>,
    /// One entry per iteration.
    pub times: Vec<TimeEntry>,
    /// The Kaplan–Meier curve: a point at every time at which an event was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// Iterations without any impact seen (recovery only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_departed: Option<u32>,
    /// Iterations that left the band again after a lasting return (recovery only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relapses: Option<u32>,
    /// Short stretches outside the band (recovery only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excursions: Option<u32>,
    /// The deadline (recovery with `within` only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// Why a number is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A step of a Kaplan–Meier curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Seconds from the fault.
    pub seconds: f64,
    /// Share of kills without the event, from this moment on.
    pub waiting: f64,
    /// Its one-sided lower limit.
    pub lower: Option<f64>,
    /// Its one-sided upper limit.
    pub upper: Option<f64>,
}

/// One iteration's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeEntry {
    /// Number within the campaign.
    pub index: u32,
    /// Seconds from the fault to the event or to the end of observation.
    pub seconds: Option<f64>,
    /// Whether the event was not seen.
    pub censored: bool,
    /// Last moment at which it had not happened yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_s: Option<f64>,
    /// No impact was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never_departed: bool,
    /// When the signal first left its band (recovery only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset_s: Option<f64>,
    /// How often it left the band again after a lasting return (recovery only).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub relapses: u32,
    /// Why there is no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Recovery within the deadline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Within {
    /// The deadline.
    pub deadline_s: f64,
    /// Iterations that surely recovered in time.
    pub recovered: u32,
    /// Iterations that surely did not.
    pub missed: u32,
    /// Iterations of which it cannot be said.
    pub unknown: u32,
    /// Iterations judged.
    pub n: u32,
    /// recovered / n.
    pub share: Option<f64>,
    /// One-sided lower limit (unknown counts as missed).
    pub lower: Option<f64>,
    /// One-sided upper limit (unknown counts as recovered).
    pub upper: Option<f64>,
    /// The share that is claimed.
    pub required_share: f64,
    /// `clopper_pearson`.
    pub method: String,
    /// The k-of-N line in words.
    pub line: String,
}

/// Points for charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Per metric.
    pub metrics: Vec<TimelineMetric>,
    /// All windows of all iterations.
    pub windows: Vec<TimelineWindow>,
    /// Events in time order.
    pub events: Vec<TimelineEvent>,
    /// Where the course of a metric changed after a kill, by metric and iteration. Describes, never decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onsets: Vec<Onset>,
}

/// Where the course of a metric left the level of its baseline: the change point of a CUSUM chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Onset {
    /// The metric.
    pub metric: String,
    /// Number of the iteration within the campaign.
    pub index: u32,
    /// The moment of the change.
    pub at: Timestamp,
    /// Seconds from the fault.
    pub seconds: f64,
    /// To which side it changed.
    pub direction: Direction,
}

/// To which side a level changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

/// One metric's points: (time, min, mean, max).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineMetric {
    /// The metric.
    pub name: String,
    /// At most 300 points an iteration, in time order.
    pub points: Vec<(Timestamp, f64, f64, f64)>,
}

/// One iteration's windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineWindow {
    /// Number within the campaign.
    pub index: u32,
    /// Number of the session.
    pub session: u32,
    /// Fault or control.
    pub arm: Arm,
    /// Before the kill.
    pub baseline: Window,
    /// The kill.
    pub fault_at: Option<Timestamp>,
    /// Outcome of the kill.
    pub outcome: Option<String>,
    /// After the kill.
    pub experiment: Window,
    /// When a rule stopped it.
    pub aborted: Option<Timestamp>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// When.
    pub at: Timestamp,
    /// A word for its kind.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// Joins events of one cause.
    pub correlation_id: Option<String>,
    /// The iteration it belongs to.
    pub iteration: Option<u32>,
}
