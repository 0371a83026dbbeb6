//! `recovery`: when the service counts as recovered, and whether the windows leave time to see it.

use crate::spec::claim::{Amount, Form};
use crate::spec::experiment::{Band, Detection, Recovery, Remediation, Windows};
use crate::spec::grammar::{Choice, Key, Kind, Presence, Range, Rule, Shape, SpanRule, TextRule};
use crate::spec::problem::Findings;
use crate::spec::walk::bound;
use crate::spec::walk::claim::DEFAULT_SHARE;
use crate::spec::walk::fields::Fields;
use crate::spec::walk::metric::{Known, Metrics};
use crate::unit::Span;

/// A step longer than this part of the deadline makes many recoveries undecided by resolution.
const STEPS_PER_DEADLINE: i64 = 24;

pub(crate) const RECOVERY: Shape = Shape {
    name: "recovery",
    doc: "When the service counts as recovered.",
    keys: &[
        Key::required(
            "signal",
            Kind::Text(TextRule::Any),
            "the gauge, query or ratio metric that is watched",
        ),
        Key::required("healthy", Kind::Mapping(&HEALTHY), "where the signal is healthy"),
        Key::required(
            "stable_for",
            Kind::Span(SpanRule::AboveZero),
            "how long the signal has to stay healthy",
        ),
        Key::optional(
            "within",
            Kind::Span(SpanRule::AboveZero),
            "the deadline after the fault; with it recovery is a claim",
        ),
        Key::optional(
            "share",
            Kind::Fraction(Range::between(0.0, 1.0)),
            "the share of kills that has to recover in time (default 80%)",
        ),
        Key::optional("detected_by", Kind::Mapping(&DETECTED_BY), "what counts as detection"),
        Key::optional("remediated_by", Kind::Mapping(&SIGN), "what counts as remediation"),
    ],
    choices: &[],
};

const HEALTHY: Shape = Shape {
    name: "healthy",
    doc: "Where the signal is healthy: an absolute bound, or a band around the iteration's own baseline.",
    keys: &[
        bound::AT_MOST,
        bound::AT_LEAST,
        bound::INCREASE_AT_MOST,
        bound::DECREASE_AT_MOST,
        bound::OR_BY,
    ],
    choices: &[Choice { rule: Rule::ExactlyOne, keys: bound::FORM_KEYS, noun: "bound" }],
};

const DETECTED_BY: Shape = Shape {
    name: "detected_by",
    doc: "What counts as detection: an alert, or a metric that crosses a value.",
    keys: &[
        Key::optional(
            "alert",
            Kind::Text(TextRule::Any),
            "the name of an alert of the ALERTS series",
        ),
        Key::optional(
            "signal",
            Kind::Text(TextRule::Any),
            "the gauge, query or ratio metric that is watched",
        ),
        Key::optional("above", Kind::Quantity, "the value that the signal has to exceed")
            .with(Presence::OnlyBeside(&["signal"])),
        Key::optional("below", Kind::Quantity, "the value that the signal has to fall below")
            .with(Presence::OnlyBeside(&["signal"])),
    ],
    choices: &[
        Choice { rule: Rule::ExactlyOne, keys: &["alert", "signal"], noun: "sign" },
        Choice { rule: Rule::AtMostOne, keys: &["above", "below"], noun: "side" },
    ],
};

/// A sign in the series: of remediation, or that a kill was felt.
pub(crate) const SIGN: Shape = Shape {
    name: "sign",
    doc: "A sign in the series: a counter that goes up, or a gauge that is back at its value before the fault.",
    keys: &[
        Key::optional("counter_increase", Kind::Selector, "the counter that goes up"),
        Key::optional("gauge_back", Kind::Selector, "the gauge that comes back"),
    ],
    choices: &[Choice {
        rule: Rule::ExactlyOne,
        keys: &["counter_increase", "gauge_back"],
        noun: "sign",
    }],
};

/// What the recovery has to fit into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'document> {
    pub(crate) windows: Option<&'document Windows>,
    /// The spacing of samples, where the source says it.
    pub(crate) step: Option<Span>,
}

/// Reads `recovery`.
pub(crate) fn read(
    fields: &Fields<'_>,
    metrics: &Metrics,
    frame: Frame<'_>,
    findings: &mut Findings,
) -> Option<Recovery> {
    let signal = fields.text("signal", findings);
    let known = match (&signal, fields.at("signal")) {
        (Some(signal), Some(place)) => metrics.signal(signal, &place, findings),
        (_, _) => None,
    };
    let healthy = fields.open("healthy", findings);
    let healthy = healthy.and_then(|fields| band(&fields, known, findings));
    let stable_for = fields.span("stable_for", findings);
    let within = fields.span("within", findings);
    let share = fields.fraction("share", findings).unwrap_or(DEFAULT_SHARE);
    if let (Some(place), false) = (fields.at("share"), fields.has("within")) {
        place.warn("the share has no effect without `within`: recovery is no claim then", findings);
    }
    let detected_by = fields.open("detected_by", findings);
    let detected_by = detected_by.and_then(|fields| detection(&fields, metrics, findings));
    let remediated_by = fields.open("remediated_by", findings);
    let remediated_by = remediated_by.and_then(|fields| sign(&fields, findings));
    if let Some(stable_for) = stable_for {
        check_lengths(fields, stable_for, within, frame, findings);
    }
    let (signal, stable_for) = (signal?, stable_for?);
    Some(Recovery {
        signal,
        healthy: healthy?,
        stable_for,
        within,
        share,
        detected_by,
        remediated_by,
    })
}

/// Reads the band; without a known signal only its quantities are checked.
fn band(fields: &Fields<'_>, known: Option<&Known>, findings: &mut Findings) -> Option<Band> {
    let Some(known) = known else {
        for key in bound::FORM_KEYS.iter().chain(&["or_by"]) {
            fields.quantity(key, findings);
        }
        return None;
    };
    let bound = bound::read(fields, known.scale(), findings)?;
    let (amount, or_by) = (bound.amount, bound.or_by);
    Some(match (bound.form, amount) {
        (Form::AtMost, Amount::Absolute(value) | Amount::Relative(value)) => Band::AtMost(value),
        (Form::AtLeast, Amount::Absolute(value) | Amount::Relative(value)) => Band::AtLeast(value),
        (Form::IncreaseAtMost, _) => Band::IncreaseAtMost { amount, or_by },
        (Form::DecreaseAtMost, _) => Band::DecreaseAtMost { amount, or_by },
    })
}

fn detection(fields: &Fields<'_>, metrics: &Metrics, findings: &mut Findings) -> Option<Detection> {
    let alert = fields.text("alert", findings);
    let signal = fields.text("signal", findings);
    let (Some(signal), Some(place)) = (signal, fields.at("signal")) else {
        return alert.map(Detection::Alert);
    };
    let known = metrics.signal(&signal, &place, findings);
    let side = fields.first_of(&["above", "below"]);
    let Some(side) = side else {
        fields.place.refuse("found no side; accepted is exactly one of above, below", findings);
        return None;
    };
    let place = fields.at(side)?;
    let quantity = fields.quantity(side, findings)?;
    let value = bound::absolute(&place, &quantity, known?.scale(), findings)?;
    Some(match side {
        "above" => Detection::Above { signal, above: value },
        _ => Detection::Below { signal, below: value },
    })
}

/// Reads a sign in the series.
pub(crate) fn sign(fields: &Fields<'_>, findings: &mut Findings) -> Option<Remediation> {
    let increase = fields.selector("counter_increase", findings);
    let back = fields.selector("gauge_back", findings);
    increase.map(Remediation::CounterIncrease).or(back.map(Remediation::GaugeBack))
}

/// Checks that the experiment window holds the deadline and the time that the signal has to stay healthy.
fn check_lengths(
    fields: &Fields<'_>,
    stable_for: Span,
    within: Option<Span>,
    frame: Frame<'_>,
    findings: &mut Findings,
) {
    let margin = frame.step.map_or(Span::ZERO, |step| step.times(2));
    let needed = within.unwrap_or(Span::ZERO).plus(stable_for).plus(margin);
    let key = if within.is_some() { "within" } else { "stable_for" };
    let Some(place) = fields.at(key) else {
        return;
    };
    if let Some(windows) = frame.windows
        && windows.experiment < needed
    {
        let sum = match (within, frame.step) {
            (Some(_), Some(step)) => format!("within + stable_for + 2 steps of {step}"),
            (Some(_), None) => "within + stable_for".to_owned(),
            (None, Some(step)) => format!("stable_for + 2 steps of {step}"),
            (None, None) => "stable_for".to_owned(),
        };
        let found = windows.experiment;
        place.refuse(
            format!(
                "found an experiment window of {found}; accepted is at least {needed} ({sum}): lengthen windows.experiment or shorten the deadline"
            ),
            findings,
        );
    }
    if let (Some(within), Some(step)) = (within, frame.step)
        && step.times(STEPS_PER_DEADLINE) > within
    {
        let finest = Span::from_milliseconds(within.milliseconds() / STEPS_PER_DEADLINE);
        place.warn(
            format!(
                "a step of {step} is coarse for a deadline of {within}: recoveries near it will be undecided; a step of at most {finest} is better"
            ),
            findings,
        );
    }
}
