//! Where a campaign stands.

use crate::run::{Arm, Iteration};
use crate::unit::{Span, Timestamp, Window};

/// Where a campaign stands in its current iteration.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Cooldown, or the time before the first iteration.
    Rest {
        /// Its end.
        until: Timestamp,
    },
    /// The conditions are waited for.
    Waiting {
        /// Since when.
        since: Timestamp,
    },
    /// The control group is measured.
    Baseline {
        /// The window.
        window: Window,
    },
    /// Policy and conditions are asked once more.
    Gate {
        /// The baseline that has just ended.
        baseline: Window,
    },
    /// The injector is at work.
    Injecting {
        /// The baseline before it.
        baseline: Window,
        /// Since when.
        since: Timestamp,
        /// The rule that fired meanwhile.
        aborted: Option<String>,
    },
    /// The time after the fault is measured.
    Experiment {
        /// The iteration as it is recorded.
        iteration: Box<Iteration>,
    },
    /// The service has to be well before anything else may happen.
    Recovery {
        /// Since when it is waited for.
        since: Timestamp,
    },
}

impl Phase {
    /// The word for people and for `--json`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Rest { .. } => "rest",
            Self::Waiting { .. } => "waiting",
            Self::Baseline { .. } => "baseline",
            Self::Gate { .. } => "gate",
            Self::Injecting { .. } => "injecting",
            Self::Experiment { .. } => "experiment",
            Self::Recovery { .. } => "recovery",
        }
    }
}

/// How far a campaign has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The current iteration; after the last one, the last.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// The arm of the current one.
    pub arm: Arm,
    /// The phase's word.
    pub phase: &'static str,
    /// What is left of a phase whose end is known.
    pub left: Option<Span>,
}
