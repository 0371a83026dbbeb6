//! The numbers that a claim is about: one per kill, oriented so that smaller is better, with the bound on the same
//! scale.
//!
//! Owns the scales of the decision rule: e as it is, e − b, log e − log b, or e − b less an allowance that differs
//! between kills; shares of requests for a histogram under an absolute bound. Refuses to decide: `typical` and
//! `control` do, with what they need to know of lost kills and brackets.

use crate::spec::{Amount, Claim, Form, Metric};
use crate::verdict::kill::{self, Basis, Kill};
use crate::verdict::policy;
use crate::verdict::result::{DecidedQuantity, ReasonCode};
use crate::verdict::typical::pseudo_median;

/// One number per kill, oriented so that smaller is better, with the bound on the same scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Known kills in campaign order.
    pub(crate) known: Vec<Known>,
    /// Kills with lost data: session and cause.
    pub(crate) lost: Vec<LostKill>,
    /// What counts as one replicate.
    pub(crate) replicate: Replicate,
    /// The bound.
    pub(crate) bound: f64,
    /// Distance within which a number counts as equal to the bound.
    pub(crate) tolerance: f64,
    /// How to show values.
    pub(crate) scale: Scale,
    /// What the values are.
    pub(crate) quantity: DecidedQuantity,
}

/// One kill whose number is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Known {
    pub(crate) index: u32,
    session: u32,
    /// What a pass has to reckon with.
    pub(crate) cautious: f64,
    /// What a fail may rely on; differs only for histograms off an edge.
    pub(crate) generous: f64,
}

/// One kill with lost data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LostKill {
    session: u32,
    pub(crate) code: ReasonCode,
}

/// What counts as one replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replicate {
    /// Every iteration.
    Iteration,
    /// Every session, by the pseudo-median of its kills.
    Session,
}

impl Replicate {
    /// Sessions from [`policy::SESSIONS_TO_CLUSTER`] on, iterations below.
    pub(crate) fn of(sessions: usize) -> Self {
        if sessions >= policy::SESSIONS_TO_CLUSTER { Self::Session } else { Self::Iteration }
    }
}

/// How an oriented value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    AsIs,
    Negated,
    Exponential,
    NegatedExponential,
}

/// What a claim compares on which scale.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    scale: Scale,
    bound: f64,
    quantity: DecidedQuantity,
}

impl Scale {
    pub(crate) fn show(self, value: f64) -> f64 {
        match self {
            Self::AsIs => value,
            // Not `-value`: results never say −0.
            Self::Negated => 0.0 - value,
            Self::Exponential => value.exp(),
            Self::NegatedExponential => (-value).exp(),
        }
    }

    /// Lower and upper limit on the shown scale from those on the oriented one.
    pub(crate) fn limits(
        self,
        lower: Option<f64>,
        upper: Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
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
        if let Some(required) = kill::share_required(metric, claim) {
            return Self::of_shares(kills, required, claim);
        }
        let frame = frame_of(claim, basis);
        let mut sample = Self::empty(frame);
        let mut sizes = Vec::new();
        for kill in kills {
            let (index, session) = (kill.windows.index, kill.windows.session);
            let Some((baseline, experiment)) = both(kill, claim) else {
                sample.lose(kill);
                continue;
            };
            let value = oriented(claim, frame, baseline, experiment);
            sizes.push(larger(baseline.abs(), experiment.abs()));
            sample.known.push(Known { index, session, cautious: value, generous: value });
        }
        // Sums of differences carry the rounding of the numbers that they are differences of.
        sample.tolerance = match frame.scale {
            Scale::AsIs | Scale::Negated => policy::EQUALITY * median(sizes),
            Scale::Exponential | Scale::NegatedExponential => policy::EQUALITY,
        };
        sample
    }

    fn empty(frame: Frame) -> Self {
        Self {
            known: Vec::new(),
            lost: Vec::new(),
            replicate: Replicate::Iteration,
            bound: frame.bound,
            tolerance: 0.0,
            scale: frame.scale,
            quantity: frame.quantity,
        }
    }

    fn lose(&mut self, kill: &Kill<'_>) {
        let code = kill.lost.unwrap_or(ReasonCode::MissingData);
        self.lost.push(LostKill { session: kill.windows.session, code });
    }

    /// The same sample with another replicate.
    pub(crate) fn with_replicate(mut self, replicate: Replicate) -> Self {
        self.replicate = replicate;
        self
    }

    /// Shares of requests under an absolute bound: cautious for a pass, generous for a fail.
    fn of_shares(kills: &[Kill<'_>], required: f64, claim: &Claim) -> Self {
        let lower_is_better = claim.form.lower_is_better();
        let (scale, bound) =
            if lower_is_better { (Scale::Negated, -required) } else { (Scale::AsIs, required) };
        let mut sample = Self::empty(Frame { scale, bound, quantity: DecidedQuantity::Experiment });
        for kill in kills {
            let bracket = kill.windows.experiment.share_under.filter(|_| kill.lost.is_none());
            let Some(bracket) = bracket else {
                sample.lose(kill);
                continue;
            };
            let (cautious, generous) = if lower_is_better {
                (-bracket.lower, -bracket.upper)
            } else {
                (bracket.upper, bracket.lower)
            };
            let (index, session) = (kill.windows.index, kill.windows.session);
            sample.known.push(Known { index, session, cautious, generous });
        }
        sample
    }

    /// The distinct causes of lost kills, in the order of their codes.
    pub(crate) fn lost_codes(&self) -> Vec<ReasonCode> {
        let mut codes: Vec<ReasonCode> = self.lost.iter().map(|kill| kill.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Kills in all, the lost ones included.
    pub(crate) fn kills(&self) -> usize {
        self.known.len() + self.lost.len()
    }

    /// Iterations that hold so many replicates, if sessions stay as large as they are.
    pub(crate) fn iterations_for(&self, replicates: u32) -> u32 {
        match self.replicate {
            Replicate::Iteration => replicates,
            Replicate::Session => {
                let sessions = self.pessimistic().len();
                let size = if sessions == 0 { 1 } else { self.kills().div_ceil(sessions) };
                replicates.saturating_mul(kill::small(size))
            }
        }
    }

    /// One number per replicate for the passing side: lost kills are worse than any other.
    pub(crate) fn pessimistic(&self) -> Vec<f64> {
        self.replicates(|known| known.cautious, f64::INFINITY)
    }

    /// One number per replicate for the failing side: lost kills are better than any other.
    pub(crate) fn optimistic(&self) -> Vec<f64> {
        self.replicates(|known| known.generous, f64::NEG_INFINITY)
    }

    /// The passing side if every bracket were settled for the best.
    pub(crate) fn pessimistic_if_settled(&self) -> Vec<f64> {
        self.replicates(|known| known.generous, f64::INFINITY)
    }

    /// The failing side if every bracket were settled for the worst.
    pub(crate) fn optimistic_if_settled(&self) -> Vec<f64> {
        self.replicates(|known| known.cautious, f64::NEG_INFINITY)
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

    /// Where no change, half of the margin and the bound lie, on the scale of [`Self::values`]. With an allowance
    /// that differs between iterations, no change lies at the typical allowance below the bound.
    pub(crate) fn margin(&self, claim: &Claim, kills: &[Kill<'_>]) -> Margin {
        let bound = self.bound;
        let part = claim.amount.value() * policy::CONTROL_MARGIN_SHARE;
        let neutral = match self.scale {
            Scale::Exponential => return Margin { neutral: 0.0, half: part.ln_1p(), bound },
            Scale::NegatedExponential => {
                return Margin { neutral: 0.0, half: -(-part).ln_1p(), bound };
            }
            Scale::AsIs | Scale::Negated if plain_amount(claim) => 0.0,
            Scale::AsIs | Scale::Negated => {
                let allowances: Vec<f64> = kills
                    .iter()
                    .filter_map(|kill| kill.windows.baseline.value.ok())
                    .map(|baseline| kill::allowance(claim.amount, claim.or_by, baseline))
                    .collect();
                bound - pseudo_median(&allowances).unwrap_or(bound)
            }
        };
        Margin { neutral, half: neutral + (bound - neutral) * policy::CONTROL_MARGIN_SHARE, bound }
    }
}

/// The margin of a claim against the baseline on the scale of its sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Margin {
    /// Where no change lies.
    pub(crate) neutral: f64,
    /// Where half of what is allowed is used up.
    pub(crate) half: f64,
    /// Where the claim breaks.
    pub(crate) bound: f64,
}

/// Whether the claim's amount is absolute and stands alone.
pub(crate) fn plain_amount(claim: &Claim) -> bool {
    matches!(claim.amount, Amount::Absolute(_)) && claim.or_by.is_none()
}

/// The bound of a claim on the scale of what it is about, as results show it: 1.4 for "increases by at most 40 %"
/// on ratios, 0 where an allowance is taken off first.
pub(crate) fn shown_bound(claim: &Claim, basis: Basis) -> f64 {
    let frame = frame_of(claim, basis);
    frame.scale.show(frame.bound)
}

/// Scale, bound and quantity of a claim.
fn frame_of(claim: &Claim, basis: Basis) -> Frame {
    let amount = claim.amount.value();
    let (scale, bound) = match claim.form {
        Form::AtMost => (Scale::AsIs, amount),
        Form::AtLeast => (Scale::Negated, -amount),
        Form::IncreaseAtMost if basis == Basis::Ratio => (Scale::Exponential, amount.ln_1p()),
        Form::DecreaseAtMost if basis == Basis::Ratio && amount < 1.0 => {
            (Scale::NegatedExponential, -(-amount).ln_1p())
        }
        // A plain amount is compared with the difference itself, …
        Form::IncreaseAtMost if plain_amount(claim) => (Scale::AsIs, amount),
        Form::DecreaseAtMost if plain_amount(claim) => (Scale::Negated, amount),
        // … an allowance that differs between iterations is taken off first, so that zero is the bound.
        Form::IncreaseAtMost => (Scale::AsIs, 0.0),
        Form::DecreaseAtMost => (Scale::Negated, 0.0),
    };
    let quantity = if claim.form.is_against_baseline() {
        DecidedQuantity::Effect
    } else {
        DecidedQuantity::Experiment
    };
    Frame { scale, bound, quantity }
}

/// Both numbers of a kill; of an absolute claim the baseline does not matter.
fn both(kill: &Kill<'_>, claim: &Claim) -> Option<(f64, f64)> {
    if kill.lost.is_some() {
        return None;
    }
    let experiment = kill.windows.experiment.value.ok()?;
    if !claim.form.is_against_baseline() {
        return Some((experiment, experiment));
    }
    Some((kill.windows.baseline.value.ok()?, experiment))
}

/// One kill's number, smaller is better; exactly the bound where the kill is at its bound.
fn oriented(claim: &Claim, frame: Frame, baseline: f64, experiment: f64) -> f64 {
    let excess = kill::excess(claim, baseline, experiment);
    if excess == 0.0 {
        return frame.bound;
    }
    match (claim.form, frame.scale) {
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
        (Form::IncreaseAtMost | Form::DecreaseAtMost, Scale::AsIs | Scale::Negated) => excess,
    }
}

/// The larger of two sizes.
fn larger(left: f64, right: f64) -> f64 {
    if left > right { left } else { right }
}

/// The upper median; 0 without values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
