//! Times as other tools write them, and the zone of those that carry none.
//!
//! Owns the reading of RFC 3339, of date-times without a zone (Chaos Toolkit before 1.24, Krkn's live windows,
//! hand-made lists), of Go's printed times and of Unix numbers in seconds to nanoseconds. Refuses to guess
//! silently: a time without a zone is read in the zone that was given, else in UTC, and that is counted and warned
//! about. Used by every importer.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, TimeZone};
use serde_json::Value;

use crate::source::chaos::import_error::ImportError;
use crate::unit::Timestamp;
use crate::verdict::result::Warning;

/// The zone of times that carry none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A fixed distance from UTC.
    Offset(FixedOffset),
    /// A region with its summer times.
    Region(chrono_tz::Tz),
}

impl Zone {
    /// Reads `UTC`, `Z`, `+02:00`, `-0530` or an IANA name.
    ///
    /// # Errors
    /// [`ImportError::NotAZone`] names what is accepted.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("utc") || trimmed.eq_ignore_ascii_case("z") {
            return Ok(Self::Region(chrono_tz::UTC));
        }
        if trimmed.starts_with(['+', '-']) {
            let digits: String = trimmed.chars().skip(1).filter(|c| *c != ':').collect();
            if matches!(digits.len(), 2 | 4)
                && digits.chars().all(|c| c.is_ascii_digit())
                && let (Ok(hours), Ok(minutes)) = (
                    digits[..2].parse::<i32>(),
                    digits[2..].parse::<i32>().or_else(|_| "0".parse()),
                )
                && minutes < 60
            {
                let seconds = (hours * 60 + minutes) * 60;
                let signed = if trimmed.starts_with('-') { -seconds } else { seconds };
                if let Some(offset) = FixedOffset::east_opt(signed) {
                    return Ok(Self::Offset(offset));
                }
            }
            return Err(ImportError::NotAZone(text.to_owned()));
        }
        trimmed.parse().map(Self::Region).map_err(|_| ImportError::NotAZone(text.to_owned()))
    }

    /// The moment of a local time. Of the two moments of a repeated hour the earlier is taken; an hour that a
    /// summer time skips names no moment.
    fn moment(self, local: NaiveDateTime) -> Option<i64> {
        let milliseconds = |result: LocalResult<i64>| match result {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at),
            LocalResult::None => None,
        };
        milliseconds(match self {
            Self::Offset(offset) => {
                offset.from_local_datetime(&local).map(|time| time.timestamp_millis())
            }
            Self::Region(region) => {
                region.from_local_datetime(&local).map(|time| time.timestamp_millis())
            }
        })
    }
}

/// Reads times and remembers which of them had no zone.
#[derive(Debug)]
pub struct TimeReader {
    zone: Option<Zone>,
    naive: BTreeMap<String, NaiveTimes>,
}

/// Times without a zone in one file.
#[derive(Debug)]
struct NaiveTimes {
    count: usize,
    first: String,
}

impl TimeReader {
    /// A reader for times whose zone, where they carry none, is `zone`.
    pub fn new(zone: Option<Zone>) -> Self {
        Self { zone, naive: BTreeMap::new() }
    }

    /// The time in `value`, or none if the value is null, empty or Go's zero time.
    ///
    /// # Errors
    /// [`ImportError::NotATime`] for anything else that is no time.
    pub fn optional(
        &mut self,
        file: &str,
        field: &str,
        value: &Value,
    ) -> Result<Option<Timestamp>, ImportError> {
        let not_a_time = |found: &str| ImportError::NotATime {
            file: file.to_owned(),
            field: field.to_owned(),
            found: found.chars().take(60).collect(),
        };
        match value {
            Value::Null => Ok(None),
            Value::Number(number) => number
                .as_f64()
                .and_then(unix)
                .map(Some)
                .ok_or_else(|| not_a_time(&number.to_string())),
            Value::String(text) => {
                let trimmed = text.trim();
                if trimmed.is_empty()
                    || trimmed.starts_with("0001-01-01")
                    || ["N/A", "null", "None", "<nil>", "<none>"].contains(&trimmed)
                {
                    return Ok(None);
                }
                self.text(file, trimmed).map(Some).ok_or_else(|| not_a_time(trimmed))
            }
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(not_a_time(&value.to_string()))
            }
        }
    }

    /// The time in `value`, if it is one. For times that only decorate the timeline.
    pub fn lenient(&mut self, file: &str, value: &Value) -> Option<Timestamp> {
        self.optional(file, "", value).ok().flatten()
    }

    /// One warning per file whose times had no zone while none was given.
    pub fn warnings(&self) -> Vec<Warning> {
        if self.zone.is_some() {
            return Vec::new();
        }
        self.naive
            .iter()
            .map(|(file, times)| Warning {
                code: "zone_assumed".to_owned(),
                message: format!(
                    "{file}: times without a zone were read as UTC ({}, first '{}'); give --zone if they are local",
                    times.count, times.first
                ),
            })
            .collect()
    }

    /// Reads a text as a time.
    fn text(&mut self, file: &str, text: &str) -> Option<Timestamp> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return plausible(time.timestamp_millis());
        }
        if let Ok(number) = text.parse::<f64>() {
            return unix(number);
        }
        for format in
            ["%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M:%S%.f%z", "%a, %d %b %Y %H:%M:%S %z"]
        {
            // Go prints `2021-09-29 13:28:59 +0000 UTC` and sometimes a monotonic reading after it.
            let zoned = text.split(" UTC").next().unwrap_or(text).trim();
            if let Ok(time) = DateTime::parse_from_str(zoned, format) {
                return plausible(time.timestamp_millis());
            }
        }
        let (body, is_utc) = match text.strip_suffix(" UTC") {
            Some(body) => (body, true),
            None => (text, false),
        };
        let local = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%Y/%m/%d %H:%M:%S%.f",
        ]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(body, format).ok())
        .or_else(|| {
            NaiveDate::parse_from_str(body, "%Y-%m-%d")
                .ok()
                .and_then(|day| day.and_hms_opt(0, 0, 0))
        })?;
        if is_utc {
            return plausible(local.and_utc().timestamp_millis());
        }
        let zone = self.zone.unwrap_or(Zone::Region(chrono_tz::UTC));
        let at = zone.moment(local).and_then(plausible)?;
        self.naive
            .entry(file.to_owned())
            .or_insert_with(|| NaiveTimes { count: 0, first: text.to_owned() })
            .count += 1;
        Some(at)
    }
}

/// A Unix number in seconds, milliseconds, microseconds or nanoseconds, told apart by its size: between the years
/// 2001 and 2100 the four ranges do not touch.
fn unix(number: f64) -> Option<Timestamp> {
    let seconds = match number.abs() {
        size if size < 1e11 => number,
        size if size < 1e14 => number / 1e3,
        size if size < 1e17 => number / 1e6,
        _ => number / 1e9,
    };
    Timestamp::from_seconds(seconds).and_then(|at| plausible(at.milliseconds()))
}

/// No chaos tool ran before 2001 or will after 2100: such a number is no time.
fn plausible(milliseconds: i64) -> Option<Timestamp> {
    (1_000_000_000_000..4_102_444_800_000)
        .contains(&milliseconds)
        .then(|| Timestamp::from_milliseconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(zone: Option<&str>, value: &Value) -> Result<Option<String>, ImportError> {
        let zone = zone.map(|name| Zone::parse(name).unwrap());
        TimeReader::new(zone)
            .optional("f", "start", value)
            .map(|time| time.map(|time| time.to_string()))
    }

    #[test]
    fn the_same_moment_has_many_spellings() {
        for value in [
            json!("2021-09-29T13:28:59Z"),
            json!("2021-09-29T15:28:59+02:00"),
            json!("2021-09-29T15:28:59+0200"),
            json!("2021-09-29 13:28:59 +0000 UTC"),
            json!("2021-09-29 13:28:59 UTC"),
            json!("2021-09-29T13:28:59"),
            json!("2021-09-29 13:28:59.000"),
            json!(1_632_922_139),
            json!(1_632_922_139_000_i64),
            json!(1_632_922_139_000_000_i64),
            json!("1632922139"),
        ] {
            assert_eq!(read(None, &value).unwrap().unwrap(), "2021-09-29T13:28:59Z", "{value}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_read_in_the_zone_given() {
        let value = json!("2021-07-01T12:00:00");
        for (zone, expected) in [
            ("Europe/Berlin", "2021-07-01T10:00:00Z"),
            ("+05:30", "2021-07-01T06:30:00Z"),
            ("-0800", "2021-07-01T20:00:00Z"),
            ("UTC", "2021-07-01T12:00:00Z"),
        ] {
            assert_eq!(read(Some(zone), &value).unwrap().unwrap(), expected, "{zone}");
        }
        for zone in ["Mars/Olympus", "+99:00", "+1", "+é", "-ab"] {
            assert!(Zone::parse(zone).is_err(), "{zone}");
        }
    }

    #[test]
    fn without_a_zone_given_utc_is_assumed_and_said() {
        let mut reader = TimeReader::new(None);
        reader.optional("a.json", "start", &json!("2021-07-01T12:00:00")).unwrap();
        let warnings = reader.warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].code, "zone_assumed");
        assert!(warnings[0].message.contains("a.json"));
    }

    #[test]
    fn an_hour_that_summer_time_skips_is_no_time() {
        assert!(read(Some("Europe/Berlin"), &json!("2021-03-28T02:30:00")).is_err());
    }

    #[test]
    fn nothing_and_nonsense_differ() {
        for value in [json!(null), json!(""), json!("0001-01-01T00:00:00Z"), json!("N/A")] {
            assert_eq!(read(None, &value).unwrap(), None, "{value}");
        }
        for value in [json!("soon"), json!(7), json!(true), json!([]), json!(1e300), json!("12:00")]
        {
            assert!(read(None, &value).is_err(), "{value}");
        }
    }
}
