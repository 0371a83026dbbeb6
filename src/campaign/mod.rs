//! How a run goes on: the pure state machine of `unfazed run`.
//!
//! ```text
//! rest ─► waiting ─► baseline ─► gate ─► injecting ─► experiment ─► recovery ─┐
//!  ▲      conditions              policy   one child    abort rules            │
//!  └───────────────────────── cooldown, counted from recovery ◄───────────────┘
//! ```
//!
//! State, event and time in; state and commands out. Owns the order of things: what must have happened before a kill
//! may be asked for, what is recorded when, what a stop or a crash at any moment leaves to do. Refuses to know clocks,
//! files, children, metrics and policies: the edge answers its questions with [`Event`]s and carries out its
//! [`Command`]s. A campaign that is fed the events of its journal again is the same campaign, which is what resuming is.

mod command;
mod course;
mod event;
mod phase;
#[cfg(test)]
mod properties;
mod schedule;
mod terms;

pub use command::{Command, Note};
pub use course::{Course, Significance, Step};
pub use event::{Answer, Ending, Event, Health, Injection, StopCause};
pub use phase::{Phase, Progress};
pub use schedule::{Schedule, Slot};
pub use terms::Terms;
