//! Methods on means: t tests, equivalence, non-inferiority.

use crate::app::stat::argument::{Side, percent};
use crate::app::stat::number::{LowerLimit, Numbers, UpperLimit, required, tail_probability};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::student_t::{MeanEstimate, Variances};
use crate::stats::tost::{EquivalenceTest, equivalence};
use crate::stats::{Alternative, require_level};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const METHODS: &[Method] = &[
    Method { name: "noninferiority_paired_t", answer: answer_noninferiority },
    Method { name: "t_one_sample", answer: answer_one_sample },
    Method { name: "t_paired", answer: answer_paired },
    Method { name: "t_pooled", answer: answer_pooled },
    Method { name: "t_welch", answer: answer_welch },
    Method { name: "tost_paired_t", answer: answer_tost_paired },
    Method { name: "tost_two_sample_t", answer: answer_tost_two_sample },
];

#[derive(Debug, Deserialize)]
struct Sample {
    x: Numbers,
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
    conf_level: Option<f64>,
    var_equal: Option<bool>,
    low: Option<f64>,
    upp: Option<f64>,
    alpha: Option<f64>,
    usevar: VarianceRule,
    margin: Option<f64>,
    lower_is_better: Option<bool>,
}

/// The variance rule of statsmodels, with its default.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VarianceRule {
    #[default]
    Pooled,
    Unequal,
}

const DEFAULT_LEVEL: f64 = 0.95;
const DEFAULT_ALPHA: f64 = 0.05;

#[derive(Debug, Serialize)]
struct TTest {
    t: f64,
    df: f64,
    p_value: f64,
    estimate: f64,
    std_err: f64,
    ci_low: LowerLimit,
    ci_high: UpperLimit,
}

fn t_test(found: &MeanEstimate, args: &Arguments) -> Result<Answer, Failure> {
    let mu = args.mu.unwrap_or(0.0);
    let alternative: Alternative = args.alternative.into();
    let interval = found.interval(args.conf_level.unwrap_or(DEFAULT_LEVEL), alternative)?;
    Answer::of(&TTest {
        t: found.t(mu),
        df: found.df,
        p_value: tail_probability(found.p(mu, alternative)),
        estimate: found.estimate,
        std_err: found.standard_error,
        ci_low: LowerLimit(interval.lower),
        ci_high: UpperLimit(interval.upper),
    })
}

fn answer_one_sample(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Sample, Arguments> = request.read()?;
    t_test(&MeanEstimate::of_one(&inputs.x.0)?, &args)
}

fn answer_paired(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    t_test(&MeanEstimate::of_pairs(&inputs.x.0, &inputs.y.0)?, &args)
}

fn answer_welch(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let variances = match args.var_equal {
        Some(true) => Variances::Pooled,
        Some(false) | None => Variances::Unequal,
    };
    t_test(&MeanEstimate::of_two(&inputs.x.0, &inputs.y.0, variances)?, &args)
}

fn answer_pooled(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    t_test(&MeanEstimate::of_two(&inputs.x.0, &inputs.y.0, Variances::Pooled)?, &args)
}

#[derive(Debug, Serialize)]
struct Equivalence {
    p_value: f64,
    t_low: f64,
    p_low: f64,
    t_upp: f64,
    p_upp: f64,
    df: f64,
    equivalent: bool,
    #[serde(flatten)]
    inner_interval: Map<String, Value>,
}

fn equivalence_answer(found: &MeanEstimate, args: &Arguments) -> Result<Answer, Failure> {
    let (low, upp) = (required("low", args.low)?, required("upp", args.upp)?);
    let alpha = args.alpha.unwrap_or(DEFAULT_ALPHA);
    require_level("alpha", alpha)?;
    let EquivalenceTest { t_low, p_low, t_upp, p_upp, p } = equivalence(found, low, upp)?;
    let mut inner_interval = Map::new();
    if alpha < 0.5 {
        let level = 1.0 - 2.0 * alpha;
        let inner = found.interval(level, Alternative::TwoSided)?;
        let name = format!("ci{}", percent(level));
        inner_interval.insert(name, serde_json::json!([inner.lower, inner.upper]));
    }
    Answer::of(&Equivalence {
        p_value: tail_probability(p),
        t_low,
        p_low: tail_probability(p_low),
        t_upp,
        p_upp: tail_probability(p_upp),
        df: found.df,
        equivalent: p.rejects_at(alpha),
        inner_interval,
    })
}

fn answer_tost_paired(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    equivalence_answer(&MeanEstimate::of_pairs(&inputs.x.0, &inputs.y.0)?, &args)
}

fn answer_tost_two_sample(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let variances = match args.usevar {
        VarianceRule::Pooled => Variances::Pooled,
        VarianceRule::Unequal => Variances::Unequal,
    };
    equivalence_answer(&MeanEstimate::of_two(&inputs.x.0, &inputs.y.0, variances)?, &args)
}

#[derive(Debug, Serialize)]
struct NonInferiority {
    t: f64,
    df: f64,
    p_value: f64,
    estimate: f64,
    noninferior: bool,
    #[serde(flatten)]
    limit: Map<String, Value>,
}

fn answer_noninferiority(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Samples, Arguments> = request.read()?;
    let margin = required("margin", args.margin)?;
    let alpha = args.alpha.unwrap_or(DEFAULT_ALPHA);
    let found = MeanEstimate::of_pairs(&inputs.x.0, &inputs.y.0)?;
    // Where lower is better x may exceed y by less than the margin; otherwise it may fall short by less.
    let (alternative, bound, side) = match args.lower_is_better {
        Some(true) | None => (Alternative::Less, margin, "upper"),
        Some(false) => (Alternative::Greater, -margin, "lower"),
    };
    let interval = found.interval(1.0 - alpha, alternative)?;
    let p = found.p(bound, alternative);
    let name = format!("{side}_{}_one_sided", percent(1.0 - alpha));
    let mut limit = Map::new();
    limit.insert(name, serde_json::json!(interval.upper.or(interval.lower)));
    Answer::of(&NonInferiority {
        t: found.t(bound),
        df: found.df,
        p_value: tail_probability(p),
        estimate: found.estimate,
        noninferior: p.rejects_at(alpha),
        limit,
    })
}
