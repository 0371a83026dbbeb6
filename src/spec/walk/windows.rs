//! `windows` and `iterations`: how long each part of an iteration is and how many iterations are planned.

use crate::spec::experiment::{Iterations, Windows};
use crate::spec::grammar::{Key, Kind, Shape, SpanRule};
use crate::spec::problem::Findings;
use crate::spec::walk::fields::Fields;
use crate::unit::Span;

/// More iterations than this are a slip of the finger: at a minute each they take ten weeks.
const MOST_ITERATIONS: u64 = 100_000;

pub(crate) const WINDOWS: Shape = Shape {
    name: "windows",
    doc: "Lengths of the parts of an iteration.",
    keys: &[
        Key::required(
            "baseline",
            Kind::Span(SpanRule::AboveZero),
            "how long the time before the kill is measured",
        ),
        Key::required(
            "experiment",
            Kind::Span(SpanRule::AboveZero),
            "how long the time after the kill is measured",
        ),
        Key::optional(
            "cooldown",
            Kind::Span(SpanRule::ZeroOrMore),
            "the rest after recovery, before the next baseline (default 0s)",
        ),
        Key::optional(
            "jitter",
            Kind::Span(SpanRule::ZeroOrMore),
            "the greatest random addition to the cooldown (default 0s)",
        ),
    ],
    choices: &[],
};

pub(crate) const ITERATIONS: Shape = Shape {
    name: "iterations",
    doc: "Planned iterations.",
    keys: &[
        Key::optional(
            "fault",
            Kind::Count { least: 0, most: MOST_ITERATIONS },
            "how many iterations kill",
        ),
        Key::optional(
            "control",
            Kind::Count { least: 0, most: MOST_ITERATIONS },
            "how many follow the same schedule without a kill (default 0)",
        ),
    ],
    choices: &[],
};

/// Reads `windows`.
pub(crate) fn read(fields: &Fields<'_>, findings: &mut Findings) -> Option<Windows> {
    let baseline = fields.span("baseline", findings);
    let experiment = fields.span("experiment", findings);
    let cooldown = fields.span("cooldown", findings).unwrap_or(Span::ZERO);
    let jitter = fields.span("jitter", findings).unwrap_or(Span::ZERO);
    Some(Windows { baseline: baseline?, experiment: experiment?, cooldown, jitter })
}

/// Reads `iterations`.
pub(crate) fn read_iterations(fields: &Fields<'_>, findings: &mut Findings) -> Iterations {
    let count = |name, findings: &mut Findings| {
        let count = fields.count(name, findings)?;
        Some(u32::try_from(count).expect("the table bounds it by MOST_ITERATIONS"))
    };
    let fault = count("fault", findings);
    let control = count("control", findings).unwrap_or(0);
    Iterations { fault, control }
}
