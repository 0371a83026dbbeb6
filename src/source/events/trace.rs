//! Exemplars as events: a trace that was seen beside a metric.

use serde::Deserialize;

use crate::run::Event;
use crate::unit::{Labels, Timestamp};

/// The word for the kind of these events.
pub const KIND: &str = "trace";

/// Labels that hold the id of a trace, the usual one first.
const TRACE_LABELS: [&str; 6] = ["trace_id", "traceID", "traceId", "traceid", "TraceID", "trace"];

/// Label of histograms that numbers buckets: which bucket it was says less than the value.
const BUCKET: &str = "le";

/// The event that an exemplar is. Without a trace id its labels are told in the message.
pub fn of_exemplar(
    metric: &str,
    series: &Labels,
    exemplar: &Labels,
    value: f64,
    at: Timestamp,
) -> Event {
    let trace = TRACE_LABELS.iter().map(|name| exemplar.get(name)).find(|id| !id.is_empty());
    let base = metric.strip_suffix("_bucket").unwrap_or(metric);
    let of = series.without(BUCKET);
    let mut message = format!("{base}{of} = {value}");
    let others = TRACE_LABELS.iter().fold(exemplar.clone(), |labels, name| labels.without(name));
    if !others.is_empty() {
        message.push_str(&format!(" {others}"));
    }
    Event {
        at,
        kind: KIND.to_owned(),
        message,
        correlation_id: trace.map(str::to_owned),
        iteration: None,
    }
}

/// The answer of `/api/v1/query_exemplars`.
#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    data: Vec<SeriesExemplars>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SeriesExemplars {
    #[serde(rename = "seriesLabels", default)]
    series: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    exemplars: Vec<ApiExemplar>,
}

#[derive(Debug, Deserialize)]
struct ApiExemplar {
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
    value: Number,
    timestamp: f64,
}

/// Prometheus writes values as texts; some others write numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(f64),
}

/// Why an answer holds no exemplars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExemplarError {
    /// It has another shape.
    #[error(
        "failed to read exemplars at line {line}, column {column}: {message}; accepted is the answer of /api/v1/query_exemplars"
    )]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found.
        message: String,
    },
    /// The server refused the question.
    #[error("the server answered the question for exemplars with {status}: {error}")]
    Refused {
        /// Its status.
        status: String,
        /// Its reason.
        error: String,
    },
}

/// Reads the answer of `/api/v1/query_exemplars` as events, by time. Exemplars without a moment or a number are left out.
///
/// # Errors
/// [`ExemplarError`] if the answer has another shape or is a refusal.
pub fn read_exemplars(answer: &[u8]) -> Result<Vec<Event>, ExemplarError> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|error| ExemplarError::Shape {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })?;
    if answer.status != "success" {
        let error = answer.error.unwrap_or_else(|| "no reason given".to_owned());
        return Err(ExemplarError::Refused { status: answer.status, error });
    }
    let mut events = Vec::new();
    for one in answer.data {
        let metric = one.series.get("__name__").cloned().unwrap_or_default();
        let series = Labels::from_pairs(one.series).without("__name__");
        for exemplar in one.exemplars {
            let value = match exemplar.value {
                Number::Number(value) => Some(value),
                Number::Text(text) => text.parse().ok(),
            };
            if let Some((at, value)) = Timestamp::from_seconds(exemplar.timestamp).zip(value) {
                let labels = Labels::from_pairs(exemplar.labels);
                events.push(of_exemplar(&metric, &series, &labels, value, at));
            }
        }
    }
    events.sort_by(|left, right| {
        (left.at, &left.message, &left.correlation_id).cmp(&(
            right.at,
            &right.message,
            &right.correlation_id,
        ))
    });
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exemplars_of_the_api_become_events_with_their_trace() {
        let answer = br#"{"status":"success","data":[{"seriesLabels":{"__name__":"d_seconds_bucket","le":"1","job":"a"},
            "exemplars":[{"labels":{"traceID":"EpTxMJ"},"value":"0.6","timestamp":1600096945.479},
                         {"labels":{"span_id":"s"},"value":"NaN","timestamp":1600096944.5}]}]}"#;
        let events = read_exemplars(answer).unwrap();
        assert_eq!(events[0].message, "d_seconds{job=\"a\"} = NaN {span_id=\"s\"}");
        assert_eq!(events[1].correlation_id.as_deref(), Some("EpTxMJ"));
        assert_eq!(events[1].message, "d_seconds{job=\"a\"} = 0.6");
        assert_eq!(events[1].at.milliseconds(), 1_600_096_945_479);
    }

    #[test]
    fn a_refusal_and_another_shape_are_told_apart() {
        let refused = read_exemplars(br#"{"status":"error","error":"bad query"}"#).unwrap_err();
        assert!(refused.to_string().contains("bad query"));
        assert!(matches!(read_exemplars(b"<html>"), Err(ExemplarError::Shape { .. })));
    }
}
