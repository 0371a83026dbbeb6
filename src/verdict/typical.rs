//! `typical_kill`: the pseudo-median kill stays inside the bound.
//!
//! The exact signed-rank test inverted over the Walsh averages (Hodges & Lehmann 1963; Hollander, Wolfe & Chicken
//! 2014, section 3.2): p and limit come from one count. With W the n(n+1)/2 averages of pairs and T the null
//! distribution of the signed-rank statistic, the claim "at most B" passes at level P(T ≤ #{W > B}) and fails at
//! level P(T ≤ #{W ≤ B}). A kill with lost data enters the first count as +∞ and the second as −∞. Costs n² for the
//! averages. The exact sign-flip test on the mean stands beside it and does not decide.

use crate::spec::Strictness;
use crate::stats::hodges_lehmann::{self, LimitSide, walsh_limit, walsh_p};
use crate::stats::sign_flip::sign_flip_test;
use crate::stats::{Alternative, PValue};
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{self, small};
use crate::verdict::policy;
use crate::verdict::result::{Decision, ReasonCode, Sensitivity, Verdict, Warning};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sample::{Known, Sample};

/// The pseudo-median of Hodges & Lehmann, lost values as infinities among the averages; `None` without values.
pub(crate) fn pseudo_median(values: &[f64]) -> Option<f64> {
    if values.iter().any(|value| !value.is_finite()) {
        return Some(with_infinities(values));
    }
    hodges_lehmann::pseudo_median(values, 0.5, Alternative::TwoSided)
        .ok()
        .map(|found| found.estimate)
}

/// The median of all Walsh averages where some are infinite. All infinite values are of one sign.
fn with_infinities(values: &[f64]) -> f64 {
    let mut averages: Vec<f64> = values
        .iter()
        .enumerate()
        .flat_map(|(at, left)| values[at..].iter().map(move |right| left / 2.0 + right / 2.0))
        .collect();
    averages.sort_unstable_by(f64::total_cmp);
    let count = averages.len();
    averages[(count - 1) / 2] / 2.0 + averages[count / 2] / 2.0
}

/// One-sided limits of the pseudo-median at level `1 − alpha`, infinite entries allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PseudoMedianLimits {
    /// Lower limit; `None` if it does not exist.
    pub(crate) lower: Option<f64>,
    /// Upper limit; `None` if it does not exist.
    pub(crate) upper: Option<f64>,
}

/// One-sided limits of the pseudo-median.
pub(crate) fn limits(values: &[f64], alpha: f64) -> PseudoMedianLimits {
    let limit = |side| walsh_limit(values, alpha, side).ok().flatten();
    PseudoMedianLimits { lower: limit(LimitSide::Lower), upper: limit(LimitSide::Upper) }
}

/// The bound as each side has to see it, so that equality falls as the claim says. A fail needs a limit beyond the
/// bound; with `strict` the bound itself is beyond.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SidedBound {
    pass: f64,
    fail: f64,
}

impl SidedBound {
    fn of(sample: &Sample, strictness: Strictness) -> Self {
        // More than what the test itself takes as equal.
        let apart = sample.tolerance + 3.0 * hodges_lehmann::EQUALITY * sample.bound.abs();
        match strictness {
            Strictness::EqualityInside => Self {
                pass: sample.bound + sample.tolerance,
                fail: (sample.bound + apart).next_up(),
            },
            Strictness::EqualityOutside => Self {
                pass: (sample.bound - apart).next_down(),
                fail: sample.bound - sample.tolerance,
            },
        }
    }

    fn level(self, values: &[f64], side: LimitSide) -> Option<f64> {
        let bound = match side {
            LimitSide::Upper => self.pass,
            LimitSide::Lower => self.fail,
        };
        walsh_p(values, bound, side).ok().map(PValue::get)
    }
}

/// Rules on the pseudo-median.
pub(crate) fn rule(
    sample: &Sample,
    strictness: Strictness,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let (pessimistic, optimistic) = (sample.pessimistic(), sample.optimistic());
    let both = PseudoMedianLimits {
        lower: limits(&optimistic, alpha).lower,
        upper: limits(&pessimistic, alpha).upper,
    };
    let bound = SidedBound::of(sample, strictness);
    let (shown_lower, shown_upper) = sample.scale.limits(both.lower, both.upper);
    let decision = Decision {
        quantity: sample.quantity,
        lower: shown_lower,
        upper: shown_upper,
        bound: sample.scale.show(sample.bound),
        method: "signed_rank".to_owned(),
        p_pass: bound.level(&pessimistic, LimitSide::Upper),
        p_fail: bound.level(&optimistic, LimitSide::Lower),
        p_fail_holm: None,
        attained_level: hodges_lehmann::attained_level(pessimistic.len(), alpha),
    };
    let (Some(p_pass), Some(p_fail)) = (decision.p_pass, decision.p_fail) else {
        return Ruling::undecidable(decision, too_few(sample, 0, alpha));
    };
    let passes = gates.at_most("level at which the pseudo-median passes", p_pass, alpha);
    let fails = !passes && gates.at_most("level at which the pseudo-median fails", p_fail, alpha);
    let mut ruling = Ruling::of(decision, passes, fails);
    if !passes && !fails {
        ruling.causes = causes(sample, bound, both, alpha);
    }
    beside_sign_flip(sample, alpha, &mut ruling);
    ruling
}

/// Why neither.
fn causes(sample: &Sample, bound: SidedBound, both: PseudoMedianLimits, alpha: f64) -> Vec<Cause> {
    let n = sample.pessimistic().len();
    if hodges_lehmann::attained_level(n, alpha).is_none() {
        return vec![too_few(sample, n, alpha)];
    }
    let mut codes = sample.lost_codes();
    let settled = |values: &[f64], side| bound.level(values, side).is_some_and(|p| p <= alpha);
    let bracketed = sample.known.iter().any(|known| known.cautious > known.generous);
    if bracketed
        && (settled(&sample.pessimistic_if_settled(), LimitSide::Upper)
            || settled(&sample.optimistic_if_settled(), LimitSide::Lower))
    {
        codes.insert(0, ReasonCode::HistogramResolution);
    }
    let mut causes: Vec<Cause> = codes.into_iter().map(Cause::plain).collect();
    let needed = pseudo_median(&sample.values())
        .and_then(|estimate| iterations_to_clear(n, estimate, sample.bound, both.lower, both.upper))
        .map(|replicates| sample.iterations_for(replicates));
    causes.push(Cause::with_needed(
        ReasonCode::IntervalStraddlesBound,
        format!(
            "not shown either way: the limits lie on both sides of the bound {}; {}",
            show::significant(sample.scale.show(sample.bound), 4),
            needed_words(needed)
        ),
        needed,
    ));
    causes
}

/// "about 30 iterations in all would settle it", or that no number of them will.
pub(crate) fn needed_words(needed: Option<u32>) -> String {
    match needed {
        Some(needed) => {
            format!("about {needed} iterations in all would settle it if they look like these")
        }
        None => format!(
            "more than {} iterations would be needed: change the bound or the metric",
            policy::ITERATIONS_WORTH_SUGGESTING
        ),
    }
}

/// Iterations in all that would bring the nearer limit to the bound if the estimate stayed: N·(half-width/distance)²
/// (statistics of section 1.10). `None` when the estimate is at the bound, the limit does not exist, or more than
/// [`policy::ITERATIONS_WORTH_SUGGESTING`] would be needed.
pub(crate) fn iterations_to_clear(
    n: usize,
    estimate: f64,
    bound: f64,
    lower: Option<f64>,
    upper: Option<f64>,
) -> Option<u32> {
    let limit = if estimate <= bound { upper } else { lower }?;
    let distance = (bound - estimate).abs();
    let half_width = (limit - estimate).abs();
    whole_iterations(kill::number(n) * (half_width / distance).powi(2), n)
}

/// A number of iterations rounded up, more than the `n` that there are; `None` beyond
/// [`policy::ITERATIONS_WORTH_SUGGESTING`].
pub(crate) fn whole_iterations(wanted: f64, n: usize) -> Option<u32> {
    let wanted = wanted.ceil();
    if !wanted.is_finite() || wanted > f64::from(policy::ITERATIONS_WORTH_SUGGESTING) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 1000, and a negative number saturates at 0"
    )]
    let wanted = wanted as u32;
    Some(wanted.max(small(n) + 1))
}

/// No data of `n` replicates could have decided.
pub(crate) fn too_few(sample: &Sample, n: usize, alpha: f64) -> Cause {
    // The smallest attainable level of a signed-rank test is 2^−n.
    let needed = kills_to_decide(alpha).map(|replicates| sample.iterations_for(replicates));
    Cause::with_needed(
        ReasonCode::TooFewIterations,
        format!(
            "{n} {} cannot decide on a typical kill, whatever they show; at least {} are needed",
            if n == 1 { "iteration" } else { "iterations" },
            needed.map_or_else(|| "more".to_owned(), |needed| needed.to_string())
        ),
        needed,
    )
}

/// The smallest number of replicates that can decide at all: 2^−n ≤ alpha.
pub(crate) fn kills_to_decide(alpha: f64) -> Option<u32> {
    (1_u32..64).find(|count| hodges_lehmann::attained_level(*count as usize, alpha).is_some())
}

/// The exact sign-flip test on the mean as a sensitivity figure, and the warning if it says otherwise.
fn beside_sign_flip(sample: &Sample, alpha: f64, ruling: &mut Ruling) {
    let (pessimistic, optimistic) = (sample.pessimistic(), sample.optimistic());
    let n = pessimistic.len();
    if !sample.lost.is_empty() || n == 0 || n > policy::SIGN_FLIP_ITERATIONS {
        return;
    }
    let p = |values: &[f64], alternative| {
        let shifted: Vec<f64> = values.iter().map(|value| value - sample.bound).collect();
        sign_flip_test(&shifted, alternative).ok().map(|test| test.p.get())
    };
    let p_pass = p(&pessimistic, Alternative::Less);
    let p_fail = p(&optimistic, Alternative::Greater);
    let verdict = match (p_pass, p_fail) {
        (Some(pass), _) if pass <= alpha => Verdict::Pass,
        (_, Some(fail)) if fail <= alpha => Verdict::Fail,
        _ => Verdict::Inconclusive,
    };
    ruling.sensitivity.push(Sensitivity {
        method: "sign_flip_mean".to_owned(),
        p_pass,
        p_fail,
        verdict: Some(verdict),
    });
    let decided = if ruling.passes {
        Verdict::Pass
    } else if ruling.fails {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    };
    if verdict == decided {
        return;
    }
    let farthest = pseudo_median(&sample.values()).and_then(|middle| {
        sample.known.iter().max_by(|left, right| {
            (left.cautious - middle).abs().total_cmp(&(right.cautious - middle).abs())
        })
    });
    if let Some(Known { index, .. }) = farthest {
        ruling.warnings.push(Warning {
            code: "estimands_disagree".to_owned(),
            message: format!(
                "the mean says {} where the typical kill says {}; iteration {index} lies farthest from the others",
                verdict.word(),
                decided.word()
            ),
        });
    }
}
