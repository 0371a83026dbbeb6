//! The share of kills still waiting, over time: a step down at every event, a mark where observation of a kill ended first
//! (Kaplan and Meier 1958). The band holds the one-sided limits of the time to recover.

use crate::report::ReportError;
use crate::report::chart::axis::{Axis, TickStyle};
use crate::report::chart::canvas::{Anchor, At, Canvas, Ink, Labels, WIDTH, at, draw};
use crate::report::number::share;
use crate::report::view::{CurveView, RecoveryView};
use crate::unit::Unit;

/// Height of the chart in points.
const HEIGHT: f64 = 230.0;
/// Left end, after the labels of the axis.
const LEFT: f64 = 46.0;
/// Right end, with room for half a label.
const RIGHT: f64 = WIDTH - 18.0;
/// Upper end, below the deadline's label.
const TOP: f64 = 26.0;
/// Lower end.
const FLOOR: f64 = HEIGHT - 40.0;

/// A step curve for each kind of time.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub fn survival(view: &RecoveryView, id: &str) -> Result<Option<String>, ReportError> {
    let deadline = view.deadline.as_ref().and_then(|deadline| deadline.value);
    let latest =
        view.curves.iter().map(|curve| curve.until_s).chain(deadline).max_by(f64::total_cmp);
    let Some(latest) = latest.filter(|latest| *latest > 0.0 && !view.curves.is_empty()) else {
        return Ok(None);
    };
    let time = Axis::linear(0.0, latest, LEFT, RIGHT, 5, &TickStyle::Quantity(Unit::Seconds));
    let waiting = Axis::linear(0.0, 1.0, FLOOR, TOP, 4, &TickStyle::Quantity(Unit::Ratio));
    let told: Vec<String> = view
        .curves
        .iter()
        .filter_map(|curve| {
            let last = curve.steps.last()?;
            Some(format!(
                "{} of kills not {} at the end, {} observed for less",
                share(last.waiting),
                curve.label,
                curve.censored.len()
            ))
        })
        .collect();
    let labels = Labels {
        id: id.to_owned(),
        title: "Share of kills still waiting, over time".to_owned(),
        description: format!("{}. The table below holds the times.", told.join("; ")),
    };
    let sheet = Sheet { time, waiting };
    Ok(Some(draw(HEIGHT, |canvas| paint(canvas, view, &sheet, deadline))?.finish(&labels)))
}

/// The two axes.
struct Sheet {
    time: Axis,
    waiting: Axis,
}

impl Sheet {
    /// The place of a moment and a share.
    fn place(&self, seconds: f64, waiting: f64) -> At {
        at(self.time.place(seconds), self.waiting.place(waiting))
    }
}

fn paint(
    canvas: &Canvas<'_>,
    view: &RecoveryView,
    sheet: &Sheet,
    deadline: Option<f64>,
) -> Result<(), ReportError> {
    if let Some(recovered) = view.curves.iter().find(|curve| curve.label == "recovered") {
        canvas.area(&band(recovered, sheet), Ink::Good)?;
    }
    sheet.waiting.draw_vertical(canvas, LEFT, RIGHT)?;
    sheet.time.draw_horizontal(canvas, FLOOR, TOP)?;
    canvas.text(
        "time from the kill",
        at(f64::midpoint(LEFT, RIGHT), FLOOR + 29.0),
        Anchor::Middle,
        Ink::Text,
    )?;
    if let (Some(deadline), Some(figure)) = (deadline, &view.deadline) {
        let x = sheet.time.place(deadline);
        canvas.line(&[at(x, TOP - 4.0), at(x, FLOOR)], Ink::Bound, 1.5)?;
        let anchor = if x > WIDTH - 80.0 {
            Anchor::End
        } else if x < LEFT + 60.0 {
            Anchor::Start
        } else {
            Anchor::Middle
        };
        canvas.text(&format!("deadline {}", figure.text), at(x, TOP - 13.0), anchor, Ink::Text)?;
    }
    for curve in &view.curves {
        let (ink, width) = match curve.label {
            "detected" => (Ink::Detect, 1.25),
            "remediated" => (Ink::Remediate, 1.25),
            _ => (Ink::Recover, 2.25),
        };
        canvas.line(&steps(curve, sheet, |step| Some(step.waiting)), ink, width)?;
        for seconds in &curve.censored {
            let waiting = waiting_at(curve, *seconds);
            let place = sheet.place(*seconds, waiting);
            canvas.line(&[at(place.x, place.y - 5.0), at(place.x, place.y + 5.0)], ink, 2.0)?;
        }
    }
    Ok(())
}

/// The corners of a step curve from all kills waiting to the end of observation.
fn steps(
    curve: &CurveView,
    sheet: &Sheet,
    of: impl Fn(&crate::report::view::CurveStep) -> Option<f64>,
) -> Vec<At> {
    let mut level = 1.0;
    let mut points = vec![sheet.place(0.0, level)];
    for step in &curve.steps {
        points.push(sheet.place(step.seconds, level));
        level = of(step).unwrap_or(level);
        points.push(sheet.place(step.seconds, level));
    }
    points.push(sheet.place(curve.until_s, level));
    points
}

/// The band between the limits; where there is none, it has no width.
fn band(curve: &CurveView, sheet: &Sheet) -> Vec<At> {
    let upper = steps(curve, sheet, |step| Some(step.upper.unwrap_or(step.waiting)));
    let lower = steps(curve, sheet, |step| Some(step.lower.unwrap_or(step.waiting)));
    upper.into_iter().chain(lower.into_iter().rev()).collect()
}

/// The share still waiting at a moment.
fn waiting_at(curve: &CurveView, seconds: f64) -> f64 {
    curve
        .steps
        .iter()
        .take_while(|step| step.seconds <= seconds)
        .last()
        .map_or(1.0, |step| step.waiting)
}
