//! Numbers as people read them: the right unit, enough digits, never more certainty than there is.
//!
//! Owns every rounding that a reader sees. Refuses to know what a number means: callers say in which unit it is and
//! why it is missing. Views build [`Figure`]s here, so that the number and its text always travel together.
//!
//! Rules: three significant digits, trailing zeros dropped (times of one to ten seconds keep a tenth: `4.0 s`);
//! whole numbers keep all digits and are grouped from five digits on; a no-break space stands between number and
//! unit; a true minus sign; a number that is not zero never reads as zero.

use serde::Serialize;

use crate::unit::{Dimension, Unit};

/// Between a number and its unit.
pub const NBSP: char = '\u{a0}';
/// Between groups of three digits.
pub const THIN: char = '\u{202f}';
/// What stands where there is no number.
pub const DASH: &str = "–";

/// A number with the text that shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The number as the result holds it; none where it does not exist.
    pub value: Option<f64>,
    /// How it reads; for a missing number why it is missing, or a dash.
    pub text: String,
}

impl Figure {
    /// A quantity in the metric's unit.
    pub fn quantity(value: Option<f64>, unit: &Unit, missing: &str) -> Self {
        Self::with(value, missing, |value| quantity(value, unit))
    }

    /// A difference of two quantities, always signed; a difference of shares is in percentage points.
    pub fn difference(value: Option<f64>, unit: &Unit, missing: &str) -> Self {
        Self::with(value, missing, |value| difference(value, unit))
    }

    /// A ratio of experiment over baseline, shown as the change in per cent.
    pub fn change(value: Option<f64>, missing: &str) -> Self {
        Self::with(value, missing, change)
    }

    /// A share of one.
    pub fn share(value: Option<f64>, missing: &str) -> Self {
        Self::with(value, missing, share)
    }

    /// A time in seconds.
    pub fn seconds(value: Option<f64>, missing: &str) -> Self {
        Self::with(value, missing, |value| quantity(value, &Unit::Seconds))
    }

    /// A p-value.
    pub fn p_value(value: Option<f64>) -> Self {
        Self::with(value, DASH, p_value)
    }

    /// A number as text by `show`, or `missing`.
    fn with(value: Option<f64>, missing: &str, show: impl Fn(f64) -> String) -> Self {
        match value {
            Some(value) if value.is_finite() => Self { value: Some(value), text: show(value) },
            Some(_) | None => Self { value: None, text: missing.to_owned() },
        }
    }
}

/// A number in its unit.
///
/// ```
/// use unfazed::report::number::quantity;
/// use unfazed::unit::Unit;
/// assert_eq!(quantity(0.18, &Unit::Seconds), "180\u{a0}ms");
/// assert_eq!(quantity(4.0, &Unit::Seconds), "4.0\u{a0}s");
/// assert_eq!(quantity(0.0006, &Unit::Ratio), "0.06\u{a0}%");
/// assert_eq!(quantity(-12345.0, &Unit::None), "−12\u{202f}345");
/// ```
pub fn quantity(value: f64, unit: &Unit) -> String {
    precise(value, unit, 3)
}

/// A number with as many digits, three to eight, as it takes to read differently from `other` where the two differ.
///
/// A limit of 0.0999 97 % beside a bound of 0.1 % must not read as the bound.
pub fn beside(value: f64, other: f64, unit: &Unit) -> String {
    let differs = (value - other).abs() > 1e-12 * value.abs().max(other.abs());
    (3..=8)
        .map(|digits| precise(value, unit, digits))
        .find(|text| !differs || *text != precise(other, unit, 8))
        .unwrap_or_else(|| precise(value, unit, 8))
}

/// A difference of two quantities with its sign.
pub fn difference(value: f64, unit: &Unit) -> String {
    let text = match unit.dimension() {
        Dimension::Percent | Dimension::PercentagePoints => {
            with_unit(&significant(value * unit.in_base_units() * 100.0, 3), "pp")
        }
        Dimension::Time | Dimension::Data | Dimension::Plain => quantity(value, unit),
    };
    signed(value, text)
}

/// A ratio of experiment over baseline as a change in per cent; from tenfold on as a factor.
pub fn change(ratio: f64) -> String {
    if ratio >= 10.0 {
        return format!("×{}", significant(ratio, 3));
    }
    let percent = (ratio - 1.0) * 100.0;
    // A ratio carries about 16 digits; what is left of 1 − 1 is rounding, not change.
    let percent = if percent.abs() < 1e-10 { 0.0 } else { percent };
    signed(percent, with_unit(&significant(percent, 3), "%"))
}

/// A share of one in per cent.
pub fn share(value: f64) -> String {
    quantity(value, &Unit::Ratio)
}

/// A p-value: three decimals, `< 0.001` below, `> 0.999` above unless it is exactly one.
///
/// ```
/// use unfazed::report::number::p_value;
/// assert_eq!(p_value(0.0), "< 0.001");
/// assert_eq!(p_value(0.0312), "0.031");
/// assert_eq!(p_value(1.0), "1");
/// ```
pub fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else if p >= 1.0 {
        "1".to_owned()
    } else if p > 0.999 {
        "> 0.999".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// A count with grouped digits.
pub fn count(count: u32) -> String {
    group(&count.to_string())
}

/// `1 kill`, `2 kills`.
pub fn counted(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// The same text with ordinary spaces, for outputs that people search by keyboard.
pub fn plain_spaces(text: &str) -> String {
    text.replace([NBSP, THIN], " ")
}

/// A number in its unit with a given number of significant digits.
fn precise(value: f64, unit: &Unit, digits: usize) -> String {
    let base = value * unit.in_base_units();
    match unit.dimension() {
        Dimension::Time => time(base, digits),
        Dimension::Data => data(base, digits),
        Dimension::Percent => percent(base, digits),
        Dimension::PercentagePoints => with_unit(&significant(base * 100.0, digits), "pp"),
        Dimension::Plain => match unit {
            Unit::Named(name) => with_unit(&significant(value, digits), name),
            Unit::Seconds | Unit::Bytes | Unit::Ratio | Unit::None => significant(value, digits),
        },
    }
}

/// A share in per cent; below a millionth of a per cent only that it is that small.
fn percent(fraction: f64, digits: usize) -> String {
    let percent = fraction * 100.0;
    if percent != 0.0 && percent.abs() < 1e-6 {
        let sign = if percent < 0.0 { "> −" } else { "< " };
        return format!("{sign}0.000001{NBSP}%");
    }
    with_unit(&significant(percent, digits), "%")
}

/// Seconds as microseconds to days.
fn time(seconds: f64, digits: usize) -> String {
    let size = seconds.abs();
    if size == 0.0 {
        return with_unit("0", "s");
    }
    if size < 0.000_999_5 {
        return with_unit(&significant(seconds * 1e6, digits), "µs");
    }
    if size < 0.999_5 {
        return with_unit(&significant(seconds * 1e3, digits), "ms");
    }
    if size < 119.95 {
        let text = significant(seconds, digits);
        let whole = size < 9.995 && !text.contains('.');
        return with_unit(&if whole { format!("{text}.0") } else { text }, "s");
    }
    let sign = if seconds < 0.0 { "−" } else { "" };
    let (large, large_name, small, small_name) = if size < 7199.5 {
        (60.0, "min", 1.0, "s")
    } else if size < 172_770.0 {
        (3600.0, "h", 60.0, "min")
    } else {
        (86_400.0, "d", 3600.0, "h")
    };
    let smalls = (size / small).round();
    let per_large = large / small;
    let whole = (smalls / per_large).floor();
    let rest = smalls - whole * per_large;
    let first = with_unit(&format!("{sign}{whole}"), large_name);
    if rest == 0.0 {
        first
    } else {
        format!("{first}{NBSP}{}", with_unit(&format!("{rest}"), small_name))
    }
}

/// Bytes with binary prefixes.
fn data(bytes: f64, digits: usize) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = bytes;
    let mut at = 0;
    while scaled.abs() >= 1024.0 && at + 1 < units.len() {
        scaled /= 1024.0;
        at += 1;
    }
    with_unit(&significant(scaled, digits), units[at])
}

/// A number rounded to `digits` significant digits; whole digits are never rounded away, trailing zeros are dropped.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:.*e}", digits.saturating_sub(1)).replace('-', "−");
    }
    let mut decimals = 0;
    let mut threshold = 1.0;
    // Ten to the power of the whole digits wanted: 3 digits need no decimals from 100 on.
    for _ in 1..digits {
        threshold *= 10.0;
    }
    while size < threshold && decimals < 12 {
        threshold /= 10.0;
        decimals += 1;
    }
    decimal(value, decimals)
}

/// A number with at most `decimals` decimals, grouped, with a true minus sign.
pub(crate) fn decimal(value: f64, decimals: usize) -> String {
    let mut text = format!("{:.decimals$}", value.abs());
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    let minus = value < 0.0 && text.chars().any(|c| c.is_ascii_digit() && c != '0');
    let grouped = group(&text);
    if minus { format!("−{grouped}") } else { grouped }
}

/// Digits before the point in groups of three, from five digits on.
fn group(text: &str) -> String {
    let (whole, rest) =
        text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::with_capacity(text.len() + 4);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && whole.len() > 4 && (whole.len() - at) % 3 == 0 {
            out.push(THIN);
        }
        out.push(digit);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// Number, no-break space, unit.
pub(crate) fn with_unit(number: &str, unit: &str) -> String {
    format!("{number}{NBSP}{unit}")
}

/// The text with a plus sign for numbers above zero.
fn signed(value: f64, text: String) -> String {
    if value > 0.0 { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64, unit: &Unit) -> String {
        plain_spaces(&quantity(value, unit))
    }

    #[test]
    fn times_read_in_the_unit_that_people_use() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.000_012_5, "12.5 µs"),
            (0.18, "180 ms"),
            (0.999_9, "1.0 s"),
            (4.0, "4.0 s"),
            (12.34, "12.3 s"),
            (90.0, "90 s"),
            (120.0, "2 min"),
            (125.4, "2 min 5 s"),
            (7199.9, "2 h"),
            (3_725.0, "62 min 5 s"),
            (90_000.0, "25 h"),
            (-0.25, "−250 ms"),
        ] {
            assert_eq!(shown(seconds, &Unit::Seconds), text, "{seconds}");
        }
        assert_eq!(shown(250.0, &Unit::Named("ms".to_owned())), "250 ms");
    }

    #[test]
    fn shares_read_in_per_cent_and_never_as_zero_when_they_are_not() {
        for (value, text) in [
            (0.001, "0.1 %"),
            (0.0006, "0.06 %"),
            (0.867_43, "86.7 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
            (1e-12, "< 0.000001 %"),
        ] {
            assert_eq!(shown(value, &Unit::Ratio), text, "{value}");
        }
    }

    #[test]
    fn plain_numbers_are_grouped_from_five_digits_on() {
        for (value, text) in [
            (1234.0, "1234"),
            (12_345.0, "12 345"),
            (1_234_567.0, "1 234 567"),
            (12.3456, "12.3"),
            (-0.000_5, "−0.0005"),
        ] {
            assert_eq!(shown(value, &Unit::None), text);
        }
        assert_eq!(shown(1.5e20, &Unit::None), "1.50e20");
        assert_eq!(shown(3.0, &Unit::Named("orders/s".to_owned())), "3 orders/s");
        assert_eq!(shown(1_610_612_736.0, &Unit::Bytes), "1.5 GiB");
    }

    #[test]
    fn a_limit_that_differs_from_its_bound_reads_differently() {
        assert_eq!(plain_spaces(&beside(0.000_999_97, 0.001, &Unit::Ratio)), "0.099997 %");
        assert_eq!(plain_spaces(&beside(0.001, 0.001, &Unit::Ratio)), "0.1 %");
        assert_eq!(plain_spaces(&beside(0.000_42, 0.001, &Unit::Ratio)), "0.042 %");
    }

    #[test]
    fn changes_and_differences_carry_their_sign() {
        assert_eq!(plain_spaces(&change(1.4)), "+40 %");
        assert_eq!(plain_spaces(&change(0.92)), "−8 %");
        assert_eq!(plain_spaces(&change(1.0)), "0 %");
        assert_eq!(plain_spaces(&change(12.0)), "×12");
        assert_eq!(plain_spaces(&difference(-0.02, &Unit::Ratio)), "−2 pp");
        assert_eq!(plain_spaces(&difference(0.05, &Unit::Seconds)), "+50 ms");
    }

    #[test]
    fn a_p_value_is_never_zero_point_zero() {
        assert_eq!(p_value(1e-9), "< 0.001");
        assert_eq!(p_value(0.999_9), "> 0.999");
        assert_eq!(p_value(0.05), "0.050");
    }

    #[test]
    fn a_missing_number_says_why() {
        let figure = Figure::seconds(None, "not reached");
        assert_eq!(figure.text, "not reached");
        assert_eq!(Figure::p_value(Some(f64::NAN)).text, DASH);
    }
}
