//! The rules, one a file. Each file says what its rule sees, why it matters, what to try and where to read on.

pub mod alert_without_runbook;
pub mod failover_errors;
pub mod late_detection;
pub mod little_redundancy;
pub mod lost_work;
pub mod manual_recovery;
pub mod missing_detection;
pub mod missing_telemetry;
pub mod retry_storm;
pub mod saturated_node;
pub mod slow_drain;
pub mod slow_recovery;
pub mod slow_restart;
pub mod unsteady_baseline;
