//! unfazed: statistics, verdicts and reports for process-kill experiments.

#[cfg(feature = "analysis")]
pub mod app;
#[cfg(feature = "analysis")]
pub mod stats;
pub mod unit;
