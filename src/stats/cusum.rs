//! The tabular CUSUM chart.
//!
//! Owns the two one-sided cumulative sums and where they signal. It is told the target, the allowance and
//! the decision interval; it does not estimate them, and it says nothing about autocorrelation.

use crate::stats::position::larger;
use crate::stats::{Undefined, require_finite};

/// The design of a chart, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design {
    /// The in-control mean μ₀.
    pub target: f64,
    /// The allowance K, usually half a standard deviation.
    pub allowance: f64,
    /// The decision interval H, usually five standard deviations.
    pub decision: f64,
}

/// In which direction the level has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shift {
    /// The upper sum passed the decision interval.
    Up,
    /// The lower sum passed it.
    Down,
}

/// The first signal of a chart; positions count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Where a sum first exceeds the decision interval.
    pub position: usize,
    /// Which of the two sums.
    pub shift: Shift,
    /// The last position before the signal where that sum was 0: the shift began after it. `None` when the
    /// sum has been positive from the first value on.
    pub last_zero: Option<usize>,
}

/// A chart with its first signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// C⁺ after each value.
    pub upper: Vec<f64>,
    /// C⁻ after each value.
    pub lower: Vec<f64>,
    /// The first signal, if there is one.
    pub signal: Option<Signal>,
}

/// The tabular CUSUM chart of a series.
///
/// C⁺ᵢ = max(0, xᵢ − (μ₀ + K) + C⁺ᵢ₋₁) and C⁻ᵢ = max(0, (μ₀ − K) − xᵢ + C⁻ᵢ₋₁), both from 0; a signal is a
/// sum above H (Page 1954; Montgomery 2013, equations 9.2 and 9.3). When both sums signal at once the upper
/// one is named. With K = σ/2 and H = 5σ the mean run length without a shift is 465. Cost: one pass.
/// Edge cases: values must be finite; K and H must not be negative.
///
/// ```
/// use unfazed::stats::cusum::{Design, Shift, chart};
/// let found = chart(&[0.0, 0.0, 3.0, 3.0], Design { target: 0.0, allowance: 1.0, decision: 3.0 }).unwrap();
/// assert_eq!(found.upper, vec![0.0, 0.0, 2.0, 4.0]);
/// let signal = found.signal.unwrap();
/// assert_eq!((signal.position, signal.shift, signal.last_zero), (3, Shift::Up, Some(1)));
/// ```
pub fn chart(values: &[f64], design: Design) -> Result<Chart, Undefined> {
    require_finite(values)?;
    if !design.target.is_finite() {
        return Err(Undefined::OutOfRange {
            what: "the target",
            found: design.target,
            accepted: "a finite number",
        });
    }
    for (what, found) in
        [("the allowance", design.allowance), ("the decision interval", design.decision)]
    {
        if !(found >= 0.0 && found.is_finite()) {
            return Err(Undefined::OutOfRange { what, found, accepted: "a number of at least 0" });
        }
    }
    let mut upper = Vec::with_capacity(values.len());
    let mut lower = Vec::with_capacity(values.len());
    let (mut up, mut down) = (0.0, 0.0);
    let (mut zero_up, mut zero_down) = (None, None);
    let mut signal = None;
    for (position, value) in values.iter().enumerate() {
        up = larger(0.0, value - (design.target + design.allowance) + up);
        down = larger(0.0, (design.target - design.allowance) - value + down);
        if signal.is_none() {
            if up > design.decision {
                signal = Some(Signal { position, shift: Shift::Up, last_zero: zero_up });
            } else if down > design.decision {
                signal = Some(Signal { position, shift: Shift::Down, last_zero: zero_down });
            }
        }
        if up <= 0.0 {
            zero_up = Some(position);
        }
        if down <= 0.0 {
            zero_down = Some(position);
        }
        upper.push(up);
        lower.push(down);
    }
    Ok(Chart { upper, lower, signal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DESIGN: Design = Design { target: 0.0, allowance: 0.5, decision: 4.0 };

    #[test]
    fn values_at_the_target_never_signal() {
        assert_eq!(chart(&[0.0; 50], DESIGN).unwrap().signal, None);
    }

    #[test]
    fn a_sum_equal_to_the_decision_interval_does_not_signal() {
        assert_eq!(chart(&[4.5], DESIGN).unwrap().signal, None);
        let signal = chart(&[4.6], DESIGN).unwrap().signal.unwrap();
        assert_eq!((signal.position, signal.last_zero), (0, None));
    }

    #[test]
    fn a_negative_allowance_is_refused() {
        let design = Design { allowance: -1.0, ..DESIGN };
        assert_eq!(chart(&[1.0], design).unwrap_err().code(), "out_of_range");
    }

    proptest! {
        #[test]
        fn mirrored_values_swap_the_sums(values in prop::collection::vec(-5.0_f64..5.0, 1..40)) {
            let found = chart(&values, DESIGN).unwrap();
            let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
            let back = chart(&mirrored, DESIGN).unwrap();
            prop_assert_eq!(&found.upper, &back.lower);
            prop_assert_eq!(&found.lower, &back.upper);
        }

        #[test]
        fn the_upper_sum_is_the_largest_sum_of_a_tail(values in prop::collection::vec(-5.0_f64..5.0, 1..25)) {
            let found = chart(&values, DESIGN).unwrap();
            for end in 0..values.len() {
                let slow = (0..=end)
                    .map(|start| values[start..=end].iter().map(|value| value - 0.5).sum::<f64>())
                    .fold(0.0_f64, larger);
                prop_assert!((found.upper[end] - slow).abs() < 1e-9);
            }
        }
    }
}
