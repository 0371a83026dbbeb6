//! The buckets of one native histogram and their arithmetic: one form for what is equal, coarser layouts, sums and differences.
//!
//! Owns the canonical form, in which no bucket is empty and nothing is said that no observation needs: a source that
//! shows populated buckets only (the query API) and one that shows all (a table) end in the same value. Two layouts
//! meet in the coarser of both, as in Prometheus: exponential buckets at the lower schema with the wider zero bucket,
//! buckets of their own bounds at the bounds that both have. Exponential and own bounds never meet. Refuses to know
//! time, series and resets.

use crate::stats::prom_native_histogram::{
    NanObservations, NativeBucket, NativeHistogram, native_quantile, upper_bound,
};

/// Coarsest and finest resolution of exponential buckets.
pub const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

/// The schema under which Prometheus keeps buckets of their own bounds.
pub const CUSTOM_SCHEMA: i32 = -53;

/// A bucket's share of all observations by which count and buckets may differ without observations of NaN: rounding of
/// sums of rates, never a whole observation.
const COUNT_TOLERANCE: f64 = 1e-9;

/// Where the buckets lie.
#[derive(Debug, Clone, PartialEq)]
pub enum NativeLayout {
    /// Bounds grow by the factor 2^(2^−schema).
    Exponential {
        /// Resolution, −4 to 8.
        schema: i32,
    },
    /// Bounds of their own, as classic histograms have: bucket i reaches up to bound i, the last one to infinity.
    Custom {
        /// Finite upper bounds, rising.
        bounds: Vec<f64>,
    },
}

/// The bucket around zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZeroBucket {
    /// Half its width.
    pub threshold: f64,
    /// Observations in it.
    pub count: f64,
}

/// Observations by bucket, in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeBuckets {
    layout: NativeLayout,
    zero: ZeroBucket,
    positive: Vec<NativeBucket>,
    negative: Vec<NativeBucket>,
    count: f64,
}

/// Why numbers are no native histogram.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NativeProblem {
    /// The schema is unknown.
    #[error("schema {0}; accepted are -4 to 8, and -53 with custom bounds")]
    Schema(i32),
    /// A count is negative or no number.
    #[error("a count of {0}; accepted are numbers from 0 on")]
    Count(f64),
    /// The zero threshold is negative or no number.
    #[error("a zero threshold of {0}; accepted are finite numbers from 0 on")]
    ZeroThreshold(f64),
    /// Custom bounds do not rise or are not finite.
    #[error(
        "custom bounds that do not rise ({0} is followed by {1}); accepted are finite numbers, each above the one before it"
    )]
    Bounds(f64, f64),
    /// A bucket lies beyond the custom bounds.
    #[error(
        "bucket {index} of a histogram with {bounds} custom bounds; accepted are 0 to {bounds}, and no negative buckets"
    )]
    Beyond {
        /// Its index.
        index: i32,
        /// How many bounds there are.
        bounds: usize,
    },
    /// A bucket of the answer of a query has bounds in the wrong order.
    #[error("a bucket from {lower} to {upper}; accepted is a lower bound below the upper one")]
    Upended {
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
}

/// One populated bucket by its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundedBucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Observations.
    pub count: f64,
}

/// What a bucket says of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// All of it lies at or under the bound.
    Under,
    /// All of it lies over the bound.
    Over,
    /// The bound lies inside.
    Across,
}

impl NativeBuckets {
    /// Buckets from their parts, in any order and with empty ones among them.
    ///
    /// # Errors
    /// [`NativeProblem`] names the number that no histogram has.
    pub fn new(
        layout: NativeLayout,
        count: f64,
        zero: ZeroBucket,
        positive: Vec<NativeBucket>,
        negative: Vec<NativeBucket>,
    ) -> Result<Self, NativeProblem> {
        match &layout {
            NativeLayout::Exponential { schema } if !SCHEMAS.contains(schema) => {
                return Err(NativeProblem::Schema(*schema));
            }
            NativeLayout::Exponential { .. } => {}
            NativeLayout::Custom { bounds } => check_custom(bounds, &positive, &negative)?,
        }
        if !(zero.threshold >= 0.0 && zero.threshold.is_finite()) {
            return Err(NativeProblem::ZeroThreshold(zero.threshold));
        }
        let counts = positive.iter().chain(&negative).map(|bucket| bucket.count);
        if let Some(wrong) = counts.chain([zero.count, count]).find(|count| !is_count(*count)) {
            return Err(NativeProblem::Count(wrong));
        }
        Ok(Self { layout, zero, positive: in_order(positive), negative: in_order(negative), count }
            .canonical())
    }

    /// No observation, in a layout that fits every other exponential one.
    pub fn empty() -> Self {
        Self {
            layout: NativeLayout::Exponential { schema: *SCHEMAS.end() },
            zero: ZeroBucket { threshold: 0.0, count: 0.0 },
            positive: Vec::new(),
            negative: Vec::new(),
            count: 0.0,
        }
    }

    /// Where the buckets lie.
    pub fn layout(&self) -> &NativeLayout {
        &self.layout
    }

    /// The zero bucket; its threshold is 0 where nothing depends on it.
    pub fn zero(&self) -> ZeroBucket {
        self.zero
    }

    /// Populated buckets of positive values, or of custom bounds, by rising index.
    pub fn positive(&self) -> &[NativeBucket] {
        &self.positive
    }

    /// Populated buckets of negative values, by rising index: away from zero.
    pub fn negative(&self) -> &[NativeBucket] {
        &self.negative
    }

    /// All observations, those of NaN included.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// All observations, and never fewer than the buckets hold.
    pub fn total(&self) -> f64 {
        let held = self.held();
        if held > self.count { held } else { self.count }
    }

    /// Observations in buckets: all but those of NaN.
    fn held(&self) -> f64 {
        let counts = self.negative.iter().chain(&self.positive).map(|bucket| bucket.count);
        self.zero.count + counts.sum::<f64>()
    }

    /// Whether no bucket is populated, so that every layout of its kind fits.
    fn has_no_bucket(&self) -> bool {
        self.positive.is_empty() && self.negative.is_empty()
    }

    /// Populated buckets by their bounds, from the lowest values to the highest.
    pub fn bounded(&self) -> Vec<BoundedBucket> {
        let mirrored = |bucket: BoundedBucket| BoundedBucket {
            lower: -bucket.upper,
            upper: -bucket.lower,
            count: bucket.count,
        };
        let mut all: Vec<BoundedBucket> =
            self.negative.iter().rev().map(|bucket| mirrored(self.bounds_of(bucket))).collect();
        if self.zero.count > 0.0 {
            let threshold = self.zero.threshold;
            all.push(BoundedBucket { lower: -threshold, upper: threshold, count: self.zero.count });
        }
        all.extend(self.positive.iter().map(|bucket| self.bounds_of(bucket)));
        all
    }

    /// The bounds of a bucket of positive values.
    fn bounds_of(&self, bucket: &NativeBucket) -> BoundedBucket {
        let (lower, upper) = match &self.layout {
            NativeLayout::Exponential { schema } => {
                let lower = upper_bound(*schema, bucket.index.saturating_sub(1));
                let clipped = if lower < self.zero.threshold { self.zero.threshold } else { lower };
                (clipped, upper_bound(*schema, bucket.index))
            }
            NativeLayout::Custom { bounds } => custom_bounds(bounds, bucket.index),
        };
        BoundedBucket { lower, upper, count: bucket.count }
    }

    /// Observations surely and possibly at or under a bound; those of NaN are neither.
    pub(crate) fn at_most(&self, side: impl Fn(&BoundedBucket) -> Side) -> (f64, f64) {
        let (mut surely, mut possibly) = (0.0, 0.0);
        for bucket in self.bounded() {
            match side(&bucket) {
                Side::Under => {
                    surely += bucket.count;
                    possibly += bucket.count;
                }
                Side::Across => possibly += bucket.count,
                Side::Over => {}
            }
        }
        (surely, possibly)
    }

    /// The interpolated quantile of Prometheus; `None` without observations or where it is no finite number.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.total();
        let value = match &self.layout {
            NativeLayout::Exponential { schema } => {
                let unseen = total - self.held() > COUNT_TOLERANCE * total;
                let histogram = NativeHistogram {
                    schema: *schema,
                    zero_threshold: self.zero.threshold,
                    zero_count: self.zero.count,
                    positive: self.positive.clone(),
                    negative: self.negative.clone(),
                    count: total,
                    nan_observations: if unseen {
                        NanObservations::Some
                    } else {
                        NanObservations::None
                    },
                };
                native_quantile(q, &histogram)
            }
            NativeLayout::Custom { bounds } => {
                crate::stats::prom_histogram::bucket_quantile(q, &self.cumulative(bounds))
            }
        };
        Some(value).filter(|value| value.is_finite())
    }

    /// Cumulative buckets of a histogram with bounds of its own.
    fn cumulative(&self, bounds: &[f64]) -> Vec<crate::stats::prom_histogram::Bucket> {
        let mut reached = 0.0;
        let mut populated = self.positive.iter().peekable();
        let mut cumulative = Vec::with_capacity(bounds.len() + 1);
        for (index, bound) in (0_i32..).zip(bounds) {
            if let Some(bucket) = populated.next_if(|bucket| bucket.index == index) {
                reached += bucket.count;
            }
            cumulative
                .push(crate::stats::prom_histogram::Bucket { upper_bound: *bound, count: reached });
        }
        cumulative.push(crate::stats::prom_histogram::Bucket {
            upper_bound: f64::INFINITY,
            count: self.total(),
        });
        cumulative
    }

    /// Both together, in the coarser layout; `None` where the layouts never meet.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let (left, right) = self.reconciled(other)?;
        Some(left.combined(&right, |left, right| left + right))
    }

    /// What is here beyond an earlier one, in the coarser layout; `None` where the layouts never meet. Meant for a
    /// counter that did not fall in between: what rounding leaves below zero is none.
    pub fn minus(&self, earlier: &Self) -> Option<Self> {
        let (left, right) = self.reconciled(earlier)?;
        Some(left.combined(&right, |left, right| if left > right { left - right } else { 0.0 }))
    }

    /// Whether a counter that showed `earlier` must have started anew to show this: something fell, or the layout became
    /// one that a running counter never turns to.
    pub fn fell_since(&self, earlier: &Self) -> bool {
        if self.count < earlier.count {
            return true;
        }
        if let (
            NativeLayout::Exponential { schema: now },
            NativeLayout::Exponential { schema: before },
        ) = (&self.layout, &earlier.layout)
            && now > before
            && !self.has_no_bucket()
            && !earlier.has_no_bucket()
        {
            // A client only ever makes its buckets coarser, until it starts anew.
            return true;
        }
        let Some((now, before)) = self.reconciled(earlier) else { return true };
        now.zero.count < before.zero.count
            || falls(&now.positive, &before.positive)
            || falls(&now.negative, &before.negative)
    }

    /// Both in the coarser layout; `None` where the layouts never meet.
    fn reconciled(&self, other: &Self) -> Option<(Self, Self)> {
        let (mut left, mut right) = match (&self.layout, &other.layout) {
            (
                NativeLayout::Exponential { schema: ours },
                NativeLayout::Exponential { schema: theirs },
            ) => {
                let schema = *ours.min(theirs);
                (self.at_schema(schema), other.at_schema(schema))
            }
            (NativeLayout::Custom { bounds: ours }, NativeLayout::Custom { bounds: theirs }) => {
                if ours == theirs {
                    return Some((self.clone(), other.clone()));
                }
                let common: Vec<f64> =
                    ours.iter().copied().filter(|bound| theirs.contains(bound)).collect();
                return Some((self.at_bounds(&common), other.at_bounds(&common)));
            }
            // What holds no bucket fits every layout.
            (NativeLayout::Exponential { .. }, NativeLayout::Custom { .. })
                if self.has_no_bucket() && self.zero.count <= 0.0 =>
            {
                return Some((
                    Self { layout: other.layout.clone(), ..self.clone() },
                    other.clone(),
                ));
            }
            (NativeLayout::Custom { .. }, NativeLayout::Exponential { .. })
                if other.has_no_bucket() && other.zero.count <= 0.0 =>
            {
                return Some((self.clone(), Self { layout: self.layout.clone(), ..other.clone() }));
            }
            (NativeLayout::Exponential { .. }, NativeLayout::Custom { .. })
            | (NativeLayout::Custom { .. }, NativeLayout::Exponential { .. }) => return None,
        };
        // A zero bucket that grows takes whole buckets in, which may make it grow beyond the other one.
        while left.zero.threshold.total_cmp(&right.zero.threshold).is_ne() {
            let widest = if left.zero.threshold > right.zero.threshold {
                left.zero.threshold
            } else {
                right.zero.threshold
            };
            left.widen_zero(widest);
            right.widen_zero(widest);
        }
        Some((left, right))
    }

    /// The same observations at a schema that is not finer.
    fn at_schema(&self, wanted: i32) -> Self {
        let NativeLayout::Exponential { schema } = self.layout else { return self.clone() };
        let halvings = schema - wanted;
        let coarser = |buckets: &[NativeBucket]| {
            let mut merged: Vec<NativeBucket> = Vec::with_capacity(buckets.len());
            for bucket in buckets {
                let index = ((bucket.index - 1) >> halvings) + 1;
                add_at_end(&mut merged, NativeBucket { index, count: bucket.count });
            }
            merged
        };
        Self {
            layout: NativeLayout::Exponential { schema: wanted },
            zero: self.zero,
            positive: coarser(&self.positive),
            negative: coarser(&self.negative),
            count: self.count,
        }
    }

    /// The same observations by fewer bounds, all of which are among its own.
    fn at_bounds(&self, common: &[f64]) -> Self {
        let NativeLayout::Custom { bounds } = &self.layout else { return self.clone() };
        let mut merged: Vec<NativeBucket> = Vec::with_capacity(self.positive.len());
        for bucket in &self.positive {
            let (_, upper) = custom_bounds(bounds, bucket.index);
            let at = common.partition_point(|bound| *bound < upper);
            let index = i32::try_from(at).expect("bounds are fewer than bucket indices");
            add_at_end(&mut merged, NativeBucket { index, count: bucket.count });
        }
        Self {
            layout: NativeLayout::Custom { bounds: common.to_vec() },
            zero: self.zero,
            positive: merged,
            negative: Vec::new(),
            count: self.count,
        }
    }

    /// Widens the zero bucket, which takes in every populated bucket that reaches into it, whole.
    fn widen_zero(&mut self, wanted: f64) {
        let NativeLayout::Exponential { schema } = self.layout else { return };
        let mut threshold = wanted;
        for side in [&mut self.positive, &mut self.negative] {
            let taken = side
                .iter()
                .take_while(|bucket| {
                    upper_bound(schema, bucket.index.saturating_sub(1)) < threshold
                })
                .count();
            for bucket in side.drain(..taken) {
                self.zero.count += bucket.count;
                let upper = upper_bound(schema, bucket.index);
                if upper > threshold {
                    threshold = upper;
                }
            }
        }
        // The other side may reach into what one side made wider.
        self.zero.threshold = threshold;
        let reaches = |side: &[NativeBucket]| {
            let lowest = side.first();
            lowest.is_some_and(|bucket| {
                upper_bound(schema, bucket.index.saturating_sub(1)) < threshold
            })
        };
        if reaches(&self.positive) || reaches(&self.negative) {
            self.widen_zero(threshold);
        }
    }

    /// Two of one layout, bucket by bucket.
    fn combined(&self, other: &Self, of: impl Fn(f64, f64) -> f64 + Copy) -> Self {
        Self {
            layout: self.layout.clone(),
            zero: ZeroBucket {
                threshold: self.zero.threshold,
                count: of(self.zero.count, other.zero.count),
            },
            positive: paired(&self.positive, &other.positive, of),
            negative: paired(&self.negative, &other.negative, of),
            count: of(self.count, other.count),
        }
    }

    /// Without empty buckets, and without a threshold or a resolution that no observation needs.
    fn canonical(mut self) -> Self {
        self.positive.retain(|bucket| bucket.count > 0.0);
        self.negative.retain(|bucket| bucket.count > 0.0);
        let NativeLayout::Exponential { schema } = self.layout else { return self };
        if self.has_no_bucket() {
            self.layout = NativeLayout::Exponential { schema: *SCHEMAS.end() };
        }
        let clips = |side: &[NativeBucket]| {
            side.first().is_some_and(|bucket| {
                upper_bound(schema, bucket.index.saturating_sub(1)) < self.zero.threshold
            })
        };
        if self.zero.count <= 0.0 && !clips(&self.positive) && !clips(&self.negative) {
            self.zero.threshold = 0.0;
        }
        self
    }
}

/// Whether a number can be a count.
fn is_count(count: f64) -> bool {
    count >= 0.0 && count.is_finite()
}

/// Checks bounds of their own and the buckets between them.
fn check_custom(
    bounds: &[f64],
    positive: &[NativeBucket],
    negative: &[NativeBucket],
) -> Result<(), NativeProblem> {
    let falling = bounds.windows(2).find(|pair| pair[0] >= pair[1] || pair[1].is_nan());
    if let Some(pair) = falling {
        return Err(NativeProblem::Bounds(pair[0], pair[1]));
    }
    if let Some(wrong) = bounds.iter().find(|bound| !bound.is_finite()) {
        return Err(NativeProblem::Bounds(*wrong, f64::INFINITY));
    }
    let fits = |bucket: &&NativeBucket| {
        usize::try_from(bucket.index).is_ok_and(|index| index <= bounds.len())
    };
    let beyond = positive.iter().find(|bucket| !fits(bucket)).or_else(|| negative.first());
    match beyond {
        Some(bucket) => Err(NativeProblem::Beyond { index: bucket.index, bounds: bounds.len() }),
        None => Ok(()),
    }
}

/// The bounds of bucket `index` between bounds of their own.
fn custom_bounds(bounds: &[f64], index: i32) -> (f64, f64) {
    let at = usize::try_from(index).expect("an index was checked when the buckets were made");
    let lower = at.checked_sub(1).map_or(f64::NEG_INFINITY, |below| bounds[below]);
    (lower, bounds.get(at).copied().unwrap_or(f64::INFINITY))
}

/// Buckets by rising index, those of one index added up.
fn in_order(mut buckets: Vec<NativeBucket>) -> Vec<NativeBucket> {
    if !buckets.windows(2).all(|pair| pair[0].index < pair[1].index) {
        buckets.sort_by(|left, right| {
            left.index.cmp(&right.index).then(left.count.total_cmp(&right.count))
        });
        let mut merged = Vec::with_capacity(buckets.len());
        for bucket in buckets {
            add_at_end(&mut merged, bucket);
        }
        return merged;
    }
    buckets
}

/// Adds a bucket whose index is not below that of the last one.
fn add_at_end(merged: &mut Vec<NativeBucket>, bucket: NativeBucket) {
    match merged.last_mut() {
        Some(last) if last.index == bucket.index => last.count += bucket.count,
        Some(_) | None => merged.push(bucket),
    }
}

/// Two lists of buckets, index by index; what becomes empty is left out.
fn paired(
    left: &[NativeBucket],
    right: &[NativeBucket],
    of: impl Fn(f64, f64) -> f64,
) -> Vec<NativeBucket> {
    let mut merged = Vec::with_capacity(left.len().max(right.len()));
    let (mut ours, mut theirs) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let index = match (ours.peek(), theirs.peek()) {
            (Some(one), Some(other)) => one.index.min(other.index),
            (Some(one), None) => one.index,
            (None, Some(other)) => other.index,
            (None, None) => return merged,
        };
        let one = ours.next_if(|bucket| bucket.index == index).map_or(0.0, |bucket| bucket.count);
        let other =
            theirs.next_if(|bucket| bucket.index == index).map_or(0.0, |bucket| bucket.count);
        let count = of(one, other);
        if count > 0.0 {
            merged.push(NativeBucket { index, count });
        }
    }
}

/// Whether some bucket holds less than it held.
fn falls(now: &[NativeBucket], before: &[NativeBucket]) -> bool {
    let mut now = now.iter().peekable();
    before.iter().any(|bucket| {
        while now.next_if(|next| next.index < bucket.index).is_some() {}
        let held = now.peek().filter(|next| next.index == bucket.index);
        held.is_none_or(|next| next.count < bucket.count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(pairs: &[(i32, f64)]) -> Vec<NativeBucket> {
        pairs.iter().map(|&(index, count)| NativeBucket { index, count }).collect()
    }

    fn exponential(schema: i32, zero: (f64, f64), positive: &[(i32, f64)]) -> NativeBuckets {
        let count = zero.1 + positive.iter().map(|pair| pair.1).sum::<f64>();
        let zero = ZeroBucket { threshold: zero.0, count: zero.1 };
        let layout = NativeLayout::Exponential { schema };
        NativeBuckets::new(layout, count, zero, list(positive), vec![]).unwrap()
    }

    fn custom(bounds: &[f64], positive: &[(i32, f64)]) -> NativeBuckets {
        let count = positive.iter().map(|pair| pair.1).sum();
        let zero = ZeroBucket { threshold: 0.0, count: 0.0 };
        let layout = NativeLayout::Custom { bounds: bounds.to_vec() };
        NativeBuckets::new(layout, count, zero, list(positive), vec![]).unwrap()
    }

    #[test]
    fn what_no_observation_needs_is_not_said() {
        let told = exponential(3, (0.001, 0.0), &[(1, 0.0), (2, 5.0)]);
        let shown = exponential(3, (0.0, 0.0), &[(2, 5.0)]);
        assert_eq!(told, shown);
        assert_eq!(exponential(3, (0.001, 0.0), &[]), NativeBuckets::empty());
    }

    #[test]
    fn a_threshold_that_clips_a_bucket_is_kept() {
        let told = exponential(0, (0.75, 0.0), &[(0, 5.0)]);
        assert_eq!(told.bounded()[0].lower, 0.75);
        assert_eq!(told.zero().threshold, 0.75);
    }

    #[test]
    fn two_resolutions_meet_in_the_coarser_one() {
        let fine = exponential(1, (0.0, 0.0), &[(-1, 1.0), (0, 2.0), (1, 3.0), (2, 4.0), (3, 5.0)]);
        let coarse = exponential(0, (0.0, 0.0), &[(1, 10.0)]);
        let sum = fine.plus(&coarse).unwrap();
        assert_eq!(sum, exponential(0, (0.0, 0.0), &[(0, 3.0), (1, 17.0), (2, 5.0)]));
        assert_eq!(sum, coarse.plus(&fine).unwrap());
    }

    #[test]
    fn a_wider_zero_bucket_takes_in_whole_buckets_until_both_agree() {
        // 0.3 reaches into (0.25, 0.5]: the zero bucket becomes 0.5 wide on both sides.
        let wide = exponential(0, (0.3, 2.0), &[(0, 1.0), (1, 1.0)]);
        let narrow = exponential(0, (0.1, 1.0), &[(-2, 1.0), (-1, 4.0), (1, 1.0)]);
        let sum = wide.plus(&narrow).unwrap();
        assert_eq!(sum, exponential(0, (0.5, 8.0), &[(0, 1.0), (1, 2.0)]));
    }

    #[test]
    fn bounds_of_their_own_meet_in_those_that_both_have() {
        let fine = custom(&[0.1, 0.2, 0.5], &[(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]);
        let coarse = custom(&[0.1, 0.5], &[(0, 5.0), (1, 6.0), (2, 7.0)]);
        let sum = fine.plus(&coarse).unwrap();
        assert_eq!(sum, custom(&[0.1, 0.5], &[(0, 6.0), (1, 11.0), (2, 11.0)]));
        assert_eq!(fine.plus(&exponential(0, (0.0, 0.0), &[(1, 1.0)])), None);
        assert_eq!(fine.plus(&NativeBuckets::empty()), Some(fine));
    }

    #[test]
    fn a_fall_anywhere_is_a_fall() {
        let before = exponential(0, (0.1, 1.0), &[(0, 5.0), (1, 5.0)]);
        assert!(exponential(0, (0.1, 9.0), &[(0, 4.0), (1, 9.0)]).fell_since(&before));
        assert!(exponential(0, (0.1, 9.0), &[(1, 9.0)]).fell_since(&before));
        assert!(exponential(1, (0.1, 9.0), &[(0, 9.0), (1, 9.0)]).fell_since(&before), "finer");
        assert!(!exponential(-1, (0.1, 1.0), &[(0, 5.0), (1, 5.0)]).fell_since(&before), "coarser");
        assert!(!exponential(0, (0.5, 1.0), &[(0, 5.0), (1, 5.0)]).fell_since(&before), "wider");
        assert!(!before.fell_since(&before));
        assert!(custom(&[1.0], &[(0, 99.0)]).fell_since(&before), "another kind");
    }

    #[test]
    fn numbers_that_no_histogram_has_are_refused() {
        let zero = ZeroBucket { threshold: 0.0, count: 0.0 };
        let of = |layout, count, positive: &[(i32, f64)]| {
            NativeBuckets::new(layout, count, zero, list(positive), vec![]).unwrap_err()
        };
        let exponential = |schema| NativeLayout::Exponential { schema };
        assert_eq!(of(exponential(9), 0.0, &[]), NativeProblem::Schema(9));
        assert_eq!(of(exponential(0), -1.0, &[]), NativeProblem::Count(-1.0));
        assert!(matches!(of(exponential(0), 1.0, &[(0, f64::NAN)]), NativeProblem::Count(_)));
        let custom = |bounds: &[f64]| NativeLayout::Custom { bounds: bounds.to_vec() };
        assert_eq!(of(custom(&[2.0, 1.0]), 1.0, &[]), NativeProblem::Bounds(2.0, 1.0));
        let beyond = NativeProblem::Beyond { index: 2, bounds: 1 };
        assert_eq!(of(custom(&[1.0]), 1.0, &[(2, 1.0)]), beyond);
    }

    #[test]
    fn bounds_of_their_own_are_read_like_a_classic_histogram() {
        let some = custom(&[0.1, 0.2], &[(0, 50.0), (1, 40.0), (2, 10.0)]);
        assert!((some.quantile(0.5).unwrap() - 0.1).abs() < 1e-15);
        assert_eq!(some.quantile(0.99), Some(0.2), "the last bound");
    }

    proptest! {
        #[test]
        fn a_later_moment_minus_an_earlier_one_is_what_came_between(
            before in prop::collection::btree_map(-30_i32..30, 1_u32..50, 0..12),
            between in prop::collection::btree_map(-30_i32..30, 1_u32..50, 0..12),
            schema in -2_i32..4,
            halvings in 0_i32..3,
        ) {
            let of = |schema: i32, map: &std::collections::BTreeMap<i32, u32>| {
                let pairs: Vec<(i32, f64)> =
                    map.iter().map(|(index, count)| (*index, f64::from(*count))).collect();
                exponential(schema, (0.0, 0.0), &pairs)
            };
            let (before, between) = (of(schema, &before), of(schema, &between));
            let after = before.plus(&between).unwrap();
            prop_assert!(!after.fell_since(&before));
            prop_assert_eq!(after.minus(&before).unwrap().canonical(), between.clone());
            // The same told more coarsely afterwards: the difference is the coarse view of what came.
            let coarse = after.at_schema(schema - halvings).canonical();
            prop_assert!(!coarse.fell_since(&before));
            let expected = between.at_schema(schema - halvings);
            let found = coarse.minus(&before).unwrap();
            prop_assert_eq!(found.positive(), expected.positive());
            prop_assert_eq!(found.total(), expected.total());
        }
    }
}
