//! From summaries to pass, fail or inconclusive.

pub mod result;
pub mod tool_verdict;
