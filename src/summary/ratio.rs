//! A share of events: increase of the counted part over the increase of all.
//!
//! The shown ratio is part / total as written, good or bad; [`Counts::bad`] always counts the bad events. A part
//! without a sample in a window in which `total` has some gained nothing: its series are born with the first event.

use crate::frame::rule;
use crate::frame::{Counters, FrameSource};
use crate::spec::{Counted, Selector};
use crate::summary::error::{PartExceedsTotal, SummaryError};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, Reading, SelectorMatch, SignalPoint, SignalReading};
use crate::summary::timeline::Stretches;
use crate::summary::value::{Counts, Loss, TimelinePoint, WindowValue};
use crate::summary::worst::Slicing;
use crate::unit::{Labels, Span, Timestamp, Window};

/// By how much, relatively, the part may exceed the whole before the recording is refused: the last bits of counters
/// that are no whole numbers.
const ROUNDING: f64 = 1e-9;

/// A ratio as the document writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RatioTerms<'terms> {
    /// The counted part.
    pub(crate) part: &'terms Selector,
    /// Bad or good.
    pub(crate) counted: Counted,
    /// All events.
    pub(crate) total: &'terms Selector,
    /// Fewer carry no ratio.
    pub(crate) min_requests: u64,
}

/// Measures a ratio.
pub(crate) struct RatioMeter {
    selectors: [String; 2],
    part: Counters,
    counted: Counted,
    total: Counters,
    min_requests: f64,
    slicing: Slicing,
}

/// Increases of part and whole over one window.
#[derive(Debug, Clone, Copy)]
struct Events {
    part: f64,
    total: f64,
}

impl Events {
    /// The ratio; `None` without events.
    fn share(self) -> Option<f64> {
        (self.total > 0.0).then(|| self.part / self.total)
    }
}

impl RatioMeter {
    /// Sets up a ratio for one session.
    pub(crate) fn new<S: FrameSource>(
        loader: &mut Loader<'_, S>,
        terms: RatioTerms<'_>,
        slicing: Slicing,
    ) -> Result<Self, SummaryError> {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests that a person wrote")]
        let min_requests = terms.min_requests as f64;
        Ok(Self {
            selectors: [terms.total.text().to_owned(), terms.part.text().to_owned()],
            part: loader.counters(terms.part)?,
            counted: terms.counted,
            total: loader.counters(terms.total)?,
            min_requests,
            slicing,
        })
    }

    /// The events of a window; `None` when `total` has no sample that speaks for it.
    fn events(&self, window: Window) -> Option<Events> {
        let total = self.total.increase(window)?.amount;
        let part = self.part.increase(window).map_or(0.0, |increase| increase.amount);
        Some(Events { part, total })
    }

    /// The same, refusing a part larger than the whole.
    fn checked_events(&self, window: Window) -> Result<Option<Events>, PartExceedsTotal> {
        let events = self.events(window);
        match events {
            Some(Events { part, total }) if part > total * (1.0 + ROUNDING) => {
                Err(PartExceedsTotal { window, part, total })
            }
            Some(_) | None => Ok(events),
        }
    }

    /// The counts that verdicts read.
    fn counts(&self, events: Events) -> Counts {
        let bad = match self.counted {
            Counted::Bad => events.part,
            Counted::Good => events.total - events.part,
        };
        Counts { bad, bad_surely: bad, total: events.total }
    }
}

impl Meter for RatioMeter {
    fn step(&self) -> Option<Span> {
        self.total.step()
    }

    fn selectors(&self) -> Vec<SelectorMatch> {
        let [total, part] = self.selectors.clone();
        vec![
            SelectorMatch { text: total, found: !self.total.is_empty() },
            SelectorMatch { text: part, found: !self.part.is_empty() },
        ]
    }

    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal> {
        let coverage = self.total.coverage(window);
        if !rule::covers(coverage) {
            return Ok(WindowValue::missing(Some(coverage)));
        }
        let Some(events) = self.checked_events(window)? else {
            return Ok(WindowValue::missing(Some(coverage)));
        };
        let value: Reading = if events.total < self.min_requests || events.total <= 0.0 {
            Err(Loss::NoTraffic)
        } else {
            self.slicing.read(window, |slice| {
                Ok(match self.checked_events(slice)? {
                    Some(events) => events.share().ok_or(Loss::NoTraffic),
                    None => Err(Loss::MissingData),
                })
            })?
        };
        let counts = Some(self.counts(events));
        Ok(WindowValue { value, coverage: Some(coverage), counts, share_under: None })
    }

    fn has_gap(&self, range: Window) -> bool {
        self.total.has_gap(range)
    }

    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint> {
        stretches.of_windows(|stretch| self.events(stretch)?.share())
    }

    fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        self.total.labels_seen(window).collect()
    }

    fn signal(&self, range: Window, trailing: Span) -> Option<Vec<SignalPoint>> {
        let points = self.total.times(range).into_iter().map(|at| {
            let end = Timestamp::from_milliseconds(at);
            let share = self.events(Window { start: end.minus(trailing), end });
            let reading = match share.map(Events::share) {
                Some(Some(share)) => SignalReading::of(share),
                Some(None) => SignalReading::NoTraffic,
                None => SignalReading::Unknown,
            };
            SignalPoint { at, reading }
        });
        Some(points.collect())
    }
}
