//! `metrics`: each metric with its measure, its unit and its claim.
//!
//! Owns the table of a metric, unique names, and the rule by which a metric gets its unit. What other parts of the
//! document need to know of a metric is kept in [`Known`], also when the metric itself has problems.

use std::collections::BTreeMap;

use crate::spec::experiment::{Measure, Metric, Windows};
use crate::spec::grammar::{Choice, Key, Kind, Presence, Range, Rule, Shape, SpanRule, TextRule};
use crate::spec::problem::{Findings, accepted_words, quoted};
use crate::spec::selector::Selector;
use crate::spec::tree::{Node, Value};
use crate::spec::walk::bound::{self, FORM_KEYS, Reach, Scale};
use crate::spec::walk::claim::{self, EXPECT, Slices, Subject};
use crate::spec::walk::fields::Fields;
use crate::spec::walk::measure::{self, BALANCE, MeasureKind, RATIO, REDUCE};
use crate::spec::walk::place::Place;
use crate::unit::{Dimension, Quantity, Unit};

/// Results name the recovery claim with this word where others name a metric.
const RESERVED_NAME: &str = "recovery";

/// The smallest number of requests that can carry a ratio, and more than any window sees.
const REQUESTS: Kind = Kind::Count { least: 1, most: 1_000_000_000_000 };

pub(crate) const METRIC: Shape = Shape {
    name: "metric",
    doc: "What is measured, how, and what is claimed of it.",
    keys: &[
        Key::required(
            "name",
            Kind::Text(TextRule::Line),
            "the metric's name, unique in the document",
        ),
        Key::optional("ratio", Kind::Mapping(&RATIO), "a share of counted events"),
        Key::optional(
            "histogram",
            Kind::Selector,
            "the base name of a histogram, classic or native; _bucket and _count are implied",
        ),
        Key::optional("gauge", Kind::Selector, "a gauge"),
        Key::optional("counter", Kind::Selector, "a counter, measured per second"),
        Key::optional("samples", Kind::Selector, "raw values, one row per request"),
        Key::optional("balance", Kind::Mapping(&BALANCE), "the difference of two counters"),
        Key::optional(
            "query",
            Kind::Text(TextRule::Any),
            "any PromQL; in a recording a series of exactly this name",
        ),
        Key::optional("min_requests", REQUESTS, "the fewest requests a window needs (default 1)")
            .with(Presence::OnlyBeside(&["ratio"])),
        Key::optional(
            "quantile",
            Kind::Fraction(Range::between(0.0, 1.0)),
            "which quantile, e.g. 0.95",
        )
        .with(Presence::RequiredBeside(&["histogram", "samples"])),
        Key::optional(
            "reduce",
            Kind::WordOrMapping(&["mean", "median", "max", "min", "last"], &REDUCE),
            "how the samples of a window become one number (default mean)",
        )
        .with(Presence::OnlyBeside(&["gauge", "query"])),
        Key::optional(
            "across",
            Kind::Word(&["sum", "max", "min", "mean"]),
            "how the matching series are joined at each moment (default sum)",
        )
        .with(Presence::OnlyBeside(&["gauge"])),
        Key::optional(
            "worst",
            Kind::Span(SpanRule::AboveZero),
            "the length of the slices of each window of which the worst decides",
        )
        .with(Presence::OnlyBeside(&[
            "ratio",
            "histogram",
            "gauge",
            "counter",
            "samples",
            "query",
        ])),
        Key::optional(
            "unit",
            Kind::Text(TextRule::Line),
            "the unit of the numbers, e.g. ms; else the suffix of the metric's name decides",
        ),
        Key::optional(
            "expect",
            Kind::Mapping(&EXPECT),
            "the claim; without it the metric is only shown",
        ),
    ],
    choices: &[Choice {
        rule: Rule::ExactlyOne,
        keys: &["ratio", "histogram", "gauge", "counter", "samples", "balance", "query"],
        noun: "measure",
    }],
};

/// What the rest of the document may ask of a metric.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) name: String,
    /// Absent when the metric has no measure, which has been reported.
    pub(crate) kind: Option<MeasureKind>,
    pub(crate) unit: Unit,
}

impl Known {
    /// The scale of the metric's numbers.
    pub(crate) fn scale(&self) -> Scale<'_> {
        Scale { unit: &self.unit, reach: self.kind.map_or(Reach::Any, MeasureKind::reach) }
    }
}

/// All metrics of a document.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) read: Vec<Metric>,
    pub(crate) known: Vec<Known>,
}

impl Metrics {
    /// The metric that a text names; an unknown name is reported with the nearest one.
    pub(crate) fn named(
        &self,
        name: &str,
        place: &Place<'_>,
        findings: &mut Findings,
    ) -> Option<&Known> {
        let found = self.known.iter().find(|known| known.name == name);
        if found.is_none() {
            let names: Vec<&str> = self.known.iter().map(|known| known.name.as_str()).collect();
            let accepted = accepted_words(name, &names);
            place.refuse(
                format!(
                    "found '{}', which is no metric of this document; {accepted}",
                    quoted(name)
                ),
                findings,
            );
        }
        found
    }

    /// The metric that a text names, if it can be watched moment by moment.
    pub(crate) fn signal(
        &self,
        name: &str,
        place: &Place<'_>,
        findings: &mut Findings,
    ) -> Option<&Known> {
        let known = self.named(name, place, findings)?;
        if let Some(kind) = known.kind.filter(|kind| !kind.is_signal()) {
            let key = kind.key();
            place.refuse(
                format!("found '{}', a {key}, which has no value at every moment; accepted are gauge, query and ratio metrics", quoted(name)),
                findings,
            );
        }
        Some(known)
    }
}

/// Reads every metric. `spec` is the mapping around `metrics`, whose other parts may tell a unit.
pub(crate) fn read(
    spec: &Fields<'_>,
    windows: Option<&Windows>,
    findings: &mut Findings,
) -> Metrics {
    let mut metrics = Metrics::default();
    let compared = compared(spec);
    for fields in spec.mappings("metrics", findings) {
        let name = name(&fields, &metrics.known, findings);
        let kind = measure::kind(&fields);
        let measure = kind.and_then(|kind| measure::read(&fields, kind, findings));
        let elsewhere = name.as_deref().and_then(|name| compared.get(name));
        let unit = unit(&fields, kind, measure.as_ref(), elsewhere, findings);
        let worst = fields.span("worst", findings);
        if let (Some(worst), Some(windows), Some(place)) = (worst, windows, fields.at("worst"))
            && worst > windows.baseline.min(windows.experiment)
        {
            let shortest = windows.baseline.min(windows.experiment);
            place.refuse(
                format!("found {worst}, longer than the shortest window; accepted are slices of at most {shortest}"),
                findings,
            );
        }
        let slices = if fields.has("worst") { Slices::Worst } else { Slices::Whole };
        let claim = match (fields.open("expect", findings), kind) {
            (Some(expect), Some(kind)) => {
                let subject = Subject { kind, unit: &unit, reach: kind.reach(), slices };
                claim::read(&expect, subject, findings)
            }
            (Some(expect), None) => {
                bound::read(&expect, Scale { unit: &unit, reach: Reach::Any }, findings);
                None
            }
            (None, _) => None,
        };
        if let Some(name) = name {
            metrics.known.push(Known { name: name.clone(), kind, unit: unit.clone() });
            if let Some(measure) = measure {
                metrics.read.push(Metric { name, measure, unit, worst, claim });
            }
        }
    }
    metrics
}

/// The name of a metric, if it is a new one.
fn name(fields: &Fields<'_>, known: &[Known], findings: &mut Findings) -> Option<String> {
    let name = fields.text("name", findings)?;
    let place = fields.at("name")?;
    if known.iter().any(|known| known.name == name) {
        place.refuse(
            format!(
                "found '{}', which another metric above has; accepted are unique names",
                quoted(&name)
            ),
            findings,
        );
        return None;
    }
    if name == RESERVED_NAME {
        place.refuse(
            format!("found '{RESERVED_NAME}', which names the recovery claim in results; accepted is any other name"),
            findings,
        );
        return None;
    }
    Some(name)
}

/// A metric's unit: `unit:`, else the suffix of its series' name, else the base unit of the first quantity that it is
/// compared with, else none. A ratio is always a ratio.
fn unit(
    fields: &Fields<'_>,
    kind: Option<MeasureKind>,
    measure: Option<&Measure>,
    elsewhere: Option<&Unit>,
    findings: &mut Findings,
) -> Unit {
    let named = fields.text("unit", findings).map(|text| Unit::named(&text));
    if kind == Some(MeasureKind::Ratio) {
        if let (Some(named), Some(place)) = (named, fields.at("unit"))
            && named != Unit::Ratio
        {
            place.refuse(
                format!("found {}; a ratio metric is always in ratio", place.node.found()),
                findings,
            );
        }
        return Unit::Ratio;
    }
    if let Some(place) = fields.at("unit")
        && named.as_ref().is_some_and(|unit| unit.dimension() == Dimension::PercentagePoints)
    {
        place.refuse("found 'pp', which measures differences; accepted is ratio or %", findings);
    }
    named
        .or_else(|| measure.and_then(series_name).and_then(|name| Unit::from_metric_name(&name)))
        .or_else(|| fields.place.node.get("expect").and_then(unit_of_bounds))
        .or_else(|| elsewhere.cloned())
        .unwrap_or(Unit::None)
}

/// The name of the series that a metric reads.
fn series_name(measure: &Measure) -> Option<String> {
    let selector = match measure {
        Measure::Ratio { total, .. } => total,
        Measure::Histogram { base, .. } => base,
        Measure::Gauge { selector, .. }
        | Measure::Counter { selector }
        | Measure::Samples { selector, .. } => selector,
        Measure::Balance { incoming, .. } => incoming,
        Measure::Query { expression, .. } => {
            // Only a query that is a plain selector has a name; an expression may change the unit.
            return Some(Selector::parse(expression).ok()?.metric_name().to_owned());
        }
    };
    Some(selector.metric_name().to_owned())
}

/// The base units of the quantities that the metrics are compared with outside their claims: in the recovery band, in
/// the detection rule, in abort rules; by metric name, the first one counts. Reads the bare tree, silently: whoever
/// owns those parts reports their problems.
fn compared<'tree>(spec: &Fields<'tree>) -> BTreeMap<&'tree str, Unit> {
    let spec = spec.place.node;
    let recovery = spec.get("recovery");
    let detection = recovery.and_then(|recovery| recovery.get("detected_by"));
    let rules = match spec.get("safety").and_then(|safety| safety.get("abort")) {
        Some(Node { value: Value::Sequence(rules), .. }) => rules.as_slice(),
        Some(_) | None => &[],
    };
    let name = |node: Option<&'tree Node>, key: &str| text(node?.get(key));
    let healthy = recovery.and_then(|recovery| recovery.get("healthy"));
    let recovery = [(name(recovery, "signal"), healthy), (name(detection, "signal"), detection)];
    let rules = rules.iter().map(|rule| (name(Some(rule), "metric"), Some(rule)));
    let mut units = BTreeMap::new();
    for (name, place) in recovery.into_iter().chain(rules) {
        if let (Some(name), Some(unit)) = (name, place.and_then(unit_of_bounds)) {
            units.entry(name).or_insert(unit);
        }
    }
    units
}

/// The base unit of the first quantity among the bounds of a mapping that tells one.
fn unit_of_bounds(place: &Node) -> Option<Unit> {
    let dimension = |key: &str| Some(Quantity::parse(text(place.get(key))?).ok()?.dimension);
    let unit = |key: &&str, percent: Option<Unit>| match dimension(key)? {
        Dimension::Time => Some(Unit::Seconds),
        Dimension::Data => Some(Unit::Bytes),
        Dimension::PercentagePoints => Some(Unit::Ratio),
        Dimension::Percent => percent,
        Dimension::Plain => None,
    };
    let absolute = ["at_most", "at_least", "above", "below"];
    // Against the baseline `%` is relative to it and says nothing of the metric's own unit.
    let amounts = ["increase_at_most", "decrease_at_most", "above_baseline", "or_by"];
    let from_absolute = absolute.iter().find_map(|key| unit(key, Some(Unit::Ratio)));
    from_absolute.or_else(|| amounts.iter().find_map(|key| unit(key, None)))
}

fn text(node: Option<&Node>) -> Option<&str> {
    match &node?.value {
        Value::Scalar(scalar) => Some(&scalar.text),
        Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// The keys that count as a bound, for the lint of documents that claim nothing.
pub(crate) fn claims_something(spec: &Fields<'_>) -> bool {
    let Some(Node { value: Value::Sequence(metrics), .. }) = spec.place.node.get("metrics") else {
        return false;
    };
    let bound = |metric: &Node| {
        metric
            .get("expect")
            .is_some_and(|expect| FORM_KEYS.iter().any(|key| expect.get(key).is_some()))
    };
    metrics.iter().any(bound)
}
