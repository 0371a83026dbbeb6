//! The first draft of an experiment document that fits an imported run.
//!
//! Owns what `unfazed init --from` writes: name and windows of the run, the hypothesis as the other tool states it,
//! and three claims to fill in: one ratio, one latency, one recovery. Refuses to invent metric names: it marks what
//! must be replaced. There is no `fault`, since another tool injects. A record is enough: an import writes the
//! stated hypothesis into its events.

use std::fmt::Write as _;

use crate::run::{Outcome, RunRecord};
use crate::source::chaos::assembly::Imported;
use crate::unit::Span;

/// Kind of the event that holds the title of the stated hypothesis.
pub const HYPOTHESIS_EVENT: &str = "hypothesis";

/// Kind of the events that hold its checks.
pub const CHECK_EVENT: &str = "hypothesis_check";

/// The text of `experiment.yaml` for an import.
///
/// ```
/// use unfazed::source::chaos::{ImportOptions, Importer, InputFile, experiment_yaml, import};
/// let file = InputFile {
///     name: "kills.csv".to_owned(),
///     bytes: b"time,name\n2026-11-23T08:00:00Z,kill worker\n".to_vec(),
/// };
/// let imported = import(Importer::named("events")?, &[file], &ImportOptions::default())?;
/// assert!(experiment_yaml(&imported).contains("name: kill-worker"));
/// # Ok::<(), unfazed::source::chaos::ImportError>(())
/// ```
pub fn experiment_yaml(imported: &Imported) -> String {
    of_record(&imported.record)
}

/// The text of `experiment.yaml` for a record that was imported earlier.
pub fn of_record(record: &RunRecord) -> String {
    let tool = record.origin.as_ref().map_or("another tool", |origin| origin.tool.as_str());
    let killed = record.iterations.iter().filter(|iteration| {
        iteration.fault.as_ref().is_some_and(|fault| fault.outcome == Outcome::Killed)
    });
    let said = |kind: &'static str| {
        record.events.iter().filter(move |event| event.kind == kind).map(|event| &event.message)
    };
    let hypothesis = match said(HYPOTHESIS_EVENT).next() {
        Some(title) => {
            format!("{title}: errors stay under 0.1 %, p95 under 200 ms, healed within 2 minutes.")
        }
        None => format!(
            "{} keeps errors under 0.1 %, p95 under 200 ms and heals within 2 minutes.",
            record.experiment
        ),
    };
    let windows = record.iterations.iter();
    let longest = |length: fn(&crate::run::Iteration) -> Span| {
        windows.clone().map(length).max().unwrap_or(Span::from_seconds(300))
    };
    let baseline = longest(|iteration| iteration.baseline.length());
    let experiment = longest(|iteration| iteration.experiment.length());
    let mut text = format!(
        "# Drafted from {} iterations of {tool} ({} faults carried out).\n\
         # Replace every REPLACE_ME and the bounds, then: unfazed check experiment.yaml\n",
        record.iterations.len(),
        killed.count(),
    );
    let mut checks: Vec<&String> = said(CHECK_EVENT).collect();
    checks.sort();
    checks.dedup();
    for check in checks {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {tool} checked: {}", one_line(check));
    }
    let _ = write!(
        text,
        "apiVersion: unfazed/v1
kind: Experiment
metadata: {{name: {name}, owner: REPLACE_ME}}
spec:
  hypothesis: {hypothesis}
  environment: REPLACE_ME
  windows: {{baseline: {baseline}, experiment: {experiment}}}
  source: {{prometheus: {{url: \"http://127.0.0.1:9090\", step: 5s}}}}
  metrics:
    - name: errors
      ratio: {{bad: 'REPLACE_ME_requests_total{{code=~\"5..\"}}', total: 'REPLACE_ME_requests_total'}}
      expect: {{at_most: 0.1%}}
    - name: latency-p95
      histogram: 'REPLACE_ME_request_duration_seconds'
      quantile: 0.95
      expect: {{at_most: 200ms}}
  recovery: {{signal: errors, healthy: {{at_most: 0.1%}}, stable_for: {stable_for}, within: {within}}}
",
        name = name(&record.experiment),
        hypothesis = quoted(&hypothesis),
        stable_for = Span::from_seconds(30).min(quarter(experiment)),
        within = Span::from_seconds(120).min(experiment.half()),
    );
    text
}

/// A name as YAML reads it back: in quotes where it would be a number or a word of YAML's own.
fn name(slug: &str) -> String {
    let is_plain = slug.starts_with(|c: char| c.is_ascii_alphabetic())
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&slug);
    if is_plain { slug.to_owned() } else { quoted(slug) }
}

fn quarter(span: Span) -> Span {
    span.half().half()
}

/// A text in double quotes; JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(one_line(text)).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
