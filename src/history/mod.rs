//! What we remember: runs over time, how claims move from run to run, and the week that people read.
//!
//! Pure: a remembered run is a value ([`RunSummary`]), and everything said about many of them is a function of those
//! values and of the period asked for. Where they are kept is the store's business; how they look, the report's.

pub mod record;

pub use record::{
    Circumstances, ClaimSummary, KillCounts, PostmortemState, RecoverySummary, Remembered,
    RunSummary, RunbookState, SessionKey, SummaryError, TimesSummary,
};
