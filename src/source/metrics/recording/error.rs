//! Why a recording cannot be read: what was tried, on what, what was found and what is accepted.

use std::path::PathBuf;

use crate::frame::NativeProblem;
use crate::unit::labels::LabelsError;

/// What is accepted as the samples of a recording.
const ACCEPTED_FILES: &str =
    "exactly one of samples.parquet, samples.csv, samples/*.parquet or samples/*.csv";

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The path is no directory.
    #[error(
        "failed to open recording '{}': found {found}; accepted is a directory that holds {ACCEPTED_FILES}", path.display()
    )]
    NotADirectory {
        /// The path as given.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// None of the accepted files is there, or more than one.
    #[error(
        "failed to open recording '{}': found {found}; accepted is {ACCEPTED_FILES}", directory.display()
    )]
    Files {
        /// The directory.
        directory: PathBuf,
        /// What it holds.
        found: String,
    },
    /// The operating system refused.
    #[error("failed to {operation} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is not Parquet or is cut off.
    #[error(
        "failed to read '{}' as Parquet: {found}; accepted is a complete Parquet file, which begins and ends with PAR1; write it again or fetch it again", path.display()
    )]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// Columns are missing or of another type.
    #[error(
        "failed to read the columns of '{}': {}; the file has {found}; accepted are the columns metric (string), labels (string), timestamp (Parquet: datetime of any unit and zone; CSV: RFC 3339 or epoch seconds) and value (float or integer)",
        path.display(), problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Vec<ColumnProblem>,
        /// The columns that the file has.
        found: String,
    },
    /// Bytes inside the file cannot be decoded.
    #[error(
        "failed to decode column '{column}' in row group {row_group} of '{}': {reason}; the file is damaged, fetch or write it again", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The row group, from 0.
        row_group: usize,
        /// The column.
        column: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A null where a value is required.
    #[error(
        "failed to read column '{column}' in row group {row_group} of '{}': found null; every row needs a {column}", path.display()
    )]
    Null {
        /// The file.
        path: PathBuf,
        /// The row group, from 0.
        row_group: usize,
        /// The column.
        column: &'static str,
    },
    /// Columns of the native histograms are missing or of another type.
    #[error(
        "failed to read the columns of '{}': {}; the file has {found}; accepted are metric and labels (string), timestamp (datetime), schema and count (numbers), positive_index and positive_count (lists of numbers), and where they are needed sum, zero_threshold, zero_count, negative_index, negative_count, custom_bounds and anew",
        path.display(), problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    NativeColumns {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Vec<ColumnProblem>,
        /// The columns that the file has.
        found: String,
    },
    /// A row of the native histograms is none.
    #[error("failed to read row {row} of '{}': found {problem}", path.display())]
    NativeRow {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: usize,
        /// What is wrong with it.
        problem: NativeRowProblem,
    },
    /// A label set of a Parquet file cannot be read.
    #[error("failed to read column 'labels' in row group {row_group} of '{}': {source}", path.display())]
    Labels {
        /// The file.
        path: PathBuf,
        /// The row group, from 0.
        row_group: usize,
        /// What is wrong with the text.
        source: LabelsError,
    },
    /// A field of a CSV file cannot be read.
    #[error(
        "failed to read '{}' at line {line}, column {column} ({name}): found {found}; accepted is {accepted}", path.display()
    )]
    Field {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: usize,
        /// The column's name.
        name: &'static str,
        /// What was found.
        found: String,
        /// What is accepted there.
        accepted: &'static str,
    },
    /// A row of a CSV file has too few or too many fields, or is no text.
    #[error("failed to read '{}' at line {line}: found {found}; accepted is {accepted}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What was found.
        found: String,
        /// What is accepted there.
        accepted: String,
    },
}

/// Why a row holds no native histogram.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NativeRowProblem {
    /// A null where a value is required.
    #[error("null in column '{0}', which every row needs")]
    Null(&'static str),
    /// A number that is not whole, where only whole ones are.
    #[error("{0}, where a whole number is needed")]
    NotWhole(f64),
    /// Two lists that belong together differ in length.
    #[error("{indices} bucket indices beside {counts} counts; each index has one count")]
    Lengths {
        /// Length of the list of indices.
        indices: usize,
        /// Length of the list of counts.
        counts: usize,
    },
    /// The label set cannot be read.
    #[error(transparent)]
    Labels(LabelsError),
    /// The numbers are no histogram.
    #[error(transparent)]
    Histogram(#[from] NativeProblem),
}

/// What is wrong with one column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnProblem {
    /// There is no such column.
    #[error("column '{0}' is missing")]
    Missing(&'static str),
    /// There are two columns of the name.
    #[error("column '{0}' appears more than once")]
    Repeated(&'static str),
    /// The column has a type that is not accepted.
    #[error("column '{column}' is {found}, not {accepted}")]
    Type {
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// What is accepted.
        accepted: &'static str,
    },
}
