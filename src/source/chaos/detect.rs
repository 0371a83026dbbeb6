//! What a file looks like when it is not what was asked for.
//!
//! Owns the names of everything people hand to an importer by mistake: results of the other tools, of load tools,
//! definitions instead of results, our own files, archives of the web. Refuses to import anything. Speaks in errors
//! only.

use serde_json::Value;

use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::registry::{Importer, REGISTRY};

/// What a document is, in words, and what to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    /// A noun with its article.
    pub what: String,
    /// What to do instead; empty when there is nothing to say.
    pub advice: String,
}

/// The error for a document that `importer` cannot take.
pub fn wrong_kind(importer: &Importer, document: &Document) -> ImportError {
    let looks = looks(document);
    ImportError::WrongKind {
        file: document.file.clone(),
        importer: importer.name,
        found: looks.what,
        accepts: importer.accepts,
        hint: if looks.advice.is_empty() { String::new() } else { format!(". {}", looks.advice) },
    }
}

/// What a document looks like.
pub fn looks(document: &Document) -> Looks {
    by_name(document)
        .or_else(|| REGISTRY.last().and_then(|any_table| of_importer(any_table, document)))
        .unwrap_or_else(|| unknown(document))
}

/// What a document is if it has a format of its own: everything but a mere list of events, which is the last line of
/// the registry.
pub fn by_name(document: &Document) -> Option<Looks> {
    let named = &REGISTRY[..REGISTRY.len() - 1];
    named.iter().find_map(|importer| of_importer(importer, document)).or_else(|| {
        match document.tree() {
            Value::Null => text_kind(document.plain_text()),
            tree => tree_kind(tree),
        }
    })
}

/// What the document is if it belongs to another importer.
fn of_importer(importer: &Importer, document: &Document) -> Option<Looks> {
    (importer.looks_like)(document).map(|what| Looks {
        what: what.to_owned(),
        advice: format!("Try `unfazed import {}`", importer.name),
    })
}

fn named(what: &str, advice: &str) -> Looks {
    Looks { what: what.to_owned(), advice: advice.to_owned() }
}

/// Trees of load tools, of ourselves, and definitions.
fn tree_kind(tree: &Value) -> Option<Looks> {
    if let Some(schema) = tree.text("schema")
        && schema.starts_with("unfazed.")
    {
        return Some(named(&format!("our own {schema} document"), "It needs no import"));
    }
    if tree.text("apiVersion").is_some_and(|version| version.starts_with("unfazed/")) {
        return Some(named(
            "an unfazed experiment document",
            "It needs no import: `unfazed check` reads it",
        ));
    }
    if tree.has("metrics") && (tree.has("root_group") || tree.has("state"))
        || tree.has("results.metrics") && tree.has("metadata")
        || tree.text("type") == Some("Point") && tree.has("data.tags")
        || tree.text("type") == Some("Metric") && tree.has("data.thresholds")
    {
        return Some(named(
            "k6 output",
            "Load-tool output becomes samples: `unfazed import k6 FILE -o DIR`",
        ));
    }
    if tree.text("status").is_some() && tree.text("data.resultType").is_some() {
        return Some(named("a Prometheus query response", "Metrics are read by `unfazed pull`"));
    }
    if tree.has("steady-state-hypothesis") || tree.has("method") && tree.has("rollbacks") {
        return Some(named(
            "a Chaos Toolkit experiment",
            "It says what would be done; give the journal that `chaos run` wrote",
        ));
    }
    if tree.has("alerts") || tree.has("data.alerts") {
        return Some(named("a list of alerts", ""));
    }
    match (tree.text("kind"), tree.text("apiVersion")) {
        (Some(kind), Some(version)) => {
            Some(named(&format!("a Kubernetes object of kind {kind} ({version})"), ""))
        }
        (Some(_) | None, _) => None,
    }
}

/// Plain texts by their first lines.
fn text_kind(text: &str) -> Option<Looks> {
    let start = text.trim_start();
    let first = start.lines().next().unwrap_or("");
    let lower = first.to_ascii_lowercase();
    let load = |tool: &str, word: &str| {
        named(
            &format!("{tool} output"),
            &format!("Load-tool output becomes samples: `unfazed import {word} FILE -o DIR`"),
        )
    };
    if lower.contains("timestamp,elapsed,label")
        || lower.contains("<testresults")
        || start.contains("<testResults")
    {
        return Some(load("JMeter", "jmeter"));
    }
    if first.starts_with("Type,Name,Request Count") || first.starts_with("Timestamp,User Count") {
        return Some(load("Locust", "locust"));
    }
    if lower.starts_with("metric_name,timestamp,metric_value") {
        return Some(load("k6", "k6"));
    }
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Some(named("a web page", "Give the tool's own result file"));
    }
    if lower.starts_with("<?xml") || lower.starts_with("<testsuite") {
        return Some(named("an XML document", "Give the tool's own result as JSON"));
    }
    if text.contains("\n```") || first.starts_with("# ") && !is_commented_table(text) {
        return Some(named("a Markdown page", "Save the block inside it as a file of its own"));
    }
    if text.contains("# TYPE ") || text.contains("# HELP ") {
        return Some(named(
            "metrics in the Prometheus text format",
            "Metrics are read by `unfazed record` and `unfazed pull`",
        ));
    }
    if text.contains("LAST SEEN") && text.contains("REASON") {
        return Some(named(
            "the table that `kubectl get events` prints",
            "It gives ages, not times: add `-o json`",
        ));
    }
    None
}

/// Whether the first line that is no remark has columns: `# remark` stands above tables and metrics as well as in
/// Markdown.
fn is_commented_table(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    text.contains("# TYPE")
        || lines
            .find(|line| !line.is_empty() && !line.starts_with('#'))
            .is_some_and(|line| line.contains([',', ';', '\t', '|']) && !line.ends_with('.'))
}

/// Nothing known: say what is there.
fn unknown(document: &Document) -> Looks {
    let tree = document.tree();
    let what = match tree {
        Value::Object(fields) if fields.is_empty() => "an empty JSON object".to_owned(),
        Value::Object(fields) => {
            let keys: Vec<String> =
                fields.keys().take(5).map(|key| key.chars().take(30).collect()).collect();
            format!("a document of an unknown tool (its first keys: {})", keys.join(", "))
        }
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list without objects".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => "a single value".to_owned(),
        Value::Null => {
            let text = document.plain_text();
            let first: String =
                text.trim_start().lines().next().unwrap_or("").chars().take(50).collect();
            format!("plain text that begins with '{first}'")
        }
    };
    Looks { what, advice: String::new() }
}
