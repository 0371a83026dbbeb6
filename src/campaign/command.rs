//! What a campaign asks its edge to do.

use crate::campaign::event::Ending;
use crate::run::Iteration;

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Ask whether policy and conditions allow the kill, and answer with `Gate`.
    AskGate {
        /// The iteration.
        index: u32,
    },
    /// Start the injector, and answer with `Injected`.
    Inject {
        /// The iteration.
        index: u32,
    },
    /// End the injector's fault now; its answer is still awaited.
    Withdraw,
    /// Find out what became of an injection that nobody awaited, and answer with `Injected` or `NotInjected`.
    FindOutcome {
        /// The iteration.
        index: u32,
    },
    /// Put the iteration into the run record, in place of an earlier form of it.
    Record(Box<Iteration>),
    /// Note something in the run record.
    Note(Note),
    /// Close the log: the campaign has ended, for now.
    Finish(Ending),
}

/// Something noted on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// A word for its kind.
    pub kind: &'static str,
    /// What happened.
    pub message: String,
    /// The iteration it belongs to.
    pub iteration: Option<u32>,
}
