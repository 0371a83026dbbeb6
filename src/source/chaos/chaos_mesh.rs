//! Chaos Mesh: chaos objects (`kubectl get podchaos,networkchaos -o yaml`, `kubectl describe`) and the dashboard's
//! archive.
//!
//! Owns the meaning of conditions and container records: `AllInjected` without a selected target injected nothing;
//! a kill is over at once, other faults end when they are recovered. Refuses to judge, since Chaos Mesh does not.
//! Before version 2.3 records carry no events; then the Kubernetes events of the object, or its creation, give the
//! time.

use crate::run::Outcome;
use crate::source::chaos::chaos_mesh_records::Records;
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::kubernetes_event::{KubernetesEvent, events, is_event};
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;

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
