//! Suggested changes to a runbook: what the findings of a result call for, and how they get into people's hands.
//!
//! A rule looks at a result (and, if it was read, at the runbook's text) and is quiet or makes a [`Suggestion`] with its
//! evidence, a graded confidence, the step to add, how to verify it and whom to call. `patch` puts suggestions into a
//! runbook in Markdown, `export` into automation tools. Everything here is a pure function; refuses to know files, pages
//! and the terminal. Nothing here judges: what a result does not hold is not evidence.
//!
//! A rule is one file in `rule/` with the headings *What it sees*, *Why it matters*, *What to try* and *References*; it is
//! registered once, in `registry`. Its thresholds stand in `policy`.

pub mod case;
pub mod confidence;
pub mod document;
pub mod export;
pub mod patch;
pub mod policy;
pub mod registry;
pub mod rule;
mod section;
pub mod suggestion;
pub mod text;
mod unified;

pub use case::{Case, RunbookText};
pub use confidence::{Confidence, Grade};
pub use export::Export;
pub use patch::{Kept, Patched, RunbookFile, patch};
pub use registry::{RULES, Rule, suggest};
pub use suggestion::{Command, Effect, Evidence, Place, Step, Suggestion, Verification};
