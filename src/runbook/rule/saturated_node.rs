//! A node was too busy before the kill.
//!
//! # What it sees
//! A utilisation (a share whose name or selector speaks of CPU, memory, disk, load or utilisation) whose baseline exceeds
//! 60 %.
//!
//! # Why it matters
//! The survivors take over the load of the killed one. Without room for it a kill of one becomes an outage of all, and the
//! experiment says more about the node than about the service.
//!
//! # What to try
//! A pre-check before a kill, and the same as a precondition of the experiment (`safety.preconditions`); then capacity.
//!
//! # References
//! Beyer and others (eds.), *Site Reliability Engineering* (2016), chapter 21, "Handling Overload".

use crate::runbook::case::{Case, kills, listed};
use crate::runbook::confidence::{Confidence, Grade};
use crate::runbook::policy::{SEEN_TWICE, UTILISATION};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::show;
use crate::verdict::result::MetricResult;

/// The rule.
pub const RULE: Rule = Rule { code: "saturated_node", look };

/// Words that name a resource which can be used up.
const RESOURCES: [&str; 9] =
    ["cpu", "memory", "mem", "disk", "utilisation", "utilization", "saturation", "load", "busy"];

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let metric = case
        .result
        .metrics
        .iter()
        .find(|metric| is_utilisation(metric) && !busy(metric).is_empty())?;
    let busy = busy(metric);
    let most = show::percent(UTILISATION);
    let above = |number: Option<f64>| number.filter(|number| *number > UTILISATION);
    let confidence = if let Some(lower) = above(metric.baseline.lower) {
        Confidence::new(
            Grade::High,
            format!(
                "the baseline is at least {} ({})",
                show::percent(lower),
                show::level(case.level())
            ),
        )
    } else {
        let grade = if busy.len() >= SEEN_TWICE as usize { Grade::Medium } else { Grade::Low };
        let of = kills(usize::try_from(metric.n).unwrap_or(usize::MAX));
        Confidence::new(grade, format!("above {most} before {} of {of}", busy.len()))
    };
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Pre-check: {} at most {most}", metric.name),
        seen: format!("{} stood above {most} before {}.", metric.name, kills(busy.len())),
        why: "The survivors take over the load of the killed one and need room for it.".to_owned(),
        evidence: vec![Evidence {
            metric: metric.name.clone(),
            text: format!("baseline above {most} before kills {}", listed(&busy)),
            iterations: busy,
            value: metric.baseline.estimate,
            lower: metric.baseline.lower,
            upper: metric.baseline.upper,
            threshold: Some(UTILISATION),
        }],
        confidence,
        place: Place::Prepare,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "Before anything is restarted or killed on purpose: {} is at most {most}. If it is not, make room first; the survivors have to carry the load.",
                metric.name
            ),
            command: Command::AskMetric,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec![
            "Beyer and others (eds.), Site Reliability Engineering (2016), chapter 21".to_owned(),
        ],
    })
}

/// Whether a metric is the used share of a resource.
fn is_utilisation(metric: &MetricResult) -> bool {
    let words = format!("{} {}", metric.name, metric.description).to_lowercase();
    metric.unit.as_deref() == Some("ratio")
        && metric.kind != "ratio"
        && words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| RESOURCES.contains(&word))
}

/// Iterations whose baseline is above the threshold.
fn busy(metric: &MetricResult) -> Vec<u32> {
    metric
        .iterations
        .iter()
        .filter(|iteration| iteration.baseline.is_some_and(|share| share > UTILISATION))
        .map(|iteration| iteration.index)
        .collect()
}
