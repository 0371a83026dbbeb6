//! The time of a running campaign: the wall clock at its start, and from then on one that nobody can set.
//!
//! Windows and cooldowns must not jump with the wall clock. When the two part, the campaign says so: samples carry the
//! time of the machine that took them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::unit::{Span, Timestamp};

/// Clocks of kept machines are nudged, not set; more than this is a step.
const STEP: Span = Span::from_seconds(1);

/// The clock of one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunClock {
    start: Timestamp,
    since: Instant,
}

impl RunClock {
    /// Starts with the wall clock's time.
    pub(crate) fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a campaign lives in real time; this is its clock"
        )]
        let since = Instant::now();
        Self { start: wall(), since }
    }

    /// Now.
    pub(crate) fn now(self) -> Timestamp {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.start.plus(Span::from_milliseconds(passed))
    }

    /// By how much the wall clock has stepped since the start, if it has.
    pub(crate) fn stepped(self) -> Option<Span> {
        let apart = wall().since(self.now());
        (apart.milliseconds().abs() > STEP.milliseconds()).then_some(apart)
    }

    /// Lets time pass.
    #[expect(clippy::unused_self, reason = "waiting is the clock's, whichever it is")]
    pub(crate) fn wait(self, span: Span) {
        let milliseconds = u64::try_from(span.milliseconds()).unwrap_or(0);
        #[expect(
            clippy::disallowed_methods,
            reason = "a campaign is mostly waiting; this is where"
        )]
        std::thread::sleep(Duration::from_millis(milliseconds));
    }
}

fn wall() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "a campaign lives in real time; this is its clock"
    )]
    let now = SystemTime::now();
    // A clock before 1970 or beyond an i64 is nonsense: the time of the epoch, at which no plan is valid.
    let milliseconds =
        now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok());
    Timestamp::from_milliseconds(milliseconds.unwrap_or_default())
}
