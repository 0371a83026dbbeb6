//! Writes the samples of a recording: `samples.parquet`, compressed, atomically.
//!
//! Frames come one at a time, so that a recording of any length is written in bounded memory. A metric of many rows
//! gets row groups of its own, which the reader then finds without touching the others; small metrics share one,
//! because a row group costs about a kilobyte whatever it holds.

use std::io;
use std::path::Path;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter,
    PolarsError, Schema, Series as PolarsSeries, TimeUnit, TimeZone,
};

use super::{AtomicFile, StoreError};
use crate::frame::Frame;

/// Rows of a full row group.
const GROUP_ROWS: usize = 1 << 18;

/// Rows from which a metric gets row groups of its own.
const ALONE_ROWS: usize = 1 << 14;

/// The file inside the recording directory.
const FILE: &str = "samples.parquet";

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WrittenSamples {
    /// Metrics with at least one sample.
    pub metrics: u64,
    /// Series with at least one sample.
    pub series: u64,
    /// Samples.
    pub samples: u64,
}

/// Writes `frames` into `directory/samples.parquet`; an existing file is replaced. The directory must exist.
///
/// Frames should come in the order of their names, and series are written in the order they have in their frame;
/// readers accept any order. Frames without samples are left out.
///
/// # Errors
/// [`StoreError`] if the file cannot be written; nothing is then left under its name.
pub fn write_samples(
    directory: &Path,
    frames: impl IntoIterator<Item = Frame>,
) -> Result<WrittenSamples, StoreError> {
    write_samples_file(&directory.join(FILE), frames)
}

/// Writes `frames` into the Parquet file `target` by the rules of [`write_samples`].
///
/// # Errors
/// [`StoreError`] if the file cannot be written; nothing is then left under its name.
pub(crate) fn write_samples_file(
    target: &Path,
    frames: impl IntoIterator<Item = Frame>,
) -> Result<WrittenSamples, StoreError> {
    let failed = |error: PolarsError| write_failure(target, error);
    let mut file = AtomicFile::create(target)?;
    let mut written = WrittenSamples::default();
    let mut writer = ParquetWriter::new(&mut file)
        .with_compression(ParquetCompression::Zstd(None))
        .batched(&schema())
        .map_err(failed)?;
    let mut pending = Rows::default();
    for frame in frames {
        let count: usize = frame.series.iter().map(|series| series.times.len()).sum();
        if count == 0 {
            continue;
        }
        written.metrics += 1;
        if count >= ALONE_ROWS {
            pending.flush(&mut writer).map_err(failed)?;
        }
        for series in frame.series.iter().filter(|series| !series.times.is_empty()) {
            written.series += 1;
            written.samples += series.times.len() as u64;
            let labels = series.labels.to_string();
            let mut at = 0;
            while at < series.times.len() {
                let end = series.times.len().min(at + GROUP_ROWS - pending.times.len());
                pending.runs.push(Run {
                    metric: frame.metric.clone(),
                    labels: labels.clone(),
                    rows: end - at,
                });
                pending.times.extend_from_slice(&series.times[at..end]);
                pending.values.extend_from_slice(&series.values[at..end]);
                at = end;
                if pending.times.len() == GROUP_ROWS {
                    pending.flush(&mut writer).map_err(failed)?;
                }
            }
        }
        if count >= ALONE_ROWS {
            pending.flush(&mut writer).map_err(failed)?;
        }
    }
    pending.flush(&mut writer).map_err(failed)?;
    writer.finish().map_err(failed)?;
    drop(writer);
    file.commit()?;
    Ok(written)
}

/// The error of an encoder, as one of the file it wrote.
pub(super) fn write_failure(target: &Path, error: PolarsError) -> StoreError {
    let message = error.to_string();
    let source = match error {
        PolarsError::IO { error, .. } => io::Error::new(error.kind(), message),
        _ => io::Error::other(message),
    };
    StoreError::new("write", target, source)
}

/// The four columns.
fn schema() -> Schema {
    Schema::from_iter([
        ("metric".into(), DataType::String),
        ("labels".into(), DataType::String),
        ("timestamp".into(), DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))),
        ("value".into(), DataType::Float64),
    ])
}

/// Rows that wait to become a row group.
#[derive(Default)]
struct Rows {
    runs: Vec<Run>,
    times: Vec<i64>,
    values: Vec<f64>,
}

/// Neighbouring rows of one series.
struct Run {
    metric: String,
    labels: String,
    rows: usize,
}

impl Rows {
    /// Writes the rows as one row group, if there are any.
    fn flush(&mut self, writer: &mut BatchedWriter<&mut AtomicFile>) -> Result<(), PolarsError> {
        if self.times.is_empty() {
            return Ok(());
        }
        let texts = |name: &str, text: fn(&Run) -> &str| -> Column {
            let rows: Vec<&str> =
                self.runs.iter().flat_map(|run| std::iter::repeat_n(text(run), run.rows)).collect();
            PolarsSeries::new(name.into(), rows).into_column()
        };
        let times = PolarsSeries::new("timestamp".into(), &self.times)
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)))?;
        let frame = DataFrame::new(
            self.times.len(),
            vec![
                texts("metric", |run| &run.metric),
                texts("labels", |run| &run.labels),
                times.into_column(),
                PolarsSeries::new("value".into(), &self.values).into_column(),
            ],
        )?;
        writer.write_batch(&frame)?;
        self.runs.clear();
        self.times.clear();
        self.values.clear();
        Ok(())
    }
}
