//! When to ask: at fixed moments from the start on, whatever the answers take.

use std::time::Duration;

/// A moment of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Its number, from 0.
    pub number: u64,
    /// How long after the start it is.
    pub due: Duration,
    /// Moments that went by since the last one, because an answer took too long.
    pub missed: u64,
}

/// The first moment that is not over yet, after the moment `last`; `elapsed` is the time since the start.
///
/// A moment counts as over once half an interval has passed: a thread that wakes a little late still asks.
pub fn next(every: Duration, elapsed: Duration, last: Option<u64>) -> Tick {
    let wanted = last.map_or(0, |last| last + 1);
    let nanoseconds = every.as_nanos().max(1);
    let reached = (elapsed.as_nanos() + nanoseconds / 2) / nanoseconds;
    let number = wanted.max(u64::try_from(reached).unwrap_or(u64::MAX));
    let due = u64::try_from(nanoseconds)
        .map_or(Duration::MAX, |step| Duration::from_nanos(step.saturating_mul(number)));
    Tick { number, due, missed: number - wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(elapsed_ms: u64, last: Option<u64>) -> Tick {
        next(SECOND, Duration::from_millis(elapsed_ms), last)
    }

    #[test]
    fn moments_never_drift_and_missed_ones_are_counted() {
        assert_eq!(after(0, None), Tick { number: 0, due: Duration::ZERO, missed: 0 });
        assert_eq!(after(20, Some(0)), Tick { number: 1, due: SECOND, missed: 0 });
        assert_eq!(after(1400, Some(0)), Tick { number: 1, due: SECOND, missed: 0 });
        assert_eq!(after(1600, Some(0)), Tick { number: 2, due: 2 * SECOND, missed: 1 });
        assert_eq!(after(10_100, Some(1)), Tick { number: 10, due: 10 * SECOND, missed: 8 });
    }

    #[test]
    fn a_moment_is_never_used_twice() {
        assert_eq!(after(0, Some(5)).number, 6);
    }
}
