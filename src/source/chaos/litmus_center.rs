//! Run data of Litmus `ChaosCenter`.
//!
//! Owns the nodes of a run and their times; they tell when an experiment started, not when it injected. The result
//! inside a node is read by `litmus_result`.

use serde_json::Value;

use crate::run::Outcome;
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::litmus_result::{outcome, tell_result};
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;

/// The experiments of a `ChaosCenter` run.
pub(super) fn center_nodes(tree: &Value) -> Vec<&Value> {
    let nodes = [tree.field("nodes"), tree.field("executionData.nodes")]
        .into_iter()
        .find_map(Value::as_object);
    nodes.map_or_else(Vec::new, |nodes| {
        nodes.values().filter(|node| node.has("chaosData")).collect()
    })
}

/// One experiment of a run.
///
/// # Errors
/// [`ImportError::NotATime`] for a start that is no time.
pub(super) fn node_finding(
    document: &Document,
    node: &Value,
    times: &mut TimeReader,
) -> Result<Finding, ImportError> {
    let data = node.field("chaosData");
    let name =
        data.text("experimentName").or_else(|| node.text("name")).unwrap_or("litmus experiment");
    let Some(started) =
        times.optional(&document.file, "nodes.startedAt", node.field("startedAt"))?
    else {
        return Ok(Finding::NotStarted(NotStarted {
            file: document.file.clone(),
            reason: format!("the experiment '{name}' has no startedAt"),
        }));
    };
    let result = data.field("chaosResult");
    let verdict = data.text("experimentVerdict").unwrap_or("Awaited");
    let known = if result.is_object() { outcome(result, false) } else { Outcome::Failed };
    let outcome = if verdict.eq_ignore_ascii_case("pass") { Outcome::Killed } else { known };
    let mut found = FoundRun::new(&document.file, &redact::text(name), started, outcome);
    found.ended_at = times.lenient(&document.file, node.field("finishedAt"));
    tell_result(&mut found, result);
    found.tool_id = data.text("engineUID").map(str::to_owned).or(found.tool_id);
    found.verdict = Some(verdict.to_owned());
    found.caution("fault_time_approximate", "ChaosCenter knows when the experiment started, not when it injected; add the engine's events for the moment itself".to_owned());
    Ok(Finding::Started(Box::new(found)))
}
