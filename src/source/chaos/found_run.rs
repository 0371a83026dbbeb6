//! What an importer found: a run that started, or the reason why none did.
//!
//! Owns the words between the formats and the record. Refuses to know windows and indices: the assembly gives
//! those out once all files are read.

use crate::run::{Abort, Arm, Outcome, TargetRecord};
use crate::unit::Timestamp;

/// What one document says.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A run that started, whether or not it injected anything.
    Started(Box<FoundRun>),
    /// A run that never began, or a document without one.
    NotStarted(NotStarted),
}

/// A run that never began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotStarted {
    /// The file as given.
    pub file: String,
    /// Why, in words.
    pub reason: String,
}

/// One fault as a tool tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRun {
    /// The file as given.
    pub file: String,
    /// The tool's own name for the run: joins its events.
    pub tool_id: Option<String>,
    /// What the tool calls the experiment.
    pub title: String,
    /// Fault, or a run of the same schedule without one.
    pub arm: Arm,
    /// Start of the run.
    pub started_at: Timestamp,
    /// End of the run.
    pub ended_at: Option<Timestamp>,
    /// The moment of the fault; without one, the moment at which it was due.
    pub fault_at: Timestamp,
    /// Its end, for faults that last.
    pub fault_until: Option<Timestamp>,
    /// Whether it was carried out.
    pub outcome: Outcome,
    /// Whom it hit.
    pub targets: Vec<TargetRecord>,
    /// When it was noticed, if the tool knows.
    pub detected_at: Option<Timestamp>,
    /// When it was repaired, if the tool knows.
    pub remediated_at: Option<Timestamp>,
    /// When the service was back, if the tool knows.
    pub recovered_at: Option<Timestamp>,
    /// What stopped the run.
    pub aborted: Option<Abort>,
    /// The tool's verdict, in its own word.
    pub verdict: Option<String>,
    /// The verdicts on faults that were joined with this one.
    pub joined_verdicts: Vec<Option<String>>,
    /// Why, in its own words.
    pub reason: Option<String>,
    /// What else happened.
    pub notes: Vec<Note>,
    /// What the tool says of the steady state.
    pub hypothesis: Option<StatedHypothesis>,
    /// What a reader of the record must know.
    pub cautions: Vec<Caution>,
}

/// Something that happened, for the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// A word for its kind.
    pub kind: &'static str,
    /// What happened, without secrets.
    pub message: String,
}

/// What limits the use of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caution {
    /// Stable snake-case code.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// The steady state as the tool states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedHypothesis {
    /// Its title.
    pub title: String,
    /// Its checks, one line each.
    pub checks: Vec<String>,
}

impl FoundRun {
    /// A fault of which only the necessary is known. Importers add what they find.
    pub fn new(file: &str, title: &str, fault_at: Timestamp, outcome: Outcome) -> Self {
        Self {
            file: file.to_owned(),
            tool_id: None,
            title: title.to_owned(),
            arm: Arm::Fault,
            started_at: fault_at,
            ended_at: None,
            fault_at,
            fault_until: None,
            outcome,
            targets: Vec::new(),
            detected_at: None,
            remediated_at: None,
            recovered_at: None,
            aborted: None,
            verdict: None,
            joined_verdicts: Vec::new(),
            reason: None,
            notes: Vec::new(),
            hypothesis: None,
            cautions: Vec::new(),
        }
    }

    /// All verdicts of the tool: its own and those on joined faults.
    pub fn verdicts(&self) -> impl Iterator<Item = Option<&str>> {
        std::iter::once(self.verdict.as_deref())
            .chain(self.joined_verdicts.iter().map(Option::as_deref))
    }

    /// Adds an event to the timeline.
    pub fn note(&mut self, at: Timestamp, kind: &'static str, message: String) {
        self.notes.push(Note { at, kind, message });
    }

    /// Adds something a reader must know.
    pub fn caution(&mut self, code: &'static str, message: String) {
        self.cautions.push(Caution { code, message });
    }

    /// Adds a target unless it is there already.
    pub fn target(&mut self, kind: &str, name: &str, id: Option<&str>) {
        let target = TargetRecord {
            kind: kind.to_owned(),
            name: name.to_owned(),
            id: id.map(str::to_owned),
        };
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }
}
