//! Classic histograms over windows: bucket increases, shares under a bound, quantiles for display.
//!
//! Buckets of one histogram are the series that differ in `le` only; each keeps its own layout, so that the bracket of
//! a share stays true when instances have different buckets. `le` is compared as a number (`0.5` is `5e-1`). The
//! total is the `+Inf` bucket; only a histogram without one is counted by its `_count`. Counts that fall towards
//! higher bounds (buckets scraped while they changed) are lifted to the greatest count before them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frame::counter::{Counters, Increase};
use crate::frame::coverage;
use crate::frame::histogram::{EdgesAround, Observed, UnderBound, is_same_edge};
use crate::frame::series::{Frame, Series};
use crate::frame::start::Starts;
use crate::spec::Selector;
use crate::stats::prom_histogram::Bucket;
use crate::unit::{Labels, Span, Window};

/// The classic histograms that a selector means.
#[derive(Debug, Clone)]
pub struct ClassicHistogram {
    buckets: Counters,
    counts: Option<Counters>,
    instances: Vec<Instance>,
    edges: Vec<f64>,
}

/// One histogram: its buckets by bound, as positions among the bucket series.
#[derive(Debug, Clone)]
struct Instance {
    buckets: Vec<Edge>,
    /// Position of the series that counts all observations.
    total: Option<Total>,
}

/// One bucket.
#[derive(Debug, Clone, Copy)]
struct Edge {
    bound: f64,
    position: usize,
}

/// Which series counts all observations of one histogram.
#[derive(Debug, Clone, Copy)]
enum Total {
    /// The `+Inf` bucket, the highest one.
    InfiniteBucket,
    /// The `_count` at this position.
    Count(usize),
}

impl ClassicHistogram {
    /// The histograms whose `_bucket` series a selector means. `counts` are their `_count` series, wanted only where
    /// [`Self::lacks_infinite_bucket`]. Buckets whose `le` is no number are left out.
    pub fn new(
        buckets: &Arc<Frame>,
        selector: &Selector,
        starts: &Starts,
        counts: Option<Counters>,
    ) -> Self {
        let counters = Counters::new(buckets, selector, starts);
        let mut groups: BTreeMap<Labels, Vec<Edge>> = BTreeMap::new();
        for (position, series) in counters.series().enumerate() {
            if let Some(bound) = bound_of(series.labels.get("le")) {
                groups
                    .entry(series.labels.without("le"))
                    .or_default()
                    .push(Edge { bound, position });
            }
        }
        let instances: Vec<Instance> = groups
            .into_iter()
            .map(|(labels, edges)| Instance::new(&labels, edges, counts.as_ref()))
            .collect();
        let mut edges: Vec<f64> = instances
            .iter()
            .flat_map(|instance| instance.buckets.iter().map(|edge| edge.bound))
            .filter(|bound| bound.is_finite())
            .collect();
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup_by(|left, right| left.total_cmp(right).is_eq());
        Self { buckets: counters, counts, instances, edges }
    }

    /// Whether the selector means nothing in this recording.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// Whether some histogram has no `+Inf` bucket, so that its `_count` is needed.
    pub fn lacks_infinite_bucket(&self) -> bool {
        self.instances.iter().any(|instance| instance.total.is_none())
    }

    /// Median spacing of the samples.
    pub fn step(&self) -> Option<Span> {
        self.buckets.step()
    }

    /// The bucket counters.
    pub fn counters(&self) -> &Counters {
        &self.buckets
    }

    /// One series per histogram: buckets are scraped together, so that one of them speaks for the coverage of all.
    fn witnesses(&self) -> impl Iterator<Item = &Series> {
        let series: Vec<&Series> = self.buckets.series().collect();
        self.instances
            .iter()
            .filter_map(move |instance| instance.buckets.last().map(|edge| series[edge.position]))
    }

    /// Share of the window that is held by samples of any of the histograms.
    pub fn coverage(&self, window: Window) -> f64 {
        coverage::coverage(self.witnesses(), window, self.step())
    }

    /// Whether more than 3 steps without a sample reach into a range.
    pub fn has_gap(&self, range: Window) -> bool {
        coverage::has_gap(self.witnesses(), range, self.step())
    }

    /// The edges around a bound if some histogram has no edge there; the widest pair over all histograms.
    pub fn edges_around(&self, bound: f64) -> Option<EdgesAround> {
        let missing = self
            .instances
            .iter()
            .any(|instance| !instance.buckets.iter().any(|edge| is_same_edge(edge.bound, bound)));
        missing.then(|| {
            let others = self.edges.iter().filter(|edge| !is_same_edge(**edge, bound));
            let (below, above): (Vec<f64>, Vec<f64>) = others.partition(|edge| **edge < bound);
            EdgesAround {
                below: below.last().copied(),
                above: above.first().copied().unwrap_or(f64::INFINITY),
            }
        })
    }

    /// The observations of a window; `None` when no histogram has a sample that speaks for it, or when one that
    /// gained something has no total.
    pub fn observed(&self, window: Window) -> Option<Observed> {
        let gained = self.gained(window)?;
        let mut sums: Vec<Bucket> =
            self.edges.iter().map(|edge| Bucket { upper_bound: *edge, count: 0.0 }).collect();
        let mut total = 0.0;
        for (instance, counts) in self.instances.iter().zip(&gained) {
            for (edge, count) in instance.buckets.iter().zip(&counts.cumulative) {
                let at = sums.partition_point(|sum| sum.upper_bound.total_cmp(&edge.bound).is_lt());
                if edge.bound.is_finite() {
                    sums[at].count += count;
                }
            }
            total += counts.total;
        }
        sums.push(Bucket { upper_bound: f64::INFINITY, count: total });
        Some(Observed::Classic { buckets: sums, total })
    }

    /// How many observations of a window are at or under a bound; `None` as for [`Self::observed`].
    pub fn under(&self, bound: f64, window: Window) -> Option<UnderBound> {
        let mut under = UnderBound { surely: 0.0, possibly: 0.0, total: 0.0 };
        for (instance, counts) in self.instances.iter().zip(&self.gained(window)?) {
            let edges = || instance.buckets.iter().zip(&counts.cumulative);
            let below = edges()
                .rev()
                .find(|(edge, _)| edge.bound <= bound || is_same_edge(edge.bound, bound));
            let above =
                edges().find(|(edge, _)| edge.bound >= bound || is_same_edge(edge.bound, bound));
            // Below the first edge nothing is known to be under the bound; above the last one everything may be.
            under.surely += below.map_or(0.0, |(_, count)| *count);
            under.possibly += above.map_or(counts.total, |(_, count)| *count);
            under.total += counts.total;
        }
        Some(under)
    }

    /// What each histogram gained over a window, by its own edges and never falling.
    fn gained(&self, window: Window) -> Option<Vec<Gained>> {
        let increases: Vec<Option<Increase>> = self.buckets.increases(window).collect();
        let counts: Vec<Option<Increase>> =
            self.counts.iter().flat_map(|counts| counts.increases(window)).collect();
        if increases.iter().all(Option::is_none) {
            return None;
        }
        self.instances.iter().map(|instance| instance.gained(&increases, &counts)).collect()
    }
}

/// What one histogram gained.
struct Gained {
    /// Cumulative counts, one per edge.
    cumulative: Vec<f64>,
    /// All observations.
    total: f64,
}

impl Instance {
    fn new(labels: &Labels, mut edges: Vec<Edge>, counts: Option<&Counters>) -> Self {
        edges.sort_by(|left, right| left.bound.total_cmp(&right.bound));
        let infinite = edges.iter().find(|edge| edge.bound.is_infinite() && edge.bound > 0.0);
        let count_of = || {
            let mut series = counts?.series();
            series.position(|series| series.labels == *labels).map(Total::Count)
        };
        let total = infinite.map(|_| Total::InfiniteBucket).or_else(count_of);
        Self { buckets: edges, total }
    }

    /// What this histogram gained. A bucket without a sample in the window gained nothing that was seen; a histogram
    /// without a total says nothing unless it was silent altogether.
    fn gained(&self, buckets: &[Option<Increase>], counts: &[Option<Increase>]) -> Option<Gained> {
        let seen = |increase: &Option<Increase>| increase.map_or(0.0, |increase| increase.amount);
        let mut reached = 0.0;
        let mut cumulative = Vec::with_capacity(self.buckets.len());
        for edge in &self.buckets {
            let count = seen(&buckets[edge.position]);
            if count > reached {
                reached = count;
            }
            cumulative.push(reached);
        }
        let total = match self.total {
            Some(Total::InfiniteBucket) => reached,
            Some(Total::Count(position)) => {
                let count = seen(&counts[position]);
                if count > reached { count } else { reached }
            }
            None if reached > 0.0 => return None,
            None => 0.0,
        };
        Some(Gained { cumulative, total })
    }
}

/// `le` as a number.
fn bound_of(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|bound| !bound.is_nan())
}
