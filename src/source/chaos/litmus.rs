//! `LitmusChaos`: `ChaosResult` objects, as JSON, YAML or `kubectl describe` text, and run data of `ChaosCenter`.
//!
//! Owns the joining of a result with its times. Refuses to invent them: a result has none, so that it is joined with
//! the engine's events or the exporter's metrics (see `litmus_time`), and refused without them. What a result means
//! stands in `litmus_result`.

use crate::run::Outcome;
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::kubernetes_event::is_event;
use crate::source::chaos::litmus_center::{center_nodes, node_finding};
use crate::source::chaos::litmus_result::{outcome, tell_result, title};
use crate::source::chaos::litmus_time::{RunTimes, TimeSource, is_exporter, run_times};
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "litmus",
    accepts: "ChaosResults (kubectl get chaosresult -o json) together with their times (kubectl get events -o json, or metrics of the chaos exporter), or run data of ChaosCenter",
    looks_like,
    joins: |document| is_event(document) || is_exporter(document),
    import,
};

fn looks_like(document: &Document) -> Option<&'static str> {
    let tree = document.tree();
    match tree.text("kind") {
        Some("ChaosResult") => Some("a Litmus ChaosResult"),
        Some("ChaosEngine") => Some("a Litmus ChaosEngine"),
        Some("ChaosExperiment") => Some("a Litmus ChaosExperiment"),
        _ if !center_nodes(tree).is_empty() => Some("run data of Litmus ChaosCenter"),
        _ => None,
    }
}

fn import(documents: &[Document], times: &mut TimeReader) -> Result<Vec<Finding>, ImportError> {
    let mut known = run_times(documents, times);
    let mut findings = Vec::new();
    for document in documents {
        let tree = document.tree();
        if tree.text("kind") == Some("ChaosResult") {
            findings.push(result_finding(document, &mut known));
        }
        for node in center_nodes(tree) {
            findings.push(node_finding(document, node, times)?);
        }
    }
    // Runs that only the events remember: their result was overwritten by the next run.
    for run in known.iter().filter(|run| run.injected.is_some()) {
        findings.push(overwritten(documents, run));
    }
    if findings.is_empty() {
        let file = documents.first().map_or_else(String::new, |document| document.file.clone());
        findings.push(Finding::NotStarted(NotStarted {
            file,
            reason: "it says what was asked for or what was measured, not what happened; add the ChaosResult (kubectl get chaosresult -o json)".to_owned(),
        }));
    }
    Ok(findings)
}

/// A result joined with its times. The last run of its engine is the one it speaks of.
fn result_finding(document: &Document, known: &mut Vec<RunTimes>) -> Finding {
    let tree = document.tree();
    let name = tree.text("metadata.name").or_else(|| tree.text("name")).unwrap_or("");
    let engine = tree.text("spec.engine").unwrap_or("");
    let experiment = tree.text("spec.experiment").unwrap_or("");
    let owns = |run: &RunTimes| run.owner == name || run.owner == engine;
    // An engine may run several experiments; their names stand in the messages.
    let mentions =
        |run: &RunTimes| run.events.iter().any(|event| event.message.contains(experiment));
    let position = known
        .iter()
        .rposition(|run| owns(run) && mentions(run))
        .or_else(|| known.iter().rposition(owns));
    let Some(position) = position else {
        return Finding::NotStarted(NotStarted {
            file: document.file.clone(),
            reason: format!(
                "the ChaosResult '{name}' holds no times; give the events of engine '{engine}' too (kubectl get events -o json > events.json, within an hour of the run) or the metrics litmuschaos_experiment_*_time of the chaos exporter"
            ),
        });
    };
    let run = known.remove(position);
    // The exporter repeats what the events say; one of them is enough.
    known.retain(|other| {
        (other.owner != name && other.owner != engine) || other.source == TimeSource::Events
    });
    let outcome = outcome(tree, run.injected.is_some());
    let mut found = timed_run(&document.file, &title(tree), &run, outcome);
    tell_result(&mut found, tree);
    Finding::Started(Box::new(found))
}

/// A run whose result was overwritten by the next run of its engine: the events still tell when, and how it ended.
fn overwritten(documents: &[Document], run: &RunTimes) -> Finding {
    let trees = documents.iter().map(Document::tree);
    let title = trees
        .filter(|tree| tree.text("kind") == Some("ChaosResult"))
        .find(|tree| tree.text("spec.engine") == Some(run.owner.as_str()))
        .map_or_else(|| run.owner.clone(), title);
    let file = documents.iter().find(|document| is_event(document) || is_exporter(document));
    let file = file.map_or("", |document| document.file.as_str());
    let mut found = timed_run(file, &title, run, Outcome::Killed);
    let summary = run.events.iter().rev().find(|event| event.reason == "Summary");
    found.verdict = summary.and_then(|event| {
        let words = ["Pass", "Fail", "Stopped", "Error"];
        words.into_iter().find(|word| event.message.contains(word)).map(str::to_owned)
    });
    let message = "its ChaosResult is missing: the next run of the engine overwrote it".to_owned();
    found.caution("result_overwritten", message);
    Finding::Started(Box::new(found))
}

/// A run whose times are known.
fn timed_run(file: &str, title: &str, run: &RunTimes, outcome: Outcome) -> FoundRun {
    let at = run.injected.unwrap_or(run.started);
    let mut found = FoundRun::new(file, title, at, outcome);
    found.started_at = run.started.min(at);
    found.ended_at = run.ended;
    found.fault_until = run.reverted.filter(|until| *until >= at && run.injected.is_some());
    for event in &run.events {
        found.note(
            event.at,
            "litmus_event",
            redact::text(&format!("{}: {}", event.reason, event.message)),
        );
    }
    found
}
