//! Methods on one proportion.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Count, required, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::proportion::{
    Continuity, binomial_test, clopper_pearson, wilson, zero_event_bound,
};
use crate::stats::{Alternative, Undefined, wide_count_to_f64};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "binomial_test_against_bound", answer: answer_binomial_test },
    Method { name: "clopper_pearson", answer: answer_clopper_pearson },
    Method { name: "upper_bound_zero_events_exact", answer: answer_zero_events },
    Method { name: "wilson", answer: answer_wilson },
];

#[derive(Debug, Deserialize)]
struct Events {
    x: Count,
    n: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    conf_level: Option<f64>,
    alternative: Side,
    one_sided: Option<bool>,
    continuity: Option<bool>,
    p0: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Limits {
    ci_low: f64,
    ci_high: f64,
}

#[derive(Debug, Serialize)]
struct ZeroEvents {
    ci_low: f64,
    ci_high: f64,
    rule_of_three_approx: f64,
}

#[derive(Debug, Serialize)]
struct Tails {
    p_exact: f64,
    p_mid: f64,
}

const DEFAULT_LEVEL: f64 = 0.95;

fn limits(interval: crate::stats::Interval) -> Result<Answer, Failure> {
    // A proportion is bounded by 0 and 1 where the interval is not.
    Answer::of(&Limits {
        ci_low: interval.lower.unwrap_or(0.0),
        ci_high: interval.upper.unwrap_or(1.0),
    })
}

fn answer_clopper_pearson(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Events, Arguments> = request.read()?;
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    limits(clopper_pearson(inputs.x.0, inputs.n.0, level, side(&args))?)
}

fn answer_wilson(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Events, Arguments> = request.read()?;
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    let continuity = match args.continuity {
        Some(true) => Continuity::Yates { hypothesised: args.p0.unwrap_or(0.5) },
        Some(false) | None => Continuity::None,
    };
    limits(wilson(inputs.x.0, inputs.n.0, level, side(&args), continuity)?)
}

/// `one_sided` without a direction asks for the upper bound, as for zero events.
fn side(args: &Arguments) -> Alternative {
    match (args.one_sided, args.alternative) {
        (Some(true), Side::TwoSided) => Alternative::Less,
        (_, side) => side.into(),
    }
}

fn answer_zero_events(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Events, Arguments> = request.read()?;
    if inputs.x.0 != 0 {
        let found = wide_count_to_f64(u128::from(inputs.x.0));
        let reason = Undefined::OutOfRange { what: "the number of events", found, accepted: "0" };
        return Err(reason.into());
    }
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    let one_sided_level = match args.one_sided {
        Some(true) | None => level,
        Some(false) => 0.5 * (1.0 + level),
    };
    let upper = zero_event_bound(inputs.n.0, one_sided_level)?;
    let trials = wide_count_to_f64(u128::from(inputs.n.0));
    Answer::of(&ZeroEvents { ci_low: 0.0, ci_high: upper, rule_of_three_approx: 3.0 / trials })
}

fn answer_binomial_test(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Events, Arguments> = request.read()?;
    let p0 = required("p0", args.p0)?;
    let test = binomial_test(inputs.x.0, inputs.n.0, p0, args.alternative.into())?;
    Answer::of(&Tails { p_exact: tail_probability(test.exact), p_mid: tail_probability(test.mid) })
}
