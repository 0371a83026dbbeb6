//! Methods that adjust p-values.

use crate::app::stat::number::Number;
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::multiplicity::{Adjustment, adjusted, rejected};
use crate::stats::{PValue, Undefined, require_level};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "p_adjust_BH", answer: answer_benjamini_hochberg },
    Method { name: "p_adjust_holm", answer: answer_holm },
];

#[derive(Debug, Deserialize)]
struct Tests {
    p: Vec<Option<Number>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    alpha: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Adjustments {
    adjusted: Vec<Option<f64>>,
    n_reject: usize,
    n_tests: usize,
}

fn answer_holm(request: &Request<'_>) -> Result<Answer, Failure> {
    answer(request, Adjustment::Holm)
}

fn answer_benjamini_hochberg(request: &Request<'_>) -> Result<Answer, Failure> {
    answer(request, Adjustment::BenjaminiHochberg)
}

fn answer(request: &Request<'_>, adjustment: Adjustment) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Tests, Arguments> = request.read()?;
    let alpha = args.alpha.unwrap_or(0.05);
    require_level("alpha", alpha)?;
    let p_values = inputs.p.into_iter().map(p_value).collect::<Result<Vec<_>, _>>()?;
    let found = adjusted(&p_values, adjustment);
    Answer::of(&Adjustments {
        n_reject: rejected(&found, alpha),
        n_tests: found.iter().flatten().count(),
        adjusted: found.into_iter().map(|p| p.map(without_floor)).collect(),
    })
}

/// NaN and null are tests without a p-value, as NA in R.
fn p_value(p: Option<Number>) -> Result<Option<PValue>, Undefined> {
    match p {
        None => Ok(None),
        Some(Number(p)) if p.is_nan() => Ok(None),
        Some(Number(p)) if (0.0..=1.0).contains(&p) => Ok(Some(PValue::new(p))),
        Some(Number(found)) => {
            Err(Undefined::OutOfRange { what: "a p-value", found, accepted: "0 to 1" })
        }
    }
}

/// A p-value of 0 stays 0 after the adjustment, although a multiple of the floor is not the floor.
fn without_floor(p: PValue) -> f64 {
    if p.get() < 1e-300 { 0.0 } else { p.get() }
}
