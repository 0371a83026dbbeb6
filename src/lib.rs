//! unfazed: statistics, verdicts and reports for process-kill experiments.

#[cfg(feature = "analysis")]
pub mod app;
#[cfg(feature = "analysis")]
pub mod cli;
#[cfg(feature = "analysis")]
pub mod frame;
pub mod inject;
#[cfg(feature = "analysis")]
pub mod report;
#[cfg(feature = "analysis")]
pub mod run;
#[cfg(feature = "analysis")]
pub mod source;
#[cfg(feature = "analysis")]
pub mod spec;
#[cfg(feature = "analysis")]
pub mod stats;
#[cfg(feature = "analysis")]
pub mod store;
#[cfg(feature = "analysis")]
pub mod summary;
pub mod unit;
#[cfg(feature = "analysis")]
pub mod verdict;
