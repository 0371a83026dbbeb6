//! Measured series and the rules by which they are read: resets, births, gaps, coverage.
//!
//! Owns what a counter's increase, a held gauge and a histogram's bucket share over a window are. Refuses to know
//! experiments and claims. Missing is never zero here: every function says how much of a window was covered.

pub mod series;

pub use series::{Frame, Series};
