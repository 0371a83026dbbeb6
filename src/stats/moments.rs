//! Mean and variance.
//!
//! Owns the two-pass mean and sample variance that the t methods share. Sums run in the order of the
//! values, with a second pass that takes the rounding of the first mean back.

use crate::stats::count_to_f64;

/// The number of values, their mean and their sum of squared deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) n: f64,
    pub(crate) mean: f64,
    pub(crate) squares: f64,
}

impl Moments {
    /// The moments of at least one value; squares are corrected for the rounding of the mean
    /// (Chan, Golub and `LeVeque` 1983, equation 1.7).
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = count_to_f64(values.len());
        let rough = values.iter().sum::<f64>() / n;
        let mean = rough + values.iter().map(|value| value - rough).sum::<f64>() / n;
        let rest: f64 = values.iter().map(|value| value - mean).sum();
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { n, mean, squares: squares - rest * rest / n }
    }

    /// The sample variance, with n − 1 in the denominator.
    pub(crate) fn variance(&self) -> f64 {
        self.squares / (self.n - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_offset_does_not_spoil_the_variance() {
        let moments = Moments::of(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 4.0]);
        assert!((moments.variance() - 7.0 / 3.0).abs() < 1e-12);
    }
}
