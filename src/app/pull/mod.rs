//! `unfazed pull`: the windows of a run, from a Prometheus server into a recording.
//!
//! Owns what is asked for (`plan`), the fetching of it by a few workers, resumable (`fetch`, `tail`), the recording that comes of
//! it (`assembly`, `origin`), and the command itself (`command`). `analyze` fetches in the same way into a scratch directory
//! and reads the recording back, so that both ways give the same numbers.

mod assembly;
mod command;
mod fetch;
mod origin;
mod plan;
mod tail;

pub(crate) use command::fetch_for_analysis;
pub use command::{PullArguments, Pulled, run};
pub use fetch::{Fetching, Progress};
pub(crate) use origin::Origin;
