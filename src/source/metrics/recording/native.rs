//! Native histograms of a recording: `samples-native.parquet`, one row per series and time.
//!
//! | column | type | means |
//! |---|---|---|
//! | `metric` | string | the base name, without a suffix |
//! | `labels` | string | as in the samples |
//! | `timestamp` | datetime | as in the samples |
//! | `schema` | integer | −4 to 8; −53 for bounds of their own |
//! | `count` | number | all observations since the counter started |
//! | `sum` | number | sum of all observed values; may be left out |
//! | `zero_threshold`, `zero_count` | number | the bucket around zero; may be left out |
//! | `positive_index`, `positive_count` | lists | index and observations of each bucket: bucket i of schema s reaches from base^(i−1) to base^i with base = 2^(2^−s); with bounds of their own from bound i − 1 to bound i, counted from 0 |
//! | `negative_index`, `negative_count` | lists | the same of negative values, mirrored; may be left out |
//! | `custom_bounds` | list | rising upper bounds, for schema −53; may be left out |
//! | `anew` | boolean | true if the counter is known to have started anew before this row; null or left out: a fall tells |
//!
//! Counts are those of each bucket alone, neither cumulative nor differences to the bucket before. A row without
//! observations whose sum is NaN marks the end of a series, as in Prometheus, and is no sample. Order is free, other
//! columns are ignored. Of conflicting duplicates the one with the greatest count is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars::prelude::{
    ChunkedArray, DataFrame, DataType, Float64Type, ParquetReader, PolarsError, PolarsNumericType,
    SerReader, Series as PolarsSeries, TimeUnit,
};

use super::columns::one_line;
use super::error::{ColumnProblem, NativeRowProblem, RecordingError};
use super::layout::io_error;
use super::reading::Extent;
use crate::frame::{
    CUSTOM_SCHEMA, CounterStart, NativeBuckets, NativeFrame, NativeLayout, NativeSample,
    NativeSeries, ZeroBucket,
};
use crate::stats::prom_native_histogram::NativeBucket;
use crate::unit::{Labels, Timestamp};

/// Columns that every file has.
const REQUIRED: [&str; 7] =
    ["metric", "labels", "timestamp", "schema", "count", "positive_index", "positive_count"];

/// Columns that may be left out.
const OPTIONAL: [&str; 7] = [
    "sum",
    "zero_threshold",
    "zero_count",
    "negative_index",
    "negative_count",
    "custom_bounds",
    "anew",
];

/// An opened file of native histograms.
#[derive(Debug)]
pub(super) struct NativeFile {
    path: PathBuf,
    /// Columns of ours that the file has.
    columns: Vec<String>,
    /// Rows of each metric, as neighbouring rows.
    metrics: BTreeMap<String, Vec<Range<usize>>>,
}

impl NativeFile {
    /// Opens a file: checks its columns and learns which rows are of which metric.
    pub(super) fn open(path: &Path) -> Result<Self, RecordingError> {
        let names = decoded(path, || {
            let schema = ParquetReader::new(opened(path)?).schema()?;
            Ok(schema.iter_names().map(ToString::to_string).collect::<Vec<String>>())
        })?;
        let missing: Vec<ColumnProblem> = REQUIRED
            .into_iter()
            .filter(|name| !names.iter().any(|held| held == name))
            .map(ColumnProblem::Missing)
            .collect();
        if !missing.is_empty() {
            return Err(RecordingError::NativeColumns {
                path: path.to_owned(),
                problems: missing,
                found: names.join(", "),
            });
        }
        let columns = REQUIRED
            .into_iter()
            .chain(OPTIONAL)
            .filter(|name| names.iter().any(|held| held == name))
            .map(str::to_owned)
            .collect();
        let mut opened = Self { path: path.to_owned(), columns, metrics: BTreeMap::new() };
        let slice = opened.slice(vec!["metric".to_owned()], None)?;
        let metrics = opened.column(&slice, "metric", &DataType::String)?;
        let metrics = metrics.str().map_err(|error| opened.damaged(&error))?;
        let mut last: Option<&str> = None;
        for (row, metric) in metrics.iter().enumerate() {
            let metric =
                metric.ok_or_else(|| opened.wrong(row, NativeRowProblem::Null("metric")))?;
            let ranges = opened.metrics.entry(metric.to_owned()).or_default();
            match ranges.last_mut() {
                Some(range) if last == Some(metric) => range.end = row + 1,
                Some(_) | None => ranges.push(row..row + 1),
            }
            last = Some(metric);
        }
        Ok(opened)
    }

    /// The metrics that have a row, sorted.
    pub(super) fn metric_names(&self) -> impl Iterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    /// All series of one metric; a frame without series if the metric is absent.
    pub(super) fn frame(&self, metric: &str) -> Result<NativeFrame, RecordingError> {
        let mut by_labels: BTreeMap<Labels, Vec<(i64, NativeSample)>> = BTreeMap::new();
        let mut known: BTreeMap<String, Labels> = BTreeMap::new();
        for range in self.metrics.get(metric).into_iter().flatten() {
            let slice = self.slice(self.columns.clone(), Some(range))?;
            for (row, read) in self.rows(&slice)?.into_iter().enumerate() {
                let at = range.start + row;
                if read.is_stale_marker() {
                    continue;
                }
                let labels = if let Some(labels) = known.get(&read.labels) {
                    labels.clone()
                } else {
                    let labels = Labels::parse(&read.labels)
                        .map_err(|source| self.wrong(at, NativeRowProblem::Labels(source)))?;
                    known.insert(read.labels.clone(), labels.clone());
                    labels
                };
                let time = read.time;
                let sample = read.sample().map_err(|problem| self.wrong(at, problem))?;
                by_labels.entry(labels).or_default().push((time, sample));
            }
        }
        let mut frame = NativeFrame { metric: metric.to_owned(), ..NativeFrame::default() };
        for (labels, samples) in by_labels {
            let (series, conflicts) = NativeSeries::from_unordered(labels, samples);
            frame.series.push(series);
            frame.conflicting_duplicates += conflicts;
        }
        Ok(frame)
    }

    /// First and last time; `None` without rows.
    pub(super) fn extent(&self) -> Result<Option<Extent>, RecordingError> {
        let times = self.times(&self.slice(vec!["timestamp".to_owned()], None)?)?;
        let moment = |time: Option<&i64>| time.copied().map(Timestamp::from_milliseconds);
        let ends = moment(times.iter().min()).zip(moment(times.iter().max()));
        Ok(ends.map(|(first, last)| Extent { first, last }))
    }

    /// Some columns of some rows, or of all.
    fn slice(
        &self,
        columns: Vec<String>,
        rows: Option<&Range<usize>>,
    ) -> Result<Slice, RecordingError> {
        let bounds = rows.map(|rows| (rows.start, rows.len()));
        let table = decoded(&self.path, || {
            ParquetReader::new(opened(&self.path)?)
                .with_columns(Some(columns))
                .with_slice(bounds)
                .finish()
        })?;
        Ok(Slice { table, first: rows.map_or(0, |rows| rows.start) })
    }

    /// A column as a type; a column of another kind is an error that names it.
    fn column(
        &self,
        slice: &Slice,
        name: &'static str,
        wanted: &DataType,
    ) -> Result<PolarsSeries, RecordingError> {
        let column = slice.table.column(name).map_err(|error| self.damaged(&error))?;
        let series = column.as_materialized_series();
        let fits = match (series.dtype(), wanted) {
            (found, wanted) if found == wanted => true,
            (DataType::List(found), DataType::List(_)) => {
                found.is_primitive_numeric() || found.is_null()
            }
            (DataType::Datetime(..), DataType::Datetime(..)) => true,
            (found, DataType::Int32 | DataType::Float64) => found.is_primitive_numeric(),
            (found, _) => found.is_null(),
        };
        let problem = |accepted| {
            let found = series.dtype().to_string();
            let problem = ColumnProblem::Type { column: name, found, accepted };
            RecordingError::NativeColumns {
                path: self.path.clone(),
                problems: vec![problem],
                found: self.columns.join(", "),
            }
        };
        let accepted = match wanted {
            DataType::List(_) => "a list of numbers",
            DataType::Datetime(..) => "datetime of any unit and zone",
            DataType::Boolean => "boolean",
            DataType::String => "string",
            _ => "a number",
        };
        if !fits {
            return Err(problem(accepted));
        }
        series.strict_cast(wanted).map_err(|_| problem(accepted))
    }

    /// Times of all rows in whole milliseconds.
    fn times(&self, slice: &Slice) -> Result<Vec<i64>, RecordingError> {
        let wanted = DataType::Datetime(TimeUnit::Milliseconds, None);
        let times = self.column(slice, "timestamp", &wanted)?;
        let times = times.datetime().map_err(|error| self.damaged(&error))?;
        (slice.first..)
            .zip(times.physical().iter())
            .map(|(row, time)| {
                time.ok_or_else(|| self.wrong(row, NativeRowProblem::Null("timestamp")))
            })
            .collect()
    }

    /// Numbers of a column; those that are null or of a column that was left out are `None`.
    fn numbers<T: PolarsNumericType>(
        &self,
        slice: &Slice,
        name: &'static str,
        wanted: &DataType,
    ) -> Result<Vec<Option<T::Native>>, RecordingError> {
        if !self.columns.iter().any(|held| held == name) {
            return Ok(vec![None; slice.table.height()]);
        }
        let column = self.column(slice, name, wanted)?;
        let numbers: &ChunkedArray<T> = column.as_ref().as_ref();
        Ok(numbers.iter().collect())
    }

    /// Lists of a column as floats; null lists and lists of a column that was left out are empty.
    fn lists(&self, slice: &Slice, name: &'static str) -> Result<Vec<Vec<f64>>, RecordingError> {
        if !self.columns.iter().any(|held| held == name) {
            return Ok(vec![Vec::new(); slice.table.height()]);
        }
        let wanted = DataType::List(Box::new(DataType::Float64));
        let column = self.column(slice, name, &wanted)?;
        let lists = column.list().map_err(|error| self.damaged(&error))?;
        let mut all = Vec::with_capacity(slice.table.height());
        for row in 0..lists.len() {
            let numbers: Option<Vec<f64>> = match &lists.get_as_series(row) {
                None => Some(Vec::new()),
                Some(list) => {
                    let numbers = list.f64().map_err(|error| self.damaged(&error))?;
                    numbers.iter().collect()
                }
            };
            all.push(
                numbers
                    .ok_or_else(|| self.wrong(slice.first + row, NativeRowProblem::Null(name)))?,
            );
        }
        Ok(all)
    }

    /// The rows of a table.
    fn rows(&self, slice: &Slice) -> Result<Vec<Row>, RecordingError> {
        let number = |name| self.numbers::<Float64Type>(slice, name, &DataType::Float64);
        let labels = self.column(slice, "labels", &DataType::String)?;
        let labels = labels.str().map_err(|error| self.damaged(&error))?;
        let times = self.times(slice)?;
        let (schemas, counts, sums) = (number("schema")?, number("count")?, number("sum")?);
        let (thresholds, zeros) = (number("zero_threshold")?, number("zero_count")?);
        let mut positive =
            buckets(self.lists(slice, "positive_index")?, self.lists(slice, "positive_count")?);
        let mut negative =
            buckets(self.lists(slice, "negative_index")?, self.lists(slice, "negative_count")?);
        let mut bounds = self.lists(slice, "custom_bounds")?;
        let anew: Vec<Option<bool>> = if self.columns.iter().any(|held| held == "anew") {
            let anew = self.column(slice, "anew", &DataType::Boolean)?;
            anew.bool().map_err(|error| self.damaged(&error))?.iter().collect()
        } else {
            vec![None; slice.table.height()]
        };
        let mut rows = Vec::with_capacity(slice.table.height());
        for at in 0..slice.table.height() {
            rows.push(Row {
                labels: labels.get(at).unwrap_or_default().to_owned(),
                time: times[at],
                schema: schemas[at],
                count: counts[at],
                sum: sums[at],
                zero: ZeroBucket {
                    threshold: thresholds[at].unwrap_or_default(),
                    count: zeros[at].unwrap_or_default(),
                },
                positive: std::mem::replace(&mut positive[at], Ok(Vec::new())),
                negative: std::mem::replace(&mut negative[at], Ok(Vec::new())),
                bounds: std::mem::take(&mut bounds[at]),
                start: match anew[at] {
                    Some(true) => CounterStart::Anew,
                    Some(false) | None => CounterStart::Untold,
                },
            });
        }
        Ok(rows)
    }

    fn damaged(&self, error: &PolarsError) -> RecordingError {
        RecordingError::NotParquet { path: self.path.clone(), found: one_line(&error.to_string()) }
    }

    fn wrong(&self, row: usize, problem: NativeRowProblem) -> RecordingError {
        RecordingError::NativeRow { path: self.path.clone(), row, problem }
    }
}

/// Some rows of the file.
struct Slice {
    table: DataFrame,
    /// Number of the first of them in the file.
    first: usize,
}

/// One row as it is written.
struct Row {
    labels: String,
    time: i64,
    schema: Option<f64>,
    count: Option<f64>,
    sum: Option<f64>,
    zero: ZeroBucket,
    positive: Result<Vec<NativeBucket>, NativeRowProblem>,
    negative: Result<Vec<NativeBucket>, NativeRowProblem>,
    bounds: Vec<f64>,
    start: CounterStart,
}

impl Row {
    /// Whether the row says that the series ended, as Prometheus marks it: a sum that is no number without any
    /// observation.
    fn is_stale_marker(&self) -> bool {
        self.sum.is_some_and(f64::is_nan) && self.count.is_some_and(|count| count <= 0.0)
    }

    fn sample(self) -> Result<NativeSample, NativeRowProblem> {
        let schema = whole(self.schema.ok_or(NativeRowProblem::Null("schema"))?)?;
        let count = self.count.ok_or(NativeRowProblem::Null("count"))?;
        let layout = if schema == CUSTOM_SCHEMA {
            NativeLayout::Custom { bounds: self.bounds }
        } else {
            NativeLayout::Exponential { schema }
        };
        let buckets = NativeBuckets::new(layout, count, self.zero, self.positive?, self.negative?)?;
        Ok(NativeSample { buckets, sum: self.sum.unwrap_or(f64::NAN), start: self.start })
    }
}

/// Indices beside their counts.
fn buckets(
    indices: Vec<Vec<f64>>,
    counts: Vec<Vec<f64>>,
) -> Vec<Result<Vec<NativeBucket>, NativeRowProblem>> {
    indices
        .into_iter()
        .zip(counts)
        .map(|(indices, counts)| {
            if indices.len() != counts.len() {
                let (indices, counts) = (indices.len(), counts.len());
                return Err(NativeRowProblem::Lengths { indices, counts });
            }
            indices
                .into_iter()
                .zip(counts)
                .map(|(index, count)| Ok(NativeBucket { index: whole(index)?, count }))
                .collect()
        })
        .collect()
}

/// A whole number in the range of bucket indices.
fn whole(number: f64) -> Result<i32, NativeRowProblem> {
    if number.fract().abs() > 0.0 || number.is_nan() || number.abs() >= f64::from(i32::MAX) {
        return Err(NativeRowProblem::NotWhole(number));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number inside the range of i32")]
    Ok(number as i32)
}

/// Opens the file.
fn opened(path: &Path) -> Result<File, PolarsError> {
    #[expect(clippy::disallowed_methods, reason = "a source reads the files it was given")]
    Ok(File::open(path)?)
}

/// What a decoder makes of a file; damaged bytes make some decoders panic, and the panic ends here.
fn decoded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, PolarsError>,
) -> Result<T, RecordingError> {
    let not_parquet = |found| RecordingError::NotParquet { path: path.to_owned(), found };
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(PolarsError::IO { error, .. })) => {
            Err(io_error("read", path, std::io::Error::new(error.kind(), error.to_string())))
        }
        Ok(Err(error)) => Err(not_parquet(one_line(&error.to_string()))),
        Err(_) => Err(not_parquet("its pages contradict their headers".to_owned())),
    }
}
