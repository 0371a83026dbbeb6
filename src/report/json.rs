//! The result as `result.json`, and back.
//!
//! Owns the outer form (indented, an array within an array on one line, one final newline) and the refusal of other schemas. The fields are those of
//! [`crate::verdict::result`]; unknown fields are ignored, so that a newer writer of the same schema stays readable.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::report::ReportError;
use crate::verdict::plan::CampaignPlan;
use crate::verdict::result::{AnalysisResult, SCHEMA};

/// Bytes of a point of a timeline, about: reserved so that a large result is not copied while it grows.
const POINT_BYTES: usize = 84;

/// The result as indented JSON with a final newline; a point of a timeline takes one line. Same result, same bytes.
pub fn to_json(result: &AnalysisResult) -> String {
    let points: usize = result.timeline.metrics.iter().map(|metric| metric.points.len()).sum();
    let mut bytes = Vec::with_capacity(points * POINT_BYTES + (1 << 16));
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Indented::default());
    result
        .serialize(&mut serializer)
        .expect("a result has string keys only and its types never refuse to serialise");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is written as UTF-8")
}

/// Indents everything but arrays within arrays. There may be half a million points of timelines; six lines for each
/// would double the file and hide the rest of it.
#[derive(Default)]
struct Indented {
    pretty: PrettyFormatter<'static>,
    /// The objects and arrays that are open, and how each is written.
    open: Vec<Open>,
}

/// How an open object or array is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Key and value, a line each.
    Object,
    /// A line for each value.
    Lines,
    /// All values on one line.
    OneLine,
}

impl Indented {
    fn on_one_line(&self) -> bool {
        self.open.last() == Some(&Open::OneLine)
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let inside_array = matches!(self.open.last(), Some(Open::Lines | Open::OneLine));
        if inside_array {
            self.open.push(Open::OneLine);
            return writer.write_all(b"[");
        }
        self.open.push(Open::Lines);
        self.pretty.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match self.open.pop() {
            Some(Open::OneLine) => writer.write_all(b"]"),
            Some(Open::Object | Open::Lines) | None => self.pretty.end_array(writer),
        }
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !self.on_one_line() {
            return self.pretty.begin_array_value(writer, first);
        }
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.on_one_line() { Ok(()) } else { self.pretty.end_array_value(writer) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(Open::Object);
        self.pretty.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.pop();
        self.pretty.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.pretty.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

/// The plan of a campaign as indented JSON with a final newline. Same plan, same bytes.
pub fn plan_json(plan: &CampaignPlan) -> String {
    let mut text = serde_json::to_string_pretty(plan)
        .expect("a plan has string keys only and its types never refuse to serialise");
    text.push('\n');
    text
}

/// Reads a result.
///
/// # Errors
/// [`ReportError::NoSchema`] and [`ReportError::Schema`] for other documents, else [`ReportError::Result`] with
/// line and column.
pub fn from_json(text: &str) -> Result<AnalysisResult, ReportError> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<String>,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('[') {
        // The reader of structs takes lists for them; a result is never one.
        return Err(ReportError::NoSchema);
    }
    let head: Head = serde_json::from_str(text).map_err(ReportError::Result)?;
    match head.schema.as_deref() {
        Some(SCHEMA) => serde_json::from_str(text).map_err(ReportError::Result),
        Some(found) => Err(ReportError::Schema { found: found.chars().take(80).collect() }),
        None => Err(ReportError::NoSchema),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{Story, sample};

    #[test]
    fn a_point_of_a_timeline_takes_one_line_and_the_rest_is_indented() {
        let mut result = sample(Story::Fail);
        result.timeline.metrics[0].points.truncate(2);
        let (first, second) =
            (result.timeline.metrics[0].points[0], result.timeline.metrics[0].points[1]);
        let text = to_json(&result);
        let line = |point: (crate::unit::Timestamp, f64, f64, f64)| {
            serde_json::to_string(&point).unwrap().replace(',', ", ")
        };
        let wanted = format!(
            "        \"points\": [\n          {},\n          {}\n        ]\n",
            line(first),
            line(second)
        );
        assert!(text.contains(&wanted), "{wanted}");
        assert!(
            text.starts_with(
                "{\n  \"schema\": \"unfazed.result/v1\",\n  \"tool\": {\n    \"name\""
            )
        );
        assert!(text.ends_with("}\n"));
        let pretty: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(pretty, serde_json::to_value(&result).unwrap());
    }
}
