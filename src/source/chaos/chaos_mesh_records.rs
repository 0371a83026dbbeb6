//! The container records of one Chaos Mesh object: what was injected into whom, and when.
//!
//! Owns the meaning of phases, counts and record events over all versions. Refuses to know the object's action.

use serde_json::Value;

use crate::run::Outcome;
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::FoundRun;
use crate::source::chaos::kubernetes_event::KubernetesEvent;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::unit::Timestamp;

/// What the container records and the events of one object say.
pub(super) struct Records<'a> {
    items: Vec<&'a Value>,
    /// First successful injection.
    pub(super) applied: Option<Timestamp>,
    /// Last successful recovery.
    pub(super) recovered: Option<Timestamp>,
    failures: Vec<String>,
}

impl<'a> Records<'a> {
    /// Reads the records of an object, its Kubernetes events, and the times of older versions.
    pub(super) fn read(
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
                    records.failures.push(event.text("message").unwrap_or("").to_owned());
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
    pub(super) fn outcome(&self, tree: &Value) -> Outcome {
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
    pub(super) fn tell(&self, found: &mut FoundRun, tree: &Value, kind: &str) {
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
        if tree.has("spec.selector") {
            let selector = redact::arguments(tree.field("spec.selector"));
            found.note(at, "selector", redact::text(&format!("{kind} {mode}: {selector}")));
        }
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
