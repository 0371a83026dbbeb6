//! One number per metric, arm, window and iteration; times to detect, remediate and recover with censoring; and the
//! census of what is usable.
//!
//! Reads frames, writes [`MetricSummary`] and [`RecoverySummary`]. Refuses to decide: whether a value is inside a
//! bound, and what lost data mean for a verdict, is for `verdict`.

pub mod value;

pub use value::{
    Census, Counts, HealthyBand, IterationSummary, Loss, MetricSummary, MissingEdge, PreKillLoss,
    ReadingSummary, RecoverySummary, RecoveryTime, ShareBracket, TIMELINE_POINTS, TimelinePoint,
    Timing, WindowValue,
};
