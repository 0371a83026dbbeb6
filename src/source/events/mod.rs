//! What was noted while something was measured: traces and structured logs, as events of the run record.
//!
//! Owns the way from exemplars ([`trace`]) and from JSON lines of any logger ([`log`]) to [`crate::run::Event`], and the
//! file of a recording that holds them. Refuses to judge: an event is shown on the timeline and decides nothing.

pub mod log;
pub mod timeline;
pub mod trace;

pub use log::{EVENTS_FILE, EventLog, EventLogError, read_log};
pub use timeline::{MOST_OF_A_KIND, join, outside};
pub use trace::{ExemplarError, of_exemplar, read_exemplars};
