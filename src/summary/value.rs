//! The values that summaries consist of.
//!
//! A window has a value or a reason why not; the reason before the kill is an exclusion, the same reason after the
//! kill is lost data. `verdict` reads only these types.

use crate::run::Arm;
use crate::unit::{Span, Timestamp};

/// All windows of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSummary {
    /// The metric's name.
    pub name: String,
    /// Whether a selector of the metric matched nothing in the whole recording (typo guard): its text.
    pub matched_nothing: Option<String>,
    /// Median spacing of the samples.
    pub step: Option<Span>,
    /// One entry per iteration of the campaign, in its order.
    pub iterations: Vec<IterationSummary>,
    /// Conflicting duplicate samples that were dropped.
    pub conflicting_duplicates: u64,
    /// The absolute bound of a histogram that lies inside a bucket; the edges around the bound.
    pub missing_edge: Option<MissingEdge>,
    /// In which forms a histogram was recorded; of several sessions the most telling.
    pub histogram_forms: Option<HistogramForms>,
    /// Whether every matching series lives on a target of the fault (its own instance).
    pub measured_on_target: bool,
    /// At most [`TIMELINE_POINTS`] points per iteration, for charts.
    pub timeline: Vec<TimelinePoint>,
    /// The samples of the only kill that counts, where exactly one does: what can be described without repetitions.
    pub only_kill: Option<OnlyKill>,
}

/// Greatest number of samples a window of [`OnlyKill`] keeps. A window of a quarter of an hour at one sample a second has
/// 900; beyond the limit every second, third, … sample is kept, because a mean and its error need no more.
pub const ONLY_KILL_SAMPLES: usize = 4_000;

/// The samples of the two windows of a campaign's only usable kill, oldest first, finite values only.
#[derive(Debug, Clone, PartialEq)]
pub struct OnlyKill {
    /// Number of the iteration within the campaign.
    pub index: u32,
    /// Samples of the baseline window.
    pub baseline: Vec<f64>,
    /// Samples of the experiment window.
    pub experiment: Vec<f64>,
}

/// Greatest number of timeline points per iteration and metric (design of the result).
pub const TIMELINE_POINTS: usize = 300;

/// The bucket edges between which an absolute bound lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissingEdge {
    /// The bound without an edge.
    pub bound: f64,
    /// Greatest edge below it, if any.
    pub below: Option<f64>,
    /// Smallest edge above it (infinite for the last bucket).
    pub above: f64,
    /// What would make the bound decidable.
    pub remedy: EdgeRemedy,
}

/// What a person can do about a bound inside a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeRemedy {
    /// Classic buckets are chosen one by one.
    AddEdge,
    /// Native buckets lie where their resolution puts them.
    RaiseResolution,
}

/// In which forms the histograms that a selector means were recorded, and so which of them was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistogramForms {
    /// Classic ones alone, or none.
    Classic,
    /// Native ones alone.
    Native,
    /// Both; the native ones were measured.
    NativeBesideClassic,
}

/// One stretch of a timeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimelinePoint {
    /// Start of the stretch.
    pub at: Timestamp,
    /// Smallest value in it.
    pub min: f64,
    /// Mean value in it.
    pub mean: f64,
    /// Greatest value in it.
    pub max: f64,
}

/// One iteration's two windows.
#[derive(Debug, Clone, PartialEq)]
pub struct IterationSummary {
    /// Number within the campaign.
    pub index: u32,
    /// Number of the session.
    pub session: u32,
    /// Fault or control.
    pub arm: Arm,
    /// Causes settled before the kill; an iteration with one is excluded for this metric.
    pub excluded: Option<PreKillLoss>,
    /// When a rule stopped it.
    pub aborted: Option<Timestamp>,
    /// The baseline window.
    pub baseline: WindowValue,
    /// The experiment window. For a balance the value over both windows.
    pub experiment: WindowValue,
}

/// One cause, settled before the kill, that excludes an iteration; of several the first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreKillLoss {
    /// The fault's outcome was other than `killed`.
    NotInjected,
    /// The baseline window has too little data.
    BaselineMissing,
    /// The baseline window has fewer requests than `min_requests`.
    NoTraffic,
}

impl PreKillLoss {
    /// The reason code of results.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotInjected => "not_injected",
            Self::BaselineMissing => "baseline_missing",
            Self::NoTraffic => "no_traffic",
        }
    }
}

/// What a window says.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowValue {
    /// The window's number in the metric's unit, or why there is none.
    pub value: Result<f64, Loss>,
    /// Held time over window length; `None` for raw samples.
    pub coverage: Option<f64>,
    /// Event counts of a ratio or histogram, without `worst`; present also when traffic is below `min_requests`.
    pub counts: Option<Counts>,
    /// Share of requests under the absolute bound of a histogram claim (worst slice with `worst`).
    pub share_under: Option<ShareBracket>,
}

/// Why a window has no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Too little coverage, a gap, a NaN, or no sample at all.
    MissingData,
    /// Too few requests.
    NoTraffic,
}

impl Loss {
    /// The reason code of results.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingData => "missing_data",
            Self::NoTraffic => "no_traffic",
        }
    }
}

/// Event counts of a window. For a histogram claim `at_least` the bad events are those at or under the bound; for a
/// histogram without an absolute bound all events may be bad and none surely is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    /// Bad events of a ratio; slow requests by the cautious edge of a histogram with an absolute bound (all that
    /// are not surely under the bound).
    pub bad: f64,
    /// Bad events by the generous edge: all that are surely over the bound. Equal to `bad` at an edge and for ratios.
    pub bad_surely: f64,
    /// All events.
    pub total: f64,
}

/// Bounds on the share of requests at or under an absolute bound, whichever side is claimed: `at_most` at quantile q is
/// inside when the share is at least q, `at_least` when it is at most q.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareBracket {
    /// Surely at or under the bound (bucket edge at or below it).
    pub lower: f64,
    /// Possibly at or under the bound (bucket edge at or above it).
    pub upper: f64,
}

/// Which iterations can be used at all, for every metric alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// Excluded for every metric: index and cause.
    pub excluded: Vec<(u32, PreKillLoss)>,
}

/// Times to detect, remediate and recover.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoverySummary {
    /// Name of the watched metric.
    pub signal: String,
    /// Time to detect.
    pub detect: Option<ReadingSummary>,
    /// Time to remediate.
    pub remediate: Option<ReadingSummary>,
    /// Time to recover.
    pub recover: ReadingSummary,
}

/// One kind of time over all fault iterations.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingSummary {
    /// Resolution of the readings: the step of the signal.
    pub resolution: Option<Span>,
    /// One entry per iteration of the campaign, in its order; those of the control arm and the excluded ones are
    /// marked, not left out.
    pub times: Vec<RecoveryTime>,
}

/// One iteration's time from the fault.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryTime {
    /// Number within the campaign.
    pub index: u32,
    /// Number of the session.
    pub session: u32,
    /// Fault or control.
    pub arm: Arm,
    /// Excluded before the kill (the signal's baseline is missing, or nothing was injected).
    pub excluded: Option<PreKillLoss>,
    /// Whether a rule stopped the iteration.
    pub aborted: Option<Timestamp>,
    /// What was seen.
    pub timing: Timing,
    /// The signal stayed inside its band all the time: "no impact seen".
    pub never_departed: bool,
    /// Onset after the fault, in seconds.
    pub onset_seconds: Option<f64>,
    /// Later departures after a lasting return.
    pub relapses: u32,
    /// Short stretches outside the band that do not count.
    pub excursions: u32,
    /// Last moment after the fault, in seconds, at which the signal was seen unhealthy (outside an excursion).
    pub last_unhealthy_seconds: Option<f64>,
    /// The band used: smallest and greatest healthy value.
    pub band: Option<HealthyBand>,
}

/// The band within which a signal is healthy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthyBand {
    /// Smallest healthy value, if bounded below.
    pub lower: Option<f64>,
    /// Greatest healthy value, if bounded above.
    pub upper: Option<f64>,
}

/// When something happened after the fault. Seconds count from the fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Timing {
    /// Seen at `at`; the true moment lies in (`after`, `at`]. Both are equal when the run record gives the moment.
    Seen {
        /// Last moment at which it had not happened yet.
        after: f64,
        /// First moment at which it had.
        at: f64,
    },
    /// Not seen until the end of what was observed.
    Censored {
        /// Last moment observed.
        at: f64,
    },
    /// Data lost after the kill: nothing can be said from `from` on.
    Lost {
        /// Last moment observed before the loss.
        from: f64,
    },
}
