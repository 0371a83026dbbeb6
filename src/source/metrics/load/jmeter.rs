//! `JMeter`: JTL files as CSV, with or without a header, and as XML.
//!
//! Which rows are requests decides `jmeter_rows`. `JMeter`'s time stamp is when a sample started; a row stands at its
//! end, as it does for every other tool.

use csv::StringRecord;
use serde_json::Value;

use super::delimited::{Delimited, FirstRow, field};
use super::input::{LoadInput, LoadOptions};
use super::jmeter_rows::{JmeterRow, Requests};
use super::jmeter_xml;
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::SampleSet;
use crate::source::chaos::naive_time::TimeReader;

pub(super) const NAME: &str = "jmeter";
pub(super) const ACCEPTS: &str =
    "a JTL file of JMeter, as CSV (columns timeStamp, elapsed, label, success, …) or as XML";

/// The registry's line.
pub const FORMAT: LoadFormat = LoadFormat { name: NAME, accepts: ACCEPTS, read };

/// The columns that every version writes first when it writes no header.
const WITHOUT_HEADER: [&str; 8] = [
    "timeStamp",
    "elapsed",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "dataType",
    "success",
];

/// Positions of the columns.
struct Columns {
    time: Option<usize>,
    elapsed: Option<usize>,
    label: Option<usize>,
    code: Option<usize>,
    message: Option<usize>,
    thread: Option<usize>,
    success: Option<usize>,
    threads: Option<usize>,
}

fn read(files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    let mut times = TimeReader::new(options.zone);
    let mut rows = Requests::default();
    for input in files {
        let head = input.head(1 << 12)?;
        if head.trim_start().starts_with('<') {
            jmeter_xml::read(input, &mut rows)?;
        } else {
            read_csv(input, &mut times, &mut rows, &mut set)?;
        }
        // Parents and their parts are in one file.
        rows.close(&input.name(), &mut set);
    }
    set.warnings.extend(times.warnings());
    Ok(set)
}

fn read_csv(
    input: &LoadInput,
    times: &mut TimeReader,
    rows: &mut Requests,
    set: &mut SampleSet,
) -> Result<(), LoadError> {
    let mut table = Delimited::open(input, |first| {
        if is_data(first) { FirstRow::Data(&WITHOUT_HEADER) } else { FirstRow::Header }
    })?;
    let columns = Columns {
        time: table.position("timeStamp"),
        elapsed: table.position("elapsed"),
        label: table.position("label"),
        code: table.position("responseCode"),
        message: table.position("responseMessage"),
        thread: table.position("threadName"),
        success: table.position("success"),
        threads: table.position("allThreads"),
    };
    if columns.time.is_none() || columns.elapsed.is_none() {
        let header = table.header().join(",");
        let shown: String = header.chars().take(80).collect();
        return Err(LoadError::WrongKind {
            file: input.name(),
            format: NAME,
            found: format!("its first line is '{}'", shown.escape_debug()),
            accepts: ACCEPTS,
        });
    }
    let name = input.name();
    while let Some(row) = table.next_row()? {
        let time = field(row, columns.time).to_owned();
        let started = times.lenient(&name, &Value::String(time.clone()));
        let elapsed = field(row, columns.elapsed).parse::<u32>();
        let (Some(started), Ok(elapsed)) = (started, elapsed) else {
            let found = format!("the time '{time}' and '{}' elapsed", field(row, columns.elapsed));
            return Err(table.refuse(found, "a time and whole milliseconds"));
        };
        let code = field(row, columns.code);
        let succeeded = match field(row, columns.success) {
            // Without the column the code must do.
            "" if columns.success.is_none() => code.starts_with('2') || code.starts_with('3'),
            word => word.eq_ignore_ascii_case("true"),
        };
        if let Ok(threads) = field(row, columns.threads).parse::<u32>() {
            set.value("vus", &[], started, f64::from(threads));
        }
        rows.add(JmeterRow {
            started: started.milliseconds(),
            elapsed,
            label: field(row, columns.label).to_owned(),
            code: code.to_owned(),
            thread: field(row, columns.thread).to_owned(),
            is_transaction: is_transaction(field(row, columns.message)),
            failed: !succeeded,
        });
    }
    Ok(())
}

/// What a transaction controller writes where others have the answer's message.
pub(super) fn is_transaction(message: &str) -> bool {
    message.starts_with("Number of samples in transaction")
}

/// Whether a first row is data: a column name is no number, and success is told in the eighth place.
fn is_data(row: &StringRecord) -> bool {
    let is_number = |at: usize| row.get(at).is_some_and(|text| text.trim().parse::<u64>().is_ok());
    let success = row.get(7).unwrap_or_default().trim();
    is_number(1) && (success.eq_ignore_ascii_case("true") || success.eq_ignore_ascii_case("false"))
}
