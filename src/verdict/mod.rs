//! From summaries to pass, fail or inconclusive.

pub mod result;
