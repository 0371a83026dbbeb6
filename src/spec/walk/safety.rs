//! `safety`: conditions before a kill, and rules that stop an iteration.

use crate::spec::experiment::{AbortRule, AbortTrigger, Precondition, PreconditionBound, Safety};
use crate::spec::grammar::{Choice, Key, Kind, Presence, Rule, Shape, SpanRule, TextRule};
use crate::spec::problem::Findings;
use crate::spec::selector::Selector;
use crate::spec::walk::bound::{self, Reach, Scale};
use crate::spec::walk::fields::Fields;
use crate::spec::walk::measure::MeasureKind;
use crate::spec::walk::metric::Metrics;
use crate::unit::{Dimension, Quantity, Span, Unit};

pub(crate) const SAFETY: Shape = Shape {
    name: "safety",
    doc: "Conditions before and during a kill.",
    keys: &[
        Key::optional(
            "preconditions",
            Kind::List { of: &Kind::Mapping(&PRECONDITION), least: 0 },
            "conditions that all have to hold before a kill",
        ),
        Key::optional(
            "abort",
            Kind::List { of: &Kind::Mapping(&ABORT), least: 0 },
            "rules of which any stops the iteration",
        ),
    ],
    choices: &[],
};

pub(crate) const PRECONDITION: Shape = Shape {
    name: "precondition",
    doc: "A condition that has to hold before a kill.",
    keys: &[
        Key::required("name", Kind::Text(TextRule::Any), "the condition in words"),
        Key::required("query", Kind::Text(TextRule::Any), "what the source is asked"),
        bound::AT_MOST,
        bound::AT_LEAST,
    ],
    choices: &[Choice { rule: Rule::ExactlyOne, keys: &["at_most", "at_least"], noun: "bound" }],
};

const ABORT: Shape = Shape {
    name: "abort",
    doc: "A rule that stops an iteration.",
    keys: &[
        Key::required("metric", Kind::Text(TextRule::Any), "the metric that is watched"),
        Key::optional("above", Kind::Quantity, "fires above this value"),
        Key::optional("below", Kind::Quantity, "fires below this value"),
        Key::optional(
            "above_baseline",
            Kind::Quantity,
            "fires when the metric is so much above the iteration's own baseline (% is relative to it)",
        ),
        Key::optional(
            "or_by",
            Kind::Quantity,
            "an absolute allowance beside the relative one; the larger counts",
        )
        .with(Presence::OnlyBeside(&["above_baseline"])),
        Key::optional(
            "consecutive",
            Kind::Span(SpanRule::ZeroOrMore),
            "how long it has to hold before it fires (default 0s: at once)",
        ),
    ],
    choices: &[Choice {
        rule: Rule::ExactlyOne,
        keys: &["above", "below", "above_baseline"],
        noun: "trigger",
    }],
};

/// Reads `safety`.
pub(crate) fn read(fields: &Fields<'_>, metrics: &Metrics, findings: &mut Findings) -> Safety {
    let mut safety = Safety::default();
    for fields in fields.mappings("preconditions", findings) {
        safety.preconditions.extend(precondition(&fields, findings));
    }
    for fields in fields.mappings("abort", findings) {
        safety.abort.extend(abort(&fields, metrics, findings));
    }
    safety
}

pub(crate) fn precondition(fields: &Fields<'_>, findings: &mut Findings) -> Option<Precondition> {
    let name = fields.text("name", findings);
    let query = fields.text("query", findings);
    let side = fields.first_of(&["at_most", "at_least"])?;
    let place = fields.at(side)?;
    let quantity = fields.quantity(side, findings)?;
    // The answer of the query is compared as it comes, so that the bound is in the query's own unit.
    let own = query.as_deref().and_then(|query| Selector::parse(query).ok());
    let own = own.and_then(|selector| Unit::from_metric_name(selector.metric_name()));
    let unit = own.unwrap_or_else(|| base_unit(&quantity));
    let scale = Scale { unit: &unit, reach: Reach::Any };
    let value = bound::absolute(&place, &quantity, scale, findings)?;
    let bound = match side {
        "at_most" => PreconditionBound::AtMost(value),
        _ => PreconditionBound::AtLeast(value),
    };
    Some(Precondition { name: name?, query: query?, bound })
}

/// The base unit of a quantity's dimension.
fn base_unit(quantity: &Quantity) -> Unit {
    match quantity.dimension {
        Dimension::Time => Unit::Seconds,
        Dimension::Data => Unit::Bytes,
        Dimension::Percent | Dimension::PercentagePoints => Unit::Ratio,
        Dimension::Plain => Unit::None,
    }
}

fn abort(fields: &Fields<'_>, metrics: &Metrics, findings: &mut Findings) -> Option<AbortRule> {
    let metric = fields.text("metric", findings);
    let consecutive = fields.span("consecutive", findings).unwrap_or(Span::ZERO);
    let side = fields.first_of(&["above", "below", "above_baseline"]);
    let quantity = side.and_then(|side| fields.quantity(side, findings));
    let allowance = fields.quantity("or_by", findings);
    let (metric, place) = (metric?, fields.at("metric")?);
    let known = metrics.named(&metric, &place, findings)?;
    if known.kind == Some(MeasureKind::Balance) {
        place.refuse(
            "found a balance, which has no value before the iteration ends; accepted is any other metric",
            findings,
        );
        return None;
    }
    let (side, quantity, scale) = (side?, quantity?, known.scale());
    let place = fields.at(side)?;
    let trigger = match side {
        "above" => AbortTrigger::Above(bound::absolute(&place, &quantity, scale, findings)?),
        "below" => AbortTrigger::Below(bound::absolute(&place, &quantity, scale, findings)?),
        _ => {
            let amount = bound::margin(&place, &quantity, scale, findings);
            let or_by = match (allowance, fields.at("or_by")) {
                (Some(allowance), Some(place)) => {
                    Some(bound::allowance(&place, &allowance, scale, findings)?)
                }
                (_, _) => None,
            };
            AbortTrigger::AboveBaseline { amount: amount?, or_by }
        }
    };
    Some(AbortRule { metric, trigger, consecutive })
}
