//! The points of timelines as Parquet: nearly all of a result's size, and of use to whoever reads tables.
//!
//! Columns `metric`, `at` (milliseconds, UTC), `low`, `mean`, `high`; rows in the order of the result, so that a
//! result is put together again exactly as it was.

use std::io::{self, Cursor};
use std::path::Path;

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetReader,
    ParquetWriter, PolarsError, SerReader, Series, TimeUnit, TimeZone,
};

use crate::unit::Timestamp;
use crate::verdict::result::Timeline;

use super::error::HistoryError;

/// One point of a timeline: time, low, mean, high.
type Point = (Timestamp, f64, f64, f64);

/// The points as the bytes of a Parquet file; none if there is no point.
pub(super) fn encode(timeline: &Timeline) -> Result<Option<Vec<u8>>, io::Error> {
    let rows: usize = timeline.metrics.iter().map(|metric| metric.points.len()).sum();
    if rows == 0 {
        return Ok(None);
    }
    let points = || timeline.metrics.iter().flat_map(|metric| metric.points.iter());
    let names: Vec<&str> = timeline
        .metrics
        .iter()
        .flat_map(|metric| std::iter::repeat_n(metric.name.as_str(), metric.points.len()))
        .collect();
    let times: Vec<i64> = points().map(|point| point.0.milliseconds()).collect();
    let numbers = |name: &str, of: fn(&Point) -> f64| -> Column {
        Series::new(name.into(), points().map(of).collect::<Vec<f64>>()).into_column()
    };
    let encoded = || -> Result<Vec<u8>, PolarsError> {
        let at = Series::new("at".into(), times)
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)))?;
        let mut frame = DataFrame::new(
            rows,
            vec![
                Series::new("metric".into(), names).into_column(),
                at.into_column(),
                numbers("low", |point| point.1),
                numbers("mean", |point| point.2),
                numbers("high", |point| point.3),
            ],
        )?;
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut frame)?;
        Ok(bytes)
    };
    encoded().map(Some).map_err(|error| io::Error::other(error.to_string()))
}

/// Puts the points of a Parquet file into the timelines they belong to.
pub(super) fn restore(
    timeline: &mut Timeline,
    path: &Path,
    bytes: Vec<u8>,
) -> Result<(), HistoryError> {
    let damaged = |what: String| HistoryError::damaged(path, what);
    let decoded = || -> Result<Vec<(String, Point)>, PolarsError> {
        let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
        let at = frame.column("at")?.cast(&DataType::Int64)?;
        let (names, at) = (frame.column("metric")?.str()?, at.i64()?);
        let (low, mean, high) = (
            frame.column("low")?.f64()?,
            frame.column("mean")?.f64()?,
            frame.column("high")?.f64()?,
        );
        Ok((0..frame.height())
            .filter_map(|row| {
                let at = Timestamp::from_milliseconds(at.get(row)?);
                let point = (at, low.get(row)?, mean.get(row)?, high.get(row)?);
                Some((names.get(row)?.to_owned(), point))
            })
            .collect())
    };
    let rows = decoded().map_err(|error| damaged(error.to_string()))?;
    for (name, point) in rows {
        let Some(metric) = timeline.metrics.iter_mut().find(|metric| metric.name == name) else {
            return Err(damaged(format!(
                "it holds points of '{name}', a metric the run does not have"
            )));
        };
        metric.points.push(point);
    }
    Ok(())
}
