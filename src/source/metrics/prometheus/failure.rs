//! Why a server did not answer, in words that a person can act on and that hold no secret.

/// Why a Prometheus server could not be asked, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to {tried}: {found}; {advice}")]
pub struct PrometheusError {
    /// What kind of failure it is.
    pub kind: FailureKind,
    tried: String,
    found: String,
    advice: String,
}

/// Kinds of failures, as far as a caller may want to tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The document's `source` cannot be used: an address, a secret or a certificate is missing or wrong.
    Setup,
    /// No connection, or it broke, as often as it was tried.
    Unreachable,
    /// The time that all of the work may take is over.
    Deadline,
    /// 401 or 403.
    Refused,
    /// Any other status.
    Status(u16),
    /// Something that is no answer of the query API.
    NotAnAnswer,
    /// The server understood the question and says that it is wrong.
    Query,
    /// The answer is larger than the server or we allow, also in the smallest pieces.
    TooLarge,
    /// What was fetched could not be kept.
    NotKept,
}

impl PrometheusError {
    /// A failure. The texts must hold no secret.
    pub(super) fn new(
        kind: FailureKind,
        tried: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { kind, tried: tried.into(), found: found.into(), advice: advice.into() }
    }

    /// What was found, without what was tried and what to do.
    pub fn found(&self) -> &str {
        &self.found
    }
}
