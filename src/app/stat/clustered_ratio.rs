//! Methods on ratios that are clustered by iteration.

use crate::app::stat::argument::percent;
use crate::app::stat::number::Numbers;
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::Undefined;
use crate::stats::clustered_ratio::{ClusteredRatio, Truncation};
use crate::stats::hodges_lehmann::LimitSide;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const METHODS: &[Method] = &[
    Method { name: "cluster_ratio_linearised", answer: answer_linearised },
    Method { name: "korn_graubard_clopper_pearson", answer: answer_korn_graubard },
];

#[derive(Debug, Deserialize)]
struct Counts {
    errors: Numbers,
    requests: Numbers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    conf_level_one_sided: Option<f64>,
    df: Option<f64>,
    truncate_n_eff_at_n: Option<bool>,
}

const DEFAULT_LEVEL: f64 = 0.95;

/// A limit under its name; one that cannot be estimated from a single iteration is null.
fn put_limit(
    fields: &mut Map<String, Value>,
    side: &str,
    level: f64,
    limit: Result<f64, Undefined>,
) -> Result<(), Failure> {
    let value = match limit {
        Ok(limit) => Value::from(limit),
        Err(Undefined::TooFew { .. }) => Value::Null,
        Err(reason) => return Err(reason.into()),
    };
    fields.insert(format!("{side}_{}", percent(level)), value);
    Ok(())
}

#[derive(Debug, Serialize)]
struct Linearised {
    ratio: f64,
    se: Option<f64>,
    pearson_dispersion: Option<f64>,
    naive_binomial_se: f64,
    design_effect: Option<f64>,
    rate_variation: Option<f64>,
    iterations: usize,
    excluded_without_traffic: usize,
    #[serde(flatten)]
    limits: Map<String, Value>,
}

fn answer_linearised(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Counts, Arguments> = request.read()?;
    let level = args.conf_level_one_sided.unwrap_or(DEFAULT_LEVEL);
    let found = ClusteredRatio::of(&inputs.errors.0, &inputs.requests.0)?;
    let mut limits = Map::new();
    for (name, side) in [("lower", LimitSide::Lower), ("upper", LimitSide::Upper)] {
        put_limit(&mut limits, name, level, found.linear_limit(1.0 - level, side, args.df))?;
    }
    Answer::of(&Linearised {
        ratio: found.ratio,
        se: found.standard_error,
        pearson_dispersion: found.dispersion,
        naive_binomial_se: found.binomial_standard_error(),
        design_effect: found.design_effect(),
        rate_variation: found.rate_variation(),
        iterations: found.iterations,
        excluded_without_traffic: found.without_traffic,
        limits,
    })
}

#[derive(Debug, Serialize)]
struct KornGraubard {
    p: f64,
    se: Option<f64>,
    n_eff: Option<f64>,
    n_eff_df_adjusted: Option<f64>,
    iterations: usize,
    excluded_without_traffic: usize,
    #[serde(flatten)]
    limits: Map<String, Value>,
}

fn answer_korn_graubard(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Counts, Arguments> = request.read()?;
    let level = args.conf_level_one_sided.unwrap_or(DEFAULT_LEVEL);
    let truncation = match args.truncate_n_eff_at_n {
        Some(true) | None => Truncation::AtRequests,
        Some(false) => Truncation::None,
    };
    let found = ClusteredRatio::of(&inputs.errors.0, &inputs.requests.0)?;
    let mut limits = Map::new();
    for (name, side) in [("lower", LimitSide::Lower), ("upper", LimitSide::Upper)] {
        put_limit(&mut limits, name, level, found.korn_graubard(1.0 - level, side, truncation))?;
    }
    let sample = found.effective_sample(1.0 - level, truncation).ok();
    Answer::of(&KornGraubard {
        p: found.ratio,
        se: found.standard_error,
        n_eff: sample.map(|sample| sample.size),
        n_eff_df_adjusted: sample.map(|sample| sample.df_adjusted),
        iterations: found.iterations,
        excluded_without_traffic: found.without_traffic,
        limits,
    })
}
