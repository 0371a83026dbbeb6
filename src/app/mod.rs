//! One file or folder per command: composes the stages and owns their context.
//!
//! The only room that knows all others. A command takes its arguments as values, reads and writes through `source`
//! and `store`, and returns what happened; the terminal belongs to `cli`.

pub mod analyze;
pub mod approve;
pub mod audit;
pub mod batch;
pub mod check;
pub mod clock;
pub mod compare;
mod document;
mod error;
mod events;
mod frames;
pub mod history;
pub mod import;
pub mod import_samples;
pub mod init;
mod overwrite;
pub mod plan;
mod postmortem;
pub mod pull;
pub mod record;
pub mod render;
pub mod run;
pub mod runbook;
pub mod stat;
pub mod weekly;

pub use error::AppError;
