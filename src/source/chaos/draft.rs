//! The first draft of an experiment document that fits an imported run.
//!
//! Owns what `unfazed init --from` writes: name, windows and count of the run, the hypothesis as the other tool
//! states it, and three claims to fill in: one ratio, one latency, one recovery. Refuses to invent metric names: it
//! marks what must be replaced. There is no `fault`, since another tool injects.

use std::fmt::Write as _;

use crate::run::Outcome;
use crate::source::chaos::assembly::Imported;

/// The text of `experiment.yaml`.
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
    let record = &imported.record;
    let tool = record.origin.as_ref().map_or("another tool", |origin| origin.tool.as_str());
    let killed = record
        .iterations
        .iter()
        .filter(|iteration| {
            iteration.fault.as_ref().is_some_and(|fault| fault.outcome == Outcome::Killed)
        })
        .count();
    let hypothesis = imported
        .hypothesis
        .as_ref()
        .map(|stated| stated.title.as_str())
        .filter(|title| !title.is_empty())
        .map_or_else(
            || {
                format!(
                    "{} keeps errors under 0.1 %, p95 under 200 ms and heals within 2 minutes.",
                    record.experiment
                )
            },
            |title| {
                format!(
                    "{title}: errors stay under 0.1 %, p95 under 200 ms, healed within 2 minutes."
                )
            },
        );
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# Drafted from a run of {tool} ({} iterations, {killed} faults carried out).",
        record.iterations.len()
    );
    let _ = writeln!(
        text,
        "# Replace every REPLACE_ME: metric names, bounds, owner, environment. Then: unfazed check experiment.yaml"
    );
    if let Some(stated) = &imported.hypothesis {
        for check in &stated.checks {
            let _ = writeln!(text, "# {tool} checked: {}", one_line(check));
        }
    }
    let _ = write!(
        text,
        "apiVersion: unfazed/v1
kind: Experiment
metadata:
  name: {name}
  owner: REPLACE_ME
spec:
  hypothesis: {hypothesis}
  environment: REPLACE_ME
  windows: {{baseline: {baseline}, experiment: {experiment}}}
  source:
    prometheus: {{url: \"http://127.0.0.1:9090\", step: 5s}}
  metrics:
    - name: errors
      ratio: {{bad: 'REPLACE_ME_requests_total{{code=~\"5..\"}}', total: 'REPLACE_ME_requests_total'}}
      expect: {{at_most: 0.1%}}
    - name: latency-p95
      histogram: 'REPLACE_ME_request_duration_seconds'
      quantile: 0.95
      expect: {{at_most: 200ms}}
  recovery:
    signal: errors
    healthy: {{at_most: 0.1%}}
    stable_for: 30s
    within: {within}
",
        name = record.experiment,
        hypothesis = quoted(&hypothesis),
        baseline = imported.windows.baseline,
        experiment = imported.windows.experiment,
        within = within(imported),
    );
    text
}

/// Two minutes, or what the experiment window leaves of it.
fn within(imported: &Imported) -> String {
    let two_minutes = crate::unit::Span::from_seconds(120);
    two_minutes.min(imported.windows.experiment.half()).to_string()
}

/// A text in double quotes; JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(one_line(text)).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
