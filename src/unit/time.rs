//! Points in time, spans and half-open windows, all in whole milliseconds.
//!
//! Owns the reading and writing of RFC 3339 times and of spans such as `90s` or `1h30m`. Refuses to know what
//! "now" is: a clock is an edge and hands its readings in. First link of the flow; every later stage speaks these
//! words.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A signed length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

/// Why a text is not a time or a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text has no zone, so that it names 24 different moments.
    #[error(
        "time '{0}' has no zone: write it as RFC 3339 with `Z` or an offset, e.g. 2026-11-23T08:00:00Z"
    )]
    NoZone(String),
    /// The text is no RFC 3339 time at all.
    #[error("'{0}' is not a time: write it as RFC 3339, e.g. 2026-11-23T08:00:00Z")]
    NotATime(String),
    /// The text is no span.
    #[error(
        "'{0}' is not a duration: write a number with a unit (ms, s, m, h, d), e.g. 90s or 1h30m"
    )]
    NotASpan(String),
    /// The span is below zero.
    #[error("duration '{0}' is negative: only durations of zero or more are accepted")]
    NegativeSpan(String),
}

impl Timestamp {
    /// The moment `milliseconds` after the Unix epoch.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The moment `seconds` after the Unix epoch, rounded to the nearest millisecond.
    ///
    /// Returns `None` when the number is not finite or lies outside the years that RFC 3339 can write.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let milliseconds = (seconds * 1000.0).round();
        // 253 402 300 800 s is the year 10 000; beyond it RFC 3339 has no digits.
        if !milliseconds.is_finite() || milliseconds.abs() >= 253_402_300_800_000.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the bound above fits an i64")]
        Some(Self(milliseconds as i64))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch.
    pub fn seconds(self) -> f64 {
        Span(self.0).seconds()
    }

    /// Reads an RFC 3339 time. A time without a zone is refused.
    ///
    /// # Errors
    /// [`TimeError::NoZone`] when only the zone is missing, else [`TimeError::NotATime`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let trimmed = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(trimmed) {
            return Ok(Self(time.timestamp_millis()));
        }
        if DateTime::parse_from_rfc3339(&format!("{trimmed}Z")).is_ok() {
            return Err(TimeError::NoZone(text.to_owned()));
        }
        Err(TimeError::NotATime(text.to_owned()))
    }

    /// The moment as a UTC date and time of the `chrono` crate.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
    }

    /// The span from `earlier` to this moment; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0 - earlier.0)
    }

    /// The moment `span` later.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision =
            if self.0 % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        formatter.write_str(&self.to_utc().to_rfc3339_opts(precision, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time in RFC 3339 with zone, e.g. \"2026-11-23T08:00:00Z\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole milliseconds.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// A span of whole seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// Length in milliseconds.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// Length in seconds.
    pub fn seconds(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of any year below 10 000 are below 2^53"
        )]
        let milliseconds = self.0 as f64;
        milliseconds / 1000.0
    }

    /// Half of the span, rounded down.
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }

    /// The span `count` times over.
    pub const fn times(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// The sum of two spans.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Reads `250ms`, `30s`, `5m`, `1h30m`, `2d` or a sum of such parts, largest unit first; fractions are allowed
    /// (`1.5s`). A number without a unit is refused except `0`.
    ///
    /// # Errors
    /// [`TimeError::NegativeSpan`] for a leading minus, else [`TimeError::NotASpan`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let trimmed = text.trim();
        let wrong = || TimeError::NotASpan(text.to_owned());
        if trimmed == "0" {
            return Ok(Self::ZERO);
        }
        if trimmed.starts_with('-') {
            return Err(TimeError::NegativeSpan(text.to_owned()));
        }
        let mut rest = trimmed;
        let mut total = 0.0_f64;
        let mut last_factor = f64::INFINITY;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
            let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
            let after = &rest[digits..];
            let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let factor = match &after[..letters] {
                "ms" => 1.0,
                "s" => 1000.0,
                "m" | "min" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return Err(wrong()),
            };
            if factor >= last_factor {
                return Err(wrong());
            }
            last_factor = factor;
            total += number * factor;
            rest = &after[letters..];
        }
        // A hundred years: longer than any experiment and far from overflow.
        if trimmed.is_empty() || !total.is_finite() || total > 3.2e12 {
            return Err(wrong());
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the check above")]
        Ok(Self(total.round() as i64))
    }
}

impl fmt::Display for Span {
    /// Writes the shortest exact form: `90s` as `1m30s`, `250` milliseconds as `250ms`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return formatter.write_str("0s");
        }
        let mut rest = self.0;
        if rest < 0 {
            formatter.write_str("-")?;
            rest = -rest;
        }
        for (factor, name) in
            [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")]
        {
            let count = rest / factor;
            if count > 0 {
                write!(formatter, "{count}{name}")?;
                rest -= count * factor;
            }
        }
        Ok(())
    }
}

/// A half-open stretch of time `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First moment inside.
    pub start: Timestamp,
    /// First moment outside.
    pub end: Timestamp,
}

impl Window {
    /// Length of the window.
    pub const fn length(self) -> Span {
        self.end.since(self.start)
    }

    /// Whether `at` lies in `[start, end)`.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether two windows share a moment.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_refused_by_name() {
        assert!(matches!(Timestamp::parse("2026-11-23T08:00:00"), Err(TimeError::NoZone(_))));
        assert!(matches!(Timestamp::parse("yesterday"), Err(TimeError::NotATime(_))));
    }

    #[test]
    fn an_offset_is_honoured_and_written_back_as_utc() {
        let time = Timestamp::parse("2026-11-23T08:00:00.250+02:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-23T06:00:00.250Z");
    }

    #[test]
    fn spans_read_and_write_the_same_words() {
        for (text, milliseconds, shown) in [
            ("250ms", 250, "250ms"),
            ("90s", 90_000, "1m30s"),
            ("1h30m", 5_400_000, "1h30m"),
            ("1.5s", 1500, "1s500ms"),
            ("2d", 172_800_000, "2d"),
            ("0", 0, "0s"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(span.milliseconds(), milliseconds, "{text}");
            assert_eq!(span.to_string(), shown);
        }
        for text in ["", "5", "5x", "m5", "5s5m", "1..5s", "NaN", "1e400s"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
        assert!(matches!(Span::parse("-5m"), Err(TimeError::NegativeSpan(_))));
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let window = Window {
            start: Timestamp::from_milliseconds(0),
            end: Timestamp::from_milliseconds(10),
        };
        assert!(window.contains(window.start));
        assert!(!window.contains(window.end));
    }
}
