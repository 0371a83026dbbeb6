//! The interval that decided, against its bound.

use crate::report::ReportError;
use crate::report::chart::axis::{Axis, TickStyle, range};
use crate::report::chart::canvas::{Anchor, Canvas, Ink, Labels, Shape, WIDTH, at, draw};
use crate::report::view::Scale;
use crate::report::view::{DecisionView, GoodSide, Mark};
use crate::unit::{Dimension, Unit};

/// Height of the chart in points.
const HEIGHT: f64 = 96.0;
/// Space at the sides, for half a label.
const SIDE: f64 = 26.0;
/// Height of the interval's line.
const MIDDLE: f64 = 44.0;
/// Height of the axis.
const FLOOR: f64 = 70.0;

/// A line from the lower to the upper limit, the estimate on it, the bound across, the good side shaded.
///
/// Nothing is drawn where there is no limit at all.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub fn interval(
    decision: &DecisionView,
    mark: Mark,
    name: &str,
    id: &str,
) -> Result<Option<String>, ReportError> {
    if decision.lower.value.is_none() && decision.upper.value.is_none() {
        return Ok(None);
    }
    let labels = Labels {
        id: id.to_owned(),
        title: format!("{name}: limits against the bound"),
        description: format!(
            "{}: estimate {}, one-sided lower limit {}, one-sided upper limit {}; the claim holds {} {}.",
            decision.quantity,
            decision.estimate.text,
            decision.lower.text,
            decision.upper.text,
            match decision.good_side {
                GoodSide::Below => "at or below",
                GoodSide::Above => "at or above",
            },
            decision.bound.text,
        ),
    };
    Ok(Some(draw(HEIGHT, |canvas| paint(canvas, decision, mark))?.finish(&labels)))
}

/// The axis over everything that is shown.
fn axis(decision: &DecisionView) -> Axis {
    let style = match &decision.scale {
        Scale::Quantity(unit) => TickStyle::Quantity(unit.clone()),
        Scale::Difference(unit) => TickStyle::Difference(unit.clone()),
        Scale::Change => TickStyle::Change,
    };
    let share = matches!(&decision.scale, Scale::Quantity(unit)
        if *unit == Unit::Ratio && decision.good_side == GoodSide::Above);
    let numbers =
        [decision.bound.value, decision.lower.value, decision.upper.value, decision.estimate.value];
    let (low, high) = range(numbers.into_iter().flatten()).unwrap_or((0.0, 1.0));
    let from_zero = matches!(&decision.scale, Scale::Quantity(unit)
        if unit.dimension() != Dimension::Plain || low >= 0.0)
        && low >= 0.0
        && low < 0.6 * high;
    let room = (high - low) * 0.1;
    let low = if from_zero { 0.0 } else { low - room };
    let high = if share { 1.0 } else { high + room };
    Axis::linear(low, high, SIDE, WIDTH - SIDE, 4, &style)
}

/// Draws the chart.
fn paint(canvas: &Canvas<'_>, decision: &DecisionView, mark: Mark) -> Result<(), ReportError> {
    let axis = axis(decision);
    let bound = decision.bound.value.map_or(SIDE, |value| axis.place(value));
    let (good_from, good_to) = match decision.good_side {
        GoodSide::Below => (SIDE, bound),
        GoodSide::Above => (bound, WIDTH - SIDE),
    };
    canvas.rectangle(at(good_from, 24.0), at(good_to, FLOOR), Ink::Good)?;
    axis.draw_horizontal(canvas, FLOOR, 24.0)?;
    canvas.line(&[at(bound, 20.0), at(bound, FLOOR)], Ink::Bound, 1.5)?;
    let anchor = if bound < 90.0 {
        Anchor::Start
    } else if bound > WIDTH - 90.0 {
        Anchor::End
    } else {
        Anchor::Middle
    };
    canvas.text(&format!("bound {}", decision.bound.text), at(bound, 10.0), anchor, Ink::Text)?;

    let ink = match mark.code {
        "pass" => Ink::Inside,
        "fail" => Ink::Outside,
        _ => Ink::Unknown,
    };
    let left = decision.lower.value.map_or(SIDE, |value| axis.place(value));
    let right = decision.upper.value.map_or(WIDTH - SIDE, |value| axis.place(value));
    canvas.line(&[at(left, MIDDLE), at(right, MIDDLE)], ink, 3.0)?;
    limit(canvas, decision.lower.value, left, Shape::ArrowLeft, ink)?;
    limit(canvas, decision.upper.value, right, Shape::ArrowRight, ink)?;
    if let Some(estimate) = decision.estimate.value {
        let place = at(axis.place(estimate), MIDDLE);
        match mark.code {
            "pass" => canvas.marker(Shape::Dot, place, 5.0, ink)?,
            "fail" => canvas.marker(Shape::Cross, place, 5.0, ink)?,
            _ => canvas.marker(Shape::Diamond, place, 5.0, ink)?,
        }
    }
    Ok(())
}

/// The end of the interval: a bar where there is a limit, an arrow where there is none.
fn limit(
    canvas: &Canvas<'_>,
    value: Option<f64>,
    x: f64,
    open: Shape,
    ink: Ink,
) -> Result<(), ReportError> {
    match value {
        Some(_) => canvas.line(&[at(x, MIDDLE - 7.0), at(x, MIDDLE + 7.0)], ink, 2.0),
        None => canvas.marker(open, at(x, MIDDLE), 5.0, ink),
    }
}
