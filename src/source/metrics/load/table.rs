//! Tables with declared columns: CSV in any of the usual delimiters, and Parquet.
//!
//! An empty field, `NA`, `N/A`, `null` and `-` are no value: such a cell is left out and counted, never taken for zero.

use polars::prelude::{AnyValue, Column, DataType, ParquetReader, SerReader};
use serde_json::Value;

use super::delimited::{Delimited, FirstRow, field};
use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::SampleSet;
use super::table_columns::{TableColumns, TableRows};
use crate::source::chaos::naive_time::TimeReader;
use crate::unit::Timestamp;

const NAME: &str = "table";

/// The registry's line.
pub const FORMAT: LoadFormat = LoadFormat {
    name: NAME,
    accepts: "a CSV or Parquet table; --columns says what its columns are",
    read,
};

/// Spellings of no value.
const NO_VALUES: [&str; 6] = ["", "NA", "N/A", "null", "None", "-"];

fn read(files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
    let columns = options.columns.as_ref().ok_or_else(|| {
        LoadError::Options(
            "a table needs --columns, e.g. --columns time=ts,value=cpu+memory,labels=host"
                .to_owned(),
        )
    })?;
    let mut set = SampleSet::default();
    let mut times = TimeReader::new(options.zone);
    for input in files {
        let mut cells = Cells { columns, set: &mut set, empty: 0 };
        if input.head(4)?.starts_with("PAR1") {
            read_parquet(input, &mut times, &mut cells)?;
        } else {
            read_csv(input, &mut times, &mut cells)?;
        }
        let empty = cells.empty;
        if empty > 0 {
            let message = format!(
                "{}: {empty} cells hold no value and were left out; they are gaps, not zeros",
                input.name()
            );
            set.warn("empty_cells", message);
        }
    }
    set.warnings.extend(times.warnings());
    Ok(set)
}

/// Takes cells into the set.
struct Cells<'a> {
    columns: &'a TableColumns,
    set: &'a mut SampleSet,
    empty: u64,
}

impl Cells<'_> {
    /// Adds a cell; says what is wrong with it.
    fn add(
        &mut self,
        metric: &str,
        labels: &[(&str, &str)],
        at: Timestamp,
        text: &str,
    ) -> Result<(), String> {
        if NO_VALUES.contains(&text) {
            self.empty += 1;
            return Ok(());
        }
        let value: f64 = text
            .parse()
            .map_err(|_| format!("'{}' as the value of {metric}", text.escape_debug()))?;
        let metric = metric_name(metric);
        match self.columns.rows {
            TableRows::Series => self.set.value(&metric, labels, at, value),
            TableRows::Requests => self.set.row(&metric, labels, at, value),
        }
        Ok(())
    }
}

/// A column's name as a metric's: what a selector cannot write becomes an underscore.
fn metric_name(column: &str) -> String {
    let word =
        |it: char| if it.is_ascii_alphanumeric() || it == '_' || it == ':' { it } else { '_' };
    let name: String = column.trim().chars().map(word).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        format!("_{name}")
    } else {
        name
    }
}

fn missing(input: &LoadInput, column: &str, found: &[String]) -> LoadError {
    LoadError::WrongKind {
        file: input.name(),
        format: NAME,
        found: format!("it has no column '{column}', only {}", found.join(", ")),
        accepts: "a table with the columns that --columns names",
    }
}

fn read_csv(
    input: &LoadInput,
    times: &mut TimeReader,
    cells: &mut Cells<'_>,
) -> Result<(), LoadError> {
    let mut table = Delimited::open(input, |_| FirstRow::Header)?;
    let declared = cells.columns;
    let position =
        |name: &String| table.position(name).ok_or_else(|| missing(input, name, table.header()));
    let time = position(&declared.time)?;
    let metric = declared.metric.as_ref().map(position).transpose()?;
    let values = declared.values.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    let labels = declared.labels.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    let file = input.name();
    while let Some(row) = table.next_row()? {
        let text = field(row, Some(time));
        let Some(at) = times.lenient(&file, &Value::String(text.to_owned())) else {
            let found = format!("'{}' in the column {}", text.escape_debug(), declared.time);
            return Err(
                table.refuse(found, "a time: RFC 3339, or seconds to nanoseconds since 1970")
            );
        };
        let pairs: Vec<(&str, &str)> = declared
            .labels
            .iter()
            .zip(&labels)
            .map(|(name, position)| (name.as_str(), field(row, Some(*position))))
            .collect();
        let mut problem = None;
        for (column, position) in declared.values.iter().zip(&values) {
            let name = metric.map_or(column.as_str(), |metric| field(row, Some(metric)));
            let added = cells.add(name, &pairs, at, field(row, Some(*position)));
            problem = problem.or(added.err());
        }
        if let Some(problem) = problem {
            return Err(table.refuse(problem, "a number, or nothing"));
        }
    }
    Ok(())
}

fn read_parquet(
    input: &LoadInput,
    times: &mut TimeReader,
    cells: &mut Cells<'_>,
) -> Result<(), LoadError> {
    #[expect(clippy::disallowed_methods, reason = "a source reads the file it was given")]
    let file = std::fs::File::open(&input.path).map_err(|source| input.failed(source))?;
    let damaged = |error: polars::prelude::PolarsError| {
        input.failed(std::io::Error::other(error.to_string()))
    };
    let frame = ParquetReader::new(file).finish().map_err(damaged)?;
    let declared = cells.columns;
    let names: Vec<String> = frame.get_column_names().iter().map(ToString::to_string).collect();
    let column = |name: &String| frame.column(name).map_err(|_| missing(input, name, &names));
    let time = column(&declared.time)?;
    let moments = moments(input, time, times)?;
    let texts = |name: &String| texts(input, column(name)?);
    let metric = declared.metric.as_ref().map(texts).transpose()?;
    let labels = declared.labels.iter().map(texts).collect::<Result<Vec<_>, _>>()?;
    let values = declared.values.iter().map(texts).collect::<Result<Vec<_>, _>>()?;
    for (row, at) in moments.iter().enumerate() {
        let pairs: Vec<(&str, &str)> = declared
            .labels
            .iter()
            .zip(&labels)
            .map(|(name, column)| (name.as_str(), column[row].as_str()))
            .collect();
        for (name, column) in declared.values.iter().zip(&values) {
            let name = metric.as_ref().map_or(name.as_str(), |metric| metric[row].as_str());
            cells.add(name, &pairs, *at, &column[row]).map_err(|problem| LoadError::Line {
                file: input.name(),
                line: row as u64 + 1,
                found: problem,
                accepted: "a number, or null".to_owned(),
            })?;
        }
    }
    Ok(())
}

/// A column as texts; null is the empty text.
fn texts(input: &LoadInput, column: &Column) -> Result<Vec<String>, LoadError> {
    let texts = column
        .cast(&DataType::String)
        .map_err(|error| input.failed(std::io::Error::other(error.to_string())))?;
    let texts =
        texts.str().map_err(|error| input.failed(std::io::Error::other(error.to_string())))?;
    Ok(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}

/// The column of times: dates of any unit (without a zone they are UTC), numbers since 1970, or texts.
fn moments(
    input: &LoadInput,
    column: &Column,
    times: &mut TimeReader,
) -> Result<Vec<Timestamp>, LoadError> {
    let file = input.name();
    let mut moments = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        let value = column.get(row).unwrap_or(AnyValue::Null);
        let at = match &value {
            AnyValue::Datetime(number, unit, _) | AnyValue::DatetimeOwned(number, unit, _) => {
                use polars::prelude::TimeUnit;
                let milliseconds = match unit {
                    TimeUnit::Milliseconds => *number,
                    TimeUnit::Microseconds => number.div_euclid(1000),
                    TimeUnit::Nanoseconds => number.div_euclid(1_000_000),
                };
                Some(Timestamp::from_milliseconds(milliseconds))
            }
            AnyValue::String(text) => times.lenient(&file, &Value::String((*text).to_owned())),
            other => times.lenient(&file, &Value::String(other.to_string())),
        };
        moments.push(at.ok_or_else(|| LoadError::Line {
            file: file.clone(),
            line: row as u64 + 1,
            found: format!("{value} as a time"),
            accepted: "a date and time, RFC 3339, or seconds to nanoseconds since 1970".to_owned(),
        })?);
    }
    Ok(moments)
}
