//! A quantile of raw values, one row per request.
//!
//! Every row counts: requests that share a series and a millisecond are no duplicates. Rows have no rhythm, so that there
//! is no coverage: a window without a row had no traffic. Values that are not finite numbers are no rows.

use crate::frame::gauge::finite_values;
use crate::frame::{FrameSource, Matched};
use crate::spec::Selector;
use crate::stats::quantile::{QuantileType, sorted_quantile};
use crate::summary::error::{PartExceedsTotal, SummaryError};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SelectorMatch, SignalPoint};
use crate::summary::timeline::{Stretches, point};
use crate::summary::value::{Loss, TimelinePoint, WindowValue};
use crate::summary::worst::Slicing;
use crate::unit::{Labels, Span, Window};

/// Measures raw values.
pub(crate) struct SamplesMeter {
    text: String,
    rows: Matched,
    quantile: f64,
    slicing: Slicing,
}

impl SamplesMeter {
    /// Sets up raw values for one session.
    pub(crate) fn new<S: FrameSource>(
        loader: &Loader<'_, S>,
        selector: &Selector,
        quantile: f64,
        slicing: Slicing,
    ) -> Result<Self, SummaryError> {
        let frame = loader.every_row(selector.metric_name())?;
        let rows = Matched::by_selector(&frame, selector);
        Ok(Self { text: selector.text().to_owned(), rows, quantile, slicing })
    }

    /// The rows of a window, series by series.
    fn values(&self, window: Window) -> impl Iterator<Item = f64> {
        self.rows.series().flat_map(move |series| finite_values(series, window))
    }
}

impl Meter for SamplesMeter {
    fn step(&self) -> Option<Span> {
        None
    }

    fn selectors(&self) -> Vec<SelectorMatch> {
        vec![SelectorMatch { text: self.text.clone(), found: !self.rows.is_empty() }]
    }

    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal> {
        if self.rows.is_empty() {
            return Ok(WindowValue::missing(None));
        }
        let value = self.slicing.read(window, |slice| {
            let mut values: Vec<f64> = self.values(slice).collect();
            values.sort_unstable_by(f64::total_cmp);
            let quantile = sorted_quantile(&values, self.quantile, QuantileType::LinearModes);
            Ok(quantile.map_err(|_| Loss::NoTraffic))
        })?;
        Ok(WindowValue { value, coverage: None, counts: None, share_under: None })
    }

    fn has_gap(&self, _range: Window) -> bool {
        false
    }

    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint> {
        stretches.iter().filter_map(|stretch| point(stretch, self.values(stretch))).collect()
    }

    fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        let seen = self.rows.series().filter(|series| series.has_sample_in(window));
        seen.map(|series| &series.labels).collect()
    }

    fn signal(&self, _range: Window, _trailing: Span) -> Option<Vec<SignalPoint>> {
        None
    }
}
