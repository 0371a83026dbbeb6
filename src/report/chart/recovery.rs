//! A row per kill: when it was detected, remediated and recovered, against the deadline.

use crate::report::ReportError;
use crate::report::chart::axis::{Axis, TickStyle, range};
use crate::report::chart::canvas::{Anchor, Canvas, Ink, Labels, Shape, WIDTH, at, draw};
use crate::report::view::{Reading, RecoveryRow, RecoveryView};
use crate::unit::Unit;

/// Left end, after the numbers of the kills.
const LEFT: f64 = 40.0;
/// Right end, with room for half a label.
const RIGHT: f64 = WIDTH - 18.0;
/// Upper end, below the deadline's label.
const TOP: f64 = 24.0;
/// Room below the rows.
const BELOW: f64 = 40.0;

/// Triangle, square and dot on a line per kill; an arrow where observation ended first.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub fn recovery(view: &RecoveryView, id: &str) -> Result<Option<String>, ReportError> {
    if view.rows.is_empty() {
        return Ok(None);
    }
    let deadline = view.deadline.as_ref().and_then(|deadline| deadline.value);
    let readings = view.rows.iter().flat_map(|row| [&row.detect, &row.remediate, &row.recover]);
    let Some((_, high)) =
        range(readings.filter_map(|reading| reading.figure.value).chain(deadline))
    else {
        return Ok(None);
    };
    let rows = u32::try_from(view.rows.len()).map_or(f64::from(u32::MAX), f64::from);
    let step = (420.0 / rows).clamp(5.0, 15.0);
    let height = TOP + rows * step + BELOW;
    let axis = Axis::linear(0.0, high, LEFT, RIGHT, 5, &TickStyle::Quantity(Unit::Seconds));
    let censored = view.rows.iter().filter(|row| row.recover.censored).count();
    let labels = Labels {
        id: id.to_owned(),
        title: "Time to detect, remediate and recover after every kill".to_owned(),
        description: format!(
            "{} kills; {} recovered, {censored} not within what was observed.{} The table below holds the numbers.",
            view.rows.len(),
            view.rows
                .iter()
                .filter(|row| row.recover.figure.value.is_some() && !row.recover.censored)
                .count(),
            view.deadline
                .as_ref()
                .map_or_else(String::new, |deadline| format!(" Deadline {}.", deadline.text)),
        ),
    };
    Ok(Some(draw(height, |canvas| paint(canvas, view, &axis, deadline, step))?.finish(&labels)))
}

/// Draws the chart.
fn paint(
    canvas: &Canvas<'_>,
    view: &RecoveryView,
    axis: &Axis,
    deadline: Option<f64>,
    step: f64,
) -> Result<(), ReportError> {
    let rows = u32::try_from(view.rows.len()).map_or(f64::from(u32::MAX), f64::from);
    let floor = TOP + rows * step;
    if let Some(deadline) = deadline {
        canvas.rectangle(at(LEFT, TOP), at(axis.place(deadline), floor), Ink::Good)?;
    }
    axis.draw_horizontal(canvas, floor, TOP)?;
    canvas.text(
        "time from the kill",
        at(f64::midpoint(LEFT, RIGHT), floor + 29.0),
        Anchor::Middle,
        Ink::Text,
    )?;
    canvas.text("kill", at(LEFT - 8.0, TOP - 11.0), Anchor::End, Ink::Text)?;
    if let (Some(deadline), Some(figure)) = (deadline, &view.deadline) {
        let x = axis.place(deadline);
        canvas.line(&[at(x, TOP - 4.0), at(x, floor)], Ink::Bound, 1.5)?;
        let anchor = if x > WIDTH - 80.0 { Anchor::End } else { Anchor::Middle };
        canvas.text(&format!("deadline {}", figure.text), at(x, TOP - 12.0), anchor, Ink::Text)?;
    }
    let every = (13.0 / step).ceil();
    let mut y = TOP + step / 2.0;
    let mut unlabelled = 0.0;
    for row in &view.rows {
        if unlabelled < 0.5 {
            canvas.text(&row.index.to_string(), at(LEFT - 8.0, y), Anchor::End, Ink::Text)?;
            unlabelled = every;
        }
        unlabelled -= 1.0;
        kill(canvas, row, axis, y, (step * 0.3).clamp(1.8, 4.2), deadline)?;
        y += step;
    }
    Ok(())
}

/// Draws one kill.
fn kill(
    canvas: &Canvas<'_>,
    row: &RecoveryRow,
    axis: &Axis,
    y: f64,
    radius: f64,
    deadline: Option<f64>,
) -> Result<(), ReportError> {
    let late = deadline
        .zip(row.recover.figure.value)
        .is_some_and(|(deadline, seconds)| seconds > deadline);
    let ink = if row.recover.undecided {
        Ink::Unknown
    } else if late || row.recover.censored {
        Ink::Outside
    } else {
        Ink::Recover
    };
    if let Some(seconds) = row.recover.figure.value {
        canvas.line(&[at(LEFT, y), at(axis.place(seconds), y)], ink, 0.75)?;
    }
    reading(canvas, &row.detect, axis, y, radius * 0.9, Shape::Triangle, Ink::Detect)?;
    reading(canvas, &row.remediate, axis, y, radius * 0.8, Shape::Square, Ink::Remediate)?;
    let shape = if row.recover.never_departed {
        Shape::Ring
    } else if row.recover.undecided {
        Shape::Diamond
    } else if late {
        Shape::Cross
    } else {
        Shape::Dot
    };
    reading(canvas, &row.recover, axis, y, radius, shape, ink)
}

/// Draws one time; an event that was not seen is an arrow.
fn reading(
    canvas: &Canvas<'_>,
    reading: &Reading,
    axis: &Axis,
    y: f64,
    radius: f64,
    shape: Shape,
    ink: Ink,
) -> Result<(), ReportError> {
    let Some(seconds) = reading.figure.value else { return Ok(()) };
    let shape = if reading.censored { Shape::ArrowRight } else { shape };
    canvas.marker(shape, at(axis.place(seconds), y), radius, ink)
}
