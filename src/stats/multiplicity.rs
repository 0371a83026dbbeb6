//! p-values adjusted for how many were looked at.
//!
//! Owns Holm's and Benjamini and Hochberg's procedures. A test that gave no p-value keeps its place and
//! does not count, as in R `p.adjust`.

use crate::stats::{PValue, count_to_f64};

/// Which error rate an adjustment keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adjustment {
    /// Holm (1979): the chance of any false rejection.
    Holm,
    /// Benjamini and Hochberg (1995): the expected share of false rejections.
    BenjaminiHochberg,
}

/// The adjusted p-values, in the order of the input.
///
/// With m tests and p₍₁₎ ≤ … ≤ p₍ₘ₎: Holm takes the running maximum of (m − i + 1)·p₍ᵢ₎ (Holm 1979),
/// Benjamini and Hochberg the running minimum from the top of m·p₍ᵢ₎/i (1995, procedure 1); both are cut
/// at 1. `None` stays `None` and is not counted in m. Cost: O(m log m).
///
/// ```
/// use unfazed::stats::PValue;
/// use unfazed::stats::multiplicity::{Adjustment, adjusted};
/// let p = [Some(PValue::new(0.01)), None, Some(PValue::new(0.04)), Some(PValue::new(0.03))];
/// let holm = adjusted(&p, Adjustment::Holm);
/// assert_eq!(holm[0], Some(PValue::new(0.03)));
/// assert_eq!(holm[1], None);
/// assert_eq!(holm[2], Some(PValue::new(0.06)));
/// ```
pub fn adjusted(p_values: &[Option<PValue>], adjustment: Adjustment) -> Vec<Option<PValue>> {
    let mut ranked: Vec<Ranked> = p_values
        .iter()
        .enumerate()
        .filter_map(|(position, p)| p.map(|p| Ranked { position, p: p.get() }))
        .collect();
    ranked.sort_by(|left, right| left.p.total_cmp(&right.p));
    let mut answer = vec![None; p_values.len()];
    let m = ranked.len();
    let mut bound = match adjustment {
        Adjustment::Holm => 0.0,
        Adjustment::BenjaminiHochberg => 1.0,
    };
    for step in 0..m {
        let rank = match adjustment {
            Adjustment::Holm => step,
            Adjustment::BenjaminiHochberg => m - 1 - step,
        };
        let test = &ranked[rank];
        match adjustment {
            Adjustment::Holm => {
                let scaled = count_to_f64(m - rank) * test.p;
                if scaled > bound {
                    bound = scaled;
                }
            }
            Adjustment::BenjaminiHochberg => {
                let scaled = count_to_f64(m) / count_to_f64(rank + 1) * test.p;
                if scaled < bound {
                    bound = scaled;
                }
            }
        }
        answer[test.position] = Some(PValue::new(bound));
    }
    answer
}

/// How many tests are rejected at a level after adjustment.
///
/// ```
/// use unfazed::stats::PValue;
/// use unfazed::stats::multiplicity::{Adjustment, adjusted, rejected};
/// let p = [0.001, 0.02, 0.8].map(|p| Some(PValue::new(p)));
/// assert_eq!(rejected(&adjusted(&p, Adjustment::Holm), 0.05), 2);
/// ```
pub fn rejected(adjusted: &[Option<PValue>], level: f64) -> usize {
    adjusted.iter().flatten().filter(|p| p.rejects_at(level)).count()
}

struct Ranked {
    position: usize,
    p: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(values: &[f64]) -> Vec<Option<PValue>> {
        values.iter().map(|&p| Some(PValue::new(p))).collect()
    }

    fn numbers(values: &[Option<PValue>]) -> Vec<f64> {
        values.iter().map(|p| p.unwrap().get()).collect()
    }

    #[test]
    fn five_p_values_by_hand() {
        let p = list(&[0.01, 0.02, 0.03, 0.04, 0.05]);
        for (found, expected) in
            numbers(&adjusted(&p, Adjustment::Holm)).iter().zip([0.05, 0.08, 0.09, 0.09, 0.09])
        {
            assert!((found - expected).abs() < 1e-15);
        }
        for found in numbers(&adjusted(&p, Adjustment::BenjaminiHochberg)) {
            assert!((found - 0.05).abs() < 1e-15);
        }
    }

    #[test]
    fn no_tests_have_no_adjusted_values() {
        assert!(adjusted(&[], Adjustment::Holm).is_empty());
        assert_eq!(adjusted(&[None, None], Adjustment::BenjaminiHochberg), vec![None, None]);
    }

    /// Holm by its definition: reject step by step until the first test that is not rejected.
    fn slow_holm_rejects(p: &[f64], level: f64) -> usize {
        let mut sorted = p.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
            .iter()
            .enumerate()
            .take_while(|(i, p)| **p * count_to_f64(sorted.len() - i) <= level * (1.0 + 1e-12))
            .count()
    }

    proptest! {
        #[test]
        fn stepwise_rejection_agrees(p in prop::collection::vec(0.0001_f64..0.2, 1..20), level in 0.01_f64..0.2) {
            let holm = adjusted(&list(&p), Adjustment::Holm);
            prop_assert_eq!(rejected(&holm, level), slow_holm_rejects(&p, level));
            let bh = adjusted(&list(&p), Adjustment::BenjaminiHochberg);
            for ((raw, holm), bh) in p.iter().zip(numbers(&holm)).zip(numbers(&bh)) {
                prop_assert!(*raw <= bh && bh <= holm + 1e-15 && holm <= 1.0);
            }
        }
    }
}
