//! Methods that read counters as Prometheus does.

use crate::app::stat::number::{Number, required};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::count_to_f64;
use crate::stats::prom_counter::{
    LeftEdge, Range, Sample, delta, increase, rate, raw_increase, resets,
};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "promql_delta", answer: answer_delta },
    Method { name: "promql_increase", answer: answer_increase },
    Method { name: "promql_rate", answer: answer_rate },
    Method { name: "promql_resets", answer: answer_resets },
];

#[derive(Debug, Deserialize)]
struct Series {
    samples: Vec<Pair>,
}

/// Time in seconds and value.
#[derive(Debug, Deserialize)]
struct Pair(Number, Number);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    eval_at_s: Option<f64>,
    range_s: Option<f64>,
    offset_s: Option<f64>,
    range_left_open: Option<bool>,
}

/// A value by Prometheus' rules: null is the empty result, "NaN" is a value.
#[derive(Debug, Serialize)]
struct Value {
    value: Option<Number>,
    raw_increase: Option<Number>,
}

fn answer_increase(request: &Request<'_>) -> Result<Answer, Failure> {
    answer(request, increase)
}

fn answer_rate(request: &Request<'_>) -> Result<Answer, Failure> {
    answer(request, rate)
}

fn answer_delta(request: &Request<'_>) -> Result<Answer, Failure> {
    answer(request, delta)
}

fn answer_resets(request: &Request<'_>) -> Result<Answer, Failure> {
    answer(request, |samples, range| resets(samples, range).map(count_to_f64))
}

fn answer(
    request: &Request<'_>,
    read: impl Fn(&[Sample], Range) -> Option<f64>,
) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Series, Arguments> = request.read()?;
    let mut samples = inputs
        .samples
        .iter()
        .map(|Pair(Number(time), Number(value))| {
            Ok(Sample { time_ms: milliseconds("a time in samples", *time)?, value: *value })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    samples.sort_by_key(|sample| sample.time_ms);
    let end_ms = milliseconds("eval_at_s", required("eval_at_s", args.eval_at_s)?)?
        - milliseconds("offset_s", args.offset_s.unwrap_or(0.0))?;
    let length = milliseconds("range_s", required("range_s", args.range_s)?)?;
    if length <= 0 {
        return Err(Failure::bad_request("args.range_s must be positive"));
    }
    let left_edge = match args.range_left_open {
        Some(true) | None => LeftEdge::Open,
        Some(false) => LeftEdge::Closed,
    };
    let range = Range { start_ms: end_ms - length, end_ms, left_edge };
    Answer::of(&Value {
        value: read(&samples, range).map(Number),
        raw_increase: raw_increase(range.select(&samples)).map(Number),
    })
}

/// Seconds as whole milliseconds, the resolution of Prometheus.
#[expect(clippy::cast_possible_truncation, reason = "checked to be far inside the range")]
fn milliseconds(name: &str, seconds: f64) -> Result<i64, Failure> {
    if seconds.abs() < 1e15 {
        Ok((seconds * 1000.0).round() as i64)
    } else {
        Err(Failure::bad_request(format!("{name} is {seconds}: a time in seconds is accepted")))
    }
}
