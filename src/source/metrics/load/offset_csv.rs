//! hey (`-o csv`) and oha (`--output-format csv`): one row per request, at an offset from the start of the load.
//!
//! Neither file says when the load began. `--start` does; without it the load is taken to have ended when the file was
//! written, with a warning.

use super::delimited::{Delimited, FirstRow, field};
use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::{Request, SampleSet};
use crate::unit::{Span, Timestamp};

/// The registry's line for hey.
pub const HEY: LoadFormat = LoadFormat {
    name: "hey",
    accepts: "what `hey -o csv` prints",
    read: |files, options| read(files, options, &HEY_COLUMNS),
};

/// The registry's line for oha.
pub const OHA: LoadFormat = LoadFormat {
    name: "oha",
    accepts: "what `oha --output-format csv` prints",
    read: |files, options| read(files, options, &OHA_COLUMNS),
};

/// Where a tool's numbers stand.
struct Columns {
    format: &'static str,
    /// Seconds from the start of the load to the request.
    offset: &'static str,
    /// Seconds that the request took.
    duration: &'static str,
    status: &'static str,
    accepts: &'static str,
    instead: &'static str,
}

const HEY_COLUMNS: Columns = Columns {
    format: "hey",
    offset: "offset",
    duration: "response-time",
    status: "status-code",
    accepts: "what `hey -o csv` prints: a header with response-time, status-code and offset",
    instead: "run hey with -o csv and give that output",
};

const OHA_COLUMNS: Columns = Columns {
    format: "oha",
    offset: "request-start",
    duration: "request-duration",
    status: "status",
    accepts: "what `oha --output-format csv` prints: a header with request-start, request-duration and status",
    instead: "run oha with --output-format csv --output FILE and give that file",
};

/// A row.
struct Row {
    offset: f64,
    duration: f64,
    status: String,
}

fn read(
    files: &[LoadInput],
    options: &LoadOptions,
    columns: &Columns,
) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    for input in files {
        let rows = rows(input, columns)?;
        let last = rows.iter().map(|row| row.offset + row.duration).fold(0.0, f64::max);
        let start = start(input, options, last, &mut set)?;
        for row in &rows {
            let moment =
                |seconds: f64| Timestamp::from_seconds(start.seconds() + seconds).unwrap_or(start);
            let code: u16 = row.status.parse().unwrap_or(0);
            set.worked_at(moment(row.offset));
            set.request(&Request {
                ended_at: moment(row.offset + row.duration),
                milliseconds: Some(row.duration * 1000.0),
                failed: !(200..400).contains(&code),
                name: "",
                method: "",
                status: &row.status,
            });
        }
    }
    Ok(set)
}

fn rows(input: &LoadInput, columns: &Columns) -> Result<Vec<Row>, LoadError> {
    let head = input.head(1 << 12)?;
    let header = head.lines().next().unwrap_or_default();
    if header.trim_start().starts_with('{') || head.contains("Summary:") {
        return Err(LoadError::NoSamples {
            file: input.name(),
            found: format!("a summary of {}", columns.format),
            instead: columns.instead.to_owned(),
        });
    }
    let mut table = Delimited::open(input, |_| FirstRow::Header)?;
    let (Some(offset), Some(duration)) =
        (table.position(columns.offset), table.position(columns.duration))
    else {
        let shown: String = header.chars().take(80).collect();
        return Err(LoadError::WrongKind {
            file: input.name(),
            format: columns.format,
            found: format!("it begins with '{}'", shown.escape_debug()),
            accepts: columns.accepts,
        });
    };
    let status = table.position(columns.status);
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        let number =
            |at| field(row, Some(at)).parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
        let (Some(own), Some(took)) = (number(offset), number(duration)) else {
            let found =
                format!("'{}' and '{}'", field(row, Some(offset)), field(row, Some(duration)));
            return Err(table.refuse(found, "seconds from the start, and seconds taken"));
        };
        // "200 OK" or "200".
        let code = field(row, status).split_whitespace().next().unwrap_or_default().to_owned();
        rows.push(Row { offset: own, duration: took, status: code });
    }
    Ok(rows)
}

fn start(
    input: &LoadInput,
    options: &LoadOptions,
    lasted_seconds: f64,
    set: &mut SampleSet,
) -> Result<Timestamp, LoadError> {
    if let Some(start) = options.start {
        return Ok(start);
    }
    let written = input.modified().ok_or_else(|| {
        LoadError::Options(format!(
            "{} says no time; give --start, when the load began",
            input.name()
        ))
    })?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates, far beyond any load")]
    let lasted = Span::from_milliseconds((lasted_seconds * 1000.0).round() as i64);
    let start = written.minus(lasted);
    set.warn(
        "time_of_file",
        format!(
            "{} holds offsets only: the load is taken to have ended when the file was written, so it began at {start}; give --start TIME if that is wrong",
            input.name()
        ),
    );
    Ok(start)
}
