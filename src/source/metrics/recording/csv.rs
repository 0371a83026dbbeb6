//! Samples in CSV: RFC 4180 quoting, columns by name in any order, further columns ignored, a UTF-8 BOM accepted.
//!
//! A file is read once, front to back, into one piece per series (16 bytes a sample, all metrics at once: a
//! recording that does not fit belongs into Parquet). Every refusal names line and column. Nothing is guessed: a time
//! without a zone and an empty value are errors.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::error::{ColumnProblem, RecordingError};
use super::labels::{LabelTable, LabelsId};
use super::layout::io_error;
use super::part::{MetricPart, SeriesPart, Times};
use crate::unit::Timestamp;
use crate::unit::time::TimeError;

/// The names of the four columns, in the order in which this file speaks of them.
const COLUMNS: [&str; 4] = ["metric", "labels", "timestamp", "value"];

const ACCEPTED_METRIC: &str = "the name of a metric";
const ACCEPTED_LABELS: &str = "{name=\"value\",…}, or nothing for no labels";
const ACCEPTED_TIME: &str =
    "RFC 3339 with a zone (2026-11-23T08:00:00Z) or seconds since 1970 (1795420800.25)";
const ACCEPTED_VALUE: &str = "a number, NaN, +Inf or -Inf";

/// The pieces of a CSV file by metric.
pub(super) type CsvParts = BTreeMap<String, MetricPart>;

/// Reads a file.
pub(super) fn read(path: &Path, table: &LabelTable) -> Result<CsvParts, RecordingError> {
    #[expect(clippy::disallowed_methods, reason = "a source reads the files it was given")]
    let file = File::open(path).map_err(|source| io_error("open", path, source))?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(file);
    let mut record = ByteRecord::new();
    let has_header =
        reader.read_byte_record(&mut record).map_err(|error| reading(path, &reader, error))?;
    let header = Header::of(path, has_header.then_some(&record))?;
    let mut series = SeriesTable::default();
    while reader.read_byte_record(&mut record).map_err(|error| reading(path, &reader, error))? {
        let row = Row { path, header: &header, record: &record };
        row.check_length()?;
        let slot = series.slot(&row, table)?;
        let time = series.time(&row)?;
        let value = row.value()?;
        let gathered = &mut series.gathered[slot];
        gathered.times.push(time);
        gathered.values.push(value);
    }
    Ok(series.into_parts())
}

/// Where the columns are.
#[derive(Debug)]
struct Header {
    /// Position of each of [`COLUMNS`].
    positions: [usize; 4],
    /// How many columns there are.
    width: usize,
}

impl Header {
    fn of(path: &Path, record: Option<&ByteRecord>) -> Result<Self, RecordingError> {
        let columns_error = |problems: Vec<ColumnProblem>, found: String| RecordingError::Columns {
            path: path.to_owned(),
            problems,
            found,
        };
        let Some(record) = record else {
            let missing = COLUMNS.map(ColumnProblem::Missing).to_vec();
            return Err(columns_error(missing, "no header line".to_owned()));
        };
        let names: Vec<String> = record
            .iter()
            .map(|name| {
                let name = name.strip_prefix("\u{feff}".as_bytes()).unwrap_or(name);
                String::from_utf8_lossy(name.trim_ascii()).into_owned()
            })
            .collect();
        let mut problems = Vec::new();
        let mut positions = [0; 4];
        for (position, column) in positions.iter_mut().zip(COLUMNS) {
            let mut found =
                names.iter().enumerate().filter(|(_, name)| *name == column).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (None, _) => problems.push(ColumnProblem::Missing(column)),
                (Some(_), Some(_)) => problems.push(ColumnProblem::Repeated(column)),
                (Some(at), None) => *position = at,
            }
        }
        if problems.is_empty() {
            Ok(Self { positions, width: names.len() })
        } else {
            let found: String = names.join(", ").chars().take(200).collect();
            Err(columns_error(problems, found))
        }
    }
}

/// One row and where it stands.
struct Row<'row> {
    path: &'row Path,
    header: &'row Header,
    record: &'row ByteRecord,
}

impl<'row> Row<'row> {
    fn line(&self) -> u64 {
        self.record.position().map_or(0, ::csv::Position::line)
    }

    fn bytes(&self, column: usize) -> &'row [u8] {
        self.record.get(self.header.positions[column]).unwrap_or_default()
    }

    fn error(&self, column: usize, found: String, accepted: &'static str) -> RecordingError {
        RecordingError::Field {
            path: self.path.to_owned(),
            line: self.line(),
            column: self.header.positions[column] + 1,
            name: COLUMNS[column],
            found,
            accepted,
        }
    }

    fn check_length(&self) -> Result<(), RecordingError> {
        if self.record.len() == self.header.width {
            return Ok(());
        }
        Err(RecordingError::Row {
            path: self.path.to_owned(),
            line: self.line(),
            found: format!("{} fields", self.record.len()),
            accepted: format!("{} fields, as in the header", self.header.width),
        })
    }

    /// A field as text.
    fn text(&self, column: usize, accepted: &'static str) -> Result<&'row str, RecordingError> {
        std::str::from_utf8(self.bytes(column)).map_err(|_| {
            let bytes = self.bytes(column).escape_ascii().to_string();
            self.error(column, format!("bytes that are not UTF-8: {}", shortened(&bytes)), accepted)
        })
    }

    fn metric(&self) -> Result<&'row str, RecordingError> {
        let metric = self.text(0, ACCEPTED_METRIC)?;
        if metric.is_empty() {
            return Err(self.error(0, "nothing".to_owned(), ACCEPTED_METRIC));
        }
        Ok(metric)
    }

    fn labels(&self, table: &LabelTable) -> Result<LabelsId, RecordingError> {
        let text = self.text(1, ACCEPTED_LABELS)?;
        table.number(text).map_err(|error| self.error(1, error.to_string(), ACCEPTED_LABELS))
    }

    fn time(&self) -> Result<i64, RecordingError> {
        let text = self.text(2, ACCEPTED_TIME)?.trim();
        if text.is_empty() {
            return Err(self.error(2, "nothing".to_owned(), ACCEPTED_TIME));
        }
        if let Ok(seconds) = text.parse::<f64>() {
            return Timestamp::from_seconds(seconds).map(Timestamp::milliseconds).ok_or_else(
                || {
                    let hint = if seconds.is_finite() { " (are these milliseconds?)" } else { "" };
                    let found =
                        format!("'{}', no second before the year 10000{hint}", shortened(text));
                    self.error(2, found, ACCEPTED_TIME)
                },
            );
        }
        Timestamp::parse(text).map(Timestamp::milliseconds).map_err(|error| {
            let found = match error {
                TimeError::NoZone(_) => format!("'{}', a time without a zone", shortened(text)),
                TimeError::NotATime(_) | TimeError::NotASpan(_) | TimeError::NegativeSpan(_) => {
                    format!("'{}'", shortened(text))
                }
            };
            self.error(2, found, ACCEPTED_TIME)
        })
    }

    fn value(&self) -> Result<f64, RecordingError> {
        let text = self.text(3, ACCEPTED_VALUE)?.trim();
        text.parse().map_err(|_| {
            let found = match text {
                "" => "nothing".to_owned(),
                text => format!("'{}'", shortened(text)),
            };
            self.error(3, found, ACCEPTED_VALUE)
        })
    }
}

/// A text that fits into a message.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    text.chars().take(60).chain(std::iter::once('…')).collect()
}

/// What the CSV reader refused.
fn reading(path: &Path, reader: &Reader<File>, error: ::csv::Error) -> RecordingError {
    let line = reader.position().line();
    match error.into_kind() {
        ErrorKind::Io(source) => io_error("read", path, source),
        other => RecordingError::Row {
            path: path.to_owned(),
            line,
            found: format!("{other:?}"),
            accepted: "a row of comma-separated fields".to_owned(),
        },
    }
}

/// The series seen so far. Rows come in runs of one series or of one time, so that both are compared with the row
/// before first.
#[derive(Debug, Default)]
struct SeriesTable {
    slots: HashMap<Vec<u8>, usize>,
    last_key: Vec<u8>,
    last_slot: Option<usize>,
    last_time_text: Vec<u8>,
    last_time: Option<i64>,
    key: Vec<u8>,
    gathered: Vec<Gathered>,
}

/// The rows of one series.
#[derive(Debug)]
struct Gathered {
    metric: String,
    labels: LabelsId,
    times: Vec<i64>,
    values: Vec<f64>,
}

impl SeriesTable {
    /// The slot of the row's series.
    fn slot(&mut self, row: &Row<'_>, table: &LabelTable) -> Result<usize, RecordingError> {
        self.key.clear();
        self.key.extend_from_slice(row.bytes(0));
        // Byte 255 is not in UTF-8: it cannot be part of a name.
        self.key.push(255);
        self.key.extend_from_slice(row.bytes(1));
        if let Some(slot) = self.last_slot.filter(|_| self.key == self.last_key) {
            return Ok(slot);
        }
        let slot = if let Some(slot) = self.slots.get(&self.key) {
            *slot
        } else {
            self.gathered.push(Gathered {
                metric: row.metric()?.to_owned(),
                labels: row.labels(table)?,
                times: Vec::new(),
                values: Vec::new(),
            });
            self.slots.insert(self.key.clone(), self.gathered.len() - 1);
            self.gathered.len() - 1
        };
        self.last_slot = Some(slot);
        std::mem::swap(&mut self.key, &mut self.last_key);
        Ok(slot)
    }

    /// The row's time.
    fn time(&mut self, row: &Row<'_>) -> Result<i64, RecordingError> {
        if let Some(time) = self.last_time.filter(|_| row.bytes(2) == self.last_time_text) {
            return Ok(time);
        }
        let time = row.time()?;
        self.last_time = Some(time);
        self.last_time_text.clear();
        self.last_time_text.extend_from_slice(row.bytes(2));
        Ok(time)
    }

    fn into_parts(self) -> CsvParts {
        let mut parts = CsvParts::new();
        for gathered in self.gathered {
            parts.entry(gathered.metric).or_default().series.push(SeriesPart {
                labels: gathered.labels,
                times: Times::compact(gathered.times),
                values: gathered.values,
            });
        }
        parts
    }
}
