//! What came in against what went out, from the baseline's start to the end of the experiment window.
//!
//! The experiment's number is |in − out| over both windows and what lies between them; the baseline's number is the
//! same over the baseline alone, for comparison.

use crate::frame::{Counters, FrameSource, Increase, rule};
use crate::run::Iteration;
use crate::spec::Selector;
use crate::summary::error::{PartExceedsTotal, SummaryError};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SelectorMatch, SignalPoint};
use crate::summary::timeline::Stretches;
use crate::summary::value::{Loss, TimelinePoint, WindowValue};
use crate::unit::{Labels, Span, Window};

/// Measures a balance.
pub(crate) struct BalanceMeter {
    selectors: [String; 2],
    incoming: Counters,
    outgoing: Counters,
}

impl BalanceMeter {
    /// Sets up a balance for one session.
    pub(crate) fn new<S: FrameSource>(
        loader: &mut Loader<'_, S>,
        incoming: &Selector,
        outgoing: &Selector,
    ) -> Result<Self, SummaryError> {
        Ok(Self {
            selectors: [incoming.text().to_owned(), outgoing.text().to_owned()],
            incoming: loader.counters(incoming)?,
            outgoing: loader.counters(outgoing)?,
        })
    }

    /// in − out; `None` when either side has no sample that speaks for the window.
    fn difference(&self, window: Window) -> Option<f64> {
        let amount = |increase: Increase| increase.amount;
        Some(
            self.incoming.increase(window).map(amount)?
                - self.outgoing.increase(window).map(amount)?,
        )
    }
}

impl Meter for BalanceMeter {
    fn step(&self) -> Option<Span> {
        self.incoming.step().max(self.outgoing.step())
    }

    fn selectors(&self) -> Vec<SelectorMatch> {
        let [incoming, outgoing] = self.selectors.clone();
        vec![
            SelectorMatch { text: incoming, found: !self.incoming.is_empty() },
            SelectorMatch { text: outgoing, found: !self.outgoing.is_empty() },
        ]
    }

    fn experiment(&self, iteration: &Iteration) -> Result<WindowValue, PartExceedsTotal> {
        let after = [&self.incoming, &self.outgoing]
            .map(|counters| rule::covers(counters.coverage(iteration.experiment)));
        let both = Window { start: iteration.baseline.start, end: iteration.experiment.end };
        let value = self.measure(both)?;
        // A service that stayed silent after the kill must not hide behind a long baseline.
        Ok(if after == [true, true] { value } else { WindowValue::missing(value.coverage) })
    }

    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal> {
        let (left, right) = (self.incoming.coverage(window), self.outgoing.coverage(window));
        let coverage = if left < right { left } else { right };
        if !rule::covers(coverage) {
            return Ok(WindowValue::missing(Some(coverage)));
        }
        let value = self.difference(window).map(f64::abs).ok_or(Loss::MissingData);
        Ok(WindowValue::plain(value, coverage))
    }

    fn has_gap(&self, range: Window) -> bool {
        self.incoming.has_gap(range) || self.outgoing.has_gap(range)
    }

    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint> {
        let mut open = 0.0;
        stretches.of_windows(|stretch| {
            open += self.difference(stretch)?;
            Some(f64::abs(open))
        })
    }

    fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        self.incoming.labels_seen(window).chain(self.outgoing.labels_seen(window)).collect()
    }

    fn signal(&self, _range: Window, _trailing: Span) -> Option<Vec<SignalPoint>> {
        None
    }
}
