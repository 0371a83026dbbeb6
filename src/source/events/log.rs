//! Structured logs: JSON lines with a time and a message, whoever wrote them.
//!
//! Owns the names that loggers use for time, message and correlation id. A line that is no JSON object, or has no time or
//! no message, is left out and counted: logs are mixed with other output. Our own `events.jsonl` is read the same way.

use serde_json::Value;

use crate::run::Event;
use crate::source::chaos::Zone;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;

/// The events of a recording, beside its samples.
pub const EVENTS_FILE: &str = "events.jsonl";

/// The word for the kind of these events, where the line names none.
pub const KIND: &str = "log";

/// Longest message that is kept, in characters: a timeline is no archive.
const MESSAGE_CHARACTERS: usize = 500;

/// Names of the time. The surest come first: `ts` of one logger is seconds, of another a text.
const TIMES: [&str; 13] = [
    "at",
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "t",
    "datetime",
    "date",
    "asctime",
    "eventTime",
    "Timestamp",
    "timeUnixNano",
    "_time",
];

/// Names of the message.
const MESSAGES: [&str; 9] =
    ["message", "msg", "event", "text", "log", "body", "short_message", "@message", "Body"];

/// Names of what joins lines of one cause, the most telling first.
const CORRELATIONS: [&str; 14] = [
    "correlation_id",
    "correlationId",
    "correlation-id",
    "trace_id",
    "traceId",
    "traceID",
    "traceid",
    "trace.id",
    "TraceId",
    "request_id",
    "requestId",
    "x_request_id",
    "x-request-id",
    "transaction_id",
];

/// Names of the severity.
const LEVELS: [&str; 5] = ["level", "severity", "levelname", "log.level", "lvl"];

/// Objects in which loggers hide the fields of a line.
const NESTED: [&str; 6] = ["fields", "context", "extra", "attributes", "labels", "trace"];

/// What a log held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventLog {
    /// The events, by time; of one time in the order of the file.
    pub events: Vec<Event>,
    /// Lines that are no event.
    pub skipped: usize,
    /// What a reader must know, such as times without a zone.
    pub warnings: Vec<crate::verdict::result::Warning>,
}

/// Why a log held no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to read {file}: none of its {lines} lines is an event; accepted are JSON lines with a time (time, timestamp, ts, @timestamp) and a message (message, msg), and optionally a correlation id (correlation_id, trace_id, request_id){hint}"
)]
pub struct EventLogError {
    file: String,
    lines: usize,
    hint: String,
}

impl EventLogError {
    /// What the file is, as a fragment.
    pub fn found(&self) -> String {
        format!("no log of events: none of its {} lines is one{}", self.lines, self.hint)
    }

    /// What to give instead, as a fragment.
    pub fn instead(&self) -> String {
        "give JSON lines with a time (time, timestamp, ts, @timestamp) and a message (message, msg)"
            .to_owned()
    }
}

/// Reads a log. Times without a zone are read in `zone`, else as UTC with a warning.
///
/// # Errors
/// [`EventLogError`] if there are lines and none of them is an event.
pub fn read_log(file: &str, text: &str, zone: Option<Zone>) -> Result<EventLog, EventLogError> {
    let mut times = TimeReader::new(zone);
    let mut log = EventLog::default();
    let mut lines = 0;
    let mut first = None;
    // What a crash cut off ends without a line feed, and then mostly is no JSON either.
    for line in text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()) {
        lines += 1;
        let read = serde_json::from_str::<Value>(line)
            .ok()
            .and_then(|fields| event(file, &fields, &mut times));
        if let Some(event) = read {
            log.events.push(event);
        } else {
            first = first.or(Some(line));
            log.skipped += 1;
        }
    }
    if let Some(line) = first.filter(|_| log.events.is_empty()) {
        let shown: String = line.chars().take(80).collect();
        return Err(EventLogError {
            file: file.to_owned(),
            lines,
            hint: format!("; the first line begins with '{}'", shown.escape_debug()),
        });
    }
    log.events.sort_by_key(|event| event.at);
    log.warnings = times.warnings();
    Ok(log)
}

fn event(file: &str, fields: &Value, times: &mut TimeReader) -> Option<Event> {
    let at = TIMES
        .iter()
        .find_map(|name| fields.get(name).and_then(|value| times.lenient(file, value)))?;
    let message = text(fields, &MESSAGES)?;
    let mut shown: String = redact::text(&message).chars().take(MESSAGE_CHARACTERS).collect();
    if shown.len() < message.len() && shown.chars().count() == MESSAGE_CHARACTERS {
        shown.push('…');
    }
    let own_kind = fields.get("kind").and_then(Value::as_str).filter(|kind| !kind.is_empty());
    if let Some(level) = text(fields, &LEVELS).filter(|_| own_kind.is_none()) {
        shown = format!("{}: {shown}", level.to_ascii_lowercase());
    }
    Some(Event {
        at,
        kind: own_kind.unwrap_or(KIND).to_owned(),
        message: shown,
        correlation_id: text(fields, &CORRELATIONS)
            .or_else(|| fields.get("trace").and_then(|trace| trace.get("id")).and_then(word)),
        iteration: fields
            .get("iteration")
            .and_then(Value::as_u64)
            .and_then(|it| u32::try_from(it).ok()),
    })
}

/// The first of the names that is there, in the line or in one of the objects where loggers put fields.
fn text(fields: &Value, names: &[&str]) -> Option<String> {
    let places = std::iter::once(fields).chain(NESTED.iter().filter_map(|name| fields.get(name)));
    places.flat_map(|place| names.iter().filter_map(move |name| place.get(name))).find_map(word)
}

/// A text or number that says something.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Timestamp;

    fn read(text: &str) -> EventLog {
        read_log("app.log", text, None).unwrap()
    }

    #[test]
    fn the_words_of_many_loggers_are_known() {
        let log = read(concat!(
            r#"{"time":"2026-11-23T10:00:01Z","level":"ERROR","message":"worker lost","correlation_id":"c1"}"#,
            "\n",
            r#"{"@timestamp":"2026-11-23T10:00:02.5+01:00","log.level":"warn","message":"retry","trace.id":"t2"}"#,
            "\n",
            r#"{"ts":1764000000.25,"msg":"zap","fields":{"request_id":7}}"#,
            "\n",
            r#"{"timestamp":"1764000001000","event":"structlog","trace":{"id":"t4"}}"#,
            "\n",
        ));
        assert_eq!((log.events.len(), log.skipped), (4, 0));
        let told: Vec<(String, Option<&str>)> = log
            .events
            .iter()
            .map(|event| (event.message.clone(), event.correlation_id.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("zap".to_owned(), Some("7")),
                ("structlog".to_owned(), Some("t4")),
                ("warn: retry".to_owned(), Some("t2")),
                ("error: worker lost".to_owned(), Some("c1")),
            ]
        );
        assert_eq!(log.events[0].at.milliseconds(), 1_764_000_000_250);
        assert!(log.events.iter().all(|event| event.kind == "log"));
    }

    #[test]
    fn lines_that_are_no_events_are_counted_and_a_log_without_any_is_refused() {
        let log = read(
            "starting\n{\"time\":\"2026-11-23T10:00:01Z\",\"msg\":\"x\"}\n{\"msg\":\"no time\"}\n{\"time\":\"2026",
        );
        assert_eq!((log.events.len(), log.skipped), (1, 3));
        let error = read_log("app.log", "plain text\n", None).unwrap_err().to_string();
        assert!(error.contains("none of its 1 lines") && error.contains("plain text"), "{error}");
        assert!(read("").events.is_empty());
    }

    #[test]
    fn our_own_events_come_back_as_they_were() {
        let event = Event {
            at: Timestamp::from_milliseconds(1_764_000_000_250),
            kind: "trace".to_owned(),
            message: "x = 1".to_owned(),
            correlation_id: Some("t".to_owned()),
            iteration: Some(2),
        };
        assert_eq!(read(&serde_json::to_string(&event).unwrap()).events, [event]);
    }
}
