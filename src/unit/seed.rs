//! The seed of a study.
//!
//! Owns one number from which every random draw of an analysis follows, and refuses to know any
//! generator: `stats::random` turns a seed, a key and a purpose into a named stream.

use serde::{Deserialize, Serialize};

/// The number that makes every random draw of an analysis repeatable.
///
/// It is an input of every resampling function and is printed in the report.
///
/// ```
/// use unfazed::unit::Seed;
/// assert_eq!(Seed(7).to_string(), "7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(
    /// The number itself, as printed in reports and given on the command line.
    pub u64,
);

impl std::fmt::Display for Seed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_written_as_a_bare_number() {
        assert_eq!(serde_json::to_string(&Seed(42)).unwrap(), "42");
        assert_eq!(serde_json::from_str::<Seed>("42").unwrap(), Seed(42));
    }
}
