//! One Litmus `ChaosResult`: what was carried out, on whom, and what Litmus thinks of it.
//!
//! Owns the meaning of phases, verdicts, probes and target states in all three generations of the object. Refuses
//! to know times.

use serde_json::Value;

use crate::run::{Abort, Outcome};
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{FoundRun, StatedHypothesis};
use crate::source::chaos::redact;

/// What was carried out. An error after the injection does not undo it.
pub(super) fn outcome(tree: &Value, injected: bool) -> Outcome {
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

/// A title of experiment and engine.
pub(super) fn title(tree: &Value) -> String {
    let experiment = tree.text("spec.experiment").unwrap_or("litmus experiment");
    redact::text(&match tree.text("spec.engine") {
        Some(engine) => format!("{experiment} {engine}"),
        None => experiment.to_owned(),
    })
}

/// Verdict, targets, probes and end of a result.
pub(super) fn tell_result(found: &mut FoundRun, tree: &Value) {
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
