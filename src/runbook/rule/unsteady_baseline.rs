//! The service was not steady before the kill.
//!
//! # What it sees
//! A claim that the baseline blocks (`baseline_unstable`) or that the control iterations block (`control_moved`).
//!
//! # Why it matters
//! What moves by itself cannot be told from what the kill did; an experiment on it costs trust and teaches nothing.
//!
//! # What to try
//! Wait until the metric is steady, choose a quieter window, or a longer cooldown between kills; write the steady state
//! down as a pre-check.
//!
//! # References
//! C. Rosenthal and N. Jones, *Chaos Engineering* (2020), chapter 3, on the steady-state hypothesis.

use crate::runbook::case::Case;
use crate::runbook::confidence::{Confidence, Grade};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::{Unit, show};
use crate::verdict::result::{MetricResult, Reason, ReasonCode};

/// The rule.
pub const RULE: Rule = Rule { code: "unsteady_baseline", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let found: Vec<(&MetricResult, &Reason)> = case
        .result
        .metrics
        .iter()
        .filter_map(|metric| blocked(metric).map(|reason| (metric, reason)))
        .collect();
    let (first, _) = found.first()?;
    let names: Vec<&str> = found.iter().map(|(metric, _)| metric.name.as_str()).collect();
    let evidence = found
        .iter()
        .map(|(metric, reason)| Evidence {
            metric: metric.name.clone(),
            iterations: Vec::new(),
            text: reason.message.clone(),
            value: metric.baseline.estimate,
            lower: metric.baseline.lower,
            upper: metric.baseline.upper,
            threshold: None,
        })
        .collect();
    let unit = Unit::named(first.unit.as_deref().unwrap_or_default());
    let usual = first.baseline.estimate.map_or_else(String::new, |level| {
        format!(" (in these baselines about {})", show::value(level, &unit))
    });
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Pre-check: {} is steady", names.join(", ")),
        seen: format!("{} moved without a kill.", names.join(", ")),
        why: "What moves by itself cannot be told from what the kill did.".to_owned(),
        evidence,
        confidence: Confidence::new(
            Grade::High,
            "a test of the baselines or the control iterations stands behind it".to_owned(),
        ),
        place: Place::Prepare,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "Before a kill on purpose: look at {} over the last two windows{usual}. If it climbs, falls or jumps, wait.",
                first.name
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec!["Rosenthal and Jones (2020), Chaos Engineering, chapter 3".to_owned()],
    })
}

fn blocked(metric: &MetricResult) -> Option<&Reason> {
    metric.reasons.iter().find(|reason| {
        matches!(reason.code, ReasonCode::BaselineUnstable | ReasonCode::ControlMoved)
    })
}
