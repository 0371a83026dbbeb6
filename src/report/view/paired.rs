//! Iteration by iteration: baseline and experiment side by side, kills first, controls apart.

use serde::Serialize;

use crate::report::number::{DASH, Figure};
use crate::report::view::words;
use crate::run::Arm;
use crate::spec::Form;
use crate::unit::Unit;
use crate::verdict::result::{ClaimInfo, IterationResult, MetricResult};

/// All iterations of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedView {
    /// Kills, then controls, each in time order.
    pub rows: Vec<PairedRow>,
    /// The bound where it is one number for every iteration.
    pub bound: Option<Figure>,
    /// Whether any iteration has a number of requests.
    pub has_requests: bool,
    /// Unit of the values, for the axis of the chart.
    #[serde(skip)]
    pub unit: Unit,
}

/// How an iteration stands to the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Inside the bound.
    Inside,
    /// Outside.
    Outside,
    /// Cannot be said.
    Unknown,
    /// Nothing is claimed.
    Unclaimed,
    /// A control iteration or one that was excluded.
    Apart,
}

/// One iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedRow {
    /// Number within the campaign.
    pub index: u32,
    /// Number of the session.
    pub session: u32,
    /// `kill` or `control`.
    pub arm: &'static str,
    /// Baseline value.
    pub baseline: Figure,
    /// Experiment value.
    pub experiment: Figure,
    /// Greatest value that the claim allows after this baseline (smallest for a decrease); none without a claim
    /// against the baseline.
    pub allowed: Option<Figure>,
    /// How it stands to the bound.
    pub side: Side,
    /// The same in words.
    pub side_words: &'static str,
    /// Coverage of the windows.
    pub coverage: Figure,
    /// Requests in the experiment window.
    pub requests: Figure,
    /// Why there is no number, in words.
    pub reason: Option<String>,
    /// The worst kill.
    pub worst: bool,
}

impl PairedView {
    /// The iterations of a metric.
    pub(crate) fn new(metric: &MetricResult, unit: &Unit) -> Self {
        let claim = metric.claim.as_ref();
        let worst =
            metric.kills.as_ref().and_then(|kills| kills.worst.as_ref()).map(|worst| worst.index);
        let excluded: Vec<u32> = metric.excluded.iter().map(|exclusion| exclusion.index).collect();
        let view = |iteration: &IterationResult| {
            row(iteration, claim, unit, worst, excluded.contains(&iteration.index))
        };
        let of = |arm: Arm| metric.iterations.iter().filter(move |iteration| iteration.arm == arm);
        let rows: Vec<PairedRow> =
            of(Arm::Fault).map(view).chain(of(Arm::Control).map(view)).collect();
        let bound = claim
            .filter(|claim| !claim.form.is_against_baseline())
            .map(|claim| Figure::quantity(Some(claim.bound), unit, DASH));
        let has_requests = rows.iter().any(|row| row.requests.value.is_some());
        Self { rows, bound, has_requests, unit: unit.clone() }
    }
}

/// One iteration as a row.
fn row(
    iteration: &IterationResult,
    claim: Option<&ClaimInfo>,
    unit: &Unit,
    worst: Option<u32>,
    excluded: bool,
) -> PairedRow {
    let side = match (iteration.arm, excluded, iteration.inside, claim) {
        (Arm::Control, _, _, _) | (Arm::Fault, true, _, _) => Side::Apart,
        (Arm::Fault, false, _, None) => Side::Unclaimed,
        (Arm::Fault, false, Some(true), Some(_)) => Side::Inside,
        (Arm::Fault, false, Some(false), Some(_)) => Side::Outside,
        (Arm::Fault, false, None, Some(_)) => Side::Unknown,
    };
    let side_words = match (side, iteration.arm) {
        (Side::Inside, _) => "inside",
        (Side::Outside, _) => "outside",
        (Side::Unknown, _) => "cannot be said",
        (Side::Apart, Arm::Fault) => "excluded",
        (Side::Apart, Arm::Control) | (Side::Unclaimed, _) => DASH,
    };
    let reason = iteration.reason.as_deref().map(|code| words::loss(code).to_owned());
    let missing = "no value";
    PairedRow {
        index: iteration.index,
        session: iteration.session,
        arm: match iteration.arm {
            Arm::Fault => "kill",
            Arm::Control => "control",
        },
        baseline: Figure::quantity(iteration.baseline, unit, missing),
        experiment: Figure::quantity(iteration.experiment, unit, missing),
        allowed: claim
            .and_then(|claim| allowed(claim, iteration.baseline))
            .map(|value| Figure::quantity(Some(value), unit, DASH)),
        side,
        side_words,
        coverage: Figure::share(iteration.coverage, DASH),
        requests: Figure::quantity(iteration.requests, &Unit::None, DASH),
        reason,
        worst: iteration.arm == Arm::Fault && worst == Some(iteration.index),
    }
}

/// The claim's own words as a number for one baseline, for drawing only: inside or outside stands in the result.
fn allowed(claim: &ClaimInfo, baseline: Option<f64>) -> Option<f64> {
    let baseline = baseline?;
    let amount = if claim.relative { claim.bound * baseline.abs() } else { claim.bound };
    let amount = claim.or_by.map_or(amount, |or_by| if or_by > amount { or_by } else { amount });
    match claim.form {
        Form::AtMost | Form::AtLeast => None,
        Form::IncreaseAtMost => Some(baseline + amount),
        Form::DecreaseAtMost => Some(baseline - amount),
    }
}
