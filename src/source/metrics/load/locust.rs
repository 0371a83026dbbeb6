//! Locust: `PREFIX_stats_history.csv` of `--csv PREFIX`.
//!
//! `Total …` columns are cumulative and become counters, which the measuring rules difference. Quantiles are those of
//! Locust's sliding window of some seconds: gauges, for show, and no rows of requests. With `--csv-full-history` there is a
//! row per request name; the row `Aggregated`, their sum, is then left out of the counters.

use serde_json::Value;

use super::delimited::{Delimited, FirstRow, field};
use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::{REQUESTS, SampleSet};
use crate::source::chaos::naive_time::TimeReader;
use crate::unit::Timestamp;

const NAME: &str = "locust";
const ACCEPTS: &str = "PREFIX_stats_history.csv, which Locust writes with `--csv PREFIX` (`--csv-full-history` for every request name)";

/// The registry's line.
pub const FORMAT: LoadFormat = LoadFormat { name: NAME, accepts: ACCEPTS, read };

/// The sum of all request names.
const AGGREGATED: &str = "Aggregated";

/// A row of the history.
struct Row {
    at: Timestamp,
    method: String,
    name: String,
    requests: Option<f64>,
    failures: Option<f64>,
}

/// The other files of `--csv PREFIX`, which hold no times of single moments.
const COMPANIONS: [(&str, &str); 3] = [
    ("Type,Name,Request Count", "the totals of Locust (PREFIX_stats.csv)"),
    ("Method,Name,Error,Occurrences", "the failures of Locust (PREFIX_failures.csv)"),
    ("Count,Message,Traceback", "the exceptions of Locust (PREFIX_exceptions.csv)"),
];

fn read(files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    let mut times = TimeReader::new(options.zone);
    let mut rows = Vec::new();
    let mut left_out = Vec::new();
    for input in files {
        let head = input.head(1 << 12)?;
        let header = head.lines().next().unwrap_or_default();
        if let Some((_, what)) = COMPANIONS.iter().find(|(begin, _)| header.starts_with(begin)) {
            left_out.push(LoadError::NoSamples {
                file: input.name(),
                found: (*what).to_owned(),
                instead: "give PREFIX_stats_history.csv".to_owned(),
            });
            continue;
        }
        history(input, &mut times, &mut rows, &mut set)?;
    }
    if rows.is_empty()
        && let Some(error) = left_out.into_iter().next()
    {
        return Err(error);
    }
    counters(&rows, &mut set);
    set.warnings.extend(times.warnings());
    Ok(set)
}

fn history(
    input: &LoadInput,
    times: &mut TimeReader,
    rows: &mut Vec<Row>,
    set: &mut SampleSet,
) -> Result<(), LoadError> {
    let mut table = Delimited::open(input, |_| FirstRow::Header)?;
    let position = |name: &str| table.position(name);
    let (time, users, method, name) =
        (position("Timestamp"), position("User Count"), position("Type"), position("Name"));
    let (total, failed) = (position("Total Request Count"), position("Total Failure Count"));
    let rates = [
        (position("Requests/s"), "locust_requests_per_second"),
        (position("Failures/s"), "locust_failures_per_second"),
    ];
    let quantiles: Vec<(usize, String)> = table
        .header()
        .iter()
        .enumerate()
        .filter_map(|(at, column)| Some((at, quantile(column)?)))
        .collect();
    if time.is_none() || total.is_none() {
        let shown: String = table.header().join(",").chars().take(80).collect();
        return Err(LoadError::WrongKind {
            file: input.name(),
            format: NAME,
            found: format!("its first line is '{}'", shown.escape_debug()),
            accepts: ACCEPTS,
        });
    }
    let file = input.name();
    while let Some(row) = table.next_row()? {
        let text = field(row, time).to_owned();
        let Some(at) = times.lenient(&file, &Value::String(text.clone())) else {
            return Err(table.refuse(format!("the time '{text}'"), "seconds since 1970"));
        };
        // N/A where nothing was requested: no number, and no zero.
        let number =
            |at: Option<usize>| field(row, at).parse::<f64>().ok().filter(|it| it.is_finite());
        let (method, name) = (field(row, method), field(row, name));
        let labels = [("method", method), ("name", name)];
        for (column, metric) in rates {
            if let Some(value) = number(column) {
                set.value(metric, &labels, at, value);
            }
        }
        for (column, quantile) in &quantiles {
            if let Some(value) = number(Some(*column)) {
                let labels = [("method", method), ("name", name), ("quantile", quantile.as_str())];
                set.value("locust_response_milliseconds", &labels, at, value);
            }
        }
        if let Some(users) = number(users).filter(|_| name == AGGREGATED) {
            set.value("vus", &[], at, users);
        }
        rows.push(Row {
            at,
            method: method.to_owned(),
            name: name.to_owned(),
            requests: number(total),
            failures: number(failed),
        });
    }
    Ok(())
}

/// `99.9%` as `0.999`.
fn quantile(column: &str) -> Option<String> {
    let percent: f64 = column.strip_suffix('%')?.parse().ok()?;
    // Percentages have at most two digits behind the point.
    Some(format!("{}", (percent * 100.0).round() / 10_000.0))
}

/// Requests by outcome, of every name if names are there, else of all together.
fn counters(rows: &[Row], set: &mut SampleSet) {
    let has_names = rows.iter().any(|row| row.name != AGGREGATED);
    for row in rows.iter().filter(|row| !has_names || row.name != AGGREGATED) {
        let (Some(requests), Some(failures)) = (row.requests, row.failures) else { continue };
        let name = if row.name == AGGREGATED { "" } else { row.name.as_str() };
        for (outcome, count) in [("ok", requests - failures), ("error", failures)] {
            let labels = [("name", name), ("method", row.method.as_str()), ("outcome", outcome)];
            set.value(REQUESTS, &labels, row.at, count);
        }
    }
}
