//! Methods on two proportions.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Count, UpperLimit, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::fisher::{Roots, Table, fisher_test};
use crate::stats::newcombe::newcombe;
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "fisher_exact", answer: answer_fisher },
    Method { name: "newcombe_hybrid_score_diff", answer: answer_newcombe },
];

#[derive(Debug, Deserialize)]
struct Cells {
    a: Count,
    b: Count,
    c: Count,
    d: Count,
}

#[derive(Debug, Deserialize)]
struct Arms {
    x1: Count,
    n1: Count,
    x2: Count,
    n2: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    alternative: Side,
    conf_level: Option<f64>,
}

const DEFAULT_LEVEL: f64 = 0.95;

#[derive(Debug, Serialize)]
struct Fisher {
    p_value: f64,
    odds_ratio_cmle: UpperLimit,
    or_ci_low: f64,
    or_ci_high: UpperLimit,
}

fn answer_fisher(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Cells, Arguments> = request.read()?;
    let table = Table { a: inputs.a.0, b: inputs.b.0, c: inputs.c.0, d: inputs.d.0 };
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    let test = fisher_test(table, level, args.alternative.into(), Roots::AsR)?;
    Answer::of(&Fisher {
        p_value: tail_probability(test.p),
        odds_ratio_cmle: UpperLimit(test.odds_ratio),
        // An odds ratio is bounded by 0 where the interval is not.
        or_ci_low: test.interval.lower.unwrap_or(0.0),
        or_ci_high: UpperLimit(test.interval.upper),
    })
}

#[derive(Debug, Serialize)]
struct Difference {
    diff: f64,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
}

fn answer_newcombe(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Arms, Arguments> = request.read()?;
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    let Arms { x1, n1, x2, n2 } = inputs;
    let found = newcombe(x1.0, n1.0, x2.0, n2.0, level, args.alternative.into())?;
    Answer::of(&Difference {
        diff: found.difference,
        ci_low: found.interval.lower,
        ci_high: found.interval.upper,
    })
}
