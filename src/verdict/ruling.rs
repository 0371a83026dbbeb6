//! What a method says about one claim before claims are weighed together.
//!
//! A ruling passes, fails, or does neither and says why. Whether a fail survives Holm over all claims, and whether
//! a validity reason blocks it, is decided in `judge`.

use crate::verdict::result::{Decision, ReasonCode, Sensitivity, Warning};

/// What a method says about one claim.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruling {
    /// Limits, bound and levels.
    pub(crate) decision: Decision,
    /// The limit lies inside the bound.
    pub(crate) passes: bool,
    /// The limit lies outside the bound.
    pub(crate) fails: bool,
    /// Why it does neither; the first one weighs most.
    pub(crate) causes: Vec<Cause>,
    /// Figures that do not decide.
    pub(crate) sensitivity: Vec<Sensitivity>,
    /// What a reader should know besides.
    pub(crate) warnings: Vec<Warning>,
    /// What the sentence of a pass must not leave out.
    pub(crate) remark: Option<String>,
}

/// A reason before it is tied to a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    /// Stable code.
    pub(crate) code: ReasonCode,
    /// In words.
    pub(crate) message: String,
    /// Usable iterations in all that would settle it.
    pub(crate) iterations_needed: Option<u32>,
}

impl Cause {
    /// A cause that more iterations would settle.
    pub(crate) const fn with_needed(
        code: ReasonCode,
        message: String,
        iterations_needed: Option<u32>,
    ) -> Self {
        Self { code, message, iterations_needed }
    }

    /// A cause that more iterations would not settle by themselves.
    pub(crate) const fn new(code: ReasonCode, message: String) -> Self {
        Self { code, message, iterations_needed: None }
    }

    /// Lost kills; `judge` names the iterations.
    pub(crate) fn plain(code: ReasonCode) -> Self {
        Self::new(code, String::new())
    }
}

impl Ruling {
    /// A ruling without causes yet.
    pub(crate) const fn of(decision: Decision, passes: bool, fails: bool) -> Self {
        Self {
            decision,
            passes,
            fails,
            causes: Vec::new(),
            sensitivity: Vec::new(),
            warnings: Vec::new(),
            remark: None,
        }
    }

    /// Blocks a pass and a fail.
    pub(crate) fn block(&mut self, cause: Cause) {
        self.passes = false;
        self.fails = false;
        self.causes.insert(0, cause);
    }

    /// A ruling that can only be inconclusive.
    pub(crate) fn undecidable(decision: Decision, cause: Cause) -> Self {
        let mut ruling = Self::of(decision, false, false);
        ruling.causes.push(cause);
        ruling
    }
}
