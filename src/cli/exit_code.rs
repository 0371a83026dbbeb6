//! The exit codes, which scripts rely on.

use crate::app::AppError;
use crate::verdict::result::Verdict;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, and for `analyze` a pass.
    Done,
    /// The hypothesis failed.
    Fail,
    /// Wrong arguments or an invalid document.
    Usage,
    /// Neither pass nor fail.
    Inconclusive,
    /// A source or file could not be read or written.
    Unreadable,
    /// Refused by policy or safety.
    Refused,
    /// A bug of ours.
    Bug,
}

impl ExitCode {
    /// The number that the shell sees.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fail => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Unreadable => 4,
            Self::Refused => 5,
            Self::Bug => 70,
        }
    }

    /// The code of a verdict.
    pub const fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Done,
            Verdict::Fail => Self::Fail,
            Verdict::Inconclusive => Self::Inconclusive,
        }
    }

    /// The code of an error.
    pub const fn of_error(error: &AppError) -> Self {
        if error.is_refusal() {
            return Self::Refused;
        }
        if error.is_invalid_input() { Self::Usage } else { Self::Unreadable }
    }
}
