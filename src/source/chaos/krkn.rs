//! Krkn: `telemetry.json`, `resiliency-report.json`, and both inside the log that Krkn prints.
//!
//! Owns the meaning of scenarios, exit statuses and affected pods and nodes: a scenario that fails because a pod
//! did not come back was carried out all the same; a pod that never recovered leaves the repair open (censored), it
//! is not dropped. Refuses to believe scores. A resiliency report repeats the telemetry's windows in local time, so
//! that it counts as a run only when no telemetry is given.

use serde_json::Value;

use crate::run::Outcome;
use crate::source::chaos::document::{Content, Document, embedded_objects};
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::krkn_affected::{Affected, target_by_parameters};
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;
use crate::unit::Timestamp;

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "krkn",
    accepts: "telemetry.json or resiliency-report.json, or Krkn's log with one of them in it",
    looks_like,
    joins: |_| false,
    import,
};

fn looks_like(document: &Document) -> Option<&'static str> {
    match &document.content {
        Content::Tree(tree) => kind(tree),
        Content::Text(text) if text.contains("\"scenarios\"") => {
            embedded_objects(text).iter().find_map(kind)
        }
        Content::Text(_) => None,
    }
}

fn kind(tree: &Value) -> Option<&'static str> {
    let scenarios = telemetry(tree).items("scenarios");
    if scenarios.iter().any(|one| !one.field("start_timestamp").is_null()) {
        return Some("Krkn telemetry");
    }
    if scenarios.iter().any(|one| one.has("window") || one.has("breakdown")) {
        return Some("a Krkn resiliency report");
    }
    (telemetry(tree).text("run_uuid").is_some() && !telemetry(tree).field("job_status").is_null())
        .then_some("Krkn telemetry")
}

/// The telemetry in a document, with or without its envelope.
fn telemetry(tree: &Value) -> &Value {
    let inner = tree.field("telemetry");
    if inner.is_object() { inner } else { tree }
}

/// One Krkn object and the file it came from.
struct Report {
    file: String,
    tree: Value,
    is_telemetry: bool,
}

fn import(documents: &[Document], times: &mut TimeReader) -> Result<Vec<Finding>, ImportError> {
    let mut reports = Vec::new();
    for document in documents {
        let trees = match &document.content {
            Content::Tree(tree) => vec![tree.clone()],
            Content::Text(text) => embedded_objects(text),
        };
        for tree in trees {
            if let Some(kind) = kind(&tree) {
                let is_telemetry = kind == "Krkn telemetry";
                reports.push(Report { file: document.file.clone(), tree, is_telemetry });
            }
        }
    }
    let has_scenarios = |report: &Report| {
        report.is_telemetry && !telemetry(&report.tree).items("scenarios").is_empty()
    };
    let has_telemetry = reports.iter().any(has_scenarios);
    let mut findings = Vec::new();
    for report in &reports {
        let scenarios = telemetry(&report.tree).items("scenarios");
        if scenarios.is_empty() {
            let reason = "the telemetry holds no scenario: nothing ran".to_owned();
            findings.push(Finding::NotStarted(NotStarted { file: report.file.clone(), reason }));
        }
        for scenario in scenarios {
            if report.is_telemetry {
                findings.push(telemetry_finding(report, scenario, times)?);
            } else if !has_telemetry {
                findings.push(report_finding(report, scenario, times)?);
            }
        }
    }
    Ok(findings)
}

/// One scenario of the telemetry.
fn telemetry_finding(
    report: &Report,
    scenario: &Value,
    times: &mut TimeReader,
) -> Result<Finding, ImportError> {
    let file = &report.file;
    let run = telemetry(&report.tree);
    let name = title(scenario.text("scenario").unwrap_or("krkn scenario"));
    let stamp = scenario.field("start_timestamp");
    let started = if stamp.as_f64().is_some_and(|seconds| seconds <= 0.0) {
        None
    } else {
        times.optional(file, "start_timestamp", stamp)?
    };
    let Some(started) = started else {
        let reason = format!("the scenario '{name}' has no start");
        return Ok(Finding::NotStarted(NotStarted { file: file.clone(), reason }));
    };
    let exit_status = scenario.field("exit_status").as_i64();
    let affected = Affected::read(scenario);
    let outcome = if exit_status.is_none_or(|code| code == 0) || affected.count > 0 {
        Outcome::Killed
    } else {
        Outcome::Failed
    };
    let mut found = FoundRun::new(file, &name, started, outcome);
    found.tool_id = run.text("run_uuid").map(str::to_owned);
    let ended = times.lenient(file, scenario.field("end_timestamp"));
    set_end(&mut found, ended);
    affected.tell(&mut found);
    if found.targets.is_empty() {
        target_by_parameters(&mut found, scenario.field("parameters"));
    }
    for event in scenario.items("cluster_events").into_iter().take(200) {
        if let Some(at) = times.lenient(file, event.field("creation")) {
            let about = event.text("involved_object_name").unwrap_or("");
            let message = format!(
                "{} {about}: {}",
                event.text("reason").unwrap_or(""),
                event.text("message").unwrap_or("")
            );
            found.note(at, "cluster_event", redact::text(&message));
        }
    }
    for check in run.items("health_checks") {
        let Some(at) = times.lenient(file, check.field("start_timestamp")) else { continue };
        if at >= started && ended.is_none_or(|end| at <= end) {
            let status = check.word("status").unwrap_or_default();
            let message = format!(
                "{} status {status} for {}",
                check.text("url").unwrap_or("?"),
                check.word("duration").unwrap_or_default()
            );
            found.note(at, "health_check", redact::text(&message));
        }
    }
    let job = run.field("job_status");
    found.verdict = Some(match (exit_status, job) {
        (Some(0), _) => "passed".to_owned(),
        (Some(_), _) | (None, Value::Bool(false)) => "failed".to_owned(),
        (None, _) => "none".to_owned(),
    });
    let code = exit_status.map_or("unknown".to_owned(), |code| code.to_string());
    let score = run.field("overall_resiliency_report.resiliency_score");
    let score =
        if score.is_number() { format!(", resiliency score {score}") } else { String::new() };
    found.reason = Some(format!("exit status {code}, job status {job}{score}"));
    Ok(Finding::Started(Box::new(found)))
}

/// One scenario of a resiliency report: a window and a score.
fn report_finding(
    report: &Report,
    scenario: &Value,
    times: &mut TimeReader,
) -> Result<Finding, ImportError> {
    let file = &report.file;
    let name = title(scenario.text("name").unwrap_or("krkn scenario"));
    let not_started =
        |reason: String| Ok(Finding::NotStarted(NotStarted { file: file.clone(), reason }));
    if name == "historical" {
        return not_started("it scores a past stretch of time: no scenario ran".to_owned());
    }
    let Some(started) = times.optional(file, "window.start", scenario.field("window.start"))?
    else {
        return not_started(format!(
            "the scenario '{name}' has no window; give telemetry.json, which has the times"
        ));
    };
    let mut found = FoundRun::new(file, &name, started, Outcome::Killed);
    let ended = times.lenient(file, scenario.field("window.end"));
    set_end(&mut found, ended);
    let number = |path: &str| scenario.word(path).unwrap_or_default();
    found.verdict = Some(format!("score {}", number("score")));
    found.reason = Some(format!("{} of its objectives failed", number("breakdown.failed")));
    for (objective, kept) in scenario.field("slo_results").as_object().into_iter().flatten() {
        if kept == &Value::Bool(false) {
            found.note(ended.unwrap_or(started), "objective_missed", redact::text(objective));
        }
    }
    found.caution("outcome_assumed", "a resiliency report does not say whether the fault was carried out; give telemetry.json as well".to_owned());
    Ok(Finding::Started(Box::new(found)))
}

/// Sets the end of a scenario. A window of no length says nothing about the end of the fault.
fn set_end(found: &mut FoundRun, ended: Option<Timestamp>) {
    match ended {
        Some(end) if end > found.fault_at => {
            found.ended_at = Some(end);
            found.fault_until = Some(end).filter(|_| found.outcome == Outcome::Killed);
        }
        Some(_) => found.caution(
            "zero_length_window",
            "the scenario ends when it starts; the fault's end is left open".to_owned(),
        ),
        None => {}
    }
}

/// A scenario's name: its file without folder and extension.
fn title(scenario: &str) -> String {
    let file = scenario.rsplit('/').next().unwrap_or(scenario);
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
    redact::text(stem)
}
