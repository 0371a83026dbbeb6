//! The Experiment document as a whole: its head, its metadata and the order in which its parts are read.
//!
//! Owns the root tables and the checks that span parts. Every part is read even if another has problems.

use std::collections::BTreeMap;

use crate::spec::experiment::{Experiment, Iterations, Measure, Safety, Source};
use crate::spec::grammar::{Key, Kind, Range, Shape, TextRule};
use crate::spec::problem::Findings;
use crate::spec::selector::Selector;
use crate::spec::tree::{Node, Value};
use crate::spec::walk::fault::{self, FAULT};
use crate::spec::walk::fields::Fields;
use crate::spec::walk::metric::{self, METRIC, Metrics};
use crate::spec::walk::place::Place;
use crate::spec::walk::recovery::{self, Frame, RECOVERY};
use crate::spec::walk::safety::{self, SAFETY};
use crate::spec::walk::source::{self, SOURCE};
use crate::spec::walk::windows::{self, ITERATIONS, WINDOWS};
use crate::unit::Span;

/// One-sided level of every limit where the document says nothing.
const DEFAULT_CONFIDENCE: f64 = 0.95;

/// The kinds of documents that exist.
const KINDS: [&str; 2] = ["Experiment", "Policy"];

pub(crate) const EXPERIMENT: Shape = Shape {
    name: "experiment",
    doc: "What an experiment claims, of what, measured how.",
    keys: &[
        Key::required("apiVersion", Kind::Word(&["unfazed/v1"]), "the version of the grammar"),
        Key::required("kind", Kind::Word(&["Experiment"]), "what the document is"),
        Key::required("metadata", Kind::Mapping(&METADATA), "who is answerable for what"),
        Key::required("spec", Kind::Mapping(&SPEC), "the experiment itself"),
    ],
    choices: &[],
};

pub(crate) const METADATA: Shape = Shape {
    name: "metadata",
    doc: "Who is answerable for what.",
    keys: &[
        Key::required("name", Kind::Text(TextRule::Slug), "the experiment's name"),
        Key::required("owner", Kind::Text(TextRule::Any), "who answers for the experiment"),
        Key::optional(
            "ticket",
            Kind::Text(TextRule::Any),
            "the change ticket; a policy may demand it",
        ),
        Key::optional("labels", Kind::TextMap, "free words to find it by"),
    ],
    choices: &[],
};

const SPEC: Shape = Shape {
    name: "spec",
    doc: "The experiment itself.",
    keys: &[
        Key::required("hypothesis", Kind::Text(TextRule::Any), "the claim in words"),
        Key::required("environment", Kind::Text(TextRule::Line), "where it runs, e.g. staging"),
        Key::optional(
            "confidence",
            Kind::Fraction(Range::between(0.5, 1.0)),
            "the one-sided level of every limit (default 0.95)",
        ),
        Key::optional("iterations", Kind::Mapping(&ITERATIONS), "how many iterations are planned"),
        Key::required("windows", Kind::Mapping(&WINDOWS), "how long the parts of an iteration are"),
        Key::optional(
            "source",
            Kind::Mapping(&SOURCE),
            "where the numbers are; left out, the recording beside the document",
        ),
        Key::required(
            "metrics",
            Kind::List { of: &Kind::Mapping(&METRIC), least: 1 },
            "what is measured and claimed",
        ),
        Key::optional("recovery", Kind::Mapping(&RECOVERY), "when the service counts as recovered"),
        Key::optional("safety", Kind::Mapping(&SAFETY), "conditions before and during a kill"),
        Key::optional(
            "fault",
            Kind::Mapping(&FAULT),
            "what is injected; left out when another tool injects",
        ),
        Key::optional(
            "runbook",
            Kind::Text(TextRule::Any),
            "the path of the runbook, relative to the document",
        ),
    ],
    choices: &[],
};

/// `metadata` after its checks.
#[derive(Debug)]
struct Metadata {
    name: String,
    owner: String,
    ticket: Option<String>,
    labels: BTreeMap<String, String>,
}

/// Reads an Experiment. `None` comes with at least one problem.
pub(crate) fn read(root: &Node, digest: String, findings: &mut Findings) -> Option<Experiment> {
    let place = Place::root(root);
    if let Some(kind) = another_kind(root) {
        let place = Place { node: kind, path: "kind".to_owned() };
        place.refuse(format!("found a {}; accepted here is an Experiment", KINDS[1]), findings);
        // Its other keys belong to another grammar: reporting them would bury the one thing to know.
        return None;
    }
    let fields = place.open(&EXPERIMENT, findings)?;
    fields.word("apiVersion", findings);
    fields.word("kind", findings);
    let metadata = fields.open("metadata", findings);
    let metadata = metadata.and_then(|fields| read_metadata(&fields, findings));
    let spec = fields.open("spec", findings);
    let experiment = spec.and_then(|fields| read_spec(&fields, metadata, digest, findings));
    if findings.problems.is_empty() { experiment } else { None }
}

/// The value of `kind` if it names another kind of document than this one.
fn another_kind(root: &Node) -> Option<&Node> {
    let node = root.get("kind")?;
    match &node.value {
        Value::Scalar(scalar) => (scalar.text == KINDS[1]).then_some(node),
        Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

fn read_metadata(fields: &Fields<'_>, findings: &mut Findings) -> Option<Metadata> {
    let name = fields.text("name", findings);
    let owner = fields.text("owner", findings);
    let ticket = fields.text("ticket", findings);
    let labels = fields.text_map("labels", findings);
    Some(Metadata { name: name?, owner: owner?, ticket, labels })
}

fn read_spec(
    fields: &Fields<'_>,
    metadata: Option<Metadata>,
    digest: String,
    findings: &mut Findings,
) -> Option<Experiment> {
    let hypothesis = fields.text("hypothesis", findings);
    let environment = fields.text("environment", findings);
    let confidence = fields.fraction("confidence", findings).unwrap_or(DEFAULT_CONFIDENCE);
    let iterations = fields
        .open("iterations", findings)
        .map_or_else(Iterations::default, |fields| windows::read_iterations(&fields, findings));
    let windows = fields.open("windows", findings);
    let windows = windows.and_then(|fields| windows::read(&fields, findings));
    let source = fields.open("source", findings);
    let source = source.and_then(|fields| source::read(&fields, findings));
    let metrics = metric::read(fields, windows.as_ref(), findings);
    let step = source.as_ref().and_then(step);
    let frame = Frame { windows: windows.as_ref(), step };
    let recovery = fields.open("recovery", findings);
    let recovery = recovery.and_then(|fields| recovery::read(&fields, &metrics, frame, findings));
    let safety = fields
        .open("safety", findings)
        .map_or_else(Safety::default, |fields| safety::read(&fields, &metrics, findings));
    let fault = fields.open("fault", findings);
    let fault = fault.and_then(|fields| fault::read(&fields, windows.as_ref(), findings));
    let runbook = fields.text("runbook", findings);
    refuse_unanswerable(fields, source.as_ref(), &metrics, &safety, findings);
    if findings.problems.is_empty() {
        // Beside a problem the claim may be there and only misspelt.
        warn_of_no_claims(fields, findings);
    }
    let (metadata, windows) = (metadata?, windows?);
    Some(Experiment {
        name: metadata.name,
        owner: metadata.owner,
        ticket: metadata.ticket,
        labels: metadata.labels,
        hypothesis: hypothesis?,
        environment: environment?,
        confidence,
        iterations,
        windows,
        source: source.unwrap_or(Source::Recording(None)),
        metrics: metrics.read,
        recovery,
        safety,
        fault,
        runbook,
        digest,
    })
}

/// The spacing of samples, where the source says it.
fn step(source: &Source) -> Option<Span> {
    match source {
        Source::Prometheus(server) => server.step,
        Source::Scrape(scrape) => Some(scrape.every),
        Source::Recording(_) => None,
    }
}

/// The embedded collector answers no `PromQL`: an expression beside it would never have data.
fn refuse_unanswerable(
    fields: &Fields<'_>,
    source: Option<&Source>,
    metrics: &Metrics,
    safety: &Safety,
    findings: &mut Findings,
) {
    let Some(Source::Scrape(_)) = source else {
        return;
    };
    let expressions = metrics.read.iter().filter_map(|metric| match &metric.measure {
        Measure::Query { expression, .. } => Some(expression.as_str()),
        Measure::Ratio { .. }
        | Measure::Histogram { .. }
        | Measure::Gauge { .. }
        | Measure::Counter { .. }
        | Measure::Samples { .. }
        | Measure::Balance { .. } => None,
    });
    let conditions = safety.preconditions.iter().map(|condition| condition.query.as_str());
    for query in expressions.chain(conditions).filter(|query| Selector::parse(query).is_err()) {
        if let Some(place) = fields.at("source") {
            place.refuse(
                format!(
                    "found scrape, which cannot answer the query '{}'; accepted for expressions is prometheus, for scrape a plain selector",
                    crate::spec::problem::quoted(query)
                ),
                findings,
            );
        }
    }
}

/// Warns of a document that shows numbers but claims nothing.
fn warn_of_no_claims(fields: &Fields<'_>, findings: &mut Findings) {
    let deadline = fields.place.node.get("recovery").and_then(|recovery| recovery.get("within"));
    if deadline.is_none() && !metric::claims_something(fields) {
        fields.place.warn(
            "no metric has an `expect` and recovery has no `within`: there is nothing to pass or fail",
            findings,
        );
    }
}
