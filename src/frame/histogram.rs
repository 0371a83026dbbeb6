//! A histogram over windows, in whichever form it was recorded: its observations, the share of them under a bound,
//! quantiles.
//!
//! Owns what both forms answer alike, and the choice between them: [`Histogram::Native`] where a native one is meant,
//! else [`Histogram::Classic`]. How either is read stands in `classic_histogram` and `native_histogram`.

use crate::frame::classic_histogram::ClassicHistogram;
use crate::frame::native_buckets::NativeBuckets;
use crate::frame::native_histogram::NativeHistograms;
use crate::stats::prom_histogram::{Bucket, bucket_quantile};
use crate::unit::{Labels, Span, Window};

/// An edge within this relative distance of a bound is the bound: both were read from decimal text, and a change of
/// units may cost the last bit.
const EDGE_TOLERANCE: f64 = 1e-12;

/// How the observations of a histogram are kept.
#[derive(Debug, Clone)]
pub enum Histogram {
    /// One counter per bucket.
    Classic(ClassicHistogram),
    /// One series with all buckets.
    Native(NativeHistograms),
}

/// Observations of a window, summed over instances.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// By the edges of all instances.
    Classic {
        /// Cumulative counts per bound, ending with `+Inf`.
        buckets: Vec<Bucket>,
        /// All observations.
        total: f64,
    },
    /// By the coarsest buckets of all instances.
    Native {
        /// The buckets; `None` where instances have layouts that never meet.
        buckets: Option<NativeBuckets>,
        /// All observations.
        total: f64,
    },
}

/// How many observations of a window are at or under a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnderBound {
    /// Surely: by the edges at or below it.
    pub surely: f64,
    /// Possibly: by the edges at or above it.
    pub possibly: f64,
    /// All observations.
    pub total: f64,
}

/// The edges around a bound that is no edge itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgesAround {
    /// Greatest edge below, if any.
    pub below: Option<f64>,
    /// Smallest edge above; infinite for the last bucket.
    pub above: f64,
}

impl Histogram {
    /// Whether the selector means nothing in this recording.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Classic(classic) => classic.is_empty(),
            Self::Native(native) => native.is_empty(),
        }
    }

    /// Median spacing of the samples.
    pub fn step(&self) -> Option<Span> {
        match self {
            Self::Classic(classic) => classic.step(),
            Self::Native(native) => native.step(),
        }
    }

    /// Share of the window that is held by samples of any of the histograms.
    pub fn coverage(&self, window: Window) -> f64 {
        match self {
            Self::Classic(classic) => classic.coverage(window),
            Self::Native(native) => native.coverage(window),
        }
    }

    /// Whether more than 3 steps without a sample reach into a range.
    pub fn has_gap(&self, range: Window) -> bool {
        match self {
            Self::Classic(classic) => classic.has_gap(range),
            Self::Native(native) => native.has_gap(range),
        }
    }

    /// The edges around a bound if some histogram has no edge there; the widest pair over all histograms.
    pub fn edges_around(&self, bound: f64) -> Option<EdgesAround> {
        match self {
            Self::Classic(classic) => classic.edges_around(bound),
            Self::Native(native) => native.edges_around(bound),
        }
    }

    /// The observations of a window; `None` when no histogram has a sample that speaks for it, or when one that
    /// gained something has no total.
    pub fn observed(&self, window: Window) -> Option<Observed> {
        match self {
            Self::Classic(classic) => classic.observed(window),
            Self::Native(native) => native.observed(window),
        }
    }

    /// How many observations of a window are at or under a bound; `None` as for [`Self::observed`].
    pub fn under(&self, bound: f64, window: Window) -> Option<UnderBound> {
        match self {
            Self::Classic(classic) => classic.under(bound, window),
            Self::Native(native) => native.under(bound, window),
        }
    }

    /// Labels of the histograms that have a sample inside a window.
    pub fn labels_seen(&self, window: Window) -> Vec<&Labels> {
        match self {
            Self::Classic(classic) => classic.counters().labels_seen(window).collect(),
            Self::Native(native) => native.counters().labels_seen(window).collect(),
        }
    }

    /// All times at which any of the histograms has a sample in `[start, end)`, sorted.
    pub fn times(&self, range: Window) -> Vec<i64> {
        match self {
            Self::Classic(classic) => classic.counters().times(range),
            Self::Native(native) => native.counters().times(range),
        }
    }
}

impl Observed {
    /// All observations.
    pub fn total(&self) -> f64 {
        match self {
            Self::Classic { total, .. } | Self::Native { total, .. } => *total,
        }
    }

    /// The interpolated quantile of Prometheus, for display and for claims against the baseline; `None` without
    /// observations, with a single classic bucket, or where layouts of instances never meet.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        match self {
            Self::Classic { buckets, .. } => {
                Some(bucket_quantile(q, buckets)).filter(|value| value.is_finite())
            }
            Self::Native { buckets, .. } => buckets.as_ref()?.quantile(q),
        }
    }
}

/// Whether an edge is a bound.
pub(super) fn is_same_edge(edge: f64, bound: f64) -> bool {
    edge.total_cmp(&bound).is_eq() || (edge - bound).abs() <= EDGE_TOLERANCE * bound.abs()
}
