//! The statistic of a sample that resampling repeats.
//!
//! Owns the list of statistics, their value on a sorted sample, and their values with one observation left
//! out, computed without touching the rest again.

use crate::stats::descriptive::{sum_of_squares, two_pass_mean};
use crate::stats::position::larger;
use crate::stats::quantile::{QuantileType, place};
use crate::stats::{Undefined, count_to_f64, require_finite};

/// The statistic of a sample that is bootstrapped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// The median.
    Median,
    /// A quantile of type 7, p in [0, 1].
    Quantile(f64),
    /// The sample standard deviation, denominator n − 1.
    StandardDeviation,
}

impl Statistic {
    /// The probability of the quantile that the statistic is, if it is one.
    pub(in crate::stats) fn probability(self) -> Option<f64> {
        match self {
            Self::Median => Some(0.5),
            Self::Quantile(p) => Some(p),
            Self::Mean | Self::StandardDeviation => None,
        }
    }

    /// The statistic of a sorted, finite sample that is large enough.
    pub(in crate::stats) fn of_sorted(self, sorted: &[f64]) -> f64 {
        match (self, self.probability()) {
            (_, Some(p)) => place(sorted.len(), p, QuantileType::LinearModes).of(sorted),
            (Self::StandardDeviation, None) => {
                (sum_of_squares(sorted) / count_to_f64(sorted.len() - 1)).sqrt()
            }
            (Self::Mean | Self::Median | Self::Quantile(_), None) => two_pass_mean(sorted),
        }
    }

    /// Refuses samples that are too small, not finite or without spread, and quantiles outside [0, 1].
    pub(in crate::stats) fn check(self, values: &[f64]) -> Result<(), Undefined> {
        require_finite(values)?;
        if let Some(p) = self.probability()
            && !(0.0..=1.0).contains(&p)
        {
            return Err(Undefined::OutOfRange {
                what: "the quantile",
                found: p,
                accepted: "0 to 1",
            });
        }
        if values.len() < 2 {
            return Err(Undefined::TooFew { found: values.len(), needed: 2 });
        }
        let first = values[0];
        if values.iter().all(|&value| crate::stats::position::same(value, first)) {
            return Err(Undefined::DegenerateVariance);
        }
        Ok(())
    }
}

/// The statistic with each value left out in turn, in the order of the sorted values.
pub(in crate::stats) fn leave_one_out(sorted: &[f64], statistic: Statistic) -> Vec<f64> {
    let n = count_to_f64(sorted.len());
    let center = two_pass_mean(sorted);
    match (statistic, statistic.probability()) {
        (_, Some(p)) => {
            let place = place(sorted.len() - 1, p, QuantileType::LinearModes);
            let without = |left_out: usize, position: usize| {
                sorted[position + usize::from(position >= left_out)]
            };
            (0..sorted.len())
                .map(|i| {
                    let (below, above) = (without(i, place.below), without(i, place.above));
                    below + place.weight * (above - below)
                })
                .collect()
        }
        (Statistic::StandardDeviation, None) => {
            // Leaving out x takes n/(n − 1)·(x − m)² from the sum of squares.
            let squares = sum_of_squares(sorted);
            let left = |value: f64| {
                larger(0.0, squares - n / (n - 1.0) * (value - center) * (value - center))
            };
            sorted.iter().map(|&value| (left(value) / (n - 2.0)).sqrt()).collect()
        }
        (Statistic::Mean | Statistic::Median | Statistic::Quantile(_), None) => {
            sorted.iter().map(|value| center + (center - value) / (n - 1.0)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: [f64; 9] = [1.0, 2.0, 2.5, 3.0, 4.0, 7.0, 8.0, 11.0, 20.0];

    const ALL: [Statistic; 5] = [
        Statistic::Mean,
        Statistic::Median,
        Statistic::Quantile(0.9),
        Statistic::Quantile(0.25),
        Statistic::StandardDeviation,
    ];

    /// The statistic of the sample with each value really removed.
    fn slow_leave_one_out(sorted: &[f64], statistic: Statistic) -> Vec<f64> {
        (0..sorted.len())
            .map(|i| {
                let mut rest = sorted.to_vec();
                rest.remove(i);
                statistic.of_sorted(&rest)
            })
            .collect()
    }

    #[test]
    fn leaving_one_out_by_formula_agrees_with_removing_it() {
        for statistic in ALL {
            for (fast, slow) in
                leave_one_out(&SAMPLE, statistic).iter().zip(slow_leave_one_out(&SAMPLE, statistic))
            {
                assert!((fast - slow).abs() < 1e-12, "{statistic:?}: {fast} {slow}");
            }
        }
    }
}
