//! Suggestions as automation: one file a format, each a pure function that returns whole files.
//!
//! In every format a step that changes a system waits for a person's approval, every step is verified, and what is not
//! verified is handed on. Commands come from a fixed set and take what varies from their environment; text of a result
//! stands in descriptions and messages only, where no template language of the format can read it as its own.

mod executable_markdown;
mod format;
mod rundeck;
mod ssm;
mod stackstorm;
mod yaml;

pub use format::{Book, Export, ExportFile};
