//! Nothing healed by itself: recovery only by hand.
//!
//! # What it sees
//! Kills after which neither the sign of remediation nor recovery was seen until observation ended, and events of a kind
//! that says "manual". Lost data and kills that a rule stopped do not count; a kill whose process came back does not
//! either, however long recovery takes.
//!
//! # Why it matters
//! A service that needs a person to come back is away for as long as it takes to wake one.
//!
//! # What to try
//! Put the process under a supervisor with restarts, or under a controller with a desired count; until then write the
//! command to start it into the runbook.
//!
//! # References
//! `systemd.service(5)`, `Restart=`; Kubernetes documentation, "Pod Lifecycle", restart policy.

use crate::runbook::case::{Case, listed};
use crate::runbook::confidence::{Confidence, small};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::verdict::result::{TimeEntry, TimeResult};

/// The rule.
pub const RULE: Rule = Rule { code: "manual_recovery", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    let remediate = recovery.remediate.as_ref();
    let stuck: Vec<u32> = remediate.map_or_else(Vec::new, |remediate| {
        recovery
            .recover
            .times
            .iter()
            .filter(|entry| never_came(entry))
            .filter(|entry| never_remediated(remediate, entry.index))
            .map(|entry| entry.index)
            .collect()
    });
    let by_hand: Vec<u32> = by_hand(case);
    let mut all: Vec<u32> = stuck.iter().chain(&by_hand).copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return None;
    }
    let mut evidence = Vec::new();
    if !stuck.is_empty() {
        evidence.push(Evidence::words(
            "recovery",
            stuck.clone(),
            format!(
                "neither remediated nor recovered until observation ended: kills {}",
                listed(&stuck)
            ),
        ));
    }
    if !by_hand.is_empty() {
        evidence.push(Evidence::words(
            "recovery",
            by_hand.clone(),
            format!("events note that a person stepped in: kills {}", listed(&by_hand)),
        ));
    }
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: "Start the process by hand, and then make that unnecessary".to_owned(),
        seen: format!(
            "After {} of {} kills nothing brought the service back by itself.",
            all.len(),
            recovery.recover.n
        ),
        why: "A service that needs a person to come back is away for as long as it takes to wake one."
            .to_owned(),
        evidence,
        confidence: Confidence::of_kills(small(all.len()), recovery.recover.n, case.level()),
        place: Place::Repair,
        step: Step {
            effect: Effect::Changes,
            text: "If the process is not there, start it with the command that the team agreed on. Afterwards put it under a supervisor that starts it again by itself.".to_owned(),
            command: Command::Repair,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec!["systemd.service(5), Restart=".to_owned()],
    })
}

fn never_came(entry: &TimeEntry) -> bool {
    entry.censored && entry.reason.is_none()
}

fn never_remediated(remediate: &TimeResult, index: u32) -> bool {
    remediate.times.iter().any(|entry| entry.index == index && never_came(entry))
}

/// Kills that count in which an event says that a person did something.
fn by_hand(case: &Case<'_>) -> Vec<u32> {
    case.kills()
        .map(|window| window.index)
        .filter(|index| {
            case.result.timeline.events.iter().any(|event| {
                event.iteration == Some(*index) && event.kind.to_lowercase().contains("manual")
            })
        })
        .collect()
}
