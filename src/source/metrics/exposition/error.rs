//! Why a text is no exposition: the line, what was found there and what is accepted.

/// Longest piece of a line that a message repeats.
const SHOWN: usize = 120;

/// Why a text is no exposition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: found {found}; accepted is {accepted}")]
pub struct ExpositionError {
    line: usize,
    found: String,
    accepted: String,
}

impl ExpositionError {
    /// A problem in a line, counted from 1.
    pub fn new(line: usize, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        Self { line, found: found.into(), accepted: accepted.into() }
    }

    /// A problem with a piece of text, which the message repeats.
    pub(super) fn of_text(line: usize, text: &str, accepted: impl Into<String>) -> Self {
        Self::new(line, quoted(text), accepted)
    }

    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }
}

/// A piece of a line in quotes, shortened.
pub(super) fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("'{}{more}'", shown.escape_debug())
}
