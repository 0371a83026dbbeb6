//! Methods on the size of an effect.

use crate::app::stat::number::Numbers;
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::effect_size::{Magnitude, dominance};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] =
    &[Method { name: "cliffs_delta_vda", answer: answer_dominance }];

#[derive(Debug, Deserialize)]
struct TwoSamples {
    x: Numbers,
    y: Numbers,
}

#[derive(Debug, Default, Deserialize)]
struct NoArguments {}

#[derive(Debug, Serialize)]
struct EffectSize {
    cliffs_delta: f64,
    #[serde(rename = "vargha_delaney_A")]
    vargha_delaney: f64,
    dominance_count: i128,
    magnitude: &'static str,
}

fn answer_dominance(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args: NoArguments {} }: Call<TwoSamples, NoArguments> = request.read()?;
    let found = dominance(&inputs.x.0, &inputs.y.0)?;
    Answer::of(&EffectSize {
        cliffs_delta: found.delta,
        vargha_delaney: found.a,
        dominance_count: found.dominance,
        magnitude: match Magnitude::of(found.delta) {
            Magnitude::Negligible => "negligible",
            Magnitude::Small => "small",
            Magnitude::Medium => "medium",
            Magnitude::Large => "large",
        },
    })
}
