//! The plan of a campaign as data (`unfazed.campaign_plan/v1`).
//!
//! Plain data. A number that does not exist is `None`, with the reason beside it in words.

use serde::{Deserialize, Serialize};

use crate::spec::Estimand;
use crate::verdict::result::Warning;

/// The value of `schema`.
pub const SCHEMA: &str = "unfazed.campaign_plan/v1";

/// What a campaign can decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignPlan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Name of the experiment.
    pub experiment: String,
    /// One-sided level of every limit.
    pub confidence: f64,
    /// What the document plans.
    pub planned: PlannedIterations,
    /// The pilot, if one was given.
    pub pilot: Option<PilotInfo>,
    /// One entry per primary claim, in the order of the document; recovery last.
    pub claims: Vec<ClaimPlan>,
    /// All claims together.
    pub together: Together,
    /// Kills that prove a share, with few misses.
    pub success_run: Vec<SuccessRun>,
    /// The share that the planned kills prove when all of them are clean.
    pub planned_proves: Option<f64>,
    /// The chance to pass by the true share of good kills, for the planned kills.
    pub by_share: Vec<ShareChance>,
    /// The chance to pass by the distance of a typical kill from its bound: the paired t test. The signed-rank test
    /// that decides needs up to 16 % more kills.
    pub by_distance: Vec<DistanceChance>,
    /// How long it takes.
    pub duration: PlannedDuration,
    /// What a reader should know before starting.
    pub warnings: Vec<Warning>,
}

/// Iterations as the document plans them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedIterations {
    /// Kills; `None` when the document does not say.
    pub fault: Option<u32>,
    /// Iterations without a kill.
    pub control: u32,
}

/// The pilot that numbers were taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PilotInfo {
    /// Its run id.
    pub run_id: String,
    /// Kills in it.
    pub kills: u32,
}

/// What one claim needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimPlan {
    /// Name of the metric, or "recovery".
    pub name: String,
    /// What the claim is said of; `None` for recovery.
    pub estimand: Option<Estimand>,
    /// The claim in words.
    pub claim: String,
    /// Kills below which no data could pass.
    pub least: Option<u32>,
    /// Kills for a chance of 80 % to pass; `None` if unknown or if no number up to 1000 will do.
    pub needed_80: Option<u32>,
    /// Kills for a chance of 90 %.
    pub needed_90: Option<u32>,
    /// The chance to pass with the planned kills.
    pub power_at_planned: Option<f64>,
    /// What the planned kills detect with a chance of 80 %, in words.
    pub detectable: Option<String>,
    /// What was taken to be true, in words, or why nothing can be said.
    pub assumed: String,
}

/// All claims together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// Claims that are inferred from kills; `this_run` claims are not among them.
    pub claims: u32,
    /// Kills for a chance of 80 % that all of them pass; `None` if unknown or if no number up to 1000 will do.
    pub needed_80: Option<u32>,
    /// Kills for a chance of 90 %.
    pub needed_90: Option<u32>,
    /// The chance that all of them pass with the planned kills, if they are independent.
    pub power_at_planned: Option<f64>,
    /// The chance that all of them pass when each alone passes with 80 %.
    pub at_80_each: f64,
    /// The same at 95 %.
    pub at_95_each: f64,
}

/// Kills that prove a share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuccessRun {
    /// The share of kills that stays inside.
    pub share: f64,
    /// Kills needed with 0, 1 and 2 misses; `None` above 1000.
    pub kills: Vec<Option<u32>>,
}

/// The chance to pass a claim over a share of kills.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShareChance {
    /// The share that is claimed.
    pub required: f64,
    /// The true share of good kills.
    pub truth: f64,
    /// Kills.
    pub kills: u32,
    /// The chance to pass.
    pub power: f64,
}

/// The chance to pass a claim about a typical kill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistanceChance {
    /// Distance of the truth from the bound, in standard deviations between kills.
    pub standard_deviations: f64,
    /// The chance by number of kills.
    pub chances: Vec<KillsChance>,
}

/// A chance with a number of kills.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KillsChance {
    /// Kills.
    pub kills: u32,
    /// The chance to pass.
    pub power: f64,
}

/// How long a campaign takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlannedDuration {
    /// Seconds of one iteration: baseline, experiment, cooldown and half of the greatest jitter.
    pub iteration_s: f64,
    /// Seconds of the planned campaign, control iterations included.
    pub planned_s: Option<f64>,
    /// Seconds of the campaign in which all claims pass together with a chance of 80 %.
    pub needed_80_s: Option<f64>,
    /// The same at 90 %.
    pub needed_90_s: Option<f64>,
}
