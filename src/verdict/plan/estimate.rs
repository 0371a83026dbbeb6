//! What to assume of one claim: its curve, from the claim alone or from the pilot.

use crate::run::Arm;
use crate::spec::{Claim, Counted, Estimand, Form, Measure, Metric, Recovery};
use crate::stats::clustered_ratio::ClusteredRatio;
use crate::stats::descriptive;
use crate::summary::{MetricSummary, RecoverySummary};
use crate::unit::show;
use crate::verdict::deadline;
use crate::verdict::kill::{self, Kill, Tally, number};
use crate::verdict::plan::curve::{
    Curve, Traffic, detectable_distance, detectable_share, kills_to_prove, least_typical,
    zero_event_requests,
};
use crate::verdict::policy;
use crate::verdict::ratio_change;
use crate::verdict::sample::{Sample, plain_amount};
use crate::verdict::times;

/// The part of the allowed misses that is taken to be true when nothing else is known: with a share of 80 % claimed,
/// 98 % of kills are taken to be good.
const MISSES_TAKEN: f64 = 0.1;

/// As many kills as this convention weighs beside those of a pilot.
const CONVENTION_KILLS: f64 = 10.0;

/// What is assumed of one claim.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assumption {
    /// The chance to pass by kills; `None` where nothing can be assumed.
    pub(crate) curve: Option<Curve>,
    /// Kills below which no data could pass.
    pub(crate) least: Option<u32>,
    /// How to say what is detectable.
    pub(crate) scale: Detectable,
    /// In words.
    pub(crate) words: String,
}

/// How to say what the planned kills detect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Detectable {
    /// A share of good kills.
    Share {
        /// The share that is claimed.
        required: f64,
    },
    /// A distance from the bound in standard deviations; with a pilot also where that is.
    Distance(Option<Box<Spread>>),
    /// A rate of requests.
    Rate(Option<Traffic>),
    /// Nothing to detect.
    Nothing,
}

/// A pilot's spread between kills on the scale of the test, smaller is better.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    bound: f64,
    deviation: f64,
    sample: Sample,
    metric: Metric,
    claim: Claim,
    ratio: bool,
}

impl Detectable {
    /// What `kills` kills detect with a chance of 80 %, in words.
    pub(crate) fn words(&self, kills: u32, alpha: f64) -> Option<String> {
        match self {
            Self::Share { required } => detectable_share(kills, *required, 0.8, alpha)
                .map(|share| format!("at least {} of kills good", show::percent(share))),
            Self::Distance(spread) => {
                let distance = detectable_distance(kills, 0.8, alpha)?;
                let plain = format!("{} SD inside the bound", show::significant(distance, 2));
                Some(spread.as_ref().map_or(plain.clone(), |spread| spread.words(distance)))
            }
            Self::Rate(traffic) => {
                let traffic = (*traffic)?;
                traffic
                    .detectable_rate(kills, 0.8, alpha)
                    .map(|rate| format!("a true share of up to {}", show::percent(rate)))
            }
            Self::Nothing => None,
        }
    }
}

impl Spread {
    /// Where the distance lies, on the claim's own scale.
    fn words(&self, distance: f64) -> String {
        let inside = distance * self.deviation;
        let at = self.sample.shown(self.bound - inside);
        if self.ratio {
            return format!("a typical change to {} times the baseline", show::significant(at, 3));
        }
        let in_unit = |number: f64| {
            let points = self.metric.unit == crate::unit::Unit::Ratio
                && self.claim.form.is_against_baseline();
            if points {
                show::percentage_points(number)
            } else {
                show::value(number, &self.metric.unit)
            }
        };
        if kill::share_required(&self.metric, &self.claim).is_some() {
            return format!(
                "a typical kill with {} of requests under the bound",
                show::percent(at)
            );
        }
        match (self.claim.form.is_against_baseline(), plain_amount(&self.claim)) {
            (true, true) => format!("a typical change of {}", in_unit(at)),
            (true, false) => {
                format!("a typical kill {} inside its allowance", in_unit(inside))
            }
            (false, _) => format!("a typical kill at {}", in_unit(at)),
        }
    }
}

/// What is assumed of a metric's claim.
pub(crate) fn of_metric(
    metric: &Metric,
    claim: &Claim,
    pilot: Option<&MetricSummary>,
    alpha: f64,
) -> Assumption {
    let kills = pilot.map(|summary| kill::kills(summary, Arm::Fault));
    let kills = kills.as_deref().filter(|kills| !kills.is_empty());
    match claim.estimand {
        Estimand::MostKills | Estimand::EveryKill => {
            let tally = kills.map(|kills| {
                Tally::of(
                    &kills.iter().map(|kill| kill::sight(kill, metric, claim)).collect::<Vec<_>>(),
                )
            });
            of_share(claim.share, tally, alpha)
        }
        Estimand::ThisRun => Assumption {
            curve: None,
            least: Some(1),
            scale: Detectable::Nothing,
            words: "observed in the run itself: one kill decides, nothing is inferred".to_owned(),
        },
        Estimand::AllRequests if !claim.form.is_against_baseline() => {
            of_requests(metric, claim, kills, alpha)
        }
        Estimand::AllRequests | Estimand::TypicalKill => of_typical(metric, claim, kills, alpha),
    }
}

/// What is assumed of the recovery claim.
pub(crate) fn of_recovery(
    recovery: &Recovery,
    pilot: Option<&RecoverySummary>,
    alpha: f64,
) -> Option<Assumption> {
    let within = recovery.within?;
    let tally = pilot.map(|summary| {
        let times = times::usable(&summary.recover);
        Tally::of(&times.iter().map(|time| deadline::sight(time, within)).collect::<Vec<_>>())
    });
    Some(of_share(recovery.share, tally, alpha))
}

/// A share of kills. A pilot of three kills says little and one of thirty says much, so the convention weighs like
/// [`CONVENTION_KILLS`] kills beside it.
fn of_share(required: f64, pilot: Option<Tally>, alpha: f64) -> Assumption {
    let convention = 1.0 - (1.0 - required) * MISSES_TAKEN;
    let seen = pilot.filter(|tally| tally.total() > 0);
    let (truth, words) = match seen {
        Some(tally) => {
            let truth = (number(tally.inside) + CONVENTION_KILLS * convention)
                / (number(tally.total()) + CONVENTION_KILLS);
            let words = format!(
                "{} of kills good: {} of {} in the pilot, weighed with {} at {}",
                show::percent((truth * 1000.0).round() / 1000.0),
                tally.inside,
                tally.total(),
                show::plain(CONVENTION_KILLS),
                show::percent(convention)
            );
            (truth, words)
        }
        None => (convention, format!("{} of kills good", show::percent(convention))),
    };
    Assumption {
        curve: Some(Curve::Share { required, truth }),
        least: kills_to_prove(required, 0, alpha),
        scale: Detectable::Share { required },
        words,
    }
}

/// A pseudo-median, or a change of a ratio over all requests, which is planned alike.
fn of_typical(
    metric: &Metric,
    claim: &Claim,
    kills: Option<&[Kill<'_>]>,
    alpha: f64,
) -> Assumption {
    let clustered = claim.estimand == Estimand::AllRequests
        || kills.is_some_and(|kills| ratio_change::applies(metric, claim, kills));
    let least =
        if clustered { Some(kill::small(policy::CLUSTERS_TO_PASS)) } else { least_typical(alpha) };
    let unknown = |words: &str| Assumption {
        curve: None,
        least,
        scale: Detectable::Distance(None),
        words: words.to_owned(),
    };
    let Some(kills) = kills else {
        return unknown(
            "the spread between kills needs a pilot; see the chances by distance below",
        );
    };
    let sample = Sample::of(metric, claim, kills, kill::basis(claim, kills));
    let values = sample.values();
    let spread = descriptive::mean(&values).ok().zip(descriptive::standard_deviation(&values).ok());
    let Some((mean, deviation)) = spread else {
        return unknown("the pilot has too few kills to tell their spread: two are the least");
    };
    let bound = sample.margin(claim, kills).bound;
    let room = bound - mean;
    let distance = if deviation > 0.0 { room / deviation } else { room * f64::INFINITY };
    let distance = if distance.is_nan() { 0.0 } else { distance };
    let ratio = kill::basis(claim, kills) == kill::Basis::Ratio;
    let words = if distance.is_infinite() {
        format!("every kill of the pilot alike, {} the bound", side(distance))
    } else {
        format!(
            "{} SD {} the bound, as in the pilot of {} kills",
            show::significant(distance.abs(), 2),
            side(distance),
            values.len()
        )
    };
    let spread =
        Spread { bound, deviation, sample, metric: metric.clone(), claim: claim.clone(), ratio };
    Assumption {
        curve: Some(Curve::Typical { distance }),
        least,
        scale: Detectable::Distance(Some(Box::new(spread))),
        words,
    }
}

/// On which side of the bound.
const fn side(distance: f64) -> &'static str {
    if distance > 0.0 { "inside" } else { "outside" }
}

/// All requests under an absolute bound.
fn of_requests(
    metric: &Metric,
    claim: &Claim,
    kills: Option<&[Kill<'_>]>,
    alpha: f64,
) -> Assumption {
    let bound = adverse_bound(metric, claim);
    let clean = zero_event_requests(bound, alpha * policy::CLUSTERED_PASS_ALPHA_SHARE);
    let fewest = |per_kill: f64| {
        let by_requests = (clean / per_kill).ceil();
        let least = f64::from(kill::small(policy::CLUSTERS_TO_PASS));
        whole(if by_requests > least { by_requests } else { least })
    };
    let Some(pilot) = kills.and_then(|kills| adverse_counts(metric, claim, kills)) else {
        let (least, words) = match &metric.measure {
            Measure::Ratio { min_requests, .. } if *min_requests > 0 => {
                let per_kill = crate::stats::wide_count_to_f64(u128::from(*min_requests));
                (
                    fewest(per_kill),
                    format!(
                        "{} requests without a bad one prove the bound, {} or more come with a kill (min_requests); the chance needs a pilot",
                        show::plain(clean),
                        show::plain(per_kill)
                    ),
                )
            }
            _ => (
                Some(kill::small(policy::CLUSTERS_TO_PASS)),
                format!(
                    "{} requests without a bad one prove the bound; how many come with a kill needs a pilot",
                    show::plain(clean)
                ),
            ),
        };
        return Assumption { curve: None, least, scale: Detectable::Rate(None), words };
    };
    // A rate that varies this much passes only where its limit leaves half of the bound free.
    let varies = pilot.variation > policy::DISPERSION_CV;
    let traffic = Traffic {
        bound: if varies { bound * policy::DISPERSION_BOUND_SHARE } else { bound },
        rate: pilot.rate,
        per_kill: pilot.per_kill,
        dispersion: pilot.dispersion,
    };
    let words = if varies {
        format!(
            "{} of {} requests a kill bad, rates varying by {} between kills, as in the pilot of {} kills: such a rate passes only when its limit is under half of the bound",
            show::percent(pilot.rate),
            show::plain(pilot.per_kill.round()),
            show::percent(pilot.variation),
            pilot.kills
        )
    } else if pilot.rate > 0.0 {
        format!(
            "{} of {} requests a kill bad, variance {} times binomial, as in the pilot of {} kills",
            show::percent(pilot.rate),
            show::plain(pilot.per_kill.round()),
            show::significant(pilot.dispersion, 2),
            pilot.kills
        )
    } else {
        format!(
            "no bad request at all in {} requests a kill, as in the pilot of {} kills",
            show::plain(pilot.per_kill.round()),
            pilot.kills
        )
    };
    Assumption {
        curve: Some(Curve::Requests(traffic)),
        least: fewest(pilot.per_kill),
        scale: Detectable::Rate(Some(traffic)),
        words,
    }
}

/// What a pilot says of the requests.
struct PilotRequests {
    rate: f64,
    per_kill: f64,
    dispersion: f64,
    /// Coefficient of variation of the rates between kills, beyond binomial noise.
    variation: f64,
    kills: usize,
}

/// The claimed share of adverse requests.
fn adverse_bound(metric: &Metric, claim: &Claim) -> f64 {
    match kill::share_required(metric, claim) {
        Some(quantile) if claim.form.lower_is_better() => 1.0 - quantile,
        Some(quantile) => quantile,
        None if claim.form.lower_is_better() => claim.amount.value(),
        None => 1.0 - claim.amount.value(),
    }
}

/// Adverse requests of the pilot's kills; `None` without requests. A dispersion that one kill cannot show is 1.
fn adverse_counts(metric: &Metric, claim: &Claim, kills: &[Kill<'_>]) -> Option<PilotRequests> {
    let bad_is_part = match &metric.measure {
        Measure::Ratio { counted, .. } => *counted == Counted::Bad,
        _ => true,
    };
    let at_most = matches!(claim.form, Form::AtMost | Form::IncreaseAtMost);
    let bad_is_adverse = kill::share_required(metric, claim).is_some() || bad_is_part == at_most;
    let counts: Vec<_> = kills
        .iter()
        .filter(|kill| kill.lost.is_none())
        .filter_map(|kill| kill.windows.experiment.counts)
        .collect();
    let adverse: Vec<f64> = counts
        .iter()
        .map(|counts| if bad_is_adverse { counts.bad } else { counts.total - counts.bad })
        .collect();
    let total: Vec<f64> = counts.iter().map(|counts| counts.total).collect();
    let ratio = ClusteredRatio::of(&adverse, &total).ok()?;
    let dispersion = ratio.dispersion.filter(|dispersion| *dispersion > 1.0);
    Some(PilotRequests {
        rate: ratio.ratio,
        per_kill: ratio.requests / number(ratio.iterations),
        dispersion: dispersion.map_or(1.0, |dispersion| dispersion),
        variation: ratio.rate_variation().map_or(0.0, |variation| variation),
        kills: ratio.iterations,
    })
}

/// A number of kills worth suggesting.
fn whole(kills: f64) -> Option<u32> {
    (1..=policy::ITERATIONS_WORTH_SUGGESTING).find(|count| f64::from(*count) >= kills)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Experiment;
    use crate::summary::{Counts, IterationSummary, WindowValue};

    fn experiment() -> Experiment {
        let text = b"apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {name: e, owner: o}\nspec:\n  hypothesis: h\n  environment: staging\n  windows: {baseline: 5m, experiment: 5m, cooldown: 1m}\n  metrics:\n    - {name: m, ratio: {bad: bad_total, total: all_total}, expect: {at_most: 0.1%}}\n";
        Experiment::parse("e.yaml", text).unwrap()
    }

    /// A pilot with so many bad of 10,000 requests in each kill.
    fn pilot(bad: &[f64]) -> MetricSummary {
        let window = |bad: f64| WindowValue {
            value: Ok(bad / 1e4),
            coverage: Some(1.0),
            counts: Some(Counts { bad, bad_surely: bad, total: 1e4 }),
            share_under: None,
        };
        MetricSummary {
            only_kill: None,
            name: "m".to_owned(),
            matched_nothing: None,
            step: None,
            iterations: (1_u32..)
                .zip(bad)
                .map(|(index, bad)| IterationSummary {
                    index,
                    session: 1,
                    arm: Arm::Fault,
                    excluded: None,
                    aborted: None,
                    baseline: window(0.0),
                    experiment: window(*bad),
                })
                .collect(),
            conflicting_duplicates: 0,
            missing_edge: None,
            histogram_forms: None,
            measured_on_target: false,
            timeline: Vec::new(),
        }
    }

    fn needed(bad: &[f64]) -> Option<u32> {
        let experiment = experiment();
        let metric = &experiment.metrics[0];
        let claim = metric.claim.as_ref().unwrap();
        let assumption = of_metric(metric, claim, Some(&pilot(bad)), 0.05);
        assumption.curve.unwrap().needed(0.8, 0.05)
    }

    #[test]
    fn a_steady_rate_is_planned_under_the_bound_and_a_varying_one_under_half_of_it() {
        // 0.06 % either way, the bound is 0.1 %.
        assert!(needed(&[6.0, 6.0, 6.0, 6.0]).is_some_and(|kills| kills < 30));
        assert_eq!(needed(&[0.0, 0.0, 24.0, 0.0]), None);
    }

    #[test]
    fn a_rate_over_the_bound_is_never_planned() {
        assert_eq!(needed(&[12.0, 12.0]), None);
    }

    #[test]
    fn a_small_pilot_does_not_condemn_a_share() {
        let tally = |inside, outside| Some(Tally { inside, outside, unknown: 0 });
        let needed = |pilot| of_share(0.8, pilot, 0.05).curve.unwrap().needed(0.8, 0.05);
        assert_eq!(needed(None), Some(22));
        assert!(needed(tally(2, 1)).is_some());
        assert_eq!(needed(tally(10, 10)), None);
    }
}
