//! Named streams of random numbers.
//!
//! Owns the only generator of the kernels, Xoshiro256++ (Blackman and Vigna 2021), the rule that turns
//! a seed, a key and a purpose into a stream, and the samplers on top of it. It refuses to know a clock
//! or the operating system's entropy.
//!
//! The stream rule: FNV-1a (64 bits) over the bytes of the key, one 0xFF byte, and the bytes of the
//! purpose; exclusive-or with the splitmix64 finaliser of the seed; one more splitmix64 finaliser; the
//! result seeds Xoshiro256++ through splitmix64, as its authors advise. So adding a metric changes no
//! number of another metric. The samplers are our own, because those of the `rand` crate changed
//! between versions; captured vectors in the tests pin all of it.

use crate::stats::distribution::normal_quantile;
use crate::unit::Seed;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// One named stream of random numbers.
///
/// ```
/// use unfazed::stats::random::Stream;
/// use unfazed::unit::Seed;
/// let mut first = Stream::new(Seed(1), "payment-p95", "bootstrap");
/// let mut again = Stream::new(Seed(1), "payment-p95", "bootstrap");
/// assert_eq!(first.next_u64(), again.next_u64());
/// assert!(first.index(6) < 6);
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl Stream {
    /// The stream of a key (usually a metric) and a purpose (usually a method) under a seed.
    pub fn new(seed: Seed, key: &str, purpose: &str) -> Self {
        let name = key.bytes().chain(std::iter::once(0xFF)).chain(purpose.bytes());
        let hash = name.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let start = mixed(hash ^ mixed(seed.0));
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(start) }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A uniform index in `0..bound`, without modulo bias (Lemire 2019, algorithm 5).
    ///
    /// A bound of 0 gives 0: there is nothing to choose from, and the caller's slice is empty.
    pub fn index(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        if bound == 0 {
            return 0;
        }
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if low_half(product) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while low_half(product) < threshold {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        usize::try_from(product >> 64)
            .expect("the high half is below the bound, which came from a usize")
    }

    /// A uniform number in [0, 1): the upper 53 bits over 2^53.
    pub fn uniform(&mut self) -> f64 {
        bits_to_unit(self.next_u64() >> 11)
    }

    /// A uniform number in (0, 1): the middle of one of 2^52 equal cells.
    pub fn uniform_open(&mut self) -> f64 {
        bits_to_unit(((self.next_u64() >> 12) << 1) | 1)
    }

    /// A standard normal number, by inversion, so that one number costs one draw.
    pub fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform_open())
    }

    /// Puts the values in random order (Fisher and Yates; Durstenfeld 1964).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.index(last + 1));
        }
    }
}

/// `bits` over 2^53, for `bits` below 2^53.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
fn bits_to_unit(bits: u64) -> f64 {
    bits as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// The lower 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(product: u128) -> u64 {
    product as u64
}

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014), after its golden-gamma step.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_matches_its_published_first_output() {
        // The first output of splitmix64 from state 0.
        assert_eq!(mixed(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn the_stream_rule_and_the_samplers_are_pinned() {
        let mut stream = Stream::new(Seed(20_240_229), "payment-p95", "bootstrap");
        assert_eq!(stream.next_u64(), 1_265_764_502_082_104_607);
        assert_eq!(stream.next_u64(), 467_387_275_274_867_406);
        let indices: Vec<usize> = (0..8).map(|_| stream.index(10)).collect();
        assert_eq!(indices, [2, 0, 5, 4, 7, 0, 5, 3]);
        assert_eq!(stream.uniform().to_string(), "0.019847405928705042");
        assert!((stream.normal() - 0.365_185_421_616_014_86).abs() < 1e-14);
    }

    #[test]
    fn another_key_or_purpose_is_another_stream() {
        let first = |key, purpose| Stream::new(Seed(1), key, purpose).next_u64();
        assert_ne!(first("a", "b"), first("a", "c"));
        assert_ne!(first("a", "b"), first("b", "b"));
        assert_ne!(first("ab", "c"), first("a", "bc"));
        assert_ne!(first("a", "b"), Stream::new(Seed(2), "a", "b").next_u64());
    }

    #[test]
    fn indices_are_uniform() {
        let mut stream = Stream::new(Seed(3), "index", "test");
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.index(7)] += 1;
        }
        // Chi-squared with 6 degrees of freedom; 22.46 is its 0.999 quantile.
        let chi: f64 =
            counts.iter().map(|&count| (f64::from(count) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi < 22.46, "chi-squared {chi}");
    }

    #[test]
    fn a_bound_near_the_top_of_the_range_stays_in_bounds() {
        let mut stream = Stream::new(Seed(4), "index", "test");
        let bound = usize::MAX / 2 + 2;
        for _ in 0..100 {
            assert!(stream.index(bound) < bound);
        }
        assert_eq!(stream.index(0), 0);
        assert_eq!(stream.index(1), 0);
    }

    #[test]
    fn uniforms_and_normals_have_their_moments() {
        let mut stream = Stream::new(Seed(5), "moments", "test");
        let n = 20_000;
        let uniform: f64 = (0..n).map(|_| stream.uniform()).sum::<f64>() / f64::from(n);
        assert!((uniform - 0.5).abs() < 0.01);
        let normals: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let square = normals.iter().map(|z| z * z).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.03 && (square - 1.0).abs() < 0.05, "{mean} {square}");
    }

    #[test]
    fn a_shuffle_keeps_the_values() {
        let mut values: Vec<u32> = (0..50).collect();
        Stream::new(Seed(6), "shuffle", "test").shuffle(&mut values);
        assert_ne!(values, (0..50).collect::<Vec<_>>());
        values.sort_unstable();
        assert_eq!(values, (0..50).collect::<Vec<_>>());
    }
}
