//! Arguments that many methods share, in the spellings of R and scipy.

use crate::stats::Alternative;
use crate::stats::signed_rank::{NullDistribution, Zeros};
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

/// What happens to zero differences, in the names of scipy and of the vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum ZeroMethod {
    /// They are dropped.
    #[serde(rename = "drop(wilcox)", alias = "wilcox", alias = "drop")]
    Wilcox,
    /// They are ranked and their ranks dropped.
    #[serde(rename = "pratt", alias = "Pratt")]
    Pratt,
    /// They are ranked and their ranks split.
    #[serde(rename = "zsplit")]
    Zsplit,
}

impl From<ZeroMethod> for Zeros {
    fn from(method: ZeroMethod) -> Self {
        match method {
            ZeroMethod::Wilcox => Self::Drop,
            ZeroMethod::Pratt => Self::Pratt,
            ZeroMethod::Zsplit => Self::Split,
        }
    }
}

/// The null distribution that R's `exact` and `correct` ask for.
pub(crate) fn rank_null(exact: bool, continuity: bool) -> NullDistribution {
    match (exact, continuity) {
        (true, _) => NullDistribution::Exact,
        (false, true) => NullDistribution::NormalWithContinuity,
        (false, false) => NullDistribution::Normal,
    }
}

/// A level as the vectors put it into field names: 0.95 is "95", 0.975 is "97.5".
pub(crate) fn percent(level: f64) -> String {
    let hundredths = (level * 10_000.0).round() / 100.0;
    format!("{hundredths}")
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

    #[test]
    fn a_level_is_named_without_needless_digits() {
        assert_eq!((percent(0.95), percent(1.0 - 0.025)), ("95".to_owned(), "97.5".to_owned()));
    }
}
