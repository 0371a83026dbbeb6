//! The kinds of metric families that a `TYPE` line can announce.

use super::dialect::Dialect;

/// What a `TYPE` line announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyKind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets of a counter.
    Histogram,
    /// Buckets of a gauge.
    GaugeHistogram,
    /// Quantiles that the process worked out itself.
    Summary,
    /// A constant 1 with labels.
    Info,
    /// One 0 or 1 for each state.
    StateSet,
    /// `unknown` in OpenMetrics, `untyped` in the text format.
    Unknown,
}

impl FamilyKind {
    /// The kind of a word. The text format does not mind capitals; OpenMetrics does, and knows no `untyped`.
    pub fn of_word(word: &str, dialect: Dialect) -> Option<Self> {
        let lower = word.to_ascii_lowercase();
        match (dialect, if dialect == Dialect::Text { &lower } else { word }) {
            (_, "counter") => Some(Self::Counter),
            (_, "gauge") => Some(Self::Gauge),
            (_, "histogram") => Some(Self::Histogram),
            (_, "summary") => Some(Self::Summary),
            (_, "gaugehistogram") | (Dialect::Text, "gauge_histogram") => {
                Some(Self::GaugeHistogram)
            }
            (_, "info") => Some(Self::Info),
            (_, "stateset") => Some(Self::StateSet),
            (_, "unknown") | (Dialect::Text, "untyped") => Some(Self::Unknown),
            _ => None,
        }
    }

    /// What samples of the family add to its name in OpenMetrics.
    pub const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["_total", "_created"],
            Self::Summary => &["", "_count", "_sum", "_created"],
            Self::Histogram => &["_bucket", "_count", "_sum", "_created"],
            Self::GaugeHistogram => &["_bucket", "_gcount", "_gsum"],
            Self::Info => &["_info"],
            Self::Gauge | Self::StateSet | Self::Unknown => &[""],
        }
    }
}
