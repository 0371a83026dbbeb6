//! k6's end-of-test summaries: the default object, the legacy `--summary-export` and the machine-readable one.
//!
//! A summary holds totals and quantiles over a whole run and no moments. What it says is kept as single values at the end of
//! the run, so that it can be shown; no window can be judged by it, and a warning says so.
//!
//! Thresholds read right: in the legacy export `true` means *crossed*, in the others `ok: true` means *held*. Here
//! `k6_threshold_held` is 1 where the threshold held, whoever wrote it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::sample_set::SampleSet;
use crate::unit::{Span, Timestamp};

const SUMMARY_BYTES: u64 = 64 << 20;

/// The metric that says whether thresholds held.
pub(super) const THRESHOLD: &str = "k6_threshold_held";

/// A metric of a summary, whichever of the three wrote it.
#[derive(Debug, Default)]
struct Summarised {
    name: String,
    values: BTreeMap<String, f64>,
    /// Whether each threshold held.
    held: BTreeMap<String, bool>,
}

/// When the run was.
#[derive(Debug, Deserialize)]
struct Moments {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    state: Option<State>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(rename = "generatedAt", default)]
    generated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct State {
    #[serde(rename = "testRunDurationMs", default)]
    milliseconds: Option<f64>,
}

/// Reads a summary.
pub(super) fn read(
    input: &LoadInput,
    options: &LoadOptions,
    set: &mut SampleSet,
) -> Result<(), LoadError> {
    let text = input.text(SUMMARY_BYTES)?;
    let tree: Value = serde_json::from_str(&text).map_err(|error| LoadError::Line {
        file: input.name(),
        line: error.line() as u64,
        found: error.to_string(),
        accepted: "JSON that k6 wrote".to_owned(),
    })?;
    let found = metrics(&tree);
    if found.is_empty() {
        return Err(LoadError::WrongKind {
            file: input.name(),
            format: "k6",
            found: "JSON without the metrics of k6".to_owned(),
            accepts: "what k6 writes with `--out json=FILE` or `--out csv=FILE`, or a summary",
        });
    }
    let moments: Option<Moments> = serde_json::from_value(tree).ok();
    let end = end(input, options, moments.as_ref())?;
    for metric in &found {
        add(metric, end, set);
    }
    set.warn(
        "summary_only",
        format!(
            "{} is a summary of a whole run: it holds no samples and no times, so that no window can be judged by it; run k6 with --out json=FILE and import that file{}",
            input.name(),
            thresholds(&found)
        ),
    );
    Ok(())
}

/// The moment of the values: the end of the run.
fn end(
    input: &LoadInput,
    options: &LoadOptions,
    moments: Option<&Moments>,
) -> Result<Timestamp, LoadError> {
    let lasted = moments.and_then(|it| it.state.as_ref()).and_then(|state| state.milliseconds);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no run lasts for 2^63 milliseconds, and more saturates"
    )]
    let lasted = Span::from_milliseconds(lasted.map_or(0, |lasted| lasted.round() as i64));
    let generated = moments
        .and_then(|it| it.metadata.as_ref())
        .and_then(|metadata| metadata.generated_at.as_deref())
        .and_then(|text| Timestamp::parse(text).ok());
    options
        .start
        .map(|start| start.plus(lasted))
        .or(generated)
        .or_else(|| input.modified())
        .ok_or_else(|| {
            LoadError::Options(format!(
                "{} says no time; give --start, when the load began",
                input.name()
            ))
        })
}

fn metrics(tree: &Value) -> Vec<Summarised> {
    if let Some(results) = tree.get("results") {
        return machine_readable(results);
    }
    let Some(metrics) = tree.get("metrics").and_then(Value::as_object) else { return Vec::new() };
    metrics.iter().filter_map(|(name, metric)| Some(of_object(name, metric.as_object()?))).collect()
}

/// The default object keeps numbers under `values`; the legacy export keeps them flat, and turns thresholds round.
fn of_object(name: &str, metric: &Map<String, Value>) -> Summarised {
    let nested = metric.get("values").and_then(Value::as_object);
    let held = metric.get("thresholds").and_then(Value::as_object).into_iter().flatten();
    let held = held.filter_map(|(expression, told)| {
        let held = match told {
            Value::Bool(crossed) => !crossed,
            told => told.get("ok")?.as_bool()?,
        };
        Some((expression.clone(), held))
    });
    Summarised {
        name: name.to_owned(),
        values: numbers(nested.unwrap_or(metric)),
        held: held.collect(),
    }
}

fn machine_readable(results: &Value) -> Vec<Summarised> {
    let list = |key: &str| results.get(key).and_then(Value::as_array).into_iter().flatten();
    list("metrics")
        .chain(
            results
                .get("checks")
                .and_then(|checks| checks.get("metrics"))
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        )
        .filter_map(|metric| {
            let values = metric.get("values").and_then(Value::as_object).map(numbers);
            Some(Summarised {
                name: metric.get("name")?.as_str()?.to_owned(),
                values: values.unwrap_or_default(),
                held: BTreeMap::new(),
            })
        })
        .collect()
}

fn numbers(fields: &Map<String, Value>) -> BTreeMap<String, f64> {
    fields.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

/// Keeps a metric's numbers: statistics as `name{stat="p(95)"}`, and requests by outcome.
fn add(metric: &Summarised, at: Timestamp, set: &mut SampleSet) {
    // `http_req_duration{expected_response:true}` is a part of the metric before the brace.
    let (name, part) = metric.name.split_once('{').unwrap_or((&metric.name, ""));
    let part = part.trim_end_matches('}');
    for (stat, value) in &metric.values {
        set.value(&format!("{name}_summary"), &[("stat", stat), ("part", part)], at, *value);
    }
    for (expression, held) in &metric.held {
        let labels = [("metric", metric.name.as_str()), ("threshold", expression)];
        set.value(THRESHOLD, &labels, at, f64::from(u8::from(*held)));
    }
}

/// The thresholds as a fragment of a sentence.
fn thresholds(found: &[Summarised]) -> String {
    let told: Vec<String> = found
        .iter()
        .flat_map(|metric| {
            metric.held.iter().map(move |(expression, held)| {
                format!(
                    "{} {expression} {}",
                    metric.name,
                    if *held { "held" } else { "was crossed" }
                )
            })
        })
        .collect();
    if told.is_empty() { String::new() } else { format!(". Its thresholds: {}", told.join(", ")) }
}
