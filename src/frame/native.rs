//! Native histograms as they were recorded: one series holds all buckets of all its times.
//!
//! Owns the sample (buckets, sum, whether its counter is known to have started anew), the series and the frame of one
//! metric, and the reading of samples that show bounds instead of indices, as the query API of Prometheus does.
//! Refuses to know windows: those are `native_histogram`'s.

use crate::frame::native_buckets::{
    BoundedBucket, NativeBuckets, NativeLayout, NativeProblem, SCHEMAS, ZeroBucket,
};
use crate::stats::prom_native_histogram::{NativeBucket, upper_bound};
use crate::unit::Labels;

/// Bounds of exponential buckets come as decimal text of a value that others computed: up to this relative distance
/// they are the same bound.
const BOUND_TOLERANCE: f64 = 1e-9;

/// All series of native histograms of one metric.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NativeFrame {
    /// The metric's name, without a suffix.
    pub metric: String,
    /// The series, sorted by labels.
    pub series: Vec<NativeSeries>,
    /// Samples that shared series and time with another, different one; the one with the greatest count was kept.
    pub conflicting_duplicates: u64,
}

/// One series: strictly increasing times with their histograms.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NativeSeries {
    /// Its labels, without the metric's name.
    pub labels: Labels,
    /// Milliseconds since the epoch, strictly increasing.
    pub times: Vec<i64>,
    /// The histogram at each time.
    pub samples: Vec<NativeSample>,
}

/// A native histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeSample {
    /// Observations by bucket, since the counter started.
    pub buckets: NativeBuckets,
    /// Sum of all observed values; NaN once NaN was observed.
    pub sum: f64,
    /// Whether the counter is known to have started anew before this sample.
    pub start: CounterStart,
}

/// What a source says of the life of a counter between a sample and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CounterStart {
    /// Nothing: a fall of any bucket tells.
    #[default]
    Untold,
    /// It started anew, whatever the buckets show.
    Anew,
}

/// A histogram whose buckets are known by their bounds: the form of query answers.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredHistogram {
    /// All observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// Populated buckets in any order.
    pub buckets: Vec<BoundedBucket>,
}

impl NativeSeries {
    /// A series from samples in any order. Of samples that share a time the one with the greatest count is kept. Returns
    /// the series and how many conflicting samples were dropped.
    pub fn from_unordered(labels: Labels, mut samples: Vec<(i64, NativeSample)>) -> (Self, u64) {
        samples.sort_by(|left, right| {
            let counts = left.1.buckets.count().total_cmp(&right.1.buckets.count());
            left.0.cmp(&right.0).then(counts)
        });
        let mut series = Self { labels, ..Self::default() };
        let mut conflicts = 0;
        for (time, sample) in samples {
            match series.samples.last_mut() {
                Some(last) if series.times.last() == Some(&time) => {
                    conflicts += u64::from(*last != sample);
                    *last = sample;
                }
                Some(_) | None => {
                    series.times.push(time);
                    series.samples.push(sample);
                }
            }
        }
        (series, conflicts)
    }

    /// A series from the answer of a query, which shows the bounds of populated buckets and neither the schema nor an
    /// empty bucket.
    ///
    /// Buckets are exponential if all bounds of the series lie on grids of one factor 2^(2^−schema) each; a series
    /// with another bucket has bounds of its own, and a bound that any sample shows is a bound of all samples in
    /// whose buckets it does not lie.
    ///
    /// # Errors
    /// [`NativeProblem`] names the number that no histogram has.
    pub fn from_answer(
        labels: Labels,
        answer: &[(i64, AnsweredHistogram)],
    ) -> Result<(Self, u64), NativeProblem> {
        let all = || answer.iter().flat_map(|(_, histogram)| &histogram.buckets);
        if let Some(wrong) = all().find(|bucket| !is_upright(bucket)) {
            return Err(NativeProblem::Upended { lower: wrong.lower, upper: wrong.upper });
        }
        let exponential: Option<Vec<Grid>> =
            answer.iter().map(|(_, histogram)| Grid::of(&histogram.buckets)).collect();
        let grids = exponential.unwrap_or_else(|| {
            let mut bounds: Vec<f64> = all()
                .flat_map(|bucket| [bucket.lower, bucket.upper])
                .filter(|bound| bound.is_finite())
                .collect();
            bounds.sort_unstable_by(f64::total_cmp);
            bounds.dedup_by(|left, right| left.total_cmp(right).is_eq());
            answer.iter().map(|(_, histogram)| Grid::own(&bounds, &histogram.buckets)).collect()
        });
        let mut samples = Vec::with_capacity(answer.len());
        for ((time, histogram), grid) in answer.iter().zip(grids) {
            samples.push((*time, grid.sample(histogram)?));
        }
        Ok(Self::from_unordered(labels, samples))
    }
}

/// Where the buckets of one answered histogram lie.
#[derive(Debug, Clone, PartialEq)]
enum Grid {
    Exponential { schema: i32 },
    Own { bounds: Vec<f64> },
}

/// Whether a bucket has a lower and an upper end.
fn is_upright(bucket: &BoundedBucket) -> bool {
    bucket.lower < bucket.upper || is_zero_bucket(bucket)
}

/// Whether a bucket lies around zero: from −threshold to threshold.
fn is_zero_bucket(bucket: &BoundedBucket) -> bool {
    bucket.upper >= 0.0 && bucket.lower <= 0.0 && (bucket.upper + bucket.lower).abs() <= 0.0
}

/// A bucket of positive values with the same distance from zero.
fn unsigned(bucket: &BoundedBucket) -> BoundedBucket {
    if bucket.upper <= 0.0 {
        BoundedBucket { lower: -bucket.upper, upper: -bucket.lower, count: bucket.count }
    } else {
        *bucket
    }
}

/// Whether two bounds are the same up to their writing.
fn is_same_bound(left: f64, right: f64) -> bool {
    (left - right).abs() <= BOUND_TOLERANCE * right.abs()
}

/// The index of the bucket that ends at a bound, if one of this schema does.
fn index_at(schema: i32, bound: f64) -> Option<i32> {
    let position = (bound.log2() * f64::from(schema).exp2()).round();
    if position.is_nan() || position.abs() >= f64::from(i32::MAX / 2) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number inside the range of i32")]
    let index = position as i32;
    is_same_bound(upper_bound(schema, index), bound).then_some(index)
}

impl Grid {
    /// The exponential grid on which all buckets lie; `None` if some do not. A histogram without buckets lies on all of
    /// them.
    fn of(buckets: &[BoundedBucket]) -> Option<Self> {
        let signed: Vec<BoundedBucket> =
            buckets.iter().filter(|bucket| !is_zero_bucket(bucket)).map(unsigned).collect();
        let threshold = buckets.iter().find(|bucket| is_zero_bucket(bucket)).map(|zero| zero.upper);
        // The zero bucket cuts off the buckets that it reaches into: none lies nearer to zero than its threshold.
        let nearest = signed.iter().map(|bucket| bucket.lower).min_by(f64::total_cmp);
        let edge = threshold.or(nearest);
        let fits = |schema: i32| {
            signed.iter().all(|bucket| {
                index_at(schema, bucket.upper).is_some_and(|index| {
                    let lower = upper_bound(schema, index - 1);
                    let cut = edge.is_some_and(|edge| is_same_bound(bucket.lower, edge));
                    is_same_bound(lower, bucket.lower) || (cut && lower < bucket.lower)
                })
            })
        };
        // Of several grids that fit, which only a lone cut bucket leaves open, the coarsest claims least.
        let exact = |schema: &i32| {
            signed.iter().any(|bucket| {
                index_at(*schema, bucket.upper).is_some_and(|index| {
                    is_same_bound(upper_bound(*schema, index - 1), bucket.lower)
                })
            })
        };
        let fitting = || SCHEMAS.filter(|schema| fits(*schema));
        let schema = if signed.is_empty() {
            Some(*SCHEMAS.end())
        } else {
            fitting().find(exact).or_else(|| {
                // Without any whole bucket only the zero bucket can have cut.
                let cut = signed.len() <= 2 && signed.iter().all(|bucket| bucket.lower > 0.0);
                fitting().next().filter(|_| cut && threshold.is_some())
            })
        };
        schema.map(|schema| Self::Exponential { schema })
    }

    /// Of the bounds of a series those that no bucket of a histogram spans.
    fn own(bounds: &[f64], buckets: &[BoundedBucket]) -> Self {
        let spanned =
            |bound: f64| buckets.iter().any(|bucket| bucket.lower < bound && bound < bucket.upper);
        Self::Own { bounds: bounds.iter().copied().filter(|bound| !spanned(*bound)).collect() }
    }

    /// The histogram on this grid.
    fn sample(self, histogram: &AnsweredHistogram) -> Result<NativeSample, NativeProblem> {
        let mut zero = ZeroBucket { threshold: 0.0, count: 0.0 };
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        let layout = match self {
            Self::Exponential { schema } => {
                for bucket in &histogram.buckets {
                    if is_zero_bucket(bucket) {
                        zero = ZeroBucket { threshold: bucket.upper, count: bucket.count };
                        continue;
                    }
                    let index = index_at(schema, unsigned(bucket).upper)
                        .expect("the grid was chosen so that every bucket lies on it");
                    let side = if bucket.upper <= 0.0 { &mut negative } else { &mut positive };
                    side.push(NativeBucket { index, count: bucket.count });
                    let lower = unsigned(bucket).lower;
                    let whole = upper_bound(schema, index - 1);
                    if whole < lower && !is_same_bound(whole, lower) {
                        zero.threshold = lower;
                    }
                }
                NativeLayout::Exponential { schema }
            }
            Self::Own { bounds } => {
                for bucket in &histogram.buckets {
                    let at = bounds.partition_point(|bound| *bound < bucket.upper);
                    let index = i32::try_from(at).expect("bounds are fewer than bucket indices");
                    positive.push(NativeBucket { index, count: bucket.count });
                }
                NativeLayout::Custom { bounds }
            }
        };
        Ok(NativeSample {
            buckets: NativeBuckets::new(layout, histogram.count, zero, positive, negative)?,
            sum: histogram.sum,
            start: CounterStart::Untold,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answered(buckets: &[(f64, f64, f64)]) -> AnsweredHistogram {
        AnsweredHistogram {
            count: buckets.iter().map(|bucket| bucket.2).sum(),
            sum: 1.0,
            buckets: buckets
                .iter()
                .map(|&(lower, upper, count)| BoundedBucket { lower, upper, count })
                .collect(),
        }
    }

    fn read(answers: &[AnsweredHistogram]) -> Vec<NativeBuckets> {
        let timed: Vec<_> = (0_i64..).zip(answers.iter().cloned()).collect();
        let (series, _) = NativeSeries::from_answer(Labels::default(), &timed).unwrap();
        series.samples.into_iter().map(|sample| sample.buckets).collect()
    }

    #[test]
    fn the_schema_is_read_from_the_bounds() {
        let found = read(&[answered(&[
            (-4.0, -2.0, 1.0),
            (-0.001, 0.001, 2.0),
            (0.5, 1.0, 3.0),
            (1.0, 2.0, 4.0),
        ])]);
        assert_eq!(found[0].layout(), &NativeLayout::Exponential { schema: 0 });
        assert_eq!(found[0].zero(), ZeroBucket { threshold: 0.001, count: 2.0 });
        assert_eq!(found[0].negative(), [NativeBucket { index: 2, count: 1.0 }]);
        let positive: Vec<i32> = found[0].positive().iter().map(|bucket| bucket.index).collect();
        assert_eq!(positive, [0, 1]);
    }

    #[test]
    fn a_bucket_cut_off_by_the_zero_bucket_is_still_whole() {
        let found = read(&[answered(&[(-0.6, 0.6, 2.0), (0.6, 1.0, 3.0), (2.0, 4.0, 1.0)])]);
        assert_eq!(found[0].layout(), &NativeLayout::Exponential { schema: 0 });
        assert_eq!(found[0].positive()[0], NativeBucket { index: 0, count: 3.0 });
        assert_eq!(found[0].bounded()[1].lower, 0.6);
    }

    #[test]
    fn a_bound_off_every_grid_makes_bounds_of_their_own_for_the_series() {
        let found = read(&[
            answered(&[(0.25, 0.5, 4.0)]),
            answered(&[(f64::NEG_INFINITY, 0.1, 1.0), (0.25, 0.5, 4.0), (1.0, f64::INFINITY, 2.0)]),
        ]);
        let layout = NativeLayout::Custom { bounds: vec![0.1, 0.25, 0.5, 1.0] };
        assert_eq!((found[0].layout(), found[1].layout()), (&layout, &layout));
        assert_eq!(found[0].positive(), [NativeBucket { index: 2, count: 4.0 }]);
        let indices: Vec<i32> = found[1].positive().iter().map(|bucket| bucket.index).collect();
        assert_eq!(indices, [0, 2, 4]);
    }

    #[test]
    fn of_two_samples_at_one_time_the_greater_count_is_kept() {
        let (series, conflicts) = NativeSeries::from_answer(
            Labels::default(),
            &[
                (5, answered(&[(1.0, 2.0, 4.0)])),
                (5, answered(&[(1.0, 2.0, 3.0)])),
                (1, answered(&[(1.0, 2.0, 3.0)])),
            ],
        )
        .unwrap();
        assert_eq!((series.times, conflicts), (vec![1, 5], 1));
        assert_eq!(series.samples[1].buckets.count(), 4.0);
    }

    #[test]
    fn an_upended_bucket_is_refused() {
        let answer = [(1, answered(&[(2.0, 1.0, 4.0)]))];
        let problem = NativeSeries::from_answer(Labels::default(), &answer).unwrap_err();
        assert_eq!(problem, NativeProblem::Upended { lower: 2.0, upper: 1.0 });
    }

    proptest! {
        #[test]
        fn what_a_query_shows_reads_back_as_what_was_recorded(
            schema in SCHEMAS,
            positive in prop::collection::btree_map(-200_i32..200, 1_u32..90, 2..20),
            negative in prop::collection::btree_map(-20_i32..20, 1_u32..90, 0..3),
            zero in 0_u32..3,
        ) {
            // Bounds beyond the range of floats are no bounds.
            let widest = 1000.0 * f64::from(schema).exp2();
            let side = |map: std::collections::BTreeMap<i32, u32>| -> Vec<NativeBucket> {
                map.into_iter()
                    .filter(|(index, _)| f64::from(index.abs()) < widest)
                    .map(|(index, count)| NativeBucket { index, count: f64::from(count) })
                    .collect()
            };
            let (positive, negative) = (side(positive), side(negative));
            let zero = ZeroBucket { threshold: 1e-308, count: f64::from(zero) };
            let layout = NativeLayout::Exponential { schema };
            let held = positive.iter().chain(&negative).map(|bucket| bucket.count).sum::<f64>();
            let count = held + zero.count;
            let told = NativeBuckets::new(layout, count, zero, positive, negative).unwrap();
            let shown = AnsweredHistogram { count, sum: 0.0, buckets: told.bounded() };
            prop_assert_eq!(&read(&[shown])[0], &told);
        }
    }
}
