//! Methods of the bootstrap.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Count, LowerLimit, Numbers, UpperLimit};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::bootstrap::{self, Distribution, Statistic, acceleration, bootstrap_t_mean};
use crate::stats::resample::Resampling;
use crate::stats::{Alternative, Interval};
use crate::unit::Seed;
use serde::{Deserialize, Serialize, Serializer};

pub(super) const METHODS: &[Method] = &[
    Method { name: "bca_acceleration_jackknife", answer: answer_acceleration },
    Method { name: "bca_ideal_bootstrap", answer: answer_ideal },
    Method { name: "bootstrap_ci", answer: answer_interval },
    Method { name: "bootstrap_ci_mean", answer: answer_three_intervals },
];

#[derive(Debug, Deserialize)]
struct Sample {
    x: Numbers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    statistic: Option<String>,
    #[serde(alias = "confidence_level")]
    conf_level: Option<f64>,
    method: Option<String>,
    #[serde(rename = "R", alias = "n_resamples")]
    resamples: Option<Count>,
    alternative: Side,
    seed: Option<Count>,
}

/// Resamples of scipy when nothing else is said.
const DEFAULT_RESAMPLES: usize = 9999;

impl Arguments {
    /// `mean`, `median`, `std`, or `p95` for a quantile.
    fn statistic(&self) -> Result<Statistic, Failure> {
        let name = self.statistic.as_deref().unwrap_or("mean");
        match name {
            "mean" => Ok(Statistic::Mean),
            "median" => Ok(Statistic::Median),
            "std" | "sd" => Ok(Statistic::StandardDeviation),
            other => {
                let percent =
                    other.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok());
                percent.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| Statistic::Quantile(percent / 100.0)).ok_or_else(|| {
                    Failure::bad_request(format!(
                        "args.statistic is {other:?}; accepted are mean, median, std and p0 to p100"
                    ))
                })
            }
        }
    }

    fn draws(&self) -> Result<Resampling<'static>, Failure> {
        let resamples = match self.resamples {
            None => DEFAULT_RESAMPLES,
            Some(Count(count)) => usize::try_from(count)
                .map_err(|_| Failure::bad_request(format!("args.R is {count}: too many")))?,
        };
        Ok(Resampling { seed: Seed(self.seed.map_or(0, |seed| seed.0)), key: "stat", resamples })
    }

    fn level(&self) -> f64 {
        self.conf_level.unwrap_or(0.95)
    }
}

#[derive(Debug, Serialize)]
struct Acceleration {
    a: f64,
}

fn answer_acceleration(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, Arguments> = request.read()?;
    Answer::of(&Acceleration { a: acceleration(&inputs.x.0, args.statistic()?)? })
}

/// A limit that was not asked for is infinite.
#[derive(Debug)]
enum Limit {
    Lower(LowerLimit),
    Upper(UpperLimit),
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Lower(limit) => limit.serialize(serializer),
            Self::Upper(limit) => limit.serialize(serializer),
        }
    }
}

#[derive(Debug, Serialize)]
struct Limits {
    ci_low: Limit,
    ci_high: Limit,
    standard_error: f64,
    estimate: f64,
    resamples: usize,
}

fn answer_interval(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, Arguments> = request.read()?;
    let statistic = args.statistic()?;
    let draws = args.draws()?;
    let alternative = Alternative::from(args.alternative);
    let distribution = Distribution::of(&inputs.x.0, statistic, draws)?;
    let name = args.method.as_deref().unwrap_or("BCa");
    let interval = match name.to_ascii_lowercase().as_str() {
        "bca" => distribution.interval(bootstrap::Method::Bca, args.level(), alternative)?,
        "percentile" | "perc" => {
            distribution.interval(bootstrap::Method::Percentile, args.level(), alternative)?
        }
        "basic" => distribution.interval(bootstrap::Method::Basic, args.level(), alternative)?,
        "bootstrap-t" | "studentized" | "stud" if statistic == Statistic::Mean => {
            bootstrap_t_mean(&inputs.x.0, args.level(), alternative, draws)?
        }
        _ => {
            return Err(Failure::bad_request(format!(
                "args.method is {name:?}; accepted are BCa, percentile, basic and, for the mean, bootstrap-t"
            )));
        }
    };
    Answer::of(&Limits {
        ci_low: Limit::Lower(LowerLimit(interval.lower)),
        ci_high: Limit::Upper(UpperLimit(interval.upper)),
        standard_error: distribution.standard_error(),
        estimate: distribution.estimate(),
        resamples: distribution.resamples(),
    })
}

#[derive(Debug, Serialize)]
struct ThreeIntervals {
    bca_low: Option<f64>,
    bca_high: Option<f64>,
    percentile_low: Option<f64>,
    percentile_high: Option<f64>,
    basic_low: Option<f64>,
    basic_high: Option<f64>,
}

fn answer_three_intervals(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, Arguments> = request.read()?;
    let distribution = Distribution::of(&inputs.x.0, args.statistic()?, args.draws()?)?;
    let read = |method| -> Result<Interval, Failure> {
        Ok(distribution.interval(method, args.level(), Alternative::TwoSided)?)
    };
    let (bca, percentile, basic) = (
        read(bootstrap::Method::Bca)?,
        read(bootstrap::Method::Percentile)?,
        read(bootstrap::Method::Basic)?,
    );
    Answer::of(&ThreeIntervals {
        bca_low: bca.lower,
        bca_high: bca.upper,
        percentile_low: percentile.lower,
        percentile_high: percentile.upper,
        basic_low: basic.lower,
        basic_high: basic.upper,
    })
}

#[derive(Debug, Serialize)]
struct Ideal {
    theta: f64,
    z0_mid: f64,
    a: f64,
    alpha_low: f64,
    alpha_high: f64,
    bca_low: Option<f64>,
    bca_high: Option<f64>,
    perc_low: Option<f64>,
    perc_high: Option<f64>,
    boot_se: f64,
    boot_mean: f64,
}

fn answer_ideal(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, Arguments> = request.read()?;
    let found = Distribution::exact(&inputs.x.0, args.statistic()?)?;
    let error = (1.0 - args.level()) / 2.0;
    let bca = found.interval(bootstrap::Method::Bca, args.level(), Alternative::TwoSided)?;
    let percentile =
        found.interval(bootstrap::Method::Percentile, args.level(), Alternative::TwoSided)?;
    Answer::of(&Ideal {
        theta: found.estimate(),
        z0_mid: found.bias()?,
        a: found.acceleration()?,
        alpha_low: found.bca_level(error)?,
        alpha_high: found.bca_level(1.0 - error)?,
        bca_low: bca.lower,
        bca_high: bca.upper,
        perc_low: percentile.lower,
        perc_high: percentile.upper,
        boot_se: found.standard_error(),
        boot_mean: found.mean(),
    })
}
