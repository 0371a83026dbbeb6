//! The writing of native histograms in the measuring cases: `0:3,1:4,z:2+0:1*13`.
//!
//! A sample is a list of `index:count` pairs with commas between them, the index that of a bucket of positive values.
//! `n1:4` is a bucket of negative values, `z:2` the zero bucket, `nan:1` an observation of NaN, `s:3` the schema (0
//! unless told), `t:0.5` the zero threshold (0.001), `b:0.1` a bound of its own (any makes the layout custom), `anew` says
//! that the counter started anew. `A+B*N` are N samples that grow by B, `_*N` are N missing ones.

use crate::frame::{CounterStart, NativeBuckets, NativeLayout, NativeSample, ZeroBucket};
use crate::stats::prom_native_histogram::NativeBucket;

/// The parts of a sample as they are written.
#[derive(Debug, Clone, Default)]
struct Written {
    positive: Vec<(i32, f64)>,
    negative: Vec<(i32, f64)>,
    bounds: Vec<f64>,
    zero: f64,
    nan: f64,
    threshold: Option<f64>,
    schema: i32,
    start: CounterStart,
}

impl Written {
    fn read(text: &str) -> Self {
        let mut written = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty() && *part != "0") {
            let Some((name, value)) = part.split_once(':') else {
                assert_eq!(part, "anew", "a part of a native histogram");
                written.start = CounterStart::Anew;
                continue;
            };
            let number: f64 = value.parse().unwrap();
            match name {
                "z" => written.zero = number,
                "nan" => written.nan = number,
                "t" => written.threshold = Some(number),
                "s" => written.schema = value.parse().unwrap(),
                "b" => written.bounds.push(number),
                _ => match name.strip_prefix('n') {
                    Some(index) => written.negative.push((index.parse().unwrap(), number)),
                    None => written.positive.push((name.parse().unwrap(), number)),
                },
            }
        }
        written
    }

    fn grown(&self, by: &Self, times: u32) -> NativeSample {
        let times = f64::from(times);
        let side = |own: &[(i32, f64)], more: &[(i32, f64)]| -> Vec<NativeBucket> {
            let own = own.iter().copied();
            own.chain(more.iter().map(|(index, count)| (*index, count * times)))
                .map(|(index, count)| NativeBucket { index, count })
                .collect()
        };
        let positive = side(&self.positive, &by.positive);
        let negative = side(&self.negative, &by.negative);
        let zero = self.zero + by.zero * times;
        let held: f64 = positive.iter().chain(&negative).map(|bucket| bucket.count).sum();
        let layout = if self.bounds.is_empty() {
            NativeLayout::Exponential { schema: self.schema }
        } else {
            NativeLayout::Custom { bounds: self.bounds.clone() }
        };
        NativeSample {
            buckets: NativeBuckets::new(
                layout,
                held + zero + self.nan + by.nan * times,
                ZeroBucket { threshold: self.threshold.unwrap_or(0.001), count: zero },
                positive,
                negative,
            )
            .unwrap(),
            sum: 0.0,
            start: self.start,
        }
    }
}

/// The samples that words write.
pub(super) fn native_samples(words: &[&str], from: i64, every: i64) -> Vec<(i64, NativeSample)> {
    let mut samples = Vec::new();
    let mut at = from;
    for word in words {
        let (shape, times) = word.split_once('*').unwrap_or((word, "1"));
        let (start, by) = shape.split_once('+').unwrap_or((shape, ""));
        for growth in 0..times.parse().unwrap() {
            if start != "_" {
                samples.push((at, Written::read(start).grown(&Written::read(by), growth)));
            }
            at += every;
        }
    }
    samples
}
