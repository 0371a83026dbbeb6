//! `unfazed run`: an experiment carried out, from the plan that is shown first to a recording that `analyze` judges.
//!
//! The state machine is `campaign`'s, the decisions are `safety`'s, the kill is the child's. Here is everything between
//! them: documents, clock, journal, record, audit log, the thread that watches the service, and the child itself.

mod audit_log;
mod clock;
mod drive;
mod fault_marks;
mod gate;
mod injector;
mod plan_document;
mod prepare;
mod reading;
mod record_keeper;
mod rules;
mod sight;
mod telemetry;
mod tidings;
mod watcher;

pub use prepare::{Finished, Liveness, Resumption, RunArguments, run};
pub use tidings::{GateReading, Onlooker, Standing, Tidings};
