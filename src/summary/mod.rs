//! One number per metric, arm, window and iteration; times to detect, remediate and recover with censoring; and the
//! census of what is usable.
//!
//! Reads frames, writes [`MetricSummary`] and [`RecoverySummary`]. Refuses to decide: whether a value is inside a
//! bound, and what lost data mean for a verdict, is for `verdict`.

pub mod census;
pub mod error;
pub mod metric;
pub mod needs;
pub mod recovery;
pub mod value;

mod balance;
mod band;
#[cfg(test)]
mod cases;
mod counter;
mod detection;
mod gauge;
mod histogram;
mod load;
mod meter;
#[cfg(test)]
mod native_cases;
mod onset;
#[cfg(test)]
mod properties;
mod query;
mod ratio;
mod reading;
mod remediation;
mod samples;
mod timeline;
mod watched;
mod worst;

pub use census::census;
pub use error::SummaryError;
pub use metric::summarise;
pub use needs::{Need, needs};
pub use recovery::recovery;
pub use value::{
    Census, Counts, EdgeRemedy, HealthyBand, HistogramForms, IterationSummary, Loss, MetricSummary,
    MissingEdge, ONLY_KILL_SAMPLES, OnlyKill, PreKillLoss, ReadingSummary, RecoverySummary,
    RecoveryTime, ShareBracket, TIMELINE_POINTS, TimelinePoint, Timing, WindowValue,
};
