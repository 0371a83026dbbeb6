//! The measurement itself was missing.
//!
//! # What it sees
//! Kills without a number because data are missing or there was too little traffic, kills excluded for the same reason, and
//! metrics that live on the target of the kill alone.
//!
//! # Why it matters
//! In an incident the same numbers are missing: nobody can see what customers feel.
//!
//! # What to try
//! Measure at the caller, the broker or the load balancer; scrape more often; alert when a series is absent; check the
//! telemetry before a kill.
//!
//! # References
//! Prometheus documentation, "Query functions", `absent()`; Beyer and others (eds.), *Site Reliability Engineering* (2016),
//! chapter 6, "Monitoring Distributed Systems".

use crate::run::Arm;
use crate::runbook::case::{Case, listed};
use crate::runbook::confidence::Confidence;
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::verdict::result::{MetricResult, ReasonCode};

/// The rule.
pub const RULE: Rule = Rule { code: "missing_telemetry", look };

/// Codes that say that a number is missing.
const MISSING: [&str; 3] = ["missing_data", "no_traffic", "baseline_missing"];

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let evidence: Vec<Evidence> = case.result.metrics.iter().filter_map(of_metric).collect();
    let first = evidence.first()?;
    let mut names: Vec<&str> = evidence.iter().map(|found| found.metric.as_str()).collect();
    names.dedup();
    let named = names.join(", ");
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Pre-check: {named} is measured"),
        seen: format!("There are kills without a number for {named}."),
        why: "In an incident the same numbers are missing.".to_owned(),
        confidence: Confidence::fact("counted; nothing is inferred"),
        place: Place::Prepare,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "Before anything else: is {} there, and not older than two scrapes? If it is not, you are blind: use the health probe and a test transaction instead, and mend the measurement.",
                first.metric
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec!["Prometheus documentation, Query functions, absent()".to_owned()],
        evidence,
    })
}

/// What is missing of one metric.
fn of_metric(metric: &MetricResult) -> Option<Evidence> {
    let mut iterations: Vec<u32> = metric
        .iterations
        .iter()
        .filter(|iteration| iteration.arm == Arm::Fault)
        .filter(|iteration| {
            iteration.reason.as_deref().is_some_and(|reason| MISSING.contains(&reason))
        })
        .map(|iteration| iteration.index)
        .chain(
            metric
                .excluded
                .iter()
                .filter(|exclusion| MISSING.contains(&exclusion.reason.as_str()))
                .map(|exclusion| exclusion.index),
        )
        .collect();
    iterations.sort_unstable();
    iterations.dedup();
    if !iterations.is_empty() {
        let text = format!("no number for kills {}", listed(&iterations));
        return Some(Evidence::words(&metric.name, iterations, text));
    }
    let nowhere =
        metric.n == 0 && metric.reasons.iter().any(|reason| reason.code == ReasonCode::MissingData);
    if nowhere {
        return Some(Evidence::words(
            &metric.name,
            Vec::new(),
            "no number for any kill".to_owned(),
        ));
    }
    let on_target = metric.warnings.iter().any(|warning| warning.code == "measured_on_target");
    on_target.then(|| {
        Evidence::words(
            &metric.name,
            Vec::new(),
            "measured on the target of the kill alone, which takes its last counts with it"
                .to_owned(),
        )
    })
}
