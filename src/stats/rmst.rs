//! Restricted mean survival time.
//!
//! Owns the mean time to the event up to a horizon, with its standard error: the number to report when
//! some times are censored and an arithmetic mean would lie.

use crate::stats::Undefined;
use crate::stats::count_to_f64;
use crate::stats::distribution::normal_quantile;
use crate::stats::kaplan_meier::KaplanMeier;
use crate::stats::{Interval, require_level};

/// A restricted mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMean {
    /// The area under S from 0 to the horizon.
    pub value: f64,
    /// Its standard error; 0 when no event lies before the horizon, which is no evidence of precision.
    pub standard_error: f64,
    /// The horizon τ.
    pub horizon: f64,
    /// How many events lie at or before the horizon.
    pub events: usize,
}

impl RestrictedMean {
    /// Normal limits, two-sided, cut to [0, τ]; none without an event before the horizon.
    pub fn interval(&self, level: f64) -> Result<Interval, Undefined> {
        require_level("the confidence level", level)?;
        if self.events == 0 || self.standard_error <= 0.0 {
            return Err(Undefined::DegenerateVariance);
        }
        let reach = normal_quantile(0.5 + 0.5 * level) * self.standard_error;
        let cut = |limit: f64| limit.clamp(0.0, self.horizon);
        Ok(Interval::new(Some(cut(self.value - reach)), Some(cut(self.value + reach)), level))
    }
}

/// The restricted mean ∫₀^τ S(t) dt of a curve.
///
/// Variance: Σ over event times tᵢ ≤ τ of (∫ from tᵢ to τ of S)²·d/(n(n − d)), where a step to S = 0 adds
/// nothing (Irwin 1949; Klein and Moeschberger 2003, section 4.5; R `summary(survfit, rmean = τ)`). Beyond
/// the last time the curve stays at its last value. Cost: O(steps).
/// Edge cases: τ must be finite and positive; without events the mean is τ and the standard error 0.
///
/// ```
/// use unfazed::stats::kaplan_meier::{Ending, KaplanMeier, Observation};
/// use unfazed::stats::rmst::restricted_mean;
/// let times = [(5.0, Ending::Event), (7.0, Ending::Event), (9.0, Ending::Censored), (9.0, Ending::Censored)];
/// let curve = KaplanMeier::fit(&times.map(|(time, ending)| Observation { time, ending })).unwrap();
/// assert_eq!(restricted_mean(&curve, 9.0).unwrap().value, 7.5);
/// ```
pub fn restricted_mean(curve: &KaplanMeier, horizon: f64) -> Result<RestrictedMean, Undefined> {
    if !(horizon > 0.0 && horizon.is_finite()) {
        return Err(Undefined::OutOfRange {
            what: "the horizon",
            found: horizon,
            accepted: "a positive number",
        });
    }
    let inside = &curve.steps()[..curve.steps().partition_point(|step| step.time <= horizon)];
    // From the horizon back to 0, so that the area right of each event is at hand.
    let mut area = 0.0;
    let mut variance = 0.0;
    let mut right = horizon;
    for step in inside.iter().rev() {
        area += step.survival * (right - step.time);
        right = step.time;
        let left = step.at_risk - step.events;
        if left > 0 {
            variance += area * area * count_to_f64(step.events)
                / (count_to_f64(step.at_risk) * count_to_f64(left));
        }
    }
    Ok(RestrictedMean {
        value: area + right,
        standard_error: variance.sqrt(),
        horizon,
        events: inside.iter().map(|step| step.events).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::kaplan_meier::{Ending, Observation};
    use proptest::prelude::*;

    fn fitted(pairs: &[(f64, Ending)]) -> KaplanMeier {
        let observations: Vec<Observation> =
            pairs.iter().map(|&(time, ending)| Observation { time, ending }).collect();
        KaplanMeier::fit(&observations).unwrap()
    }

    #[test]
    fn two_events_by_hand() {
        let curve = fitted(&[(2.0, Ending::Event), (6.0, Ending::Event)]);
        let found = restricted_mean(&curve, 4.0).unwrap();
        assert_eq!(found.value, 3.0);
        // Right of 2 the area is 1; d/(n(n − d)) = 1/2.
        assert!((found.standard_error - 0.5_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn without_events_the_mean_is_the_horizon_and_has_no_limits() {
        let found = restricted_mean(&fitted(&[(42.0, Ending::Censored)]), 42.0).unwrap();
        assert_eq!((found.value, found.standard_error), (42.0, 0.0));
        assert!(found.interval(0.95).is_err());
    }

    #[test]
    fn the_horizon_must_be_positive() {
        assert!(restricted_mean(&fitted(&[(1.0, Ending::Event)]), 0.0).is_err());
    }

    proptest! {
        #[test]
        fn without_censoring_it_is_the_mean_of_the_cut_times(
            times in prop::collection::vec(1_u8..30, 1..40), horizon in 1_u8..40,
        ) {
            let pairs: Vec<(f64, Ending)> = times.iter().map(|&time| (f64::from(time), Ending::Event)).collect();
            let found = restricted_mean(&fitted(&pairs), f64::from(horizon)).unwrap();
            let mean = times.iter().map(|&time| f64::from(time.min(horizon))).sum::<f64>() / count_to_f64(times.len());
            prop_assert!((found.value - mean).abs() < 1e-9);
            prop_assert!(found.interval(0.9).is_err() || found.interval(0.9).unwrap().contains(found.value));
        }
    }
}
