//! The measure of a metric: which series it reads and how they become one number per window.
//!
//! Owns the seven kinds of measure and the tables of their mappings. Refuses to know units and claims.

use crate::spec::experiment::{Across, Counted, Measure, Reduce};
use crate::spec::grammar::{Choice, Key, Kind, Range, Rule, Shape};
use crate::spec::problem::Findings;
use crate::spec::selector::Selector;
use crate::spec::walk::bound::Reach;
use crate::spec::walk::fields::{Fields, WordOrFields};

/// The kinds of measure, each a key of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MeasureKind {
    Ratio,
    Histogram,
    Gauge,
    Counter,
    Samples,
    Balance,
    Query,
}

impl MeasureKind {
    /// Every kind, in the order of the documentation.
    pub(crate) const ALL: [Self; 7] = [
        Self::Ratio,
        Self::Histogram,
        Self::Gauge,
        Self::Counter,
        Self::Samples,
        Self::Balance,
        Self::Query,
    ];

    /// The key of the metric.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Histogram => "histogram",
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Samples => "samples",
            Self::Balance => "balance",
            Self::Query => "query",
        }
    }

    /// Which values the measure can take.
    pub(crate) const fn reach(self) -> Reach {
        match self {
            Self::Ratio => Reach::Fraction,
            Self::Counter | Self::Balance => Reach::NeverNegative,
            Self::Histogram | Self::Gauge | Self::Samples | Self::Query => Reach::Any,
        }
    }

    /// Whether the measure has a value at every moment, so that it can be watched for recovery.
    pub(crate) const fn is_signal(self) -> bool {
        match self {
            Self::Ratio | Self::Gauge | Self::Query => true,
            Self::Histogram | Self::Counter | Self::Samples | Self::Balance => false,
        }
    }
}

pub(crate) const RATIO: Shape = Shape {
    name: "ratio",
    doc: "A share of counted events.",
    keys: &[
        Key::optional("bad", Kind::Selector, "the counter of bad events"),
        Key::optional("good", Kind::Selector, "the counter of good events"),
        Key::required("total", Kind::Selector, "the counter of all events, good and bad"),
    ],
    choices: &[Choice { rule: Rule::ExactlyOne, keys: &["bad", "good"], noun: "counted part" }],
};

pub(crate) const BALANCE: Shape = Shape {
    name: "balance",
    doc: "The difference of two counters, |in - out|, from the baseline's start to the experiment window's end.",
    keys: &[
        Key::required("in", Kind::Selector, "the counter of what came in"),
        Key::required("out", Kind::Selector, "the counter of what went out"),
    ],
    choices: &[],
};

pub(crate) const REDUCE: Shape = Shape {
    name: "reduce",
    doc: "A quantile of the samples of a window (type 7).",
    keys: &[Key::required(
        "quantile",
        Kind::Fraction(Range::from_to(0.0, 1.0)),
        "which quantile, e.g. 0.9",
    )],
    choices: &[],
};

/// The kind of a metric's measure: the first key that names one.
pub(crate) fn kind(fields: &Fields<'_>) -> Option<MeasureKind> {
    MeasureKind::ALL.into_iter().find(|kind| fields.has(kind.key()))
}

/// Reads the measure of one kind.
pub(crate) fn read(
    fields: &Fields<'_>,
    kind: MeasureKind,
    findings: &mut Findings,
) -> Option<Measure> {
    // Read before anything can end the function early, so that every problem is reported.
    let min_requests = fields.count("min_requests", findings).unwrap_or(1);
    let quantile = fields.fraction("quantile", findings);
    let reduce = reduce(fields, findings);
    let across = across(fields, findings);
    match kind {
        MeasureKind::Ratio => ratio(&fields.open("ratio", findings)?, min_requests, findings),
        MeasureKind::Histogram => {
            let base = fields.selector("histogram", findings)?;
            refuse_implied_suffix(fields, &base, findings);
            Some(Measure::Histogram { base, quantile: quantile? })
        }
        MeasureKind::Gauge => {
            let selector = fields.selector("gauge", findings)?;
            Some(Measure::Gauge { selector, reduce: reduce?, across: across? })
        }
        MeasureKind::Counter => {
            Some(Measure::Counter { selector: fields.selector("counter", findings)? })
        }
        MeasureKind::Samples => {
            let selector = fields.selector("samples", findings)?;
            Some(Measure::Samples { selector, quantile: quantile? })
        }
        MeasureKind::Balance => {
            let balance = fields.open("balance", findings)?;
            let incoming = balance.selector("in", findings);
            let outgoing = balance.selector("out", findings);
            Some(Measure::Balance { incoming: incoming?, outgoing: outgoing? })
        }
        MeasureKind::Query => {
            Some(Measure::Query { expression: fields.text("query", findings)?, reduce: reduce? })
        }
    }
}

fn ratio(fields: &Fields<'_>, min_requests: u64, findings: &mut Findings) -> Option<Measure> {
    let bad = fields.selector("bad", findings);
    let good = fields.selector("good", findings);
    let total = fields.selector("total", findings);
    let (part, counted) = match (bad, good) {
        (Some(bad), _) => (bad, Counted::Bad),
        (None, Some(good)) => (good, Counted::Good),
        (None, None) => return None,
    };
    let total = total?;
    if part == total {
        fields.place.warn(
            "the counted part and the total are the same selector: the ratio is always 1",
            findings,
        );
    }
    Some(Measure::Ratio { part, counted, total, min_requests })
}

/// A histogram is named by its base: `_bucket`, `_count` and `_sum` are implied.
fn refuse_implied_suffix(fields: &Fields<'_>, base: &Selector, findings: &mut Findings) {
    let name = base.metric_name();
    if let Some(place) = fields.at("histogram")
        && let Some(bare) = name.strip_suffix("_bucket")
    {
        place.refuse(
            format!(
                "found the metric '{name}'; accepted is the base name '{bare}', _bucket is implied"
            ),
            findings,
        );
    }
}

fn reduce(fields: &Fields<'_>, findings: &mut Findings) -> Option<Reduce> {
    if !fields.has("reduce") {
        return Some(Reduce::Mean);
    }
    match fields.word_or_open("reduce", findings)? {
        WordOrFields::Fields(fields) => fields.fraction("quantile", findings).map(Reduce::Quantile),
        WordOrFields::Word("median") => Some(Reduce::Median),
        WordOrFields::Word("max") => Some(Reduce::Max),
        WordOrFields::Word("min") => Some(Reduce::Min),
        WordOrFields::Word("last") => Some(Reduce::Last),
        WordOrFields::Word(_) => Some(Reduce::Mean),
    }
}

fn across(fields: &Fields<'_>, findings: &mut Findings) -> Option<Across> {
    if !fields.has("across") {
        return Some(Across::Sum);
    }
    match fields.word("across", findings)? {
        "max" => Some(Across::Max),
        "min" => Some(Across::Min),
        "mean" => Some(Across::Mean),
        _ => Some(Across::Sum),
    }
}
