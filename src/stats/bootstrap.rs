//! Bootstrap limits of a statistic of one sample.
//!
//! Owns the percentile, basic, `BCa` and studentised bootstrap of the mean, the median, any quantile and the
//! standard deviation. Observations must be exchangeable: inside one window of a series use
//! `block_bootstrap`. Below some 20 values `BCa` covers too little to decide anything; up to 12 the exact
//! distribution needs no random numbers.

use crate::stats::descriptive::{sum_of_squares, two_pass_mean};
use crate::stats::distribution::{normal_cdf, normal_quantile};
use crate::stats::exact_resamples::{ExactResamples, LARGEST_SAMPLE, multisets};
use crate::stats::position::{larger, sorted_copy};
use crate::stats::quantile::{QuantileType, place, sorted_quantile};
use crate::stats::resample::{Moments, Positions, Resampling, resampled_quantile, resampled_sum};
use crate::stats::statistic::leave_one_out;
use crate::stats::{Alternative, Interval, Undefined, count_to_f64, require_level};

pub use crate::stats::statistic::Statistic;

/// The acceleration of `BCa`: a = Σ(θ̄ − θ₍ᵢ₎)³ / (6·(Σ(θ̄ − θ₍ᵢ₎)²)^{3/2}) over the leave-one-out values.
///
/// Reference: Efron and Tibshirani (1993), equation 14.15. Cost: O(n log n); the leave-one-out values are
/// never computed from scratch. Edge cases: when all leave-one-out values are equal (often so for the median
/// of repeated values) the acceleration is [`Undefined::DegenerateVariance`].
///
/// ```
/// use unfazed::stats::bootstrap::{Statistic, acceleration};
/// let hours = [3.0, 5.0, 7.0, 18.0, 43.0, 85.0, 91.0, 98.0, 100.0, 130.0, 230.0, 487.0];
/// assert!((acceleration(&hours, Statistic::Mean).unwrap() - 0.0937980738838676).abs() < 1e-14);
/// ```
pub fn acceleration(values: &[f64], statistic: Statistic) -> Result<f64, Undefined> {
    statistic.check(values)?;
    if statistic == Statistic::StandardDeviation && values.len() < 3 {
        return Err(Undefined::TooFew { found: values.len(), needed: 3 });
    }
    let left_out = leave_one_out(&sorted_copy(values), statistic);
    let center = two_pass_mean(&left_out);
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in &left_out {
        let deviation = center - value;
        squares += deviation * deviation;
        cubes += deviation * deviation * deviation;
    }
    let scale = left_out.iter().fold(0.0, |scale, value| larger(scale, value.abs()));
    if squares.sqrt() <= scale * 1e-14 {
        return Err(Undefined::DegenerateVariance);
    }
    Ok(cubes / (6.0 * squares * squares.sqrt()))
}

/// Which limits are read off the resampled values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The quantiles of the resampled values.
    Percentile,
    /// The percentile limits mirrored at the estimate.
    Basic,
    /// Bias-corrected and accelerated.
    Bca,
}

/// The resampled values of a statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    estimate: f64,
    values: Values,
    standard_error: f64,
    acceleration: Result<f64, Undefined>,
    below: f64,
}

/// Where the resampled values come from.
#[derive(Debug, Clone, PartialEq)]
enum Values {
    /// Random resamples, sorted.
    Drawn(Vec<f64>),
    /// All of them.
    Exact(ExactResamples),
}

impl Values {
    fn quantile(&self, p: f64) -> Result<f64, Undefined> {
        match self {
            Self::Drawn(sorted) => sorted_quantile(sorted, p, QuantileType::LinearModes),
            Self::Exact(all) => Ok(all.quantile(p)),
        }
    }

    fn below(&self, number: f64) -> usize {
        match self {
            Self::Drawn(sorted) => sorted.partition_point(|value| *value < number),
            Self::Exact(all) => all.below(number),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Drawn(sorted) => sorted.len(),
            Self::Exact(all) => all.count(),
        }
    }

    fn mean(&self) -> f64 {
        match self {
            Self::Drawn(sorted) => two_pass_mean(sorted),
            Self::Exact(all) => all.mean(),
        }
    }

    fn standard_error(&self) -> f64 {
        match self {
            Self::Drawn(sorted) => (sum_of_squares(sorted) / count_to_f64(sorted.len() - 1)).sqrt(),
            Self::Exact(all) => all.standard_deviation(),
        }
    }
}

impl Distribution {
    /// The bootstrap distribution of a statistic, exact where that costs about as much as drawing.
    ///
    /// A sample of at most 12 values with at most 8 multisets per resample asked for is enumerated
    /// ([`Self::exact`]): the answer that drawing would approach. Otherwise [`Self::drawn`].
    ///
    /// ```
    /// use unfazed::stats::bootstrap::{Distribution, Method, Statistic};
    /// use unfazed::stats::resample::Resampling;
    /// use unfazed::stats::Alternative;
    /// use unfazed::unit::Seed;
    /// let sample = [1.1, 2.7, 3.2, 5.9, 14.0, 3.3, 4.1, 2.2];
    /// let draws = Resampling { seed: Seed(0), key: "latency", resamples: 2000 };
    /// let found = Distribution::of(&sample, Statistic::Mean, draws).unwrap();
    /// let limits = found.interval(Method::Bca, 0.95, Alternative::TwoSided).unwrap();
    /// assert!(limits.contains(found.estimate()));
    /// ```
    pub fn of(
        values: &[f64],
        statistic: Statistic,
        draws: Resampling<'_>,
    ) -> Result<Self, Undefined> {
        let n = values.len();
        let affordable = 8.0 * count_to_f64(draws.resamples);
        if draws.resamples > 0 && n <= LARGEST_SAMPLE && multisets(n) <= affordable {
            Self::exact(values, statistic)
        } else {
            Self::drawn(values, statistic, draws)
        }
    }

    /// The exact bootstrap distribution of a sample of at most 12 values.
    ///
    /// All n^n resamples, by their multisets (Fisher and Hall 1991). Cost: C(2n − 1, n) evaluations of the
    /// statistic, 92,378 at n = 10. Edge cases as for [`Self::drawn`]; larger samples are over the work limit.
    ///
    /// ```
    /// use unfazed::stats::bootstrap::{Distribution, Method, Statistic};
    /// use unfazed::stats::Alternative;
    /// let found = Distribution::exact(&[1.1, 2.7, 3.2, 5.9, 14.0], Statistic::Mean).unwrap();
    /// let limits = found.interval(Method::Bca, 0.95, Alternative::TwoSided).unwrap();
    /// assert!((limits.lower.unwrap() - 2.58).abs() < 1e-12);
    /// ```
    pub fn exact(values: &[f64], statistic: Statistic) -> Result<Self, Undefined> {
        statistic.check(values)?;
        let sorted = sorted_copy(values);
        let all = ExactResamples::of(&sorted, statistic)?;
        Self::new(statistic.of_sorted(&sorted), Values::Exact(all), acceleration(values, statistic))
    }

    /// Draws the bootstrap distribution of a statistic.
    ///
    /// Reference: Efron (1979). Cost: resamples × n, about 1 ns a draw for the mean; spread over all cores,
    /// and the same numbers whatever their number. Edge cases: one value, values without spread, and values
    /// that are not finite are refused; so is a distribution all of whose values are equal.
    pub fn drawn(
        values: &[f64],
        statistic: Statistic,
        draws: Resampling<'_>,
    ) -> Result<Self, Undefined> {
        statistic.check(values)?;
        let sorted = sorted_copy(values);
        let n = sorted.len();
        let size = count_to_f64(n);
        let positions = Positions::of(&sorted);
        let center = two_pass_mean(&sorted);
        let centred: Vec<f64> = sorted.iter().map(|value| value - center).collect();
        let mut drawn = match statistic.probability() {
            Some(p) => {
                let place = place(n, p, QuantileType::LinearModes);
                draws.run(
                    "bootstrap",
                    || vec![0_u32; n],
                    |counts, stream| resampled_quantile(&sorted, positions, place, counts, stream),
                )?
            }
            None if statistic == Statistic::StandardDeviation => draws.run(
                "bootstrap",
                || (),
                |(), stream| Moments::resampled(&centred, positions, stream).standard_deviation(n),
            )?,
            None => draws.run(
                "bootstrap",
                || (),
                |(), stream| center + resampled_sum(&centred, positions, stream) / size,
            )?,
        };
        if drawn.len() < 2 {
            return Err(Undefined::TooFew { found: drawn.len(), needed: 2 });
        }
        drawn.sort_unstable_by(f64::total_cmp);
        Self::new(
            statistic.of_sorted(&sorted),
            Values::Drawn(drawn),
            acceleration(values, statistic),
        )
    }

    fn new(
        estimate: f64,
        values: Values,
        acceleration: Result<f64, Undefined>,
    ) -> Result<Self, Undefined> {
        let (first, last) = (values.quantile(0.0)?, values.quantile(1.0)?);
        let slack = 1e-12 * larger(estimate.abs(), larger(first.abs(), last.abs()));
        if last - first <= slack {
            return Err(Undefined::DegenerateVariance);
        }
        let (less, not_greater) = (values.below(estimate - slack), values.below(estimate + slack));
        let below =
            (count_to_f64(less) + count_to_f64(not_greater)) / (2.0 * count_to_f64(values.count()));
        let standard_error = values.standard_error();
        Ok(Self { estimate, values, standard_error, acceleration, below })
    }

    /// The statistic of the sample itself.
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The standard deviation of the resampled values: over all of them when exact, as an estimate with
    /// denominator R − 1 when drawn.
    pub fn standard_error(&self) -> f64 {
        self.standard_error
    }

    /// The mean of the resampled values.
    pub fn mean(&self) -> f64 {
        self.values.mean()
    }

    /// How many resamples stand behind the limits: R, or n^n when exact.
    pub fn resamples(&self) -> usize {
        self.values.count()
    }

    /// Confidence limits. `Less` gives an upper limit only, `Greater` a lower one.
    ///
    /// Percentile: quantiles of type 7 of the resampled values. Basic: 2θ̂ less the opposite percentile
    /// limit (Davison and Hinkley 1997, equation 5.6). `BCa`: percentiles at [`Self::bca_level`].
    /// Edge cases: `BCa` does not exist without an acceleration, or when no resampled value lies on one side
    /// of the estimate.
    pub fn interval(
        &self,
        method: Method,
        level: f64,
        alternative: Alternative,
    ) -> Result<Interval, Undefined> {
        require_level("the confidence level", level)?;
        let error = one_sided_error(level, alternative);
        let end = |probability: f64| -> Result<f64, Undefined> {
            match method {
                Method::Percentile => self.values.quantile(probability),
                Method::Basic => Ok(2.0 * self.estimate - self.values.quantile(1.0 - probability)?),
                Method::Bca => self.values.quantile(self.bca_level(probability)?),
            }
        };
        let lower = match alternative {
            Alternative::Less => None,
            Alternative::Greater | Alternative::TwoSided => Some(end(error)?),
        };
        let upper = match alternative {
            Alternative::Greater => None,
            Alternative::Less | Alternative::TwoSided => Some(end(1.0 - error)?),
        };
        Ok(Interval::new(lower, upper, level))
    }

    /// The bias correction z₀: Φ⁻¹ of the share of resampled values below the estimate, half of the equal
    /// ones counted.
    pub fn bias(&self) -> Result<f64, Undefined> {
        if self.below > 0.0 && self.below < 1.0 {
            Ok(normal_quantile(self.below))
        } else {
            Err(Undefined::DegenerateVariance)
        }
    }

    /// The acceleration; see [`acceleration`].
    pub fn acceleration(&self) -> Result<f64, Undefined> {
        self.acceleration
    }

    /// The probability at which `BCa` reads the limit that a percentile interval reads at `probability`:
    /// Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z))) (Efron 1987; Efron and Tibshirani 1993, equation 14.10).
    pub fn bca_level(&self, probability: f64) -> Result<f64, Undefined> {
        let bias = self.bias()?;
        let shifted = bias + normal_quantile(probability);
        let shrunk = 1.0 - self.acceleration? * shifted;
        if shrunk <= 0.0 {
            return Err(Undefined::DegenerateVariance);
        }
        Ok(normal_cdf(bias + shifted / shrunk))
    }
}

/// The error on one side of an interval.
fn one_sided_error(level: f64, alternative: Alternative) -> f64 {
    match alternative {
        Alternative::TwoSided => (1.0 - level) / 2.0,
        Alternative::Less | Alternative::Greater => 1.0 - level,
    }
}

/// Studentised bootstrap limits of the mean (bootstrap-t).
///
/// t* = (m* − m)/se* for every resample; the limits are m − se·t*₍₁₋ₐ₎ and m − se·t*₍ₐ₎ (Hall 1992; Davison
/// and Hinkley 1997, equation 5.7). Better than `BCa` for skewed data from about 10 values on (coverage .904
/// against .850 for a lognormal sample of 10). Resamples whose values are all equal have an infinite t* and
/// are kept as such. Cost as for the mean.
/// Edge cases: fewer than 3 values are refused; a limit that falls on an infinite t* does not exist.
///
/// ```
/// use unfazed::stats::bootstrap::bootstrap_t_mean;
/// use unfazed::stats::resample::Resampling;
/// use unfazed::stats::Alternative;
/// use unfazed::unit::Seed;
/// let sample = [1.1, 2.7, 3.2, 5.9, 14.0, 3.3, 4.1, 2.2, 9.7, 2.8];
/// let draws = Resampling { seed: Seed(0), key: "latency", resamples: 2000 };
/// let limits = bootstrap_t_mean(&sample, 0.95, Alternative::TwoSided, draws).unwrap();
/// assert!(limits.lower.unwrap() < 4.9 && limits.upper.unwrap() > 4.9);
/// ```
pub fn bootstrap_t_mean(
    values: &[f64],
    level: f64,
    alternative: Alternative,
    draws: Resampling<'_>,
) -> Result<Interval, Undefined> {
    require_level("the confidence level", level)?;
    Statistic::Mean.check(values)?;
    let n = values.len();
    if n < 3 {
        return Err(Undefined::TooFew { found: n, needed: 3 });
    }
    let size = count_to_f64(n);
    let center = two_pass_mean(values);
    let centred: Vec<f64> = values.iter().map(|value| value - center).collect();
    let positions = Positions::of(&centred);
    let mut t: Vec<f64> = draws.run(
        "bootstrap-t",
        || (),
        |(), stream| {
            let moments = Moments::resampled(&centred, positions, stream);
            let spread = moments.standard_deviation(n);
            let deviation = moments.sum / size;
            if spread > 0.0 {
                deviation / (spread / size.sqrt())
            } else {
                f64::INFINITY.copysign(deviation)
            }
        },
    )?;
    t.sort_unstable_by(f64::total_cmp);
    let se = (sum_of_squares(values) / (size - 1.0) / size).sqrt();
    let at = |probability: f64| {
        sorted_quantile(&t, probability, QuantileType::LinearModes).map(|t| center - se * t)
    };
    let error = one_sided_error(level, alternative);
    let (lower, upper) = match alternative {
        Alternative::TwoSided => (Some(at(1.0 - error)?), Some(at(error)?)),
        Alternative::Greater => (Some(at(1.0 - error)?), None),
        Alternative::Less => (None, Some(at(error)?)),
    };
    let found = Interval::new(lower, upper, level);
    if found.lower.is_some() == lower.is_some() && found.upper.is_some() == upper.is_some() {
        Ok(found)
    } else {
        Err(Undefined::DegenerateVariance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Seed;
    use proptest::prelude::*;

    const SAMPLE: [f64; 9] = [1.0, 2.0, 2.5, 3.0, 4.0, 7.0, 8.0, 11.0, 20.0];

    fn draws(resamples: usize) -> Resampling<'static> {
        Resampling { seed: Seed(11), key: "test", resamples }
    }

    const ALL: [Statistic; 5] = [
        Statistic::Mean,
        Statistic::Median,
        Statistic::Quantile(0.9),
        Statistic::Quantile(0.25),
        Statistic::StandardDeviation,
    ];

    #[test]
    fn degenerate_samples_have_no_interval() {
        for statistic in ALL {
            let refused = |values: &[f64]| {
                Distribution::drawn(values, statistic, draws(100)).unwrap_err().code()
            };
            assert_eq!(refused(&[5.0; 8]), "degenerate_variance");
            assert_eq!(refused(&[5.0]), "too_few");
            assert_eq!(refused(&[5.0, f64::NAN]), "non_finite");
        }
    }

    #[test]
    fn the_standard_error_of_the_mean_comes_near_its_formula() {
        let found = Distribution::drawn(&SAMPLE, Statistic::Mean, draws(20_000)).unwrap();
        let formula = (sum_of_squares(&SAMPLE) / 81.0).sqrt();
        assert!((found.standard_error() / formula - 1.0).abs() < 0.03);
    }

    #[test]
    fn random_draws_come_near_the_exact_limits() {
        let values = [0.2, 0.4, 0.5, 0.9, 1.6, 3.3, 8.1];
        let exact = Distribution::of(&values, Statistic::Mean, draws(40_000)).unwrap();
        assert_eq!(exact.resamples(), 7_usize.pow(7));
        let random = Distribution::drawn(&values, Statistic::Mean, draws(40_000)).unwrap();
        let read = |found: &Distribution| {
            found.interval(Method::Bca, 0.95, Alternative::TwoSided).unwrap()
        };
        let (exact, random) = (read(&exact), read(&random));
        let width = exact.upper.unwrap() - exact.lower.unwrap();
        assert!((random.lower.unwrap() - exact.lower.unwrap()).abs() < 0.03 * width);
        assert!((random.upper.unwrap() - exact.upper.unwrap()).abs() < 0.03 * width);
    }

    #[test]
    fn one_sided_limits_are_the_ends_of_a_wider_two_sided_interval() {
        let found = Distribution::drawn(&SAMPLE, Statistic::Mean, draws(2000)).unwrap();
        for method in [Method::Percentile, Method::Basic, Method::Bca] {
            let both = found.interval(method, 0.9, Alternative::TwoSided).unwrap();
            let upper = found.interval(method, 0.95, Alternative::Less).unwrap();
            let lower = found.interval(method, 0.95, Alternative::Greater).unwrap();
            assert!((both.upper.unwrap() - upper.upper.unwrap()).abs() < 1e-9);
            assert!((both.lower.unwrap() - lower.lower.unwrap()).abs() < 1e-9);
            assert_eq!((upper.lower, lower.upper), (None, None));
        }
    }

    #[test]
    fn another_key_gives_other_draws_and_the_same_key_the_same() {
        let draw = |key| {
            let draws = Resampling { key, ..draws(50) };
            Distribution::drawn(&SAMPLE, Statistic::Mean, draws).unwrap()
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn a_studentised_interval_leans_towards_the_long_tail() {
        let limits = bootstrap_t_mean(&SAMPLE, 0.95, Alternative::TwoSided, draws(5000)).unwrap();
        let center = two_pass_mean(&SAMPLE);
        assert!(limits.upper.unwrap() - center > center - limits.lower.unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn units_do_not_matter(values in prop::collection::vec(0.1_f64..9.0, 4..20), scale in 0.01_f64..100.0) {
            for statistic in ALL {
                let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
                let plain = Distribution::drawn(&values, statistic, draws(200));
                let other = Distribution::drawn(&scaled, statistic, draws(200));
                if let (Ok(plain), Ok(other)) = (plain, other) {
                    let plain = plain.interval(Method::Percentile, 0.9, Alternative::TwoSided).unwrap();
                    let other = other.interval(Method::Percentile, 0.9, Alternative::TwoSided).unwrap();
                    prop_assert!((plain.lower.unwrap() * scale - other.lower.unwrap()).abs() < 1e-6 * scale);
                }
            }
        }
    }
}
