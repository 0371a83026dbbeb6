//! Methods that describe one list of numbers.

use crate::app::stat::number::Numbers;
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::descriptive::{lag1_autocorrelation, mean, standard_deviation};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] =
    &[Method { name: "mean_sd_lag1_autocorrelation", answer: answer_summary }];

#[derive(Debug, Deserialize)]
struct Sample {
    x: Numbers,
}

#[derive(Debug, Default, Deserialize)]
struct NoArguments {}

#[derive(Debug, Serialize)]
struct Summary {
    mean: f64,
    sd: Option<f64>,
    lag1_autocorrelation: Option<f64>,
}

fn answer_summary(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args: NoArguments {} }: Call<Sample, NoArguments> = request.read()?;
    Answer::of(&Summary {
        mean: mean(&inputs.x.0)?,
        sd: standard_deviation(&inputs.x.0).ok(),
        lag1_autocorrelation: lag1_autocorrelation(&inputs.x.0).ok(),
    })
}
