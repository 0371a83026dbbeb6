//! Measured series and the rules by which they are read: resets, births, gaps, coverage.
//!
//! Owns what a counter's increase, a held gauge and a histogram's bucket share over a window are. Refuses to know
//! experiments and claims. Missing is never zero here: every function says how much of a window was covered.

pub mod counter;
pub mod coverage;
pub mod gauge;
pub mod histogram;
pub mod matched;
pub mod rule;
pub mod series;
pub mod source;
pub mod start;

pub use counter::{Counters, Gain, Increase};
pub use gauge::Gauge;
pub use histogram::{ClassicHistogram, EdgesAround, Histogram, Observed, UnderBound};
pub use matched::Matched;
pub use series::{Frame, Rows, Series};
pub use source::{FrameSource, SourceFailure, Wanted};
pub use start::Starts;
