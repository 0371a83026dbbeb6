//! Documents that people write: what an experiment claims.
//!
//! Owns the Experiment grammar, its checks and its error messages. Refuses to know recordings, statistics and
//! verdicts. A document is parsed once into [`Experiment`], where everything that can be wrong has been ruled out;
//! later stages never check again.

pub mod checked;
pub mod claim;
pub mod experiment;
mod grammar;
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
pub use problem::{Problem, Problems};
pub use schema::schema_json;
pub use selector::Selector;
