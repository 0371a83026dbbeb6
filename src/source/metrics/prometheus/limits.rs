//! How long, how often, how much: the limits of a conversation, and the wait before a retry.

use std::time::Duration;

use crate::stats::random::Stream;

/// Limits of a conversation with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long one request may take, its answer included.
    pub timeout: Duration,
    /// How long all of a piece of work may take, retries included.
    pub deadline: Duration,
    /// How often a request is repeated when the server is busy or the connection is lost.
    pub retries: u32,
    /// Requests at a time.
    pub concurrency: usize,
    /// Most bytes of an answer, after it is unpacked.
    pub answer_bytes: u64,
}

impl Default for Limits {
    /// Patient enough for a busy server: two minutes a request, as Prometheus itself allows a query; an hour in all; five
    /// retries, which wait a quarter of a minute together; four requests at a time, a fifth of what Prometheus works on at
    /// once; a GiB an answer, which is unpacked as it comes.
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(2),
            deadline: Duration::from_hours(1),
            retries: 5,
            concurrency: 4,
            answer_bytes: 1 << 30,
        }
    }
}

/// The first wait, which doubles with every attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that we choose ourselves.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long to wait before attempt number `attempt` (from 1): between half of the step and all of it, so that clients
/// that were turned away together do not come back together.
pub(super) fn wait_before(attempt: u32, jitter: &mut Stream) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT).mul_f64(0.5 + 0.5 * jitter.uniform())
}

/// What `Retry-After` asks for: seconds, or a moment, which counts from `now`, both in milliseconds since the epoch.
pub(super) fn retry_after(header: &str, now: i64) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = http_date(header)?;
    Some(Duration::from_millis(u64::try_from(at - now).unwrap_or_default()))
}

/// A moment as HTTP writes it (`Tue, 24 Nov 2026 00:35:46 GMT`), in milliseconds since the epoch.
pub(super) fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: i64 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = i64::try_from(MONTHS.iter().position(|month| *month == name)? + 1).ok()?;
    let year: i64 = parts.next()?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if parts.next()? != "GMT" || !(1..=31).contains(&day) || !(1970..10_000).contains(&year) {
        return None;
    }
    // Days since the epoch of a date of the Gregorian calendar, with years that begin in March (Hinnant 2013).
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100
        + of_year
        - 719_468;
    Some((days * 86_400 + hour * 3600 + minute * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Seed, Timestamp};

    #[test]
    fn dates_of_http_are_read() {
        for (text, rfc) in [
            ("Tue, 24 Nov 2026 00:35:46 GMT", "2026-11-24T00:35:46Z"),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            ("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z"),
            ("Wed, 31 Dec 2098 12:00:00 GMT", "2098-12-31T12:00:00Z"),
        ] {
            assert_eq!(
                http_date(text),
                Some(Timestamp::parse(rfc).unwrap().milliseconds()),
                "{text}"
            );
        }
        for text in ["", "now", "Tue, 24 Foo 2026 00:35:46 GMT", "Tue, 24 Nov 2026 00:35:46 CET"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_server_may_say_when_to_come_back() {
        assert_eq!(retry_after("3", 0), Some(Duration::from_secs(3)));
        assert_eq!(
            retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 50_000),
            Some(Duration::from_secs(10))
        );
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 90_000), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", 0), None);
    }

    #[test]
    fn waits_grow_and_stay_between_half_of_a_step_and_all_of_it() {
        let mut jitter = Stream::new(Seed(1), "test", "retry");
        for (attempt, whole) in [(1, 500), (2, 1000), (3, 2000), (9, 30_000), (40, 30_000)] {
            let wait = wait_before(attempt, &mut jitter).as_millis();
            assert!((whole / 2..=whole).contains(&wait), "attempt {attempt} waits {wait} ms");
        }
    }
}
