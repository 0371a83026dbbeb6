//! The run record: one run of one experiment, as `run.json` holds it.
//!
//! Reading is strict about what a verdict depends on (zones, order of windows, overlaps, outcomes) and lenient
//! about what it does not know: further fields are kept out of the way, not refused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::unit::{Timestamp, Window};

/// The schema name that this version writes and reads.
pub const SCHEMA: &str = "unfazed.run/v1";

/// One run of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Name of the run, unique within a history.
    pub run_id: String,
    /// Name of the experiment.
    pub experiment: String,
    /// `sha256:<hex>` of the document's bytes when the run started.
    #[serde(default)]
    pub experiment_digest: Option<String>,
    /// Start of the run.
    pub started_at: Timestamp,
    /// End of the run.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// Which tool ran it.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The iterations, by index.
    pub iterations: Vec<Iteration>,
    /// What was noted on the way.
    #[serde(default)]
    pub events: Vec<Event>,
    /// The end of the audit log when the record was written: it shows lines that go missing from the log later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditHead>,
}

/// The end of an audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// How many lines it had.
    pub entries: u64,
    /// The hash of the last one.
    pub head: String,
}

/// Which tool ran it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// `unfazed`, `chaostoolkit`, `litmus`, …
    pub tool: String,
    /// The file it was read from, as given.
    #[serde(default)]
    pub file: Option<String>,
    /// The tool's own verdict, kept beside ours and never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Why the tool came to its verdict, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a fault was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// With the fault.
    Fault,
    /// Same schedule, no fault.
    Control,
}

/// One repetition: baseline, fault, experiment window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Iteration {
    /// Number within the run, from 1.
    pub index: u32,
    /// Fault or control.
    pub arm: Arm,
    /// The control group: before the fault.
    pub baseline: Window,
    /// What was done; absent in the control arm.
    #[serde(default)]
    pub fault: Option<FaultRecord>,
    /// After the fault.
    pub experiment: Window,
    /// When it was noticed, if known; wins over the signals.
    #[serde(default)]
    pub detected_at: Option<Timestamp>,
    /// When it was repaired, if known; wins over the signals.
    #[serde(default)]
    pub remediated_at: Option<Timestamp>,
    /// When the service was back, if known; wins over the signals.
    #[serde(default)]
    pub recovered_at: Option<Timestamp>,
    /// Set when a rule stopped the iteration.
    #[serde(default)]
    pub aborted: Option<Abort>,
}

/// What was done to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The moment of the fault.
    pub at: Timestamp,
    /// Its end, for faults that last.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Whether it was carried out.
    pub outcome: Outcome,
    /// Whom it hit.
    #[serde(default)]
    pub targets: Vec<TargetRecord>,
}

/// Whether a fault was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carried out, whatever the action.
    Killed,
    /// Only shown.
    DryRun,
    /// Not allowed.
    Refused,
    /// Nobody to hit.
    NoTarget,
    /// Tried in vain.
    Failed,
}

impl Outcome {
    /// The word of `run.json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::DryRun => "dry_run",
            Self::Refused => "refused",
            Self::NoTarget => "no_target",
            Self::Failed => "failed",
        }
    }
}

/// One target of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// `process`, `container`, `pod`, …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Process id, container id, pod uid, …
    #[serde(default)]
    pub id: Option<String>,
}

/// A rule that stopped an iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Abort {
    /// When.
    pub at: Timestamp,
    /// Which rule.
    pub rule: String,
}

/// Something noted on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// A word for its kind.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// Joins events of one cause.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// The iteration it belongs to.
    #[serde(default)]
    pub iteration: Option<u32>,
}

/// What is wrong with a run record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Not JSON, or not of the shape.
    #[error("failed to read the run record at line {line}, column {column}: {message}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found and what is accepted.
        message: String,
    },
    /// A record of another schema.
    #[error("schema is '{0}'; accepted is '{SCHEMA}'")]
    Schema(String),
    /// The document does not say what it is.
    #[error(
        "found no field \"schema\", so it is no run record; a run record begins with \"schema\": \"{SCHEMA}\""
    )]
    NoSchema,
    /// JSON, but no object.
    #[error("found {found}; a run record is an object that begins with \"schema\": \"{SCHEMA}\"")]
    NoObject {
        /// What it is instead.
        found: &'static str,
    },
    /// The file is no text.
    #[error("byte {offset} is no UTF-8; accepted is JSON in UTF-8: save it again as UTF-8")]
    NotText {
        /// Position of the first byte that does not fit, from 0.
        offset: usize,
    },
    /// It reads, but cannot be true.
    #[error("{}", .0.join("\n"))]
    Inconsistent(Vec<String>),
}

impl RunRecord {
    /// Reads and checks the bytes of `run.json`.
    ///
    /// # Errors
    /// [`RunError::NotText`], else as [`Self::parse`].
    pub fn read(bytes: &[u8]) -> Result<Self, RunError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| RunError::NotText { offset: error.valid_up_to() })?;
        Self::parse(text)
    }

    /// Reads and checks `run.json`. All inconsistencies are reported at once.
    ///
    /// # Errors
    /// [`RunError`] says what was found where and what is accepted.
    pub fn parse(text: &str) -> Result<Self, RunError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Ok(document) = serde_json::from_str::<Value>(text) {
            let Value::Object(fields) = document else {
                // The reader of structs takes lists for them; a run record is never one.
                return Err(RunError::NoObject { found: kind(&document) });
            };
            match fields.get("schema") {
                Some(Value::String(schema)) if schema == SCHEMA => {}
                Some(Value::String(schema)) => return Err(RunError::Schema(shortened(schema))),
                Some(other) => return Err(RunError::Schema(shortened(&other.to_string()))),
                None => return Err(RunError::NoSchema),
            }
        }
        let record: Self = serde_json::from_str(text).map_err(|error| RunError::Shape {
            line: error.line(),
            column: error.column(),
            message: if error.is_eof() {
                "the file ends inside a value; accepted is complete JSON: write or fetch it again"
                    .to_owned()
            } else {
                without_place(&error.to_string()).to_owned()
            },
        })?;
        record.checked()
    }

    /// A record that was put together in memory, checked as one that is read.
    ///
    /// # Errors
    /// [`RunError::Inconsistent`] with everything that cannot be true.
    pub fn checked(self) -> Result<Self, RunError> {
        let problems = self.problems();
        if problems.is_empty() { Ok(self) } else { Err(RunError::Inconsistent(problems)) }
    }

    /// The record as pretty JSON with a final line feed.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a run record has string keys and finite numbers only");
        text.push('\n');
        text
    }

    /// Everything that cannot be true.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.iterations.is_empty() {
            problems.push("iterations is empty: a run has at least one iteration".to_owned());
        }
        if self.run_id.trim().is_empty() {
            problems.push("run_id is empty: give the run a name".to_owned());
        }
        if let Some(ended_at) = self.ended_at
            && ended_at < self.started_at
        {
            problems.push(format!(
                "ended_at {ended_at} lies before started_at {}; a run ends after its start, or \"ended_at\" is null",
                self.started_at
            ));
        }
        let mut indices = BTreeSet::new();
        for iteration in &self.iterations {
            let index = iteration.index;
            if index == 0 {
                problems.push("iteration index 0: indices count from 1".to_owned());
            }
            if !indices.insert(index) {
                problems.push(format!("iteration {index} appears twice: indices are unique"));
            }
            iteration.check(&mut problems);
        }
        let mut windows: Vec<&Iteration> = self.iterations.iter().collect();
        windows.sort_by_key(|iteration| iteration.baseline.start);
        for pair in windows.windows(2) {
            if pair[1].baseline.start < pair[0].experiment.end {
                problems.push(format!(
                    "iterations {} and {} overlap: {} starts at {} before {} ends at {}; windows of different iterations must not overlap",
                    pair[0].index,
                    pair[1].index,
                    pair[1].index,
                    pair[1].baseline.start,
                    pair[0].index,
                    pair[0].experiment.end,
                ));
            }
        }
        problems
    }
}

impl Iteration {
    /// Adds what cannot be true of this iteration.
    fn check(&self, problems: &mut Vec<String>) {
        let index = self.index;
        for (name, window) in [("baseline", self.baseline), ("experiment", self.experiment)] {
            if window.end <= window.start {
                problems.push(format!(
                    "iteration {index}: {name} ends at {} and starts at {}; a window's end lies after its start",
                    window.end, window.start
                ));
            }
        }
        if self.experiment.start < self.baseline.end {
            problems.push(format!(
                "iteration {index}: the experiment window starts at {} before the baseline ends at {}; windows must not overlap",
                self.experiment.start, self.baseline.end
            ));
        }
        match (self.arm, &self.fault) {
            (Arm::Control, Some(_)) => problems.push(format!(
                "iteration {index}: a control iteration has a fault; \"fault\" must be null in the control arm"
            )),
            (Arm::Fault, None) => problems.push(format!(
                "iteration {index}: a fault iteration has no fault; write \"fault\" with its time and outcome, or arm \"control\""
            )),
            (Arm::Fault, Some(fault)) => {
                if fault.at < self.baseline.end {
                    problems.push(format!(
                        "iteration {index}: the fault at {} lies inside the baseline, which ends at {}; a baseline ends before the fault",
                        fault.at, self.baseline.end
                    ));
                }
                if fault.at >= self.experiment.end {
                    problems.push(format!(
                        "iteration {index}: the fault at {} lies after the experiment window, which ends at {}",
                        fault.at, self.experiment.end
                    ));
                }
                if let Some(until) = fault.until
                    && until < fault.at
                {
                    problems.push(format!(
                        "iteration {index}: the fault ends at {until} before it starts at {}",
                        fault.at
                    ));
                }
            }
            (Arm::Control, None) => {}
        }
        self.check_given_times(problems);
    }

    /// Adds given times that lie before what they answer to.
    fn check_given_times(&self, problems: &mut Vec<String>) {
        let (index, reference) = (self.index, self.reference());
        for (name, given) in [
            ("detected_at", self.detected_at),
            ("remediated_at", self.remediated_at),
            ("recovered_at", self.recovered_at),
        ] {
            if let Some(given) = given
                && given < reference
            {
                problems.push(format!(
                    "iteration {index}: {name} {given} lies before the fault at {reference}; give the time after the fault, or null to derive it from the signals"
                ));
            }
        }
    }

    /// The moment from which times to detect, remediate and recover count: the fault, or in the control arm the
    /// start of the experiment window.
    pub fn reference(&self) -> Timestamp {
        self.fault.as_ref().map_or(self.experiment.start, |fault| fault.at)
    }
}

/// Longest piece of a document that a message repeats, in characters.
const QUOTED_CHARACTERS: usize = 80;

/// A piece of a document, short enough for a message.
fn shortened(text: &str) -> String {
    text.chars().take(QUOTED_CHARACTERS).collect()
}

/// What a JSON value is, in words.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A message of the JSON reader without the place, which is told before it.
fn without_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(iterations: &str) -> String {
        format!(
            r#"{{"schema":"unfazed.run/v1","run_id":"r","experiment":"e","experiment_digest":null,
            "started_at":"2026-11-23T08:00:00Z","ended_at":"2026-11-23T09:00:00Z",
            "origin":{{"tool":"unfazed","file":null}},"iterations":[{iterations}],"events":[]}}"#
        )
    }

    const GOOD: &str = r#"{"index":1,"arm":"fault",
        "baseline":{"start":"2026-11-23T08:00:00Z","end":"2026-11-23T08:05:00Z"},
        "fault":{"at":"2026-11-23T08:05:00Z","until":null,"outcome":"killed","targets":[]},
        "experiment":{"start":"2026-11-23T08:05:00Z","end":"2026-11-23T08:10:00Z"},
        "detected_at":null,"remediated_at":null,"recovered_at":null,"aborted":null}"#;

    #[test]
    fn a_good_record_reads_and_writes_back_the_same() {
        let run = RunRecord::parse(&record(GOOD)).unwrap();
        assert_eq!(RunRecord::parse(&run.to_json()).unwrap(), run);
    }

    #[test]
    fn what_cannot_be_true_is_named() {
        for (from, to, expected) in [
            ("\"08:10", "", ""),
            ("T08:05:00Z\",\"until", "T08:04:59Z\",\"until", "inside the baseline"),
            (
                "08:05:00Z\",\"end\":\"2026-11-23T08:10",
                "08:04:00Z\",\"end\":\"2026-11-23T08:10",
                "must not overlap",
            ),
            ("T08:10:00Z", "T08:05:00Z", "end lies after its start"),
            ("\"arm\":\"fault\"", "\"arm\":\"control\"", "must be null in the control arm"),
            ("T08:10:00Z", "T08:10:00", "has no zone"),
            ("killed", "murdered", "unknown variant `murdered`"),
        ] {
            if expected.is_empty() {
                continue;
            }
            let changed = GOOD.replacen(from, to, 1);
            assert_ne!(changed, GOOD, "{from}");
            let error = RunRecord::parse(&record(&changed)).unwrap_err().to_string();
            assert!(error.contains(expected), "{from}: {error}");
        }
    }

    #[test]
    fn given_times_lie_after_the_fault() {
        let early =
            GOOD.replacen("\"recovered_at\":null", "\"recovered_at\":\"2026-11-23T08:04:59Z\"", 1);
        let error = RunRecord::parse(&record(&early)).unwrap_err().to_string();
        assert!(
            error.contains("recovered_at 2026-11-23T08:04:59Z lies before the fault"),
            "{error}"
        );
        let at_once = early.replacen("08:04:59Z", "08:05:00Z", 1);
        RunRecord::parse(&record(&at_once)).unwrap();
    }

    #[test]
    fn a_run_does_not_end_before_its_start() {
        let text = record(GOOD).replacen("2026-11-23T09:00:00Z", "2026-11-23T07:00:00Z", 1);
        let error = RunRecord::parse(&text).unwrap_err().to_string();
        assert!(error.contains("lies before started_at"), "{error}");
    }

    #[test]
    fn overlapping_iterations_are_refused() {
        let second = GOOD.replacen("\"index\":1", "\"index\":2", 1);
        let error = RunRecord::parse(&record(&format!("{GOOD},{second}"))).unwrap_err().to_string();
        assert!(error.contains("iterations 1 and 2 overlap"), "{error}");
    }

    #[test]
    fn another_schema_is_refused_by_name() {
        let text = record(GOOD).replacen("unfazed.run/v1", "unfazed.run/v9", 1);
        assert_eq!(
            RunRecord::parse(&text).unwrap_err(),
            RunError::Schema("unfazed.run/v9".to_owned())
        );
    }
}
