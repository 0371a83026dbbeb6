//! A metric over time: every iteration laid over the others, the kill at zero, the worst kill on top.

use crate::report::ReportError;
use crate::report::chart::axis::{Axis, TickStyle, range};
use crate::report::chart::canvas::{Anchor, At, Canvas, Ink, Labels, Shape, WIDTH, at, draw};
use crate::report::number::quantity;
use crate::report::view::{Lane, TimelineView};
use crate::unit::Unit;

/// Height of the chart in points.
const HEIGHT: f64 = 250.0;
/// Left end, after the labels of the axis.
const LEFT: f64 = 62.0;
/// Right end, with room for half a label.
const RIGHT: f64 = WIDTH - 14.0;
/// Upper end, below the names of the bands.
const TOP: f64 = 24.0;
/// Lower end.
const FLOOR: f64 = HEIGHT - 40.0;

/// Bands for baseline and experiment windows, a line at the kill, a line per iteration.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub fn timeline(view: &TimelineView, name: &str, id: &str) -> Result<Option<String>, ReportError> {
    let bound = view.bound.as_ref().and_then(|bound| bound.value);
    let drawn = view.lanes.iter().flat_map(|lane| {
        lane.points.iter().flat_map(move |point| {
            if lane.worst { [point.min, point.max] } else { [point.mean, point.mean] }
        })
    });
    let Some((low, high)) = range(drawn.chain(bound)) else { return Ok(None) };
    let value = Axis::best(low, high, FLOOR, TOP, &TickStyle::Quantity(view.unit.clone()));
    let time = TimeAxis { from_s: view.from_s, to_s: view.to_s };
    let worst = view.lanes.iter().find(|lane| lane.worst);
    let labels = Labels {
        id: id.to_owned(),
        title: format!("{name}: every iteration over time, the kill at zero"),
        description: format!(
            "{} iterations from {} before to {} after the kill.{}{}",
            view.lanes.len(),
            quantity(-view.from_s, &Unit::Seconds),
            quantity(view.to_s, &Unit::Seconds),
            worst.map_or_else(String::new, |lane| format!(
                " Worst is kill {}: highest {} before and {} after.",
                lane.index, lane.before_high.text, lane.after_high.text
            )),
            value.remark(),
        ),
    };
    Ok(Some(draw(HEIGHT, |canvas| paint(canvas, view, &value, &time))?.finish(&labels)))
}

/// Seconds from the kill to places.
struct TimeAxis {
    from_s: f64,
    to_s: f64,
}

impl TimeAxis {
    /// The place of a moment.
    fn place(&self, seconds: f64) -> f64 {
        let width = self.to_s - self.from_s;
        let share = if width > 0.0 { (seconds - self.from_s) / width } else { 0.5 };
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// Draws the labels at nice moments.
    fn draw(&self, canvas: &Canvas<'_>) -> Result<(), ReportError> {
        let style = TickStyle::Quantity(Unit::Seconds);
        for tick in Axis::linear(self.from_s, self.to_s, LEFT, RIGHT, 5, &style)
            .ticks_within(self.from_s, self.to_s)
        {
            let x = self.place(tick.value);
            canvas.line(&[at(x, FLOOR), at(x, FLOOR + 4.0)], Ink::Axis, 0.5)?;
            canvas.text(&tick.label, at(x, FLOOR + 14.0), Anchor::Middle, Ink::Text)?;
        }
        Ok(())
    }
}

/// Draws the chart.
fn paint(
    canvas: &Canvas<'_>,
    view: &TimelineView,
    value: &Axis,
    time: &TimeAxis,
) -> Result<(), ReportError> {
    let (start, end) = (time.place(view.from_s), time.place(view.to_s));
    let (ends, kill) = (time.place(view.baseline_end_s), time.place(0.0));
    canvas.rectangle(at(start, TOP), at(ends, FLOOR), Ink::BaselineBand)?;
    canvas.rectangle(at(kill, TOP), at(end, FLOOR), Ink::ExperimentBand)?;
    canvas.text(
        "baseline",
        at(f64::midpoint(start, ends), TOP - 12.0),
        Anchor::Middle,
        Ink::Text,
    )?;
    canvas.text(
        "experiment",
        at(f64::midpoint(kill, end), TOP - 12.0),
        Anchor::Middle,
        Ink::Text,
    )?;
    value.draw_vertical(canvas, LEFT, RIGHT)?;
    time.draw(canvas)?;
    canvas.text(
        "time from the kill",
        at(f64::midpoint(LEFT, RIGHT), FLOOR + 30.0),
        Anchor::Middle,
        Ink::Text,
    )?;
    for lane in view.lanes.iter().filter(|lane| !lane.worst) {
        let ink = if lane.control { Ink::Control } else { Ink::Lane };
        lane_line(canvas, lane, value, time, ink, 0.75)?;
    }
    if let Some(worst) = view.lanes.iter().find(|lane| lane.worst) {
        let upper =
            worst.points.iter().map(|point| at(time.place(point.at_s), value.place(point.max)));
        let lower = worst
            .points
            .iter()
            .rev()
            .map(|point| at(time.place(point.at_s), value.place(point.min)));
        canvas.area(&upper.chain(lower).collect::<Vec<At>>(), Ink::WorstBand)?;
        lane_line(canvas, worst, value, time, Ink::Outside, 1.5)?;
    }
    if let Some(bound) =
        view.bound.as_ref().and_then(|bound| bound.value).filter(|bound| value.holds(*bound))
    {
        let y = value.place(bound);
        canvas.line(&[at(LEFT, y), at(RIGHT, y)], Ink::Bound, 1.5)?;
        canvas.text(
            "bound",
            at(LEFT + 4.0, if y > TOP + 14.0 { y - 8.0 } else { y + 9.0 }),
            Anchor::Start,
            Ink::Text,
        )?;
    }
    canvas.line(&[at(kill, TOP - 4.0), at(kill, FLOOR)], Ink::Fault, 1.5)?;
    canvas.marker(Shape::Triangle, at(kill, FLOOR + 3.0), 3.5, Ink::Fault)
}

/// The mean of one iteration, with a square where a rule stopped it.
fn lane_line(
    canvas: &Canvas<'_>,
    lane: &Lane,
    value: &Axis,
    time: &TimeAxis,
    ink: Ink,
    width: f64,
) -> Result<(), ReportError> {
    let points: Vec<At> = lane
        .points
        .iter()
        .map(|point| at(time.place(point.at_s), value.place(point.mean)))
        .collect();
    match points.as_slice() {
        [] => return Ok(()),
        [only] => canvas.marker(Shape::Dot, *only, 1.5, ink)?,
        points => canvas.line(points, ink, width)?,
    }
    match (lane.aborted_s, points.last()) {
        (Some(_), Some(last)) => canvas.marker(Shape::Square, *last, 3.5, Ink::Outside),
        (None, _) | (_, None) => Ok(()),
    }
}
