//! What happened: sessions, iterations, windows, faults, events.
//!
//! Owns `run.json` (`unfazed.run/v1`) and the joining of several runs into one campaign. Refuses to know metrics:
//! a run record says when and to whom something was done, never how the service took it.

pub mod campaign;
pub mod record;

pub use campaign::{Campaign, Session, SessionIteration};
pub use record::{
    Abort, Arm, AuditHead, Event, FaultRecord, Iteration, Origin, Outcome, RunError, RunRecord,
    TargetRecord,
};
