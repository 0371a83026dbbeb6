//! The alternative of a test.
//!
//! Owns the three directions in which a null hypothesis can be wrong; it knows no test and no claim.

/// The direction in which the null hypothesis is suspected to be wrong.
///
/// For a test on two samples `x` and `y` the direction speaks about `x`: `Greater` is "x tends to be
/// greater than y". For a test on one sample it speaks about the sample against the stated value.
///
/// ```
/// use unfazed::stats::Alternative;
/// assert_eq!(Alternative::Less.mirrored(), Alternative::Greater);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alternative {
    /// The parameter is less than the stated value.
    Less,
    /// The parameter is greater than the stated value.
    Greater,
    /// The parameter differs from the stated value in either direction.
    TwoSided,
}

impl Alternative {
    /// All alternatives, each once.
    pub const ALL: [Self; 3] = [Self::Less, Self::Greater, Self::TwoSided];

    /// The alternative after the sign of the data has been changed.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::Greater => Self::Less,
            Self::TwoSided => Self::TwoSided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_twice_changes_nothing() {
        for alternative in Alternative::ALL {
            assert_eq!(alternative.mirrored().mirrored(), alternative);
        }
    }
}
