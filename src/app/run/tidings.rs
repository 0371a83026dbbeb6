//! What a running campaign tells whoever looks on: the terminal, or a program that reads JSON lines.

use serde::Serialize;

use crate::run::Arm;
use crate::unit::{Span, Timestamp};

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Tidings {
    /// The campaign begins, or goes on.
    Began {
        /// When.
        at: Timestamp,
        /// The run.
        run_id: String,
        /// Where the recording is written.
        directory: String,
        /// `live` or `dry_run`.
        mode: &'static str,
        /// Iterations with the fault.
        faults: u32,
        /// Iterations without.
        controls: u32,
        /// Whether it was begun before.
        resumed: bool,
    },
    /// A gate was asked.
    Decision {
        /// When.
        at: Timestamp,
        /// The iteration; none before the first.
        iteration: Option<u32>,
        /// Whether it lets the kill pass.
        allowed: bool,
        /// Every gate in words.
        lines: Vec<String>,
    },
    /// A phase began.
    Phase {
        /// When.
        at: Timestamp,
        /// The iteration.
        iteration: u32,
        /// How many there are.
        of: u32,
        /// Its arm.
        arm: Arm,
        /// The phase's word.
        phase: &'static str,
    },
    /// Something was noted in the run record.
    Noted {
        /// When.
        at: Timestamp,
        /// The iteration.
        iteration: Option<u32>,
        /// A word for its kind.
        kind: String,
        /// What happened.
        message: String,
    },
    /// How it stands; told several times a second.
    Progress(Standing),
    /// It has ended, for now.
    Ended {
        /// When.
        at: Timestamp,
        /// How, in one word.
        ending: &'static str,
        /// How, in a sentence.
        message: String,
    },
}

/// How a campaign stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// When.
    pub at: Timestamp,
    /// The iteration.
    pub iteration: u32,
    /// How many there are.
    pub of: u32,
    /// Its arm.
    pub arm: Arm,
    /// The phase's word.
    pub phase: &'static str,
    /// Seconds left of a phase whose end is known.
    pub left_s: Option<f64>,
    /// Gates and rules with their numbers.
    pub readings: Vec<GateReading>,
}

/// One gate or rule with its number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateReading {
    /// What is looked at.
    pub name: String,
    /// Its number, in words.
    pub value: String,
    /// What is accepted, in words.
    pub threshold: String,
    /// `ok`, `holding`, `fired`, `unmet`, `unknown`.
    pub state: &'static str,
}

/// Looks on.
pub trait Onlooker {
    /// Is told something.
    fn tell(&mut self, tidings: &Tidings);
}

/// Seconds of a span.
pub(crate) fn seconds(span: Option<Span>) -> Option<f64> {
    span.map(Span::seconds)
}
