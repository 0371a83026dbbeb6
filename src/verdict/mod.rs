//! From summaries to pass, fail or inconclusive.
//!
//! One file per method (`share`, `request`, `typical`, `ratio_change`, `threshold`, `deadline`), one each for what
//! stands in the way of a verdict (`baseline`, `control`), `within_window` for what a single kill says, `sample` for
//! the scales of claims, `judge` for all claims together, `policy` for every threshold, `gate` for the log of
//! comparisons, `result` for what comes out. Refuses to know files, sources and
//! pages; knows metrics only through their summaries.
//!
//! # How often a verdict is wrong
//!
#![doc = include_str!("calibration.md")]

mod baseline;
mod claim;
pub mod compare;
mod control;
mod deadline;
mod describe;
mod estimate;
mod exploratory;
mod gate;
mod judge;
mod kill;
mod onset;
pub mod plan;
pub mod policy;
mod ratio_change;
mod recovery;
mod request;
pub mod result;
mod ruling;
mod sample;
mod sentence;
mod share;
mod subject;
mod threshold;
mod timeline;
mod times;
pub mod tool_verdict;
mod typical;
mod warning;
mod within_window;

pub use judge::{Evidence, judge};
