//! Chaos Mesh: chaos objects (`kubectl get podchaos,networkchaos -o yaml`, `kubectl describe`) and the dashboard's
//! archive.
//!
//! Owns the meaning of conditions and container records: `AllInjected` without a selected target injected nothing;
//! a kill is over at once, other faults end when they are recovered. Refuses to judge, since Chaos Mesh does not.
//! Before version 2.3 records carry no events; then the Kubernetes events of the object, or its creation, give the
//! time.

use serde_json::Value;

use crate::run::Outcome;
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::kubernetes_event::{KubernetesEvent, events, is_event};
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;
use crate::unit::Timestamp;

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "chaos-mesh",
    accepts: "chaos objects (kubectl get podchaos NAME -o json, or -o yaml, or kubectl describe), with Kubernetes events if there are some, or archived experiments of the dashboard",
    looks_like,
    joins: is_event,
    import,
};

fn looks_like(document: &Document) -> Option<&'static str> {
    let tree = document.tree();
    let is_mesh =
        tree.text("apiVersion").is_some_and(|version| version.starts_with("chaos-mesh.org/"))
            || tree.text("kind").is_some_and(|kind| kind.ends_with("Chaos"))
                && (tree.has("spec.selector") || tree.has("status.experiment"));
    if is_mesh {
        return Some("a Chaos Mesh object");
    }
    let is_archive = tree.text("kind").is_some_and(|kind| kind.ends_with("Chaos"))
        && tree.text("uid").is_some()
        && (tree.text("start_time").is_some() || tree.text("created_at").is_some());
    is_archive.then_some("an archived experiment of the Chaos Mesh dashboard")
}

fn import(documents: &[Document], times: &mut TimeReader) -> Result<Vec<Finding>, ImportError> {
    let events = events(documents, times);
    let mut findings = Vec::new();
    for document in documents.iter().filter(|document| looks_like(document).is_some()) {
        findings.push(finding(document, &events, times)?);
    }
    if findings.is_empty() {
        findings.push(Finding::NotStarted(NotStarted {
            file: documents.first().map_or_else(String::new, |document| document.file.clone()),
            reason: "it holds Kubernetes events only; add the chaos object (kubectl get podchaos NAME -o json)".to_owned(),
        }));
    }
    Ok(findings)
}

fn finding(
    document: &Document,
    events: &[KubernetesEvent],
    times: &mut TimeReader,
) -> Result<Finding, ImportError> {
    let tree = document.tree();
    let kind = tree.text("kind").unwrap_or("chaos");
    let not_started = |reason: String| {
        Ok(Finding::NotStarted(NotStarted { file: document.file.clone(), reason }))
    };
    if !kind.ends_with("Chaos") {
        return not_started(format!(
            "a Chaos Mesh {kind} injects nothing itself; give the chaos objects that it created"
        ));
    }
    let records = Records::read(document, events, times);
    let created = ["metadata.creationTimestamp", "created_at", "start_time"]
        .iter()
        .find_map(|path| times.lenient(&document.file, tree.field(path)));
    let is_over =
        ["status", "finish_time", "start_time"].iter().any(|path| !tree.field(path).is_null());
    if !is_over && records.applied.is_none() {
        return not_started(
            "the object has no status: it says what would be done; export it from the cluster"
                .to_owned(),
        );
    }
    let action = tree.text("spec.action").or_else(|| tree.text("action")).unwrap_or(kind);
    let Some(fault_at) = records.applied.or(created) else {
        return Err(ImportError::Incomplete {
            file: document.file.clone(),
            problem:
                "neither the container records nor the metadata hold a time; export with -o json"
                    .to_owned(),
        });
    };
    let outcome = records.outcome(tree);
    let name = tree.text("metadata.name").or_else(|| tree.text("name")).unwrap_or("unnamed");
    let mut found = FoundRun::new(
        &document.file,
        &redact::text(&format!("{action} {name}")),
        fault_at,
        outcome,
    );
    found.tool_id = tree.text("metadata.uid").or_else(|| tree.text("uid")).map(str::to_owned);
    found.started_at = created.unwrap_or(fault_at).min(fault_at);
    // A kill is over at once: what Chaos Mesh calls its recovery only closes the books.
    let lasts = !matches!(action, "pod-kill" | "container-kill");
    found.fault_until =
        records.recovered.filter(|until| lasts && outcome == Outcome::Killed && *until >= fault_at);
    found.ended_at = records.recovered.filter(|end| *end >= fault_at);
    if outcome == Outcome::Killed && records.applied.is_none() {
        found.caution("fault_time_approximate", "no event tells when the fault was applied; the object's creation stands in. Add `kubectl get events -o json` if it is less than an hour old".to_owned());
    }
    records.tell(&mut found, tree, kind);
    Ok(Finding::Started(Box::new(found)))
}

/// What the container records and the events of one object say.
struct Records<'a> {
    items: Vec<&'a Value>,
    applied: Option<Timestamp>,
    recovered: Option<Timestamp>,
    failures: Vec<String>,
}

impl<'a> Records<'a> {
    fn read(
        document: &'a Document,
        kubernetes: &[KubernetesEvent],
        times: &mut TimeReader,
    ) -> Self {
        let tree = document.tree();
        let mut items = tree.items("status.experiment.containerRecords");
        // Version 1 called them pod records.
        items.extend(tree.items("status.experiment.podRecords"));
        let mut records = Self { items, applied: None, recovered: None, failures: Vec::new() };
        let entries: Vec<&Value> =
            records.items.iter().flat_map(|item| item.items("events")).collect();
        for event in entries {
            let at = times.lenient(&document.file, event.field("timestamp"));
            match (event.text("type"), event.text("operation")) {
                (Some("Succeeded"), Some("Apply")) => records.apply(at),
                (Some("Succeeded"), Some("Recover")) => records.recover(at),
                (Some("Failed"), _) => {
                    records.failures.push(event.text("message").unwrap_or("").to_owned())
                }
                _ => {}
            }
        }
        let name = tree.text("metadata.name").or_else(|| tree.text("name")).unwrap_or("");
        let kind = tree.text("kind").unwrap_or("");
        for event in kubernetes.iter().filter(|event| event.name == name && event.kind == kind) {
            match event.reason.as_str() {
                "Applied" => records.apply(Some(event.at)),
                "Recovered" => records.recover(Some(event.at)),
                _ => {}
            }
        }
        if records.applied.is_none() {
            for (path, is_start) in [
                ("status.experiment.startTime", true),
                ("status.experiment.endTime", false),
                ("start_time", true),
                ("finish_time", false),
            ] {
                let at = times.lenient(&document.file, tree.field(path));
                if is_start { records.apply(at) } else { records.recover(at) }
            }
        }
        records
    }

    fn apply(&mut self, at: Option<Timestamp>) {
        self.applied = [self.applied, at].into_iter().flatten().min();
    }

    fn recover(&mut self, at: Option<Timestamp>) {
        self.recovered = self.recovered.max(at);
    }

    /// What was carried out. `AllInjected` alone proves nothing: it is also true of an empty selection.
    fn outcome(&self, tree: &Value) -> Outcome {
        let condition = |wanted: &str| {
            tree.items("status.conditions")
                .into_iter()
                .find(|condition| condition.text("type") == Some(wanted))
                .and_then(|condition| condition.word("status"))
                .map(|status| status.eq_ignore_ascii_case("true"))
        };
        let injected = self.items.iter().any(|item| {
            item.text("phase").is_some_and(|phase| phase.starts_with("Injected"))
                || item
                    .word("injectedCount")
                    .and_then(|count| count.parse::<u64>().ok())
                    .is_some_and(|count| count > 0)
        });
        let is_record = tree.has("status.conditions") || tree.has("status.experiment");
        if condition("Selected") == Some(false) || (is_record && self.items.is_empty()) {
            return Outcome::NoTarget;
        }
        let injected = injected || self.applied.is_some();
        if injected { Outcome::Killed } else { Outcome::Failed }
    }

    /// Targets, failures and pauses.
    fn tell(&self, found: &mut FoundRun, tree: &Value, kind: &str) {
        let at = found.fault_at;
        for item in &self.items {
            let pod = [item.text("namespace"), item.text("name")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("/");
            let id = item.text("id").map_or(pod, str::to_owned);
            let kind = match id.split('/').count() {
                2 => "pod",
                3 => "container",
                _ => "target",
            };
            if !id.is_empty() {
                found.target(kind, &redact::text(&id), None);
            }
        }
        let mode = [tree.text("spec.mode"), tree.text("spec.value"), tree.text("spec.duration")];
        let mode = mode.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let selector = redact::arguments(tree.field("spec.selector"));
        found.note(at, "selector", redact::text(&format!("{kind} {mode}: {selector}")));
        for failure in self.failures.iter().take(20) {
            found.note(at, "injection_failed", redact::text(failure));
        }
        if found.outcome == Outcome::NoTarget {
            found.caution(
                "no_target",
                "the selector matched nothing, whatever AllInjected says".to_owned(),
            );
        } else if !self.failures.is_empty() {
            found.caution(
                "injection_failed",
                format!(
                    "{} attempts failed, first: {}",
                    self.failures.len(),
                    redact::text(&self.failures[0])
                ),
            );
        }
        if tree.field("metadata.annotations").get("experiment.chaos-mesh.org/pause").is_some() {
            found.caution(
                "paused",
                "the experiment was paused; while it is, nothing is injected".to_owned(),
            );
        }
    }
}
