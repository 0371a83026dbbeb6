//! Why a request has no result.

use crate::stats::Undefined;
use serde::Serialize;

/// The error object of an answer line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// A failure with a stable code and a sentence for people.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The line is no request: broken JSON, or inputs and arguments of the wrong shape.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new("bad_request", message)
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<Undefined> for Failure {
    fn from(reason: Undefined) -> Self {
        Self::new(reason.code(), reason.to_string())
    }
}
