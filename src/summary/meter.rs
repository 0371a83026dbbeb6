//! What every way of measuring can say about one session's recording.
//!
//! Owns the questions that the census, the timeline and the recovery ask; each way of measuring answers them in its own
//! file. A meter has already been told the claim's bound and direction, so that nobody passes them along.

use crate::run::Iteration;
use crate::summary::error::PartExceedsTotal;
use crate::summary::timeline::Stretches;
use crate::summary::value::{HistogramForms, Loss, MissingEdge, TimelinePoint, WindowValue};
use crate::unit::{Labels, Span, Window};

/// A window's number, or why there is none.
pub(crate) type Reading = Result<f64, Loss>;

/// One way of measuring, set up for one session.
pub(crate) trait Meter {
    /// Median spacing of the samples.
    fn step(&self) -> Option<Span>;

    /// The selectors, always in the same order, and whether they mean anything in this recording.
    fn selectors(&self) -> Vec<SelectorMatch>;

    /// What the baseline window of an iteration says.
    fn baseline(&self, iteration: &Iteration) -> Result<WindowValue, PartExceedsTotal> {
        self.measure(iteration.baseline)
    }

    /// What the experiment window of an iteration says.
    fn experiment(&self, iteration: &Iteration) -> Result<WindowValue, PartExceedsTotal> {
        self.measure(iteration.experiment)
    }

    /// What a window says.
    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal>;

    /// Whether more than 3 steps without a sample reach into a range. Never for what has no regular samples.
    fn has_gap(&self, range: Window) -> bool;

    /// Points for charts.
    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint>;

    /// Labels of the matching series that have a sample inside a window.
    fn labels_seen(&self, window: Window) -> Vec<&Labels>;

    /// The metric from moment to moment over a range, for what can be watched; shares and quantiles look back over
    /// `trailing`.
    fn signal(&self, range: Window, trailing: Span) -> Option<Vec<SignalPoint>>;

    /// The finite samples inside a window, oldest first, for what is a plain series.
    fn samples(&self, _window: Window) -> Option<Vec<f64>> {
        None
    }

    /// The edges around an absolute bound that the histogram does not have.
    fn missing_edge(&self) -> Option<MissingEdge> {
        None
    }

    /// In which forms a histogram was recorded.
    fn forms(&self) -> Option<HistogramForms> {
        None
    }
}

/// Whether a selector means anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelectorMatch {
    /// The selector as written.
    pub(crate) text: String,
    /// Whether some series matches.
    pub(crate) found: bool,
}

/// One sample of a watched metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SignalPoint {
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
    /// What it shows.
    pub(crate) reading: SignalReading,
}

/// What a watched metric shows at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SignalReading {
    /// A number.
    Value(f64),
    /// Nobody asked, so that nobody was served.
    NoTraffic,
    /// Not a number: nothing is known.
    Unknown,
}

impl SignalReading {
    /// A recorded number; what is not finite says nothing.
    pub(crate) fn of(value: f64) -> Self {
        if value.is_finite() { Self::Value(value) } else { Self::Unknown }
    }
}

impl WindowValue {
    /// A window with too little data.
    pub(crate) fn missing(coverage: Option<f64>) -> Self {
        Self { value: Err(Loss::MissingData), coverage, counts: None, share_under: None }
    }

    /// A window with a plain number.
    pub(crate) fn plain(value: Reading, coverage: f64) -> Self {
        Self { value, coverage: Some(coverage), counts: None, share_under: None }
    }
}
