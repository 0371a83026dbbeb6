//! `expect`: the claim that a metric makes.
//!
//! Owns the table of `expect`, the defaults of `for` and `share`, and which sense a claim can have for which measure.

use crate::spec::claim::{Claim, Estimand, Form, Strictness};
use crate::spec::grammar::{Choice, Key, Kind, Range, Rule, Shape};
use crate::spec::problem::Findings;
use crate::spec::walk::bound::{self, Bound, Reach, Scale, Side};
use crate::spec::walk::fields::Fields;
use crate::spec::walk::measure::MeasureKind;
use crate::unit::Unit;

/// Share of kills that has to stay inside where the document says nothing.
pub(crate) const DEFAULT_SHARE: f64 = 0.8;

/// Share of kills that `every_kill` stands for: no number of kills can show more than a share below one.
const EVERY_KILL_SHARE: f64 = 0.95;

pub(crate) const EXPECT: Shape = Shape {
    name: "expect",
    doc: "The claim; a metric without one is exploratory: shown, never part of the verdict.",
    keys: &[
        bound::AT_MOST,
        bound::AT_LEAST,
        bound::INCREASE_AT_MOST,
        bound::DECREASE_AT_MOST,
        bound::OR_BY,
        Key::optional("strict", Kind::Flag, "whether a value equal to the bound is outside"),
        Key::optional(
            "for",
            Kind::Word(&["most_kills", "every_kill", "all_requests", "typical_kill", "this_run"]),
            "what the claim is said of",
        ),
        Key::optional(
            "share",
            Kind::Fraction(Range::between(0.0, 1.0)),
            "the share of kills that has to stay inside, for most_kills (default 80%)",
        ),
    ],
    choices: &[Choice { rule: Rule::ExactlyOne, keys: bound::FORM_KEYS, noun: "bound" }],
};

/// What has to be known of a metric to read its claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'metric> {
    pub(crate) kind: MeasureKind,
    pub(crate) unit: &'metric Unit,
    pub(crate) reach: Reach,
    pub(crate) slices: Slices,
}

/// Whether the worst slice of a window decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slices {
    Whole,
    Worst,
}

/// Reads the claim of a metric.
pub(crate) fn read(
    fields: &Fields<'_>,
    subject: Subject<'_>,
    findings: &mut Findings,
) -> Option<Claim> {
    let scale = Scale { unit: subject.unit, reach: subject.reach };
    let bound = bound::read(fields, scale, findings);
    let strict = fields.flag("strict", findings);
    let strictness = match strict {
        Some(true) => Strictness::EqualityOutside,
        Some(false) | None => Strictness::EqualityInside,
    };
    let estimand = estimand(fields, subject, findings);
    let share = share(fields, estimand, findings);
    let (bound, estimand) = (bound?, estimand?);
    warn_of_unbreakable(fields, &bound, strictness, subject, findings);
    let side = match strictness {
        Strictness::EqualityInside => Side::Closed,
        Strictness::EqualityOutside => Side::Open,
    };
    // A counter's number is per second, so that its unit alone would read wrong behind a plain number.
    let shown_unit = (subject.kind != MeasureKind::Counter).then_some(subject.unit);
    Some(Claim {
        form: bound.form,
        amount: bound.amount,
        or_by: bound.or_by,
        strictness,
        estimand,
        share: share?,
        text: bound.words(side, shown_unit),
    })
}

/// What the claim is said of: as written and allowed, else the default of its form and measure.
fn estimand(
    fields: &Fields<'_>,
    subject: Subject<'_>,
    findings: &mut Findings,
) -> Option<Estimand> {
    let form = bound::form_of(fields)?;
    if form.is_against_baseline() && subject.kind == MeasureKind::Balance {
        fields.place.refuse(
            "a balance has no baseline of its own; accepted is at_most or at_least",
            findings,
        );
        return None;
    }
    let Some(place) = fields.at("for") else {
        return Some(default_estimand(form, subject));
    };
    let word = fields.word("for", findings)?;
    let estimand = Estimand::ALL.into_iter().find(|estimand| estimand.word() == word)?;
    if estimand == Estimand::AllRequests
        && let Some(reason) = no_requests(form, subject)
    {
        place.refuse(format!("found all_requests; {reason}"), findings);
        return None;
    }
    Some(estimand)
}

/// The default of `for`.
fn default_estimand(form: Form, subject: Subject<'_>) -> Estimand {
    if form.is_against_baseline() {
        return Estimand::TypicalKill;
    }
    match (subject.kind, subject.slices) {
        (MeasureKind::Ratio, Slices::Whole) => Estimand::AllRequests,
        (
            MeasureKind::Ratio
            | MeasureKind::Histogram
            | MeasureKind::Gauge
            | MeasureKind::Counter
            | MeasureKind::Samples
            | MeasureKind::Balance
            | MeasureKind::Query,
            Slices::Whole | Slices::Worst,
        ) => Estimand::MostKills,
    }
}

/// Why a claim cannot be about all requests.
fn no_requests(form: Form, subject: Subject<'_>) -> Option<&'static str> {
    match (subject.kind, subject.slices) {
        (MeasureKind::Ratio | MeasureKind::Histogram, Slices::Worst) => Some(
            "with `worst` one slice of each window decides, not all requests: accepted are most_kills, every_kill, typical_kill and this_run",
        ),
        (MeasureKind::Histogram, Slices::Whole) if form.is_against_baseline() => Some(
            "against the baseline it is accepted only for a ratio: accepted for a histogram are typical_kill, most_kills, every_kill and this_run",
        ),
        (MeasureKind::Ratio | MeasureKind::Histogram, Slices::Whole) => None,
        (
            MeasureKind::Gauge
            | MeasureKind::Counter
            | MeasureKind::Samples
            | MeasureKind::Balance
            | MeasureKind::Query,
            Slices::Whole | Slices::Worst,
        ) => Some(
            "only ratios and histograms count requests: accepted are most_kills, every_kill, typical_kill and this_run",
        ),
    }
}

/// The share of kills, which only `most_kills` leaves to the document.
fn share(fields: &Fields<'_>, estimand: Option<Estimand>, findings: &mut Findings) -> Option<f64> {
    let Some(place) = fields.at("share") else {
        return Some(match estimand {
            Some(Estimand::EveryKill) => EVERY_KILL_SHARE,
            Some(
                Estimand::MostKills
                | Estimand::AllRequests
                | Estimand::TypicalKill
                | Estimand::ThisRun,
            )
            | None => DEFAULT_SHARE,
        });
    };
    let share = fields.fraction("share", findings);
    match estimand {
        Some(Estimand::MostKills) | None => share,
        Some(
            estimand @ (Estimand::EveryKill
            | Estimand::AllRequests
            | Estimand::TypicalKill
            | Estimand::ThisRun),
        ) => {
            let word = estimand.word();
            let origin = if fields.has("for") { "" } else { ", its default" };
            place.refuse(
                format!(
                    "found a share, but the claim is for {word}{origin}; accepted only with for: most_kills"
                ),
                findings,
            );
            None
        }
    }
}

/// Warns of an absolute bound that no measurement can break.
fn warn_of_unbreakable(
    fields: &Fields<'_>,
    bound: &Bound,
    strictness: Strictness,
    subject: Subject<'_>,
    findings: &mut Findings,
) {
    let value = bound.amount.value();
    let unbreakable = match (bound.form, subject.reach) {
        (Form::AtMost, Reach::Fraction) => value >= 1.0,
        (Form::AtLeast, Reach::Fraction | Reach::NeverNegative) => value <= 0.0,
        (Form::AtMost | Form::AtLeast, Reach::NeverNegative | Reach::Any)
        | (Form::IncreaseAtMost | Form::DecreaseAtMost, _) => false,
    };
    if unbreakable && strictness == Strictness::EqualityInside {
        fields
            .place
            .warn("no measurement can break this bound: the claim is not falsifiable", findings);
    }
}
