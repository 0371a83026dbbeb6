//! Methods on times to an event.

use crate::app::stat::number::{Count, Number, Numbers, required, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::kaplan_meier::{BandPoint, BandType, Ending, KaplanMeier, Observation, Step};
use crate::stats::log_rank::{GroupedObservation, log_rank, permutation_log_rank};
use crate::stats::proportion::clopper_pearson;
use crate::stats::random::Stream;
use crate::stats::rmst::{RestrictedMean, restricted_mean};
use crate::stats::turnbull::{Censoring, Turnbull};
use crate::stats::{Alternative, Undefined, wide_count_to_f64};
use crate::unit::Seed;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

pub(super) const METHODS: &[Method] = &[
    Method { name: "kaplan_meier", answer: answer_kaplan_meier },
    Method { name: "log_rank", answer: answer_log_rank },
    Method { name: "recovered_within_deadline_binomial", answer: answer_within },
    Method { name: "rmst", answer: answer_rmst },
    Method { name: "turnbull", answer: answer_turnbull },
];

/// Whether the event happened: 1 or true, 0 or false.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Happened {
    Flag(bool),
    Code(Count),
}

impl Happened {
    fn ending(self) -> Result<Ending, Failure> {
        match self {
            Self::Flag(true) | Self::Code(Count(1)) => Ok(Ending::Event),
            Self::Flag(false) | Self::Code(Count(0)) => Ok(Ending::Censored),
            Self::Code(Count(other)) => Err(Failure::bad_request(format!(
                "an event is {other}: 1 (it happened) and 0 (censored) are accepted"
            ))),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Times {
    time: Numbers,
    event: Vec<Happened>,
}

impl Times {
    fn observations(&self) -> Result<Vec<Observation>, Failure> {
        if self.time.0.len() != self.event.len() {
            return Err(Undefined::LengthMismatch {
                left: self.time.0.len(),
                right: self.event.len(),
            }
            .into());
        }
        let both = self.time.0.iter().zip(&self.event);
        both.map(|(&time, happened)| Ok(Observation { time, ending: happened.ending()? })).collect()
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum ConfidenceType {
    #[default]
    #[serde(rename = "log")]
    Log,
    #[serde(rename = "log-log")]
    LogLog,
    #[serde(rename = "plain")]
    Plain,
    #[serde(rename = "logit")]
    Logit,
    #[serde(rename = "arcsin")]
    ArcSine,
    #[serde(rename = "none")]
    None,
}

impl ConfidenceType {
    fn band(self) -> Option<BandType> {
        match self {
            Self::Log => Some(BandType::Log),
            Self::LogLog => Some(BandType::LogLog),
            Self::Plain => Some(BandType::Plain),
            Self::Logit => Some(BandType::Logit),
            Self::ArcSine => Some(BandType::ArcSine),
            Self::None => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CurveArguments {
    conf_type: Option<ConfidenceType>,
    conf_level: Option<f64>,
    rmst_tau: Option<f64>,
    probs: Option<Vec<f64>>,
}

#[derive(Debug, Serialize)]
struct Curve {
    event_times: Vec<f64>,
    n_risk: Vec<usize>,
    n_event: Vec<usize>,
    surv: Vec<f64>,
    greenwood_se: Vec<Option<f64>>,
    ci_low: Vec<Option<f64>>,
    ci_high: Vec<Option<f64>>,
    median: Option<f64>,
    median_ci_low: Option<f64>,
    median_ci_high: Option<f64>,
    q25_75_95: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantiles: Option<Vec<Option<f64>>>,
    rmst: Option<f64>,
    rmst_se: Option<f64>,
}

fn answer_kaplan_meier(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Times, CurveArguments> = request.read()?;
    let curve = KaplanMeier::fit(&inputs.observations()?)?;
    let level = args.conf_level.unwrap_or(0.95);
    let kind = args.conf_type.unwrap_or_default().band();
    let band = match kind {
        Some(kind) => curve.band(kind, level)?,
        None => vec![BandPoint { lower: None, upper: None }; curve.steps().len()],
    };
    let median_limits = match kind {
        Some(kind) => Some(curve.quantile_interval(0.5, kind, level)?),
        None => None,
    };
    let restricted = match args.rmst_tau {
        Some(tau) => Some(restricted_mean(&curve, tau)?),
        None => None,
    };
    let steps = curve.steps();
    Answer::of(&Curve {
        event_times: steps.iter().map(|step| step.time).collect(),
        n_risk: steps.iter().map(|step| step.at_risk).collect(),
        n_event: steps.iter().map(|step| step.events).collect(),
        surv: steps.iter().map(|step| step.survival).collect(),
        greenwood_se: steps.iter().map(Step::standard_error).collect(),
        ci_low: band.iter().map(|point| point.lower).collect(),
        ci_high: band.iter().map(|point| point.upper).collect(),
        median: curve.quantile(0.5),
        median_ci_low: median_limits.and_then(|limits| limits.lower),
        median_ci_high: median_limits.and_then(|limits| limits.upper),
        q25_75_95: [0.25, 0.75, 0.95].into_iter().map(|p| curve.quantile(p)).collect(),
        quantiles: args.probs.map(|probs| probs.into_iter().map(|p| curve.quantile(p)).collect()),
        rmst: restricted.map(|mean| mean.value),
        rmst_se: restricted.map(|mean| mean.standard_error),
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HorizonArguments {
    tau: Option<f64>,
    conf_level: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Restricted {
    rmst: f64,
    rmst_se: f64,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
}

fn answer_rmst(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Times, HorizonArguments> = request.read()?;
    let curve = KaplanMeier::fit(&inputs.observations()?)?;
    let found: RestrictedMean = restricted_mean(&curve, required("tau", args.tau)?)?;
    let limits = found.interval(args.conf_level.unwrap_or(0.95)).ok();
    Answer::of(&Restricted {
        rmst: found.value,
        rmst_se: found.standard_error,
        ci_low: limits.and_then(|limits| limits.lower),
        ci_high: limits.and_then(|limits| limits.upper),
    })
}

/// The name of a group: a word or a number, sorted as such.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum GroupName {
    Number(f64),
    Word(String),
}

impl GroupName {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Word(left), Self::Word(right)) => left.cmp(right),
            (Self::Number(_), Self::Word(_)) => Ordering::Less,
            (Self::Word(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

#[derive(Debug, Deserialize)]
struct GroupedTimes {
    #[serde(flatten)]
    times: Times,
    group: Vec<GroupName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NullDistribution {
    #[default]
    Asymptotic,
    #[serde(alias = "permutation")]
    Exact,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LogRankArguments {
    rho: Option<f64>,
    distribution: NullDistribution,
    seed: Option<Count>,
}

#[derive(Debug, Serialize)]
struct LogRankAnswer {
    observed: Vec<f64>,
    expected: Vec<f64>,
    chisq: f64,
    df: usize,
    p_value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_value_permutation: Option<f64>,
}

/// Random splits when there are too many to look at all of them.
const PERMUTATION_DRAWS: usize = 99_999;

fn answer_log_rank(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<GroupedTimes, LogRankArguments> = request.read()?;
    let observations = inputs.times.observations()?;
    if observations.len() != inputs.group.len() {
        return Err(Undefined::LengthMismatch {
            left: observations.len(),
            right: inputs.group.len(),
        }
        .into());
    }
    let mut names = inputs.group.clone();
    names.sort_by(GroupName::order);
    names.dedup_by(|right, left| left.order(right).is_eq());
    let data: Vec<GroupedObservation> = observations
        .into_iter()
        .zip(&inputs.group)
        .map(|(observation, name)| GroupedObservation {
            observation,
            group: names.partition_point(|known| known.order(name).is_lt()),
        })
        .collect();
    let found = log_rank(&data, args.rho.unwrap_or(0.0))?;
    let permutation = match args.distribution {
        NullDistribution::Asymptotic => None,
        NullDistribution::Exact => {
            let mut stream =
                Stream::new(Seed(args.seed.map_or(0, |seed| seed.0)), "stat", "log-rank");
            Some(permutation_log_rank(&data, PERMUTATION_DRAWS, &mut stream)?)
        }
    };
    Answer::of(&LogRankAnswer {
        observed: found.groups.iter().map(|group| group.observed).collect(),
        expected: found.groups.iter().map(|group| group.expected).collect(),
        chisq: found.chi_squared,
        df: found.degrees_of_freedom,
        p_value: tail_probability(found.p),
        p_value_permutation: permutation.map(|found| found.p.get()),
    })
}

#[derive(Debug, Deserialize)]
struct Recovered {
    recovered: Count,
    n: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WithinArguments {
    conf_level_one_sided: Option<f64>,
}

/// The lower limit keeps its name `lower_95` at every level, as in the vectors; `level` says which it is.
#[derive(Debug, Serialize)]
struct Within {
    lower_95: f64,
    estimate: f64,
    level: f64,
}

fn answer_within(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Recovered, WithinArguments> = request.read()?;
    let level = args.conf_level_one_sided.unwrap_or(0.95);
    let limits = clopper_pearson(inputs.recovered.0, inputs.n.0, level, Alternative::Greater)?;
    let count = |count: Count| wide_count_to_f64(count.0.into());
    // No recovery at all proves nothing: the limit is 0.
    let lower_95 = limits.lower.map_or(0.0, |lower| lower);
    Answer::of(&Within { lower_95, estimate: count(inputs.recovered) / count(inputs.n), level })
}

#[derive(Debug, Deserialize)]
struct Intervals {
    left: Numbers,
    right: Vec<Option<Number>>,
}

#[derive(Debug, Default, Deserialize)]
struct NoArguments {}

#[derive(Debug, Serialize)]
struct Mass {
    left: f64,
    right: Number,
    probability: f64,
}

#[derive(Debug, Serialize)]
struct TurnbullAnswer {
    masses: Vec<Mass>,
    median_low: f64,
    median_high: Option<f64>,
}

fn answer_turnbull(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args: NoArguments {} }: Call<Intervals, NoArguments> = request.read()?;
    if inputs.left.0.len() != inputs.right.len() {
        return Err(Undefined::LengthMismatch {
            left: inputs.left.0.len(),
            right: inputs.right.len(),
        }
        .into());
    }
    // A right end that is null was never seen.
    let censoring: Vec<Censoring> = inputs
        .left
        .0
        .iter()
        .zip(&inputs.right)
        .map(|(&left, right)| Censoring {
            left,
            right: right.map_or(f64::INFINITY, |right| right.0),
        })
        .collect();
    let fit = Turnbull::fit(&censoring)?;
    let median = fit.quantile(0.5)?;
    let mass = |mass: &crate::stats::turnbull::Mass| Mass {
        left: mass.left,
        right: Number(mass.right),
        probability: mass.probability,
    };
    Answer::of(&TurnbullAnswer {
        masses: fit.masses().iter().map(mass).collect(),
        median_low: median.lower,
        median_high: median.upper,
    })
}
