//! `ChaosBlade`: what `blade status` prints.
//!
//! Owns the meaning of its states and flags. Refuses the answer of `blade create`, which holds only a name, and
//! preparations, which inject nothing. The times are those of `ChaosBlade`'s own table: created when injected, updated
//! when destroyed.

use serde_json::Value;

use crate::run::Outcome;
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "chaosblade",
    accepts: "what `blade status UID` or `blade status --type create` prints",
    looks_like,
    joins: |_| false,
    import: |documents, times| {
        let mut findings = Vec::new();
        for document in documents {
            findings.extend(document_findings(document, times)?);
        }
        Ok(findings)
    },
};

fn looks_like(document: &Document) -> Option<&'static str> {
    let tree = document.tree();
    if is_experiment(tree) || tree.items("result").iter().any(|entry| is_experiment(entry)) {
        return Some("a ChaosBlade status");
    }
    let is_answer = tree.field("code").is_number() && tree.field("success").is_boolean();
    is_answer.then_some("an answer of ChaosBlade")
}

fn is_experiment(tree: &Value) -> bool {
    tree.text("Uid").is_some() && tree.text("CreateTime").is_some()
}

fn document_findings(
    document: &Document,
    times: &mut TimeReader,
) -> Result<Vec<Finding>, ImportError> {
    let tree = document.tree();
    let experiments: Vec<&Value> =
        if is_experiment(tree) { vec![tree] } else { tree.items("result") };
    if experiments.is_empty() {
        let reason = match tree.text("error") {
            Some(error) => format!("blade answered with an error: {}", redact::text(error)),
            None => "blade answered without an experiment; run `blade status UID`".to_owned(),
        };
        return Ok(vec![Finding::NotStarted(NotStarted { file: document.file.clone(), reason })]);
    }
    experiments.into_iter().map(|entry| finding(document, entry, times)).collect()
}

fn finding(
    document: &Document,
    entry: &Value,
    times: &mut TimeReader,
) -> Result<Finding, ImportError> {
    let file = &document.file;
    let not_started =
        |reason: String| Ok(Finding::NotStarted(NotStarted { file: file.clone(), reason }));
    let uid = entry.text("Uid").unwrap_or("unknown");
    let Some(command) = entry.text("Command") else {
        return not_started(format!("'{uid}' is a preparation: it injects nothing itself"));
    };
    let Some(created) = times.optional(file, "CreateTime", entry.field("CreateTime"))? else {
        return not_started(format!("'{uid}' has no CreateTime"));
    };
    let action = entry.text("SubCommand").unwrap_or("");
    let status = entry.text("Status").unwrap_or("unknown");
    let flags = entry.text("Flag").unwrap_or("");
    let error = redact::text(entry.text("Error").unwrap_or(""));
    let outcome = match status {
        "Success" | "Running" | "Destroyed" => Outcome::Killed,
        _ if error.to_lowercase().contains("not found") => Outcome::NoTarget,
        _ => Outcome::Failed,
    };
    let mut found =
        FoundRun::new(file, &redact::text(&format!("{command} {action}")), created, outcome);
    found.tool_id = Some(uid.to_owned());
    let updated = times.lenient(file, entry.field("UpdateTime")).filter(|at| *at >= created);
    if status == "Destroyed" {
        found.ended_at = updated;
        // A kill is over at once; destroying it later undoes nothing.
        found.fault_until = updated.filter(|_| !action.contains("kill"));
    } else if outcome == Outcome::Killed && !action.contains("kill") {
        found.caution(
            "still_running",
            format!("the experiment is '{status}' and not destroyed: its end is unknown"),
        );
    }
    add_target(&mut found, command, flags);
    found.note(
        created,
        "activity",
        redact::text(&format!("blade create {command} {action} {flags}")),
    );
    found.verdict = Some(status.to_owned());
    found.reason = (!error.is_empty()).then_some(error);
    Ok(Finding::Started(Box::new(found)))
}

/// Whom the flags name.
fn add_target(found: &mut FoundRun, command: &str, flags: &str) {
    const NAMES: [(&str, &str); 10] = [
        ("process", "process"),
        ("process-cmd", "process"),
        ("pid", "process"),
        ("container-id", "container"),
        ("container-names", "container"),
        ("names", "pod"),
        ("labels", "pod"),
        ("service", "service"),
        ("interface", "interface"),
        ("path", "path"),
    ];
    let words: Vec<&str> = flags.split_whitespace().collect();
    let value_of = |name: &str| {
        words.iter().enumerate().find_map(|(position, word)| {
            let flag = word.strip_prefix("--")?;
            match flag.split_once('=') {
                Some((key, value)) => (key == name).then_some(value),
                None if flag == name => words.get(position + 1).copied(),
                None => None,
            }
        })
    };
    let named = NAMES.iter().find_map(|(flag, kind)| value_of(flag).map(|value| (value, *kind)));
    match named {
        Some((value, kind)) => {
            found.target(kind, &redact::text(value.trim_matches(['"', '\''])), None);
        }
        None => found.target(command, &redact::text(flags), None),
    }
}
