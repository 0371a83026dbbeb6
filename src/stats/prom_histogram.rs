//! Classic histograms as Prometheus reads them.
//!
//! Owns the quantile and the fraction of cumulative buckets, and what a bucket layout can know about a
//! quantile at all. Values follow Prometheus' own rules, NaN and infinities included, which is why these
//! functions return a plain `f64`. Native histograms live in `prom_native_histogram`.

use crate::stats::Undefined;
use crate::stats::position::same;

/// One cumulative bucket: how many observations are at most the bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The upper bound (`le`), as a number.
    pub upper_bound: f64,
    /// The cumulative count, or a rate of it.
    pub count: f64,
}

/// Relative differences of counts below this are rounding of the query that made them.
const SMALL_DELTA: f64 = 1e-12;

/// Buckets in order, of one bound each, with counts that never fall, ending at +Inf.
struct Ladder {
    buckets: Vec<Bucket>,
}

/// Sorted by bound, with buckets of equal bound added up; `None` without a +Inf bucket.
fn merged(buckets: &[Bucket]) -> Option<Vec<Bucket>> {
    let mut sorted = buckets.to_vec();
    sorted.sort_by(|left, right| left.upper_bound.total_cmp(&right.upper_bound));
    let mut merged: Vec<Bucket> = Vec::with_capacity(sorted.len());
    for bucket in sorted {
        match merged.last_mut() {
            Some(last) if same(last.upper_bound, bucket.upper_bound) => last.count += bucket.count,
            Some(_) | None => merged.push(bucket),
        }
    }
    let highest = merged.last()?;
    (highest.upper_bound.is_infinite() && highest.upper_bound > 0.0).then_some(merged)
}

impl Ladder {
    fn new(buckets: &[Bucket]) -> Option<Self> {
        let mut buckets = merged(buckets)?;
        let mut previous = buckets[0].count;
        for bucket in &mut buckets[1..] {
            if bucket.count < previous || nearly_equal(previous, bucket.count) {
                bucket.count = previous;
            } else {
                previous = bucket.count;
            }
        }
        if buckets.len() < 2 || same(buckets[buckets.len() - 1].count, 0.0) {
            return None;
        }
        Some(Self { buckets })
    }

    fn total(&self) -> f64 {
        self.buckets[self.buckets.len() - 1].count
    }

    /// The bucket that holds the rank: the first whose count reaches it.
    fn position(&self, rank: f64) -> usize {
        let finite = &self.buckets[..self.buckets.len() - 1];
        finite.iter().position(|bucket| bucket.count >= rank).unwrap_or(finite.len())
    }
}

/// Equality up to the relative tolerance with which Prometheus forgives float noise between counts.
fn nearly_equal(left: f64, right: f64) -> bool {
    if same(left, right) {
        return true;
    }
    let size = left.abs() + right.abs();
    let difference = (left - right).abs();
    if same(left, 0.0) || same(right, 0.0) || size < f64::MIN_POSITIVE {
        return difference < SMALL_DELTA * f64::MIN_POSITIVE;
    }
    difference / size.clamp(0.0, f64::MAX) < SMALL_DELTA
}

/// `histogram_quantile()` of a classic histogram.
///
/// Buckets may come in any order; equal bounds are added up; falling counts are lifted to the largest count
/// before them. With rank = q·total, the answer lies in the first bucket whose count reaches the rank and is
/// interpolated linearly from the bound below it (from 0 in the first bucket); in the +Inf bucket it is the
/// second-highest bound; in a first bucket whose bound is ≤ 0 it is that bound.
/// NaN: q is NaN, no +Inf bucket, fewer than two bounds, or no observations. q < 0 gives −∞, q > 1 gives +∞.
/// Reference: Prometheus 3, `BucketQuantile`. Cost: O(b log b).
///
/// ```
/// use unfazed::stats::prom_histogram::{Bucket, bucket_quantile};
/// let buckets = [(0.1, 50.0), (0.2, 70.0), (1.0, 110.0), (f64::INFINITY, 120.0)]
///     .map(|(upper_bound, count)| Bucket { upper_bound, count });
/// assert!((bucket_quantile(0.5, &buckets) - 0.15).abs() < 1e-15);
/// assert_eq!(bucket_quantile(1.0, &buckets), 1.0);
/// ```
pub fn bucket_quantile(q: f64, buckets: &[Bucket]) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    match Ladder::new(buckets) {
        Some(ladder) => interpolated(q, &ladder),
        None => f64::NAN,
    }
}

fn interpolated(q: f64, ladder: &Ladder) -> f64 {
    let buckets = &ladder.buckets;
    let rank = q * ladder.total();
    let position = ladder.position(rank);
    if position == buckets.len() - 1 {
        return buckets[buckets.len() - 2].upper_bound;
    }
    let bucket = buckets[position];
    if position == 0 {
        if bucket.upper_bound <= 0.0 {
            return bucket.upper_bound;
        }
        return bucket.upper_bound * (rank / bucket.count);
    }
    let below = buckets[position - 1];
    let share = (rank - below.count) / (bucket.count - below.count);
    below.upper_bound + (bucket.upper_bound - below.upper_bound) * share
}

/// `histogram_fraction()` of a classic histogram: the share of observations between two values.
///
/// Linear inside a bucket; the first bucket starts at 0 when its bound is positive and at −∞ otherwise;
/// nothing of the +Inf bucket, and nothing of a bucket that starts at −∞, lies below a finite value inside
/// it. NaN: a limit is NaN, no +Inf bucket, no observations. 0 when lower ≥ upper.
/// Reference: Prometheus 3, `BucketFraction`. Cost: O(b log b).
///
/// ```
/// use unfazed::stats::prom_histogram::{Bucket, bucket_fraction};
/// let buckets = [(1.0, 1.0), (2.0, 3.0), (3.0, 6.0), (f64::INFINITY, 100.0)]
///     .map(|(upper_bound, count)| Bucket { upper_bound, count });
/// assert_eq!(bucket_fraction(0.5, 2.0, &buckets), 0.025);
/// ```
pub fn bucket_fraction(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    let Some(buckets) = merged(buckets) else {
        return f64::NAN;
    };
    let total = buckets[buckets.len() - 1].count;
    if same(total, 0.0) || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, &buckets, total) - rank_of(lower, &buckets, total)) / total
}

/// How many observations are taken to lie below a value.
fn rank_of(value: f64, buckets: &[Bucket], total: f64) -> f64 {
    let mut start = if buckets[0].upper_bound <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    let mut rank = 0.0;
    for bucket in buckets {
        if start >= value {
            return cut(rank, total);
        }
        if bucket.upper_bound > value {
            let inside = if start.is_infinite() {
                bucket.count
            } else {
                rank + (bucket.count - rank) * (value - start) / (bucket.upper_bound - start)
            };
            return cut(inside, total);
        }
        rank = bucket.count;
        start = bucket.upper_bound;
    }
    total
}

fn cut(rank: f64, total: f64) -> f64 {
    if rank > total { total } else { rank }
}

/// What a bucket layout says about a quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileBounds {
    /// The sample quantile is greater than this: the bound below, 0 in a first bucket of positive values,
    /// −∞ in a first bucket that ends at or below 0.
    pub lower: f64,
    /// The sample quantile is at most this; +∞ in the last bucket.
    pub upper: f64,
    /// The interpolated value of [`bucket_quantile`], which is a guess between them.
    pub point: f64,
}

/// The bounds between which the true sample quantile lies: (le of the bucket below, le of its bucket].
///
/// A claim about a bound strictly between them cannot be decided from this histogram; at a bucket edge it is
/// decided exactly from the counts. Cost: O(b log b).
///
/// ```
/// use unfazed::stats::prom_histogram::{Bucket, quantile_bounds};
/// let buckets = [(0.1, 500.0), (0.25, 900.0), (0.5, 980.0), (f64::INFINITY, 1000.0)]
///     .map(|(upper_bound, count)| Bucket { upper_bound, count });
/// let found = quantile_bounds(0.95, &buckets).unwrap();
/// assert_eq!((found.lower, found.upper), (0.25, 0.5));
/// ```
pub fn quantile_bounds(q: f64, buckets: &[Bucket]) -> Result<QuantileBounds, Undefined> {
    if !(0.0..=1.0).contains(&q) {
        return Err(Undefined::OutOfRange { what: "the quantile", found: q, accepted: "0 to 1" });
    }
    let Some(ladder) = Ladder::new(buckets) else {
        return Err(match merged(buckets) {
            None => Undefined::OutOfRange {
                what: "the highest bucket bound",
                found: buckets
                    .iter()
                    .map(|bucket| bucket.upper_bound)
                    .fold(f64::NEG_INFINITY, crate::stats::position::larger),
                accepted: "+Inf",
            },
            Some(merged) if merged.len() < 2 => {
                Undefined::TooFew { found: merged.len(), needed: 2 }
            }
            Some(_) => Undefined::Empty,
        });
    };
    let position = ladder.position(q * ladder.total());
    let bucket = ladder.buckets[position];
    let lower = match position.checked_sub(1) {
        Some(below) => ladder.buckets[below].upper_bound,
        None if bucket.upper_bound <= 0.0 => f64::NEG_INFINITY,
        None => 0.0,
    };
    Ok(QuantileBounds { lower, upper: bucket.upper_bound, point: interpolated(q, &ladder) })
}

/// The share of observations at or below a bound, between the two bucket edges around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareBounds {
    /// The share at most this bound is at least this: the edge at or below it.
    pub lower: f64,
    /// The share at most this bound is at most this: the edge at or above it.
    pub upper: f64,
}

/// The share of observations that are at most a bound; both limits agree exactly at a bucket edge.
///
/// This, not the interpolated quantile, decides an absolute claim on a histogram. Edge cases as for
/// [`quantile_bounds`]. An edge within 1e-12 relative of the bound is that edge (0.1 + 0.2 is 0.3).
///
/// ```
/// use unfazed::stats::prom_histogram::{Bucket, share_at_most};
/// let buckets = [(0.1, 50.0), (0.25, 95.0), (f64::INFINITY, 100.0)]
///     .map(|(upper_bound, count)| Bucket { upper_bound, count });
/// let found = share_at_most(0.2, &buckets).unwrap();
/// assert_eq!((found.lower, found.upper), (0.5, 0.95));
/// assert_eq!(share_at_most(0.25, &buckets).unwrap().lower, 0.95);
/// ```
pub fn share_at_most(bound: f64, buckets: &[Bucket]) -> Result<ShareBounds, Undefined> {
    quantile_bounds(0.5, buckets)?;
    let Some(ladder) = Ladder::new(buckets) else {
        return Err(Undefined::Empty);
    };
    let slack = bound.abs() * 1e-12;
    let at_or_below =
        ladder.buckets.iter().rev().find(|bucket| bucket.upper_bound <= bound + slack);
    let at_or_above = ladder.buckets.iter().find(|bucket| bucket.upper_bound >= bound - slack);
    Ok(ShareBounds {
        lower: at_or_below.map_or(0.0, |bucket| bucket.count / ladder.total()),
        upper: at_or_above.map_or(1.0, |bucket| bucket.count / ladder.total()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::count_to_f64;
    use proptest::prelude::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|&(upper_bound, count)| Bucket { upper_bound, count }).collect()
    }

    #[test]
    fn order_and_repetition_of_bounds_do_not_matter() {
        let plain = buckets(&[(0.1, 2.0), (0.2, 6.0), (f64::INFINITY, 8.0)]);
        let mixed = buckets(&[(f64::INFINITY, 8.0), (0.2, 3.0), (0.1, 2.0), (0.2, 3.0)]);
        assert_eq!(bucket_quantile(0.6, &plain), bucket_quantile(0.6, &mixed));
    }

    #[test]
    fn falling_counts_are_lifted() {
        let falling = buckets(&[(0.1, 20.0), (1.0, 10.0), (10.0, 50.0), (f64::INFINITY, 80.0)]);
        assert_eq!(bucket_quantile(0.01, &falling), 0.1 * (0.8 / 20.0));
    }

    #[test]
    fn what_cannot_be_known_is_nan() {
        assert!(bucket_quantile(0.5, &[]).is_nan());
        assert!(bucket_quantile(0.5, &buckets(&[(0.1, 5.0), (0.5, 9.0)])).is_nan());
        assert!(bucket_quantile(0.5, &buckets(&[(f64::INFINITY, 9.0)])).is_nan());
        assert!(bucket_quantile(f64::NAN, &buckets(&[(1.0, 1.0), (f64::INFINITY, 9.0)])).is_nan());
        assert!(bucket_fraction(0.0, 1.0, &[]).is_nan());
    }

    #[test]
    fn beyond_the_unit_interval_the_quantile_is_infinite() {
        let some = buckets(&[(1.0, 1.0), (f64::INFINITY, 9.0)]);
        assert_eq!(bucket_quantile(-0.1, &some), f64::NEG_INFINITY);
        assert_eq!(bucket_quantile(1.1, &some), f64::INFINITY);
    }

    #[test]
    fn a_quantile_in_the_last_bucket_is_not_bounded_from_above() {
        let found = quantile_bounds(0.99, &buckets(&[(1.0, 1.0), (f64::INFINITY, 9.0)])).unwrap();
        assert_eq!((found.lower, found.upper, found.point), (1.0, f64::INFINITY, 1.0));
    }

    #[test]
    fn an_edge_just_inside_and_just_outside() {
        let some = buckets(&[(0.1, 4.0), (0.3, 9.0), (f64::INFINITY, 10.0)]);
        let edge = share_at_most(0.1 + 0.2, &some).unwrap();
        assert_eq!((edge.lower, edge.upper), (0.9, 0.9));
        let off = share_at_most(0.299, &some).unwrap();
        assert_eq!((off.lower, off.upper), (0.4, 0.9));
        let beyond = share_at_most(5.0, &some).unwrap();
        assert_eq!((beyond.lower, beyond.upper), (0.9, 1.0));
    }

    proptest! {
        #[test]
        fn the_true_quantile_lies_between_the_bounds(
            values in prop::collection::vec(0.01_f64..9.0, 1..60), q in 0.0_f64..1.0,
        ) {
            let bounds = [0.5, 1.0, 2.0, 4.0, 8.0, f64::INFINITY];
            let cumulative = bounds.map(|bound| Bucket {
                upper_bound: bound,
                count: count_to_f64(values.iter().filter(|&&value| value <= bound).count()),
            });
            let found = quantile_bounds(q, &cumulative).unwrap();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            // The smallest value whose share reaches q.
            let n = count_to_f64(values.len());
            let truth = sorted.iter().enumerate().find(|(i, _)| count_to_f64(i + 1) >= q * n).map(|(_, v)| *v).unwrap();
            prop_assert!(found.lower <= truth && truth <= found.upper, "{found:?} {truth}");
            prop_assert!(found.lower <= found.point && found.point <= found.upper);
        }

        #[test]
        fn the_fraction_up_to_the_quantile_is_q(
            counts in prop::collection::vec(1_u32..50, 3..8), q in 0.01_f64..0.99,
        ) {
            let mut total = 0.0;
            let mut ladder: Vec<Bucket> = counts.iter().zip(1_u32..).map(|(count, bound)| {
                total += f64::from(*count);
                Bucket { upper_bound: f64::from(bound), count: total }
            }).collect();
            ladder.push(Bucket { upper_bound: f64::INFINITY, count: total });
            let value = bucket_quantile(q, &ladder);
            prop_assert!((bucket_fraction(f64::NEG_INFINITY, value, &ladder) - q).abs() < 1e-9);
        }
    }
}
