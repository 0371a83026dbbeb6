//! Numbers of both formats: decimal, `NaN` and the infinities; no hexadecimal, no underscores.

/// Most digits that are exact in a double and read without the general parser.
const EXACT_DIGITS: usize = 15;

/// Reads a value; `None` for anything that is no number of the formats.
///
/// Whole numbers of at most fifteen digits, which most samples are, take a short way; the rest is read by the standard
/// library, correctly rounded.
pub fn value(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.len() <= EXACT_DIGITS && !bytes.is_empty() {
        let mut whole = 0_u64;
        let mut digits = true;
        for byte in bytes {
            let digit = byte.wrapping_sub(b'0');
            digits &= digit < 10;
            whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit));
        }
        if digits {
            #[expect(clippy::cast_precision_loss, reason = "fifteen digits are below 2^53")]
            return Some(whole as f64);
        }
    }
    // The standard library also reads words such as `infinity`, as Go does; everything else must look like a decimal.
    text.parse().ok()
}

/// Reads a moment in seconds (OpenMetrics) as milliseconds with their fraction. It must be finite.
pub fn seconds_as_milliseconds(text: &str) -> Option<f64> {
    value(text).filter(|seconds| seconds.is_finite()).map(|seconds| seconds * 1000.0)
}

/// Reads a moment in whole milliseconds (text format).
pub fn milliseconds(text: &str) -> Option<f64> {
    let whole: i64 = text.parse().ok()?;
    // Of years that a recording can hold; below 2^53, so that the double is exact.
    #[expect(clippy::cast_precision_loss, reason = "bounded by the filter")]
    Some(whole).filter(|whole| whole.unsigned_abs() < 1 << 53).map(|whole| whole as f64)
}

/// Why a number that looks right to a program may be spelled wrongly: an infinite bound has one spelling.
pub fn is_canonical_bound(text: &str) -> bool {
    value(text).is_some_and(|bound| !bound.is_infinite() || text == "+Inf" || text == "-Inf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_and_nothing_else() {
        for (text, wanted) in [
            ("0", 0.0),
            ("42", 42.0),
            ("08", 8.0),
            ("999999999999999", 999_999_999_999_999.0),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
            ("-1", -1.0),
            ("+1.5e3", 1500.0),
            (".3", 0.3),
            ("1.7560473e+06", 1_756_047.3),
            ("+Inf", f64::INFINITY),
            ("-Inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(value(text), Some(wanted), "{text}");
        }
        assert!(value("NaN").unwrap().is_nan());
        for text in ["", " 1", "1 ", "1_2", "0x1p-3", "0b1", "0o1", "1.1.1", "z", "1z", "+", "e"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_finite_and_of_their_unit() {
        assert_eq!(seconds_as_milliseconds("1.5"), Some(1500.0));
        assert_eq!(seconds_as_milliseconds("Inf"), None);
        assert_eq!(milliseconds("-2"), Some(-2.0));
        assert_eq!(milliseconds("2.72"), None);
        assert_eq!(milliseconds("99999999999999999"), None);
    }
}
