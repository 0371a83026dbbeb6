//! Documents that people write: what an experiment claims, and what a policy lets happen.
//!
//! Owns the Experiment and Policy grammars, their checks and their error messages. Refuses to know recordings, statistics and
//! verdicts. A document is parsed once into [`Experiment`], where everything that can be wrong has been ruled out;
//! later stages never check again.

pub mod checked;
pub mod claim;
pub mod experiment;
mod grammar;
pub mod lint;
pub mod policy;
pub mod problem;
pub mod schema;
pub mod selector;
pub(crate) mod tree;
mod walk;
pub(crate) mod yaml;

pub use checked::Checked;
pub use claim::{Amount, Claim, Estimand, Form, Strictness};
pub use experiment::{
    AbortRule, AbortTrigger, Across, Action, Band, Counted, Detection, Experiment, Fault,
    Iterations, Measure, Metric, Precondition, PreconditionBound, PrometheusServer, Recovery,
    Reduce, Remediation, Safety, Scrape, Source, Target, Windows,
};
pub use policy::{
    ApprovalRule, Blackout, CanaryTraffic, CheckedPolicy, CircuitBreaker, Environment, KillLimits,
    OpenHours, Policy, Protection, Required,
};
pub use problem::{Problem, Problems};
pub use schema::{policy_schema_json, schema_json};
pub use selector::Selector;
