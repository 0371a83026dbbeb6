//! How two campaigns differ, against no change and the margin.

use crate::report::ReportError;
use crate::report::chart::axis::{Axis, TickStyle, range};
use crate::report::chart::canvas::{Anchor, Canvas, Ink, Labels, Shape, WIDTH, at, draw};
use crate::report::number::Figure;
use crate::report::view::{Mark, Scale};

/// Height of the chart in points.
const HEIGHT: f64 = 96.0;
/// Space at the sides, for half a label.
const SIDE: f64 = 26.0;
/// Top of what is drawn.
const TOP: f64 = 24.0;
/// Height of the interval's line.
const MIDDLE: f64 = 44.0;
/// Height of the axis.
const FLOOR: f64 = 70.0;

/// What the chart shows.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceChart {
    /// Unique within the page.
    pub id: String,
    /// What is compared.
    pub title: String,
    /// The answer.
    pub mark: Mark,
    /// After against before.
    pub estimate: Figure,
    /// One-sided lower limit.
    pub lower: Figure,
    /// One-sided upper limit.
    pub upper: Figure,
    /// How much worse still counts as equal.
    pub margin: Figure,
    /// Whether smaller is better.
    pub lower_is_better: bool,
    /// How the numbers read.
    pub scale: Scale,
}

/// The change with its limits; the side that counts as not worse is shaded, no change is a line.
///
/// Nothing is drawn where there is no limit at all.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub fn difference(chart: &DifferenceChart) -> Result<Option<String>, ReportError> {
    if chart.lower.value.is_none() && chart.upper.value.is_none() {
        return Ok(None);
    }
    let labels = Labels {
        id: chart.id.clone(),
        title: chart.title.clone(),
        description: format!(
            "change {}, one-sided lower limit {}, one-sided upper limit {}; not worse means {} {}, {} is better.",
            chart.estimate.text,
            chart.lower.text,
            chart.upper.text,
            if chart.lower_is_better { "at or below" } else { "at or above" },
            chart.margin.text,
            if chart.lower_is_better { "less" } else { "more" },
        ),
    };
    Ok(Some(draw(HEIGHT, |canvas| paint(canvas, chart))?.finish(&labels)))
}

/// The number that stands for no change.
const fn unchanged(scale: &Scale) -> f64 {
    match scale {
        Scale::Change => 1.0,
        Scale::Quantity(_) | Scale::Difference(_) => 0.0,
    }
}

fn axis(chart: &DifferenceChart) -> Axis {
    let style = match &chart.scale {
        Scale::Quantity(unit) => TickStyle::Quantity(unit.clone()),
        Scale::Difference(unit) => TickStyle::Difference(unit.clone()),
        Scale::Change => TickStyle::Change,
    };
    let numbers = [
        Some(unchanged(&chart.scale)),
        chart.margin.value,
        chart.lower.value,
        chart.upper.value,
        chart.estimate.value,
    ];
    let (low, high) = range(numbers.into_iter().flatten()).unwrap_or((0.0, 1.0));
    let room = (high - low) * 0.08;
    Axis::linear(low - room, high + room, SIDE, WIDTH - SIDE, 4, &style)
}

fn paint(canvas: &Canvas<'_>, chart: &DifferenceChart) -> Result<(), ReportError> {
    let axis = axis(chart);
    let zero = axis.place(unchanged(&chart.scale));
    let margin = chart.margin.value.map_or(zero, |value| axis.place(value));
    let (from, to) = if chart.lower_is_better { (SIDE, margin) } else { (margin, WIDTH - SIDE) };
    canvas.rectangle(at(from, TOP), at(to, FLOOR), Ink::Good)?;
    axis.draw_horizontal(canvas, FLOOR, TOP)?;
    canvas.line(&[at(zero, TOP), at(zero, FLOOR)], Ink::Fault, 1.0)?;
    canvas.line(&[at(margin, TOP - 4.0), at(margin, FLOOR)], Ink::Bound, 1.5)?;
    let anchor = if margin < 90.0 {
        Anchor::Start
    } else if margin > WIDTH - 90.0 {
        Anchor::End
    } else {
        Anchor::Middle
    };
    canvas.text(&format!("margin {}", chart.margin.text), at(margin, 10.0), anchor, Ink::Text)?;
    let (ink, shape) = match chart.mark.code {
        "pass" => (Ink::Inside, Shape::Dot),
        "fail" => (Ink::Outside, Shape::Cross),
        _ => (Ink::Unknown, Shape::Diamond),
    };
    let left = chart.lower.value.map_or(SIDE, |value| axis.place(value));
    let right = chart.upper.value.map_or(WIDTH - SIDE, |value| axis.place(value));
    canvas.line(&[at(left, MIDDLE), at(right, MIDDLE)], ink, 3.0)?;
    end(canvas, &chart.lower, left, Shape::ArrowLeft, ink)?;
    end(canvas, &chart.upper, right, Shape::ArrowRight, ink)?;
    match chart.estimate.value {
        Some(estimate) => canvas.marker(shape, at(axis.place(estimate), MIDDLE), 5.0, ink),
        None => Ok(()),
    }
}

/// The end of the interval: a bar where there is a limit, an arrow where there is none.
fn end(
    canvas: &Canvas<'_>,
    limit: &Figure,
    x: f64,
    open: Shape,
    ink: Ink,
) -> Result<(), ReportError> {
    match limit.value {
        Some(_) => canvas.line(&[at(x, MIDDLE - 7.0), at(x, MIDDLE + 7.0)], ink, 2.0),
        None => canvas.marker(open, at(x, MIDDLE), 5.0, ink),
    }
}
