//! AWS Fault Injection Service: what `aws fis get-experiment` prints.
//!
//! Owns the meaning of experiment and action states: a wait is no fault, `skip-all` is a dry run, an action that was
//! skipped found no target, a stop condition aborts. Refuses to judge, since FIS does not, and to import templates
//! and lists: they say what would be done, or too little.

use serde_json::Value;

use crate::run::{Abort, Outcome};
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;
use crate::unit::Timestamp;

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "aws-fis",
    accepts: "what `aws fis get-experiment --id ID` prints",
    looks_like,
    joins: |_| false,
    import: |documents, times| documents.iter().map(|document| finding(document, times)).collect(),
};

fn looks_like(document: &Document) -> Option<&'static str> {
    let tree = document.tree();
    let is_template = |tree: &Value| {
        tree.has("actions") && tree.has("stopConditions") && tree.text("state.status").is_none()
    };
    if is_experiment(experiment(tree)) {
        Some("an AWS FIS experiment")
    } else if tree.has("experimentTemplate") || is_template(tree) {
        Some("an AWS FIS experiment template")
    } else if tree.has("experimentTemplates") {
        Some("a list of AWS FIS experiment templates")
    } else if tree.items("experiments").iter().any(|one| one.text("experimentTemplateId").is_some())
    {
        Some("a list of AWS FIS experiments")
    } else if tree
        .items("actions")
        .iter()
        .chain(&tree.items("action"))
        .any(|action| action.text("id").is_some_and(|id| id.starts_with("aws:")))
    {
        Some("a description of AWS FIS actions")
    } else {
        None
    }
}

/// The experiment in a document, with or without its envelope.
fn experiment(tree: &Value) -> &Value {
    let inner = tree.field("experiment");
    if inner.is_object() { inner } else { tree }
}

fn is_experiment(tree: &Value) -> bool {
    tree.text("state.status").is_some() && tree.has("actions") && tree.text("id").is_some()
}

/// One fault action with its times.
struct Action<'a> {
    name: &'a str,
    entry: &'a Value,
    status: &'a str,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Action<'_> {
    /// Whether it did anything to its target.
    fn acted(&self) -> bool {
        matches!(self.status, "running" | "completed" | "stopping" | "stopped")
            || self.status == "failed"
                && self.start.is_some()
                && self.end.is_some()
                && self.start != self.end
    }
}

fn finding(document: &Document, times: &mut TimeReader) -> Result<Finding, ImportError> {
    let file = &document.file;
    let not_started =
        |reason: String| Ok(Finding::NotStarted(NotStarted { file: file.clone(), reason }));
    let tree = experiment(document.tree());
    if !is_experiment(tree) {
        let what = looks_like(document).unwrap_or("something else");
        return not_started(format!(
            "{what} holds no run; run `aws fis get-experiment --id ID` for each experiment"
        ));
    }
    let status = tree.text("state.status").unwrap_or("unknown");
    let reason = redact::text(tree.text("state.reason").unwrap_or(""));
    let Some(started) = times.optional(file, "startTime", tree.field("startTime"))? else {
        return not_started(format!(
            "the experiment never started: its state is '{status}' ({reason})"
        ));
    };
    let Parted { actions, waits } = parted(file, tree, times)?;
    let acted: Vec<&Action<'_>> = actions.iter().filter(|action| action.acted()).collect();
    if acted.is_empty() && matches!(status, "pending" | "initiating" | "running") {
        return not_started(format!(
            "the experiment is still '{status}' and no fault action has started; import it after it has ended"
        ));
    }
    let ended = times.optional(file, "endTime", tree.field("endTime"))?;
    let first = acted.iter().filter_map(|action| action.start).min();
    let fault_at = first.unwrap_or(started);
    let outcome = outcome(tree, &actions, &acted);
    let title = tree
        .text("tags.Name")
        .or_else(|| tree.text("description"))
        .or_else(|| tree.text("experimentTemplateId"));
    let mut found =
        FoundRun::new(file, &redact::text(title.unwrap_or("fis experiment")), fault_at, outcome);
    found.tool_id = tree.text("id").map(str::to_owned);
    found.started_at = started.min(fault_at);
    found.ended_at = ended;
    if outcome == Outcome::Killed {
        found.fault_until = acted
            .iter()
            .filter_map(|action| action.end)
            .max()
            .or(ended)
            .filter(|until| *until >= fault_at);
        if first.is_none() {
            found.caution(
                "fault_time_approximate",
                "the actions carry no start time; the experiment's start stands in".to_owned(),
            );
        }
    }
    tell(&mut found, tree, &actions, &waits);
    judge(&mut found, status, &reason, tree);
    Ok(Finding::Started(Box::new(found)))
}

/// The fault actions and the waits between them.
struct Parted<'a> {
    actions: Vec<Action<'a>>,
    waits: Vec<Action<'a>>,
}

fn parted<'a>(
    file: &str,
    tree: &'a Value,
    times: &mut TimeReader,
) -> Result<Parted<'a>, ImportError> {
    let mut actions = Vec::new();
    let mut waits = Vec::new();
    for (name, entry) in tree.field("actions").as_object().into_iter().flatten() {
        let action = Action {
            name,
            entry,
            status: entry.text("state.status").unwrap_or("unknown"),
            start: times.optional(file, "actions.startTime", entry.field("startTime"))?,
            end: times.optional(file, "actions.endTime", entry.field("endTime"))?,
        };
        if entry.text("actionId") == Some("aws:fis:wait") {
            waits.push(action);
        } else {
            actions.push(action);
        }
    }
    Ok(Parted { actions, waits })
}

fn outcome(tree: &Value, actions: &[Action<'_>], acted: &[&Action<'_>]) -> Outcome {
    let reasons = actions
        .iter()
        .filter_map(|action| action.entry.text("state.reason"))
        .chain(tree.text("state.reason"))
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ");
    let skipped = !actions.is_empty() && actions.iter().all(|action| action.status == "skipped");
    if tree.text("experimentOptions.actionsMode") == Some("skip-all") {
        Outcome::DryRun
    } else if !acted.is_empty() {
        Outcome::Killed
    } else if skipped || ["empty set", "no target", "resolve"].iter().any(|w| reasons.contains(w)) {
        Outcome::NoTarget
    } else {
        Outcome::Failed
    }
}

/// Targets and one event per action.
fn tell(found: &mut FoundRun, tree: &Value, actions: &[Action<'_>], waits: &[Action<'_>]) {
    for action in actions {
        for target in action.entry.field("targets").as_object().into_iter().flatten() {
            let Some(target) = target.1.as_str() else { continue };
            // Exact: the names of targets are chosen by people.
            let Some(resolved) = tree.field("targets").get(target) else { continue };
            let kind = resolved.text("resourceType").unwrap_or("unknown");
            let arns = resolved.items("resourceArns");
            for arn in arns.iter().filter_map(|arn| arn.as_str()) {
                let name = arn.rsplit(['/', ':']).next().unwrap_or(arn);
                found.target(kind, name, Some(arn));
            }
            if arns.is_empty() {
                let chosen = ["resourceTags", "filters", "parameters"]
                    .iter()
                    .map(|path| resolved.field(path))
                    .find(|value| !value.is_null());
                let name = chosen.map_or_else(|| target.to_owned(), redact::arguments);
                found.target(kind, &name, None);
            }
        }
    }
    for action in actions.iter().chain(waits) {
        let id = action.entry.text("actionId").unwrap_or("unknown action");
        let kind = if id == "aws:fis:wait" { "pause" } else { "activity" };
        let parameters = redact::arguments(action.entry.field("parameters"));
        let why = action.entry.text("state.reason").unwrap_or("");
        let message =
            redact::text(&format!("{} ({id}) {}: {parameters} {why}", action.name, action.status));
        found.note(action.start.unwrap_or(found.started_at), kind, message);
    }
    if actions.is_empty() {
        found.caution("no_action", "the experiment only waits".to_owned());
    }
}

/// How the experiment ended. A stop is an abort, by a stop condition or by hand.
fn judge(found: &mut FoundRun, status: &str, reason: &str, tree: &Value) {
    found.verdict = Some(status.to_owned());
    found.reason = (!reason.is_empty()).then(|| reason.to_owned());
    let alarms: Vec<&str> =
        tree.items("stopConditions").into_iter().filter_map(|one| one.text("value")).collect();
    if matches!(status, "stopping" | "stopped" | "cancelled") {
        let rule = if alarms.is_empty() {
            format!("aws-fis: {reason}")
        } else {
            format!("aws-fis: {reason} (stop conditions: {})", alarms.join(", "))
        };
        let at = found.ended_at.unwrap_or(found.fault_at).max(found.fault_at);
        found.aborted = Some(Abort { at, rule: redact::text(&rule) });
    }
    if matches!(status, "running" | "stopping") {
        found.caution(
            "still_running",
            format!("the experiment is still '{status}'; import it again after it has ended"),
        );
    }
}
