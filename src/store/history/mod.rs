//! The history on disk: one immutable object a run, and an index that nobody changes unnoticed.
//!
//! ```text
//! DIR/history.json                   {"schema": "unfazed.history/v1"}: what this folder is
//! DIR/index.jsonl                    one line a run, each naming the hash of the line before
//! DIR/head.json                      how many lines there are, and the hash of the last
//! DIR/objects/ab/<sha256>.json       the result and the run records of one run, compact
//! DIR/objects/ab/<sha256>.parquet    the points of its timelines: metric, at, low, mean, high
//! DIR/lock                           held while a run is appended
//! ```
//!
//! A run is written in the order objects, index, head. Whoever is stopped in between, at any moment, leaves the runs
//! before it untouched: an object without a line is no run yet, and half a line is taken away by the next writer.

mod digest;
mod error;
mod folder;
mod index;
mod lock;
mod object;
mod points;
mod verify;

pub use digest::digest;
pub use error::HistoryError;
pub use folder::{Appended, History};
pub use index::RunEntry;
pub use verify::{HistoryNote, HistoryProblem, ProblemCode, Verification};
