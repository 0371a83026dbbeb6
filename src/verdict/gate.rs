//! The gate log: what was compared with what, recorded by the expression that decides.
//!
//! A rule calls [`GateLog::at_most`] or [`GateLog::at_least`] and acts on the answer; there is no way to record one
//! thing and decide by another.

use crate::verdict::result::{Gate, GateOutcome};

/// Comparisons in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct GateLog {
    gates: Vec<Gate>,
}

impl GateLog {
    /// An empty log.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether `value <= threshold`.
    pub(crate) fn at_most(&mut self, name: &str, value: f64, threshold: f64) -> bool {
        self.record(name, value, threshold, value <= threshold)
    }

    /// Whether `value >= threshold`.
    pub(crate) fn at_least(&mut self, name: &str, value: f64, threshold: f64) -> bool {
        self.record(name, value, threshold, value >= threshold)
    }

    /// Whether `count >= threshold`.
    pub(crate) fn enough(&mut self, name: &str, count: usize, threshold: usize) -> bool {
        self.at_least(
            name,
            crate::stats::count_to_f64(count),
            crate::stats::count_to_f64(threshold),
        )
    }

    /// Whether `value` counts as at most `threshold`, as a rule that knows of equality and strictness `says`; a value
    /// that does not exist is noted and the rule's word stands.
    pub(crate) fn says_at_most(
        &mut self,
        name: &str,
        value: Option<f64>,
        threshold: f64,
        says: bool,
    ) -> bool {
        if let Some(value) = value {
            return self.record(name, value, threshold, says);
        }
        self.undefined(name, threshold);
        says
    }

    /// Whether `value` counts as at least `threshold`, as a rule that decides by a level `says`.
    pub(crate) fn says_at_least(
        &mut self,
        name: &str,
        value: f64,
        threshold: f64,
        says: bool,
    ) -> bool {
        self.record(name, value, threshold, says)
    }

    /// Notes that a comparison was not possible.
    fn undefined(&mut self, name: &str, threshold: f64) {
        self.gates.push(Gate {
            name: name.to_owned(),
            value: None,
            threshold: Some(threshold).filter(|number| number.is_finite()),
            outcome: GateOutcome::Undefined,
        });
    }

    /// The comparisons.
    pub(crate) fn into_gates(self) -> Vec<Gate> {
        self.gates
    }

    fn record(&mut self, name: &str, value: f64, threshold: f64, holds: bool) -> bool {
        if value.is_nan() || threshold.is_nan() {
            self.undefined(name, threshold);
            return false;
        }
        self.gates.push(Gate {
            name: name.to_owned(),
            value: Some(value).filter(|number| number.is_finite()),
            threshold: Some(threshold).filter(|number| number.is_finite()),
            outcome: if holds { GateOutcome::Passed } else { GateOutcome::Failed },
        });
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_what_was_decided() {
        let mut log = GateLog::new();
        assert!(log.at_most("errors", 1.0, 1.0));
        assert!(!log.at_most("errors", 1.1, 1.0));
        assert!(!log.at_least("errors", f64::NAN, 1.0));
        let outcomes: Vec<GateOutcome> = log.into_gates().iter().map(|gate| gate.outcome).collect();
        assert_eq!(outcomes, [GateOutcome::Passed, GateOutcome::Failed, GateOutcome::Undefined]);
    }
}
