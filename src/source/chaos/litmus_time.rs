//! When a Litmus run began, injected and ended.
//!
//! Owns the three places that know: the events of the `ChaosEngine`, the metrics of the chaos exporter, and the
//! run data of `ChaosCenter`. A `ChaosResult` holds no time at all, and the next run overwrites it; the events of
//! several runs stay, so that earlier injections are kept as runs of their own. Refuses to know verdicts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::source::chaos::document::{Content, Document};
use crate::source::chaos::field::Field;
use crate::source::chaos::kubernetes_event::{KubernetesEvent, events};
use crate::source::chaos::naive_time::TimeReader;
use crate::unit::{Labels, Timestamp};

/// The times of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTimes {
    /// The engine or the result that they belong to.
    pub owner: String,
    /// First sign of the run.
    pub started: Timestamp,
    /// First injection; absent when none happened or none was noted.
    pub injected: Option<Timestamp>,
    /// Start of the checks after the fault.
    pub reverted: Option<Timestamp>,
    /// End of the run.
    pub ended: Option<Timestamp>,
    /// Where they come from.
    pub source: TimeSource,
    /// What was noted on the way.
    pub events: Vec<KubernetesEvent>,
}

/// Where times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSource {
    /// Kubernetes events.
    Events,
    /// The chaos exporter.
    Exporter,
}

/// Whether a document holds the exporter's metrics, as text or as the answer of a query.
pub fn is_exporter(document: &Document) -> bool {
    match &document.content {
        Content::Text(text) => text.contains("litmuschaos_"),
        Content::Tree(tree) => tree.items("data.result").iter().any(|series| {
            series.text("metric.__name__").is_some_and(|name| name.starts_with("litmuschaos_"))
        }),
    }
}

/// All runs whose times are known, in time order.
pub fn run_times(documents: &[Document], times: &mut TimeReader) -> Vec<RunTimes> {
    let mut all = of_events(&events(documents, times));
    all.extend(of_exporter(documents, times));
    all.sort_by(|left, right| (left.started, &left.owner).cmp(&(right.started, &right.owner)));
    all
}

/// Runs by the events of engines: a run begins with its dependency check and ends with its summary.
fn of_events(events: &[KubernetesEvent]) -> Vec<RunTimes> {
    let mut runs: Vec<RunTimes> = Vec::new();
    for event in events.iter().filter(|event| event.kind == "ChaosEngine") {
        let current = runs.iter_mut().rev().find(|run| run.owner == event.name);
        let begins =
            matches!(event.reason.as_str(), "ExperimentDependencyCheck" | "ChaosEngineInitialized");
        let goes_on = current
            .as_ref()
            .is_some_and(|run| run.ended.is_none() && !(begins && run.injected.is_some()));
        if !goes_on {
            if matches!(
                event.reason.as_str(),
                "Summary" | "ChaosEngineCompleted" | "ChaosEngineStopped" | "PostChaosCheck"
            ) && current.is_some()
            {
                // A late word about a run that has ended already.
                if let Some(run) = current {
                    run.events.push(event.clone());
                }
                continue;
            }
            runs.push(RunTimes {
                owner: event.name.clone(),
                started: event.at,
                injected: None,
                reverted: None,
                ended: None,
                source: TimeSource::Events,
                events: Vec::new(),
            });
        }
        let Some(run) = runs.iter_mut().rev().find(|run| run.owner == event.name) else { continue };
        match event.reason.as_str() {
            // Experiments that kill in a loop note every kill; the first is the fault.
            "ChaosInject" => run.injected = run.injected.or(Some(event.at)),
            "PostChaosCheck" => run.reverted = run.reverted.or(Some(event.at)),
            "Summary" | "ChaosEngineCompleted" | "ChaosEngineStopped" => run.ended = Some(event.at),
            _ => {}
        }
        run.events.push(event.clone());
    }
    runs
}

/// Runs by the exporter's gauges, whose values are Unix seconds. Zero means "not yet".
fn of_exporter(documents: &[Document], times: &mut TimeReader) -> Vec<RunTimes> {
    let mut values: BTreeMap<String, BTreeMap<String, Timestamp>> = BTreeMap::new();
    for sample in documents.iter().filter(|document| is_exporter(document)).flat_map(samples) {
        let Some(field) = sample.name.strip_prefix("litmuschaos_experiment_") else { continue };
        if let Some(at) = times.lenient("", &Value::from(sample.value)) {
            values.entry(sample.owner).or_default().insert(field.to_owned(), at);
        }
    }
    values
        .into_iter()
        .filter_map(|(owner, fields)| {
            let get = |name: &str| fields.get(name).copied();
            let injected = get("chaos_injected_time");
            let started = get("start_time").or(injected)?;
            Some(RunTimes {
                owner,
                started,
                injected,
                reverted: None,
                ended: get("end_time"),
                source: TimeSource::Exporter,
                events: Vec::new(),
            })
        })
        .collect()
}

/// One exporter value.
struct Sample {
    name: String,
    owner: String,
    value: f64,
}

fn samples(document: &Document) -> Vec<Sample> {
    match &document.content {
        Content::Text(text) => text.lines().filter_map(text_sample).collect(),
        Content::Tree(tree) => {
            tree.items("data.result").into_iter().filter_map(query_sample).collect()
        }
    }
}

/// `name{labels} value`.
fn text_sample(line: &str) -> Option<Sample> {
    let (head, value) = line.trim().rsplit_once(' ')?;
    let brace = head.find('{')?;
    let labels = Labels::parse(head[brace..].trim()).ok()?;
    let owner = owner(labels.get("chaosresult_name"), labels.get("chaosengine_name"))?;
    Some(Sample { name: head[..brace].trim().to_owned(), owner, value: value.parse().ok()? })
}

/// A series of a query's answer: its greatest value, since the gauge falls to zero after the run.
fn query_sample(series: &Value) -> Option<Sample> {
    let owner = owner(
        series.text("metric.chaosresult_name").unwrap_or(""),
        series.text("metric.chaosengine_name").unwrap_or(""),
    )?;
    let value_of = |pair: &Value| {
        let value = pair.get(1)?;
        value.as_str().map_or_else(|| value.as_f64(), |text| text.parse::<f64>().ok())
    };
    let value = std::iter::once(series.field("value"))
        .chain(series.items("values"))
        .filter_map(value_of)
        .max_by(f64::total_cmp)?;
    Some(Sample { name: series.text("metric.__name__")?.to_owned(), owner, value })
}

fn owner(result: &str, engine: &str) -> Option<String> {
    [result, engine].into_iter().find(|name| !name.is_empty()).map(str::to_owned)
}
