//! Methods that find when a series changed or came back.

use crate::app::stat::number::{Count, Number, Numbers, required};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::band::{Band, Return, sustained_return};
use crate::stats::cusum::{Design, chart};
use crate::stats::pelt::{Segmentation, segments, usual_penalty};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "pelt_l2_min_size2", answer: answer_pelt },
    Method { name: "sustained_return_to_band", answer: answer_return },
    Method { name: "tabular_cusum", answer: answer_cusum },
];

#[derive(Debug, Deserialize)]
struct Series {
    x: Numbers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CusumArguments {
    mu0: Option<f64>,
    #[serde(rename = "K")]
    allowance: Option<f64>,
    #[serde(rename = "H")]
    decision: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Cusum {
    #[serde(rename = "C_plus")]
    c_plus: Vec<f64>,
    #[serde(rename = "C_minus")]
    c_minus: Vec<f64>,
    #[serde(rename = "first_signal_index_1based")]
    first_signal: Option<usize>,
    #[serde(rename = "last_zero_before_signal_1based")]
    last_zero: Option<usize>,
}

fn answer_cusum(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Series, CusumArguments> = request.read()?;
    let design = Design {
        target: required("mu0", args.mu0)?,
        allowance: required("K", args.allowance)?,
        decision: required("H", args.decision)?,
    };
    let found = chart(&inputs.x.0, design)?;
    Answer::of(&Cusum {
        c_plus: found.upper,
        c_minus: found.lower,
        first_signal: found.signal.map(|signal| signal.position + 1),
        // A sum that was never 0 started at 0 before the first value.
        last_zero: found.signal.map(|signal| signal.last_zero.map_or(0, |position| position + 1)),
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PeltArguments {
    #[serde(alias = "pen")]
    penalty: Option<f64>,
    min_size: Option<Count>,
    jump: Option<Count>,
}

#[derive(Debug, Serialize)]
struct Segments {
    breakpoints_end_exclusive: Vec<usize>,
    segment_cost: f64,
    penalty: f64,
}

fn answer_pelt(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Series, PeltArguments> = request.read()?;
    let penalty = match args.penalty {
        Some(penalty) => penalty,
        None => usual_penalty(&inputs.x.0)?,
    };
    let rule = Segmentation {
        penalty,
        min_size: position("min_size", args.min_size, 2)?,
        jump: position("jump", args.jump, 1)?,
    };
    let found = segments(&inputs.x.0, rule)?;
    Answer::of(&Segments {
        breakpoints_end_exclusive: found.ends,
        segment_cost: found.cost,
        penalty,
    })
}

/// A count as a position; none takes the default.
fn position(name: &str, count: Option<Count>, default: usize) -> Result<usize, Failure> {
    match count {
        None => Ok(default),
        Some(Count(count)) => usize::try_from(count)
            .map_err(|_| Failure::bad_request(format!("{name} is {count}: too large"))),
    }
}

#[derive(Debug, Deserialize)]
struct Recovery {
    baseline_center: Number,
    half_width: Number,
    values: Vec<Option<Number>>,
    #[serde(default)]
    fault_index: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RecoveryArguments {
    sustain_points: Option<Count>,
}

#[derive(Debug, Serialize)]
struct Recovered {
    recovery_index: Option<usize>,
    censored: bool,
}

fn answer_return(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Recovery, RecoveryArguments> = request.read()?;
    // A missing value is NaN: it lies in no band and breaks a run.
    let values: Vec<f64> =
        inputs.values.iter().map(|value| value.map_or(f64::NAN, |value| value.0)).collect();
    let band = Band::around(inputs.baseline_center.0, inputs.half_width.0);
    let run =
        position("sustain_points", Some(required("sustain_points", args.sustain_points)?), 1)?;
    let start = position("fault_index", inputs.fault_index, 0)?;
    let recovery_index = match sustained_return(&values, band, start, run)? {
        Return::At(position) => Some(position),
        Return::Censored => None,
    };
    Answer::of(&Recovered { recovery_index, censored: recovery_index.is_none() })
}
