//! One binary for all integration tests, so that they link once.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_cmp,
    reason = "tests read files, start programs, and stop at the first thing that is not as it should be"
)]

mod adversaries;
#[cfg(feature = "analysis")]
mod calibration;
#[cfg(feature = "analysis")]
mod campaign;
#[cfg(feature = "analysis")]
mod cmd;
mod compare;
mod damage;
#[cfg(feature = "analysis")]
mod decisions;
#[cfg(feature = "analysis")]
mod determinism;
mod exposition_verdicts;
#[cfg(feature = "analysis")]
mod fault_proxy;
#[cfg(feature = "analysis")]
mod history;
mod import_fuzz;
#[cfg(feature = "analysis")]
mod import_path;
mod import_samples;
#[cfg(feature = "analysis")]
mod lab;
mod layers;
mod native;
#[cfg(feature = "analysis")]
mod oracle;
mod plan;
#[cfg(feature = "analysis")]
mod policy;
#[cfg(feature = "analysis")]
mod prometheus;
#[cfg(feature = "analysis")]
mod prometheus_servers;
#[cfg(feature = "analysis")]
mod reader_fuzz;
#[cfg(feature = "analysis")]
mod readme;
#[cfg(feature = "analysis")]
mod record;
mod request_rows;
mod run;
#[cfg(feature = "analysis")]
mod runbook_patch;
#[cfg(feature = "analysis")]
mod runbook_rules;
#[cfg(feature = "analysis")]
mod single_kill;
mod stack;
#[cfg(feature = "analysis")]
mod starter;
#[cfg(feature = "analysis")]
mod talk;
#[cfg(feature = "analysis")]
mod verdict_cases;
#[cfg(feature = "analysis")]
mod verdict_properties;
#[cfg(feature = "analysis")]
mod weekly;
