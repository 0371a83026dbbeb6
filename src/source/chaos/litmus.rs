//! `LitmusChaos`: `ChaosResult` objects, as JSON, YAML or `kubectl describe` text, and run data of `ChaosCenter`.
//!
//! Owns the meaning of phases, verdicts, probes and target states in all three generations of the result. Refuses
//! to invent times: a result has none, so that it is joined with the engine's events or the exporter's metrics
//! (see `litmus_time`), and refused without them.

use serde_json::Value;

use crate::run::{Abort, Outcome};
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted, StatedHypothesis};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::kubernetes_event::is_event;
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
        let mut found = timed_run("events", &run.owner, run, Outcome::Killed);
        found.caution("result_overwritten", "no ChaosResult tells how this run ended".to_owned());
        findings.push(Finding::Started(Box::new(found)));
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
    let position = known.iter().rposition(|run| run.owner == name || run.owner == engine);
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

/// What was carried out. An error after the injection does not undo it.
fn outcome(tree: &Value, injected: bool) -> Outcome {
    let status = status(tree);
    let verdict = status.text("verdict").unwrap_or("Awaited").to_lowercase();
    let phase = status.text("phase").unwrap_or("").to_lowercase();
    let failure = failure(status).to_lowercase();
    if injected {
        return Outcome::Killed;
    }
    if failure.contains("target")
        && (failure.contains("select")
            || failure.contains("not found")
            || failure.contains("no pod"))
    {
        return Outcome::NoTarget;
    }
    let marked = tree.items("status.history.targets").iter().any(|target| {
        target
            .text("chaosStatus")
            .is_some_and(|state| matches!(state.to_lowercase().as_str(), "injected" | "reverted"))
    });
    let completed = phase.starts_with("completed") && !phase.contains("error");
    if marked || completed && verdict == "pass" { Outcome::Killed } else { Outcome::Failed }
}

/// The status of an experiment in any of the three generations.
fn status(tree: &Value) -> &Value {
    let new = tree.field("status.experimentStatus");
    if new.is_object() { new } else { tree.field("spec.experimentStatus") }
}

/// Why a run failed, in Litmus' words.
fn failure(status: &Value) -> String {
    [
        "errorOutput.errorCode",
        "errorOutput.reason",
        "failureOutput.errorCode",
        "failureOutput.failedStep",
        "failStep",
    ]
    .iter()
    .filter_map(|path| status.text(path))
    .filter(|text| *text != "N/A")
    .collect::<Vec<_>>()
    .join(": ")
}

fn title(tree: &Value) -> String {
    let experiment = tree.text("spec.experiment").unwrap_or("litmus experiment");
    redact::text(&match tree.text("spec.engine") {
        Some(engine) => format!("{experiment} {engine}"),
        None => experiment.to_owned(),
    })
}

/// Verdict, targets, probes and end of a result.
fn tell_result(found: &mut FoundRun, tree: &Value) {
    found.tool_id = ["metadata.labels.chaosUID", "spec.instance", "metadata.uid"]
        .iter()
        .find_map(|path| tree.text(path))
        .map(str::to_owned);
    let status = status(tree);
    let verdict = status.text("verdict").unwrap_or("Awaited");
    let phase = status.text("phase").unwrap_or("");
    found.verdict = Some(verdict.to_owned());
    let probes =
        status.word("probeSuccessPercentage").map(|share| format!("probe success {share} %"));
    let failure = failure(status);
    let reason: Vec<String> =
        [Some(failure).filter(|text| !text.is_empty()), probes].into_iter().flatten().collect();
    found.reason = (!reason.is_empty()).then(|| redact::text(&reason.join(", ")));
    for target in tree.items("status.history.targets") {
        if let Some(name) = target.text("name") {
            found.target(target.text("kind").unwrap_or("unknown"), name, None);
        }
    }
    let stopped = verdict.eq_ignore_ascii_case("stopped")
        || ["stopped", "aborted"].iter().any(|word| phase.eq_ignore_ascii_case(word));
    if stopped {
        let at = found.ended_at.unwrap_or(found.fault_at).max(found.fault_at);
        found.aborted = Some(Abort { at, rule: "litmus: stopped".to_owned() });
    }
    if verdict.eq_ignore_ascii_case("awaited") || phase.eq_ignore_ascii_case("running") {
        found.caution(
            "still_running",
            "the result is awaited; import it again after the run".to_owned(),
        );
    }
    tell_probes(found, tree);
}

/// One event per probe; the probes are what Litmus has of a hypothesis.
fn tell_probes(found: &mut FoundRun, tree: &Value) {
    let at = found.ended_at.unwrap_or(found.fault_at);
    let mut probes = tree.items("status.probeStatuses");
    if probes.is_empty() {
        probes = tree.items("status.probeStatus");
    }
    let mut checks = Vec::new();
    for probe in probes {
        let name = probe.text("name").unwrap_or("probe");
        let kind = [probe.text("type"), probe.text("mode")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ");
        let states = [
            "status.verdict",
            "status.description",
            "status.preChaos",
            "status.postChaos",
            "status.continuous",
        ]
        .iter()
        .filter_map(|path| probe.text(path))
        .collect::<Vec<_>>()
        .join(", ");
        found.note(at, "probe", redact::text(&format!("{name} ({kind}): {states}")));
        checks.push(redact::text(&format!("{name} ({kind})")));
    }
    if !checks.is_empty() {
        found.hypothesis = Some(StatedHypothesis {
            title: format!("{} keeps its probes passing", found.title),
            checks,
        });
    }
}

/// The experiments of a `ChaosCenter` run.
fn center_nodes(tree: &Value) -> Vec<&Value> {
    let nodes = [tree.field("nodes"), tree.field("executionData.nodes")]
        .into_iter()
        .find_map(Value::as_object);
    nodes.map_or_else(Vec::new, |nodes| {
        nodes.values().filter(|node| node.has("chaosData")).collect()
    })
}

fn node_finding(
    document: &Document,
    node: &Value,
    times: &mut TimeReader,
) -> Result<Finding, ImportError> {
    let data = node.field("chaosData");
    let name =
        data.text("experimentName").or_else(|| node.text("name")).unwrap_or("litmus experiment");
    let Some(started) =
        times.optional(&document.file, "nodes.startedAt", node.field("startedAt"))?
    else {
        return Ok(Finding::NotStarted(NotStarted {
            file: document.file.clone(),
            reason: format!("the experiment '{name}' has no startedAt"),
        }));
    };
    let result = data.field("chaosResult");
    let verdict = data.text("experimentVerdict").unwrap_or("Awaited");
    let known = if result.is_object() { outcome(result, false) } else { Outcome::Failed };
    let outcome = if verdict.eq_ignore_ascii_case("pass") { Outcome::Killed } else { known };
    let mut found = FoundRun::new(&document.file, &redact::text(name), started, outcome);
    found.ended_at = times.lenient(&document.file, node.field("finishedAt"));
    tell_result(&mut found, result);
    found.tool_id = data.text("engineUID").map(str::to_owned).or(found.tool_id);
    found.verdict = Some(verdict.to_owned());
    found.caution("fault_time_approximate", "ChaosCenter knows when the experiment started, not when it injected; add the engine's events for the moment itself".to_owned());
    Ok(Finding::Started(Box::new(found)))
}
