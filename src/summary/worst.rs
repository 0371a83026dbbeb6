//! `worst: 1m`: the worst slice of a window instead of the whole of it.
//!
//! Owns the slices and the side that is worse. Slices run from the window's start, a shorter tail is dropped; a slice
//! without data or requests makes the window unknown.

use crate::spec::{Counted, Measure, Metric};
use crate::summary::error::PartExceedsTotal;
use crate::summary::meter::Reading;
use crate::summary::value::Loss;
use crate::unit::{Span, Window};

/// The side on which values are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorseSide {
    /// Greater is worse.
    Greater,
    /// Smaller is worse.
    Smaller,
}

impl WorseSide {
    /// The side that a metric's claim names; without one smaller is worse for a share of good events only.
    pub(crate) fn of(metric: &Metric) -> Self {
        let lower_is_better = match (&metric.claim, &metric.measure) {
            (Some(claim), _) => claim.form.lower_is_better(),
            (None, Measure::Ratio { counted: Counted::Good, .. }) => false,
            (None, _) => true,
        };
        if lower_is_better { Self::Greater } else { Self::Smaller }
    }

    /// The worse of two numbers.
    pub(crate) fn worse(self, left: f64, right: f64) -> f64 {
        let right_is_worse = match self {
            Self::Greater => right > left,
            Self::Smaller => right < left,
        };
        if right_is_worse { right } else { left }
    }
}

/// Whether a window counts as a whole or by its worst slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slicing {
    /// The whole window.
    Whole,
    /// The worst slice of this length.
    Worst {
        /// Length of a slice.
        length: Span,
        /// What is worse.
        side: WorseSide,
    },
}

impl Slicing {
    /// As a metric wants it.
    pub(crate) fn of(metric: &Metric) -> Self {
        match metric.worst {
            Some(length) if length > Span::ZERO => {
                Self::Worst { length, side: WorseSide::of(metric) }
            }
            Some(_) | None => Self::Whole,
        }
    }

    /// The window's number: of the whole, or of its worst slice.
    pub(crate) fn read(
        self,
        window: Window,
        mut read: impl FnMut(Window) -> Result<Reading, PartExceedsTotal>,
    ) -> Result<Reading, PartExceedsTotal> {
        let (length, side) = match self {
            Self::Whole => return read(window),
            Self::Worst { length, side } => (length, side),
        };
        let mut worst: Option<f64> = None;
        for slice in slices(window, length) {
            match read(slice)? {
                Ok(value) => worst = Some(worst.map_or(value, |worst| side.worse(worst, value))),
                Err(loss) => return Ok(Err(loss)),
            }
        }
        Ok(worst.ok_or(Loss::MissingData))
    }
}

/// The slices of a window from its start, without a shorter tail.
pub(crate) fn slices(window: Window, length: Span) -> impl Iterator<Item = Window> {
    let mut start = window.start;
    std::iter::from_fn(move || {
        let slice = Window { start, end: start.plus(length) };
        start = slice.end;
        (length > Span::ZERO && slice.end <= window.end).then_some(slice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Timestamp;

    #[test]
    fn slices_run_from_the_start_and_a_shorter_tail_is_dropped() {
        let at = Timestamp::from_milliseconds;
        let window = Window { start: at(100), end: at(450) };
        let starts: Vec<i64> = slices(window, Span::from_milliseconds(100))
            .map(|slice| slice.start.milliseconds())
            .collect();
        assert_eq!(starts, [100, 200, 300]);
        assert_eq!(slices(window, Span::from_milliseconds(400)).count(), 0);
    }
}
