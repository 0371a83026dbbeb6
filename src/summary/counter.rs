//! A counter per second: its increase over the time between the two samples used.

use crate::frame::gauge::join_all;
use crate::frame::{Counters, FrameSource, Increase, rule};
use crate::spec::Selector;
use crate::summary::error::{PartExceedsTotal, SummaryError};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SelectorMatch, SignalPoint, SignalReading};
use crate::summary::timeline::Stretches;
use crate::summary::value::{Loss, TimelinePoint, WindowValue};
use crate::summary::worst::Slicing;
use crate::unit::{Labels, Span, Window};

/// Measures a counter.
pub(crate) struct CounterMeter {
    text: String,
    counters: Counters,
    slicing: Slicing,
}

impl CounterMeter {
    /// Sets up a counter for one session.
    pub(crate) fn new<S: FrameSource>(
        loader: &mut Loader<'_, S>,
        selector: &Selector,
        slicing: Slicing,
    ) -> Result<Self, SummaryError> {
        let counters = loader.counters(selector)?;
        Ok(Self { text: selector.text().to_owned(), counters, slicing })
    }
}

impl Meter for CounterMeter {
    fn step(&self) -> Option<Span> {
        self.counters.step()
    }

    fn selectors(&self) -> Vec<SelectorMatch> {
        vec![SelectorMatch { text: self.text.clone(), found: !self.counters.is_empty() }]
    }

    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal> {
        let coverage = self.counters.coverage(window);
        if !rule::covers(coverage) {
            return Ok(WindowValue::missing(Some(coverage)));
        }
        let value = self.slicing.read(window, |slice| {
            let rate = self.counters.increase(slice).and_then(Increase::per_second);
            Ok(rate.ok_or(Loss::MissingData))
        })?;
        Ok(WindowValue::plain(value, coverage))
    }

    fn has_gap(&self, range: Window) -> bool {
        self.counters.has_gap(range)
    }

    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint> {
        if self.counters.are_several() {
            // Rates between neighbouring samples only add up where samples are taken together.
            return stretches.of_windows(|stretch| self.counters.increase(stretch)?.per_second());
        }
        let rates = self.counters.rates(stretches.range());
        stretches.of_samples(&join_all(&rates, self.step()))
    }

    fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        self.counters.labels_seen(window).collect()
    }

    fn signal(&self, range: Window, _trailing: Span) -> Option<Vec<SignalPoint>> {
        let rates = join_all(&self.counters.rates(range), self.step());
        let points = rates
            .times
            .iter()
            .zip(&rates.values)
            .map(|(at, rate)| SignalPoint { at: *at, reading: SignalReading::of(*rate) });
        Some(points.collect())
    }
}
