//! Brent's root finder with an absolute tolerance.
//!
//! Owns the method of Brent (1973), "Algorithms for Minimization without Derivatives", section 4.2: inverse
//! quadratic interpolation or the secant where they shrink the bracket fast enough, bisection elsewhere. It
//! exists because other tools publish roots at a coarse tolerance, and only the same steps give the same
//! digits; where no tool has to be met, the kernels bisect to rounding.

/// Where a continuous function with opposite signs at both ends crosses zero, to within `tolerance`.
///
/// At most 1000 steps. An end that is a root is returned as it is.
pub(crate) fn brent_root(function: impl Fn(f64) -> f64, from: f64, to: f64, tolerance: f64) -> f64 {
    let mut previous = Point::of(&function, from);
    let mut best = Point::of(&function, to);
    if previous.value.abs() <= 0.0 {
        return previous.at;
    }
    if best.value.abs() <= 0.0 {
        return best.at;
    }
    // The point on the other side of the root from `best`.
    let mut opposite = previous;
    for _ in 0..1000 {
        let last_step = best.at - previous.at;
        if opposite.value.abs() < best.value.abs() {
            previous = best;
            best = opposite;
            opposite = previous;
        }
        let smallest_step = 2.0 * f64::EPSILON * best.at.abs() + 0.5 * tolerance;
        let halfway = 0.5 * (opposite.at - best.at);
        if halfway.abs() <= smallest_step || best.value.abs() <= 0.0 {
            break;
        }
        let worth_a_try =
            last_step.abs() >= smallest_step && previous.value.abs() > best.value.abs();
        let step = worth_a_try
            .then(|| interpolated(previous, best, opposite))
            .and_then(|quotient| quotient.accepted(opposite.at - best.at, smallest_step, last_step))
            .unwrap_or(halfway);
        let step = if step.abs() < smallest_step { smallest_step.copysign(step) } else { step };
        previous = best;
        best = Point::of(&function, best.at + step);
        if best.value * opposite.value > 0.0 {
            opposite = previous;
        }
    }
    best.at
}

#[derive(Debug, Clone, Copy)]
struct Point {
    at: f64,
    value: f64,
}

impl Point {
    fn of(function: &impl Fn(f64) -> f64, at: f64) -> Self {
        Self { at, value: function(at) }
    }
}

/// A proposed step as numerator over a denominator, whose division may be dangerous; numerator ≥ 0.
struct Quotient {
    numerator: f64,
    denominator: f64,
}

impl Quotient {
    /// The step, if it stays well inside the bracket and at least halves the last step.
    fn accepted(&self, bracket: f64, smallest_step: f64, last_step: f64) -> Option<f64> {
        let inside =
            0.75 * bracket * self.denominator - 0.5 * (smallest_step * self.denominator).abs();
        let shrinking = (0.5 * last_step * self.denominator).abs();
        (self.numerator < inside && self.numerator < shrinking)
            .then(|| self.numerator / self.denominator)
    }
}

/// The secant step with two points, the inverse quadratic step with three.
fn interpolated(previous: Point, best: Point, opposite: Point) -> Quotient {
    let width = opposite.at - best.at;
    let to_previous = best.value / previous.value;
    let (numerator, denominator) = if (previous.at - opposite.at).abs() <= 0.0 {
        (width * to_previous, 1.0 - to_previous)
    } else {
        let ratio = previous.value / opposite.value;
        let to_opposite = best.value / opposite.value;
        let behind = best.at - previous.at;
        (
            to_previous * (width * ratio * (ratio - to_opposite) - behind * (to_opposite - 1.0)),
            (ratio - 1.0) * (to_opposite - 1.0) * (to_previous - 1.0),
        )
    };
    if numerator > 0.0 {
        Quotient { numerator, denominator: -denominator }
    } else {
        Quotient { numerator: -numerator, denominator }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_to_the_tolerance() {
        let root = brent_root(|x| x.exp() - 2.0, 0.0, 5.0, 1e-12);
        assert!((root - std::f64::consts::LN_2).abs() < 1e-12);
    }

    #[test]
    fn an_end_that_is_a_root_is_returned() {
        assert_eq!(brent_root(|x| x, 0.0, 1.0, 1e-3).to_bits(), 0.0_f64.to_bits());
        assert_eq!(brent_root(|x| x - 1.0, 0.0, 1.0, 1e-3).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn a_flat_function_is_bisected() {
        let root = brent_root(|x| (x - 0.3).powi(9), 0.0, 1.0, 1e-10);
        assert!((root - 0.3).abs() < 1e-9);
    }
}
