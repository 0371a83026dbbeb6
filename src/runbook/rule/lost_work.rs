//! Work that came in never came out.
//!
//! # What it sees
//! A balance (what came in minus what went out) with a claim that did not pass and with kills outside its bound.
//!
//! # Why it matters
//! Lost work is not made good by a recovery: somebody has to find it and send it again.
//!
//! # What to try
//! Acknowledge work only after it is done; let the broker hand it out again when a worker dies; make handling it twice
//! harmless; keep a list of what was accepted, to compare with what was settled.
//!
//! # References
//! P. Helland, "Idempotence Is Not a Medical Condition", ACM Queue 10 (2012).

use crate::runbook::case::{Case, listed};
use crate::runbook::confidence::{Confidence, Grade, small};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::spec::Estimand;
use crate::unit::{Unit, show};
use crate::verdict::result::{MetricResult, Verdict};

/// The rule.
pub const RULE: Rule = Rule { code: "lost_work", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let metric = case.result.metrics.iter().find(|metric| lost(metric))?;
    let (claim, kills) = (metric.claim.as_ref()?, metric.kills.as_ref()?);
    let outside: Vec<u32> = metric
        .iterations
        .iter()
        .filter(|iteration| iteration.inside == Some(false))
        .map(|iteration| iteration.index)
        .collect();
    let unit = Unit::named(metric.unit.as_deref().unwrap_or_default());
    let worst = kills.worst.as_ref().map(|worst| worst.value);
    let confidence = if metric.estimand == Some(Estimand::ThisRun) {
        Confidence::fact("counted in this run; nothing is inferred about the next one")
    } else {
        Confidence::of_kills(small(outside.len()), metric.n, case.level()).at_most(
            if metric.verdict == Some(Verdict::Fail) { Grade::High } else { Grade::Medium },
        )
    };
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Look for lost work: {} did not balance", metric.name),
        seen: format!(
            "After {} of {} kills more was missing than claimed ({}).",
            outside.len(),
            metric.n,
            claim.text
        ),
        why: "A recovery does not bring lost work back: somebody has to find it and send it again."
            .to_owned(),
        evidence: vec![Evidence {
            metric: metric.name.clone(),
            text: format!(
                "claimed {}; outside: kills {}{}",
                claim.text,
                listed(&outside),
                worst.map_or_else(String::new, |worst| format!(
                    "; worst {}",
                    show::value(worst, &unit)
                ))
            ),
            iterations: outside.clone(),
            value: worst,
            lower: None,
            upper: None,
            threshold: Some(claim.bound),
        }],
        confidence,
        place: Place::Verify,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "Before closing the incident, compare what was accepted with what was settled since before the kill ({}: {}). What is missing goes on a list and is sent again.",
                metric.name, claim.text
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec!["Helland (2012), Idempotence Is Not a Medical Condition".to_owned()],
    })
}

fn lost(metric: &MetricResult) -> bool {
    metric.kind == "balance"
        && matches!(metric.verdict, Some(Verdict::Fail | Verdict::Inconclusive))
        && metric.kills.as_ref().is_some_and(|kills| kills.outside > 0)
}
