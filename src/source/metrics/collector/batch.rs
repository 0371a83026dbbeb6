//! What one scrape brought, and where it goes.

use std::error::Error;
use std::sync::Arc;

use crate::unit::{Labels, Timestamp};

/// A series as it is recorded: with the labels of its target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectedSeries {
    /// The metric's name.
    pub metric: String,
    /// Its labels.
    pub labels: Labels,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedSample {
    /// Its series, shared by all of its samples.
    pub series: Arc<CollectedSeries>,
    /// When it was taken.
    pub at: Timestamp,
    /// The value.
    pub value: f64,
}

/// An example of what was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedExemplar {
    /// The series that it stands beside.
    pub series: Arc<CollectedSeries>,
    /// Its own labels, such as `trace_id`.
    pub labels: Labels,
    /// The value that was observed.
    pub value: f64,
    /// When.
    pub at: Timestamp,
}

/// What one scrape brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScrapeBatch {
    /// The samples, those about the scrape itself included.
    pub samples: Vec<CollectedSample>,
    /// Exemplars that were not there before.
    pub exemplars: Vec<CollectedExemplar>,
}

/// Why samples could not be kept; the message is the sink's own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn Error + Send + Sync + 'static>);

/// Where samples go. Called from one thread.
pub trait SampleSink: Send {
    /// Takes what a scrape brought. What is taken need not be durable before [`SampleSink::finish`].
    ///
    /// # Errors
    /// [`SinkError`] when it cannot be kept; the collector then stops.
    fn take(&mut self, batch: ScrapeBatch) -> Result<(), SinkError>;

    /// Makes everything that was taken durable.
    ///
    /// # Errors
    /// [`SinkError`] when it cannot be kept.
    fn finish(&mut self) -> Result<(), SinkError>;
}
