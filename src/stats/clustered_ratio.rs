//! A ratio of sums over iterations that differ from each other.
//!
//! Owns the ratio estimate ΣE/ΣN of bad events among requests, its standard error between iterations, the
//! dispersion that says how far the counts are from binomial, and Korn–Graubard limits. It refuses to pool:
//! with one iteration there is no standard error and no limit.
//!
//! Cochran (1977), chapter 6; Korn and Graubard (1998), Survey Methodology 24:193.

use crate::stats::distribution::student_t_quantile;
use crate::stats::hodges_lehmann::LimitSide;
use crate::stats::proportion::{clopper_pearson_lower, clopper_pearson_upper};
use crate::stats::{PValue, Undefined, count_to_f64, require_finite, require_level};

/// A ratio of sums with its spread between iterations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredRatio {
    /// How many iterations had traffic.
    pub iterations: usize,
    /// How many iterations had none and were left out.
    pub without_traffic: usize,
    /// ΣE: the events.
    pub events: f64,
    /// ΣN: the requests.
    pub requests: f64,
    /// R = ΣE/ΣN.
    pub ratio: f64,
    /// The linearised standard error √(`k/(k−1)·Σ(E_i` − `R·N_i)²)/ΣN`; `None` with one iteration.
    pub standard_error: Option<f64>,
    /// Pearson's dispersion φ = `Σ(E_i` − `R·N_i)²/(N_i·R·(1−R))/(k−1`), about 1 for binomial counts; `None` with
    /// one iteration, or when all requests or none were bad.
    pub dispersion: Option<f64>,
}

/// The effective sample of a Korn–Graubard limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveSample {
    /// R(1−R)/se², at most the number of requests if so asked.
    pub size: f64,
    /// The size times (t_{n−1}/t_{k−1})² at the level of the limit.
    pub df_adjusted: f64,
}

/// Whether the effective sample may exceed the number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truncation {
    /// It is cut at the number of requests: iterations that agree too well prove nothing extra.
    AtRequests,
    /// It is left as estimated.
    None,
}

impl ClusteredRatio {
    /// The ratio of events to requests over iterations. O(k).
    ///
    /// Iterations without requests are left out and counted, never taken as 0 %. Undefined: no iteration with
    /// traffic, lists of different lengths, numbers that are not finite or negative, more events than requests.
    ///
    /// ```
    /// use unfazed::stats::clustered_ratio::ClusteredRatio;
    /// let found = ClusteredRatio::of(&[0.0, 1.0], &[0.0, 1000.0]).unwrap();
    /// assert_eq!((found.ratio, found.iterations, found.without_traffic), (0.001, 1, 1));
    /// assert_eq!(found.standard_error, None);
    /// ```
    pub fn of(events: &[f64], requests: &[f64]) -> Result<Self, Undefined> {
        if events.len() != requests.len() {
            return Err(Undefined::LengthMismatch { left: events.len(), right: requests.len() });
        }
        require_finite(events)?;
        require_finite(requests)?;
        for (&bad, &all) in events.iter().zip(requests) {
            if bad < 0.0 || bad > all {
                return Err(Undefined::OutOfRange {
                    what: "the number of events of an iteration",
                    found: bad,
                    accepted: "0 up to its number of requests",
                });
            }
        }
        let with_traffic = || events.iter().zip(requests).filter(|(_, all)| **all > 0.0);
        let iterations = with_traffic().count();
        if iterations == 0 {
            return Err(Undefined::Empty);
        }
        let sum_events: f64 = with_traffic().map(|(bad, _)| bad).sum();
        let sum_requests: f64 = with_traffic().map(|(_, all)| all).sum();
        let ratio = sum_events / sum_requests;
        let residual = |bad: f64, all: f64| bad - ratio * all;
        let k = count_to_f64(iterations);
        let (standard_error, dispersion) = if iterations < 2 {
            (None, None)
        } else {
            let squares: f64 = with_traffic().map(|(bad, all)| residual(*bad, *all).powi(2)).sum();
            let standard_error = (k / (k - 1.0) * squares).sqrt() / sum_requests;
            let unit = ratio * (1.0 - ratio);
            let pearson: f64 =
                with_traffic().map(|(bad, all)| residual(*bad, *all).powi(2) / (all * unit)).sum();
            (Some(standard_error), (unit > 0.0).then_some(pearson / (k - 1.0)))
        };
        Ok(Self {
            iterations,
            without_traffic: events.len() - iterations,
            events: sum_events,
            requests: sum_requests,
            ratio,
            standard_error,
            dispersion,
        })
    }

    /// The standard error that binomial counts would have: √(R(1−R)/ΣN).
    pub fn binomial_standard_error(&self) -> f64 {
        (self.ratio * (1.0 - self.ratio) / self.requests).sqrt()
    }

    /// (se / binomial se)²; `None` where either does not exist or is zero.
    pub fn design_effect(&self) -> Option<f64> {
        let naive = self.binomial_standard_error();
        self.standard_error.filter(|_| naive > 0.0).map(|se| (se / naive).powi(2))
    }

    /// The coefficient of variation of the iterations' rates beyond binomial noise:
    /// √max(0, (φ − 1)/mean events per iteration).
    pub fn rate_variation(&self) -> Option<f64> {
        let excess = (self.dispersion? - 1.0) * count_to_f64(self.iterations) / self.events;
        Some(if excess > 0.0 { excess.sqrt() } else { 0.0 })
    }

    /// The linearised one-sided limit R ± t·se, for comparison; k − 1 degrees of freedom unless given.
    ///
    /// ```
    /// use unfazed::stats::{clustered_ratio::ClusteredRatio, hodges_lehmann::LimitSide};
    /// let found = ClusteredRatio::of(&[1.0, 3.0], &[100.0, 100.0]).unwrap();
    /// assert!(found.linear_limit(0.05, LimitSide::Upper, None).unwrap() > found.ratio);
    /// ```
    pub fn linear_limit(
        &self,
        alpha: f64,
        side: LimitSide,
        df: Option<f64>,
    ) -> Result<f64, Undefined> {
        require_level("alpha", alpha)?;
        let se = self.require_standard_error()?;
        let df = df.unwrap_or(count_to_f64(self.iterations) - 1.0);
        if df.is_nan() || df <= 0.0 {
            return Err(Undefined::OutOfRange {
                what: "df",
                found: df,
                accepted: "a number above 0",
            });
        }
        let reach = -student_t_quantile(alpha, df) * se;
        Ok(match side {
            LimitSide::Lower => self.ratio - reach,
            LimitSide::Upper => self.ratio + reach,
        })
    }

    /// The effective sample of a limit at one-sided error rate `alpha`.
    ///
    /// Without any bad request, or without any good one, the standard error says nothing and the requests
    /// themselves are the sample: the limit is then the exact zero-event bound.
    pub fn effective_sample(
        &self,
        alpha: f64,
        truncation: Truncation,
    ) -> Result<EffectiveSample, Undefined> {
        require_level("alpha", alpha)?;
        let se = self.require_standard_error()?;
        let variance = self.ratio * (1.0 - self.ratio);
        if variance <= 0.0 {
            return Ok(EffectiveSample { size: self.requests, df_adjusted: self.requests });
        }
        let estimated = variance / (se * se);
        let size = match truncation {
            Truncation::AtRequests if estimated > self.requests => self.requests,
            Truncation::None if estimated.is_infinite() => self.requests,
            Truncation::AtRequests | Truncation::None => estimated,
        };
        // At one half both quantiles are 0; just beside it their ratio has its limit.
        let tail = if (alpha - 0.5).abs() < 1e-6 { 0.5 - 1e-6 } else { alpha };
        let binomial = student_t_quantile(tail, self.requests - 1.0);
        let clustered = student_t_quantile(tail, count_to_f64(self.iterations) - 1.0);
        Ok(EffectiveSample { size, df_adjusted: size * (binomial / clustered).powi(2) })
    }

    /// The Korn–Graubard limit at one-sided error rate `alpha`, t quantiles at that same rate.
    ///
    /// The Clopper–Pearson limit of R·n* events among n* requests, n* being the adjusted effective sample.
    /// One iteration: undefined.
    ///
    /// ```
    /// use unfazed::stats::clustered_ratio::{ClusteredRatio, Truncation};
    /// use unfazed::stats::hodges_lehmann::LimitSide;
    /// let found = ClusteredRatio::of(&[12.0, 9.0, 15.0, 7.0, 11.0], &[10000.0, 9900.0, 10100.0, 10050.0, 9950.0]).unwrap();
    /// let upper = found.korn_graubard(0.05, LimitSide::Upper, Truncation::AtRequests).unwrap();
    /// assert!((upper - 0.0014493979259920075).abs() < 1e-12);
    /// ```
    pub fn korn_graubard(
        &self,
        alpha: f64,
        side: LimitSide,
        truncation: Truncation,
    ) -> Result<f64, Undefined> {
        let sample = self.effective_sample(alpha, truncation)?.df_adjusted;
        let events = self.ratio * sample;
        Ok(match side {
            LimitSide::Lower => clopper_pearson_lower(events, sample, alpha),
            LimitSide::Upper => clopper_pearson_upper(events, sample, alpha),
        })
    }

    /// The smallest error rate at which the limit decides against the bound: upper limit ≤ bound for
    /// `Upper`, lower limit > bound for `Lower`. By bisection, some 50 limits.
    ///
    /// When the limit does not even decide at one half, p is 1.
    ///
    /// ```
    /// use unfazed::stats::clustered_ratio::ClusteredRatio;
    /// use unfazed::stats::hodges_lehmann::LimitSide;
    /// let clean = ClusteredRatio::of(&[0.0, 0.0], &[1000.0, 2000.0]).unwrap();
    /// let p = clean.p(0.001, LimitSide::Upper).unwrap();
    /// assert!((p.get() - 0.999_f64.powi(3000)).abs() < 1e-12);
    /// ```
    pub fn p(&self, bound: f64, side: LimitSide) -> Result<PValue, Undefined> {
        let decides = |alpha: f64| -> Result<bool, Undefined> {
            let limit = self.korn_graubard(alpha, side, Truncation::AtRequests)?;
            Ok(match side {
                LimitSide::Upper => limit <= bound,
                LimitSide::Lower => limit > bound,
            })
        };
        if !decides(0.5)? {
            return Ok(PValue::NO_EVIDENCE);
        }
        let (mut low, mut high) = (-690.0, 0.5_f64.ln());
        while high - low > 1e-13 * (1.0 - low) {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if decides(middle.exp())? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(PValue::new(high.exp()))
    }

    fn require_standard_error(&self) -> Result<f64, Undefined> {
        self.standard_error.ok_or(Undefined::TooFew { found: self.iterations, needed: 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_iterations_by_hand() {
        // R = 4/200 = 0.02; residuals −1 and 1; se = √(2/1·2)/200 = 0.01; φ = 2/(100·0.0196)/1.
        let found = ClusteredRatio::of(&[1.0, 3.0], &[100.0, 100.0]).unwrap();
        assert!((found.standard_error.unwrap() - 0.01).abs() < 1e-15);
        assert!((found.dispersion.unwrap() - 2.0 / 1.96).abs() < 1e-12);
    }

    #[test]
    fn one_iteration_has_no_limit() {
        let found = ClusteredRatio::of(&[1.0], &[100.0]).unwrap();
        let refused = found.korn_graubard(0.05, LimitSide::Upper, Truncation::AtRequests);
        assert_eq!(refused, Err(Undefined::TooFew { found: 1, needed: 2 }));
    }

    #[test]
    fn no_traffic_and_impossible_counts_are_undefined() {
        assert_eq!(ClusteredRatio::of(&[0.0], &[0.0]), Err(Undefined::Empty));
        assert_eq!(ClusteredRatio::of(&[2.0], &[1.0]).unwrap_err().code(), "out_of_range");
        assert_eq!(ClusteredRatio::of(&[1.0], &[]).unwrap_err().code(), "length_mismatch");
    }

    #[test]
    fn no_errors_give_the_exact_zero_event_bound() {
        let clean = ClusteredRatio::of(&[0.0; 3], &[1000.0; 3]).unwrap();
        let upper = clean.korn_graubard(0.05, LimitSide::Upper, Truncation::AtRequests).unwrap();
        assert!((upper - (1.0 - 0.05_f64.powf(1.0 / 3000.0))).abs() < 1e-15);
        assert_eq!(clean.korn_graubard(0.05, LimitSide::Lower, Truncation::AtRequests), Ok(0.0));
    }

    proptest::proptest! {
        #[test]
        fn the_ratio_lies_between_its_limits_and_p_agrees(errors in proptest::collection::vec(0_u32..40, 2..12), bound in 0.0001_f64..0.05) {
            let events: Vec<f64> = errors.iter().copied().map(f64::from).collect();
            let requests = vec![1000.0; events.len()];
            let found = ClusteredRatio::of(&events, &requests).unwrap();
            let lower = found.korn_graubard(0.05, LimitSide::Lower, Truncation::AtRequests).unwrap();
            let upper = found.korn_graubard(0.05, LimitSide::Upper, Truncation::AtRequests).unwrap();
            assert!(lower <= found.ratio && found.ratio <= upper);
            assert_eq!(upper <= bound, found.p(bound, LimitSide::Upper).unwrap().rejects_at(0.05));
            assert_eq!(lower > bound, found.p(bound, LimitSide::Lower).unwrap().rejects_at(0.05));
        }

        // Where iterations agree up to a factor of a few. It is false under wild spread: nine errors in one of
        // five iterations have a small effective sample, and five more in each iteration enlarge it so much
        // that the limit falls. Such data are `overdispersed` for a verdict.
        #[test]
        fn the_same_rate_added_to_all_moves_the_upper_limit_up(errors in proptest::collection::vec(10_u32..40, 5..12)) {
            let events: Vec<f64> = errors.iter().copied().map(f64::from).collect();
            let more: Vec<f64> = events.iter().map(|e| e + 5.0).collect();
            let requests = vec![1000.0; events.len()];
            let upper = |events: &[f64]| ClusteredRatio::of(events, &requests).unwrap().korn_graubard(0.05, LimitSide::Upper, Truncation::AtRequests).unwrap();
            assert!(upper(&more) >= upper(&events));
        }
    }
}
