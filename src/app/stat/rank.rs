//! Methods on ranks: signed-rank, Mann–Whitney, Brunner–Munzel, Hodges–Lehmann.

use crate::app::stat::argument::{Side, ZeroMethod, rank_null};
use crate::app::stat::number::{LowerLimit, Number, Numbers, UpperLimit, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::brunner_munzel::{Reference, brunner_munzel, brunner_munzel_permuted};
use crate::stats::hodges_lehmann::{ShiftEstimate, pseudo_median, shift};
use crate::stats::mann_whitney::{MannWhitneyTest, mann_whitney};
use crate::stats::random::Stream;
use crate::stats::ranks::mid_ranks;
use crate::stats::signed_rank::{NullDistribution, SignedRankTest, Zeros, signed_rank_test};
use crate::stats::{Alternative, Undefined};
use crate::unit::Seed;
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "brunner_munzel", answer: answer_brunner_munzel },
    Method { name: "hodges_lehmann_one_sample_ci", answer: answer_pseudo_median },
    Method { name: "hodges_lehmann_two_sample_ci", answer: answer_shift },
    Method { name: "mann_whitney_exact_conditional_ties", answer: answer_mann_whitney_exact },
    Method { name: "mann_whitney_u", answer: answer_mann_whitney },
    Method { name: "wilcoxon_signed_rank", answer: answer_signed_rank },
    Method {
        name: "wilcoxon_signed_rank_exact_conditional_ties",
        answer: answer_signed_rank_exact,
    },
    Method { name: "wilcoxon_signed_rank_pratt", answer: answer_pratt },
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
    mu: Option<f64>,
    alternative: Side,
    exact: Option<bool>,
    #[serde(alias = "correct", alias = "correction", alias = "use_continuity")]
    continuity: Option<bool>,
    zero_method: Option<ZeroMethod>,
    conf_level: Option<f64>,
    distribution: ReferenceName,
    seed: Option<u64>,
    #[serde(rename = "R")]
    draws: Option<usize>,
}

/// The reference distribution of the Brunner–Munzel statistic.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ReferenceName {
    #[default]
    T,
    Normal,
    Permuted,
}

const DEFAULT_LEVEL: f64 = 0.95;

/// R counts exactly below 50 values, if there are no ties.
const EXACT_BELOW: usize = 50;

fn shifted(values: Vec<f64>, mu: Option<f64>) -> Vec<f64> {
    match mu {
        Some(mu) => values.into_iter().map(|value| value - mu).collect(),
        None => values,
    }
}

#[derive(Debug, Serialize)]
struct SignedRank {
    #[serde(rename = "V")]
    v: f64,
    #[serde(rename = "W_min")]
    w_min: f64,
    z: Option<f64>,
    p_value: f64,
    n_nonzero: usize,
    null_distribution: &'static str,
}

fn signed_rank_null(d: &[f64], args: &Arguments) -> NullDistribution {
    let by_default = || {
        let nonzero: Vec<f64> = d.iter().map(|d| d.abs()).filter(|size| *size > 0.0).collect();
        nonzero.len() < EXACT_BELOW && nonzero.len() == d.len() && !mid_ranks(&nonzero).has_ties()
    };
    rank_null(args.exact.unwrap_or_else(by_default), args.continuity.unwrap_or(true))
}

fn signed_rank_result(test: &SignedRankTest, alternative: Alternative) -> SignedRank {
    // scipy and R differ in the sign of a two-sided z; scipy's is never positive.
    let z = match alternative {
        Alternative::TwoSided => test.z.map(|z| -z.abs()),
        Alternative::Less | Alternative::Greater => test.z,
    };
    SignedRank {
        v: test.positive,
        w_min: if test.positive < test.negative { test.positive } else { test.negative },
        z,
        p_value: tail_probability(test.p),
        n_nonzero: test.nonzero,
        null_distribution: name_of(test.null),
    }
}

fn name_of(null: NullDistribution) -> &'static str {
    match null {
        NullDistribution::Exact => "exact",
        NullDistribution::Normal => "normal",
        NullDistribution::NormalWithContinuity => "normal_with_continuity",
    }
}

fn answer_signed_rank(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Differences, Arguments> = request.read()?;
    let d = shifted(inputs.d.0, args.mu);
    let alternative = args.alternative.into();
    let zeros = args.zero_method.map_or(Zeros::Drop, Zeros::from);
    let test = signed_rank_test(&d, alternative, zeros, signed_rank_null(&d, &args))?;
    Answer::of(&signed_rank_result(&test, alternative))
}

fn answer_signed_rank_exact(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Differences, Arguments> = request.read()?;
    let d = shifted(inputs.d.0, args.mu);
    let alternative = args.alternative.into();
    let zeros = args.zero_method.map_or(Zeros::Drop, Zeros::from);
    let null = rank_null(args.exact.unwrap_or(true), args.continuity.unwrap_or(true));
    Answer::of(&signed_rank_result(&signed_rank_test(&d, alternative, zeros, null)?, alternative))
}

#[derive(Debug, Serialize)]
struct Pratt {
    #[serde(rename = "Z")]
    z: Option<f64>,
    #[serde(rename = "V")]
    v: f64,
    p_value: f64,
}

fn answer_pratt(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Differences, Arguments> = request.read()?;
    let d = shifted(inputs.d.0, args.mu);
    let zeros = args.zero_method.map_or(Zeros::Pratt, Zeros::from);
    let null = rank_null(args.exact.unwrap_or(false), args.continuity.unwrap_or(false));
    let test = signed_rank_test(&d, args.alternative.into(), zeros, null)?;
    Answer::of(&Pratt { z: test.z, v: test.positive, p_value: tail_probability(test.p) })
}

#[derive(Debug, Serialize)]
struct MannWhitney {
    #[serde(rename = "U_x")]
    u_x: f64,
    z: Option<f64>,
    p_value: Option<f64>,
    null_distribution: &'static str,
}

fn mann_whitney_test(x: &[f64], y: &[f64], args: &Arguments) -> Result<MannWhitneyTest, Undefined> {
    let alternative = args.alternative.into();
    let continuity = args.continuity.unwrap_or(true);
    let by_default = || {
        x.len() < EXACT_BELOW && y.len() < EXACT_BELOW && {
            let pooled: Vec<f64> = x.iter().chain(y).copied().collect();
            !mid_ranks(&pooled).has_ties()
        }
    };
    let exact = args.exact.unwrap_or_else(by_default);
    mann_whitney(x, y, alternative, rank_null(exact, continuity))
}

fn mann_whitney_answer(test: &MannWhitneyTest) -> Result<Answer, Failure> {
    // Without a spread and without a continuity correction z is 0/0; with the correction the test says 1.
    let p_value = match (test.z, test.null) {
        (None, NullDistribution::Normal) => None,
        (Some(_) | None, _) => Some(tail_probability(test.p)),
    };
    Answer::of(&MannWhitney {
        u_x: test.u_x,
        z: test.z,
        p_value,
        null_distribution: name_of(test.null),
    })
}

fn answer_mann_whitney(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let x = shifted(inputs.x.0, args.mu);
    mann_whitney_answer(&mann_whitney_test(&x, &inputs.y.0, &args)?)
}

fn answer_mann_whitney_exact(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let x = shifted(inputs.x.0, args.mu);
    let null = rank_null(args.exact.unwrap_or(true), args.continuity.unwrap_or(true));
    mann_whitney_answer(&mann_whitney(&x, &inputs.y.0, args.alternative.into(), null)?)
}

#[derive(Debug, Serialize)]
struct BrunnerMunzel {
    statistic: Option<f64>,
    df: Option<f64>,
    p_value: f64,
    #[serde(rename = "phat_P_x_lt_y_plus_half_ties")]
    relative_effect: f64,
}

fn answer_brunner_munzel(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let (x, y, alternative) = (&inputs.x.0, &inputs.y.0, args.alternative.into());
    let test = match args.distribution {
        ReferenceName::T => brunner_munzel(x, y, alternative, Reference::StudentT)?,
        ReferenceName::Normal => brunner_munzel(x, y, alternative, Reference::Normal)?,
        ReferenceName::Permuted => {
            let seed = Seed(args.seed.unwrap_or(0));
            let mut stream = Stream::new(seed, "stat", "brunner-munzel");
            let draws = args.draws.unwrap_or(100_000);
            brunner_munzel_permuted(x, y, alternative, draws, &mut stream)?
        }
    };
    Answer::of(&BrunnerMunzel {
        statistic: test.statistic,
        df: test.df,
        p_value: tail_probability(test.p),
        relative_effect: test.relative_effect,
    })
}

#[derive(Debug, Serialize)]
struct Shift {
    #[serde(rename = "V", skip_serializing_if = "Option::is_none")]
    v: Option<f64>,
    #[serde(rename = "U_x", skip_serializing_if = "Option::is_none")]
    u_x: Option<f64>,
    p_value: f64,
    estimate: Number,
    ci_low: LowerLimit,
    ci_high: UpperLimit,
    achieved_conf_level: f64,
    true_coverage: f64,
}

impl Shift {
    fn new(statistic: &Statistic, p_value: f64, found: &ShiftEstimate) -> Self {
        let (v, u_x) = match statistic {
            Statistic::V(v) => (Some(*v), None),
            Statistic::U(u) => (None, Some(*u)),
        };
        Self {
            v,
            u_x,
            p_value,
            estimate: Number(found.estimate),
            ci_low: LowerLimit(found.interval.lower),
            ci_high: UpperLimit(found.interval.upper),
            achieved_conf_level: found.true_coverage,
            true_coverage: found.true_coverage,
        }
    }
}

enum Statistic {
    V(f64),
    U(f64),
}

fn answer_pseudo_median(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Differences, Arguments> = request.read()?;
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    let found = pseudo_median(&inputs.d.0, level, args.alternative.into())?;
    let d = shifted(inputs.d.0, args.mu);
    let zeros = args.zero_method.map_or(Zeros::Drop, Zeros::from);
    let test = signed_rank_test(&d, args.alternative.into(), zeros, signed_rank_null(&d, &args))?;
    Answer::of(&Shift::new(&Statistic::V(test.positive), tail_probability(test.p), &found))
}

fn answer_shift(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let level = args.conf_level.unwrap_or(DEFAULT_LEVEL);
    let found = shift(&inputs.x.0, &inputs.y.0, level, args.alternative.into())?;
    let x = shifted(inputs.x.0, args.mu);
    let test = mann_whitney_test(&x, &inputs.y.0, &args)?;
    Answer::of(&Shift::new(&Statistic::U(test.u_x), tail_probability(test.p), &found))
}
