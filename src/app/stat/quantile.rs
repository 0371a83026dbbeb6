//! Methods on sample quantiles.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Count, Number, Numbers};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::quantile::{QuantileType, quantile_interval, sorted_quantile};
use crate::stats::{Alternative, require_ordered};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "quantile_ci_order_statistics", answer: answer_interval },
    Method { name: "sample_quantile", answer: answer_quantile },
];

#[derive(Debug, Deserialize)]
struct Sample {
    x: Numbers,
}

/// One probability or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Probabilities {
    One(f64),
    Several(Vec<f64>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QuantileArguments {
    #[serde(rename = "type")]
    kind: Option<Count>,
    probs: Option<Probabilities>,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    q: Vec<Number>,
}

fn answer_quantile(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, QuantileArguments> = request.read()?;
    let number = args.kind.map_or(7, |kind| kind.0);
    let kind =
        usize::try_from(number).ok().and_then(QuantileType::from_number).ok_or_else(|| {
            Failure::bad_request(format!("args.type is {number}; accepted are the types 1 to 9"))
        })?;
    let probabilities = match args.probs {
        None => vec![0.0, 0.25, 0.5, 0.75, 1.0],
        Some(Probabilities::One(p)) => vec![p],
        Some(Probabilities::Several(list)) => list,
    };
    require_ordered(&inputs.x.0)?;
    let mut sorted = inputs.x.0;
    sorted.sort_unstable_by(f64::total_cmp);
    let q = probabilities
        .into_iter()
        .map(|p| sorted_quantile(&sorted, p, kind).map(Number))
        .collect::<Result<Vec<_>, _>>()?;
    Answer::of(&Quantiles { q })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IntervalArguments {
    p: Option<f64>,
    #[serde(alias = "confidence_level")]
    conf_level: Option<f64>,
    alternative: Side,
}

/// A side that was not asked for is infinite; one that cannot be reached at this n is null.
#[derive(Debug, Serialize)]
struct Limits {
    ci_low: Option<Number>,
    ci_high: Option<Number>,
    coverage: f64,
}

fn answer_interval(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, IntervalArguments> = request.read()?;
    let alternative = Alternative::from(args.alternative);
    let level = args.conf_level.unwrap_or(0.95);
    let found = quantile_interval(&inputs.x.0, args.p.unwrap_or(0.5), level, alternative)?;
    let (lower, upper) = (found.interval.lower.map(Number), found.interval.upper.map(Number));
    let (ci_low, ci_high) = match alternative {
        Alternative::Less => (Some(Number(f64::NEG_INFINITY)), upper),
        Alternative::Greater => (lower, Some(Number(f64::INFINITY))),
        Alternative::TwoSided => (lower, upper),
    };
    Answer::of(&Limits { ci_low, ci_high, coverage: found.coverage })
}
