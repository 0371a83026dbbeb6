//! Where frames come from, seen from the measuring side.
//!
//! Owns the port through which the stages ask for a metric's series. Refuses to know files and servers: the edges
//! implement it.

use std::error::Error;
use std::sync::Arc;

use crate::frame::native::NativeFrame;
use crate::frame::series::{Frame, Rows};

/// A metric's series and which of their rows are wanted.
///
/// ```
/// use unfazed::frame::{Rows, Wanted};
/// assert_eq!(Wanted::from("queue_depth").rows, Rows::Deduplicated);
/// assert_eq!(Wanted::every_row("http_req_duration").rows, Rows::Every);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted<'name> {
    /// The metric's name.
    pub metric: &'name str,
    /// Which rows.
    pub rows: Rows,
}

impl<'name> Wanted<'name> {
    /// All rows of a metric, each of which is a request.
    pub const fn every_row(metric: &'name str) -> Self {
        Self { metric, rows: Rows::Every }
    }
}

impl<'name> From<&'name str> for Wanted<'name> {
    /// One value per series and time.
    fn from(metric: &'name str) -> Self {
        Self { metric, rows: Rows::Deduplicated }
    }
}

/// Gives the series of one metric of one session's recording.
///
/// A recording that holds no such metric answers with an empty frame, not with a failure. Callers ask for the same
/// name more than once and for names that most recordings do not have (`<name>_created`,
/// `process_start_time_seconds`), so that both should be cheap.
pub trait FrameSource {
    /// All series of a metric, in the order of their labels.
    ///
    /// # Errors
    /// [`SourceFailure`] when the recording or the server could not be read.
    fn frame(&self, session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure>;

    /// All native histograms of a metric, in the order of their labels; an empty frame where there are none, which is
    /// the answer of every source that knows none.
    ///
    /// # Errors
    /// [`SourceFailure`] when the recording or the server could not be read.
    fn native(&self, _session: u32, metric: &str) -> Result<Arc<NativeFrame>, SourceFailure> {
        Ok(Arc::new(NativeFrame { metric: metric.to_owned(), ..NativeFrame::default() }))
    }
}

impl<S: FrameSource + ?Sized> FrameSource for &S {
    fn frame(&self, session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        (**self).frame(session, wanted)
    }

    fn native(&self, session: u32, metric: &str) -> Result<Arc<NativeFrame>, SourceFailure> {
        (**self).native(session, metric)
    }
}

/// Why a recording or a server could not be read; the message is the source's own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SourceFailure(#[from] pub Box<dyn Error + Send + Sync + 'static>);

impl SourceFailure {
    /// Wraps the source's own error.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        Self(error.into())
    }
}
