//! Methods that stay valid however often one looks.

use crate::app::stat::number::{Count, Number, required};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::confidence_sequence::NormalMixture;
use crate::stats::e_process::{Evidence, Trials, beta_mixture, likelihood_ratio};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "bernoulli_beta_mixture_eprocess", answer: answer_beta_mixture },
    Method { name: "bernoulli_lr_eprocess", answer: answer_likelihood_ratio },
    Method { name: "normal_mixture_confidence_sequence_halfwidth", answer: answer_half_width },
];

#[derive(Debug, Deserialize)]
struct NoInputs {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MixtureArguments {
    n: Option<f64>,
    rho: Option<f64>,
    alpha: Option<f64>,
    sigma: Option<f64>,
}

#[derive(Debug, Serialize)]
struct HalfWidth {
    halfwidth: f64,
}

fn answer_half_width(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, MixtureArguments> = request.read()?;
    let sequence = NormalMixture {
        rho: required("rho", args.rho)?,
        alpha: args.alpha.unwrap_or(0.05),
        sigma: args.sigma.unwrap_or(1.0),
    };
    Answer::of(&HalfWidth { halfwidth: sequence.half_width(required("n", args.n)?)? })
}

#[derive(Debug, Deserialize)]
struct Successes {
    successes: Count,
    n: Count,
}

impl Successes {
    fn trials(&self) -> Trials {
        Trials { events: self.successes.0, trials: self.n.0 }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    p0: Option<f64>,
    p1: Option<f64>,
    a: Option<f64>,
    b: Option<f64>,
}

/// Evidence can be zero (logarithm −∞) and can overflow to infinity; both are values.
#[derive(Debug, Serialize)]
struct Process {
    log_e: Number,
    e: Number,
    reject_at_alpha_005: bool,
}

fn answer(evidence: Evidence) -> Result<Answer, Failure> {
    Answer::of(&Process {
        log_e: Number(evidence.ln()),
        e: Number(evidence.value()),
        reject_at_alpha_005: evidence.rejects_at(0.05),
    })
}

fn answer_likelihood_ratio(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Successes, Arguments> = request.read()?;
    answer(likelihood_ratio(inputs.trials(), required("p0", args.p0)?, required("p1", args.p1)?)?)
}

fn answer_beta_mixture(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Successes, Arguments> = request.read()?;
    let (a, b) = (args.a.unwrap_or(0.5), args.b.unwrap_or(0.5));
    answer(beta_mixture(inputs.trials(), required("p0", args.p0)?, a, b)?)
}
