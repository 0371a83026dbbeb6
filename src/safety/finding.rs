//! One gate of a decision: what was compared with what, what came out, and the sentence that says so.
//!
//! Owns the words of a finding and the outcome of a comparison with something unknown. Each gate records value,
//! threshold and outcome from one expression, so that the log cannot say something else than the decision.

use serde::Serialize;

use crate::safety::fact::Fact;
use crate::safety::situation::{Moment, Situation};

/// One gate of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable word for the gate.
    pub gate: &'static str,
    /// What it looked at, where one gate looks at several things: a precondition's name, a metric.
    pub subject: Option<String>,
    /// What was found.
    pub value: String,
    /// What is accepted.
    pub threshold: String,
    /// What came out.
    pub outcome: Outcome,
    /// The finding in words, with what to do where it denies.
    pub sentence: String,
}

/// What came out of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It lets the kill pass.
    Passed,
    /// It can only be told later.
    Later,
    /// It denies the kill.
    Denied,
}

impl Outcome {
    /// Passed if the condition holds, else denied.
    pub(crate) const fn when(holds: bool) -> Self {
        if holds { Self::Passed } else { Self::Denied }
    }

    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Later => "later",
            Self::Denied => "denied",
        }
    }
}

/// The findings of one decision, in the order of the gates.
#[derive(Debug)]
pub(crate) struct GateLog {
    moment: Moment,
    pub(crate) findings: Vec<Finding>,
}

/// What is said where nothing was found out.
pub(crate) struct Question {
    pub(crate) gate: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) threshold: String,
    /// What is not known: `how many match the target`.
    pub(crate) what: String,
}

impl GateLog {
    pub(crate) fn new(situation: &Situation) -> Self {
        Self { moment: situation.moment, findings: Vec::new() }
    }

    /// Records a comparison.
    pub(crate) fn record(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// What a fact holds; a fact that is not known is recorded as the gate's finding.
    pub(crate) fn known<T>(&mut self, fact: Fact<T>, question: Question) -> Option<T> {
        let Question { gate, subject, threshold, what } = question;
        let (outcome, sentence) = match (fact, self.moment) {
            (Fact::Known(value), _) => return Some(value),
            (Fact::Unknown(why), _) => (
                Outcome::Denied,
                format!("{what} is not known, and what is not known denies: {why}"),
            ),
            (Fact::NotYet, Moment::Kill) => {
                (Outcome::Denied, format!("{what} was not looked up, and what is not known denies"))
            }
            (Fact::NotYet, Moment::Check | Moment::Start) => {
                (Outcome::Later, format!("{what} is looked up right before every kill"))
            }
        };
        let value = "unknown".to_owned();
        self.record(Finding { gate, subject, value, threshold, outcome, sentence });
        None
    }
}
