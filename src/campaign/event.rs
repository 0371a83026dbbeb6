//! What a campaign is told.

use serde::{Deserialize, Serialize};

use crate::run::FaultRecord;

/// Something that happened. The journal holds those that changed anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A process took the campaign up, for the first time or again.
    Started {
        /// Iterations after which it pauses; none: after the last.
        budget: Option<u32>,
    },
    /// Time has passed.
    Tick,
    /// Whether the conditions before an iteration hold.
    Conditions(Answer),
    /// Whether policy and conditions allow the kill, now.
    Gate(Answer),
    /// What came of the injection.
    Injected(Injection),
    /// Nothing was injected, as was found out after a crash.
    NotInjected,
    /// A rule demands the end of the iteration.
    AbortFired {
        /// The rule, in words.
        rule: String,
    },
    /// How the service is.
    Health(Health),
    /// The campaign has to stop.
    Stop(StopCause),
}

/// Yes, or no with the reason, or nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No {
        /// Why.
        why: String,
    },
    /// Nobody can tell: the source does not answer.
    Unseen {
        /// What the source said.
        why: String,
    },
}

/// How the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "health")]
pub enum Health {
    /// Inside its healthy band.
    Well,
    /// Outside, or nobody can tell.
    Unwell,
}

/// What came of an injection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// As the run record holds it.
    pub fault: FaultRecord,
    /// Why it was not carried out, or what went wrong beside it.
    pub message: Option<String>,
}

/// Why a campaign has to stop before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum StopCause {
    /// A person or the system asked for it.
    Interrupt,
    /// The numbers can no longer be had.
    SourceLost {
        /// What the source said.
        why: String,
    },
    /// The injector cannot be started or does not answer.
    InjectorLost {
        /// What happened.
        why: String,
    },
}

/// How a campaign ended, for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum Ending {
    /// Every iteration is recorded.
    Complete,
    /// As many iterations as asked for this time are recorded.
    BudgetSpent,
    /// Stopped from outside.
    Stopped {
        /// Why.
        cause: StopCause,
    },
    /// The conditions before an iteration did not come to hold.
    ConditionsFailed {
        /// Which.
        why: String,
    },
    /// Too many iterations failed.
    BreakerOpened {
        /// The last failure.
        why: String,
    },
    /// The service did not come back.
    NotRecovered {
        /// Since when it was waited for.
        why: String,
    },
}
