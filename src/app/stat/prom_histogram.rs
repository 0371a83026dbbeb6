//! Methods that read histograms as Prometheus does.

use crate::app::stat::number::{Number, required};
use crate::app::stat::{Answer, Call, Failure, Method, Request};
use crate::stats::prom_histogram::{Bucket, bucket_fraction, bucket_quantile, quantile_bounds};
use crate::stats::prom_native_histogram::{
    DEFAULT_ZERO_THRESHOLD, NanObservations, NativeBucket, NativeHistogram, native_quantile,
    relative_error_bound,
};
use serde::{Deserialize, Serialize};

pub(super) const METHODS: &[Method] = &[
    Method { name: "histogram_quantile_error_bounds", answer: answer_bounds },
    Method { name: "promql_histogram_fraction_classic", answer: answer_fraction },
    Method { name: "promql_histogram_quantile_classic", answer: answer_quantile },
    Method { name: "promql_histogram_quantile_native_exponential", answer: answer_native },
];

#[derive(Debug, Deserialize)]
struct Classic {
    buckets: Vec<Pair>,
}

/// Upper bound and cumulative count.
#[derive(Debug, Deserialize)]
struct Pair(Number, Number);

impl Classic {
    fn buckets(&self) -> Result<Vec<Bucket>, Failure> {
        self.buckets
            .iter()
            .map(|Pair(Number(upper_bound), Number(count))| {
                if upper_bound.is_nan() {
                    return Err(Failure::bad_request(
                        "the upper bound of a bucket is NaN: a number is accepted",
                    ));
                }
                Ok(Bucket { upper_bound: *upper_bound, count: *count })
            })
            .collect()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    q: Option<Number>,
    lower: Option<Number>,
    upper: Option<Number>,
}

/// A value by Prometheus' rules, NaN and infinities included.
#[derive(Debug, Serialize)]
struct Value {
    value: Number,
}

fn answer_quantile(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Classic, Arguments> = request.read()?;
    let Number(q) = required("q", args.q)?;
    Answer::of(&Value { value: Number(bucket_quantile(q, &inputs.buckets()?)) })
}

fn answer_fraction(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Classic, Arguments> = request.read()?;
    let (Number(lower), Number(upper)) =
        (required("lower", args.lower)?, required("upper", args.upper)?);
    Answer::of(&Value { value: Number(bucket_fraction(lower, upper, &inputs.buckets()?)) })
}

#[derive(Debug, Serialize)]
struct Bounds {
    lower: Number,
    upper: Number,
    point: Number,
}

fn answer_bounds(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Classic, Arguments> = request.read()?;
    let Number(q) = required("q", args.q)?;
    let found = quantile_bounds(q, &inputs.buckets()?)?;
    Answer::of(&Bounds {
        lower: Number(found.lower),
        upper: Number(found.upper),
        point: Number(found.point),
    })
}

#[derive(Debug, Deserialize)]
struct Native {
    schema: i32,
    #[serde(default)]
    positive_buckets_index_count: Vec<IndexCount>,
    #[serde(default)]
    negative_buckets_index_count: Vec<IndexCount>,
    #[serde(default)]
    zero_count: Option<f64>,
    #[serde(default)]
    zero_threshold: Option<f64>,
    #[serde(default)]
    count: Option<f64>,
    #[serde(default)]
    sum: Option<Number>,
}

#[derive(Debug, Deserialize)]
struct IndexCount(i32, f64);

#[derive(Debug, Serialize)]
struct NativeValue {
    value: Number,
    relative_error_bound: f64,
}

fn answer_native(request: &Request<'_>) -> Result<Answer, Failure> {
    let Call { inputs, args }: Call<Native, Arguments> = request.read()?;
    let Number(q) = required("q", args.q)?;
    if !(-4..=8).contains(&inputs.schema) {
        return Err(Failure::bad_request(format!(
            "schema is {}: -4 to 8 are accepted",
            inputs.schema
        )));
    }
    let sorted = |list: &[IndexCount]| {
        let mut buckets: Vec<NativeBucket> =
            list.iter().map(|&IndexCount(index, count)| NativeBucket { index, count }).collect();
        buckets.sort_by_key(|bucket| bucket.index);
        buckets
    };
    let positive = sorted(&inputs.positive_buckets_index_count);
    let negative = sorted(&inputs.negative_buckets_index_count);
    let zero_count = inputs.zero_count.unwrap_or(0.0);
    let counted =
        zero_count + positive.iter().chain(&negative).map(|bucket| bucket.count).sum::<f64>();
    let histogram = NativeHistogram {
        schema: inputs.schema,
        zero_threshold: inputs.zero_threshold.unwrap_or(DEFAULT_ZERO_THRESHOLD),
        zero_count,
        positive,
        negative,
        count: inputs.count.unwrap_or(counted),
        nan_observations: match inputs.sum {
            Some(Number(sum)) if sum.is_nan() => NanObservations::Some,
            Some(Number(_)) | None => NanObservations::None,
        },
    };
    Answer::of(&NativeValue {
        value: Number(native_quantile(q, &histogram)),
        relative_error_bound: relative_error_bound(inputs.schema),
    })
}
