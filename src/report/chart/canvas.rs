//! The sheet that charts are drawn on: plotters' SVG backend with named inks and accessible labels.
//!
//! plotters writes colours as `#RRGGBB`. Each ink is drawn in a colour of its own that no eye ever sees, and
//! [`Canvas::finish`] replaces it by a class, so that one style sheet colours all charts, in the dark and in print.
//! Owns shapes and text; refuses to know data.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, RGBColor, ShapeStyle, TextStyle};

use crate::report::ReportError;

/// Units per point: plotters places on whole units, and half a point is fine enough for any screen.
const FINE: f64 = 2.0;
/// Width of every chart in points; at this width text is 13 points high on a phone and on a wide page alike.
pub(crate) const WIDTH: f64 = 400.0;
/// Height of text in points.
const TEXT_SIZE: f64 = 13.0;
/// First component of every ink's colour; see [`Ink::colour`].
const MARK: &str = "#F1";

/// What a shape stands for. The style sheet gives each its colour; none is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text of axes and labels.
    Text,
    /// Lines of the grid.
    Grid,
    /// Lines of axes.
    Axis,
    /// The page behind.
    Paper,
    /// The bound (dashed).
    Bound,
    /// The side of the bound on which the claim holds.
    Good,
    /// The moment of the kill.
    Fault,
    /// The background of baseline windows.
    BaselineBand,
    /// The background of experiment windows.
    ExperimentBand,
    /// A baseline value.
    Baseline,
    /// What stayed inside the bound, and neutral values.
    Inside,
    /// What did not.
    Outside,
    /// What cannot be said.
    Unknown,
    /// Control iterations.
    Control,
    /// One iteration among many.
    Lane,
    /// The spread of the worst iteration.
    WorstBand,
    /// Time to detect.
    Detect,
    /// Time to remediate.
    Remediate,
    /// Time to recover.
    Recover,
}

impl Ink {
    /// Every ink, in the order of its colour.
    pub const ALL: [Self; 19] = [
        Self::Text,
        Self::Grid,
        Self::Axis,
        Self::Paper,
        Self::Bound,
        Self::Good,
        Self::Fault,
        Self::BaselineBand,
        Self::ExperimentBand,
        Self::Baseline,
        Self::Inside,
        Self::Outside,
        Self::Unknown,
        Self::Control,
        Self::Lane,
        Self::WorstBand,
        Self::Detect,
        Self::Remediate,
        Self::Recover,
    ];

    /// Its name in the style sheet: `.f-NAME` fills, `.s-NAME` strokes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Grid => "grid",
            Self::Axis => "axis",
            Self::Paper => "paper",
            Self::Bound => "bound",
            Self::Good => "good",
            Self::Fault => "fault",
            Self::BaselineBand => "baseline-band",
            Self::ExperimentBand => "experiment-band",
            Self::Baseline => "baseline",
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::Unknown => "unknown",
            Self::Control => "control",
            Self::Lane => "lane",
            Self::WorstBand => "worst-band",
            Self::Detect => "detect",
            Self::Remediate => "remediate",
            Self::Recover => "recover",
        }
    }

    /// The colour that stands for it until [`Canvas::finish`]: `F1`, its position, `1F`.
    const fn colour(self) -> RGBColor {
        RGBColor(0xf1, self as u8, 0x1f)
    }

    /// The ink of a colour as plotters writes it, without the leading `#F1`.
    fn from_hex(hex: &str) -> Option<Self> {
        let position = usize::from_str_radix(hex.get(..2)?, 16).ok()?;
        Self::ALL.get(position).copied().filter(|_| hex.get(2..4) == Some("1F"))
    }
}

/// What a chart says to those who do not see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Unique within the page.
    pub id: String,
    /// A short name.
    pub title: String,
    /// What is to be seen, in a sentence or two.
    pub description: String,
}

/// A point on the sheet, in points from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct At {
    /// To the right.
    pub(crate) x: f64,
    /// Downwards.
    pub(crate) y: f64,
}

/// Shorthand for a point.
pub(crate) const fn at(x: f64, y: f64) -> At {
    At { x, y }
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The point is the left end.
    Start,
    /// The point is the middle.
    Middle,
    /// The point is the right end.
    End,
}

/// Shapes that markers have, so that colour is never the only difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A filled circle.
    Dot,
    /// A circle.
    Ring,
    /// A diagonal cross.
    Cross,
    /// A filled diamond.
    Diamond,
    /// A filled square.
    Square,
    /// A filled triangle.
    Triangle,
    /// An arrow head to the right.
    ArrowRight,
    /// An arrow head to the left.
    ArrowLeft,
}

/// A drawn chart before its labels are known.
pub(crate) struct Drawing {
    svg: String,
    height: f64,
}

/// The sheet while it is drawn on.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// What plotters says when it cannot draw; into a string it always can.
type Failure = DrawingAreaErrorKind<std::io::Error>;

impl From<Failure> for ReportError {
    fn from(failure: Failure) -> Self {
        Self::Chart(failure.to_string())
    }
}

/// Units of plotters for points.
fn units(points: f64) -> i32 {
    let units = (points * FINE).round().clamp(-20_000.0, 20_000.0);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a range that fits")]
    let units = units as i32;
    units
}

/// A width or radius in units of plotters.
fn size(points: f64) -> u32 {
    u32::try_from(units(points)).unwrap_or(1).max(1)
}

/// Draws a chart of the given height in points.
///
/// # Errors
/// [`ReportError::Chart`] with the words of plotters.
pub(crate) fn draw(
    height: f64,
    paint: impl FnOnce(&Canvas<'_>) -> Result<(), ReportError>,
) -> Result<Drawing, ReportError> {
    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (size(WIDTH), size(height))).into_drawing_area();
        let canvas = Canvas { area };
        paint(&canvas)?;
        canvas.area.present()?;
    }
    Ok(Drawing { svg, height })
}

impl Canvas<'_> {
    /// A line through points.
    pub(crate) fn line(&self, points: &[At], ink: Ink, width: f64) -> Result<(), ReportError> {
        let points: Vec<(i32, i32)> =
            points.iter().map(|point| (units(point.x), units(point.y))).collect();
        let style = ShapeStyle::from(&ink.colour()).stroke_width(size(width));
        Ok(self.area.draw(&PathElement::new(points, style))?)
    }

    /// A filled shape through points.
    pub(crate) fn area(&self, points: &[At], ink: Ink) -> Result<(), ReportError> {
        let points: Vec<(i32, i32)> =
            points.iter().map(|point| (units(point.x), units(point.y))).collect();
        Ok(self.area.draw(&Polygon::new(points, ink.colour()))?)
    }

    /// A filled rectangle between two corners.
    pub(crate) fn rectangle(&self, from: At, to: At, ink: Ink) -> Result<(), ReportError> {
        let corners = [(units(from.x), units(from.y)), (units(to.x), units(to.y))];
        Ok(self.area.draw(&Rectangle::new(corners, ShapeStyle::from(&ink.colour()).filled()))?)
    }

    /// A marker of the given radius.
    pub(crate) fn marker(
        &self,
        shape: Shape,
        place: At,
        radius: f64,
        ink: Ink,
    ) -> Result<(), ReportError> {
        let At { x, y } = place;
        let centre = (units(x), units(y));
        match shape {
            Shape::Dot => {
                let style = ShapeStyle::from(&ink.colour()).filled();
                Ok(self.area.draw(&Circle::new(centre, size(radius), style))?)
            }
            Shape::Ring => {
                let paper = ShapeStyle::from(&Ink::Paper.colour()).filled();
                self.area.draw(&Circle::new(centre, size(radius), paper))?;
                let style = ShapeStyle::from(&ink.colour()).stroke_width(size(1.5));
                Ok(self.area.draw(&Circle::new(centre, size(radius), style))?)
            }
            Shape::Cross => {
                self.line(&[at(x - radius, y - radius), at(x + radius, y + radius)], ink, 2.0)?;
                self.line(&[at(x - radius, y + radius), at(x + radius, y - radius)], ink, 2.0)
            }
            Shape::Diamond => {
                let r = radius * 1.25;
                self.area(&[at(x - r, y), at(x, y - r), at(x + r, y), at(x, y + r)], ink)
            }
            Shape::Square => {
                let r = radius * 0.9;
                self.rectangle(at(x - r, y - r), at(x + r, y + r), ink)
            }
            Shape::Triangle => {
                let r = radius * 1.15;
                self.area(&[at(x - r, y + r * 0.8), at(x, y - r), at(x + r, y + r * 0.8)], ink)
            }
            Shape::ArrowRight => self.area(
                &[at(x - radius, y - radius), at(x + radius, y), at(x - radius, y + radius)],
                ink,
            ),
            Shape::ArrowLeft => self.area(
                &[at(x + radius, y - radius), at(x - radius, y), at(x + radius, y + radius)],
                ink,
            ),
        }
    }

    /// A text whose vertical middle is at `place`.
    pub(crate) fn text(
        &self,
        text: &str,
        place: At,
        anchor: Anchor,
        ink: Ink,
    ) -> Result<(), ReportError> {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let colour = ink.colour();
        // plotters divides by 1.24 to come from line height to font size.
        let style = TextStyle::from((FontFamily::SansSerif, TEXT_SIZE * FINE * 1.24))
            .color(&colour)
            .pos(Pos::new(horizontal, VPos::Center));
        Ok(self.area.draw(&Text::new(text.to_owned(), (units(place.x), units(place.y)), style))?)
    }
}

impl Drawing {
    /// The chart as an element for the page: named inks, title and description, no fixed size.
    pub(crate) fn finish(self, labels: &Labels) -> String {
        let body = self.svg.split_once('>').map_or("", |(_, body)| body);
        let id = &labels.id;
        let mut out = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>",
            size(WIDTH),
            size(self.height),
            escaped(&labels.title),
            escaped(&labels.description),
        );
        out.push_str(&inked(body));
        out
    }
}

/// Colours as classes, and nothing said that the style sheet says better.
fn inked(body: &str) -> String {
    let shorter = body
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" \"/>", "\"/>")
        .replace("\n</text>", "</text>");
    let mut out = String::with_capacity(shorter.len());
    let mut rest = shorter.as_str();
    while let Some(found) = rest.find(MARK) {
        let (before, after) = rest.split_at(found);
        let ink = after.get(MARK.len()..).and_then(Ink::from_hex);
        let attribute = before
            .strip_suffix("fill=\"")
            .map(|head| (head, "f"))
            .or_else(|| before.strip_suffix("stroke=\"").map(|head| (head, "s")));
        if let (Some(ink), Some((head, kind))) = (ink, attribute) {
            out.push_str(head);
            out.extend(["class=\"", kind, "-", ink.name()]);
            rest = after.get(MARK.len() + 4..).unwrap_or_default();
        } else {
            out.push_str(before);
            out.push_str(MARK);
            rest = after.get(MARK.len()..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    // A text opens with a line break of plotters' own.
    out.replace(">\n<", "\u{0}").replace("\">\n", "\">").replace('\u{0}', ">\n<")
}

/// A text inside an element of SVG.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_has_its_own_colour_and_name() {
        for (position, ink) in Ink::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(ink.colour().1), position, "{ink:?}");
        }
        let mut names: Vec<_> = Ink::ALL.iter().map(|ink| ink.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Ink::ALL.len());
    }

    #[test]
    fn the_style_sheet_knows_every_ink() {
        let style = include_str!("../../../report-templates/style.css");
        for ink in Ink::ALL {
            let name = ink.name();
            assert!(
                style.contains(&format!(".f-{name}")) || style.contains(&format!(".s-{name}")),
                "{name} has no colour"
            );
        }
    }

    #[test]
    fn colours_become_classes_and_text_stays_text() {
        let labels = Labels {
            id: "x".to_owned(),
            title: "<b>&".to_owned(),
            description: "a \"chart\"".to_owned(),
        };
        let svg = draw(50.0, |canvas| {
            canvas.line(&[at(0.0, 0.0), at(10.0, 10.0)], Ink::Bound, 1.0)?;
            canvas.marker(Shape::Ring, at(5.0, 5.0), 2.0, Ink::Inside)?;
            canvas.text("</svg><i> #F1", at(5.0, 5.0), Anchor::Middle, Ink::Text)
        })
        .unwrap()
        .finish(&labels);
        assert!(svg.contains("class=\"s-bound\""), "{svg}");
        assert!(svg.contains("class=\"f-paper\""), "{svg}");
        assert!(svg.contains("&lt;/svg&gt;&lt;i&gt; #F1</text>"), "{svg}");
        assert!(svg.contains("<title id=\"x-t\">&lt;b&gt;&amp;</title>"), "{svg}");
        assert!(!svg.contains("http"), "{svg}");
        assert!(!svg.contains("#F10"), "{svg}");
    }
}
