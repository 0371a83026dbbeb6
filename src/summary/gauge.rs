//! A gauge, or a recorded query, reduced over windows.

use std::sync::Arc;

use crate::frame::gauge::finite_values;
use crate::frame::{Frame, FrameSource, Gauge, rule};
use crate::spec::{Across, Reduce, Selector};
use crate::summary::error::{PartExceedsTotal, SummaryError};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SelectorMatch, SignalPoint, SignalReading};
use crate::summary::timeline::Stretches;
use crate::summary::value::{Loss, TimelinePoint, WindowValue};
use crate::summary::worst::Slicing;
use crate::unit::{Labels, Span, Window};

/// Measures a gauge.
pub(crate) struct GaugeMeter {
    text: String,
    /// Absent when nothing matches.
    gauge: Option<Gauge>,
    reduce: Reduce,
    slicing: Slicing,
}

impl GaugeMeter {
    /// Sets up a gauge for one session.
    pub(crate) fn new<S: FrameSource>(
        loader: &mut Loader<'_, S>,
        selector: &Selector,
        across: Across,
        reduce: Reduce,
        slicing: Slicing,
    ) -> Result<Self, SummaryError> {
        let frame = loader.frame(selector.metric_name())?;
        let gauge = Gauge::new(&frame, selector, across);
        Ok(Self { text: selector.text().to_owned(), gauge, reduce, slicing })
    }

    /// Sets up the answer of a query, which is a gauge.
    pub(crate) fn of_answer(
        frame: &Arc<Frame>,
        expression: &str,
        reduce: Reduce,
        slicing: Slicing,
    ) -> Self {
        Self { text: expression.to_owned(), gauge: Gauge::of_query(frame), reduce, slicing }
    }
}

impl Meter for GaugeMeter {
    fn step(&self) -> Option<Span> {
        self.gauge.as_ref()?.step()
    }

    fn selectors(&self) -> Vec<SelectorMatch> {
        vec![SelectorMatch { text: self.text.clone(), found: self.gauge.is_some() }]
    }

    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal> {
        let Some(gauge) = &self.gauge else { return Ok(WindowValue::missing(Some(0.0))) };
        let coverage = gauge.coverage(window);
        if !rule::covers(coverage) {
            return Ok(WindowValue::missing(Some(coverage)));
        }
        let value = self
            .slicing
            .read(window, |slice| Ok(gauge.reduce(slice, self.reduce).ok_or(Loss::MissingData)))?;
        Ok(WindowValue::plain(value, coverage))
    }

    fn has_gap(&self, range: Window) -> bool {
        self.gauge.as_ref().is_none_or(|gauge| gauge.has_gap(range))
    }

    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint> {
        self.gauge.as_ref().map_or_else(Vec::new, |gauge| stretches.of_samples(gauge.series()))
    }

    fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        self.gauge.iter().flat_map(|gauge| gauge.labels_seen(window)).collect()
    }

    fn samples(&self, window: Window) -> Option<Vec<f64>> {
        self.gauge.as_ref().map(|gauge| finite_values(gauge.series(), window).collect())
    }

    fn signal(&self, range: Window, _trailing: Span) -> Option<Vec<SignalPoint>> {
        let Some(gauge) = &self.gauge else { return Some(Vec::new()) };
        let series = gauge.series();
        let inside = series.first_at_or_after(range.start)..series.first_at_or_after(range.end);
        let points = inside.map(|position| SignalPoint {
            at: series.times[position],
            reading: SignalReading::of(series.values[position]),
        });
        Some(points.collect())
    }
}
