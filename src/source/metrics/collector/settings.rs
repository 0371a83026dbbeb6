//! What a collector is told before it starts.

use std::collections::BTreeSet;

use super::target::Target;
use crate::spec::Selector;
use crate::unit::{Labels, Span};

/// Longest that one answer may take, whatever the interval.
const LONGEST_TIMEOUT: Span = Span::from_seconds(10);

/// Greatest answer that is read, in bytes after decompression.
const BODY_BYTES: usize = 64 << 20;

/// What a collector is told before it starts.
#[derive(Debug, Clone)]
pub struct CollectorSettings {
    /// Whom to ask.
    pub targets: Vec<Target>,
    /// How often.
    pub every: Span,
    /// How long an answer may take, connection included.
    pub timeout: Span,
    /// Greatest answer that is read, in bytes after decompression.
    pub body_bytes: usize,
    /// Which metrics are kept.
    pub keep: Keep,
    /// How far back [`super::Collector::latest`] can look. Samples of that long are held in memory.
    pub recent: Span,
}

/// Which metrics are kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// All of them.
    Everything,
    /// What is named here.
    Needed {
        /// Metrics of which all series are kept.
        metrics: BTreeSet<String>,
        /// Selectors that stand for queries: what they mean is kept under the text of the selector, as a server's answer
        /// would be.
        answers: Vec<Selector>,
    },
}

impl CollectorSettings {
    /// Settings for targets and an interval: an answer may take one interval, at most ten seconds; everything is kept,
    /// and nothing is held in memory.
    pub fn new(targets: Vec<Target>, every: Span) -> Self {
        Self {
            targets,
            every,
            timeout: every.min(LONGEST_TIMEOUT),
            body_bytes: BODY_BYTES,
            keep: Keep::Everything,
            recent: Span::ZERO,
        }
    }
}

impl Keep {
    /// Whether a metric is kept.
    pub fn keeps(&self, metric: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Needed { metrics, .. } => metrics.contains(metric),
        }
    }

    /// The selectors that stand for queries and mean a series.
    pub(super) fn answers<'keep>(
        &'keep self,
        metric: &'keep str,
        labels: &'keep Labels,
    ) -> impl Iterator<Item = &'keep Selector> {
        let answers = match self {
            Self::Everything => &[],
            Self::Needed { answers, .. } => answers.as_slice(),
        };
        answers
            .iter()
            .filter(move |answer| answer.metric_name() == metric && answer.matches(labels))
    }
}
