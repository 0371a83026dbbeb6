//! Quantities turned into bounds in a metric's own unit.
//!
//! Owns what `%`, `pp` and plain numbers mean under each form of a claim, the checks that a bound makes sense for its
//! measure, and the words in which it is shown. Claims, recovery bands and abort rules share it. Refuses to know
//! which key a quantity came from beyond the form.

use crate::spec::claim::{Amount, Form};
use crate::spec::grammar::{Key, Kind, Presence};
use crate::spec::problem::Findings;
use crate::spec::walk::fields::Fields;
use crate::spec::walk::place::Place;
use crate::unit::{Dimension, Quantity, Unit};

/// The forms by their keys.
pub(crate) const FORMS: [(&str, Form); 4] = [
    ("at_most", Form::AtMost),
    ("at_least", Form::AtLeast),
    ("increase_at_most", Form::IncreaseAtMost),
    ("decrease_at_most", Form::DecreaseAtMost),
];

/// The keys of the forms.
pub(crate) const FORM_KEYS: &[&str] =
    &["at_most", "at_least", "increase_at_most", "decrease_at_most"];

pub(crate) const AT_MOST: Key =
    Key::optional("at_most", Kind::Quantity, "the greatest accepted value");
pub(crate) const AT_LEAST: Key =
    Key::optional("at_least", Kind::Quantity, "the smallest accepted value");
pub(crate) const INCREASE_AT_MOST: Key = Key::optional(
    "increase_at_most",
    Kind::Quantity,
    "the greatest accepted rise above the iteration's own baseline (% is relative to it)",
);
pub(crate) const DECREASE_AT_MOST: Key = Key::optional(
    "decrease_at_most",
    Kind::Quantity,
    "the greatest accepted fall below the iteration's own baseline (% is relative to it)",
);
pub(crate) const OR_BY: Key = Key::optional(
    "or_by",
    Kind::Quantity,
    "an absolute allowance beside the relative one; the larger counts",
)
.with(Presence::OnlyBeside(&["increase_at_most", "decrease_at_most"]));

/// What has to be known of a metric to read a bound on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale<'metric> {
    pub(crate) unit: &'metric Unit,
    pub(crate) reach: Reach,
}

/// Which values a measure can take at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Shares: from 0 to 1.
    Fraction,
    /// Rates and differences: 0 or more.
    NeverNegative,
    /// Anything.
    Any,
}

/// A bound of one of the four forms, read and converted.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) form: Form,
    pub(crate) amount: Amount,
    pub(crate) or_by: Option<f64>,
    pub(crate) quantity: Quantity,
    pub(crate) or_by_quantity: Option<Quantity>,
}

/// The form that a mapping uses, if it uses one.
pub(crate) fn form_of(fields: &Fields<'_>) -> Option<Form> {
    FORMS.iter().find(|(key, _)| fields.has(key)).map(|(_, form)| *form)
}

/// Reads the first form of a mapping with its `or_by`.
pub(crate) fn read(
    fields: &Fields<'_>,
    scale: Scale<'_>,
    findings: &mut Findings,
) -> Option<Bound> {
    let (key, form) = FORMS.iter().find(|(key, _)| fields.has(key))?;
    let place = fields.at(key)?;
    let quantity = fields.quantity(key, findings);
    let amount = quantity.as_ref().and_then(|quantity| {
        if form.is_against_baseline() {
            margin(&place, quantity, scale, findings)
        } else {
            absolute(&place, quantity, scale, findings).map(Amount::Absolute)
        }
    });
    let (or_by_quantity, or_by) = match fields.at("or_by") {
        Some(place) if form.is_against_baseline() => {
            let quantity = fields.quantity("or_by", findings)?;
            let value = allowance(&place, &quantity, scale, findings)?;
            (Some(quantity), Some(value))
        }
        Some(_) | None => (None, None),
    };
    if let (Some(amount), Form::DecreaseAtMost) = (amount, form) {
        warn_of_total_decrease(&place, amount, scale, findings);
    }
    Some(Bound { form: *form, amount: amount?, or_by, quantity: quantity?, or_by_quantity })
}

/// A value in the metric's unit.
pub(crate) fn absolute(
    place: &Place<'_>,
    quantity: &Quantity,
    scale: Scale<'_>,
    findings: &mut Findings,
) -> Option<f64> {
    if quantity.dimension == Dimension::PercentagePoints {
        let found = &quantity.text;
        place.refuse(
            format!(
                "found {found}; percentage points are a difference: accepted here is %, e.g. {}%",
                found.trim_end_matches("pp").trim()
            ),
            findings,
        );
        return None;
    }
    let value = converted(place, quantity, scale.unit, findings)?;
    match scale.reach {
        Reach::Fraction if !(0.0..=1.0).contains(&value) => {
            let hint =
                if quantity.dimension == Dimension::Plain { " (for percent write %)" } else { "" };
            let found = &quantity.text;
            place.refuse(
                format!("found {found}; accepted is a share from 0 to 1, or 0% to 100%{hint}"),
                findings,
            );
            None
        }
        Reach::NeverNegative if value < 0.0 => {
            let found = &quantity.text;
            place.refuse(
                format!("found {found}; this metric is never negative: accepted is 0 or more"),
                findings,
            );
            None
        }
        Reach::Fraction | Reach::NeverNegative | Reach::Any => Some(value),
    }
}

/// An allowance against the baseline: `%` is relative to it, everything else an amount in the metric's unit.
pub(crate) fn margin(
    place: &Place<'_>,
    quantity: &Quantity,
    scale: Scale<'_>,
    findings: &mut Findings,
) -> Option<Amount> {
    match quantity.dimension {
        Dimension::Percent => {
            not_negative(place, quantity, findings).map(|()| Amount::Relative(quantity.value))
        }
        Dimension::Time | Dimension::Data | Dimension::PercentagePoints | Dimension::Plain => {
            amount(place, quantity, scale, findings).map(Amount::Absolute)
        }
    }
}

/// The absolute allowance of `or_by`.
pub(crate) fn allowance(
    place: &Place<'_>,
    quantity: &Quantity,
    scale: Scale<'_>,
    findings: &mut Findings,
) -> Option<f64> {
    if quantity.dimension == Dimension::Percent {
        let hint = match scale.unit.dimension() {
            Dimension::Percent => "; for percentage points write pp",
            Dimension::Time | Dimension::Data | Dimension::PercentagePoints | Dimension::Plain => {
                ""
            }
        };
        place.refuse(
            format!(
                "found {}; accepted is an absolute amount {}{hint}",
                quantity.text,
                in_unit(scale.unit)
            ),
            findings,
        );
        return None;
    }
    amount(place, quantity, scale, findings)
}

/// An absolute amount of change in the metric's unit.
fn amount(
    place: &Place<'_>,
    quantity: &Quantity,
    scale: Scale<'_>,
    findings: &mut Findings,
) -> Option<f64> {
    not_negative(place, quantity, findings)?;
    let value = converted(place, quantity, scale.unit, findings)?;
    if scale.reach == Reach::Fraction && value > 1.0 {
        let found = &quantity.text;
        place.refuse(
            format!(
                "found {found}; a share changes by at most 1: accepted is a change from 0 to 1, or percentage points such as 2pp"
            ),
            findings,
        );
        return None;
    }
    Some(value)
}

fn not_negative(place: &Place<'_>, quantity: &Quantity, findings: &mut Findings) -> Option<()> {
    if quantity.value < 0.0 {
        let found = &quantity.text;
        place.refuse(format!("found {found}; accepted is an allowance of 0 or more"), findings);
        return None;
    }
    Some(())
}

/// The number in the metric's unit, if both measure the same.
fn converted(
    place: &Place<'_>,
    quantity: &Quantity,
    unit: &Unit,
    findings: &mut Findings,
) -> Option<f64> {
    let same = match quantity.dimension {
        Dimension::Plain => return Some(quantity.value),
        Dimension::PercentagePoints | Dimension::Percent => unit.dimension() == Dimension::Percent,
        Dimension::Time => unit.dimension() == Dimension::Time,
        Dimension::Data => unit.dimension() == Dimension::Data,
    };
    if same {
        return Some(in_units(quantity.value, unit));
    }
    let found = &quantity.text;
    place.refuse(
        format!(
            "found {found}, which is {}; the metric is {}: accepted is {}",
            dimension_words(quantity.dimension),
            in_unit(unit),
            accepted_for(unit),
        ),
        findings,
    );
    None
}

/// A number of base units as a number of `unit`s. Small factors are divided by their whole inverse, so that 0.3 s is
/// exactly 300 ms.
pub(crate) fn in_units(value: f64, unit: &Unit) -> f64 {
    let factor = unit.in_base_units();
    if factor < 1.0 { value * (1.0 / factor).round() } else { value / factor }
}

fn dimension_words(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Time => "a time",
        Dimension::Data => "an amount of data",
        Dimension::Percent => "a share",
        Dimension::PercentagePoints => "in percentage points",
        Dimension::Plain => "a plain number",
    }
}

fn in_unit(unit: &Unit) -> String {
    unit.word().map_or_else(|| "without a unit".to_owned(), |word| format!("in {word}"))
}

fn accepted_for(unit: &Unit) -> &'static str {
    match unit.dimension() {
        Dimension::Time => "a time such as 200ms, or a plain number",
        Dimension::Data => "an amount of data such as 64MiB, or a plain number",
        Dimension::Percent | Dimension::PercentagePoints => {
            "a share such as 0.1%, or a plain number"
        }
        Dimension::Plain => "a plain number",
    }
}

/// Warns of an allowance that nothing can exceed.
fn warn_of_total_decrease(
    place: &Place<'_>,
    amount: Amount,
    scale: Scale<'_>,
    findings: &mut Findings,
) {
    let total = match amount {
        Amount::Relative(share) => share >= 1.0 && scale.reach != Reach::Any,
        Amount::Absolute(share) => share >= 1.0 && scale.reach == Reach::Fraction,
    };
    if total {
        place.warn("no measurement can break this bound: the metric cannot fall further", findings);
    }
}

impl Bound {
    /// The bound in words: `at most 0.1 %`, `increases by at most 40 % or by 20`.
    pub(crate) fn words(&self, side: Side, unit: Option<&Unit>) -> String {
        let amount = shown(&self.quantity, unit);
        let start = match (self.form, side) {
            (Form::AtMost, Side::Closed) => "at most",
            (Form::AtMost, Side::Open) => "below",
            (Form::AtLeast, Side::Closed) => "at least",
            (Form::AtLeast, Side::Open) => "above",
            (Form::IncreaseAtMost, Side::Closed) => "increases by at most",
            (Form::IncreaseAtMost, Side::Open) => "increases by less than",
            (Form::DecreaseAtMost, Side::Closed) => "decreases by at most",
            (Form::DecreaseAtMost, Side::Open) => "decreases by less than",
        };
        match &self.or_by_quantity {
            Some(allowance) => format!("{start} {amount} or by {}", shown(allowance, unit)),
            None => format!("{start} {amount}"),
        }
    }
}

/// Whether the bound itself is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Closed,
    Open,
}

/// A quantity with a blank before its unit; a plain number gets the metric's own unit.
fn shown(quantity: &Quantity, unit: Option<&Unit>) -> String {
    let text = quantity.text.trim();
    let number = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let word = &text[number.len()..];
    let number = number.trim_end();
    if number.contains(char::is_alphabetic) && number.parse::<f64>().is_err() {
        // A sum such as 1h30m reads best as written.
        return text.to_owned();
    }
    if !word.is_empty() {
        return format!("{number} {word}");
    }
    match unit {
        Some(Unit::Seconds) => format!("{number} s"),
        Some(Unit::Bytes) => format!("{number} B"),
        Some(Unit::Named(name)) => format!("{number} {name}"),
        Some(Unit::Ratio | Unit::None) | None => number.to_owned(),
    }
}
