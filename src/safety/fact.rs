//! Something that was looked up, or the reason why it is not known.
//!
//! A decision never guesses: what is not known denies, except where the time to look has not come.

/// Something that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// What was found.
    Known(T),
    /// It was looked for, and why it is not known: denies.
    Unknown(String),
    /// The time to look has not come: denies a kill, and before it is only said.
    NotYet,
}

impl<T> Fact<T> {
    /// The fact as a reference to what it holds.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Unknown(why) => Fact::Unknown(why.clone()),
            Self::NotYet => Fact::NotYet,
        }
    }
}

impl<T> From<T> for Fact<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}
