//! The words that every section shares: marks of verdicts, reasons, estimands, methods.
//!
//! Codes of the result become plain language here and nowhere else. The code itself stays beside the words, because
//! people search for it.

use serde::Serialize;

use crate::report::number;
use crate::spec::Estimand;
use crate::verdict::result::{ClaimInfo, Reason, Verdict, Warning};

/// How a verdict looks: word, code and whether it is one at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// `pass`, `fail`, `inconclusive` or `none`; names the style and the shape.
    pub code: &'static str,
    /// The word that readers see.
    pub word: &'static str,
}

impl Mark {
    /// The mark of a verdict; of none for what was not judged.
    pub const fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Pass) => Self { code: "pass", word: "Pass" },
            Some(Verdict::Fail) => Self { code: "fail", word: "Fail" },
            Some(Verdict::Inconclusive) => Self { code: "inconclusive", word: "Inconclusive" },
            None => Self { code: "none", word: "Not judged" },
        }
    }
}

/// A reason or a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable code.
    pub code: String,
    /// The metric that it is about; none for the experiment.
    pub metric: Option<String>,
    /// In words.
    pub message: String,
    /// What would settle it, in words.
    pub needed: Option<String>,
}

impl Note {
    /// A reason of a verdict.
    pub fn reason(reason: &Reason) -> Self {
        Self {
            code: reason.code.word().to_owned(),
            metric: reason.metric.clone(),
            message: reason.message.clone(),
            needed: reason.iterations_needed.map(|needed| {
                format!("{} in all would settle it", number::counted(needed, "usable kill"))
            }),
        }
    }

    /// A reason told in the section of its own metric, which need not be named again.
    pub(crate) fn own_reason(reason: &Reason) -> Self {
        Self { metric: None, ..Self::reason(reason) }
    }

    /// What is said and what is needed as one sentence.
    pub(crate) fn sentence(&self) -> String {
        match &self.needed {
            Some(needed) => format!("{}; {needed}", self.message.trim_end_matches('.')),
            None => self.message.clone(),
        }
    }

    /// A warning.
    pub fn warning(warning: &Warning) -> Self {
        Self {
            code: warning.code.clone(),
            metric: None,
            message: warning.message.clone(),
            needed: None,
        }
    }
}

/// What a claim is said of, in words.
pub(crate) fn question(estimand: Option<Estimand>, claim: &ClaimInfo) -> String {
    let share = claim
        .share
        .map_or_else(String::new, |share| format!(" (at least {} of kills)", number::share(share)));
    match estimand {
        Some(Estimand::MostKills) => format!("most kills{share}"),
        Some(Estimand::EveryKill) => format!("every kill{share}"),
        Some(Estimand::AllRequests) => "all requests of the experiment windows".to_owned(),
        Some(Estimand::TypicalKill) => "the typical kill (pseudo-median)".to_owned(),
        Some(Estimand::ThisRun) => "this run, as observed".to_owned(),
        None => "no estimand".to_owned(),
    }
}

/// Codes of exclusions and of lost data in words; an unknown code stays as it is.
pub(crate) fn loss(code: &str) -> &str {
    match code {
        "not_injected" => "nothing was killed",
        "baseline_missing" => "the baseline has too little data",
        "no_traffic" => "too few requests",
        "missing_data" => "data are missing",
        "aborted" => "a rule stopped it",
        other => other,
    }
}

/// Codes of methods in words; an unknown code stays as it is.
pub(crate) fn method(code: &str) -> String {
    match code {
        "clopper_pearson" => "Clopper–Pearson limits on the share of kills".to_owned(),
        "korn_graubard" => "Korn–Graubard limits, clustered by iteration".to_owned(),
        "zero_events" => "exact zero-event limit".to_owned(),
        "signed_rank" => "exact signed-rank limits (Walsh averages)".to_owned(),
        "linearised_ratio" => "linearised ratio, clustered by iteration".to_owned(),
        "threshold" => "comparison with the threshold, no inference".to_owned(),
        "sign_flip" => "exact sign-flip on the mean".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A code as words.
pub(crate) fn spaced(code: &str) -> String {
    code.replace('_', " ")
}
