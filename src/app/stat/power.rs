//! Methods for planning.

use crate::app::stat::argument::Side;
use crate::app::stat::number::{Count, required};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::power::{
    Design, Plan, Tail, detectable_effect, level_for_power, power, sample_size, smallest_p,
};
use crate::stats::success_run::trials_needed;
use serde::{Deserialize, Deserializer, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "minimum_attainable_p_signflip_or_signed_rank", answer: answer_smallest_p },
    Method { name: "minimum_detectable_effect_paired_t", answer: answer_detectable_effect },
    Method { name: "power_t_one_sample_or_paired", answer: answer_power },
    Method { name: "power_t_test", answer: answer_power_t_test },
    Method { name: "sample_size_t_paired", answer: answer_sample_size },
    Method { name: "success_run_sample_size", answer: answer_success_run },
];

#[derive(Debug, Deserialize)]
struct NoInputs {}

/// The arguments of R `power.t.test`: exactly one of n, delta, sd, sig.level and power is left open. sd and
/// sig.level have defaults, so they are open only when given as null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RArguments {
    n: Option<f64>,
    delta: Option<f64>,
    sd: Asked,
    #[serde(rename = "sig.level", alias = "sig_level")]
    level: Asked,
    power: Option<f64>,
    #[serde(rename = "type")]
    layout: Layout,
    alternative: Side,
    strict: Option<bool>,
}

/// An argument of R that has a default: absent takes the default, null asks for the value.
#[derive(Debug, Clone, Copy, Default)]
enum Asked {
    #[default]
    Absent,
    Open,
    Given(f64),
}

impl Asked {
    /// The value, or none when it is asked for.
    fn or(self, default: f64) -> Option<f64> {
        match self {
            Self::Absent => Some(default),
            Self::Open => None,
            Self::Given(value) => Some(value),
        }
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.map_or(Self::Open, Self::Given))
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum Layout {
    #[default]
    #[serde(rename = "two.sample")]
    TwoSample,
    #[serde(rename = "one.sample")]
    OneSample,
    #[serde(rename = "paired")]
    Paired,
}

#[derive(Debug, Serialize)]
struct RPower {
    n: f64,
    delta: f64,
    sd: f64,
    sig_level: f64,
    power: f64,
}

fn answer_power_t_test(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, RArguments> = request.read()?;
    let sd = args.sd.or(1.0);
    let level = args.level.or(0.05);
    let design = match args.layout {
        Layout::TwoSample => Design::TwoSample,
        Layout::OneSample | Layout::Paired => Design::OneSample,
    };
    let tail = match (args.alternative, args.strict) {
        (Side::TwoSided, Some(true)) => Tail::TwoSidedBoth,
        (Side::TwoSided, Some(false) | None) => Tail::TwoSidedNear,
        (Side::OneSided | Side::Greater | Side::Less, _) => Tail::Greater,
    };
    // R takes the size of a two-sided difference.
    let delta = match args.alternative {
        Side::TwoSided => args.delta.map(f64::abs),
        Side::OneSided | Side::Greater | Side::Less => args.delta,
    };
    let plan = |n: f64, effect: f64, level: f64| Plan { n, effect, level, design, tail };
    let found = match (args.n, delta, sd, level, args.power) {
        (Some(n), Some(delta), Some(sd), Some(sig_level), None) => {
            RPower { n, delta, sd, sig_level, power: power(plan(n, delta / sd, sig_level))? }
        }
        (None, Some(delta), Some(sd), Some(sig_level), Some(power)) => RPower {
            n: sample_size(plan(2.0, delta / sd, sig_level), power)?,
            delta,
            sd,
            sig_level,
            power,
        },
        (Some(n), None, Some(sd), Some(sig_level), Some(power)) => {
            let delta = sd * detectable_effect(plan(n, 0.0, sig_level), power)?;
            RPower { n, delta, sd, sig_level, power }
        }
        (Some(n), Some(delta), None, Some(sig_level), Some(power)) => {
            let sd = delta / detectable_effect(plan(n, 0.0, sig_level), power)?;
            RPower { n, delta, sd, sig_level, power }
        }
        (Some(n), Some(delta), Some(sd), None, Some(power)) => RPower {
            n,
            delta,
            sd,
            sig_level: level_for_power(plan(n, delta / sd, 0.05), power)?,
            power,
        },
        _ => {
            return Err(Failure::bad_request(
                "exactly one of n, delta, sd, sig.level and power must be left open (null)",
            ));
        }
    };
    Answer::of(&found)
}

/// The arguments of statsmodels `TTestPower`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TestArguments {
    effect_size: Option<f64>,
    nobs: Option<f64>,
    alpha: Option<f64>,
    power: Option<f64>,
    alternative: Side,
}

impl TestArguments {
    fn plan(&self) -> Plan {
        Plan {
            n: self.nobs.unwrap_or(2.0),
            effect: self.effect_size.unwrap_or(0.0),
            level: self.alpha.unwrap_or(0.05),
            design: Design::OneSample,
            tail: match self.alternative {
                Side::TwoSided => Tail::TwoSidedBoth,
                Side::Less => Tail::Less,
                Side::Greater | Side::OneSided => Tail::Greater,
            },
        }
    }
}

#[derive(Debug, Serialize)]
struct Power {
    power: f64,
}

fn answer_power(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, TestArguments> = request.read()?;
    required("effect_size", args.effect_size)?;
    required("nobs", args.nobs)?;
    Answer::of(&Power { power: power(args.plan())? })
}

#[derive(Debug, Serialize)]
struct SampleSize {
    n: f64,
    n_ceil: f64,
}

fn answer_sample_size(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, TestArguments> = request.read()?;
    required("effect_size", args.effect_size)?;
    let n = sample_size(args.plan(), required("power", args.power)?)?;
    Answer::of(&SampleSize { n, n_ceil: n.ceil() })
}

#[derive(Debug, Serialize)]
struct DetectableEffect {
    effect_size_sd_units: f64,
}

fn answer_detectable_effect(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, TestArguments> = request.read()?;
    required("nobs", args.nobs)?;
    let effect = detectable_effect(args.plan(), required("power", args.power)?)?;
    Answer::of(&DetectableEffect { effect_size_sd_units: effect })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SuccessRunArguments {
    p_bound: Option<f64>,
    conf_level: Option<f64>,
    failures: Option<Count>,
}

#[derive(Debug, Serialize)]
struct Trials {
    n: u64,
}

fn answer_success_run(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, SuccessRunArguments> = request.read()?;
    let bound = required("p_bound", args.p_bound)?;
    let failures = args.failures.map_or(0, |failures| failures.0);
    Answer::of(&Trials { n: trials_needed(bound, args.conf_level.unwrap_or(0.95), failures)? })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SizeArguments {
    n: Option<Count>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the reference vectors")]
struct SmallestP {
    min_p_one_sided: f64,
    min_p_two_sided: f64,
    can_reach_005_two_sided: bool,
    can_reach_005_one_sided: bool,
}

fn answer_smallest_p(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs: NoInputs {}, args }: Call<NoInputs, SizeArguments> = request.read()?;
    let n = required("n", args.n)?.0;
    let found = smallest_p(usize::try_from(n).unwrap_or(usize::MAX));
    Answer::of(&SmallestP {
        min_p_one_sided: found.one_sided,
        min_p_two_sided: found.two_sided,
        can_reach_005_two_sided: found.two_sided <= 0.05,
        can_reach_005_one_sided: found.one_sided <= 0.05,
    })
}
