//! The digest of samples: of what was measured, never of the bytes of a file.
//!
//! The same samples give the same digest from Parquet or CSV, from one file or many, in any order of rows, on any
//! number of threads. Frames may be added in any order; each is digested alone and the digests are digested again in
//! the order of the metrics' names.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::frame::{
    CUSTOM_SCHEMA, CounterStart, Frame, NativeFrame, NativeLayout, NativeSample, NativeSeries,
    Rows, Series,
};
use crate::stats::prom_native_histogram::NativeBucket;

/// Gathers the digests of frames.
///
/// ```
/// use unfazed::frame::{Frame, Series};
/// use unfazed::source::metrics::SamplesDigest;
/// use unfazed::unit::Labels;
///
/// let (series, _) = Series::from_unordered(Labels::default(), vec![(2000, 2.0), (1000, 1.0)]);
/// let frame = Frame { metric: "queue_depth".to_owned(), series: vec![series], ..Frame::default() };
/// let mut digest = SamplesDigest::default();
/// digest.add(&frame);
/// digest.add(&Frame { metric: "absent".to_owned(), ..Frame::default() });
/// assert!(digest.finish().starts_with("sha256:"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SamplesDigest {
    frames: BTreeMap<(String, Rows), [u8; 32]>,
    natives: BTreeMap<String, [u8; 32]>,
}

impl SamplesDigest {
    /// Adds the samples of a metric; its deduplicated series and all of its rows are two things. A metric without samples leaves the digest as it is; adding the same frame
    /// again changes nothing.
    pub fn add(&mut self, frame: &Frame) {
        if frame.series.iter().any(|series| !series.times.is_empty()) {
            self.frames.insert((frame.metric.clone(), frame.rows), Self::of_frame(frame));
        }
    }

    /// Adds the native histograms of a metric, under the same rules.
    pub fn add_native(&mut self, frame: &NativeFrame) {
        if frame.series.iter().any(|series| !series.times.is_empty()) {
            self.natives.insert(frame.metric.clone(), Self::of_native(frame));
        }
    }

    /// Takes over what another one gathered, so that frames can be digested side by side.
    pub fn join(&mut self, other: Self) {
        self.frames.extend(other.frames);
        self.natives.extend(other.natives);
    }

    /// The digest of everything that was added, as `sha256:` and hexadecimal digits.
    pub fn finish(&self) -> String {
        let mut hash = Sha256::new();
        for ((metric, rows), digest) in &self.frames {
            add_text(&mut hash, metric);
            match rows {
                Rows::Deduplicated => {}
                Rows::Every => add_text(&mut hash, "every row"),
            }
            hash.update(digest);
        }
        for (metric, digest) in &self.natives {
            add_text(&mut hash, metric);
            add_text(&mut hash, "native histograms");
            hash.update(digest);
        }
        hash.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing into a text cannot fail");
            text
        })
    }

    /// The digest of one frame.
    fn of_frame(frame: &Frame) -> [u8; 32] {
        let mut order: Vec<&Series> =
            frame.series.iter().filter(|series| !series.times.is_empty()).collect();
        order.sort_by(|left, right| left.labels.cmp(&right.labels));
        let mut hash = Sha256::new();
        for series in order {
            add_text(&mut hash, &series.labels.to_string());
            add_times(&mut hash, &series.times);
            let mut bytes = Vec::with_capacity(8 * 1024);
            for block in series.values.chunks(1024) {
                bytes.clear();
                bytes.extend(block.iter().flat_map(|value| canonical_bits(*value).to_le_bytes()));
                hash.update(&bytes);
            }
        }
        hash.finalize().into()
    }

    /// The digest of native histograms in their canonical form.
    fn of_native(frame: &NativeFrame) -> [u8; 32] {
        let mut order: Vec<&NativeSeries> =
            frame.series.iter().filter(|series| !series.times.is_empty()).collect();
        order.sort_by(|left, right| left.labels.cmp(&right.labels));
        let mut hash = Sha256::new();
        for series in order {
            add_text(&mut hash, &series.labels.to_string());
            add_times(&mut hash, &series.times);
            for sample in &series.samples {
                add_native_sample(&mut hash, sample);
            }
        }
        hash.finalize().into()
    }
}

/// One native histogram.
fn add_native_sample(hash: &mut Sha256, sample: &NativeSample) {
    let mut bytes = Vec::with_capacity(256);
    let number = |bytes: &mut Vec<u8>, value: f64| {
        bytes.extend(canonical_bits(value).to_le_bytes());
    };
    let buckets = &sample.buckets;
    match buckets.layout() {
        NativeLayout::Exponential { schema } => bytes.extend(schema.to_le_bytes()),
        NativeLayout::Custom { bounds } => {
            bytes.extend(CUSTOM_SCHEMA.to_le_bytes());
            bytes.extend((bounds.len() as u64).to_le_bytes());
            for bound in bounds {
                number(&mut bytes, *bound);
            }
        }
    }
    for value in [buckets.count(), sample.sum, buckets.zero().threshold, buckets.zero().count] {
        number(&mut bytes, value);
    }
    for side in [buckets.positive(), buckets.negative()] {
        bytes.extend((side.len() as u64).to_le_bytes());
        for NativeBucket { index, count } in side {
            bytes.extend(index.to_le_bytes());
            number(&mut bytes, *count);
        }
    }
    bytes.push(match sample.start {
        CounterStart::Untold => 0,
        CounterStart::Anew => 1,
    });
    hash.update(&bytes);
}

/// The bits of a value. Every NaN is the same: CSV cannot tell them apart.
fn canonical_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// A text with its length before it, so that no two lists of texts read the same.
fn add_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// Times as runs of equal spacing: a regular scrape costs a few bytes instead of eight a sample, which halves the
/// time that a digest takes. The form is a function of the times alone.
fn add_times(hash: &mut Sha256, times: &[i64]) {
    hash.update((times.len() as u64).to_le_bytes());
    let Some(first) = times.first() else { return };
    hash.update(first.to_le_bytes());
    let mut bytes = Vec::new();
    let mut run: Option<(i64, u64)> = None;
    for pair in times.windows(2) {
        let step = pair[1].wrapping_sub(pair[0]);
        run = match run {
            Some((same, count)) if same == step => Some((same, count + 1)),
            other => {
                add_run(&mut bytes, other);
                Some((step, 1))
            }
        };
        if bytes.len() >= 1 << 14 {
            hash.update(&bytes);
            bytes.clear();
        }
    }
    add_run(&mut bytes, run);
    hash.update(&bytes);
}

fn add_run(bytes: &mut Vec<u8>, run: Option<(i64, u64)>) {
    if let Some((step, count)) = run {
        bytes.extend(step.to_le_bytes());
        bytes.extend(count.to_le_bytes());
    }
}
