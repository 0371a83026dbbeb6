//! k6's four kinds of metrics, and what each becomes.
//!
//! A trend is rows, a gauge is values, a counter is counted up, and a rate is two counters: how often it was measured at
//! all, and by `value`, how often it was 1 and 0. A rate's 1 means what its name says: `http_req_failed` 1 is a failure,
//! `checks` 1 is a success. (k6's own word for the ones is "passes", whatever the name.)

use std::collections::{BTreeMap, BTreeSet};

use super::sample_set::{DURATION, REQUESTS, SampleSet};
use crate::unit::Timestamp;

/// Tags that become labels. Addresses and numbers of users and iterations would make a series of every request.
const LABELS: [&str; 9] = [
    "name",
    "method",
    "status",
    "group",
    "scenario",
    "check",
    "error_code",
    "expected_response",
    "service",
];

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// Values whose distribution matters.
    Trend,
    /// Increments.
    Counter,
    /// Ones and zeros.
    Rate,
    /// A value that holds until the next.
    Gauge,
}

/// One measurement.
pub(super) struct Measurement<'text> {
    pub(super) metric: &'text str,
    pub(super) at: Timestamp,
    pub(super) value: f64,
    pub(super) tag: &'text dyn Fn(&str) -> &'text str,
    pub(super) tags: &'text [(&'text str, &'text str)],
}

/// Which metric is of which kind.
#[derive(Debug, Default)]
pub(super) struct MetricKinds {
    declared: BTreeMap<String, MetricKind>,
    guessed: BTreeSet<String>,
}

impl MetricKind {
    /// The kind of k6's word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "trend" => Some(Self::Trend),
            "counter" => Some(Self::Counter),
            "rate" => Some(Self::Rate),
            "gauge" => Some(Self::Gauge),
            _ => None,
        }
    }

    /// The kind of a metric that k6 itself makes.
    fn of_builtin(name: &str) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        match name {
            "http_reqs"
            | "iterations"
            | "data_sent"
            | "data_received"
            | "dropped_iterations"
            | "ws_sessions"
            | "ws_msgs_sent"
            | "ws_msgs_received"
            | "grpc_streams"
            | "grpc_streams_msgs_sent"
            | "grpc_streams_msgs_received"
            | "browser_data_sent"
            | "browser_data_received" => Some(Self::Counter),
            "checks" | "http_req_failed" | "browser_http_req_failed" => Some(Self::Rate),
            "vus" | "vus_max" => Some(Self::Gauge),
            _ if starts(&[
                "http_req_",
                "iteration_duration",
                "group_duration",
                "ws_",
                "grpc_req_",
                "browser_",
            ]) =>
            {
                Some(Self::Trend)
            }
            _ => None,
        }
    }
}

impl MetricKinds {
    /// Takes a `Metric` line.
    pub(super) fn declare(&mut self, metric: &str, word: &str) {
        if let Some(kind) = MetricKind::of_word(word) {
            self.declared.insert(metric.to_owned(), kind);
        }
    }

    /// Adds a measurement.
    pub(super) fn add(&mut self, measured: &Measurement<'_>, set: &mut SampleSet) {
        let Measurement { metric, at, value, tag, tags } = *measured;
        let known = self.declared.get(metric).copied().or_else(|| MetricKind::of_builtin(metric));
        if known.is_none() && !self.guessed.contains(metric) {
            self.guessed.insert(metric.to_owned());
        }
        let mut labels: Vec<(&str, &str)> =
            tags.iter().filter(|(name, _)| LABELS.contains(name)).copied().collect();
        set.worked_at(at);
        match known.unwrap_or(MetricKind::Trend) {
            MetricKind::Trend if metric == DURATION => {
                labels.push(("outcome", outcome(tag("expected_response") == "false")));
                set.row(metric, &labels, at, value);
            }
            MetricKind::Trend => set.row(metric, &labels, at, value),
            MetricKind::Gauge => set.value(metric, &labels, at, value),
            MetricKind::Counter => set.increment(metric, &labels, at, value),
            MetricKind::Rate => {
                let is_one = value != 0.0;
                labels.push(("value", if is_one { "1" } else { "0" }));
                set.increment(&format!("{metric}_total"), &labels, at, 1.0);
                if metric == "http_req_failed" {
                    let labels = [
                        ("name", tag("name")),
                        ("method", tag("method")),
                        ("status", tag("status")),
                        ("outcome", outcome(is_one)),
                    ];
                    set.increment(REQUESTS, &labels, at, 1.0);
                }
            }
        }
    }

    /// Says which metrics were taken for trends because nothing said what they are.
    pub(super) fn warn_of_guesses(&self, set: &mut SampleSet) {
        if self.guessed.is_empty() {
            return;
        }
        let names: Vec<&str> = self.guessed.iter().map(String::as_str).collect();
        set.warn(
            "kind_assumed",
            format!(
                "nothing says what kind of metric {} is, so every value was kept as a row; `--out json` says it",
                names.join(", ")
            ),
        );
    }
}

const fn outcome(failed: bool) -> &'static str {
    if failed { "error" } else { "ok" }
}
