//! Numbers with their units in running text: `0.06 %`, `180 ms`, `40`.
//!
//! Sentences in results and pages are built from these forms, so that a number reads the same everywhere. Refuses
//! to know which number deserves to be shown. Three significant digits unless the number needs more to be told
//! apart from a whole.

use crate::unit::Unit;

/// A number in a metric's unit, as people read it.
///
/// ```
/// use unfazed::unit::{Unit, show::value};
/// assert_eq!(value(0.0006, &Unit::Ratio), "0.06 %");
/// assert_eq!(value(0.18, &Unit::Seconds), "180 ms");
/// assert_eq!(value(40.0, &Unit::None), "40");
/// ```
pub fn value(number: f64, unit: &Unit) -> String {
    match unit {
        Unit::Ratio => percent(number),
        Unit::Seconds => seconds(number),
        Unit::Bytes => bytes(number),
        Unit::Named(name) => format!("{} {name}", plain(number)),
        Unit::None => plain(number),
    }
}

/// A fraction as a percentage: `99.95 %`.
pub fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    // Close to a whole, digits must tell 99.96 from 100.
    let digits = if percent.abs() > 99.0 && percent.abs() < 100.0 { 5 } else { 3 };
    format!("{} %", significant(percent, digits))
}

/// A difference of fractions in percentage points: `2 pp`.
pub fn percentage_points(fraction: f64) -> String {
    format!("{} pp", significant(fraction * 100.0, 3))
}

/// A time: `180 ms`, `4.2 s`, `2 min 5 s`.
pub fn seconds(seconds: f64) -> String {
    let size = seconds.abs();
    if size == 0.0 {
        "0 s".to_owned()
    } else if size < 1e-3 {
        format!("{} µs", significant(seconds * 1e6, 3))
    } else if size < 1.0 {
        format!("{} ms", significant(seconds * 1e3, 3))
    } else if size < 120.0 {
        format!("{} s", significant(seconds, 3))
    } else {
        let whole = size.round();
        let minutes = (whole / 60.0).floor();
        let rest = whole - minutes * 60.0;
        let sign = if seconds < 0.0 { "−" } else { "" };
        if rest == 0.0 {
            format!("{sign}{minutes} min")
        } else {
            format!("{sign}{minutes} min {rest} s")
        }
    }
}

/// An amount of data: `1.5 GiB`.
pub fn bytes(bytes: f64) -> String {
    let mut size = bytes;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if size.abs() < 1024.0 || unit == "TiB" {
            return format!("{} {unit}", significant(size, 3));
        }
        size /= 1024.0;
    }
    plain(bytes)
}

/// A bare number.
pub fn plain(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return significant(number, 15);
    }
    significant(number, 3)
}

/// A number with at most `digits` significant digits, without trailing zeros; whole digits are never cut.
pub fn significant(number: f64, digits: i32) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "–".to_owned()
        } else if number > 0.0 {
            "∞".to_owned()
        } else {
            "−∞".to_owned()
        };
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a double is below 309")]
    let exponent = number.abs().log10().floor() as i32;
    if !(-7..15).contains(&exponent) {
        return format!("{number:.2e}").replace('-', "−");
    }
    let decimals = usize::try_from((digits - 1 - exponent).max(0)).expect("not negative");
    let text = format!("{:.decimals$}", number.abs());
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if number < 0.0 && text != "0" { format!("−{text}") } else { text.to_owned() }
}

/// A level such as 0.95 as `95 %`.
pub fn level(level: f64) -> String {
    percent(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, unit, text) in [
            (0.0006, Unit::Ratio, "0.06 %"),
            (0.999_55, Unit::Ratio, "99.955 %"),
            (1.0, Unit::Ratio, "100 %"),
            (0.18, Unit::Seconds, "180 ms"),
            (4.0, Unit::Seconds, "4 s"),
            (125.0, Unit::Seconds, "2 min 5 s"),
            (-0.25, Unit::Seconds, "−250 ms"),
            (1_610_612_736.0, Unit::Bytes, "1.5 GiB"),
            (12_345.678, Unit::None, "12346"),
            (1_234_567.0, Unit::None, "1234567"),
            (0.0, Unit::None, "0"),
            (300.0, Unit::Named("ms".to_owned()), "300 ms"),
        ] {
            assert_eq!(value(number, &unit), text);
        }
    }
}
