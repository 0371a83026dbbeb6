//! The Mann–Whitney test of two independent samples.
//!
//! Owns U, its exact null distribution without ties (counted) and with ties (conditional on the mid-ranks),
//! and the normal approximation. It tests whether the distributions are equal; where spreads differ use
//! [`super::brunner_munzel`].
//!
//! Mann and Whitney (1947); ties: Hollander, Wolfe and Chicken (2014), 4.1.
//!
//! Work limits, on both sizes: without ties the exact count costs m²n/2 steps and is refused above
//! [`EXACT_WORK`]; with ties it costs (m + n)·m·(sum of doubled ranks) steps under the same limit. The normal
//! approximation costs O((m + n) log(m + n)) and has no limit.

use crate::stats::distribution::normal_survival;
use crate::stats::pair_selection::key;
use crate::stats::ranks::{mid_ranks, tie_cubes};
use crate::stats::signed_rank::NullDistribution;
use crate::stats::{
    Alternative, PValue, Undefined, count_to_f64, require_ordered, wide_count_to_f64,
};
use rayon::prelude::*;
use std::cmp::Ordering;

/// The largest number of elementary steps of an exact distribution: about 50 ms.
pub const EXACT_WORK: u64 = 50_000_000;

/// The result of a Mann–Whitney test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitneyTest {
    /// How often x > y, plus half of the ties.
    pub u_x: f64,
    /// The standardised statistic; `None` when all values are equal.
    pub z: Option<f64>,
    /// The p-value; 1 when all values are equal.
    pub p: PValue,
    /// The null distribution that gave the p-value.
    pub null: NullDistribution,
    /// Whether any two of the values are equal.
    pub ties: bool,
}

/// Tests whether x and y have one distribution; `Greater` suspects that x tends to be greater.
///
/// Exact: P(U ≥ u) and P(U ≤ u) over all ways to choose which values are x; two-sided
/// P(|U − E| ≥ |u − E|). Normal: z = (U − mn/2 ∓ ½)/σ with
/// σ² = mn/12·(m + n + 1 − Σ(t³ − t)/((m + n)(m + n − 1))).
///
/// All values equal: p = 1. Infinite values have a rank and are accepted; NaN and empty samples are undefined.
///
/// ```
/// use unfazed::stats::{Alternative, mann_whitney::mann_whitney, signed_rank::NullDistribution};
/// let test = mann_whitney(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], Alternative::TwoSided, NullDistribution::Exact).unwrap();
/// assert!((test.p.get() - 2.0 / 70.0).abs() < 1e-15);
/// ```
pub fn mann_whitney(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    null: NullDistribution,
) -> Result<MannWhitneyTest, Undefined> {
    require_ordered(x)?;
    require_ordered(y)?;
    let counted = Comparison::of(x, y);
    let (m, n) = (x.len(), y.len());
    let product = wide_count_to_f64(m as u128 * n as u128);
    let u_x = 0.5 * wide_count_to_f64(counted.doubled_u);
    let total = count_to_f64(m) + count_to_f64(n);
    let tie_share = wide_count_to_f64(counted.tie_term) / (total * (total - 1.0));
    let variance = product / 12.0 * (total + 1.0 - tie_share);
    let all_equal = counted.tie_term == tie_cubes(m + n);
    let excess = u_x - 0.5 * product;
    let z =
        (!all_equal).then(|| (excess - continuity(excess, alternative, null)) / variance.sqrt());
    let p = match (null, z) {
        (_, None) => PValue::NO_EVIDENCE,
        (NullDistribution::Exact, Some(_)) => exact_p(x, y, &counted, alternative)?,
        (NullDistribution::Normal | NullDistribution::NormalWithContinuity, Some(z)) => {
            match alternative {
                Alternative::Greater => PValue::new(normal_survival(z)),
                Alternative::Less => PValue::new(normal_survival(-z)),
                Alternative::TwoSided => PValue::doubled(normal_survival(z.abs())),
            }
        }
    };
    Ok(MannWhitneyTest { u_x, z, p, null, ties: counted.tie_term > 0 })
}

fn continuity(excess: f64, alternative: Alternative, null: NullDistribution) -> f64 {
    match null {
        NullDistribution::Exact | NullDistribution::Normal => 0.0,
        NullDistribution::NormalWithContinuity => match alternative {
            Alternative::Greater => 0.5,
            Alternative::Less => -0.5,
            Alternative::TwoSided if excess.abs() > 0.0 => 0.5_f64.copysign(excess),
            Alternative::TwoSided => 0.0,
        },
    }
}

/// 2U and the tie term of two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Comparison {
    doubled_u: u128,
    tie_term: u128,
}

impl Comparison {
    /// Sorts both samples, each on its own core when they are large, and merges them once.
    fn of(x: &[f64], y: &[f64]) -> Self {
        let (x, y) = if x.len() + y.len() > 20_000 {
            rayon::join(|| sorted_keys_in_parallel(x), || sorted_keys_in_parallel(y))
        } else {
            (sorted_keys(x), sorted_keys(y))
        };
        let (mut i, mut j) = (0, 0);
        let mut doubled_u = 0_u128;
        let mut tie_term = 0_u128;
        while i < x.len() || j < y.len() {
            let smallest = match (x.get(i), y.get(j)) {
                (Some(&a), Some(&b)) => match a.cmp(&b) {
                    Ordering::Less | Ordering::Equal => a,
                    Ordering::Greater => b,
                },
                (Some(&a), None) => a,
                (None, Some(&b)) => b,
                (None, None) => break,
            };
            let (first_x, first_y) = (i, j);
            while x.get(i) == Some(&smallest) {
                i += 1;
            }
            while y.get(j) == Some(&smallest) {
                j += 1;
            }
            let (equal_x, equal_y) = (i - first_x, j - first_y);
            doubled_u += equal_x as u128 * (2 * first_y + equal_y) as u128;
            if equal_x + equal_y > 1 {
                tie_term += tie_cubes(equal_x + equal_y);
            }
        }
        Self { doubled_u, tie_term }
    }
}

fn sorted_keys(values: &[f64]) -> Vec<u64> {
    let mut keys: Vec<u64> = values.iter().map(|&value| key(value + 0.0)).collect();
    keys.sort_unstable();
    keys
}

fn sorted_keys_in_parallel(values: &[f64]) -> Vec<u64> {
    let mut keys: Vec<u64> = values.iter().map(|&value| key(value + 0.0)).collect();
    keys.par_sort_unstable();
    keys
}

fn exact_p(
    x: &[f64],
    y: &[f64],
    counted: &Comparison,
    alternative: Alternative,
) -> Result<PValue, Undefined> {
    let (m, n) = (x.len(), y.len());
    let tails = if counted.tie_term == 0 {
        let Some(lower_half) = rank_sum_lower_half(m, n) else {
            return Err(too_large(m, n));
        };
        let u = counted.doubled_u / 2;
        Tails::of_symmetric(&lower_half, u, m as u128 * n as u128)
    } else {
        conditional_tails(x, y)?
    };
    Ok(match alternative {
        Alternative::Less => PValue::new(tails.at_most),
        Alternative::Greater => PValue::new(tails.at_least),
        Alternative::TwoSided => PValue::new(tails.as_far),
    })
}

fn too_large(m: usize, n: usize) -> Undefined {
    Undefined::WorkLimit {
        what: "the exact Mann-Whitney distribution (steps)",
        size: exact_steps(m, n),
        limit: EXACT_WORK,
    }
}

fn exact_steps(m: usize, n: usize) -> u64 {
    let small = if m < n { m } else { n } as u64;
    (m as u64).saturating_mul(n as u64).saturating_mul(small)
}

/// The probabilities of the observed statistic in an exact null distribution.
struct Tails {
    at_most: f64,
    at_least: f64,
    /// At least as far from the mean as observed.
    as_far: f64,
}

impl Tails {
    fn of_symmetric(lower_half: &[f64], u: u128, largest: u128) -> Self {
        let at_most = |w: u128| {
            let tail = |w: u128| usize::try_from(w).ok().and_then(|w| lower_half.get(w)).copied();
            if w >= largest {
                1.0
            } else {
                tail(w).unwrap_or_else(|| {
                    let above = tail(largest - w - 1);
                    1.0 - above
                        .expect("of two values that mirror each other one lies in the lower half")
                })
            }
        };
        // P(U ≥ u) = P(U ≤ largest − u) by symmetry.
        let (below, above) = (at_most(u), at_most(largest - u));
        Self {
            at_most: below,
            at_least: above,
            as_far: 2.0 * if below < above { below } else { above },
        }
    }
}

/// P(U ≤ u) for u = 0 … mn/2 without ties, or `None` above the work limit.
///
/// The Gaussian binomial coefficient is built factor by factor, (1 − q^(n+i))/(1 − q^i). Only the lower half
/// is kept: there the coefficients rise, so that the subtractions cannot lose the small ones.
pub(crate) fn rank_sum_lower_half(m: usize, n: usize) -> Option<Vec<f64>> {
    let (small, large) = if m < n { (m, n) } else { (n, m) };
    // Above 1000 values in all the number of arrangements overflows a double.
    if exact_steps(m, n) > EXACT_WORK || m + n > 1000 {
        return None;
    }
    let limit = small * large / 2;
    let mut counts = vec![0.0; limit + 1];
    counts[0] = 1.0;
    for i in 1..=small {
        let factor = large + i;
        for k in (factor..=limit).rev() {
            counts[k] -= counts[k - factor];
        }
        for k in i..=limit {
            counts[k] += counts[k - i];
        }
    }
    let total: f64 = (1..=small).map(|i| count_to_f64(large + i) / count_to_f64(i)).product();
    let mut sum = 0.0;
    for count in &mut counts {
        sum += *count;
        *count = sum / total;
    }
    Some(counts)
}

/// The tails of U over all choices of which of the tied values are x (Streitberg and Röhmel 1986).
fn conditional_tails(x: &[f64], y: &[f64]) -> Result<Tails, Undefined> {
    let (m, n) = (x.len(), y.len());
    let pooled: Vec<f64> = x.iter().chain(y).copied().collect();
    let ranks = mid_ranks(&pooled).doubled;
    let observed: usize = ranks[..m].iter().sum();
    // The largest sum of m doubled ranks bounds the table.
    let mut descending = ranks.clone();
    descending.sort_unstable_by(|a, b| b.cmp(a));
    let largest: usize = descending[..m].iter().sum();
    let steps = ((m + n) as u64).saturating_mul(m as u64).saturating_mul(largest as u64);
    if steps > EXACT_WORK || m + n > 1000 {
        return Err(Undefined::WorkLimit {
            what: "the exact Mann-Whitney distribution with ties (steps)",
            size: steps,
            limit: EXACT_WORK,
        });
    }
    let width = largest + 1;
    let mut ways = vec![0.0; (m + 1) * width];
    ways[0] = 1.0;
    for (seen, &rank) in ranks.iter().enumerate() {
        let most = if seen + 1 < m { seen + 1 } else { m };
        for taken in (1..=most).rev() {
            let (before, after) = ways.split_at_mut(taken * width);
            let without = &before[(taken - 1) * width..];
            for (to, &from) in after[rank..width].iter_mut().zip(without) {
                *to += from;
            }
        }
    }
    let row = &ways[m * width..];
    let total: f64 = row.iter().sum();
    // The mean of the doubled rank sum is m(m + n + 1), a whole number.
    let mean = m * (m + n + 1);
    let far = observed.abs_diff(mean);
    let share = |inside: &dyn Fn(usize) -> bool| {
        row.iter().enumerate().filter(|(sum, _)| inside(*sum)).map(|(_, ways)| ways).sum::<f64>()
            / total
    };
    Ok(Tails {
        at_most: share(&|sum| sum <= observed),
        at_least: share(&|sum| sum >= observed),
        as_far: share(&|sum| sum.abs_diff(mean) >= far),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of m positions, one after the other.
    fn slow_exact(x: &[f64], y: &[f64], alternative: Alternative) -> f64 {
        let pooled: Vec<f64> = x.iter().chain(y).copied().collect();
        let ranks = mid_ranks(&pooled).doubled;
        let (m, total) = (x.len(), pooled.len());
        let observed: usize = ranks[..m].iter().sum();
        let mean = m * (total + 1);
        let (mut all, mut extreme) = (0_u32, 0_u32);
        for chosen in 0..1_u32 << total {
            if chosen.count_ones() as usize != m {
                continue;
            }
            let sum: usize = (0..total).filter(|i| chosen >> i & 1 == 1).map(|i| ranks[i]).sum();
            all += 1;
            extreme += u32::from(match alternative {
                Alternative::Less => sum <= observed,
                Alternative::Greater => sum >= observed,
                Alternative::TwoSided => sum.abs_diff(mean) >= observed.abs_diff(mean),
            });
        }
        f64::from(extreme) / f64::from(all)
    }

    #[test]
    fn ties_count_half() {
        let test =
            mann_whitney(&[1.0, 2.0], &[2.0, 3.0], Alternative::Less, NullDistribution::Normal)
                .unwrap();
        assert_eq!(test.u_x, 0.5);
        assert!(test.ties);
    }

    #[test]
    fn all_equal_values_are_no_evidence() {
        for null in [
            NullDistribution::Exact,
            NullDistribution::Normal,
            NullDistribution::NormalWithContinuity,
        ] {
            let test = mann_whitney(&[5.0; 6], &[5.0; 7], Alternative::TwoSided, null).unwrap();
            assert_eq!((test.u_x, test.p, test.z), (21.0, PValue::NO_EVIDENCE, None));
        }
    }

    #[test]
    fn empty_and_nan_are_undefined() {
        let test =
            |x: &[f64], y: &[f64]| mann_whitney(x, y, Alternative::Less, NullDistribution::Exact);
        assert_eq!(test(&[], &[1.0]), Err(Undefined::Empty));
        assert_eq!(test(&[1.0], &[f64::NAN]), Err(Undefined::NonFinite { index: 0 }));
    }

    #[test]
    fn five_against_a_thousand_is_refused_or_counted_but_never_enumerated() {
        let x: Vec<f64> = (0..5).map(|i| f64::from(i) + 0.5).collect();
        let y: Vec<f64> = (0..1000).map(f64::from).collect();
        let refused = mann_whitney(&x, &y, Alternative::Less, NullDistribution::Exact);
        assert_eq!(refused.unwrap_err().code(), "work_limit");
        assert!(mann_whitney(&x, &y[..900], Alternative::Less, NullDistribution::Exact).is_ok());
    }

    #[test]
    fn the_counted_distribution_sums_to_one_at_the_largest_default_sizes() {
        let half = rank_sum_lower_half(49, 49).unwrap();
        // The middle count belongs to both halves when mn is even; here mn = 2401 is odd.
        assert!((half[half.len() - 1] - 0.5).abs() < 1e-10, "{}", half[half.len() - 1]);
    }

    proptest::proptest! {
        #[test]
        fn the_exact_p_counts_every_choice(x in proptest::collection::vec(-4_i8..5, 1..7), y in proptest::collection::vec(-4_i8..5, 1..7)) {
            let x: Vec<f64> = x.into_iter().map(f64::from).collect();
            let y: Vec<f64> = y.into_iter().map(f64::from).collect();
            for alternative in Alternative::ALL {
                let fast = mann_whitney(&x, &y, alternative, NullDistribution::Exact).unwrap().p.get();
                assert!((fast - slow_exact(&x, &y, alternative)).abs() < 1e-12);
            }
        }

        #[test]
        fn the_exact_p_counts_every_choice_without_ties(order in proptest::collection::vec(0.0_f64..1.0, 2..12), m in 1_usize..6) {
            let m = if m < order.len() { m } else { 1 };
            let (x, y) = order.split_at(m);
            for alternative in Alternative::ALL {
                let fast = mann_whitney(x, y, alternative, NullDistribution::Exact).unwrap().p.get();
                assert!((fast - slow_exact(x, y, alternative)).abs() < 1e-12);
            }
        }

        #[test]
        fn u_counts_the_pairs(x in proptest::collection::vec(-4_i8..5, 1..20), y in proptest::collection::vec(-4_i8..5, 1..20)) {
            let x: Vec<f64> = x.into_iter().map(f64::from).collect();
            let y: Vec<f64> = y.into_iter().map(f64::from).collect();
            let pairs: f64 = x.iter().flat_map(|a| y.iter().map(move |b| if a > b { 1.0 } else if a < b { 0.0 } else { 0.5 })).sum();
            let test = mann_whitney(&x, &y, Alternative::Less, NullDistribution::Normal).unwrap();
            assert_eq!(test.u_x, pairs);
        }
    }
}
