//! ISO 8601 weeks and days in UTC, as stretches of time.
//!
//! A week runs from Monday 00:00 UTC to the next; its year is the one that holds its Thursday, so that 2026-W53 ends in
//! January 2027.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Weekday};

use crate::unit::{Span, Timestamp, Window};

/// An ISO week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoWeek {
    year: i32,
    week: u32,
}

/// Why a text is no week or day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeekError {
    /// Not of the form.
    #[error("'{0}' is no ISO week: write it as 2026-W47")]
    NotAWeek(String),
    /// The year has no such week.
    #[error("'{0}' does not exist: its year has 52 weeks; the week after is 01 of the next")]
    NoSuchWeek(String),
    /// Neither a day nor a time.
    #[error("'{0}' is neither a day (2026-11-23, UTC) nor a time (2026-11-23T08:00:00Z)")]
    NotADay(String),
}

impl IsoWeek {
    /// The week that a moment lies in.
    pub fn of(at: Timestamp) -> Self {
        let week = at.to_utc().iso_week();
        Self { year: week.year(), week: week.week() }
    }

    /// Reads `2026-W47`.
    ///
    /// # Errors
    /// [`WeekError::NotAWeek`], or [`WeekError::NoSuchWeek`] for a week 53 of a year that has 52.
    ///
    /// ```
    /// use unfazed::unit::{IsoWeek, Timestamp};
    /// let week = IsoWeek::parse("2026-W47")?;
    /// assert_eq!(week.window().start.to_string(), "2026-11-16T00:00:00Z");
    /// assert_eq!(IsoWeek::of(Timestamp::parse("2026-11-22T23:59:59Z").unwrap()), week);
    /// # Ok::<(), unfazed::unit::WeekError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, WeekError> {
        let wrong = || WeekError::NotAWeek(text.to_owned());
        let (year, week) = text.trim().split_once("-W").ok_or_else(wrong)?;
        let digits = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(year, 4) || !digits(week, 2) {
            return Err(wrong());
        }
        let (year, week) = (year.parse().map_err(|_| wrong())?, week.parse().map_err(|_| wrong())?);
        if !(1..=53).contains(&week) {
            return Err(wrong());
        }
        match NaiveDate::from_isoywd_opt(year, week, Weekday::Mon) {
            Some(_) => Ok(Self { year, week }),
            None => Err(WeekError::NoSuchWeek(text.to_owned())),
        }
    }

    /// From Monday to Monday.
    pub fn window(self) -> Window {
        let monday = NaiveDate::from_isoywd_opt(self.year, self.week, Weekday::Mon);
        let start = monday.map_or(Timestamp::from_milliseconds(0), midnight);
        Window { start, end: start.plus(WEEK) }
    }

    /// The week `count` weeks earlier.
    pub fn earlier(self, count: u32) -> Self {
        let start = self.window().start.minus(WEEK.times(i64::from(count)));
        Self::of(start)
    }
}

impl fmt::Display for IsoWeek {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-W{:02}", self.year, self.week)
    }
}

/// Seven days.
pub const WEEK: Span = Span::from_seconds(7 * 86_400);

/// Reads the first moment of a stretch: a day (its start in UTC) or a time.
///
/// # Errors
/// [`WeekError::NotADay`].
pub fn parse_start(text: &str) -> Result<Timestamp, WeekError> {
    day(text)
        .map(midnight)
        .or_else(|| Timestamp::parse(text).ok())
        .ok_or_else(|| WeekError::NotADay(text.to_owned()))
}

/// Reads the end of a stretch: a day (the day itself is inside) or a time (which is outside).
///
/// # Errors
/// [`WeekError::NotADay`].
pub fn parse_end(text: &str) -> Result<Timestamp, WeekError> {
    day(text)
        .map(|day| midnight(day).plus(Span::from_seconds(86_400)))
        .or_else(|| Timestamp::parse(text).ok())
        .ok_or_else(|| WeekError::NotADay(text.to_owned()))
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()
}

fn midnight(day: NaiveDate) -> Timestamp {
    let days = day.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days();
    Timestamp::from_milliseconds(days * 86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_begins_and_ends_with_whole_weeks() {
        for (time, week) in [
            ("2026-12-31T23:59:59Z", "2026-W53"),
            ("2027-01-03T23:59:59Z", "2026-W53"),
            ("2027-01-04T00:00:00Z", "2027-W01"),
            ("2024-12-30T00:00:00Z", "2025-W01"),
        ] {
            assert_eq!(IsoWeek::of(Timestamp::parse(time).unwrap()).to_string(), week, "{time}");
        }
    }

    #[test]
    fn what_is_no_week_is_refused() {
        for text in ["", "2026", "2026-47", "2026-W0", "2026-W00", "2026-W54", "26-W47", "2026-W4x"]
        {
            assert!(matches!(IsoWeek::parse(text), Err(WeekError::NotAWeek(_))), "{text}");
        }
        assert!(matches!(IsoWeek::parse("2025-W53"), Err(WeekError::NoSuchWeek(_))));
    }

    #[test]
    fn the_last_day_of_a_stretch_is_inside() {
        assert_eq!(parse_start("2026-11-16").unwrap().to_string(), "2026-11-16T00:00:00Z");
        assert_eq!(
            parse_end("2026-11-22").unwrap(),
            IsoWeek::parse("2026-W47").unwrap().window().end
        );
        assert_eq!(parse_end("2026-11-22T08:00:00Z").unwrap().to_string(), "2026-11-22T08:00:00Z");
        assert!(parse_start("last Monday").is_err());
    }
}
