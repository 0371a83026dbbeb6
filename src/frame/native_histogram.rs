//! Native histograms over windows: what each gained, the share under a bound, the buckets for a quantile.
//!
//! The count of a native histogram is a counter like any other, and all that is said of counters holds for it: bases,
//! births, restarts, steps, coverage ([`Counters`] answers). What this file adds is that the gain is a histogram. A
//! counter has started anew where any bucket fell, where the buckets became finer, where the process was restarted, or
//! where the recording says so. Between two starts the gain is the last sample less the first, in the coarser layout
//! of both. Each series keeps its own layout for a share, so that its bracket stays true; only the quantile for display
//! is taken over the coarsest.

use std::sync::Arc;

use crate::frame::counter::{Counters, Stretch};
use crate::frame::histogram::{EdgesAround, Observed, UnderBound, is_same_edge};
use crate::frame::native::{CounterStart, NativeFrame, NativeSeries};
use crate::frame::native_buckets::{BoundedBucket, NativeBuckets, NativeLayout, Side};
use crate::frame::series::{Frame, Series};
use crate::frame::start::Starts;
use crate::spec::Selector;
use crate::stats::prom_native_histogram::upper_bound;
use crate::unit::{Span, Window};

/// The native histograms that a selector means.
#[derive(Debug, Clone)]
pub struct NativeHistograms {
    frame: Arc<NativeFrame>,
    counts: Counters,
    each: Vec<Instance>,
}

/// One native histogram beside its samples.
#[derive(Debug, Clone)]
struct Instance {
    /// Its place in the frame.
    position: usize,
    /// Positions of the samples before which the counter started anew, rising.
    starts: Vec<usize>,
    /// The coarsest layout that it shows.
    coarsest: Option<NativeLayout>,
}

impl NativeHistograms {
    /// The native histograms that a selector means. Cost: one pass over their samples.
    pub fn new(frame: &Arc<NativeFrame>, selector: &Selector, starts: &Starts) -> Self {
        let counts = Counters::new(&Arc::new(counts_of(frame)), selector, starts);
        let each = counts
            .series()
            .enumerate()
            .map(|(at, witness)| {
                let position = frame
                    .series
                    .iter()
                    .position(|series| series.labels == witness.labels)
                    .expect("the counts were made of these series");
                let series = &frame.series[position];
                Instance {
                    position,
                    starts: starts_of(series, counts.restarts(at)),
                    coarsest: coarsest(series),
                }
            })
            .collect();
        Self { frame: Arc::clone(frame), counts, each }
    }

    /// Whether the selector means nothing in this recording.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Median spacing of the samples.
    pub fn step(&self) -> Option<Span> {
        self.counts.step()
    }

    /// The counters of all observations, one per histogram.
    pub fn counters(&self) -> &Counters {
        &self.counts
    }

    /// Share of the window that is held by samples of any of the histograms.
    pub fn coverage(&self, window: Window) -> f64 {
        self.counts.coverage(window)
    }

    /// Whether more than 3 steps without a sample reach into a range.
    pub fn has_gap(&self, range: Window) -> bool {
        self.counts.has_gap(range)
    }

    /// The edges around a bound if some histogram has no edge there; the widest pair over all histograms.
    pub fn edges_around(&self, bound: f64) -> Option<EdgesAround> {
        let layouts = self.each.iter().filter_map(|instance| instance.coarsest.as_ref());
        layouts.filter_map(|layout| edges_of(layout, bound)).reduce(|left, right| EdgesAround {
            below: match (left.below, right.below) {
                (Some(left), Some(right)) => Some(if left < right { left } else { right }),
                (None, _) | (_, None) => None,
            },
            above: if left.above > right.above { left.above } else { right.above },
        })
    }

    /// The observations of a window; `None` when no histogram has a sample that speaks for it.
    pub fn observed(&self, window: Window) -> Option<Observed> {
        let parts = self.gained(window)?;
        let total = parts.iter().map(NativeBuckets::total).sum();
        let buckets = parts.iter().try_fold(NativeBuckets::empty(), |sum, part| sum.plus(part));
        Some(Observed::Native { buckets, total })
    }

    /// How many observations of a window are at or under a bound; `None` as for [`Self::observed`].
    pub fn under(&self, bound: f64, window: Window) -> Option<UnderBound> {
        let mut under = UnderBound { surely: 0.0, possibly: 0.0, total: 0.0 };
        for part in self.gained(window)? {
            let (surely, possibly) = part.at_most(|bucket| side_of(bucket, bound));
            under.surely += surely;
            under.possibly += possibly;
            under.total += part.total();
        }
        Some(under)
    }

    /// What the histograms gained over a window, piece by piece between two starts of a counter, in the order of
    /// their labels and of time.
    fn gained(&self, window: Window) -> Option<Vec<NativeBuckets>> {
        let stretches: Vec<Option<Stretch>> = self.counts.stretches(window).collect();
        if stretches.iter().all(Option::is_none) {
            return None;
        }
        let mut parts = Vec::new();
        for (instance, stretch) in self.each.iter().zip(stretches) {
            let Some(stretch) = stretch else { continue };
            let series = &self.frame.series[instance.position];
            push_gains(series, &instance.starts, stretch, &mut parts);
        }
        Some(parts)
    }
}

/// Adds what one histogram gained over a stretch of its samples, one piece per life of its counter.
fn push_gains(
    series: &NativeSeries,
    starts: &[usize],
    stretch: Stretch,
    parts: &mut Vec<NativeBuckets>,
) {
    let buckets = |at: usize| &series.samples[at].buckets;
    let inside = starts.iter().copied().filter(|at| stretch.first < *at && *at <= stretch.last);
    let mut base = (!stretch.from_zero).then_some(stretch.first);
    for end in inside.map(|start| (start - 1, true)).chain([(stretch.last, false)]) {
        let (last, starts_anew) = end;
        match base {
            None => parts.push(buckets(last).clone()),
            Some(first) if first < last => parts.push(
                // Layouts that never meet are two lives of the counter, so that they never share a piece.
                buckets(last).minus(buckets(first)).unwrap_or_else(|| buckets(last).clone()),
            ),
            Some(_) => {}
        }
        if starts_anew {
            base = None;
        }
    }
}

/// The counts of all observations as series of plain numbers.
fn counts_of(frame: &NativeFrame) -> Frame {
    let series = frame.series.iter().map(|series| Series {
        labels: series.labels.clone(),
        times: series.times.clone(),
        values: series.samples.iter().map(|sample| sample.buckets.count()).collect(),
    });
    Frame {
        metric: frame.metric.clone(),
        series: series.collect(),
        conflicting_duplicates: frame.conflicting_duplicates,
        ..Frame::default()
    }
}

/// Positions of the samples before which the counter started anew.
fn starts_of(series: &NativeSeries, is_restart: impl Fn(usize) -> bool) -> Vec<usize> {
    (1..series.samples.len())
        .filter(|at| {
            let sample = &series.samples[*at];
            let told = match sample.start {
                CounterStart::Anew => true,
                CounterStart::Untold => false,
            };
            told || is_restart(*at) || sample.buckets.fell_since(&series.samples[at - 1].buckets)
        })
        .collect()
}

/// The coarsest layout of a series: that in which all its samples meet. Of layouts that never meet the last one.
fn coarsest(series: &NativeSeries) -> Option<NativeLayout> {
    let populated = series.samples.iter().map(|sample| sample.buckets.layout());
    populated.cloned().reduce(|so_far, next| match (&so_far, next) {
        (NativeLayout::Exponential { schema }, NativeLayout::Exponential { schema: next }) => {
            NativeLayout::Exponential { schema: *schema.min(&next) }
        }
        (NativeLayout::Custom { bounds }, NativeLayout::Custom { bounds: next }) => {
            if *bounds == next {
                so_far
            } else {
                let common = bounds.iter().copied().filter(|bound| next.contains(bound));
                NativeLayout::Custom { bounds: common.collect() }
            }
        }
        (_, next) => next,
    })
}

/// The edges of a layout around a bound that is none of them. The bucket around zero has no edge that is known.
fn edges_of(layout: &NativeLayout, bound: f64) -> Option<EdgesAround> {
    match layout {
        NativeLayout::Exponential { .. } if bound <= 0.0 => None,
        NativeLayout::Exponential { schema } => {
            let position = bound.log2() * f64::from(*schema).exp2();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the logarithm of a float is below 1100 and the factor at most 256"
            )]
            let (below, above) = (position.floor() as i32, position.ceil() as i32);
            // The logarithm may be off by its last bit: the neighbours are tried too.
            let edges = (below - 1..=above + 1).map(|index| upper_bound(*schema, index));
            around(edges, bound)
        }
        NativeLayout::Custom { bounds } => around(bounds.iter().copied(), bound),
    }
}

/// The nearest of rising edges around a bound, unless one of them is the bound.
fn around(edges: impl Iterator<Item = f64>, bound: f64) -> Option<EdgesAround> {
    let mut found = EdgesAround { below: None, above: f64::INFINITY };
    for edge in edges {
        if is_same_edge(edge, bound) {
            return None;
        }
        if edge < bound {
            found.below = Some(edge);
        } else if edge < found.above {
            found.above = edge;
        }
    }
    Some(found)
}

/// Where a bucket lies beside a bound.
fn side_of(bucket: &BoundedBucket, bound: f64) -> Side {
    if bucket.upper <= bound || is_same_edge(bucket.upper, bound) {
        Side::Under
    } else if bucket.lower >= bound || is_same_edge(bucket.lower, bound) {
        Side::Over
    } else {
        Side::Across
    }
}
