//! Numbers as a Prometheus server writes them: moments in seconds, and values in quotes.
//!
//! The short way reads digits until a stop byte and is exact where it answers (Clinger 1990: a mantissa below 2^53 divided
//! by a power of ten up to 10^22 is rounded once). Everything else goes to the standard library, so that both ways give
//! the same bits.

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Greatest mantissa that a double holds exactly, as are all below it.
const EXACT: u64 = 1 << 53;

/// Moments after this many seconds cannot be written in RFC 3339.
const LAST_SECOND: f64 = 253_402_300_800.0;

/// A number and how many bytes it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Taken<T> {
    /// The number.
    pub(crate) number: T,
    /// Its bytes, without the stop byte.
    pub(crate) bytes: usize,
}

/// Reads a moment of the form `1700000000.123` that is followed by `stop`, as milliseconds. `None` for every other form.
#[inline]
pub(crate) fn moment(bytes: &[u8], stop: u8) -> Option<Taken<i64>> {
    let mut seconds = 0_i64;
    let mut at = 0;
    while at < 12 {
        let digit = bytes.get(at)?.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        seconds = seconds * 10 + i64::from(digit);
        at += 1;
    }
    if at == 0 {
        return None;
    }
    let mut milliseconds = seconds * 1000;
    if *bytes.get(at)? == b'.' {
        at += 1;
        let mut weight = 100;
        loop {
            let digit = bytes.get(at)?.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            // More than three digits are rare: they go the long way, which rounds.
            if weight == 0 {
                return None;
            }
            milliseconds += i64::from(digit) * weight;
            weight /= 10;
            at += 1;
        }
    }
    (bytes.get(at) == Some(&stop)).then_some(Taken { number: milliseconds, bytes: at })
}

/// Reads a moment of any form, rounded to milliseconds.
pub(crate) fn any_moment(text: &str) -> Option<i64> {
    let seconds: f64 = text.parse().ok()?;
    if seconds.is_nan() || seconds.abs() >= LAST_SECOND {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the bound above fits an i64")]
    Some((seconds * 1000.0).round() as i64)
}

/// Reads a decimal number that is followed by `stop`. `None` for every other form.
#[inline]
pub(crate) fn decimal(bytes: &[u8], stop: u8) -> Option<Taken<f64>> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let mut mantissa = 0_u64;
    let mut digits = 0_usize;
    let mut fraction = None;
    loop {
        let byte = *bytes.get(at)?;
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
            digits += 1;
            if digits > 18 {
                return None;
            }
        } else if byte == b'.' && fraction.is_none() {
            fraction = Some(digits);
        } else if byte == stop {
            break;
        } else {
            return None;
        }
        at += 1;
    }
    if digits == 0 || mantissa > EXACT {
        return None;
    }
    let power = POWERS[fraction.map_or(0, |before| digits - before)];
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53, which a double holds exactly")]
    let magnitude = mantissa as f64 / power;
    Some(Taken { number: if negative { -magnitude } else { magnitude }, bytes: at })
}

/// Reads a value of any form: a decimal number, `NaN`, `+Inf`, `-Inf`.
pub(crate) fn any_value(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" | "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Inf" | "-Infinity" => Some(f64::NEG_INFINITY),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_gives_the_bits_of_the_long_one(
            mantissa in 0_u64..(1 << 60), digits in 0_usize..18, negative in any::<bool>()
        ) {
            let mut text = format!("{mantissa:018}");
            text.insert(text.len() - digits, '.');
            let text = format!("{}{}\"", if negative { "-" } else { "" }, text);
            if let Some(taken) = decimal(text.as_bytes(), b'"') {
                let long: f64 = text.trim_end_matches('"').parse().unwrap();
                prop_assert_eq!(taken.number.to_bits(), long.to_bits());
                prop_assert_eq!(taken.bytes, text.len() - 1);
            }
        }

        #[test]
        fn values_survive_being_written(value in any::<f64>()) {
            let text = format!("{value}\"");
            let read = decimal(text.as_bytes(), b'"')
                .map(|taken| taken.number)
                .or_else(|| any_value(text.trim_end_matches('"')))
                .unwrap();
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
        }

        #[test]
        fn moments_survive_being_written(milliseconds in 0_i64..253_402_300_800_000) {
            let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
            let text = format!("{seconds}.{rest:03},");
            prop_assert_eq!(moment(text.as_bytes(), b',').unwrap().number, milliseconds);
            prop_assert_eq!(any_moment(text.trim_end_matches(',')), Some(milliseconds));
        }
    }

    #[test]
    fn what_is_no_plain_number_is_left_to_the_long_way() {
        for text in
            ["\"", "-\"", "1e5\"", "NaN\"", "+Inf\"", "1.2.3\"", "12", "1234567890123456789\""]
        {
            assert_eq!(decimal(text.as_bytes(), b'"'), None, "{text}");
        }
        assert_eq!(moment(b"1.2345,", b','), None);
        assert_eq!(any_moment("1.2345"), Some(1235));
        assert_eq!(any_moment("1e400"), None);
        assert_eq!(any_moment("NaN"), None);
        assert_eq!(any_value("-Inf"), Some(f64::NEG_INFINITY));
        assert_eq!(any_value("one"), None);
        assert_eq!(decimal(b"-0\"", b'"').unwrap().number.to_bits(), (-0.0_f64).to_bits());
    }
}
