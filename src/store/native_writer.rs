//! Writes the native histograms of a recording: `samples-native.parquet`, compressed, atomically.
//!
//! One row per series and time; the columns are told in `source::metrics::recording::native`, which reads them. Lists of
//! indices and counts stand side by side, so that any tool that writes Parquet can make them.

use std::path::Path;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Type, Int32Type, IntoColumn,
    ListBuilderTrait, ListPrimitiveChunkedBuilder, NamedFrom, ParquetCompression, ParquetWriter,
    PolarsError, Series as PolarsSeries, TimeUnit, TimeZone,
};

use super::recording_writer::{WrittenSamples, write_failure};
use super::{AtomicFile, StoreError};
use crate::frame::{CUSTOM_SCHEMA, CounterStart, NativeFrame, NativeLayout, NativeSample};
use crate::stats::prom_native_histogram::NativeBucket;

/// Rows of a full row group: some tens of buckets each make a few megabytes.
const GROUP_ROWS: usize = 1 << 13;

/// The file inside the recording directory.
const FILE: &str = "samples-native.parquet";

/// Writes `frames` into `directory/samples-native.parquet`; an existing file is replaced. The directory must exist. Frames
/// without samples are left out; without any sample no file is written.
///
/// # Errors
/// [`StoreError`] if the file cannot be written; nothing is then left under its name.
pub fn write_native_samples(
    directory: &Path,
    frames: &[NativeFrame],
) -> Result<WrittenSamples, StoreError> {
    let target = directory.join(FILE);
    let failed = |error: PolarsError| write_failure(&target, error);
    let mut written = WrittenSamples::default();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for frame in frames {
        let before = rows.len();
        for series in frame.series.iter().filter(|series| !series.times.is_empty()) {
            written.series += 1;
            let labels = series.labels.to_string();
            rows.extend(series.times.iter().zip(&series.samples).map(|(time, sample)| Row {
                metric: &frame.metric,
                labels: labels.clone(),
                time: *time,
                sample,
            }));
        }
        written.metrics += u64::from(rows.len() > before);
    }
    written.samples = rows.len() as u64;
    if rows.is_empty() {
        return Ok(written);
    }
    let mut table = DataFrame::new(rows.len(), columns(&rows).map_err(failed)?).map_err(failed)?;
    let mut file = AtomicFile::create(&target)?;
    ParquetWriter::new(&mut file)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(GROUP_ROWS))
        .finish(&mut table)
        .map_err(failed)?;
    file.commit()?;
    Ok(written)
}

/// One row.
struct Row<'frame> {
    metric: &'frame str,
    labels: String,
    time: i64,
    sample: &'frame NativeSample,
}

/// All columns.
fn columns(rows: &[Row<'_>]) -> Result<Vec<Column>, PolarsError> {
    let texts = |name: &str, text: fn(&Row<'_>) -> String| {
        let rows: Vec<String> = rows.iter().map(text).collect();
        PolarsSeries::new(name.into(), rows).into_column()
    };
    let numbers = |name: &str, number: fn(&NativeSample) -> f64| {
        let rows: Vec<f64> = rows.iter().map(|row| number(row.sample)).collect();
        PolarsSeries::new(name.into(), rows).into_column()
    };
    let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    let schemas: Vec<i32> = rows.iter().map(|row| schema(row.sample)).collect();
    let anew = rows.iter().map(|row| match row.sample.start {
        CounterStart::Untold => None,
        CounterStart::Anew => Some(true),
    });
    let anew: BooleanChunked = anew.collect();
    let positive = |sample: &NativeSample| sample.buckets.positive().to_vec();
    let negative = |sample: &NativeSample| sample.buckets.negative().to_vec();
    Ok(vec![
        texts("metric", |row| row.metric.to_owned()),
        texts("labels", |row| row.labels.clone()),
        PolarsSeries::new("timestamp".into(), times)
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)))?
            .into_column(),
        PolarsSeries::new("schema".into(), schemas).into_column(),
        numbers("count", |sample| sample.buckets.count()),
        numbers("sum", |sample| sample.sum),
        numbers("zero_threshold", |sample| sample.buckets.zero().threshold),
        numbers("zero_count", |sample| sample.buckets.zero().count),
        indices("positive_index", rows, positive),
        counts("positive_count", rows, positive),
        indices("negative_index", rows, negative),
        counts("negative_count", rows, negative),
        custom_bounds(rows),
        anew.with_name("anew".into()).into_column(),
    ])
}

/// The schema as Prometheus numbers it.
fn schema(sample: &NativeSample) -> i32 {
    match sample.buckets.layout() {
        NativeLayout::Exponential { schema } => *schema,
        NativeLayout::Custom { .. } => CUSTOM_SCHEMA,
    }
}

fn indices(name: &str, rows: &[Row<'_>], side: fn(&NativeSample) -> Vec<NativeBucket>) -> Column {
    let mut list: ListPrimitiveChunkedBuilder<Int32Type> =
        ListPrimitiveChunkedBuilder::new(name.into(), rows.len(), 16 * rows.len(), DataType::Int32);
    for row in rows {
        let own: Vec<i32> = side(row.sample).iter().map(|bucket| bucket.index).collect();
        list.append_slice(&own);
    }
    list.finish().into_column()
}

fn counts(name: &str, rows: &[Row<'_>], side: fn(&NativeSample) -> Vec<NativeBucket>) -> Column {
    floats(name, rows, |sample| side(sample).iter().map(|bucket| bucket.count).collect())
}

fn custom_bounds(rows: &[Row<'_>]) -> Column {
    floats("custom_bounds", rows, |sample| match sample.buckets.layout() {
        NativeLayout::Exponential { .. } => Vec::new(),
        NativeLayout::Custom { bounds } => bounds.clone(),
    })
}

fn floats(name: &str, rows: &[Row<'_>], of: impl Fn(&NativeSample) -> Vec<f64>) -> Column {
    let mut list: ListPrimitiveChunkedBuilder<Float64Type> = ListPrimitiveChunkedBuilder::new(
        name.into(),
        rows.len(),
        16 * rows.len(),
        DataType::Float64,
    );
    for row in rows {
        list.append_slice(&of(row.sample));
    }
    list.finish().into_column()
}
