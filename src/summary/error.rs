//! Why a metric cannot be summarised at all.
//!
//! Missing data are no error: they are values of their own. An error refuses the recording.

use crate::frame::SourceFailure;
use crate::unit::{Timestamp, Window};

/// Why a metric cannot be summarised.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// The series could not be read.
    #[error("failed to read the series '{series}' of session {session}: {source}")]
    Source {
        /// The metric asked for.
        series: String,
        /// The session.
        session: u32,
        /// What the source said.
        source: SourceFailure,
    },
    /// A ratio's counted part is larger than all of its events.
    #[error(
        "metric '{metric}', iteration {iteration}: the counted part increased by {part} between {} and {}, all events only by {total}; `total` has to include the counted events: correct the selectors or the recording",
        .window.start,
        .window.end
    )]
    PartExceedsTotal {
        /// The metric.
        metric: String,
        /// Number of the iteration within the campaign.
        iteration: u32,
        /// The window or the slice of it.
        window: Window,
        /// Increase of the counted part.
        part: f64,
        /// Increase of all events.
        total: f64,
    },
    /// A metric is watched over time that only exists per window.
    #[error(
        "metric '{metric}' cannot be watched from moment to moment as `{role}`: accepted are gauges, queries, ratios, counters and histograms of this experiment"
    )]
    NoSignal {
        /// The metric.
        metric: String,
        /// Which place in the document names it.
        role: &'static str,
    },
}

/// A window in which the counted part is larger than all events; where that was is for the caller to add.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PartExceedsTotal {
    /// The window or the slice of it.
    pub(crate) window: Window,
    /// Increase of the counted part.
    pub(crate) part: f64,
    /// Increase of all events.
    pub(crate) total: f64,
}

impl PartExceedsTotal {
    /// With the place where it was seen.
    pub(crate) fn at(self, metric: &str, iteration: u32) -> SummaryError {
        let Self { window, part, total } = self;
        SummaryError::PartExceedsTotal { metric: metric.to_owned(), iteration, window, part, total }
    }
}

/// A moment as seconds after another, never below zero.
pub(crate) fn seconds_after(moment: Timestamp, reference: Timestamp) -> f64 {
    moment.max(reference).since(reference).seconds()
}
