//! What a running campaign sees of the service: one port, and what stands behind it.
//!
//! Owns the port. Series are held as frames, so that gates, abort rules and recovery are measured by the same rules as the
//! verdict later; a query is answered with one number or the reason why there is none.

use std::sync::Arc;

use crate::frame::{Frame, FrameSource, SourceFailure, Wanted};
use crate::unit::Timestamp;

/// Sees the service while it runs.
pub(crate) trait Telemetry: FrameSource + Send {
    /// Brings the frames up to now, from `since` on at least.
    ///
    /// # Errors
    /// Why nothing new could be had.
    fn refresh(&mut self, since: Timestamp, now: Timestamp) -> Result<(), String>;

    /// The number that a query answers with at this moment.
    ///
    /// # Errors
    /// Why there is none.
    fn answer(&mut self, query: &str, now: Timestamp) -> Result<f64, String>;
}

/// Sees nothing: a dry run of a document whose source cannot be watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoTelemetry;

impl FrameSource for NoTelemetry {
    fn frame(&self, _session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        Ok(Arc::new(Frame {
            metric: wanted.metric.to_owned(),
            rows: wanted.rows,
            series: Vec::new(),
            conflicting_duplicates: 0,
        }))
    }
}

impl Telemetry for NoTelemetry {
    fn refresh(&mut self, _since: Timestamp, _now: Timestamp) -> Result<(), String> {
        Ok(())
    }

    fn answer(&mut self, _query: &str, _now: Timestamp) -> Result<f64, String> {
        Err("the document names no source that can be watched".to_owned())
    }
}
