//! What we remember: runs over time, how claims move from run to run, and the week that people read.
//!
//! Pure: a remembered run is a value ([`RunSummary`]), and everything said about many of them is a function of those
//! values and of the period asked for. `record` is what is kept of a run, `line` the runs of one experiment each once,
//! `finding` what failed anew, again or no longer, `trend` and `healing` the statistics over runs, `standing`,
//! `learning` and `proposal` what they are good for, `weekly` all of it together, `policy` every threshold. Where runs
//! are kept is the store's business; how they look, the report's.

mod finding;
mod healing;
mod learning;
mod line;
pub mod policy;
mod proposal;
pub mod record;
#[cfg(test)]
mod sample;
mod standing;
mod trend;
mod weekly;

pub use finding::{Finding, Findings};
pub use healing::{Healing, TimeKind, TimesEstimate};
pub use learning::{Documented, Learning, Postmortems, RunbookUpdate, ShareOfRuns};
pub use proposal::{Proposal, ProposalReason};
pub use record::{
    Circumstances, ClaimSummary, KillCounts, PostmortemState, RecoverySummary, Remembered,
    RunSummary, RunbookState, SessionKey, SummaryError, TimesSummary,
};
pub use standing::{Coverage, CoverageGroup, Planned, Standing};
pub use trend::{Direction, Trend, TrendOf};
pub use weekly::{Drift, Period, SCHEMA, Totals, Unrun, Weekly, WeeklyRequest, WeeklyRun, weekly};
