//! From counts to numbers.
//!
//! Owns the one audited conversion of a count into a floating-point number. Everything else in the
//! kernels that casts is a mistake to be looked at.

/// A count as a number.
///
/// Exact up to 2^53 (9.0e15). Above that the nearest representable number is given, a relative error
/// below 1.2e-16, which no statistic of counts can notice.
///
/// ```
/// use unfazed::stats::count_to_f64;
/// assert_eq!(count_to_f64(3), 3.0);
/// ```
#[expect(
    clippy::cast_precision_loss,
    reason = "the audited conversion: relative error below 1.2e-16"
)]
pub fn count_to_f64(count: usize) -> f64 {
    count as f64
}

/// A wide count, such as a sum of cubes of tie sizes, as a number; the error is as for [`count_to_f64`].
///
/// ```
/// use unfazed::stats::wide_count_to_f64;
/// assert_eq!(wide_count_to_f64(1_u128 << 70), 1_180_591_620_717_411_303_424.0);
/// ```
#[expect(
    clippy::cast_precision_loss,
    reason = "the audited conversion: relative error below 1.2e-16"
)]
pub fn wide_count_to_f64(count: u128) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_to_two_to_the_53_are_exact() {
        let count = (1_usize << 53) - 1;
        assert_eq!(count_to_f64(count).to_string(), count.to_string());
        assert_eq!(wide_count_to_f64(count as u128).to_string(), count.to_string());
    }
}
