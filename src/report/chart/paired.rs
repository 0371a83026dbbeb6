//! Every iteration: from its baseline to its experiment value, kills first, controls apart, the bound across.

use crate::report::ReportError;
use crate::report::chart::axis::{Axis, TickStyle, range};
use crate::report::chart::canvas::{Anchor, At, Canvas, Ink, Labels, Shape, WIDTH, at, draw};
use crate::report::view::{PairedRow, PairedView, Side};

/// Height of the chart in points.
const HEIGHT: f64 = 250.0;
/// Left end of the iterations, after the labels of the axis.
const LEFT: f64 = 62.0;
/// Right end.
const RIGHT: f64 = WIDTH - 6.0;
/// Upper end.
const TOP: f64 = 22.0;
/// Lower end, above the labels of the iterations.
const FLOOR: f64 = HEIGHT - 40.0;

/// A vertical line per iteration, a ring at the baseline and a mark by shape at the experiment value.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub fn paired(view: &PairedView, name: &str, id: &str) -> Result<Option<String>, ReportError> {
    let numbers = view
        .rows
        .iter()
        .flat_map(|row| {
            [row.baseline.value, row.experiment.value, row.allowed.as_ref().and_then(|a| a.value)]
        })
        .chain([view.bound.as_ref().and_then(|bound| bound.value)])
        .flatten();
    let Some((low, high)) = range(numbers) else { return Ok(None) };
    let axis = Axis::best(low, high, FLOOR, TOP, &TickStyle::Quantity(view.unit.clone()));
    let of = |side: Side| view.rows.iter().filter(|row| row.side == side).count();
    let labels = Labels {
        id: id.to_owned(),
        title: format!("{name}: baseline and experiment of every iteration"),
        description: format!(
            "{}, {} controls or excluded. The table below holds the numbers.{}",
            if of(Side::Unclaimed) > 0 {
                format!("{} kills", of(Side::Unclaimed))
            } else {
                format!(
                    "{} kills inside the bound, {} outside, {} cannot be said",
                    of(Side::Inside),
                    of(Side::Outside),
                    of(Side::Unknown)
                )
            },
            of(Side::Apart),
            axis.remark(),
        ),
    };
    Ok(Some(draw(HEIGHT, |canvas| paint(canvas, view, &axis))?.finish(&labels)))
}

/// Draws the chart.
fn paint(canvas: &Canvas<'_>, view: &PairedView, axis: &Axis) -> Result<(), ReportError> {
    axis.draw_vertical(canvas, LEFT, RIGHT)?;
    let kills = view.rows.iter().filter(|row| row.arm == "kill").count();
    let controls = view.rows.len() - kills;
    // Controls stand behind a gap of one and a half iterations.
    let gap = if controls > 0 && kills > 0 { 1.5 } else { 0.0 };
    let slots = count(kills) + gap + count(controls);
    let width = (RIGHT - LEFT) / if slots > 1.0 { slots } else { 1.0 };
    let radius = (width * 0.32).clamp(1.5, 4.5);
    if let Some(bound) = view.bound.as_ref().and_then(|bound| bound.value) {
        let y = axis.place(bound);
        canvas.line(&[at(LEFT, y), at(RIGHT, y)], Ink::Bound, 1.5)?;
        canvas.text(
            "bound",
            at(RIGHT, if y > TOP + 14.0 { y - 8.0 } else { y + 9.0 }),
            Anchor::End,
            Ink::Text,
        )?;
    }
    if gap > 0.0 {
        let x = LEFT + (count(kills) + gap / 2.0) * width;
        canvas.line(&[at(x, TOP), at(x, FLOOR + 16.0)], Ink::Axis, 0.5)?;
    }
    for (position, row) in view.rows.iter().enumerate() {
        let before = if position < kills { 0.0 } else { gap };
        let x = LEFT + (count(position) + before + 0.5) * width;
        iteration(canvas, row, axis, x, width, radius)?;
        let every = (20.0 / width).ceil();
        let first = if position < kills { position } else { position - kills };
        if every <= 1.0 || (count(first) % every) < 0.5 {
            canvas.text(&row.index.to_string(), at(x, FLOOR + 12.0), Anchor::Middle, Ink::Text)?;
        }
    }
    let middle = |from: f64, to: f64| LEFT + f64::midpoint(from, to) * width;
    if kills > 0 {
        canvas.text(
            "kills",
            at(middle(0.0, count(kills)), FLOOR + 29.0),
            Anchor::Middle,
            Ink::Text,
        )?;
    }
    if controls > 0 {
        let x = middle(count(kills) + gap, slots);
        let wide = count(controls) * width > 46.0;
        let (x, anchor) = if wide { (x, Anchor::Middle) } else { (RIGHT, Anchor::End) };
        canvas.text("controls", at(x, FLOOR + 29.0), anchor, Ink::Text)?;
    }
    Ok(())
}

/// Draws one iteration.
fn iteration(
    canvas: &Canvas<'_>,
    row: &PairedRow,
    axis: &Axis,
    x: f64,
    width: f64,
    radius: f64,
) -> Result<(), ReportError> {
    let place = |value: f64| -> At { at(x, axis.place(value)) };
    let (shape, ink) = match row.side {
        Side::Inside => (Shape::Dot, Ink::Inside),
        Side::Outside => (Shape::Cross, Ink::Outside),
        Side::Unknown => (Shape::Diamond, Ink::Unknown),
        Side::Unclaimed => (Shape::Dot, Ink::Baseline),
        Side::Apart => (Shape::Square, Ink::Control),
    };
    if let Some(allowed) = row.allowed.as_ref().and_then(|allowed| allowed.value) {
        let y = axis.place(allowed);
        let half = width * 0.42;
        canvas.line(&[at(x - half, y), at(x + half, y)], Ink::Bound, 1.5)?;
    }
    if let (Some(baseline), Some(experiment)) = (row.baseline.value, row.experiment.value) {
        canvas.line(&[place(baseline), place(experiment)], ink, 1.0)?;
    }
    if let Some(baseline) = row.baseline.value {
        canvas.marker(Shape::Ring, place(baseline), radius * 0.75, Ink::Baseline)?;
    }
    match row.experiment.value {
        Some(experiment) => canvas.marker(shape, place(experiment), radius, ink),
        None if row.reason.is_some() => {
            canvas.text("?", at(x, TOP - 10.0), Anchor::Middle, Ink::Text)
        }
        None => Ok(()),
    }
}

/// A count as a number of slots.
fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
