//! Methods on trends over iterations or weeks.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Count, Numbers, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::mann_kendall::{Continuity, EXACT_LIMIT, Variance, exact_p, mann_kendall};
use crate::stats::theil_sen::theil_sen;
use crate::stats::{Alternative, count_to_f64, require_finite};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] =
    &[Method { name: "mann_kendall_theil_sen", answer: answer_trend }];

#[derive(Debug, Deserialize)]
struct Series {
    x: Numbers,
    /// Real times; without them the positions 0, 1, 2, …
    #[serde(default, alias = "time")]
    t: Option<Numbers>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum VarianceName {
    #[default]
    Independent,
    HamedRao,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    alpha: Option<f64>,
    continuity: Option<bool>,
    alternative: Side,
    variance: VarianceName,
    lag: Option<Count>,
}

#[derive(Debug, Serialize)]
struct Trend {
    #[serde(rename = "S")]
    s: f64,
    #[serde(rename = "var_S")]
    variance: f64,
    z: f64,
    p_value: f64,
    p_exact: Option<f64>,
    tau_a: f64,
    sen_slope: Option<f64>,
    sen_ci_low: Option<f64>,
    sen_ci_high: Option<f64>,
    theilsen_intercept_median: Option<f64>,
}

fn answer_trend(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Series, Arguments> = request.read()?;
    let mut values = inputs.x.0;
    require_finite(&values)?;
    let alpha = args.alpha.unwrap_or(0.05);
    let times = match inputs.t {
        Some(times) => times.0,
        None => (0..values.len()).map(count_to_f64).collect(),
    };
    let line = match theil_sen(&times, &values, 1.0 - alpha) {
        Ok(line) => Some(line),
        // All times equal: no slope, but the order still has a trend.
        Err(crate::stats::Undefined::DegenerateVariance) => None,
        Err(reason) => return Err(reason.into()),
    };
    // Mann–Kendall sees the values in the order of time.
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| times[left].total_cmp(&times[right]));
    values = order.into_iter().map(|position| values[position]).collect();
    let variance = match args.variance {
        VarianceName::Independent => Variance::Independent,
        VarianceName::HamedRao => Variance::HamedRao {
            significance: alpha,
            lags: args.lag.and_then(|lag| usize::try_from(lag.0).ok()),
        },
    };
    let continuity = match args.continuity {
        Some(true) | None => Continuity::Corrected,
        Some(false) => Continuity::Uncorrected,
    };
    let alternative = Alternative::from(args.alternative);
    let found = mann_kendall(&values, variance, continuity, alternative)?;
    let exact = (values.len() <= EXACT_LIMIT).then(|| exact_p(&values, alternative).ok()).flatten();
    Answer::of(&Trend {
        s: found.s,
        variance: found.variance,
        z: found.z,
        p_value: tail_probability(found.p),
        p_exact: exact.map(tail_probability),
        tau_a: found.tau_a,
        sen_slope: line.map(|line| line.slope),
        sen_ci_low: line.and_then(|line| line.interval.lower),
        sen_ci_high: line.and_then(|line| line.interval.upper),
        theilsen_intercept_median: line.map(|line| line.intercept),
    })
}
