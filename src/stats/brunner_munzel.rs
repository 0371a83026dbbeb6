//! The Brunner–Munzel test: does y tend to be larger than x, whatever the spreads?
//!
//! Owns the relative effect P(X < Y) + ½P(X = Y), its rank-based standard error, the t and normal forms, the
//! studentised permutation form for few values, and what happens under complete separation, where the
//! standard error is zero.
//!
//! Brunner and Munzel (2000); Neubert and Brunner (2007) for the permuted form.

use crate::stats::distribution::{normal_cdf, student_t_cdf};
use crate::stats::mann_whitney::mann_whitney;
use crate::stats::random::Stream;
use crate::stats::ranks::mid_ranks;
use crate::stats::signed_rank::NullDistribution;
use crate::stats::{
    Alternative, PValue, Undefined, count_to_f64, require_ordered, wide_count_to_f64,
};

/// The largest number of choices that the permuted form enumerates; beyond it draws.
pub const PERMUTATION_LIMIT: u64 = 200_000;

/// The reference distribution of the statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Student's t with Satterthwaite's degrees of freedom.
    StudentT,
    /// The normal distribution.
    Normal,
}

/// The result of a Brunner–Munzel test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrunnerMunzelTest {
    /// P(X < Y) + ½P(X = Y), estimated.
    pub relative_effect: f64,
    /// The studentised effect, positive when y tends to be larger; `None` when its standard error is 0.
    pub statistic: Option<f64>,
    /// The degrees of freedom of the t form; `None` when the standard error is 0.
    pub df: Option<f64>,
    /// The p-value; from the exact permutation of mid-ranks when the standard error is 0.
    pub p: PValue,
}

/// Tests whether P(X < Y) + ½P(X = Y) is one half. `Greater` suspects that x tends to be greater than y,
/// so that a positive statistic speaks for `Less`.
///
/// Complete separation makes the standard error 0; the p-value is then the exact conditional Mann–Whitney
/// one, 2/20 for three against three, and not 0. Fewer than two values in a sample: undefined.
/// Cost O((m + n) log(m + n)).
///
/// ```
/// use unfazed::stats::{Alternative, brunner_munzel::{Reference, brunner_munzel}};
/// let test = brunner_munzel(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], Alternative::TwoSided, Reference::StudentT).unwrap();
/// assert_eq!((test.relative_effect, test.statistic), (1.0, None));
/// assert!((test.p.get() - 0.1).abs() < 1e-15);
/// ```
pub fn brunner_munzel(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    reference: Reference,
) -> Result<BrunnerMunzelTest, Undefined> {
    let effect = RelativeEffect::of(x, y)?;
    let Some(statistic) = effect.statistic() else {
        return Ok(BrunnerMunzelTest {
            relative_effect: effect.p_hat,
            statistic: None,
            df: None,
            p: degenerate_p(x, y, alternative, effect.p_hat)?,
        });
    };
    let df = effect.df();
    let at_most = |value: f64| match reference {
        Reference::StudentT => student_t_cdf(value, df),
        Reference::Normal => normal_cdf(value),
    };
    let p = match alternative {
        Alternative::Less => PValue::new(at_most(-statistic)),
        Alternative::Greater => PValue::new(at_most(statistic)),
        Alternative::TwoSided => PValue::doubled(at_most(-statistic.abs())),
    };
    Ok(BrunnerMunzelTest {
        relative_effect: effect.p_hat,
        statistic: Some(statistic),
        df: Some(df),
        p,
    })
}

/// Without a standard error only the order of the values speaks.
fn degenerate_p(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    p_hat: f64,
) -> Result<PValue, Undefined> {
    let separated = p_hat <= 0.0 || p_hat >= 1.0;
    if !separated {
        return Ok(mann_whitney(x, y, alternative, NullDistribution::Exact)?.p);
    }
    // Exactly one choice of labels separates the samples this way round, and one the other way.
    let one = 1.0 / choices(x.len(), y.len());
    let x_is_smaller = p_hat >= 1.0;
    Ok(match (alternative, x_is_smaller) {
        (Alternative::TwoSided, _) => PValue::doubled(one),
        (Alternative::Less, true) | (Alternative::Greater, false) => PValue::new(one),
        (Alternative::Less, false) | (Alternative::Greater, true) => PValue::NO_EVIDENCE,
    })
}

/// The binomial coefficient m + n over m, as a number.
fn choices(m: usize, n: usize) -> f64 {
    let (small, large) = if m < n { (m, n) } else { (n, m) };
    (1..=small).map(|i| count_to_f64(large + i) / count_to_f64(i)).product()
}

/// The estimated relative effect and the parts of its standard error.
#[derive(Debug, Clone, Copy)]
struct RelativeEffect {
    m: f64,
    n: f64,
    p_hat: f64,
    /// mean rank of y − mean rank of x in the pooled sample.
    rank_difference: f64,
    /// `m·S²_x` and `n·S²_y`, the scaled variances of the placements.
    scaled: [f64; 2],
}

impl RelativeEffect {
    fn of(x: &[f64], y: &[f64]) -> Result<Self, Undefined> {
        require_ordered(x)?;
        require_ordered(y)?;
        for sample in [x, y] {
            if sample.len() < 2 {
                return Err(Undefined::TooFew { found: sample.len(), needed: 2 });
            }
        }
        let pooled: Vec<f64> = x.iter().chain(y).copied().collect();
        Ok(Self::of_ranks(&mid_ranks(&pooled).doubled, &within(x), &within(y)))
    }

    /// From doubled pooled ranks (x first) and doubled ranks within each sample.
    ///
    /// Everything is summed in whole numbers, so that a variance of zero is exactly zero.
    fn of_ranks(pooled: &[usize], within_x: &[usize], within_y: &[usize]) -> Self {
        let (m, n) = (within_x.len(), within_y.len());
        let (of_x, of_y) = pooled.split_at(m);
        let sum_x: usize = of_x.iter().sum();
        let sum_y: usize = of_y.iter().sum();
        let mean_x = 0.5 * count_to_f64(sum_x) / count_to_f64(m);
        let mean_y = 0.5 * count_to_f64(sum_y) / count_to_f64(n);
        let (m_f, n_f) = (count_to_f64(m), count_to_f64(n));
        Self {
            m: m_f,
            n: n_f,
            p_hat: (mean_y - 0.5 * (n_f + 1.0)) / m_f,
            rank_difference: mean_y - mean_x,
            scaled: [scaled_variance(of_x, within_x), scaled_variance(of_y, within_y)],
        }
    }

    fn statistic(&self) -> Option<f64> {
        let [of_x, of_y] = self.scaled;
        let variance = of_x + of_y;
        (variance > 0.0)
            .then(|| self.m * self.n * self.rank_difference / ((self.m + self.n) * variance.sqrt()))
    }

    fn df(&self) -> f64 {
        let [of_x, of_y] = self.scaled;
        (of_x + of_y).powi(2) / (of_x * of_x / (self.m - 1.0) + of_y * of_y / (self.n - 1.0))
    }
}

fn within(sample: &[f64]) -> Vec<usize> {
    mid_ranks(sample).doubled
}

/// n/(n − 1)·Σ(placement − mean)², from doubled ranks.
fn scaled_variance(pooled: &[usize], within: &[usize]) -> f64 {
    let n = pooled.len() as u128;
    let (mut sum, mut squares) = (0_u128, 0_u128);
    for (&pooled, &within) in pooled.iter().zip(within) {
        // The pooled rank is never below the rank within the sample.
        let placement = (pooled - within) as u128;
        sum += placement;
        squares += placement * placement;
    }
    // 4·n·Σ(placement − mean)² in whole numbers.
    wide_count_to_f64(n * squares - sum * sum) / 4.0 / wide_count_to_f64(n - 1)
}

/// The studentised permutation test, for fewer than ten values in a sample.
///
/// All choices of labels are enumerated up to [`PERMUTATION_LIMIT`]; beyond, `draws` seeded shuffles with
/// p = (extreme + 1)/(draws + 1). A choice with a standard error of 0 is as extreme as its direction allows.
///
/// ```
/// use unfazed::stats::{Alternative, brunner_munzel::brunner_munzel_permuted, random::Stream};
/// use unfazed::unit::Seed;
/// let mut stream = Stream::new(Seed(1), "queue-depth", "brunner-munzel");
/// let test = brunner_munzel_permuted(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], Alternative::TwoSided, 999, &mut stream).unwrap();
/// assert!((test.p.get() - 0.1).abs() < 1e-15);
/// ```
pub fn brunner_munzel_permuted(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    draws: usize,
    stream: &mut Stream,
) -> Result<BrunnerMunzelTest, Undefined> {
    let effect = RelativeEffect::of(x, y)?;
    let observed = extremeness(&effect);
    let mut pooled: Vec<f64> = x.iter().chain(y).copied().collect();
    let is_extreme = |labelled: &[f64]| {
        let (x, y) = labelled.split_at(x.len());
        let pooled = mid_ranks(labelled).doubled;
        let other = extremeness(&RelativeEffect::of_ranks(&pooled, &within(x), &within(y)));
        let slack = 1e-12 * if observed.is_finite() { observed.abs() } else { 0.0 };
        match alternative {
            Alternative::Less => other >= observed - slack,
            Alternative::Greater => other <= observed + slack,
            Alternative::TwoSided => other.abs() >= observed.abs() - slack,
        }
    };
    let p = if choices(x.len(), y.len()) <= wide_count_to_f64(u128::from(PERMUTATION_LIMIT)) {
        let (mut all, mut extreme) = (0_usize, 0_usize);
        each_choice(&pooled, x.len(), &mut |labelled| {
            all += 1;
            extreme += usize::from(is_extreme(labelled));
        });
        PValue::new(count_to_f64(extreme) / count_to_f64(all))
    } else {
        let mut extreme = 0;
        for _ in 0..draws {
            stream.shuffle(&mut pooled);
            extreme += usize::from(is_extreme(&pooled));
        }
        PValue::from_draws(extreme, draws)
    };
    Ok(BrunnerMunzelTest {
        relative_effect: effect.p_hat,
        statistic: effect.statistic(),
        df: None,
        p,
    })
}

/// The statistic, with infinity for an effect without standard error and 0 for no effect at all.
fn extremeness(effect: &RelativeEffect) -> f64 {
    match effect.statistic() {
        Some(statistic) => statistic,
        None if effect.p_hat > 0.5 => f64::INFINITY,
        None if effect.p_hat < 0.5 => f64::NEG_INFINITY,
        None => 0.0,
    }
}

/// Calls the visitor with every choice of m values put first.
fn each_choice(values: &[f64], m: usize, visit: &mut impl FnMut(&[f64])) {
    let total = values.len();
    let mut chosen: Vec<usize> = (0..m).collect();
    let mut labelled = Vec::with_capacity(total);
    loop {
        labelled.clear();
        labelled.extend(chosen.iter().map(|&index| values[index]));
        labelled.extend(
            (0..total)
                .filter(|index| chosen.binary_search(index).is_err())
                .map(|index| values[index]),
        );
        visit(&labelled);
        let Some(position) = (0..m).rev().find(|&i| chosen[i] < total - m + i) else {
            return;
        };
        chosen[position] += 1;
        for i in position + 1..m {
            chosen[i] = chosen[i - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Seed;

    #[test]
    fn all_equal_values_are_no_evidence() {
        let test = brunner_munzel(&[5.0; 4], &[5.0; 3], Alternative::TwoSided, Reference::StudentT)
            .unwrap();
        assert_eq!(
            (test.relative_effect, test.statistic, test.p),
            (0.5, None, PValue::NO_EVIDENCE)
        );
    }

    #[test]
    fn complete_separation_is_judged_by_counting() {
        let p = |alternative| {
            brunner_munzel(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], alternative, Reference::Normal)
                .unwrap()
                .p
                .get()
        };
        assert!((p(Alternative::Less) - 0.05).abs() < 1e-15);
        assert_eq!(p(Alternative::Greater), 1.0);
    }

    #[test]
    fn one_value_in_a_sample_is_too_few() {
        let refused = brunner_munzel(&[1.0], &[2.0, 3.0], Alternative::Less, Reference::Normal);
        assert_eq!(refused, Err(Undefined::TooFew { found: 1, needed: 2 }));
    }

    #[test]
    fn drawn_permutations_agree_with_all_of_them() {
        let x = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0];
        let y = [3.0, 6.0, 9.0, 11.0, 10.0, 12.0];
        let mut stream = Stream::new(Seed(1), "drawn", "test");
        let all =
            brunner_munzel_permuted(&x, &y, Alternative::Less, 0, &mut stream).unwrap().p.get();
        let asymptotic =
            brunner_munzel(&x, &y, Alternative::Less, Reference::StudentT).unwrap().p.get();
        assert!((all - asymptotic).abs() < 0.03, "{all} {asymptotic}");
    }

    proptest::proptest! {
        #[test]
        fn swapping_the_samples_turns_the_effect(x in proptest::collection::vec(-4_i8..5, 2..9), y in proptest::collection::vec(-4_i8..5, 2..9)) {
            let x: Vec<f64> = x.into_iter().map(f64::from).collect();
            let y: Vec<f64> = y.into_iter().map(f64::from).collect();
            let one = brunner_munzel(&x, &y, Alternative::Less, Reference::StudentT).unwrap();
            let other = brunner_munzel(&y, &x, Alternative::Greater, Reference::StudentT).unwrap();
            assert!((one.relative_effect + other.relative_effect - 1.0).abs() < 1e-12);
            assert!((one.p.get() - other.p.get()).abs() < 1e-10);
        }
    }
}
