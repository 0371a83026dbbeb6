//! The lengths and limits that a campaign keeps to.

use crate::unit::Span;

/// What a campaign keeps to from its first to its last iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Length of the baseline window.
    pub baseline: Span,
    /// Length of the experiment window.
    pub experiment: Span,
    /// Rest after recovery; the longer of the document's and the policy's.
    pub cooldown: Span,
    /// Rest before anything else, so that the first window has samples before it.
    pub settle: Span,
    /// How long the service has to be well without a break to count as recovered.
    pub stable_for: Span,
    /// How long conditions and recovery are waited for.
    pub patience: Span,
    /// Failed iterations in a row after which the campaign still goes on; one more opens the circuit breaker.
    pub failures_allowed: u32,
}
