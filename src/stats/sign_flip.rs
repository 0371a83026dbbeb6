//! The exact sign-flip test of the mean, and its inversion.
//!
//! Owns the distribution of Σ ±|`d_i`| over all sign vectors. Up to [`EXACT_LIMIT`] differences it is counted
//! by meeting in the middle: the sums of each half are built in ascending order, and one pass with two
//! pointers counts the pairs beyond the observed sum. Beyond that, seeded draws.
//!
//! Fisher (1935), §21; Pitman (1937); Horowitz and Sahni (1974) for the two halves. The test assumes that
//! differences are symmetric about zero under the null hypothesis. Zeros keep both signs.
//! Cost: O(2^(n/2)) time and memory; n = 30: 65,000 sums, 1 ms; n = 40: two million sums, 50 ms.

use crate::stats::random::Stream;
use crate::stats::{Alternative, Interval, PValue, Undefined, require_finite, require_level};

/// The largest number of differences that is counted exactly.
pub const EXACT_LIMIT: usize = 40;

/// Sums that differ by less than this share of Σ|d| are one sum: rounding must not break a tie.
const TIE: f64 = 1e-14;

/// The result of an exact sign-flip test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlipTest {
    /// How many sign vectors are at least as extreme as the observed one.
    pub extreme: u64,
    /// How many sign vectors there are: 2^n.
    pub total: u64,
    /// extreme / total.
    pub p: PValue,
}

/// Tests exactly whether the differences are symmetric about zero, by their sum.
///
/// `Greater`: the share of sign vectors with a sum of at least the observed one; `TwoSided`: with an absolute
/// sum of at least the observed absolute sum.
///
/// ```
/// use unfazed::stats::{Alternative, sign_flip::sign_flip_test};
/// let test = sign_flip_test(&[1.0, 2.0, 3.0, 4.0, 5.0], Alternative::TwoSided).unwrap();
/// assert_eq!((test.extreme, test.total), (2, 32));
/// ```
pub fn sign_flip_test(
    differences: &[f64],
    alternative: Alternative,
) -> Result<SignFlipTest, Undefined> {
    require_finite(differences)?;
    let n = differences.len();
    if n > EXACT_LIMIT {
        return Err(Undefined::WorkLimit {
            what: "the exact sign-flip distribution",
            size: n as u64,
            limit: EXACT_LIMIT as u64,
        });
    }
    let observed: f64 = differences.iter().sum();
    let slack = TIE * differences.iter().map(|d| d.abs()).sum::<f64>();
    let (left, right) = differences.split_at(n / 2);
    let (left, right) = (signed_sums(left), signed_sums(right));
    let total = 1_u64 << n;
    // The distribution is symmetric: a lower tail is the upper tail of the mirrored sum.
    let at_least = |sum: f64| pairs_at_least(&left, &right, sum - slack);
    let extreme = match alternative {
        Alternative::Greater => at_least(observed),
        Alternative::Less => at_least(-observed),
        Alternative::TwoSided if observed.abs() <= slack => total,
        Alternative::TwoSided => 2 * at_least(observed.abs()),
    };
    let p = crate::stats::wide_count_to_f64(u128::from(extreme))
        / crate::stats::wide_count_to_f64(u128::from(total));
    Ok(SignFlipTest { extreme, total, p: PValue::new(p) })
}

/// All sums Σ ±`d_i` in ascending order, each step merging the list minus d with the list plus d.
fn signed_sums(differences: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for difference in differences {
        let size = difference.abs();
        sums = merged(&sums, |sum| sum - size, |sum| sum + size);
    }
    sums
}

/// The sums of all subsets in ascending order.
fn subset_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for &value in values {
        let (low, high) = if value < 0.0 { (value, 0.0) } else { (0.0, value) };
        sums = merged(&sums, |sum| sum + low, |sum| sum + high);
    }
    sums
}

/// Merges two ascending images of one ascending list, the first being the lower one.
fn merged(sums: &[f64], lower: impl Fn(f64) -> f64, upper: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(2 * sums.len());
    let mut next = 0;
    for &sum in sums {
        let low = lower(sum);
        while next < sums.len() && upper(sums[next]) < low {
            out.push(upper(sums[next]));
            next += 1;
        }
        out.push(low);
    }
    out.extend(sums[next..].iter().map(|&sum| upper(sum)));
    out
}

/// How many pairs of one left and one right sum reach the threshold.
fn pairs_at_least(left: &[f64], right: &[f64], threshold: f64) -> u64 {
    let mut count = 0;
    let mut start = right.len();
    for &sum in left {
        while start > 0 && sum + right[start - 1] >= threshold {
            start -= 1;
        }
        count += (right.len() - start) as u64;
    }
    count
}

/// The sign-flip test by seeded draws, for more than [`EXACT_LIMIT`] differences.
///
/// p = (extreme + 1)/(draws + 1). Cost O(n·draws).
///
/// ```
/// use unfazed::stats::{Alternative, random::Stream, sign_flip::sign_flip_draws};
/// use unfazed::unit::Seed;
/// let d: Vec<f64> = (1..=50).map(f64::from).collect();
/// let p = sign_flip_draws(&d, Alternative::Greater, 999, &mut Stream::new(Seed(1), "queue", "sign-flip"));
/// assert_eq!(p.unwrap().get(), 0.001);
/// ```
pub fn sign_flip_draws(
    differences: &[f64],
    alternative: Alternative,
    draws: usize,
    stream: &mut Stream,
) -> Result<PValue, Undefined> {
    require_finite(differences)?;
    let observed: f64 = differences.iter().sum();
    let slack = TIE * differences.iter().map(|d| d.abs()).sum::<f64>();
    let extreme = (0..draws)
        .filter(|_| {
            let sum = drawn_sum(differences, stream);
            match alternative {
                Alternative::Greater => sum >= observed - slack,
                Alternative::Less => sum <= observed + slack,
                Alternative::TwoSided => sum.abs() >= observed.abs() - slack,
            }
        })
        .count();
    Ok(PValue::from_draws(extreme, draws))
}

fn drawn_sum(differences: &[f64], stream: &mut Stream) -> f64 {
    differences
        .chunks(64)
        .map(|chunk| {
            let mut signs = stream.next_u64();
            let mut sum = 0.0;
            for &difference in chunk {
                // The sign bit is taken straight from the random bits: no branch.
                sum += f64::from_bits(difference.to_bits() ^ (signs << 63));
                signs >>= 1;
            }
            sum
        })
        .sum()
}

/// Limits for the mean shift, by inverting the exact test.
///
/// Flipping the set F of differences `d_i` − θ makes the sum at least as extreme if and only if the mean of F is
/// at most θ (Hartigan 1969), so the limits are order statistics of the 2^n − 1 subset means. They are found by
/// bisection on θ, each step one meeting in the middle: O(60·2^(n/2)).
///
/// A limit that no data of this size could give (2^−n above its error rate) is `None`.
///
/// ```
/// use unfazed::stats::{Alternative, sign_flip::sign_flip_interval};
/// let interval = sign_flip_interval(&[1.0, 2.0, 3.0, 4.0, 6.0], 0.95, Alternative::TwoSided).unwrap();
/// assert_eq!((interval.lower, interval.upper), (None, None)); // 2/32 is above 5 %
/// let one_sided = sign_flip_interval(&[1.0, 2.0, 3.0, 4.0, 6.0], 0.95, Alternative::Less).unwrap();
/// assert!((one_sided.upper.unwrap() - 6.0).abs() < 1e-9);
/// ```
pub fn sign_flip_interval(
    differences: &[f64],
    level: f64,
    alternative: Alternative,
) -> Result<Interval, Undefined> {
    require_finite(differences)?;
    require_level("conf_level", level)?;
    let n = differences.len();
    if n > EXACT_LIMIT {
        return Err(Undefined::WorkLimit {
            what: "the exact sign-flip distribution",
            size: n as u64,
            limit: EXACT_LIMIT as u64,
        });
    }
    let alpha = match alternative {
        Alternative::TwoSided => 0.5 * (1.0 - level),
        Alternative::Less | Alternative::Greater => 1.0 - level,
    };
    let negated: Vec<f64> = differences.iter().map(|d| -d).collect();
    let lower = || lower_limit(differences, alpha);
    let upper = || lower_limit(&negated, alpha).map(|limit| -limit);
    let (lower, upper) = match alternative {
        Alternative::TwoSided => (lower(), upper()),
        Alternative::Less => (None, upper()),
        Alternative::Greater => (lower(), None),
    };
    Ok(Interval::new(lower, upper, level))
}

/// The largest θ below which "greater than θ" is always rejected at alpha.
fn lower_limit(differences: &[f64], alpha: f64) -> Option<f64> {
    let rejected = |theta: f64| {
        let shifted: Vec<f64> = differences.iter().map(|d| d - theta).collect();
        shift_p(&shifted).rejects_at(alpha)
    };
    let mut sorted = differences.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let smallest = sorted[0];
    let largest = sorted[sorted.len() - 1];
    let spread = largest - smallest;
    let below = smallest - spread - smallest.abs() * 1e-6 - f64::MIN_POSITIVE;
    if !rejected(below) {
        return None;
    }
    let (mut low, mut high) = (below, largest);
    for _ in 0..80 {
        let middle = low.midpoint(high);
        if rejected(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// P(Σ over a random subset ≤ 0): the one-sided p-value of shifted differences.
fn shift_p(shifted: &[f64]) -> PValue {
    let slack = TIE * shifted.iter().map(|d| d.abs()).sum::<f64>();
    let negated: Vec<f64> = shifted.iter().map(|d| -d).collect();
    let (left, right) = negated.split_at(negated.len() / 2);
    let extreme = pairs_at_least(&subset_sums(left), &subset_sums(right), -slack);
    let total = 1_u64 << shifted.len();
    PValue::new(
        crate::stats::wide_count_to_f64(u128::from(extreme))
            / crate::stats::wide_count_to_f64(u128::from(total)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Seed;

    /// Every sign vector over whole numbers, where nothing rounds.
    fn slow_count(d: &[i64], alternative: Alternative) -> u64 {
        let observed: i64 = d.iter().sum();
        (0..1_u64 << d.len())
            .filter(|signs| {
                let sum: i64 = d
                    .iter()
                    .enumerate()
                    .map(|(i, &v)| if signs >> i & 1 == 1 { v } else { -v })
                    .sum();
                match alternative {
                    Alternative::Greater => sum >= observed,
                    Alternative::Less => sum <= observed,
                    Alternative::TwoSided => sum.abs() >= observed.abs(),
                }
            })
            .count() as u64
    }

    #[test]
    fn one_difference_by_hand() {
        assert_eq!(sign_flip_test(&[2.5], Alternative::Greater).unwrap().p.get(), 0.5);
        assert_eq!(sign_flip_test(&[2.5], Alternative::TwoSided).unwrap().p.get(), 1.0);
    }

    #[test]
    fn all_zero_differences_are_no_evidence() {
        for alternative in Alternative::ALL {
            assert_eq!(sign_flip_test(&[0.0; 5], alternative).unwrap().p.get(), 1.0);
        }
    }

    #[test]
    fn nothing_nan_and_too_many_are_undefined() {
        assert_eq!(sign_flip_test(&[], Alternative::Less), Err(Undefined::Empty));
        assert_eq!(
            sign_flip_test(&[f64::NAN], Alternative::Less),
            Err(Undefined::NonFinite { index: 0 })
        );
        assert_eq!(sign_flip_test(&[1.0; 41], Alternative::Less).unwrap_err().code(), "work_limit");
    }

    #[test]
    fn draws_agree_with_the_count() {
        let d: Vec<f64> = (0..20).map(|i| f64::from(i * 7 % 11) - 3.0).collect();
        let exact = sign_flip_test(&d, Alternative::Greater).unwrap().p.get();
        let mut stream = Stream::new(Seed(11), "draws", "test");
        let drawn = sign_flip_draws(&d, Alternative::Greater, 20_000, &mut stream).unwrap().get();
        assert!((exact - drawn).abs() < 0.01, "{exact} {drawn}");
    }

    #[test]
    fn the_limits_are_subset_means() {
        // Six values, two-sided 95 %: 1/64 ≤ 0.025 < 2/64, so the limits are the extreme subset means.
        let interval =
            sign_flip_interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0], 0.95, Alternative::TwoSided)
                .unwrap();
        assert!((interval.lower.unwrap() - 1.0).abs() < 1e-9);
        assert!((interval.upper.unwrap() - 9.0).abs() < 1e-9);
    }

    #[test]
    fn equal_differences_have_limits_at_their_value() {
        let interval = sign_flip_interval(&[2.0; 8], 0.95, Alternative::TwoSided).unwrap();
        assert!(
            (interval.lower.unwrap() - 2.0).abs() < 1e-9
                && (interval.upper.unwrap() - 2.0).abs() < 1e-9
        );
    }

    proptest::proptest! {
        #[test]
        fn the_count_is_that_of_every_sign_vector_even_in_tenths(values in proptest::collection::vec(-30_i64..30, 1..13)) {
            let tenths: Vec<f64> = values.iter().map(|&v| f64::from(i32::try_from(v).unwrap()) / 10.0).collect();
            for alternative in Alternative::ALL {
                assert_eq!(sign_flip_test(&tenths, alternative).unwrap().extreme, slow_count(&values, alternative));
            }
        }

        #[test]
        fn the_limit_inverts_the_test(values in proptest::collection::vec(-20_i32..20, 6..11), bound in -10_i32..10) {
            let d: Vec<f64> = values.into_iter().map(f64::from).collect();
            let bound = f64::from(bound) + 0.123_456_7;
            let lower = sign_flip_interval(&d, 0.95, Alternative::Greater).unwrap().lower.unwrap();
            let shifted: Vec<f64> = d.iter().map(|v| v - bound).collect();
            let rejected = sign_flip_test(&shifted, Alternative::Greater).unwrap().p.rejects_at(0.05);
            assert_eq!(lower > bound, rejected);
        }
    }
}
