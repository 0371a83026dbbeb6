//! The distribution of interval-censored times.
//!
//! Owns Turnbull's nonparametric estimate for times that are only known to lie in (left, right]: a scrape
//! every few seconds gives nothing better. Exact and right-censored times are special intervals.

use crate::stats::position::same;
use crate::stats::{Undefined, count_to_f64};

/// A time known to lie in (left, right]; exact when both are equal, right-censored when `right` is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Censoring {
    /// The event had not happened at this time.
    pub left: f64,
    /// The event had happened at this time; +∞ when it was never seen.
    pub right: f64,
}

/// An innermost interval with the probability that the estimate puts into it.
///
/// Where inside the interval the probability lies cannot be known from the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mass {
    /// Left end, exclusive unless equal to the right end.
    pub left: f64,
    /// Right end, inclusive; may be +∞.
    pub right: f64,
    /// The probability.
    pub probability: f64,
}

/// The times between which a quantile lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileBounds {
    /// The quantile is at least this.
    pub lower: f64,
    /// The quantile is at most this; `None` when it may never be reached.
    pub upper: Option<f64>,
}

/// A fitted distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Turnbull {
    masses: Vec<Mass>,
    gap: f64,
    steps: usize,
}

/// EM steps before the fit is given up as not settled.
const MAX_STEPS: usize = 50_000;
/// The fit is done when no gradient exceeds 1 by more than this.
const SETTLED: f64 = 1e-7;

impl Turnbull {
    /// The nonparametric maximum-likelihood estimate.
    ///
    /// All probability lies in the innermost intervals, those that begin at some left end and end at the next
    /// right end without another end between (Turnbull 1976; Peto 1973). The masses come from the
    /// self-consistency (EM) step pⱼ ← pⱼ·dⱼ, dⱼ = (1/n)Σᵢ αᵢⱼ/Σₖ αᵢₖpₖ, which never lowers the likelihood, started from equal masses. It stops when max dⱼ ≤ 1 + 1e-7, the
    /// condition of the maximum (Gentleman and Geyer 1994), so the log-likelihood is within n·1e-7 of its
    /// best; every 20 steps masses that shrink towards 0 are dropped, and taken back if their gradient says
    /// so. Cost: O(n·m) a step, n times and m innermost intervals.
    ///
    /// Edge cases: left > right, a negative left end and NaN are refused; only right-censored times put all
    /// probability beyond the last of them.
    ///
    /// ```
    /// use unfazed::stats::turnbull::{Censoring, Turnbull};
    /// let fit = Turnbull::fit(&[(0.0, 2.0), (1.0, 3.0), (4.0, 5.0)].map(|(left, right)| Censoring { left, right })).unwrap();
    /// assert_eq!((fit.masses()[0].left, fit.masses()[0].right), (1.0, 2.0));
    /// assert!((fit.masses()[0].probability - 2.0 / 3.0).abs() < 1e-6);
    /// ```
    pub fn fit(observations: &[Censoring]) -> Result<Self, Undefined> {
        if observations.is_empty() {
            return Err(Undefined::Empty);
        }
        for (index, times) in observations.iter().enumerate() {
            if !times.left.is_finite() || times.right.is_nan() {
                return Err(Undefined::NonFinite { index });
            }
            if times.left < 0.0 || times.left > times.right {
                return Err(Undefined::OutOfRange {
                    what: "the left end of an interval",
                    found: times.left,
                    accepted: "at least 0 and at most the right end",
                });
            }
        }
        let innermost = innermost(observations);
        let spans = covered(observations, &innermost);
        let mut probability = vec![1.0 / count_to_f64(innermost.len()); innermost.len()];
        let mut gap = f64::INFINITY;
        let mut steps = 0;
        while steps < MAX_STEPS {
            let gradient = gradient(&spans, &probability);
            gap = gradient.iter().fold(0.0, |gap, g| crate::stats::position::larger(gap, g - 1.0));
            if gap <= SETTLED {
                break;
            }
            steps += 1;
            advance(&mut probability, &gradient, steps);
        }
        let masses = innermost
            .into_iter()
            .zip(probability)
            .map(|(times, probability)| Mass { left: times.left, right: times.right, probability })
            .collect();
        Ok(Self { masses, gap, steps })
    }

    /// The innermost intervals in the order of time, with their probabilities.
    pub fn masses(&self) -> &[Mass] {
        &self.masses
    }

    /// How far the largest gradient is above 1: the log-likelihood is within n times this of its maximum.
    pub fn gap(&self) -> f64 {
        self.gap
    }

    /// EM steps that were taken.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The bounds of the p-quantile, p in (0, 1).
    ///
    /// The quantile lies in the first innermost interval at which the summed probability reaches p. When
    /// the sum is exactly p (within 1e-6) the curve rests there, and the quantile may lie anywhere up to the
    /// end of the next interval with probability.
    ///
    /// ```
    /// use unfazed::stats::turnbull::{Censoring, Turnbull};
    /// let fit = Turnbull::fit(&[(5.0, 10.0), (5.0, 10.0), (20.0, f64::INFINITY)].map(|(left, right)| Censoring { left, right })).unwrap();
    /// let median = fit.quantile(0.5).unwrap();
    /// assert_eq!((median.lower, median.upper), (5.0, Some(10.0)));
    /// ```
    pub fn quantile(&self, p: f64) -> Result<QuantileBounds, Undefined> {
        crate::stats::require_level("the probability of the quantile", p)?;
        let carrying: Vec<&Mass> =
            self.masses.iter().filter(|mass| mass.probability > 1e-9).collect();
        let mut sum = 0.0;
        let mut lower = None;
        for mass in &carrying {
            sum += mass.probability;
            if sum < p - 1e-6 {
                continue;
            }
            let lower = *lower.get_or_insert(mass.left);
            if sum > p + 1e-6 {
                let upper = mass.right.is_finite().then_some(mass.right);
                return Ok(QuantileBounds { lower, upper });
            }
        }
        // Only a p within 1e-6 of 1 comes here: the quantile is in or behind the last interval.
        let lower = lower.or_else(|| carrying.last().map(|mass| mass.left));
        lower.map(|lower| QuantileBounds { lower, upper: None }).ok_or(Undefined::Empty)
    }
}

/// One EM step, with the masses that have all but vanished set to 0 and revived when the gradient asks.
fn advance(probability: &mut [f64], gradient: &[f64], step: usize) {
    for (p, g) in probability.iter_mut().zip(gradient) {
        *p *= g;
        if step.is_multiple_of(20) {
            if *p < 1e-9 && *g < 0.999 {
                *p = 0.0;
            } else if *p <= 0.0 && *g > 1.0 {
                *p = 1e-6;
            }
        }
    }
    let sum: f64 = probability.iter().sum();
    for p in probability {
        *p /= sum;
    }
}

/// dⱼ = (1/n) Σᵢ αᵢⱼ / P(interval i); each observation covers a run of innermost intervals.
fn gradient(spans: &[Run], probability: &[f64]) -> Vec<f64> {
    // Difference coding: a run adds the same amount to each of its innermost intervals.
    let mut steps = vec![0.0; probability.len() + 1];
    for span in spans {
        let covered: f64 = probability[span.first..span.end].iter().sum();
        let share = 1.0 / (covered * count_to_f64(spans.len()));
        steps[span.first] += share;
        steps[span.end] -= share;
    }
    let mut sum = 0.0;
    steps[..probability.len()]
        .iter()
        .map(|step| {
            sum += step;
            sum
        })
        .collect()
}

struct Run {
    first: usize,
    end: usize,
}

/// The run of innermost intervals inside each observation; never empty.
fn covered(observations: &[Censoring], innermost: &[Censoring]) -> Vec<Run> {
    let exact = |times: &Censoring| same(times.left, times.right);
    observations
        .iter()
        .map(|times| {
            let first = innermost.partition_point(|inner| {
                // An exact time sits at its right end; an open left end excludes an exact time equal to it.
                inner.left < times.left
                    || (same(inner.left, times.left) && exact(inner) && !exact(times))
            });
            let end = innermost.partition_point(|inner| inner.right <= times.right);
            Run { first, end: if end > first { end } else { first + 1 } }
        })
        .collect()
}

/// The innermost intervals: a left end followed directly by a right end.
fn innermost(observations: &[Censoring]) -> Vec<Censoring> {
    #[derive(Clone, Copy)]
    enum Side {
        ExactLeft,
        Right,
        OpenLeft,
    }
    // At equal times: an exact left end, then right ends, then open left ends, because (a, b] excludes a.
    let rank = |side: Side| match side {
        Side::ExactLeft => 0,
        Side::Right => 1,
        Side::OpenLeft => 2,
    };
    let mut ends: Vec<(f64, Side)> = Vec::with_capacity(2 * observations.len());
    for times in observations {
        let exact = same(times.left, times.right);
        ends.push((times.left, if exact { Side::ExactLeft } else { Side::OpenLeft }));
        ends.push((times.right, Side::Right));
    }
    ends.sort_by(|left, right| left.0.total_cmp(&right.0).then(rank(left.1).cmp(&rank(right.1))));
    let mut found: Vec<Censoring> = Vec::new();
    let mut open: Option<f64> = None;
    for (time, side) in ends {
        match side {
            Side::ExactLeft | Side::OpenLeft => open = Some(time),
            Side::Right => {
                if let Some(left) = open.take() {
                    found.push(Censoring { left, right: time });
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::kaplan_meier::{Ending, KaplanMeier, Observation};
    use proptest::prelude::*;

    fn intervals(pairs: &[(f64, f64)]) -> Vec<Censoring> {
        pairs.iter().map(|&(left, right)| Censoring { left, right }).collect()
    }

    #[test]
    fn three_overlapping_intervals_by_hand() {
        // (0,1], (1,2] and (0,2]: the third tells nothing apart, so one half each.
        let fit = Turnbull::fit(&intervals(&[(0.0, 1.0), (1.0, 2.0), (0.0, 2.0)])).unwrap();
        assert_eq!(fit.masses().len(), 2);
        assert!((fit.masses()[0].probability - 0.5).abs() < 1e-6);
        // The curve rests at one half between the two: anywhere from 0 to 2.
        assert_eq!(fit.quantile(0.5).unwrap(), QuantileBounds { lower: 0.0, upper: Some(2.0) });
    }

    #[test]
    fn never_seen_events_have_no_upper_bound() {
        let fit =
            Turnbull::fit(&intervals(&[(10.0, f64::INFINITY), (20.0, f64::INFINITY)])).unwrap();
        assert_eq!(fit.quantile(0.5).unwrap(), QuantileBounds { lower: 20.0, upper: None });
    }

    #[test]
    fn a_reversed_interval_is_refused() {
        assert_eq!(Turnbull::fit(&intervals(&[(2.0, 1.0)])).unwrap_err().code(), "out_of_range");
        assert_eq!(Turnbull::fit(&[]), Err(Undefined::Empty));
    }

    proptest! {
        #[test]
        fn exact_and_right_censored_times_give_the_kaplan_meier_curve(
            pairs in prop::collection::vec((1_u8..12, any::<bool>()), 2..20),
        ) {
            let times: Vec<Censoring> = pairs.iter().map(|&(time, event)| Censoring {
                left: f64::from(time), right: if event { f64::from(time) } else { f64::INFINITY },
            }).collect();
            let observations: Vec<Observation> = pairs.iter().map(|&(time, event)| Observation {
                time: f64::from(time), ending: if event { Ending::Event } else { Ending::Censored },
            }).collect();
            let fit = Turnbull::fit(&times).unwrap();
            let curve = KaplanMeier::fit(&observations).unwrap();
            let mut sum = 0.0;
            for mass in fit.masses().iter().filter(|mass| mass.right.is_finite()) {
                sum += mass.probability;
                prop_assert!((1.0 - sum - curve.survival_at(mass.right)).abs() < 1e-5);
            }
        }

        #[test]
        fn probabilities_add_up_and_the_maximum_is_reached(
            pairs in prop::collection::vec((0_u8..20, 1_u8..8), 1..25),
        ) {
            let times: Vec<Censoring> = pairs.iter().map(|&(left, width)| Censoring {
                left: f64::from(left), right: f64::from(left) + f64::from(width),
            }).collect();
            let fit = Turnbull::fit(&times).unwrap();
            let sum: f64 = fit.masses().iter().map(|mass| mass.probability).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
            prop_assert!(fit.gap() <= 1e-4, "gap {} after {} steps", fit.gap(), fit.steps());
        }
    }
}
