//! Permutation methods.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Numbers, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::permutation::mean_difference_test;
use crate::stats::random::Stream;
use crate::stats::sign_flip::{EXACT_LIMIT, sign_flip_draws, sign_flip_test};
use crate::unit::Seed;
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "sign_flip_exact_sum", answer: answer_sign_flip },
    Method { name: "two_sample_permutation_exact_meandiff", answer: answer_mean_difference },
];

#[derive(Debug, Deserialize)]
struct Differences {
    d: Numbers,
}

#[derive(Debug, Deserialize)]
struct Samples {
    x: Numbers,
    y: Numbers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    alternative: Side,
    seed: Option<u64>,
    #[serde(rename = "R")]
    draws: Option<usize>,
}

#[derive(Debug, Serialize)]
struct SignFlip {
    count: Option<u64>,
    total: Option<u64>,
    p_value: f64,
}

const DEFAULT_DRAWS: usize = 100_000;

fn answer_sign_flip(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Differences, Arguments> = request.read()?;
    let (d, alternative) = (&inputs.d.0, args.alternative.into());
    if d.len() > EXACT_LIMIT {
        let seed = Seed(args.seed.unwrap_or(0));
        let draws = args.draws.unwrap_or(DEFAULT_DRAWS);
        let mut stream = Stream::new(seed, "stat", "sign-flip");
        let p = sign_flip_draws(d, alternative, draws, &mut stream)?;
        return Answer::of(&SignFlip { count: None, total: None, p_value: tail_probability(p) });
    }
    let test = sign_flip_test(d, alternative)?;
    Answer::of(&SignFlip {
        count: Some(test.extreme),
        total: Some(test.total),
        p_value: tail_probability(test.p),
    })
}

#[derive(Debug, Serialize)]
struct MeanDifference {
    difference: f64,
    n_perm: u64,
    p_value: f64,
}

fn answer_mean_difference(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let test = mean_difference_test(&inputs.x.0, &inputs.y.0, args.alternative.into())?;
    Answer::of(&MeanDifference {
        difference: test.difference,
        n_perm: test.total,
        p_value: tail_probability(test.p),
    })
}
