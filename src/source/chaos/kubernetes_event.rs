//! Kubernetes events: the only place where several chaos tools leave their times.
//!
//! Owns the reading of `kubectl get events -o json` (or yaml) in both API versions. Refuses to know what a reason
//! means. Events are deleted after an hour by default, so that they must be saved with the result.

use serde_json::Value;

use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::unit::Timestamp;

/// One event; an event that Kubernetes counted several times comes out with its first and last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesEvent {
    /// When.
    pub at: Timestamp,
    /// `ChaosInject`, `Applied`, …
    pub reason: String,
    /// In words, without secrets.
    pub message: String,
    /// Kind of the object it is about.
    pub kind: String,
    /// Name of the object it is about.
    pub name: String,
}

/// Whether a document is an event.
pub fn is_event(document: &Document) -> bool {
    let tree = document.tree();
    tree.text("kind") == Some("Event") && (about(tree).is_object() || tree.text("reason").is_some())
}

/// All events among the documents, in time order.
pub fn events(documents: &[Document], times: &mut TimeReader) -> Vec<KubernetesEvent> {
    let mut events = Vec::new();
    for document in documents.iter().filter(|document| is_event(document)) {
        let tree = document.tree();
        let mut moments: Vec<Timestamp> =
            ["firstTimestamp", "lastTimestamp", "series.lastObservedTime"]
                .iter()
                .filter_map(|field| times.lenient(&document.file, tree.field(field)))
                .collect();
        if moments.is_empty() {
            moments.extend(
                ["eventTime", "metadata.creationTimestamp"]
                    .iter()
                    .find_map(|field| times.lenient(&document.file, tree.field(field))),
            );
        }
        moments.sort_unstable();
        moments.dedup();
        for at in moments {
            events.push(KubernetesEvent {
                at,
                reason: tree.text("reason").unwrap_or("").to_owned(),
                message: redact::text(
                    tree.text("message").or_else(|| tree.text("note")).unwrap_or(""),
                ),
                kind: about(tree).text("kind").unwrap_or("").to_owned(),
                name: about(tree).text("name").unwrap_or("").to_owned(),
            });
        }
    }
    events.sort_by(|left, right| (left.at, &left.reason).cmp(&(right.at, &right.reason)));
    events.dedup();
    events
}

/// The object that an event is about: `involvedObject` in v1, `regarding` in events.k8s.io/v1.
fn about(tree: &Value) -> &Value {
    let involved = tree.field("involvedObject");
    if involved.is_object() { involved } else { tree.field("regarding") }
}
