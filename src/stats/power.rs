//! What a t test of a given size can find.
//!
//! Owns power, sample size, detectable effect, detectable spread and level of the one-sample, paired and
//! two-sample t test, in the conventions of R and of statsmodels, and the chance that several independent
//! claims pass together. Planning of proportions is in `success_run`.

use crate::stats::distribution::student_t_quantile;
use crate::stats::noncentral_t::{cdf, survival};
use crate::stats::{Undefined, count_to_f64, require_level};

/// The layout of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Design {
    /// One sample, or the differences of pairs: n values, n − 1 degrees of freedom.
    OneSample,
    /// Two samples of n values each: 2(n − 1) degrees of freedom.
    TwoSample,
}

/// Which outcomes count as finding the effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tail {
    /// A one-sided test towards greater values.
    Greater,
    /// A one-sided test towards smaller values.
    Less,
    /// A two-sided test, counting only rejections on the side of the effect (R `strict = FALSE`).
    TwoSidedNear,
    /// A two-sided test, counting rejections on both sides (R `strict = TRUE`; statsmodels).
    TwoSidedBoth,
}

/// A planned test. The effect is the true difference over the standard deviation; for pairs, of the
/// differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Values per sample, or pairs; need not be whole.
    pub n: f64,
    /// True difference in standard deviations.
    pub effect: f64,
    /// Level of the test.
    pub level: f64,
    /// Layout of the samples.
    pub design: Design,
    /// What counts.
    pub tail: Tail,
}

/// The probability that the planned test rejects.
///
/// P(T > t₁₋ₐ) for noncentral T with δ = effect·√n (one sample) or effect·√(n/2) (two samples) (Cohen 1988;
/// R `power.t.test`, statsmodels `TTestPower`, `TTestIndPower`). Cost: about 30 µs.
/// Edge cases: more than one value per sample is needed.
///
/// ```
/// use unfazed::stats::power::{Design, Plan, Tail, power};
/// let plan = Plan { n: 20.0, effect: 1.0, level: 0.05, design: Design::TwoSample, tail: Tail::TwoSidedNear };
/// assert!((power(plan).unwrap() - 0.868952801692498).abs() < 1e-9);
/// ```
pub fn power(plan: Plan) -> Result<f64, Undefined> {
    require_level("the level", plan.level)?;
    if !(plan.n > 1.0 && plan.n.is_finite()) {
        return Err(Undefined::OutOfRange {
            what: "n",
            found: plan.n,
            accepted: "a number above 1",
        });
    }
    if !plan.effect.is_finite() {
        return Err(Undefined::OutOfRange {
            what: "the effect",
            found: plan.effect,
            accepted: "a finite number",
        });
    }
    let samples = match plan.design {
        Design::OneSample => 1.0,
        Design::TwoSample => 2.0,
    };
    let df = (plan.n - 1.0) * samples;
    let shift = plan.effect * (plan.n / samples).sqrt();
    let critical = |tail: f64| -student_t_quantile(tail, df);
    Ok(match plan.tail {
        Tail::Greater => survival(critical(plan.level), df, shift),
        Tail::Less => cdf(-critical(plan.level), df, shift),
        Tail::TwoSidedNear => survival(critical(plan.level / 2.0), df, shift.abs()),
        Tail::TwoSidedBoth => {
            let bound = critical(plan.level / 2.0);
            survival(bound, df, shift) + cdf(-bound, df, shift)
        }
    })
}

/// The largest n that is looked for.
pub const LARGEST_N: f64 = 1e7;

/// The n at which the plan reaches a power, as a real number; round it up.
///
/// Root of power(n) = wanted between 1 and [`LARGEST_N`] by bisection on ln(n − 1), relative 1e-12.
/// Edge cases: an effect of 0, or in the wrong direction, never reaches it: [`Undefined::Unattainable`].
///
/// ```
/// use unfazed::stats::power::{Design, Plan, Tail, sample_size};
/// let plan = Plan { n: 2.0, effect: 0.5, level: 0.05, design: Design::OneSample, tail: Tail::TwoSidedBoth };
/// assert_eq!(sample_size(plan, 0.8).unwrap().ceil(), 34.0);
/// ```
pub fn sample_size(plan: Plan, wanted: f64) -> Result<f64, Undefined> {
    require_level("the power", wanted)?;
    let at = |ln_rest: f64| power(Plan { n: 1.0 + ln_rest.exp(), ..plan });
    let (smallest, largest) = (0.01_f64.ln(), LARGEST_N.ln());
    if at(largest)? < wanted {
        return Err(Undefined::Unattainable { smallest: at(largest)?, level: wanted });
    }
    root(smallest, largest, |ln_rest| Ok(at(ln_rest)? - wanted)).map(|ln_rest| 1.0 + ln_rest.exp())
}

/// The effect at which the plan reaches a power; negative for [`Tail::Less`].
///
/// ```
/// use unfazed::stats::power::{Design, Plan, Tail, detectable_effect};
/// let plan = Plan { n: 10.0, effect: 0.0, level: 0.05, design: Design::OneSample, tail: Tail::TwoSidedBoth };
/// assert!((detectable_effect(plan, 0.8).unwrap() - 0.9960019107624178).abs() < 1e-5);
/// ```
pub fn detectable_effect(plan: Plan, wanted: f64) -> Result<f64, Undefined> {
    require_level("the power", wanted)?;
    let sign = match plan.tail {
        Tail::Less => -1.0,
        Tail::Greater | Tail::TwoSidedNear | Tail::TwoSidedBoth => 1.0,
    };
    let least = power(Plan { effect: 0.0, ..plan })?;
    if least > wanted {
        return Err(Undefined::Unattainable { smallest: least, level: wanted });
    }
    let at = |ln_effect: f64| power(Plan { effect: sign * ln_effect.exp(), ..plan });
    root(-20.0, 17.0, |ln_effect| Ok(at(ln_effect)? - wanted))
        .map(|ln_effect| sign * ln_effect.exp())
}

/// The level at which the plan reaches a power.
///
/// ```
/// use unfazed::stats::power::{Design, Plan, Tail, level_for_power, power};
/// let plan = Plan { n: 12.0, effect: 0.8, level: 0.05, design: Design::OneSample, tail: Tail::Greater };
/// let level = level_for_power(plan, power(plan).unwrap()).unwrap();
/// assert!((level - 0.05).abs() < 1e-9);
/// ```
pub fn level_for_power(plan: Plan, wanted: f64) -> Result<f64, Undefined> {
    require_level("the power", wanted)?;
    let logistic = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let at = |logit: f64| power(Plan { level: logistic(logit), ..plan });
    root(-23.0, 23.0, |logit| Ok(at(logit)? - wanted)).map(logistic)
}

/// The zero of a rising function by bisection until the ends meet.
fn root(
    low: f64,
    high: f64,
    function: impl Fn(f64) -> Result<f64, Undefined>,
) -> Result<f64, Undefined> {
    let (mut low, mut high) = (low, high);
    if function(low)? > 0.0 || function(high)? < 0.0 {
        return Err(Undefined::OutOfRange {
            what: "the wanted power",
            found: function(low)?,
            accepted: "a power between that of the smallest and of the largest plan",
        });
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if function(middle)? < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
        if high - low < 1e-13 {
            break;
        }
    }
    Ok(f64::midpoint(low, high))
}

/// The chance that independent claims all pass: the product of their powers.
///
/// Four claims at 0.8 pass together with 0.41. Claims that depend on each other positively pass together
/// more often; the smallest of the powers is the upper bound. Edge cases: no claims pass with certainty.
///
/// ```
/// use unfazed::stats::power::joint_power;
/// assert!((joint_power(&[0.8; 4]).unwrap() - 0.4096).abs() < 1e-12);
/// ```
pub fn joint_power(powers: &[f64]) -> Result<f64, Undefined> {
    for &found in powers {
        if !(0.0..=1.0).contains(&found) {
            return Err(Undefined::OutOfRange { what: "a power", found, accepted: "0 to 1" });
        }
    }
    Ok(powers.iter().product())
}

/// The smallest p-values of the sign-flip and the signed-rank test on n differences without zeros.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmallestP {
    /// 2^−n.
    pub one_sided: f64,
    /// 2^(1−n), at most 1.
    pub two_sided: f64,
}

/// The smallest attainable p of sign-flip and signed-rank tests: all n signs alike.
///
/// n = 5 is the first to reach 0.05 one-sided, n = 6 two-sided. Edge case: n = 0 attains 1.
///
/// ```
/// use unfazed::stats::power::smallest_p;
/// assert_eq!(smallest_p(5).one_sided, 0.03125);
/// assert_eq!(smallest_p(5).two_sided, 0.0625);
/// ```
pub fn smallest_p(n: usize) -> SmallestP {
    let one_sided = (-count_to_f64(n)).exp2();
    SmallestP { one_sided, two_sided: (2.0 * one_sided).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAN: Plan =
        Plan { n: 12.0, effect: 0.8, level: 0.05, design: Design::OneSample, tail: Tail::Greater };

    #[test]
    fn without_an_effect_the_power_is_the_level() {
        for tail in [Tail::Greater, Tail::Less, Tail::TwoSidedBoth] {
            assert!((power(Plan { effect: 0.0, tail, ..PLAN }).unwrap() - 0.05).abs() < 1e-12);
        }
        let near = power(Plan { effect: 0.0, tail: Tail::TwoSidedNear, ..PLAN }).unwrap();
        assert!((near - 0.025).abs() < 1e-12);
    }

    #[test]
    fn an_effect_of_zero_never_reaches_the_power() {
        assert_eq!(
            sample_size(Plan { effect: 0.0, ..PLAN }, 0.8).unwrap_err().code(),
            "unattainable"
        );
        assert_eq!(
            sample_size(Plan { effect: -1.0, ..PLAN }, 0.8).unwrap_err().code(),
            "unattainable"
        );
    }

    #[test]
    fn one_value_has_no_power() {
        assert_eq!(power(Plan { n: 1.0, ..PLAN }).unwrap_err().code(), "out_of_range");
    }

    /// The power by simulation of the test itself.
    #[test]
    fn simulation_comes_near() {
        let mut stream = crate::stats::random::Stream::new(crate::unit::Seed(2), "power", "test");
        let bound = -student_t_quantile(0.05, 11.0);
        let rounds = 4000;
        let mut hits = 0;
        for _ in 0..rounds {
            let sample: Vec<f64> = (0..12).map(|_| stream.normal() + 0.8).collect();
            let mean = crate::stats::descriptive::mean(&sample).unwrap();
            let sd = crate::stats::descriptive::standard_deviation(&sample).unwrap();
            hits += usize::from(mean / (sd / 12.0_f64.sqrt()) > bound);
        }
        let found = count_to_f64(hits) / count_to_f64(rounds);
        assert!((found - power(PLAN).unwrap()).abs() < 0.02, "{found}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn size_and_effect_invert_the_power(
            effect in 0.2_f64..3.0, level in 0.005_f64..0.2, wanted in 0.5_f64..0.97, two in any::<bool>(), both in any::<bool>(),
        ) {
            let design = if two { Design::TwoSample } else { Design::OneSample };
            let tail = if both { Tail::TwoSidedBoth } else { Tail::Greater };
            let plan = Plan { effect, level, design, tail, ..PLAN };
            if let Ok(n) = sample_size(plan, wanted) {
                let found = power(Plan { n, ..plan }).unwrap();
                prop_assert!((found - wanted).abs() < 1e-8);
            }
            let effect = detectable_effect(plan, wanted).unwrap();
            let found = power(Plan { effect, ..plan }).unwrap();
            prop_assert!((found - wanted).abs() < 1e-9);
        }
    }
}
