//! What a file of native histograms is, told by small real files.

use std::fs;
use std::path::Path;

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series as Polars, TimeUnit,
};

use super::*;
use crate::frame::{
    CounterStart, NativeBuckets, NativeFrame, NativeLayout, NativeSample, NativeSeries, ZeroBucket,
};
use crate::stats::prom_native_histogram::NativeBucket;
use crate::store::write_native_samples;
use crate::unit::Labels;

fn list(pairs: &[(i32, f64)]) -> Vec<NativeBucket> {
    pairs.iter().map(|&(index, count)| NativeBucket { index, count }).collect()
}

fn sample(layout: NativeLayout, positive: &[(i32, f64)], start: CounterStart) -> NativeSample {
    let count = positive.iter().map(|pair| pair.1).sum::<f64>() + 2.0;
    let (zero, negative) = match layout {
        NativeLayout::Exponential { .. } => (2.0, list(&[(-3, 0.0)])),
        NativeLayout::Custom { .. } => (0.0, Vec::new()),
    };
    let zero = ZeroBucket { threshold: 0.25, count: zero };
    NativeSample {
        buckets: NativeBuckets::new(layout, count, zero, list(positive), negative).unwrap(),
        sum: count * 0.5,
        start,
    }
}

fn frames() -> Vec<NativeFrame> {
    let exponential = || NativeLayout::Exponential { schema: 3 };
    let custom = || NativeLayout::Custom { bounds: vec![0.1, 0.5] };
    let series = |pod: &str, samples: Vec<(i64, NativeSample)>| {
        NativeSeries::from_unordered(Labels::from_pairs([("pod", pod)]), samples).0
    };
    vec![
        NativeFrame {
            metric: "a_seconds".to_owned(),
            series: vec![
                series(
                    "a",
                    vec![
                        (
                            1000,
                            sample(exponential(), &[(-9, 4.0), (17, 5.0)], CounterStart::Untold),
                        ),
                        (6000, sample(exponential(), &[], CounterStart::Anew)),
                    ],
                ),
                series(
                    "b",
                    vec![(3000, sample(custom(), &[(0, 1.0), (2, 7.0)], CounterStart::Untold))],
                ),
            ],
            conflicting_duplicates: 0,
        },
        NativeFrame {
            metric: "b_bytes".to_owned(),
            series: vec![series(
                "",
                vec![(0, sample(exponential(), &[(1, 1.0)], CounterStart::Untold))],
            )],
            conflicting_duplicates: 0,
        },
    ]
}

#[test]
fn what_was_written_is_read_and_may_stand_alone() {
    let directory = tempfile::tempdir().unwrap();
    let written = write_native_samples(directory.path(), &frames()).unwrap();
    assert_eq!((written.metrics, written.series, written.samples), (2, 3, 4));
    let recording = Recording::open(directory.path()).unwrap();
    assert_eq!(recording.native_names().collect::<Vec<_>>(), ["a_seconds", "b_bytes"]);
    assert_eq!(recording.metric_names().len(), 0);
    let extent = recording.extent().unwrap().unwrap();
    assert_eq!((extent.first.milliseconds(), extent.last.milliseconds()), (0, 6000));
    for frame in frames() {
        assert_eq!(recording.native_frame(&frame.metric).unwrap(), frame);
    }
    assert!(recording.native_frame("absent").unwrap().series.is_empty());
}

#[test]
fn nothing_written_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let empty = NativeFrame { metric: "a".to_owned(), ..NativeFrame::default() };
    assert_eq!(write_native_samples(directory.path(), &[empty]).unwrap().samples, 0);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// Lists as a column.
fn lists<T: Copy>(name: &str, rows: &[&[T]]) -> Column
where
    Vec<T>: IntoSeries,
{
    let rows: Vec<Polars> = rows.iter().map(|row| row.to_vec().into_series()).collect();
    let rows: &[Polars] = &rows;
    let column: Polars = NamedFrom::new(name.into(), rows);
    column.into_column()
}

/// A column of numbers as a series.
trait IntoSeries {
    fn into_series(self) -> Polars;
}

impl IntoSeries for Vec<i64> {
    fn into_series(self) -> Polars {
        Polars::new("".into(), self)
    }
}

impl IntoSeries for Vec<f64> {
    fn into_series(self) -> Polars {
        Polars::new("".into(), self)
    }
}

fn written(path: &Path, columns: Vec<Column>) {
    let mut table = DataFrame::new_infer_height(columns).unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut table).unwrap();
}

/// The least that a file has, with narrow types, unsorted, in nanoseconds without a zone, and a column of its own.
fn least() -> Vec<Column> {
    let times = Polars::new("timestamp".into(), [5_000_000_000_i64, 0, 0])
        .cast(&DataType::Datetime(TimeUnit::Nanoseconds, None))
        .unwrap();
    vec![
        Polars::new("note".into(), ["x", "y", "z"]).into_column(),
        lists::<i64>("positive_count", &[&[3, 4], &[1], &[2]]),
        lists::<i64>("positive_index", &[&[2, 1], &[1], &[1]]),
        Polars::new("count".into(), [7_i64, 1, 2]).into_column(),
        Polars::new("schema".into(), [0_i64, 0, 0]).into_column(),
        times.into_column(),
        Polars::new("labels".into(), [None::<&str>, None, Some("{}")]).into_column(),
        Polars::new("metric".into(), ["h", "h", "h"]).into_column(),
    ]
}

#[test]
fn optional_columns_may_be_left_out_and_duplicates_keep_the_greater_count() {
    let directory = tempfile::tempdir().unwrap();
    written(&directory.path().join("samples-native.parquet"), least());
    let frame = Recording::open(directory.path()).unwrap().native_frame("h").unwrap();
    assert_eq!(frame.conflicting_duplicates, 1);
    let [series] = frame.series.as_slice() else { panic!("one series") };
    assert_eq!(series.times, [0, 5000]);
    let counts: Vec<f64> = series.samples.iter().map(|sample| sample.buckets.count()).collect();
    assert_eq!(counts, [2.0, 7.0]);
    assert_eq!(series.samples[1].buckets.positive(), list(&[(1, 4.0), (2, 3.0)]));
}

#[test]
fn a_stale_marker_is_no_sample() {
    let directory = tempfile::tempdir().unwrap();
    let mut columns = least();
    columns.retain(|column| column.name() != "count" && !column.name().starts_with("positive"));
    columns.push(Polars::new("count".into(), [0_i64, 1, 0]).into_column());
    columns.push(Polars::new("sum".into(), [f64::NAN, 0.5, 0.0]).into_column());
    columns.push(lists::<i64>("positive_count", &[&[], &[1], &[]]));
    columns.push(lists::<i64>("positive_index", &[&[], &[1], &[]]));
    written(&directory.path().join("samples-native.parquet"), columns);
    let frame = Recording::open(directory.path()).unwrap().native_frame("h").unwrap();
    assert_eq!(frame.series[0].times, [0], "the one at 5 s marks the end");
}

fn refusal(change: impl Fn(&mut Vec<Column>)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut columns = least();
    change(&mut columns);
    written(&directory.path().join("samples-native.parquet"), columns);
    let opened = Recording::open(directory.path());
    let error = match opened {
        Ok(recording) => recording.native_frame("h").unwrap_err(),
        Err(error) => error,
    };
    error.to_string().replace(&directory.path().display().to_string(), "DIR")
}

#[test]
fn what_is_no_histogram_is_named_with_its_row() {
    let replace = |name: &'static str, with: Column| {
        move |columns: &mut Vec<Column>| {
            columns.retain(|column| column.name() != name);
            columns.push(with.clone());
        }
    };
    let cases = [
        (
            refusal(|columns| columns.retain(|column| column.name() != "count")),
            "column 'count' is missing",
        ),
        (
            refusal(replace("count", Polars::new("count".into(), ["7", "1", "2"]).into_column())),
            "column 'count' is str, not a number",
        ),
        (
            refusal(replace("count", Polars::new("count".into(), [7.0, -1.0, 2.0]).into_column())),
            "failed to read row 1 of 'DIR/samples-native.parquet': found a count of -1",
        ),
        (
            refusal(replace("schema", Polars::new("schema".into(), [0, 0, 12]).into_column())),
            "row 2 of 'DIR/samples-native.parquet': found schema 12; accepted are -4 to 8",
        ),
        (
            refusal(replace("positive_index", lists::<i64>("positive_index", &[&[1], &[1], &[1]]))),
            "row 0 of 'DIR/samples-native.parquet': found 1 bucket indices beside 2 counts",
        ),
        (
            refusal(replace(
                "positive_index",
                lists::<f64>("positive_index", &[&[1.5, 2.0], &[1.0], &[1.0]]),
            )),
            "found 1.5, where a whole number is needed",
        ),
        (
            refusal(replace(
                "labels",
                Polars::new("labels".into(), ["", "", "{a=}"]).into_column(),
            )),
            "row 2",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found}\n  lacks {expected}");
    }
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    write_native_samples(directory.path(), &frames()).unwrap();
    let path = directory.path().join("samples-native.parquet");
    let bytes = fs::read(&path).unwrap();
    for keep in [0, 3, bytes.len() / 2, bytes.len() - 3] {
        fs::write(&path, &bytes[..keep]).unwrap();
        let error = Recording::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains("samples-native.parquet"), "{error}");
    }
}

#[test]
fn the_digest_is_that_of_the_histograms_in_any_order() {
    let digest = |frames: &[NativeFrame]| {
        let mut digest = SamplesDigest::default();
        for frame in frames {
            digest.add_native(frame);
        }
        digest.finish()
    };
    let mut turned = frames();
    turned.reverse();
    turned[1].series.reverse();
    assert_eq!(digest(&frames()), digest(&turned));
    turned[1].series[0].samples[0].sum += 1.0;
    assert_ne!(digest(&frames()), digest(&turned));
    assert_eq!(digest(&[]), SamplesDigest::default().finish());
}
