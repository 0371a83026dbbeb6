//! Limits that stay valid however often one looks.
//!
//! Owns the normal-mixture confidence sequence for the mean of sub-Gaussian values. Use it when the number
//! of iterations grew after a look at the data; a fixed-n interval is then wrong.

use crate::stats::{Undefined, require_level};

/// The design of a normal-mixture confidence sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalMixture {
    /// The mixture parameter ρ: the sequence is tightest near n = ρ·(some small factor); fix it beforehand.
    pub rho: f64,
    /// 1 − confidence, over all n at once.
    pub alpha: f64,
    /// The sub-Gaussian scale σ of one value; half the range for bounded values.
    pub sigma: f64,
}

impl NormalMixture {
    /// The half width after n values: σ·√((n + ρ)/n² · ln((n + ρ)/(ρ·α²))).
    ///
    /// Two-sided; valid for all n at once (Robbins 1970; Howard, Ramdas, `McAuliffe` and Sekhon 2021,
    /// equation 14). Cost O(1). Edge cases: n ≥ 1, ρ > 0, σ > 0 and 0 < α < 1 are required.
    ///
    /// ```
    /// use unfazed::stats::confidence_sequence::NormalMixture;
    /// let sequence = NormalMixture { rho: 5.0, alpha: 0.05, sigma: 1.0 };
    /// assert!((sequence.half_width(10.0).unwrap() - 1.031266951553483).abs() < 1e-14);
    /// ```
    pub fn half_width(&self, n: f64) -> Result<f64, Undefined> {
        require_level("alpha", self.alpha)?;
        for (what, found) in [("n", n), ("rho", self.rho), ("sigma", self.sigma)] {
            if !(found > 0.0 && found.is_finite()) {
                return Err(Undefined::OutOfRange { what, found, accepted: "a positive number" });
            }
        }
        // ln((n + ρ)/(ρ·α²)) without the square, which may underflow.
        let logarithm = (n / self.rho).ln_1p() - 2.0 * self.alpha.ln();
        Ok(self.sigma * ((n + self.rho) * logarithm).sqrt() / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use crate::unit::Seed;
    use proptest::prelude::*;

    const SEQUENCE: NormalMixture = NormalMixture { rho: 5.0, alpha: 0.1, sigma: 1.0 };

    #[test]
    fn no_values_have_no_width() {
        assert_eq!(SEQUENCE.half_width(0.0).unwrap_err().code(), "out_of_range");
    }

    #[test]
    fn looking_at_every_step_keeps_the_level() {
        let runs = 400;
        let mut escaped = 0_u32;
        for run in 0..runs {
            let mut stream = Stream::new(Seed(run), "sequence", "test");
            let (mut sum, mut n) = (0.0, 0.0);
            let left = (0..200).any(|_| {
                sum += stream.normal();
                n += 1.0;
                (sum / n).abs() > SEQUENCE.half_width(n).unwrap()
            });
            escaped += u32::from(left);
        }
        // At most 10 % may ever escape; 40 of 400 plus three standard deviations.
        assert!(escaped <= 58, "{escaped}");
    }

    proptest! {
        #[test]
        fn it_is_wider_than_the_fixed_interval_and_scales(n in 1.0_f64..1e6, sigma in 0.1_f64..10.0) {
            let width = NormalMixture { sigma, ..SEQUENCE }.half_width(n).unwrap();
            prop_assert!(width > 1.644 * sigma / n.sqrt());
            prop_assert!((width / SEQUENCE.half_width(n).unwrap() - sigma).abs() < 1e-9 * sigma);
        }
    }
}
