//! The time, handed in.
//!
//! Owns the only readings of the system's clocks in the injector. Refuses to know what a time is used for.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::unit::{Span, Timestamp};

/// Two clocks: the one that plans are written in, and one that nobody can set.
pub trait Clock {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since this clock was made; never steps, stands still for nobody.
    fn elapsed(&self) -> Span;
    /// Lets `span` pass.
    fn wait(&self, span: Span);
}

/// The clocks of the machine.
#[derive(Debug)]
pub struct SystemClock {
    made: Instant,
}

impl SystemClock {
    /// Starts counting now.
    pub fn start() -> Self {
        Self { made: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Before 1970 or beyond the range of an i64 the clock is nonsense: a time at which every plan has expired.
        let milliseconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .unwrap_or(i64::MAX);
        Timestamp::from_milliseconds(milliseconds)
    }

    fn elapsed(&self) -> Span {
        let milliseconds = i64::try_from(self.made.elapsed().as_millis()).unwrap_or(i64::MAX);
        Span::from_milliseconds(milliseconds)
    }

    fn wait(&self, span: Span) {
        let milliseconds = u64::try_from(span.milliseconds()).unwrap_or(0);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    }
}
