//! Student's t tests and intervals for means.
//!
//! Owns the one-sample, paired, Welch and pooled forms. They are for planning, display and margins; a
//! verdict on few skewed values belongs to [`super::hodges_lehmann`].
//!
//! Student (1908); Welch (1947), with the degrees of freedom of Satterthwaite (1946).

use crate::stats::distribution::{student_t_cdf, student_t_quantile, student_t_survival};
use crate::stats::moments::Moments;
use crate::stats::{Alternative, Interval, PValue, Undefined, require_finite, require_level};

/// How the variances of two samples enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variances {
    /// Each sample has its own (Welch).
    Unequal,
    /// Both samples share one.
    Pooled,
}

/// An estimated mean or difference of means with its standard error: what every t statement rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanEstimate {
    /// The mean, or the difference of means x − y.
    pub estimate: f64,
    /// Its standard error, positive.
    pub standard_error: f64,
    /// The degrees of freedom of the standard error.
    pub df: f64,
}

impl MeanEstimate {
    /// The mean of one sample.
    ///
    /// Fewer than two values, values that are not finite, or values without spread: undefined.
    ///
    /// ```
    /// use unfazed::stats::student_t::MeanEstimate;
    /// let mean = MeanEstimate::of_one(&[1.0, 2.0]).unwrap();
    /// assert_eq!((mean.estimate, mean.standard_error, mean.df), (1.5, 0.5, 1.0));
    /// ```
    pub fn of_one(values: &[f64]) -> Result<Self, Undefined> {
        let moments = spread_moments(values)?;
        let variance = moments.variance() / moments.n;
        Self::new(moments.mean, variance, moments.n - 1.0, moments.mean.abs())
    }

    /// The mean of the differences `x_i` − `y_i`.
    pub fn of_pairs(x: &[f64], y: &[f64]) -> Result<Self, Undefined> {
        Self::of_one(&differences(x, y)?)
    }

    /// The difference of two means.
    pub fn of_two(x: &[f64], y: &[f64], variances: Variances) -> Result<Self, Undefined> {
        let (left, right) = (spread_moments(x)?, spread_moments(y)?);
        let scale =
            if left.mean.abs() > right.mean.abs() { left.mean.abs() } else { right.mean.abs() };
        let (variance, df) = match variances {
            Variances::Unequal => {
                let (a, b) = (left.variance() / left.n, right.variance() / right.n);
                let sum = a + b;
                (sum, sum * sum / (a * a / (left.n - 1.0) + b * b / (right.n - 1.0)))
            }
            Variances::Pooled => {
                let df = left.n + right.n - 2.0;
                let pooled = (left.squares + right.squares) / df;
                (pooled * (1.0 / left.n + 1.0 / right.n), df)
            }
        };
        Self::new(left.mean - right.mean, variance, df, scale)
    }

    /// The standard error must stand out from the rounding of the means, as in R.
    fn new(estimate: f64, variance: f64, df: f64, scale: f64) -> Result<Self, Undefined> {
        let standard_error = variance.sqrt();
        if standard_error > 10.0 * f64::EPSILON * scale
            && standard_error.is_finite()
            && df.is_finite()
        {
            Ok(Self { estimate, standard_error, df })
        } else {
            Err(Undefined::DegenerateVariance)
        }
    }

    /// The t statistic against a hypothesised value.
    pub fn t(&self, hypothesised: f64) -> f64 {
        (self.estimate - hypothesised) / self.standard_error
    }

    /// The p-value against a hypothesised value.
    ///
    /// ```
    /// use unfazed::stats::{Alternative, student_t::MeanEstimate};
    /// let mean = MeanEstimate::of_one(&[1.0, 2.0]).unwrap();
    /// assert!((mean.p(0.0, Alternative::TwoSided).get() - 0.204832764699133).abs() < 1e-12);
    /// ```
    pub fn p(&self, hypothesised: f64, alternative: Alternative) -> PValue {
        let t = self.t(hypothesised);
        match alternative {
            Alternative::Less => PValue::new(student_t_cdf(t, self.df)),
            Alternative::Greater => PValue::new(student_t_survival(t, self.df)),
            Alternative::TwoSided => PValue::doubled(student_t_survival(t.abs(), self.df)),
        }
    }

    /// The confidence interval: two limits, or the one that `Less` (upper) or `Greater` (lower) leaves.
    pub fn interval(&self, level: f64, alternative: Alternative) -> Result<Interval, Undefined> {
        require_level("conf_level", level)?;
        let alpha = 1.0 - level;
        let reach = |tail: f64| -student_t_quantile(tail, self.df) * self.standard_error;
        let (lower, upper) = match alternative {
            Alternative::TwoSided => {
                let reach = reach(0.5 * alpha);
                (Some(self.estimate - reach), Some(self.estimate + reach))
            }
            Alternative::Less => (None, Some(self.estimate + reach(alpha))),
            Alternative::Greater => (Some(self.estimate - reach(alpha)), None),
        };
        Ok(Interval::new(lower, upper, level))
    }
}

/// The differences `x_i` − `y_i` of two lists of one length.
pub(crate) fn differences(x: &[f64], y: &[f64]) -> Result<Vec<f64>, Undefined> {
    if x.len() != y.len() {
        return Err(Undefined::LengthMismatch { left: x.len(), right: y.len() });
    }
    Ok(x.iter().zip(y).map(|(x, y)| x - y).collect())
}

fn spread_moments(values: &[f64]) -> Result<Moments, Undefined> {
    require_finite(values)?;
    if values.len() < 2 {
        return Err(Undefined::TooFew { found: values.len(), needed: 2 });
    }
    Ok(Moments::of(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_or_no_spread_is_undefined() {
        assert_eq!(MeanEstimate::of_one(&[2.0]), Err(Undefined::TooFew { found: 1, needed: 2 }));
        assert_eq!(MeanEstimate::of_one(&[2.0; 5]), Err(Undefined::DegenerateVariance));
        assert_eq!(MeanEstimate::of_one(&[0.1 + 0.2, 0.3]), Err(Undefined::DegenerateVariance));
        assert_eq!(
            MeanEstimate::of_pairs(&[1.0], &[1.0, 2.0]),
            Err(Undefined::LengthMismatch { left: 1, right: 2 })
        );
    }

    #[test]
    fn one_sample_without_spread_still_compares_with_one_that_varies() {
        let estimate = MeanEstimate::of_two(&[1.0, 1.0], &[2.0, 4.0], Variances::Unequal).unwrap();
        assert_eq!((estimate.estimate, estimate.standard_error, estimate.df), (-2.0, 1.0, 1.0));
    }

    proptest::proptest! {
        #[test]
        fn the_limit_is_inside_exactly_when_the_p_value_rejects(values in proptest::collection::vec(-9.0_f64..9.0, 3..12), bound in -9.0_f64..9.0) {
            if let Ok(mean) = MeanEstimate::of_one(&values) {
                let upper = mean.interval(0.95, Alternative::Less).unwrap().upper.unwrap();
                assert_eq!(upper <= bound, mean.p(bound, Alternative::Less).rejects_at(0.05));
            }
        }

        #[test]
        fn pooled_and_welch_agree_for_equal_sizes_but_for_df(x in proptest::collection::vec(-9.0_f64..9.0, 4), y in proptest::collection::vec(-9.0_f64..9.0, 4)) {
            let pooled = MeanEstimate::of_two(&x, &y, Variances::Pooled).unwrap();
            let welch = MeanEstimate::of_two(&x, &y, Variances::Unequal).unwrap();
            assert!((pooled.standard_error - welch.standard_error).abs() < 1e-12);
            assert!(welch.df <= pooled.df + 1e-9);
        }
    }
}
