//! Fetching what one metric needs of one session's recording.
//!
//! Owns which series are asked for beside the metric's own: creation and process start times. Each name is asked for
//! once per metric and session.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frame::start::{PROCESS_START, Starts, created_names};
use crate::frame::{Counters, Frame, FrameSource, NativeFrame, Wanted};
use crate::spec::Selector;
use crate::summary::error::SummaryError;

/// Fetches frames of one session.
pub(crate) struct Loader<'source, S> {
    frames: &'source S,
    session: u32,
    loaded: BTreeMap<String, Arc<Frame>>,
    native_duplicates: u64,
}

impl<'source, S: FrameSource> Loader<'source, S> {
    /// A loader for one session.
    pub(crate) fn new(frames: &'source S, session: u32) -> Self {
        Self { frames, session, loaded: BTreeMap::new(), native_duplicates: 0 }
    }

    /// All series of a metric.
    pub(crate) fn frame(&mut self, metric: &str) -> Result<Arc<Frame>, SummaryError> {
        if let Some(frame) = self.loaded.get(metric) {
            return Ok(Arc::clone(frame));
        }
        let frame = self.fetch(metric.into())?;
        self.loaded.insert(metric.to_owned(), Arc::clone(&frame));
        Ok(frame)
    }

    /// All rows of a metric, each of which is a request: rows that share a time are no duplicates.
    pub(crate) fn every_row(&self, metric: &str) -> Result<Arc<Frame>, SummaryError> {
        self.fetch(Wanted::every_row(metric))
    }

    /// All native histograms of a metric.
    pub(crate) fn native(&mut self, metric: &str) -> Result<Arc<NativeFrame>, SummaryError> {
        let session = self.session;
        let frame = self.frames.native(session, metric).map_err(|source| SummaryError::Source {
            series: metric.to_owned(),
            session,
            source,
        })?;
        self.native_duplicates += frame.conflicting_duplicates;
        Ok(frame)
    }

    fn fetch(&self, wanted: Wanted<'_>) -> Result<Arc<Frame>, SummaryError> {
        let session = self.session;
        self.frames.frame(session, wanted).map_err(|source| SummaryError::Source {
            series: wanted.metric.to_owned(),
            session,
            source,
        })
    }

    /// Start times told for the series of a metric.
    pub(crate) fn starts(&mut self, metric: &str) -> Result<Starts, SummaryError> {
        let mut created = Vec::new();
        for name in created_names(metric) {
            created.push(self.frame(&name)?);
        }
        Ok(Starts::new(created, Some(self.frame(PROCESS_START)?)))
    }

    /// The counters that a selector means.
    pub(crate) fn counters(&mut self, selector: &Selector) -> Result<Counters, SummaryError> {
        let starts = self.starts(selector.metric_name())?;
        let frame = self.frame(selector.metric_name())?;
        Ok(Counters::new(&frame, selector, &starts))
    }

    /// Conflicting duplicates in everything that was loaded.
    pub(crate) fn conflicting_duplicates(&self) -> u64 {
        let plain: u64 = self.loaded.values().map(|frame| frame.conflicting_duplicates).sum();
        plain + self.native_duplicates
    }
}
