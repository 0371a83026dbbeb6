//! Whom a Krkn scenario hit, and whether it came back.
//!
//! Owns the lists of affected pods, virtual machines and nodes, and the selectors that stand in where nothing is
//! listed. A target that never came back leaves the repair open: it is censored, not dropped.

use serde_json::Value;

use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::FoundRun;
use crate::source::chaos::redact;
use crate::unit::Span;

/// Pods, machines and nodes that a scenario hit.
pub(super) struct Affected<'a> {
    recovered: Vec<&'a Value>,
    unrecovered: Vec<&'a Value>,
    nodes: Vec<&'a Value>,
    /// How many there are.
    pub(super) count: usize,
}

impl<'a> Affected<'a> {
    /// Reads the lists of a scenario.
    pub(super) fn read(scenario: &'a Value) -> Self {
        let both = |list: &str| {
            let pods = scenario.items(&format!("affected_pods.{list}"));
            pods.into_iter()
                .chain(scenario.items(&format!("affected_vmis.{list}")))
                .collect::<Vec<_>>()
        };
        let (recovered, unrecovered) = (both("recovered"), both("unrecovered"));
        let nodes = scenario.items("affected_nodes");
        let count = recovered.len() + unrecovered.len() + nodes.len();
        Self { recovered, unrecovered, nodes, count }
    }

    /// Targets, and when the last of them was repaired; open while one is not.
    pub(super) fn tell(&self, found: &mut FoundRun) {
        let mut slowest: Option<f64> = None;
        for pod in self.recovered.iter().chain(&self.unrecovered) {
            let vmi = pod.text("vmi_name");
            let name = pod.text("pod_name").or(vmi).unwrap_or("unnamed");
            let id = pod.text("namespace").map(|namespace| format!("{namespace}/{name}"));
            found.target(if vmi.is_some() { "vmi" } else { "pod" }, name, id.as_deref());
        }
        for node in &self.nodes {
            found.target(
                "node",
                node.text("node_name").unwrap_or("unnamed"),
                node.text("node_id").filter(|id| !id.is_empty()),
            );
        }
        for pod in &self.recovered {
            let seconds =
                pod.field("total_recovery_time").as_f64().filter(|s| (0.0..1e6).contains(s));
            slowest = [slowest, seconds].into_iter().flatten().max_by(f64::total_cmp);
        }
        if let Some(seconds) = slowest {
            #[expect(clippy::cast_possible_truncation, reason = "below a million seconds")]
            let back =
                found.fault_at.plus(Span::from_milliseconds((seconds * 1000.0).round() as i64));
            found.note(
                back,
                "pods_recovered",
                format!("{} back, the last after {seconds} s", self.recovered.len()),
            );
            found.remediated_at = Some(back).filter(|_| self.unrecovered.is_empty());
        }
        if !self.unrecovered.is_empty() {
            found.caution(
                "unrecovered",
                format!(
                    "{} of {} targets never came back while Krkn watched; the repair stays open",
                    self.unrecovered.len(),
                    self.count
                ),
            );
        }
    }
}

/// The selector in a scenario's parameters, where nothing was listed as affected.
pub(super) fn target_by_parameters(found: &mut FoundRun, parameters: &Value) {
    const KEYS: [(&str, &str); 6] = [
        ("label_selector", "selector"),
        ("name_pattern", "pod"),
        ("node_name", "node"),
        ("namespace_pattern", "namespace"),
        ("namespace", "namespace"),
        ("service_name", "service"),
    ];
    let entries = match parameters {
        Value::Array(items) => items.iter().collect(),
        Value::Object(_) => vec![parameters],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for entry in entries {
        let inner = if entry.has("config") { entry.field("config") } else { entry };
        if let Some((key, kind)) = KEYS.iter().find(|(key, _)| inner.text(key).is_some()) {
            found.target(kind, &redact::text(inner.text(key).unwrap_or("")), None);
        }
    }
}
