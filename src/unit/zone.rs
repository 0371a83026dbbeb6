//! Local dates and times of day, and the moments that they name in a zone.
//!
//! Owns the door to the time zone database, and what a local time means on the two days of a year on which an hour is
//! left out or comes twice: the caller says on which side it wants to err. Refuses to know what a window or a
//! blackout is. The database is the one that was compiled in.

use std::fmt;

use chrono::{
    Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
};

use crate::unit::Timestamp;

/// The longest stretch of local time that a zone ever left out is a day (Samoa, 2011-12-30).
const LONGEST_GAP_MINUTES: i64 = 26 * 60;

/// Minutes of a day.
const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// A zone of the IANA database, with its summer times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

/// A day of the calendar, in no particular zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(NaiveDate);

/// A time of a day, in no particular zone. 24:00 is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    date: Date,
    /// From 0 to 1440.
    minute: u16,
}

/// Which of two moments is meant where a local time names two, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearer {
    /// The earlier one.
    Past,
    /// The later one.
    Future,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// All days, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The day in three letters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Monday => "mon",
            Self::Tuesday => "tue",
            Self::Wednesday => "wed",
            Self::Thursday => "thu",
            Self::Friday => "fri",
            Self::Saturday => "sat",
            Self::Sunday => "sun",
        }
    }
}

impl Zone {
    /// The zone of an IANA name such as `Europe/Berlin`, spelt as in the database; none if it is not there.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The name of the zone.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The day that it is in the zone.
    pub fn date(self, at: Timestamp) -> Date {
        Date(self.0.from_utc_datetime(&at.to_utc().naive_utc()).date_naive())
    }

    /// The moment as people in the zone read it: `Sun 2026-10-25 02:30 CEST`.
    pub fn shown(self, at: Timestamp) -> String {
        self.0
            .from_utc_datetime(&at.to_utc().naive_utc())
            .format("%a %Y-%m-%d %H:%M %Z")
            .to_string()
    }

    /// The moment of a local time.
    ///
    /// Where the clocks went back and the time came twice, `nearer` picks one. Where they went forward and left it out,
    /// it names the moment of the change.
    ///
    /// ```
    /// use unfazed::unit::{Date, LocalTime, Nearer, Zone};
    /// let berlin = Zone::named("Europe/Berlin").unwrap();
    /// let twice = LocalTime::parse("2026-10-25T02:30").unwrap();
    /// assert_eq!(berlin.moment(twice, Nearer::Past).to_string(), "2026-10-25T00:30:00Z");
    /// assert_eq!(berlin.moment(twice, Nearer::Future).to_string(), "2026-10-25T01:30:00Z");
    /// let never = LocalTime::parse("2026-03-29T02:30").unwrap();
    /// assert_eq!(berlin.moment(never, Nearer::Past).to_string(), "2026-03-29T01:00:00Z");
    /// ```
    pub fn moment(self, local: LocalTime, nearer: Nearer) -> Timestamp {
        let naive = local.naive();
        let milliseconds = match self.0.from_local_datetime(&naive) {
            LocalResult::Single(at) => at.timestamp_millis(),
            LocalResult::Ambiguous(early, late) => match nearer {
                Nearer::Past => early.timestamp_millis(),
                Nearer::Future => late.timestamp_millis(),
            },
            LocalResult::None => self.end_of_gap(naive),
        };
        Timestamp::from_milliseconds(milliseconds)
    }

    /// The first moment after the stretch of local time that is left out around `naive`.
    fn end_of_gap(self, naive: NaiveDateTime) -> i64 {
        (1..=LONGEST_GAP_MINUTES)
            .find_map(|minutes| {
                let later = naive.checked_add_signed(TimeDelta::minutes(minutes))?;
                self.0.from_local_datetime(&later).earliest()
            })
            .map_or_else(|| naive.and_utc().timestamp_millis(), |at| at.timestamp_millis())
    }
}

impl Date {
    /// The day `count` days later; the last day there is, if there is none.
    pub fn plus_days(self, count: u64) -> Self {
        Self(self.0.checked_add_days(Days::new(count)).unwrap_or(NaiveDate::MAX))
    }

    /// The day `count` days earlier; the first day there is, if there is none.
    pub fn minus_days(self, count: u64) -> Self {
        Self(self.0.checked_sub_days(Days::new(count)).unwrap_or(NaiveDate::MIN))
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        Weekday::ALL[self.0.weekday().num_days_from_monday() as usize]
    }

    /// The time of this day, `minute` minutes after its begin on the clock's face; at most 24:00.
    pub fn at(self, minute: u16) -> LocalTime {
        LocalTime { date: self, minute: minute.min(MINUTES_OF_A_DAY) }
    }
}

impl LocalTime {
    /// Reads `2026-12-24` (its begin) or `2026-12-24T18:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, minute_of_day(time)?),
            None => (text, 0),
        };
        if date.len() != 10 {
            return None;
        }
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        Some(Self { date: Date(date), minute: time })
    }

    /// The day.
    pub fn date(self) -> Date {
        self.date
    }

    fn naive(self) -> NaiveDateTime {
        let midnight = self.date.0.and_time(NaiveTime::MIN);
        // Fails only beyond the last day there is.
        midnight.checked_add_signed(TimeDelta::minutes(i64::from(self.minute))).unwrap_or(midnight)
    }
}

/// The minute of `09:30`; `24:00` is the end of the day.
pub fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse::<u16>().ok() } else { None }
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MINUTES_OF_A_DAY).then_some(minute)
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}T{:02}:{:02}", self.date, self.minute / 60, self.minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_two_digits_twice_and_at_most_midnight() {
        for (text, minute) in
            [("00:00", Some(0)), ("09:30", Some(570)), ("23:59", Some(1439)), ("24:00", Some(1440))]
        {
            assert_eq!(minute_of_day(text), minute);
        }
        for text in ["", "9:30", "24:01", "12:60", "-1:00", "+1:00", "12", "12:30:00", "a:b"] {
            assert_eq!(minute_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_that_a_zone_left_out_ends_where_the_next_begins() {
        let apia = Zone::named("Pacific/Apia").unwrap();
        let never = LocalTime::parse("2011-12-30T12:00").unwrap();
        let next = LocalTime::parse("2011-12-31").unwrap();
        assert_eq!(apia.moment(never, Nearer::Past), apia.moment(next, Nearer::Past));
    }

    #[test]
    fn a_zone_with_half_an_hour_of_summer_is_read() {
        let lord_howe = Zone::named("Australia/Lord_Howe").unwrap();
        let never = LocalTime::parse("2026-10-04T02:15").unwrap();
        assert_eq!(lord_howe.moment(never, Nearer::Past).to_string(), "2026-10-03T15:30:00Z");
    }

    #[test]
    fn dates_that_do_not_exist_are_none() {
        for text in
            ["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01 10:00", "tomorrow"]
        {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }
}
