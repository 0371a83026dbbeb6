//! How sure a suggestion is: graded from limits that the result holds, or from k of n kills, never invented.

use serde::{Deserialize, Serialize};

use crate::runbook::policy;
use crate::stats::count_to_f64;
use crate::stats::proportion::clopper_pearson_lower;
use crate::unit::show;

/// How sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Seen once, or without a limit.
    Low,
    /// Seen several times; the limit does not exclude chance.
    Medium,
    /// A confidence limit lies beyond the threshold.
    High,
    /// Read from the document or counted; nothing is inferred.
    Fact,
}

impl Grade {
    /// The word that readers see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Fact => "fact",
        }
    }
}

/// A grade and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confidence {
    /// How sure.
    pub grade: Grade,
    /// What that rests on.
    pub why: String,
}

impl Confidence {
    /// A grade with its reason.
    pub fn new(grade: Grade, why: String) -> Self {
        Self { grade, why }
    }

    /// Something read or counted, without inference.
    pub fn fact(why: &str) -> Self {
        Self::new(Grade::Fact, why.to_owned())
    }

    /// Something seen in `seen` of `of` kills, with the exact lower limit (Clopper and Pearson 1934) of its share among
    /// kills at the result's own confidence.
    pub fn of_kills(seen: u32, of: u32, confidence: f64) -> Self {
        let trials = f64::from(of);
        let lower = clopper_pearson_lower(f64::from(seen), trials, 1.0 - confidence);
        let counted = format!(
            "seen in {seen} of {of} {}; so in at least {} of kills ({})",
            if of == 1 { "kill" } else { "kills" },
            show::percent(lower),
            show::level(confidence)
        );
        let grade = if lower > policy::MORE_KILLS_THAN_NOT {
            Grade::High
        } else if seen >= policy::SEEN_TWICE {
            Grade::Medium
        } else {
            Grade::Low
        };
        Self::new(grade, counted)
    }

    /// The same, never higher than `most`: for what a verdict has not shown.
    #[must_use]
    pub fn at_most(self, most: Grade) -> Self {
        Self { grade: self.grade.min(most), why: self.why }
    }
}

/// A number of things for [`Confidence::of_kills`].
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The mean of values; none without any.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut count = 0;
    let mut sum = 0.0;
    for value in values {
        count += 1;
        sum += value;
    }
    (count > 0).then(|| sum / count_to_f64(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grade_follows_the_lower_limit() {
        let grade = |seen, of| Confidence::of_kills(seen, of, 0.95).grade;
        assert_eq!(grade(1, 1), Grade::Low);
        assert_eq!(grade(1, 3), Grade::Low);
        assert_eq!(grade(2, 3), Grade::Medium);
        assert_eq!(grade(4, 4), Grade::Medium, "four of four prove 47 %");
        assert_eq!(grade(5, 5), Grade::High, "five of five prove 55 %");
    }
}
