//! `typical_kill`: the pseudo-median kill stays inside the bound.
//!
//! The exact signed-rank test inverted over the Walsh averages (Hodges & Lehmann 1963; Hollander, Wolfe & Chicken
//! 2014, section 3.2): p and limit come from one count. With W the n(n+1)/2 averages of pairs and T the null
//! distribution of the signed-rank statistic, the claim "at most B" passes at level P(T ≤ #{W > B}) and fails at
//! level P(T ≤ #{W ≤ B}). A kill with lost data enters the first count as +∞ and the second as −∞. Costs n² for the
//! averages. The exact sign-flip test on the mean stands beside it and does not decide.

use crate::spec::{Amount, Claim, Form, Metric, Strictness};
use crate::stats::Alternative;
use crate::stats::hodges_lehmann::{self, LimitSide, walsh_limit, walsh_p};
use crate::stats::sign_flip::sign_flip_test;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{self, Basis, Kill, small};
use crate::verdict::policy;
use crate::verdict::result::{
    DecidedQuantity, Decision, ReasonCode, Sensitivity, Verdict, Warning,
};
use crate::verdict::ruling::{Cause, Ruling};

/// One number per kill, oriented so that smaller is better, with the bound on the same scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Known kills in campaign order.
    known: Vec<Known>,
    /// Kills with lost data: session and cause.
    lost: Vec<LostKill>,
    /// What counts as one replicate.
    replicate: Replicate,
    /// The bound.
    bound: f64,
    /// How to show values.
    scale: Scale,
    /// What the values are.
    quantity: DecidedQuantity,
}

/// One kill whose number is known.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    index: u32,
    session: u32,
    /// What a pass has to reckon with.
    cautious: f64,
    /// What a fail may rely on; differs only for histograms off an edge.
    generous: f64,
}

/// One kill with lost data.
#[derive(Debug, Clone, Copy, PartialEq)]
struct LostKill {
    session: u32,
    code: ReasonCode,
}

/// What counts as one replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replicate {
    /// Every iteration.
    Iteration,
    /// Every session, by the pseudo-median of its kills.
    Session,
}

/// How an oriented value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    AsIs,
    Negated,
    Exponential,
    NegatedExponential,
}

impl Scale {
    fn show(self, value: f64) -> f64 {
        match self {
            Self::AsIs => value,
            Self::Negated => -value,
            Self::Exponential => value.exp(),
            Self::NegatedExponential => (-value).exp(),
        }
    }

    /// Lower and upper limit on the shown scale from those on the oriented one.
    fn limits(self, lower: Option<f64>, upper: Option<f64>) -> (Option<f64>, Option<f64>) {
        let finite = |limit: Option<f64>| {
            limit.map(|value| self.show(value)).filter(|value| value.is_finite())
        };
        match self {
            Self::AsIs | Self::Exponential => (finite(lower), finite(upper)),
            Self::Negated | Self::NegatedExponential => (finite(upper), finite(lower)),
        }
    }
}

impl Sample {
    /// The numbers that a claim is about, one per kill.
    pub(crate) fn of(metric: &Metric, claim: &Claim, kills: &[Kill<'_>], basis: Basis) -> Self {
        let lost: Vec<LostKill> = kills
            .iter()
            .filter_map(|kill| {
                kill.lost.map(|code| LostKill { session: kill.windows.session, code })
            })
            .collect();
        let seen: Vec<&Kill<'_>> = kills.iter().filter(|kill| kill.lost.is_none()).collect();
        if let Some(required) = kill::share_required(metric, claim) {
            return Self::of_shares(&seen, lost, required, claim);
        }
        let (scale, bound, quantity) = Self::frame_of(claim, basis);
        let known = seen
            .iter()
            .filter_map(|kill| {
                let experiment = kill.windows.experiment.value.ok()?;
                let baseline = if claim.form.is_against_baseline() {
                    kill.windows.baseline.value.ok()?
                } else {
                    experiment
                };
                let value = Self::oriented(claim, scale, baseline, experiment);
                let (index, session) = (kill.windows.index, kill.windows.session);
                Some(Known { index, session, cautious: value, generous: value })
            })
            .collect();
        Self { known, lost, replicate: Replicate::Iteration, bound, scale, quantity }
    }

    /// The same sample with another replicate.
    pub(crate) fn with_replicate(mut self, replicate: Replicate) -> Self {
        self.replicate = replicate;
        self
    }

    /// Scale, bound and quantity of a claim.
    fn frame_of(claim: &Claim, basis: Basis) -> (Scale, f64, DecidedQuantity) {
        let bound = claim.amount.value();
        match claim.form {
            Form::AtMost => (Scale::AsIs, bound, DecidedQuantity::Experiment),
            Form::AtLeast => (Scale::Negated, -bound, DecidedQuantity::Experiment),
            Form::IncreaseAtMost if basis == Basis::Ratio => {
                (Scale::Exponential, bound.ln_1p(), DecidedQuantity::Effect)
            }
            Form::DecreaseAtMost if basis == Basis::Ratio && bound < 1.0 => {
                (Scale::NegatedExponential, -(-bound).ln_1p(), DecidedQuantity::Effect)
            }
            // A plain amount is compared with the difference itself, …
            Form::IncreaseAtMost if plain_amount(claim) => {
                (Scale::AsIs, bound, DecidedQuantity::Effect)
            }
            Form::DecreaseAtMost if plain_amount(claim) => {
                (Scale::Negated, bound, DecidedQuantity::Effect)
            }
            // … an allowance that differs between iterations is taken off first, so that zero is the bound.
            Form::IncreaseAtMost => (Scale::AsIs, 0.0, DecidedQuantity::Effect),
            Form::DecreaseAtMost => (Scale::Negated, 0.0, DecidedQuantity::Effect),
        }
    }

    /// One kill's number, smaller is better.
    fn oriented(claim: &Claim, scale: Scale, baseline: f64, experiment: f64) -> f64 {
        match (claim.form, scale) {
            (Form::AtMost, _) => experiment,
            (Form::AtLeast, _) => -experiment,
            (_, Scale::Exponential) => (experiment / baseline).ln(),
            (_, Scale::NegatedExponential) => -(experiment / baseline).ln(),
            (Form::IncreaseAtMost, Scale::AsIs | Scale::Negated) if plain_amount(claim) => {
                experiment - baseline
            }
            (Form::DecreaseAtMost, Scale::AsIs | Scale::Negated) if plain_amount(claim) => {
                baseline - experiment
            }
            (Form::IncreaseAtMost | Form::DecreaseAtMost, Scale::AsIs | Scale::Negated) => {
                kill::excess(claim, baseline, experiment)
            }
        }
    }

    /// Shares of requests under an absolute bound: cautious for a pass, generous for a fail.
    fn of_shares(seen: &[&Kill<'_>], lost: Vec<LostKill>, required: f64, claim: &Claim) -> Self {
        let lower_is_better = claim.form.lower_is_better();
        let known = seen
            .iter()
            .filter_map(|kill| {
                let bracket = kill.windows.experiment.share_under?;
                let (cautious, generous) = if lower_is_better {
                    (-bracket.lower, -bracket.upper)
                } else {
                    (bracket.upper, bracket.lower)
                };
                let (index, session) = (kill.windows.index, kill.windows.session);
                Some(Known { index, session, cautious, generous })
            })
            .collect();
        let (scale, bound) =
            if lower_is_better { (Scale::Negated, -required) } else { (Scale::AsIs, required) };
        Self {
            known,
            lost,
            replicate: Replicate::Iteration,
            bound,
            scale,
            quantity: DecidedQuantity::Experiment,
        }
    }

    /// One number per replicate for the passing side: lost kills are worse than any other.
    fn pessimistic(&self) -> Vec<f64> {
        self.replicates(|known| known.cautious, f64::INFINITY)
    }

    /// One number per replicate for the failing side: lost kills are better than any other.
    fn optimistic(&self) -> Vec<f64> {
        self.replicates(|known| known.generous, f64::NEG_INFINITY)
    }

    fn replicates(&self, value: fn(&Known) -> f64, lost: f64) -> Vec<f64> {
        let mut entries: Vec<(u32, f64)> =
            self.known.iter().map(|known| (known.session, value(known))).collect();
        entries.extend(self.lost.iter().map(|kill| (kill.session, lost)));
        match self.replicate {
            Replicate::Iteration => entries.into_iter().map(|(_, value)| value).collect(),
            Replicate::Session => {
                let mut sessions: Vec<u32> = entries.iter().map(|(session, _)| *session).collect();
                sessions.sort_unstable();
                sessions.dedup();
                sessions
                    .into_iter()
                    .filter_map(|session| {
                        let own: Vec<f64> = entries
                            .iter()
                            .filter(|(of, _)| *of == session)
                            .map(|(_, value)| *value)
                            .collect();
                        pseudo_median(&own)
                    })
                    .collect()
            }
        }
    }

    /// Known values, oriented, in campaign order.
    pub(crate) fn values(&self) -> Vec<f64> {
        self.known.iter().map(|known| known.cautious).collect()
    }

    /// Known values and one entry of `lost` for every lost kill.
    pub(crate) fn with_lost(&self, lost: f64) -> Vec<f64> {
        let mut values = self.values();
        values.extend(self.lost.iter().map(|_| lost));
        values
    }

    /// An oriented value as results show it.
    pub(crate) fn shown(&self, value: f64) -> f64 {
        self.scale.show(value)
    }

    /// Where no change and where the bound lies, on the scale of [`Self::values`]. With an allowance that differs
    /// between iterations, no change lies at the typical allowance below the bound.
    pub(crate) fn margin(&self, claim: &Claim, kills: &[Kill<'_>]) -> Margin {
        let ratio = matches!(self.scale, Scale::Exponential | Scale::NegatedExponential);
        if ratio || plain_amount(claim) {
            return Margin { neutral: 0.0, bound: self.bound };
        }
        let allowances: Vec<f64> = kills
            .iter()
            .filter_map(|kill| kill.windows.baseline.value.ok())
            .map(|baseline| kill::allowance(claim.amount, claim.or_by, baseline))
            .collect();
        let typical = pseudo_median(&allowances).unwrap_or(self.bound);
        Margin { neutral: self.bound - typical, bound: self.bound }
    }
}

/// The margin of a claim against the baseline on the scale of its sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Margin {
    /// Where no change lies.
    pub(crate) neutral: f64,
    /// Where the claim breaks.
    pub(crate) bound: f64,
}

/// Whether the claim's amount is absolute and stands alone.
pub(crate) fn plain_amount(claim: &Claim) -> bool {
    matches!(claim.amount, Amount::Absolute(_)) && claim.or_by.is_none()
}

/// The pseudo-median of Hodges & Lehmann; `None` without values or with an infinite one in the middle.
pub(crate) fn pseudo_median(values: &[f64]) -> Option<f64> {
    if values.iter().any(|value| !value.is_finite()) {
        return median_with_lost(values);
    }
    hodges_lehmann::pseudo_median(values, 0.5, Alternative::TwoSided)
        .ok()
        .map(|found| found.estimate)
}

/// The median, lost values included as infinities.
fn median_with_lost(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
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

/// Rules on the pseudo-median.
pub(crate) fn rule(
    sample: &Sample,
    strictness: Strictness,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let pessimistic = sample.pessimistic();
    let optimistic = sample.optimistic();
    let n = pessimistic.len();
    let upper = limits(&pessimistic, alpha).upper;
    let lower = limits(&optimistic, alpha).lower;
    // With `strict` a value at the bound is outside: the bound moves by more than what counts as equal.
    let bound = match strictness {
        Strictness::EqualityInside => sample.bound,
        Strictness::EqualityOutside => {
            (sample.bound - 3.0 * hodges_lehmann::EQUALITY * sample.bound.abs()).next_down()
        }
    };
    let level = |values: &[f64], side| walsh_p(values, bound, side).ok().map(|p| p.get());
    let (shown_lower, shown_upper) = sample.scale.limits(lower, upper);
    let smallest = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let decision = Decision {
        quantity: sample.quantity,
        lower: shown_lower,
        upper: shown_upper,
        bound: sample.scale.show(sample.bound),
        method: "signed_rank".to_owned(),
        p_pass: level(&pessimistic, LimitSide::Upper),
        p_fail: level(&optimistic, LimitSide::Lower),
        p_fail_holm: None,
        attained_level: (smallest <= alpha).then_some(1.0 - alpha),
    };
    let (Some(p_pass), Some(p_fail)) = (decision.p_pass, decision.p_fail) else {
        return Ruling::undecidable(decision, too_few(n, alpha));
    };
    gates.at_most("level at which the pseudo-median passes", p_pass, alpha);
    let passes = p_pass <= alpha;
    let fails = !passes && p_fail <= alpha;
    if !passes {
        gates.at_most("level at which the pseudo-median fails", p_fail, alpha);
    }
    let mut ruling = Ruling::of(decision, passes, fails);
    if !passes && !fails {
        ruling.causes = causes(sample, n, alpha, lower, upper);
    }
    beside_sign_flip(sample, alpha, &mut ruling);
    ruling
}

/// Why neither.
fn causes(
    sample: &Sample,
    n: usize,
    alpha: f64,
    lower: Option<f64>,
    upper: Option<f64>,
) -> Vec<Cause> {
    if 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)) > alpha {
        return vec![too_few(n, alpha)];
    }
    let mut causes: Vec<ReasonCode> = sample.lost.iter().map(|kill| kill.code).collect();
    causes.sort_unstable();
    causes.dedup();
    let mut causes: Vec<Cause> = causes.into_iter().map(Cause::plain).collect();
    let needed = pseudo_median(&sample.values())
        .and_then(|estimate| iterations_to_clear(n, estimate, sample.bound, lower, upper));
    causes.push(Cause::with_needed(
        ReasonCode::IntervalStraddlesBound,
        format!(
            "not shown either way: the limits lie on both sides of the bound {}; {}",
            show::significant(sample.scale.show(sample.bound), 4),
            needed.map_or_else(
                || format!(
                    "more than {} iterations would be needed: change the bound or the metric",
                    policy::ITERATIONS_WORTH_SUGGESTING
                ),
                |needed| format!(
                    "about {needed} iterations in all would settle it if they look like these"
                ),
            )
        ),
        needed,
    ));
    causes
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
    let needed = (kill::number(n) * (half_width / distance).powi(2)).ceil();
    if !needed.is_finite() || needed > f64::from(policy::ITERATIONS_WORTH_SUGGESTING) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000"
    )]
    let needed = needed as u32;
    Some(needed.max(small(n) + 1))
}

/// No data could have decided.
pub(crate) fn too_few(n: usize, alpha: f64) -> Cause {
    // The smallest attainable level of a signed-rank test is 2^−n.
    let needed =
        (1_u32..64).find(|count| 0.5_f64.powi(i32::try_from(*count).unwrap_or(64)) <= alpha);
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

/// The exact sign-flip test on the mean as a sensitivity figure, and the warning if it says otherwise.
fn beside_sign_flip(sample: &Sample, alpha: f64, ruling: &mut Ruling) {
    let n = sample.known.len();
    if !sample.lost.is_empty() || n == 0 || n > policy::SIGN_FLIP_ITERATIONS {
        return;
    }
    let shifted: Vec<f64> =
        sample.known.iter().map(|known| known.cautious - sample.bound).collect();
    let p = |alternative| sign_flip_test(&shifted, alternative).ok().map(|test| test.p.get());
    let (p_pass, p_fail) = (p(Alternative::Less), p(Alternative::Greater));
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
