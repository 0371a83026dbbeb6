//! A damaged dump, as far as the crate prometheus-parse makes sense of it.
//!
//! The crate skips every line that it cannot read. That loses data without a word, so that this way is taken only when
//! somebody asks for it, and says how many sample lines came out of how many. Its limits are in [`super`].

use prometheus_parse::{Sample, Scrape, Value};

use crate::unit::{Labels, Timestamp};

/// One sample of a damaged dump.
#[derive(Debug, Clone, PartialEq)]
pub struct LenientSample {
    /// The metric's name.
    pub metric: String,
    /// Its labels.
    pub labels: Labels,
    /// The sample's own time, or the one of the dump.
    pub at: Timestamp,
    /// The value.
    pub value: f64,
}

/// What could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct LenientDump {
    /// The samples, sorted by metric, labels and time.
    pub samples: Vec<LenientSample>,
    /// Lines that looked like samples and were not read.
    pub skipped: usize,
}

/// Reads what can be read of a text whose samples were taken at `at` unless they say otherwise.
pub fn read(text: &str, at: Timestamp) -> LenientDump {
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    // Lines from memory cannot fail to be read.
    let found =
        Scrape::parse_at(lines, at.to_utc()).map_or_else(|_| Vec::new(), |scrape| scrape.samples);
    let mut samples: Vec<LenientSample> = found.iter().flat_map(flattened).collect();
    samples.sort_by(|left, right| {
        (&left.metric, &left.labels, left.at)
            .cmp(&(&right.metric, &right.labels, right.at))
            .then(left.value.total_cmp(&right.value))
    });
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let skipped = lines.count().saturating_sub(samples.len());
    LenientDump { samples, skipped }
}

/// The crate gathers buckets and quantiles into one sample; recordings hold one series each.
fn flattened(sample: &Sample) -> Vec<LenientSample> {
    let own = sample.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    let own = Labels::from_pairs(own);
    let at = Timestamp::from_milliseconds(sample.timestamp.timestamp_millis());
    let one =
        |metric: String, labels: Labels, value: f64| LenientSample { metric, labels, at, value };
    let with = |name: &str, bound: f64| {
        let bound = if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() };
        let pairs = own.iter().chain([(name, bound.as_str())]);
        Labels::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
    };
    match &sample.value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
            vec![one(sample.metric.clone(), own, *value)]
        }
        Value::Histogram(buckets) => buckets
            .iter()
            .map(|bucket| {
                one(format!("{}_bucket", sample.metric), with("le", bucket.less_than), bucket.count)
            })
            .collect(),
        Value::Summary(quantiles) => quantiles
            .iter()
            .map(|point| one(sample.metric.clone(), with("quantile", point.quantile), point.count))
            .collect(),
    }
}
