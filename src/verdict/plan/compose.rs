//! All claims of a document together: kills, chances, duration, warnings.

use crate::spec::{Estimand, Experiment};
use crate::stats::power::joint_power;
use crate::summary::{MetricSummary, RecoverySummary};
use crate::unit::{Span, show};
use crate::verdict::plan::curve::{Curve, MOST_KILLS, kills_to_prove, t_passes};
use crate::verdict::plan::estimate::{self, Assumption};
use crate::verdict::plan::outlook::{
    CampaignPlan, ClaimPlan, DistanceChance, KillsChance, PilotInfo, PlannedDuration,
    PlannedIterations, SCHEMA, ShareChance, SuccessRun, Together,
};
use crate::verdict::result::Warning;
use crate::verdict::share;
use crate::verdict::warning::warning;

/// Shares for which the success run is tabled.
const SHARES: [f64; 5] = [0.8, 0.85, 0.9, 0.95, 0.99];

/// True shares of good kills for which the chance to pass is tabled.
const TRUTHS: [f64; 6] = [0.85, 0.9, 0.95, 0.98, 0.99, 1.0];

/// Distances from the bound, in standard deviations, for which the chance to pass is tabled.
const DISTANCES: [f64; 7] = [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0];

/// Numbers of kills for which it is tabled.
const KILLS: [u32; 8] = [3, 5, 8, 10, 15, 20, 30, 50];

/// A campaign that was run before, measured by the document that is planned.
#[derive(Debug, Clone, Copy)]
pub struct Pilot<'data> {
    /// Its run id.
    pub run_id: &'data str,
    /// One summary per metric, in document order.
    pub metrics: &'data [MetricSummary],
    /// Times to recover, if the document asks for them.
    pub recovery: Option<&'data RecoverySummary>,
    /// Kills that were carried out.
    pub kills: u32,
}

/// Plans a campaign.
pub fn plan(experiment: &Experiment, pilot: Option<Pilot<'_>>) -> CampaignPlan {
    let alpha = 1.0 - experiment.confidence;
    let planned = experiment.iterations.fault;
    let drafts = drafts(experiment, pilot, alpha);
    let inferred: Vec<&Draft> = drafts.iter().filter(|draft| draft.inferred).collect();
    let together = together(&inferred, planned, alpha);
    let claims: Vec<ClaimPlan> =
        drafts.iter().map(|draft| draft.clone().finish(planned, alpha)).collect();
    let mut required: Vec<f64> = inferred.iter().filter_map(|draft| draft.required()).collect();
    required.sort_unstable_by(f64::total_cmp);
    required.dedup();
    let tabled = planned.or(together.needed_80);
    CampaignPlan {
        schema: SCHEMA.to_owned(),
        experiment: experiment.name.clone(),
        confidence: experiment.confidence,
        planned: PlannedIterations { fault: planned, control: experiment.iterations.control },
        pilot: pilot.map(|pilot| PilotInfo { run_id: pilot.run_id.to_owned(), kills: pilot.kills }),
        success_run: success_run(alpha),
        planned_proves: planned
            .and_then(|kills| share::proven(as_count(kills), as_count(kills), alpha)),
        by_share: tabled.map_or_else(Vec::new, |kills| by_share(&required, kills, alpha)),
        by_distance: by_distance(alpha),
        duration: duration(experiment, together),
        warnings: warnings(&drafts, &claims, planned, together, alpha),
        claims,
        together,
    }
}

/// One claim before numbers of kills are looked for.
#[derive(Debug, Clone)]
struct Draft {
    name: String,
    estimand: Option<Estimand>,
    claim: String,
    inferred: bool,
    assumption: Assumption,
}

impl Draft {
    /// The share of kills that is claimed, if one is.
    fn required(&self) -> Option<f64> {
        match self.assumption.curve {
            Some(Curve::Share { required, .. }) => Some(required),
            Some(Curve::Typical { .. } | Curve::Requests(_)) | None => None,
        }
    }

    /// The entry of the plan.
    fn finish(self, planned: Option<u32>, alpha: f64) -> ClaimPlan {
        let needed = |wanted| self.assumption.curve.and_then(|curve| curve.needed(wanted, alpha));
        let (needed_80, needed_90) = (needed(0.8), needed(0.9));
        ClaimPlan {
            least: self.assumption.least,
            needed_80,
            needed_90,
            power_at_planned: planned
                .zip(self.assumption.curve)
                .map(|(kills, curve)| curve.passes(kills, alpha)),
            detectable: planned.and_then(|kills| self.assumption.scale.words(kills, alpha)),
            assumed: self.assumption.words,
            name: self.name,
            estimand: self.estimand,
            claim: self.claim,
        }
    }
}

fn drafts(experiment: &Experiment, pilot: Option<Pilot<'_>>, alpha: f64) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = experiment
        .metrics
        .iter()
        .enumerate()
        .filter_map(|(at, metric)| {
            let claim = metric.claim.as_ref()?;
            let summary = pilot.and_then(|pilot| pilot.metrics.get(at));
            Some(Draft {
                name: metric.name.clone(),
                estimand: Some(claim.estimand),
                claim: claim.text.clone(),
                inferred: claim.estimand != Estimand::ThisRun,
                assumption: estimate::of_metric(metric, claim, summary, alpha),
            })
        })
        .collect();
    if let Some(recovery) = &experiment.recovery
        && let Some(within) = recovery.within
        && let Some(assumption) =
            estimate::of_recovery(recovery, pilot.and_then(|pilot| pilot.recovery), alpha)
    {
        drafts.push(Draft {
            name: "recovery".to_owned(),
            estimand: None,
            claim: format!(
                "within {} in at least {} of kills",
                show::seconds(within.seconds()),
                show::percent(recovery.share)
            ),
            inferred: true,
            assumption,
        });
    }
    drafts
}

/// The chance that all inferred claims pass, as if they were independent.
fn all_pass(drafts: &[&Draft], kills: u32, alpha: f64) -> Option<f64> {
    let powers: Option<Vec<f64>> = drafts
        .iter()
        .map(|draft| draft.assumption.curve.map(|curve| curve.passes(kills, alpha)))
        .collect();
    powers.filter(|powers| !powers.is_empty()).and_then(|powers| joint_power(&powers).ok())
}

fn together(drafts: &[&Draft], planned: Option<u32>, alpha: f64) -> Together {
    let each = |power: f64| joint_power(&vec![power; drafts.len()]).unwrap_or(1.0);
    // No claim passes alone with fewer kills than it needs, so the search starts there.
    let needed = |wanted: f64| {
        let alone: Option<Vec<u32>> = drafts
            .iter()
            .map(|draft| draft.assumption.curve.and_then(|curve| curve.needed(wanted, alpha)))
            .collect();
        let start = alone?.into_iter().max()?;
        (start..=MOST_KILLS)
            .find(|kills| all_pass(drafts, *kills, alpha).is_some_and(|power| power >= wanted))
    };
    Together {
        claims: crate::verdict::kill::small(drafts.len()),
        needed_80: needed(0.8),
        needed_90: needed(0.9),
        power_at_planned: planned.and_then(|kills| all_pass(drafts, kills, alpha)),
        at_80_each: each(0.8),
        at_95_each: each(0.95),
    }
}

fn success_run(alpha: f64) -> Vec<SuccessRun> {
    SHARES
        .into_iter()
        .map(|share| SuccessRun {
            share,
            kills: (0..3).map(|misses| kills_to_prove(share, misses, alpha)).collect(),
        })
        .collect()
}

fn by_share(required: &[f64], kills: u32, alpha: f64) -> Vec<ShareChance> {
    required
        .iter()
        .flat_map(|required| {
            TRUTHS.into_iter().filter(move |truth| truth > required).map(move |truth| {
                let curve = Curve::Share { required: *required, truth };
                ShareChance { required: *required, truth, kills, power: curve.passes(kills, alpha) }
            })
        })
        .collect()
}

fn by_distance(alpha: f64) -> Vec<DistanceChance> {
    DISTANCES
        .into_iter()
        .map(|distance| DistanceChance {
            standard_deviations: distance,
            chances: KILLS
                .into_iter()
                .map(|kills| KillsChance { kills, power: t_passes(kills, distance, alpha) })
                .collect(),
        })
        .collect()
}

fn duration(experiment: &Experiment, together: Together) -> PlannedDuration {
    let windows = experiment.windows;
    let whole: Span = windows.baseline.plus(windows.experiment).plus(windows.cooldown);
    let iteration_s = whole.seconds() + windows.jitter.seconds() / 2.0;
    let control = f64::from(experiment.iterations.control);
    let of = |kills: Option<u32>| kills.map(|kills| (f64::from(kills) + control) * iteration_s);
    PlannedDuration {
        iteration_s,
        planned_s: of(experiment.iterations.fault),
        needed_80_s: of(together.needed_80),
        needed_90_s: of(together.needed_90),
    }
}

fn warnings(
    drafts: &[Draft],
    claims: &[ClaimPlan],
    planned: Option<u32>,
    together: Together,
    alpha: f64,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if claims.is_empty() {
        warnings.push(warning(
            "no_claims",
            "nothing is claimed: add an `expect` to a metric or `within` to recovery".to_owned(),
        ));
    }
    if planned.is_none() {
        warnings.push(warning(
            "iterations_not_planned",
            "the document plans no iterations: add `iterations: {fault: N}`".to_owned(),
        ));
    }
    for (draft, claim) in drafts.iter().zip(claims) {
        if let (Some(planned), Some(least)) = (planned, claim.least)
            && planned < least
        {
            warnings.push(warning(
                "too_few_iterations",
                format!(
                    "{}: {planned} kills cannot pass this claim, whatever they show; {least} are the least",
                    claim.name
                ),
            ));
        }
        if let Some(curve) = draft.assumption.curve
            && curve.needed(0.8, alpha).is_none()
        {
            warnings.push(warning(
                "will_not_resolve",
                format!(
                    "{}: more than {MOST_KILLS} kills would be needed ({}): change the bound or the metric",
                    claim.name, claim.assumed
                ),
            ));
        }
    }
    if let (Some(planned), Some(power)) = (planned, together.power_at_planned)
        && power < 0.8
    {
        warnings.push(warning(
            "underpowered",
            format!(
                "with {planned} kills all claims pass together with a chance of {}, even if all of them are true as assumed{}",
                show::percent((power * 1000.0).round() / 1000.0),
                together.needed_80.map_or_else(String::new, |needed| format!("; {needed} kills make it 80 %"))
            ),
        ));
    }
    warnings
}

/// A number of kills as a count.
fn as_count(kills: u32) -> usize {
    usize::try_from(kills).unwrap_or(usize::MAX)
}
