//! Every threshold of what is said about many runs, each with its reason.

use crate::unit::Span;

/// How long after its last run an experiment is stale. Four weeks: a service sees several releases in that time, and a
/// verdict speaks of the service as it was.
pub const STALE_AFTER: Span = Span::from_seconds(28 * 86_400);

/// How far back a trend looks. Half a year: longer ago it is another service.
pub const TREND_REACH: Span = Span::from_seconds(182 * 86_400);

/// Runs below which there is no trend: the exact two-sided p of Kendall's statistic reaches 1/12 at four runs and 1/60
/// at five.
pub const TREND_RUNS: usize = 5;

/// The most recent runs that a trend is computed from. Beyond, pairs are many and their ends half a year apart anyway.
pub const TREND_MOST_RUNS: usize = 120;

/// Level of a trend after Benjamini–Hochberg over all trends of the report. One in twenty of those called drifting is
/// expected not to be.
pub const TREND_LEVEL: f64 = 0.05;

/// How far back the times that a period is compared with reach.
pub const REFERENCE_REACH: Span = Span::from_seconds(12 * 7 * 86_400);

/// Events on both sides from which the normal limits of restricted means are shown.
pub const EVENTS_TO_COMPARE: usize = 5;

/// One-sided level of limits of what many runs say. Each run has its own.
pub const LEVEL: f64 = 0.95;

/// Power at which a detectable change is stated.
pub const POWER: f64 = 0.8;

/// Weeks that the strip of verdicts shows.
pub const STRIP_WEEKS: u32 = 8;

/// The most experiments that are proposed.
pub const PROPOSALS: usize = 10;
