//! One falsifiable claim about one metric: form, bound and the sense in which it is meant.
//!
//! Bounds are already in the metric's own unit. Refuses to know data: `verdict` decides claims.

use serde::{Deserialize, Serialize};

/// On which side of which reference the metric has to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// At most the bound.
    AtMost,
    /// At least the bound.
    AtLeast,
    /// At most so much above the iteration's own baseline.
    IncreaseAtMost,
    /// At most so much below the iteration's own baseline.
    DecreaseAtMost,
}

impl Form {
    /// Whether the claim is made against the iteration's own baseline.
    pub const fn is_against_baseline(self) -> bool {
        match self {
            Self::AtMost | Self::AtLeast => false,
            Self::IncreaseAtMost | Self::DecreaseAtMost => true,
        }
    }

    /// Whether smaller values are better under this claim.
    pub const fn lower_is_better(self) -> bool {
        match self {
            Self::AtMost | Self::IncreaseAtMost => true,
            Self::AtLeast | Self::DecreaseAtMost => false,
        }
    }
}

/// The bound's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// In the metric's own unit (a fraction for ratios; `2pp` is 0.02).
    Absolute(f64),
    /// A fraction of the baseline: `40%` is 0.4. Only in claims against the baseline.
    Relative(f64),
}

impl Amount {
    /// The bare number.
    pub const fn value(self) -> f64 {
        match self {
            Self::Absolute(value) | Self::Relative(value) => value,
        }
    }
}

/// Whether a value equal to the bound is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Equality is inside.
    EqualityInside,
    /// `strict: true`: equality is outside.
    EqualityOutside,
}

/// What "stays inside the bound" is said of (`for:`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimand {
    /// The share of kills that stay inside is at least `share`.
    MostKills,
    /// The same with a share of 95 %.
    EveryKill,
    /// All requests of the experiment windows, clustered by iteration.
    AllRequests,
    /// The pseudo-median kill.
    TypicalKill,
    /// Every iteration of this run, as observed: no inference.
    ThisRun,
}

impl Estimand {
    /// Every estimand, in the order of the documentation.
    pub const ALL: [Self; 5] =
        [Self::MostKills, Self::EveryKill, Self::AllRequests, Self::TypicalKill, Self::ThisRun];

    /// The word of documents and results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::MostKills => "most_kills",
            Self::EveryKill => "every_kill",
            Self::AllRequests => "all_requests",
            Self::TypicalKill => "typical_kill",
            Self::ThisRun => "this_run",
        }
    }
}

/// One falsifiable claim about a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Side and reference.
    pub form: Form,
    /// Size of the bound.
    pub amount: Amount,
    /// `or_by`: an absolute allowance in the metric's unit; the larger allowance counts.
    pub or_by: Option<f64>,
    /// Whether equality is inside.
    pub strictness: Strictness,
    /// What the claim is said of.
    pub estimand: Estimand,
    /// Share of kills that has to stay inside (`most_kills`, `every_kill`).
    pub share: f64,
    /// The claim in words, e.g. `at most 0.1 %` or `increases by at most 40 % or by 20`.
    pub text: String,
}
