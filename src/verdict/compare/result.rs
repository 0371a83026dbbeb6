//! The comparison: which claims got better or worse, by how much, and how sure (`unfazed.comparison/v1`).
//!
//! Plain data in the shape of the JSON. Differences are after minus before (or after over before); limits are one-sided.

use serde::{Deserialize, Serialize};

use crate::unit::Timestamp;
use crate::verdict::result::{Tool, Verdict, Warning};

/// The schema name that this version writes.
pub const SCHEMA: &str = "unfazed.comparison/v1";

/// The four answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The data rule out that it is as bad as before.
    Better,
    /// The data rule out that it is worse by more than the margin.
    NotWorse,
    /// The data rule out that it is no worse than the margin allows.
    Worse,
    /// None of these.
    CannotTell,
}

impl Change {
    /// Every answer, best first.
    pub const ALL: [Self; 4] = [Self::Better, Self::NotWorse, Self::CannotTell, Self::Worse];

    /// The word of results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NotWorse => "not_worse",
            Self::Worse => "worse",
            Self::CannotTell => "cannot_tell",
        }
    }

    /// The word that people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NotWorse => "not worse",
            Self::Worse => "worse",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// Two campaigns compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What wrote it.
    pub tool: Tool,
    /// Name of the experiment (of the campaign after, if they differ).
    pub experiment: String,
    /// The hypothesis of the campaign after.
    pub hypothesis: String,
    /// The campaign before.
    pub before: Campaign,
    /// The campaign after.
    pub after: Campaign,
    /// One-sided level of every limit: the stricter of the two campaigns'.
    pub confidence: f64,
    /// The answer over all claims.
    pub verdict: Change,
    /// One sentence.
    pub headline: String,
    /// Why the answer is neither better nor not worse.
    pub reasons: Vec<CompareReason>,
    /// One entry per claim, recovery last.
    pub claims: Vec<ClaimComparison>,
    /// Metrics without a claim: shown, never part of the answer.
    pub exploratory: Vec<ClaimComparison>,
    /// What only one of the campaigns has, or what cannot be compared.
    pub not_compared: Vec<NotCompared>,
    /// What the two documents say differently.
    pub document_changes: Vec<String>,
    /// The change to the runbook that this is to prove, as given.
    pub runbook_change: Option<String>,
    /// What a reader should know besides.
    pub warnings: Vec<Warning>,
}

/// One of the two campaigns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Name of its experiment.
    pub experiment: String,
    /// Its run ids.
    pub run_id: String,
    /// Digest of its document.
    pub digest: String,
    /// Digest of its samples.
    pub samples_digest: Option<String>,
    /// Where it ran.
    pub environment: String,
    /// Start of its first run.
    pub started_at: Option<Timestamp>,
    /// End of its last run.
    pub ended_at: Option<Timestamp>,
    /// Sessions.
    pub sessions: u32,
    /// Kills that can be judged.
    pub kills: u32,
    /// Its own verdict.
    pub verdict: Verdict,
    /// Path of the runbook, as its document names it.
    pub runbook: Option<String>,
}

/// Why an answer is neither better nor not worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompareReason {
    /// `worse`, `interval_straddles_margin`, `too_few_iterations`, `missing_data`, `multiplicity`, `no_inference`, `no_claims`.
    pub code: String,
    /// The claim.
    pub metric: Option<String>,
    /// In words.
    pub message: String,
    /// Kills in each campaign that would settle it, if that can be said.
    pub iterations_needed: Option<u32>,
}

/// One claim compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimComparison {
    /// The metric, or `recovery`.
    pub metric: String,
    /// Unit of its numbers; none for bare numbers.
    pub unit: Option<String>,
    /// The claim in words; none of an exploratory metric.
    pub claim: Option<String>,
    /// Its verdict before; none of an exploratory metric.
    pub before_verdict: Option<Verdict>,
    /// Its verdict after; none of an exploratory metric.
    pub after_verdict: Option<Verdict>,
    /// The answer; none of an exploratory metric.
    pub verdict: Option<Change>,
    /// The answer as one sentence.
    pub sentence: String,
    /// What was compared.
    pub quantities: Vec<QuantityComparison>,
    /// Figures that stand beside and do not decide.
    pub sensitivity: Vec<CompareSensitivity>,
    /// Why the answer is neither better nor not worse.
    pub reasons: Vec<CompareReason>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparedQuantity {
    /// The share of kills that stay inside the bound.
    ShareInside,
    /// The experiment window's value of a kill.
    Value,
    /// How a kill's experiment window differs from its baseline.
    Effect,
    /// The ratio over all requests of the experiment windows.
    AllRequests,
    /// Seconds from the kill to recovery.
    TimeToRecover,
    /// What was observed in these runs.
    ThisRun,
}

/// On which scale two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareForm {
    /// After minus before.
    Difference,
    /// After over before.
    Ratio,
}

/// One quantity of two campaigns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantityComparison {
    /// Which.
    pub quantity: ComparedQuantity,
    /// Difference or ratio.
    pub form: CompareForm,
    /// Whether smaller is better.
    pub lower_is_better: bool,
    /// Its number before.
    pub before: Option<f64>,
    /// Its number after.
    pub after: Option<f64>,
    /// How they differ.
    pub estimate: Option<f64>,
    /// One-sided lower limit.
    pub lower: Option<f64>,
    /// One-sided upper limit.
    pub upper: Option<f64>,
    /// How much worse still counts as equal, on the scale of the estimate.
    pub margin: f64,
    /// Where the margin comes from.
    pub margin_from: String,
    /// Kills before.
    pub n_before: u32,
    /// Kills after.
    pub n_after: u32,
    /// `hodges_lehmann`, `newcombe`, `korn_graubard_mover`, `restricted_mean`, `threshold`.
    pub method: String,
    /// Smallest level at which it is not worse.
    pub p_not_worse: Option<f64>,
    /// Smallest level at which it is better.
    pub p_better: Option<f64>,
    /// The same after Holm over everything compared.
    pub p_better_holm: Option<f64>,
    /// Smallest level at which it is worse by more than the margin.
    pub p_worse: Option<f64>,
    /// The same after Holm over everything compared.
    pub p_worse_holm: Option<f64>,
}

/// A figure that does not decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompareSensitivity {
    /// `brunner_munzel`, `log_rank`, `permutation_log_rank`, `restricted_mean`.
    pub method: String,
    /// What the estimate is, in words.
    pub of: String,
    /// The estimate.
    pub estimate: Option<f64>,
    /// One-sided lower limit.
    pub lower: Option<f64>,
    /// One-sided upper limit.
    pub upper: Option<f64>,
    /// Two-sided p-value of no difference.
    pub p_value: Option<f64>,
}

/// Something that was not compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotCompared {
    /// The metric.
    pub metric: String,
    /// Why.
    pub why: String,
}
