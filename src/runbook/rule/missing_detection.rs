//! Nothing notices the kill.
//!
//! # What it sees
//! An experiment with a recovery section that names no sign of detection, and kills that had an impact and were not
//! detected while they were watched. A kill without impact need not be noticed; lost data are no silence.
//!
//! # Why it matters
//! What nobody notices is repaired when customers call.
//!
//! # What to try
//! An alert on what customers feel (errors, latency, a queue that grows) rather than on the process; name it under
//! `recovery.detected_by`, so that the next run measures it.
//!
//! # References
//! R. Ewaschuk, "My Philosophy on Alerting" (2013); Beyer and others (eds.), *Site Reliability Engineering* (2016), chapter 6.

use crate::runbook::case::{Case, listed};
use crate::runbook::confidence::{Confidence, small};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::verdict::result::{RecoveryResult, TimeResult};

/// The rule.
pub const RULE: Rule = Rule { code: "missing_detection", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    match &recovery.detect {
        None => Some(suggestion(
            case,
            recovery,
            "No sign says that the kill was noticed: the experiment names none.".to_owned(),
            Evidence::words(
                "detection",
                Vec::new(),
                "the document has no recovery.detected_by, and the run record no detected_at"
                    .to_owned(),
            ),
            Confidence::fact("read from the document"),
        )),
        Some(detect) => unnoticed(case, recovery, detect),
    }
}

/// Kills with an impact that were not detected while they were watched.
fn unnoticed(
    case: &Case<'_>,
    recovery: &RecoveryResult,
    detect: &TimeResult,
) -> Option<Suggestion> {
    let had_impact =
        |index: u32| !recovery.recover.times.iter().any(|e| e.index == index && e.never_departed);
    let hit: Vec<_> = detect
        .times
        .iter()
        .filter(|entry| entry.reason.is_none() && had_impact(entry.index))
        .collect();
    let missed: Vec<u32> =
        hit.iter().filter(|entry| entry.censored).map(|entry| entry.index).collect();
    if missed.is_empty() {
        return None;
    }
    let sign = recovery.detected_by.as_deref().unwrap_or("the sign of detection");
    Some(suggestion(
        case,
        recovery,
        format!("{} of {} kills with an impact were not noticed.", missed.len(), hit.len()),
        Evidence::words(
            "detection",
            missed.clone(),
            format!("never while watched ({sign}): kills {}", listed(&missed)),
        ),
        Confidence::of_kills(small(missed.len()), small(hit.len()), case.level()),
    ))
}

fn suggestion(
    case: &Case<'_>,
    recovery: &RecoveryResult,
    seen: String,
    evidence: Evidence,
    confidence: Confidence,
) -> Suggestion {
    Suggestion {
        rule: RULE.code.to_owned(),
        title: "Do not count on being told: look yourself".to_owned(),
        seen,
        why: "What nobody notices is repaired when customers call.".to_owned(),
        evidence: vec![evidence],
        confidence,
        place: Place::Detect,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "A silent alert does not mean a healthy service. Look at {} yourself; healthy is {}. Afterwards add an alert on it that links to this page.",
                recovery.signal, recovery.healthy
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec![
            "Ewaschuk (2013), My Philosophy on Alerting".to_owned(),
            "Beyer and others (eds.), Site Reliability Engineering (2016), chapter 6".to_owned(),
        ],
    }
}
