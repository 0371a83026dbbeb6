//! Hand-made lists and in-house tools: any CSV, JSON lines or JSON list with a time and a name per fault.
//!
//! Owns the column names that people choose. Refuses to guess an outcome from a word it does not know. Comes last
//! in the registry: everything that has a format of its own is recognised first.

use serde_json::{Map, Value};

use crate::run::{Arm, Outcome};
use crate::source::chaos::detect;
use crate::source::chaos::document::{Content, Document};
use crate::source::chaos::field::{Field, bare};
use crate::source::chaos::found_run::{Finding, FoundRun};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;
use crate::unit::{Span, Timestamp};

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "events",
    accepts: "CSV, JSON lines or a JSON list with a time and a name per fault (optional: end or duration, target, outcome, arm)",
    looks_like: |document| {
        let is_list = detect::by_name(document).is_none() && !rows(document).is_empty();
        is_list.then_some("a list of events")
    },
    joins: |_| false,
    import,
};

// Numbers and zoned times stand before times that may be local: where a list has both, the sure one is read.
const TIMES: [&str; 16] = [
    "timestamp",
    "injecttimestamp",
    "epoch",
    "unixtime",
    "ts",
    "time",
    "at",
    "start",
    "starttime",
    "startedat",
    "faultat",
    "injectedat",
    "injecttime",
    "begin",
    "datetime",
    "date",
];
const NAMES: [&str; 11] = [
    "name",
    "fault",
    "event",
    "experiment",
    "scenario",
    "title",
    "injecttype",
    "faulttype",
    "action",
    "chaos",
    "type",
];
const ENDS: [&str; 7] = ["end", "until", "endtime", "endedat", "stop", "stoptime", "finishedat"];
const TARGETS: [&str; 9] = [
    "target",
    "targets",
    "injectpod",
    "pod",
    "process",
    "container",
    "service",
    "host",
    "instance",
];

/// The rows of a document; none if any of them lacks a time or a name.
fn rows(document: &Document) -> Vec<Value> {
    let rows = match &document.content {
        Content::Text(text) => table(text),
        Content::Tree(tree) if is_row(tree) => vec![tree.clone()],
        // `{"08": [{…}, …], "09": […]}`: a list per hour, per round, per service.
        Content::Tree(Value::Object(groups)) if groups.values().all(Value::is_array) => {
            groups.values().filter_map(Value::as_array).flatten().cloned().collect()
        }
        Content::Tree(_) => Vec::new(),
    };
    if rows.iter().all(is_row) { rows } else { Vec::new() }
}

fn is_row(row: &Value) -> bool {
    first(row, &TIMES).is_some() && first(row, &NAMES).is_some()
}

/// The first of the columns that a row has.
fn first(row: &Value, columns: &[&str]) -> Option<String> {
    columns.iter().find_map(|column| row.word(column).map(std::borrow::Cow::into_owned))
}

/// A table with a header, its delimiter taken from the header.
fn table(text: &str) -> Vec<Value> {
    let Some(header) = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))
    else {
        return Vec::new();
    };
    let delimiter = [b',', b';', b'\t', b'|']
        .into_iter()
        .max_by_key(|candidate| header.bytes().filter(|byte| byte == candidate).count())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let Ok(header) = reader.headers().cloned() else { return Vec::new() };
    let has = |names: &[&str]| header.iter().any(|column| names.contains(&bare(column).as_str()));
    if !has(&TIMES) || !has(&NAMES) {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let Ok(record) = record else { return Vec::new() };
        let fields: Map<String, Value> = header
            .iter()
            .zip(record.iter())
            .map(|(column, value)| (column.to_owned(), Value::from(value)))
            .collect();
        if fields.values().any(|value| value.as_str().is_some_and(|text| !text.is_empty())) {
            rows.push(Value::Object(fields));
        }
    }
    rows
}

fn import(documents: &[Document], times: &mut TimeReader) -> Result<Vec<Finding>, ImportError> {
    let mut findings = Vec::new();
    for document in documents {
        for row in rows(document) {
            findings.push(Finding::Started(Box::new(found_run(&document.file, &row, times)?)));
        }
    }
    Ok(findings)
}

fn found_run(file: &str, row: &Value, times: &mut TimeReader) -> Result<FoundRun, ImportError> {
    let incomplete = |problem: String| ImportError::Incomplete { file: file.to_owned(), problem };
    let title = redact::text(&first(row, &NAMES).unwrap_or_default());
    let column = TIMES.iter().find(|column| row.word(column).is_some()).unwrap_or(&"time");
    let at = times
        .optional(file, column, row.field(column))?
        .ok_or_else(|| incomplete(format!("the event '{title}' has no time")))?;
    let word = first(row, &["outcome"]);
    let outcome = match word.as_deref() {
        None => Outcome::Killed,
        Some(word) => outcome(word).ok_or_else(|| {
            incomplete(format!("the event '{title}' has outcome '{}'; accepted are killed, dry_run, refused, no_target, failed", redact::text(word)))
        })?,
    };
    let state = first(row, &["status", "result"]);
    let outcome = match (&word, state.as_deref().and_then(self::outcome)) {
        (None, Some(known)) => known,
        (Some(_), _) | (None, None) => outcome,
    };
    let mut found = FoundRun::new(file, &title, at, outcome);
    found.arm = match first(row, &["arm"]).as_deref() {
        Some("control") => Arm::Control,
        Some("fault") | None => Arm::Fault,
        Some(other) => {
            return Err(incomplete(format!(
                "the event '{title}' has arm '{}'; accepted are fault and control",
                redact::text(other)
            )));
        }
    };
    found.fault_until = end(file, row, at, times)?;
    found.ended_at = found.fault_until;
    found.tool_id = first(row, &["id", "uid", "run_id", "correlation_id"]);
    if let Some(column) = TARGETS.iter().find(|column| row.word(column).is_some()) {
        let kind = first(row, &["target_kind", "kind"]).unwrap_or_else(|| match *column {
            "injectpod" => "pod".to_owned(),
            "target" | "targets" => "unknown".to_owned(),
            other => other.to_owned(),
        });
        found.target(
            &redact::text(&kind),
            &redact::text(&first(row, &[column]).unwrap_or_default()),
            None,
        );
    }
    for (columns, slot) in [
        (["detected_at", "detected"], &mut found.detected_at),
        (["remediated_at", "remediated"], &mut found.remediated_at),
        (["recovered_at", "recovered"], &mut found.recovered_at),
    ] {
        let value = columns.iter().map(|column| row.field(column)).find(|value| !value.is_null());
        *slot = times
            .optional(file, columns[0], value.unwrap_or(&Value::Null))?
            .filter(|when| *when >= at);
    }
    found.verdict = first(row, &["verdict"]).map(|verdict| redact::text(&verdict));
    if let Some(message) = first(row, &["message", "note", "comment", "description"]) {
        found.note(at, "note", redact::text(&message));
    }
    Ok(found)
}

/// The end of a fault: a time of its own, or a duration in seconds or with a unit.
fn end(
    file: &str,
    row: &Value,
    at: Timestamp,
    times: &mut TimeReader,
) -> Result<Option<Timestamp>, ImportError> {
    if let Some(column) = ENDS.iter().find(|column| row.word(column).is_some()) {
        return Ok(times.optional(file, column, row.field(column))?.filter(|end| *end >= at));
    }
    let Some(text) = first(row, &["duration", "duration_s", "duration_seconds"]) else {
        return Ok(None);
    };
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..1e8).contains(seconds));
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let span = match seconds {
        Some(seconds) => Span::from_milliseconds((seconds * 1000.0) as i64),
        None => Span::parse(&text).map_err(|error| ImportError::Incomplete {
            file: file.to_owned(),
            problem: format!("duration: {error}"),
        })?,
    };
    Ok((span > Span::ZERO).then(|| at.plus(span)))
}

fn outcome(word: &str) -> Option<Outcome> {
    match bare(word).as_str() {
        "killed" | "injected" | "success" | "succeeded" | "successful" | "ok" | "done"
        | "completed" | "true" => Some(Outcome::Killed),
        "dryrun" | "dry" => Some(Outcome::DryRun),
        "refused" | "denied" | "blocked" => Some(Outcome::Refused),
        "notarget" | "empty" => Some(Outcome::NoTarget),
        "failed" | "failure" | "error" | "false" => Some(Outcome::Failed),
        _ => None,
    }
}
