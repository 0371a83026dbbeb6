//! A quantile of a histogram, and for an absolute bound the share of requests under it.
//!
//! The quantile is interpolated as Prometheus does and is for display and for claims against the baseline. An absolute
//! bound is decided on [`ShareBracket`]: the share of requests *at or under* the bound, whichever side is claimed. `at
//! most B` at quantile q is inside when that share is at least q; `at least B` is inside when it is at most q.
//! Where a selector means native and classic histograms, the native ones are measured: they hold the same observations in
//! finer buckets. [`Counts::bad`] are the requests on the wrong side: over the bound for `at most`, at or under it for `at least`.

use crate::frame::{ClassicHistogram, FrameSource, Histogram, NativeHistograms, UnderBound, rule};
use crate::spec::{Amount, Claim, Form, Selector};
use crate::summary::error::{PartExceedsTotal, SummaryError};
use crate::summary::load::Loader;
use crate::summary::meter::{Meter, SelectorMatch, SignalPoint, SignalReading};
use crate::summary::timeline::Stretches;
use crate::summary::value::{
    Counts, EdgeRemedy, HistogramForms, Loss, MissingEdge, ShareBracket, TimelinePoint, WindowValue,
};
use crate::summary::worst::{Slicing, WorseSide, slices};
use crate::unit::{Labels, Span, Timestamp, Window};

/// Measures a histogram.
pub(crate) struct HistogramMeter {
    text: String,
    histogram: Histogram,
    forms: HistogramForms,
    quantile: f64,
    bound: Option<AbsoluteBound>,
    slicing: Slicing,
}

/// An absolute bound of a claim.
#[derive(Debug, Clone, Copy)]
struct AbsoluteBound {
    value: f64,
    /// Where requests are bad.
    bad: WorseSide,
}

impl AbsoluteBound {
    /// The bound of a claim that is not made against the baseline.
    fn of(claim: Option<&Claim>) -> Option<Self> {
        let claim = claim?;
        let bad = match claim.form {
            Form::AtMost => WorseSide::Greater,
            Form::AtLeast => WorseSide::Smaller,
            Form::IncreaseAtMost | Form::DecreaseAtMost => return None,
        };
        let (Amount::Absolute(value) | Amount::Relative(value)) = claim.amount;
        Some(Self { value, bad })
    }
}

impl HistogramMeter {
    /// Sets up a histogram for one session.
    pub(crate) fn new<S: FrameSource>(
        loader: &mut Loader<'_, S>,
        base: &Selector,
        quantile: f64,
        claim: Option<&Claim>,
        slicing: Slicing,
    ) -> Result<Self, SummaryError> {
        let classic = classic_histogram(loader, base)?;
        let native = NativeHistograms::new(
            &loader.native(base.metric_name())?,
            base,
            &loader.starts(base.metric_name())?,
        );
        let (histogram, forms) = match (native.is_empty(), classic.is_empty()) {
            (true, _) => (Histogram::Classic(classic), HistogramForms::Classic),
            (false, true) => (Histogram::Native(native), HistogramForms::Native),
            (false, false) => (Histogram::Native(native), HistogramForms::NativeBesideClassic),
        };
        let bound = AbsoluteBound::of(claim);
        Ok(Self { text: base.text().to_owned(), histogram, forms, quantile, bound, slicing })
    }

    /// The interpolated quantile of a window.
    fn read(&self, window: Window) -> Result<f64, Loss> {
        let observed = self.histogram.observed(window).ok_or(Loss::MissingData)?;
        if observed.total() <= 0.0 {
            return Err(Loss::NoTraffic);
        }
        observed.quantile(self.quantile).ok_or(Loss::MissingData)
    }

    /// The bracket of the share at or under the bound, of the whole window or its worst slice.
    fn share_under(&self, bound: AbsoluteBound, window: Window) -> Option<ShareBracket> {
        let length = match self.slicing {
            Slicing::Whole => window.length(),
            Slicing::Worst { length, .. } => length,
        };
        // The side on which a share of requests under the bound is worse is the other one.
        let worse = |left: f64, right: f64| match bound.bad {
            WorseSide::Greater => WorseSide::Smaller.worse(left, right),
            WorseSide::Smaller => WorseSide::Greater.worse(left, right),
        };
        let mut worst: Option<ShareBracket> = None;
        for slice in slices(window, length) {
            let under = self.histogram.under(bound.value, slice)?;
            if under.total <= 0.0 {
                return None;
            }
            let (lower, upper) = (under.surely / under.total, under.possibly / under.total);
            worst = Some(worst.map_or(ShareBracket { lower, upper }, |so_far| ShareBracket {
                lower: worse(so_far.lower, lower),
                upper: worse(so_far.upper, upper),
            }));
        }
        worst
    }

    /// The counts of a window. Without an absolute bound nothing says which requests are bad: all may be, none surely
    /// is.
    fn counts(&self, window: Window) -> Option<Counts> {
        let Some(bound) = self.bound else {
            let total = self.histogram.observed(window)?.total();
            return Some(Counts { bad: total, bad_surely: 0.0, total });
        };
        let UnderBound { surely, possibly, total } = self.histogram.under(bound.value, window)?;
        Some(match bound.bad {
            WorseSide::Greater => {
                Counts { bad: total - surely, bad_surely: total - possibly, total }
            }
            WorseSide::Smaller => Counts { bad: possibly, bad_surely: surely, total },
        })
    }
}

/// The classic histograms that a selector means; their `_count` is read only where it is needed.
fn classic_histogram<S: FrameSource>(
    loader: &mut Loader<'_, S>,
    base: &Selector,
) -> Result<ClassicHistogram, SummaryError> {
    let selector = base.with_suffix("_bucket");
    let frame = loader.frame(selector.metric_name())?;
    let starts = loader.starts(selector.metric_name())?;
    let histogram = ClassicHistogram::new(&frame, &selector, &starts, None);
    if !histogram.lacks_infinite_bucket() {
        return Ok(histogram);
    }
    let counts = loader.counters(&base.with_suffix("_count"))?;
    Ok(ClassicHistogram::new(&frame, &selector, &starts, Some(counts)))
}

impl Meter for HistogramMeter {
    fn step(&self) -> Option<Span> {
        self.histogram.step()
    }

    fn selectors(&self) -> Vec<SelectorMatch> {
        vec![SelectorMatch { text: self.text.clone(), found: !self.histogram.is_empty() }]
    }

    fn measure(&self, window: Window) -> Result<WindowValue, PartExceedsTotal> {
        let coverage = self.histogram.coverage(window);
        let counts = self.counts(window).filter(|_| rule::covers(coverage));
        let Some(counts) = counts else { return Ok(WindowValue::missing(Some(coverage))) };
        let value = if counts.total > 0.0 {
            self.slicing.read(window, |slice| Ok(self.read(slice)))?
        } else {
            Err(Loss::NoTraffic)
        };
        let share_under = self.bound.and_then(|bound| self.share_under(bound, window));
        Ok(WindowValue { value, coverage: Some(coverage), counts: Some(counts), share_under })
    }

    fn has_gap(&self, range: Window) -> bool {
        self.histogram.has_gap(range)
    }

    fn timeline(&self, stretches: &Stretches) -> Vec<TimelinePoint> {
        stretches.of_windows(|stretch| self.read(stretch).ok())
    }

    fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        self.histogram.labels_seen(window)
    }

    fn signal(&self, range: Window, trailing: Span) -> Option<Vec<SignalPoint>> {
        let points = self.histogram.times(range).into_iter().map(|at| {
            let end = Timestamp::from_milliseconds(at);
            let reading = match self.read(Window { start: end.minus(trailing), end }) {
                Ok(value) => SignalReading::of(value),
                Err(Loss::NoTraffic) => SignalReading::NoTraffic,
                Err(Loss::MissingData) => SignalReading::Unknown,
            };
            SignalPoint { at, reading }
        });
        Some(points.collect())
    }

    fn missing_edge(&self) -> Option<MissingEdge> {
        let bound = self.bound?.value;
        let around = self.histogram.edges_around(bound)?;
        Some(MissingEdge {
            bound,
            below: around.below,
            above: around.above,
            remedy: match self.histogram {
                Histogram::Classic(_) => EdgeRemedy::AddEdge,
                Histogram::Native(_) => EdgeRemedy::RaiseResolution,
            },
        })
    }

    fn forms(&self) -> Option<HistogramForms> {
        Some(self.forms)
    }
}
