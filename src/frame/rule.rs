//! The numbers of the measuring rules: part of the contract of a recording, not of a policy.
//!
//! They say when a sample still speaks for a moment and how much of a window has to be spoken for. Thresholds by
//! which claims are decided live with the verdicts; nobody tunes these.

use crate::unit::Span;

/// A base older than this many steps before a window's start does not carry an increase: a counter that was silent
/// for longer may have been restarted unseen.
pub const BASE_AGE_STEPS: i64 = 2;

/// A sample holds until the next one, at most this many half steps (2.5 steps): one scrape may be lost without the
/// value becoming unknown, two may not.
pub const HOLD_HALF_STEPS: i64 = 5;

/// With a deadline, no gap between the fault and the deadline may be longer than this many steps: a longer one could
/// hide a departure.
pub const GAP_STEPS: i64 = 3;

/// Share of a window that has to be held by samples.
pub const COVERAGE_REQUIRED: f64 = 0.9;

/// Series that start together with the recording of their metric are not born in it. Scrapes of different targets
/// are spread over one step, so that a first sample counts as a birth only when it comes at least this many tenths
/// of a step after the first sample of the metric; the missing tenth forgives jitter.
pub const BIRTH_DELAY_TENTHS: i64 = 9;

/// Greatest age of a base sample.
pub const fn base_age(step: Span) -> Span {
    step.times(BASE_AGE_STEPS)
}

/// Longest time that one sample is held.
pub const fn hold(step: Span) -> Span {
    step.times(HOLD_HALF_STEPS).half()
}

/// Longest gap between the fault and the deadline that is not lost data.
pub const fn gap(step: Span) -> Span {
    step.times(GAP_STEPS)
}

/// Smallest distance from the metric's first sample at which a series counts as born.
pub const fn birth_delay(step: Span) -> Span {
    Span::from_milliseconds(step.times(BIRTH_DELAY_TENTHS).milliseconds() / 10)
}

/// Whether a coverage is enough.
pub fn covers(coverage: f64) -> bool {
    coverage >= COVERAGE_REQUIRED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_contract() {
        let step = Span::from_seconds(5);
        assert_eq!(base_age(step), Span::from_seconds(10));
        assert_eq!(hold(step), Span::from_milliseconds(12_500));
        assert_eq!(gap(step), Span::from_seconds(15));
        assert!(covers(Span::from_seconds(270).seconds() / Span::from_seconds(300).seconds()));
        assert!(!covers(Span::from_milliseconds(269_999).seconds() / 300.0));
    }
}
