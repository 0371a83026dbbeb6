//! Native (exponential) histograms as Prometheus reads them.
//!
//! Owns the quantile of a native histogram, its relative error, and the bounds of a bucket. It knows
//! nothing about spans and deltas: those are decoded before. Values follow Prometheus' own rules, NaN and
//! infinities included.

/// One bucket of a native histogram, not cumulative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NativeBucket {
    /// The bucket i of schema s covers (base^(i−1), base^i] with base = 2^(2^−s); mirrored when negative.
    pub index: i32,
    /// Observations in the bucket.
    pub count: f64,
}

/// Whether observations of the value NaN were counted, which only the count knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NanObservations {
    /// The sum is a number.
    None,
    /// The sum is NaN.
    Some,
}

/// A native histogram at one moment, or a difference of two.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeHistogram {
    /// Resolution, −4 to 8: each step up halves the width of the buckets on the logarithmic scale.
    pub schema: i32,
    /// Half width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// Buckets of positive values, by rising index.
    pub positive: Vec<NativeBucket>,
    /// Buckets of negative values, by rising index.
    pub negative: Vec<NativeBucket>,
    /// All observations, those of NaN included.
    pub count: f64,
    /// Whether NaN was observed.
    pub nan_observations: NanObservations,
}

/// The zero threshold that client libraries use unless told otherwise: 2^−128.
pub const DEFAULT_ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// The upper bound base^index of a bucket, base = 2^(2^−schema).
///
/// ```
/// use unfazed::stats::prom_native_histogram::upper_bound;
/// assert_eq!(upper_bound(0, 3), 8.0);
/// assert_eq!(upper_bound(2, 4), 2.0);
/// ```
pub fn upper_bound(schema: i32, index: i32) -> f64 {
    (f64::from(index) * f64::from(-schema).exp2()).exp2()
}

/// The largest relative width of a bucket: 2^(2^−schema) − 1.
///
/// Any quantile is known up to this factor: 9.05 % at schema 3, 2.19 % at schema 5.
///
/// ```
/// use unfazed::stats::prom_native_histogram::relative_error_bound;
/// assert_eq!(relative_error_bound(0), 1.0);
/// assert!((relative_error_bound(3) - 0.090_507_7).abs() < 1e-7);
/// ```
pub fn relative_error_bound(schema: i32) -> f64 {
    (f64::from(-schema).exp2() * std::f64::consts::LN_2).exp_m1()
}

#[derive(Debug, Clone, Copy)]
struct Span {
    lower: f64,
    upper: f64,
    count: f64,
}

impl NativeHistogram {
    /// All buckets from the lowest value to the highest.
    fn spans(&self) -> Vec<Span> {
        let clipped =
            |bound: f64| if bound < self.zero_threshold { self.zero_threshold } else { bound };
        let above = |bucket: &NativeBucket| Span {
            lower: clipped(upper_bound(self.schema, bucket.index - 1)),
            upper: upper_bound(self.schema, bucket.index),
            count: bucket.count,
        };
        let mirrored =
            |span: Span| Span { lower: -span.upper, upper: -span.lower, count: span.count };
        let mut spans: Vec<Span> =
            self.negative.iter().rev().map(|bucket| mirrored(above(bucket))).collect();
        if self.zero_count > 0.0 {
            // A histogram of one sign only has its zero bucket on that side.
            let lower = if self.negative.is_empty() && !self.positive.is_empty() {
                0.0
            } else {
                -self.zero_threshold
            };
            let upper = if self.positive.is_empty() && !self.negative.is_empty() {
                0.0
            } else {
                self.zero_threshold
            };
            spans.push(Span { lower, upper, count: self.zero_count });
        }
        spans.extend(self.positive.iter().map(above));
        spans
    }
}

/// `histogram_quantile()` of a native histogram with exponential buckets.
///
/// Inside a bucket the interpolation is linear in the logarithm (exponential), in the zero bucket linear.
/// Below the median the buckets are counted from the lowest, above it from the highest, as Prometheus does;
/// with NaN observations always from the lowest, and a rank among them gives NaN.
/// NaN: no observations, or q is NaN. q < 0 gives −∞, q > 1 gives +∞.
/// Reference: Prometheus 3, `HistogramQuantile`. Cost: O(b).
///
/// ```
/// use unfazed::stats::prom_native_histogram::*;
/// let histogram = NativeHistogram {
///     schema: 0,
///     zero_threshold: DEFAULT_ZERO_THRESHOLD,
///     zero_count: 0.0,
///     positive: vec![NativeBucket { index: 1, count: 10.0 }],
///     negative: vec![],
///     count: 10.0,
///     nan_observations: NanObservations::None,
/// };
/// assert!((native_quantile(0.5, &histogram) - 2_f64.sqrt()).abs() < 1e-15);
/// ```
pub fn native_quantile(q: f64, histogram: &NativeHistogram) -> f64 {
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let total = histogram.count;
    if q.is_nan() || total <= 0.0 {
        return f64::NAN;
    }
    let mut spans = histogram.spans();
    let forward = q < 0.5 || histogram.nan_observations == NanObservations::Some;
    if !forward {
        spans.reverse();
    }
    let rank = if forward { q * total } else { (1.0 - q) * total };
    let mut counted = 0.0;
    let mut holder = None;
    for span in spans.iter().filter(|span| span.count > 0.0) {
        counted += span.count;
        holder = Some(*span);
        if counted >= rank {
            break;
        }
    }
    let Some(span) = holder else {
        return f64::NAN;
    };
    if counted > total {
        counted = total;
    }
    if counted < rank {
        return match histogram.nan_observations {
            NanObservations::Some => f64::NAN,
            NanObservations::None => span.upper,
        };
    }
    let inside = if forward { rank - (counted - span.count) } else { counted - rank };
    within(span, inside / span.count)
}

/// The value at a share of a bucket.
fn within(span: Span, share: f64) -> f64 {
    if span.lower <= 0.0 && span.upper >= 0.0 {
        return span.lower + (span.upper - span.lower) * share;
    }
    let (lower, upper) = (span.lower.abs().log2(), span.upper.abs().log2());
    if span.lower > 0.0 {
        (lower + (upper - lower) * share).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - share)).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(
        schema: i32,
        positive: &[(i32, f64)],
        negative: &[(i32, f64)],
        zero_count: f64,
    ) -> NativeHistogram {
        let list = |pairs: &[(i32, f64)]| {
            pairs.iter().map(|&(index, count)| NativeBucket { index, count }).collect::<Vec<_>>()
        };
        let count = zero_count + positive.iter().chain(negative).map(|pair| pair.1).sum::<f64>();
        NativeHistogram {
            schema,
            zero_threshold: 0.001,
            zero_count,
            positive: list(positive),
            negative: list(negative),
            count,
            nan_observations: NanObservations::None,
        }
    }

    #[test]
    fn a_zero_bucket_of_a_positive_histogram_starts_at_zero() {
        let found = native_quantile(0.25, &histogram(0, &[(1, 5.0)], &[], 5.0));
        assert!((found - 0.0005).abs() < 1e-15);
    }

    #[test]
    fn negative_buckets_mirror_positive_ones() {
        let some = [(0, 3.0), (1, 4.0), (2, 5.0)];
        for q in [0.05, 0.3, 0.6, 0.95] {
            let up = native_quantile(q, &histogram(1, &some, &[], 0.0));
            let down = native_quantile(1.0 - q, &histogram(1, &[], &some, 0.0));
            assert!((up + down).abs() < 1e-12, "{q}: {up} {down}");
        }
    }

    #[test]
    fn a_rank_among_nan_observations_is_nan() {
        let mut some = histogram(0, &[(1, 5.0)], &[], 0.0);
        some.count = 10.0;
        some.nan_observations = NanObservations::Some;
        assert!(native_quantile(0.9, &some).is_nan());
        assert!(native_quantile(0.4, &some) > 1.0);
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert!(native_quantile(0.5, &histogram(0, &[], &[], 0.0)).is_nan());
    }

    proptest! {
        #[test]
        fn the_quantile_is_right_up_to_the_error_bound(
            values in prop::collection::vec(0.01_f64..100.0, 1..80), q in 0.0_f64..1.0, schema in -1_i32..6,
        ) {
            let mut counts = std::collections::BTreeMap::<i32, f64>::new();
            for value in &values {
                let mut index = -200_i32;
                while upper_bound(schema, index) < *value {
                    index += 1;
                }
                *counts.entry(index).or_insert(0.0) += 1.0;
            }
            let pairs: Vec<(i32, f64)> = counts.into_iter().collect();
            let mut some = histogram(schema, &pairs, &[], 0.0);
            some.zero_threshold = DEFAULT_ZERO_THRESHOLD;
            let found = native_quantile(q, &some);
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let n = crate::stats::count_to_f64(values.len());
            let error = 1.0 + relative_error_bound(schema);
            // One of the two neighbours of the rank, whichever side the counting came from.
            let close = |truth: f64| truth / error <= found * (1.0 + 1e-9) && found <= truth * error * (1.0 + 1e-9);
            let near = sorted.iter().enumerate().filter(|(i, _)| (crate::stats::count_to_f64(*i) - q * n).abs() <= 1.0);
            prop_assert!(near.into_iter().any(|(_, truth)| close(*truth)), "{found}");
        }
    }
}
