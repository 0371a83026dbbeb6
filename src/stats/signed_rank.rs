//! The Wilcoxon signed-rank test of paired differences.
//!
//! Owns the statistic with its three ways to treat zeros, its exact null distribution (with mid-ranks
//! where there are ties) and the normal approximation. Which is used is the caller's choice and is
//! named in the result. Limits come from [`super::hodges_lehmann`].
//!
//! Wilcoxon (1945); zeros: Pratt (1959), Cureton (1967); ties: Hollander, Wolfe and Chicken (2014), 3.1.

use crate::stats::distribution::{normal_cdf, normal_survival};
use crate::stats::ranks::mid_ranks;
use crate::stats::{Alternative, PValue, Undefined, count_to_f64, require_ordered};

/// The largest number of differences for which the exact distribution is counted.
///
/// The cost is O(n³): 40 ms at 1000, where the normal approximation agrees to four digits.
pub const EXACT_LIMIT: usize = 1000;

/// What happens to differences that are exactly zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zeros {
    /// They are dropped before ranking (Wilcoxon; R's `wilcox.test`).
    Drop,
    /// They take part in the ranking and their ranks are dropped (Pratt).
    Pratt,
    /// They take part in the ranking and give half of their ranks to each sign.
    Split,
}

/// Where the p-value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NullDistribution {
    /// All sign vectors are counted, conditional on the mid-ranks.
    Exact,
    /// The normal approximation with tie correction.
    Normal,
    /// The normal approximation with tie correction and half a unit of continuity correction.
    NormalWithContinuity,
}

/// The result of a signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRankTest {
    /// The sum of the ranks of the positive differences: R's V.
    pub positive: f64,
    /// The sum of the ranks of the negative differences.
    pub negative: f64,
    /// The standardised statistic, continuity correction included if there is one; `None` when all
    /// differences are zero.
    pub z: Option<f64>,
    /// The p-value.
    pub p: PValue,
    /// The null distribution that gave the p-value.
    pub null: NullDistribution,
    /// How many differences are not zero.
    pub nonzero: usize,
}

/// Tests whether the differences are symmetric about zero.
///
/// Exact: with W the sum of the ranks `r_i` of a random half of the non-zero differences,
/// `Greater` is P(W ≥ V), `Less` P(W ≤ V), `TwoSided` twice the smaller (which is P(|W − E| ≥ |V − E|),
/// because W is symmetric). Normal: z = (V − E ∓ ½) / √(Σr²/4).
///
/// All differences zero: p = 1. None: undefined. NaN: undefined with its position. Infinite differences
/// have a rank and are accepted. Cost: exact O(n³), normal O(n log n).
///
/// ```
/// use unfazed::stats::{Alternative, signed_rank::{NullDistribution, Zeros, signed_rank_test}};
/// let test = signed_rank_test(&[1.0, 2.0, 3.0, 4.0, 5.0], Alternative::TwoSided, Zeros::Drop, NullDistribution::Exact);
/// assert_eq!(test.unwrap().p.get(), 0.0625);
/// ```
pub fn signed_rank_test(
    differences: &[f64],
    alternative: Alternative,
    zeros: Zeros,
    null: NullDistribution,
) -> Result<SignedRankTest, Undefined> {
    require_ordered(differences)?;
    let scores = Scores::new(differences, zeros);
    if scores.doubled.is_empty() {
        return Ok(SignedRankTest {
            positive: 0.5 * scores.half_of_zeros,
            negative: 0.5 * scores.half_of_zeros,
            z: None,
            p: PValue::NO_EVIDENCE,
            null,
            nonzero: 0,
        });
    }
    let p = match null {
        NullDistribution::Exact => scores.exact_p(alternative)?,
        NullDistribution::Normal | NullDistribution::NormalWithContinuity => {
            Scores::normal_p(scores.z(alternative, null), alternative)
        }
    };
    Ok(SignedRankTest {
        positive: 0.5 * (count_to_f64(scores.doubled_positive) + scores.half_of_zeros),
        negative: 0.5
            * (count_to_f64(scores.doubled_total - scores.doubled_positive) + scores.half_of_zeros),
        z: Some(scores.z(alternative, null)),
        p,
        null,
        nonzero: scores.doubled.len(),
    })
}

/// The doubled ranks of the non-zero differences and what the zeros leave behind.
struct Scores {
    doubled: Vec<usize>,
    doubled_total: usize,
    doubled_positive: usize,
    /// Half of the doubled ranks of the zeros, for `Zeros::Split`.
    half_of_zeros: f64,
    /// The variance of the sum of positive ranks.
    variance: f64,
}

impl Scores {
    fn new(differences: &[f64], zeros: Zeros) -> Self {
        let kept: Vec<f64> = match zeros {
            Zeros::Drop => differences.iter().copied().filter(|d| d.abs() > 0.0).collect(),
            Zeros::Pratt | Zeros::Split => differences.to_vec(),
        };
        let sizes: Vec<f64> = kept.iter().map(|d| d.abs()).collect();
        let ranks = mid_ranks(&sizes);
        let mut doubled = Vec::with_capacity(kept.len());
        let mut doubled_positive = 0;
        let mut doubled_zeros = 0;
        for (&difference, &rank) in kept.iter().zip(&ranks.doubled) {
            if difference.abs() > 0.0 {
                doubled.push(rank);
                if difference > 0.0 {
                    doubled_positive += rank;
                }
            } else {
                doubled_zeros += rank;
            }
        }
        // A sign changes W by its rank, so Var W = Σr²/4. The split method keeps the variance of the
        // zeros' ranks as scipy does.
        let squares = match zeros {
            Zeros::Drop | Zeros::Pratt => {
                doubled.iter().map(|&rank| rank as u128 * rank as u128).sum()
            }
            Zeros::Split => {
                ranks.doubled.iter().map(|&rank| rank as u128 * rank as u128).sum::<u128>()
            }
        };
        let half_of_zeros = match zeros {
            Zeros::Drop | Zeros::Pratt => 0.0,
            Zeros::Split => 0.5 * count_to_f64(doubled_zeros),
        };
        Self {
            doubled_total: doubled.iter().sum(),
            doubled,
            doubled_positive,
            half_of_zeros,
            variance: crate::stats::wide_count_to_f64(squares) / 16.0,
        }
    }

    fn z(&self, alternative: Alternative, null: NullDistribution) -> f64 {
        let excess =
            0.5 * count_to_f64(self.doubled_positive) - 0.25 * count_to_f64(self.doubled_total);
        let correction = match null {
            NullDistribution::Exact | NullDistribution::Normal => 0.0,
            NullDistribution::NormalWithContinuity => match alternative {
                Alternative::Greater => 0.5,
                Alternative::Less => -0.5,
                Alternative::TwoSided if excess.abs() > 0.0 => 0.5_f64.copysign(excess),
                Alternative::TwoSided => 0.0,
            },
        };
        (excess - correction) / self.variance.sqrt()
    }

    fn normal_p(z: f64, alternative: Alternative) -> PValue {
        match alternative {
            Alternative::Less => PValue::new(normal_cdf(z)),
            Alternative::Greater => PValue::new(normal_survival(z)),
            Alternative::TwoSided => PValue::doubled(normal_survival(z.abs())),
        }
    }

    fn exact_p(&self, alternative: Alternative) -> Result<PValue, Undefined> {
        let n = self.doubled.len();
        if n > EXACT_LIMIT {
            return Err(Undefined::WorkLimit {
                what: "the exact signed-rank distribution",
                size: n as u64,
                limit: EXACT_LIMIT as u64,
            });
        }
        let (lower, upper) = (self.doubled_positive, self.doubled_total - self.doubled_positive);
        // P(W ≥ V) = P(W ≤ total − V) by symmetry, so only a lower tail is ever counted.
        Ok(match alternative {
            Alternative::Less => PValue::new(lower_tail(&self.doubled, lower)),
            Alternative::Greater => PValue::new(lower_tail(&self.doubled, upper)),
            Alternative::TwoSided => PValue::doubled(lower_tail(
                &self.doubled,
                if lower < upper { lower } else { upper },
            )),
        })
    }
}

/// P(Σ of a random subset of the weights ≤ limit), each weight taken with chance one half.
fn lower_tail(weights: &[usize], limit: usize) -> f64 {
    let total: usize = weights.iter().sum();
    if limit >= total {
        return 1.0;
    }
    if 2 * limit > total {
        // Fewer sums lie above than below.
        return 1.0 - lower_tail(weights, total - limit - 1);
    }
    // Ranks without ties are all even when doubled; halving them halves the work.
    let step = if weights.iter().all(|weight| weight % 2 == 0) { 2 } else { 1 };
    let limit = limit / step;
    let start = 0.5_f64.powi(i32::try_from(weights.len()).unwrap_or(i32::MAX));
    let mut sums = vec![0.0; limit + 1];
    let mut next = sums.clone();
    sums[0] = start;
    let mut reach = 0;
    for weight in weights.iter().map(|weight| weight / step) {
        if weight > limit {
            continue;
        }
        reach = if reach + weight < limit { reach + weight } else { limit };
        next[..weight].copy_from_slice(&sums[..weight]);
        for ((out, &with), &without) in
            next[weight..=reach].iter_mut().zip(&sums[..=reach - weight]).zip(&sums[weight..=reach])
        {
            *out = with + without;
        }
        std::mem::swap(&mut sums, &mut next);
    }
    sums.iter().sum()
}

/// P(W ≤ w) for the signed-rank statistic of n differences without ties or zeros.
///
/// `w` below 0 is no event. Cost O(n·w); 10 µs at n = 50.
///
/// ```
/// use unfazed::stats::signed_rank::signed_rank_cdf;
/// assert_eq!(signed_rank_cdf(5, Some(0)), 1.0 / 32.0);
/// assert_eq!(signed_rank_cdf(5, None), 0.0);
/// ```
pub fn signed_rank_cdf(n: usize, w: Option<usize>) -> f64 {
    match w {
        None => 0.0,
        Some(w) => {
            let weights: Vec<usize> = (1..=n).map(|rank| 2 * rank).collect();
            lower_tail(&weights, 2 * w)
        }
    }
}

/// The null distribution P(W ≤ w) for w = 0, 1, …, up to the middle, without ties or zeros.
pub(crate) fn signed_rank_lower_half(n: usize) -> Vec<f64> {
    let limit = n * (n + 1) / 4;
    let mut sums = vec![0.0; limit + 1];
    sums[0] = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut next = sums.clone();
    for weight in 1..=n {
        if weight > limit {
            break;
        }
        next[..weight].copy_from_slice(&sums[..weight]);
        for ((out, &with), &without) in next[weight..].iter_mut().zip(&sums).zip(&sums[weight..]) {
            *out = with + without;
        }
        std::mem::swap(&mut sums, &mut next);
    }
    let mut total = 0.0;
    for value in &mut sums {
        total += *value;
        *value = total;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sign vector, one after the other.
    fn slow_exact(differences: &[f64], alternative: Alternative, zeros: Zeros) -> f64 {
        let scores = Scores::new(differences, zeros);
        let n = scores.doubled.len();
        let observed = scores.doubled_positive;
        let sums = (0..1_u32 << n).map(|signs| {
            (0..n).filter(|i| signs >> i & 1 == 1).map(|i| scores.doubled[i]).sum::<usize>()
        });
        let total = scores.doubled_total;
        let far = |sum: usize| (2 * sum).abs_diff(total);
        let extreme = sums
            .filter(|&sum| match alternative {
                Alternative::Less => sum <= observed,
                Alternative::Greater => sum >= observed,
                Alternative::TwoSided => far(sum) >= far(observed),
            })
            .count();
        count_to_f64(extreme) / 2_f64.powi(i32::try_from(n).unwrap())
    }

    #[test]
    fn two_differences_by_hand() {
        // Ranks 1 and 2, both positive: V = 3, P(W ≥ 3) = 1/4.
        let test = signed_rank_test(
            &[1.0, 2.0],
            Alternative::Greater,
            Zeros::Drop,
            NullDistribution::Exact,
        )
        .unwrap();
        assert_eq!((test.positive, test.negative, test.p.get()), (3.0, 0.0, 0.25));
    }

    #[test]
    fn all_zero_differences_are_no_evidence() {
        for zeros in [Zeros::Drop, Zeros::Pratt, Zeros::Split] {
            let test =
                signed_rank_test(&[0.0; 4], Alternative::TwoSided, zeros, NullDistribution::Normal)
                    .unwrap();
            assert_eq!((test.p, test.z, test.nonzero), (PValue::NO_EVIDENCE, None, 0));
        }
    }

    #[test]
    fn nothing_and_nan_are_undefined() {
        let test = |d: &[f64]| {
            signed_rank_test(d, Alternative::Less, Zeros::Drop, NullDistribution::Exact)
        };
        assert_eq!(test(&[]), Err(Undefined::Empty));
        assert_eq!(test(&[1.0, f64::NAN]), Err(Undefined::NonFinite { index: 1 }));
    }

    #[test]
    fn too_many_differences_for_counting_are_refused() {
        let many: Vec<f64> = (1..=EXACT_LIMIT + 1).map(count_to_f64).collect();
        let refused =
            signed_rank_test(&many, Alternative::Less, Zeros::Drop, NullDistribution::Exact);
        assert_eq!(refused.unwrap_err().code(), "work_limit");
    }

    #[test]
    fn the_lower_half_agrees_with_the_single_tails() {
        let half = signed_rank_lower_half(11);
        for (w, &p) in half.iter().enumerate() {
            assert!((p - signed_rank_cdf(11, Some(w))).abs() < 1e-15);
        }
    }

    proptest::proptest! {
        #[test]
        fn the_exact_p_counts_every_sign_vector(values in proptest::collection::vec(-4_i8..5, 1..11)) {
            let d: Vec<f64> = values.into_iter().map(f64::from).collect();
            for zeros in [Zeros::Drop, Zeros::Pratt, Zeros::Split] {
                for alternative in Alternative::ALL {
                    let fast = signed_rank_test(&d, alternative, zeros, NullDistribution::Exact).unwrap().p.get();
                    let slow = slow_exact(&d, alternative, zeros);
                    assert!((fast - slow).abs() < 1e-12, "{d:?} {alternative:?} {zeros:?}: {fast} {slow}");
                }
            }
        }

        #[test]
        fn turning_the_signs_turns_the_alternative(values in proptest::collection::vec(-9_i8..9, 1..20)) {
            let d: Vec<f64> = values.into_iter().map(f64::from).collect();
            let turned: Vec<f64> = d.iter().map(|value| -value).collect();
            for null in [NullDistribution::Exact, NullDistribution::NormalWithContinuity] {
                for alternative in Alternative::ALL {
                    let one = signed_rank_test(&d, alternative, Zeros::Pratt, null).unwrap().p.get();
                    let other = signed_rank_test(&turned, alternative.mirrored(), Zeros::Pratt, null).unwrap().p.get();
                    assert!((one - other).abs() < 1e-12);
                }
            }
        }
    }
}
