//! The Mann–Kendall test for a trend in one direction.
//!
//! Owns Kendall's S over the order of a series, its variance with ties and, on request, with autocorrelation,
//! and the exact distribution for short series. The size of a trend is in `theil_sen`.

use crate::stats::descriptive::{sorted_median, two_pass_mean};
use crate::stats::distribution::{normal_quantile, normal_survival};
use crate::stats::position::{same, sorted_copy};
use crate::stats::{
    Alternative, PValue, Undefined, count_to_f64, require_level, require_ordered, wide_count_to_f64,
};

/// How the variance of S is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variance {
    /// Independent values; ties are corrected for.
    Independent,
    /// Hamed and Rao (1998): enlarged by the significant autocorrelations of the ranks.
    HamedRao {
        /// Autocorrelations significant at this two-sided level are used; 0.05 is usual.
        significance: f64,
        /// How many lags are looked at; `None` looks at all.
        lags: Option<usize>,
    },
}

/// Whether S is drawn one step towards 0 before it is compared with the normal distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Continuity {
    /// z = (S ∓ 1)/σ.
    Corrected,
    /// z = S/σ.
    Uncorrected,
}

/// The outcome of the test against the normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Pairs that rise less pairs that fall.
    pub s: f64,
    /// The variance of S without a trend.
    pub variance: f64,
    /// The standardised S; 0 when S is 0 or all values are equal.
    pub z: f64,
    /// The p-value from the normal distribution.
    pub p: PValue,
    /// Kendall's tau-a: S over the number of pairs.
    pub tau_a: f64,
    /// How many values.
    pub n: usize,
}

/// The Mann–Kendall test.
///
/// S = Σᵢ<ⱼ sign(xⱼ − xᵢ); σ² = (n(n − 1)(2n + 5) − Σ t(t − 1)(2t + 5))/18 over groups of t equal values
/// (Mann 1945; Kendall 1975). Numbers agree with pymannkendall `original_test`, with Hamed–Rao with
/// `hamed_rao_modification_test`. `Greater` asks for a rising trend. Cost: O(n log n) for S.
/// Edge cases: fewer than 2 values are refused; all values equal give S = 0, z = 0 and p = 1. Below
/// n = 5 no data reach 0.05 in the exact test ([`exact_p`]), whatever the normal p says.
///
/// ```
/// use unfazed::stats::Alternative;
/// use unfazed::stats::mann_kendall::{Continuity, Variance, mann_kendall};
/// let found = mann_kendall(&[3.0, 2.0, 1.0], Variance::Independent, Continuity::Corrected, Alternative::TwoSided).unwrap();
/// assert_eq!(found.s, -3.0);
/// assert!((found.p.get() - 0.2962698714842864).abs() < 1e-12);
/// ```
pub fn mann_kendall(
    values: &[f64],
    variance: Variance,
    continuity: Continuity,
    alternative: Alternative,
) -> Result<MannKendall, Undefined> {
    require_ordered(values)?;
    let n = values.len();
    if n < 2 {
        return Err(Undefined::TooFew { found: n, needed: 2 });
    }
    let s = kendall_s(values);
    let mut spread = independent_variance(values);
    if let Variance::HamedRao { significance, lags } = variance {
        spread *= variance_inflation(values, significance, lags)?;
    }
    let step = match continuity {
        Continuity::Corrected => 1.0,
        Continuity::Uncorrected => 0.0,
    };
    let shrunk = if s > 0.0 {
        s - step
    } else if s < 0.0 {
        s + step
    } else {
        0.0
    };
    let z = if spread > 0.0 { shrunk / spread.sqrt() } else { 0.0 };
    let p = match alternative {
        Alternative::TwoSided => PValue::doubled(normal_survival(z.abs())),
        // The step towards 0 is a step towards the null hypothesis in the asked direction.
        Alternative::Greater => PValue::new(one_sided(s - step, spread)),
        Alternative::Less => PValue::new(one_sided(-s - step, spread)),
    };
    Ok(MannKendall { s, variance: spread, z, p, tau_a: s / pairs(n), n })
}

fn one_sided(shrunk: f64, spread: f64) -> f64 {
    if spread > 0.0 { normal_survival(shrunk / spread.sqrt()) } else { 1.0 }
}

fn pairs(n: usize) -> f64 {
    count_to_f64(n) * count_to_f64(n - 1) / 2.0
}

/// Kendall's S by counting inversions while merging; O(n log n).
///
/// ```
/// use unfazed::stats::mann_kendall::kendall_s;
/// assert_eq!(kendall_s(&[1.0, 3.0, 2.0]), 1.0);
/// ```
pub fn kendall_s(values: &[f64]) -> f64 {
    let mut work = values.to_vec();
    let mut space = values.to_vec();
    let falling = inversions(&mut work, &mut space);
    // All pairs, less the tied ones, less twice the falling ones.
    let n = values.len() as u128;
    let tied: u128 = tie_sizes(values).iter().map(|&t| t as u128 * (t as u128 - 1) / 2).sum();
    let rising = n * n.saturating_sub(1) / 2 - tied - falling;
    wide_count_to_f64(rising) - wide_count_to_f64(falling)
}

/// Pairs i < j with xᵢ > xⱼ; leaves the values sorted.
fn inversions(values: &mut [f64], space: &mut [f64]) -> u128 {
    let n = values.len();
    if n < 2 {
        return 0;
    }
    let half = n / 2;
    let (left, right) = values.split_at_mut(half);
    let (left_space, right_space) = space.split_at_mut(half);
    let mut count = inversions(left, left_space) + inversions(right, right_space);
    let (mut i, mut j) = (0, 0);
    for slot in space.iter_mut() {
        let from_left = j >= n - half || (i < half && values[i] <= values[half + j]);
        if from_left {
            *slot = values[i];
            i += 1;
        } else {
            count += (half - i) as u128;
            *slot = values[half + j];
            j += 1;
        }
    }
    values.copy_from_slice(space);
    count
}

/// Sizes of the groups of equal values.
pub(in crate::stats) fn tie_sizes(values: &[f64]) -> Vec<usize> {
    sorted_copy(values).chunk_by(|left, right| same(*left, *right)).map(<[f64]>::len).collect()
}

/// σ² of S for independent values, with the correction for ties.
pub(in crate::stats) fn independent_variance(values: &[f64]) -> f64 {
    let term = |t: usize| {
        let t = count_to_f64(t);
        t * (t - 1.0) * (2.0 * t + 5.0)
    };
    (term(values.len()) - tie_sizes(values).into_iter().map(term).sum::<f64>()) / 18.0
}

/// Hamed and Rao's factor n/n* on the variance of S.
///
/// 1 + 2/(n(n − 1)(n − 2))·Σₖ (n − k)(n − k − 1)(n − k − 2)·ρₖ over the lags k whose autocorrelation ρₖ of the
/// ranks of the detrended series is significant (Hamed and Rao 1998, equation 14).
fn variance_inflation(
    values: &[f64],
    significance: f64,
    lags: Option<usize>,
) -> Result<f64, Undefined> {
    require_level("the significance of autocorrelations", significance)?;
    let n = values.len();
    if n < 3 {
        return Err(Undefined::TooFew { found: n, needed: 3 });
    }
    crate::stats::require_finite(values)?;
    let slope = unit_step_slope(values);
    let detrended: Vec<f64> =
        values.iter().enumerate().map(|(i, value)| value - count_to_f64(i + 1) * slope).collect();
    let ranks = mid_ranks(&detrended);
    let center = two_pass_mean(&ranks);
    let squares: f64 = ranks.iter().map(|rank| (rank - center).powi(2)).sum();
    if squares <= 0.0 {
        return Ok(1.0);
    }
    let bound = normal_quantile(1.0 - significance / 2.0) / count_to_f64(n).sqrt();
    let last = lags.map_or(n - 1, |lags| lags.clamp(0, n - 1));
    let mut sum = 0.0;
    for lag in 1..=last {
        let products: f64 = ranks
            .iter()
            .zip(&ranks[lag..])
            .map(|(left, right)| (left - center) * (right - center))
            .sum();
        let correlation = products / squares;
        if correlation.abs() >= bound {
            let left = count_to_f64(n - lag);
            sum += left * (left - 1.0) * (left - 2.0) * correlation;
        }
    }
    let n = count_to_f64(n);
    let factor = 1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * sum;
    if factor > 0.0 { Ok(factor) } else { Err(Undefined::DegenerateVariance) }
}

/// The median of all slopes between values one time step apart each.
fn unit_step_slope(values: &[f64]) -> f64 {
    let mut slopes = Vec::with_capacity(values.len() * (values.len() - 1) / 2);
    for (i, early) in values.iter().enumerate() {
        for (steps, late) in values[i + 1..].iter().enumerate() {
            slopes.push((late - early) / count_to_f64(steps + 1));
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    sorted_median(&slopes)
}

/// Ranks from 1, equal values sharing their mean rank.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|&left, &right| same(values[left], values[right])) {
        let rank = count_to_f64(2 * start + group.len() + 1) / 2.0;
        for &position in group {
            ranks[position] = rank;
        }
        start += group.len();
    }
    ranks
}

/// The longest series whose exact distribution is used by default.
pub const EXACT_LIMIT: usize = 10;

/// The exact p-value of S for a series without equal values.
///
/// The number of permutations with k inversions follows from Mahonian counts, one value at a time (Kendall
/// 1975, chapter 5); two-sided p is twice the smaller tail, at most 1 (R `cor.test(method = "kendall",
/// exact = TRUE)`). Cost: O(n³). n = 3 reaches 1/3 at best, n = 4 1/12, n = 5 1/60.
/// Edge cases: equal values are [`Undefined::DegenerateVariance`], because the permutations are then not
/// equally likely; more than 170 values are over the work limit.
///
/// ```
/// use unfazed::stats::Alternative;
/// use unfazed::stats::mann_kendall::exact_p;
/// assert!((exact_p(&[1.0, 2.0, 3.0, 4.0], Alternative::TwoSided).unwrap().get() - 1.0 / 12.0).abs() < 1e-15);
/// ```
pub fn exact_p(values: &[f64], alternative: Alternative) -> Result<PValue, Undefined> {
    require_ordered(values)?;
    let n = values.len();
    if n < 2 {
        return Err(Undefined::TooFew { found: n, needed: 2 });
    }
    if n > 170 {
        return Err(Undefined::WorkLimit {
            what: "the exact distribution of S",
            size: n as u64,
            limit: 170,
        });
    }
    if tie_sizes(values).len() < n {
        return Err(Undefined::DegenerateVariance);
    }
    let falling = inversions(&mut values.to_vec(), &mut values.to_vec());
    let chances = inversion_chances(n);
    let falling = usize::try_from(falling).expect("at most 170·169/2 inversions");
    // Few falling pairs speak for a rising trend.
    let rising: f64 = chances[..=falling].iter().sum();
    let sinking: f64 = chances[falling..].iter().sum();
    Ok(match alternative {
        Alternative::Greater => PValue::new(rising),
        Alternative::Less => PValue::new(sinking),
        Alternative::TwoSided => PValue::doubled(crate::stats::position::smaller(rising, sinking)),
    })
}

/// The probability of each number of inversions in a random permutation of n values.
fn inversion_chances(n: usize) -> Vec<f64> {
    let mut chances = vec![1.0];
    for size in 2..=n {
        let mut next = vec![0.0; chances.len() + size - 1];
        for (k, chance) in chances.iter().enumerate() {
            for slot in &mut next[k..k + size] {
                *slot += chance / count_to_f64(size);
            }
        }
        chances = next;
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow_s(values: &[f64]) -> f64 {
        let mut s = 0;
        for (i, early) in values.iter().enumerate() {
            for late in &values[i + 1..] {
                s += i32::from(late > early) - i32::from(late < early);
            }
        }
        f64::from(s)
    }

    fn test(values: &[f64]) -> MannKendall {
        mann_kendall(values, Variance::Independent, Continuity::Corrected, Alternative::TwoSided)
            .unwrap()
    }

    #[test]
    fn equal_values_have_no_trend() {
        let found = test(&[2.0; 6]);
        assert_eq!((found.s, found.variance, found.z, found.p.get()), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn the_smallest_exact_p_values() {
        for (n, smallest) in [(3_u8, 1.0 / 3.0), (4, 1.0 / 12.0), (5, 1.0 / 60.0)] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            assert!(
                (exact_p(&values, Alternative::TwoSided).unwrap().get() - smallest).abs() < 1e-15
            );
        }
    }

    #[test]
    fn ties_have_no_exact_distribution_here() {
        assert_eq!(
            exact_p(&[1.0, 1.0, 2.0], Alternative::TwoSided),
            Err(Undefined::DegenerateVariance)
        );
    }

    #[test]
    fn autocorrelation_widens_the_variance() {
        // A slow wave: neighbours resemble each other.
        let values: Vec<f64> =
            (0..40_u8).map(|i| (f64::from(i) / 6.0).sin() + f64::from(i % 3) / 50.0).collect();
        let plain = test(&values);
        let kind = Variance::HamedRao { significance: 0.05, lags: Some(3) };
        let wide =
            mann_kendall(&values, kind, Continuity::Corrected, Alternative::TwoSided).unwrap();
        assert!(wide.variance > plain.variance && wide.p > plain.p);
    }

    /// All permutations, one by one.
    fn slow_exact(values: &[f64]) -> f64 {
        fn visit(rest: &mut Vec<f64>, taken: &mut Vec<f64>, bound: f64, seen: &mut [u32; 2]) {
            if rest.is_empty() {
                seen[0] += u32::from(slow_s(taken) >= bound);
                seen[1] += 1;
                return;
            }
            for i in 0..rest.len() {
                taken.push(rest.remove(i));
                visit(rest, taken, bound, seen);
                rest.insert(i, taken.pop().unwrap());
            }
        }
        let mut seen = [0, 0];
        visit(&mut values.to_vec(), &mut Vec::new(), slow_s(values), &mut seen);
        f64::from(seen[0]) / f64::from(seen[1])
    }

    proptest! {
        #[test]
        fn merging_agrees_with_all_pairs(values in prop::collection::vec(0_u8..12, 2..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            prop_assert_eq!(kendall_s(&values), slow_s(&values));
            let reversed: Vec<f64> = values.iter().rev().copied().collect();
            prop_assert_eq!(test(&reversed).p, test(&values).p);
        }

        #[test]
        fn mahonian_counts_agree_with_all_permutations(values in prop::collection::hash_set(0_u16..1000, 3..7)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let found = exact_p(&values, Alternative::Greater).unwrap().get();
            prop_assert!((found - slow_exact(&values)).abs() < 1e-12);
        }
    }
}
