//! Seeded randomness: owns one generator and the three distributions that the service draws from.
//!
//! It never looks at a clock; the same seed gives the same sequence on every machine.

use std::f64::consts::TAU;
use std::time::Duration;

/// `SplitMix64` (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
///
/// Sixty-four bits of state are plenty for a demo; the algorithm is named because a seed means nothing
/// without it.
#[derive(Debug)]
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator for one purpose: `stream` keeps, say, the arrivals of two seeds or two workers apart.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self { state: seed };
        let base = mixer.next();
        Self { state: base ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform on the open interval (0, 1), in steps of 2⁻³²: never 0, so its logarithm exists.
    pub(crate) fn uniform(&mut self) -> f64 {
        let high =
            u32::try_from(self.next() >> 32).expect("a u64 shifted right by 32 fits in 32 bits");
        (f64::from(high) + 0.5) / 4_294_967_296.0
    }

    /// Time to the next event of a Poisson process of `rate` events a second (inverse transform).
    pub(crate) fn exponential(&mut self, rate: f64) -> Duration {
        Duration::from_secs_f64(-self.uniform().ln() / rate)
    }

    /// Log-normal with the given mean and coefficient of variation (Box and Muller 1958 for the normal).
    pub(crate) fn log_normal(&mut self, mean: Duration, variation: f64) -> Duration {
        let normal = (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos();
        let variance = variation.mul_add(variation, 1.0).ln();
        Duration::from_secs_f64(
            mean.as_secs_f64() * (variance.sqrt() * normal - variance / 2.0).exp(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_stream_give_the_same_sequence_and_another_stream_does_not() {
        let draw = |seed, stream| SplitMix64::new(seed, stream).next();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn the_log_normal_keeps_its_mean() {
        let mut random = SplitMix64::new(1, 1);
        let total: f64 = (0..20_000)
            .map(|_| random.log_normal(Duration::from_millis(20), 0.35).as_secs_f64())
            .sum();
        assert!((total / 20_000.0 - 0.020).abs() < 0.000_2, "mean {}", total / 20_000.0);
    }
}
