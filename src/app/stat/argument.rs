//! Arguments that many methods share, in the spellings of R and scipy.

use crate::stats::Alternative;
use serde::Deserialize;

/// The `alternative` of R and scipy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) enum Side {
    /// Either direction; the default everywhere.
    #[default]
    #[serde(rename = "two.sided", alias = "two-sided", alias = "two_sided")]
    TwoSided,
    /// R `less`, statsmodels `smaller`.
    #[serde(rename = "less", alias = "smaller")]
    Less,
    /// R `greater`, statsmodels `larger`.
    #[serde(rename = "greater", alias = "larger")]
    Greater,
    /// R `power.t.test` writes `one.sided` where the direction does not matter; taken as `Greater`.
    #[serde(rename = "one.sided", alias = "one-sided", alias = "one_sided")]
    OneSided,
}

impl From<Side> for Alternative {
    fn from(side: Side) -> Self {
        match side {
            Side::TwoSided => Self::TwoSided,
            Side::Less => Self::Less,
            Side::Greater | Side::OneSided => Self::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_r_and_scipy_mean_the_same() {
        for (spelling, alternative) in [
            ("two.sided", Alternative::TwoSided),
            ("two-sided", Alternative::TwoSided),
            ("less", Alternative::Less),
            ("smaller", Alternative::Less),
            ("greater", Alternative::Greater),
            ("one.sided", Alternative::Greater),
        ] {
            let side: Side = serde_json::from_str(&format!("\"{spelling}\"")).unwrap();
            assert_eq!(Alternative::from(side), alternative);
        }
    }
}
