//! The kill is noticed too late to do anything about it.
//!
//! # What it sees
//! Kills with an impact that were noticed after half of the deadline had surely gone by, or only after the service was back.
//!
//! # Why it matters
//! Who is told late can only watch; who is told after the fact learns to ignore the alert.
//!
//! # What to try
//! A shorter `for:` and a shorter evaluation interval of the alert, a signal that moves sooner, or a rate of errors over a
//! shorter window.
//!
//! # References
//! B. Beyer and others (eds.), *The Site Reliability Workbook* (2018), chapter 5, "Alerting on SLOs".

use crate::runbook::case::{Case, listed, surely_after};
use crate::runbook::confidence::{Confidence, Grade, small};
use crate::runbook::policy::STAGE_SHARE_OF_DEADLINE;
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::show;
use crate::verdict::result::TimeEntry;

/// The rule.
pub const RULE: Rule = Rule { code: "late_detection", look };

#[expect(clippy::too_many_lines, reason = "one comparison, and one suggestion spelled out")]
fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    let detect = recovery.detect.as_ref()?;
    let most = case.within().map(|within| STAGE_SHARE_OF_DEADLINE * within.deadline_s);
    let recovered =
        |entry: &TimeEntry| recovery.recover.times.iter().find(|other| other.index == entry.index);
    let hit: Vec<&TimeEntry> = detect
        .times
        .iter()
        .filter(|entry| !entry.censored)
        .filter(|entry| recovered(entry).is_none_or(|other| !other.never_departed))
        .collect();
    let late: Vec<u32> = hit
        .iter()
        .filter(|entry| {
            let too_late = most.is_some_and(|most| surely_after(entry, most));
            let afterwards = recovered(entry)
                .filter(|other| !other.censored)
                .and_then(|other| other.seconds)
                .is_some_and(|back| surely_after(entry, back));
            too_late || afterwards
        })
        .map(|entry| entry.index)
        .collect();
    if late.is_empty() {
        return None;
    }
    let limit = most.map_or_else(
        || "the service was back".to_owned(),
        |most| format!("half of the deadline ({}) or the recovery itself", show::seconds(most)),
    );
    let shown = detect.median_lower_s.zip(most).filter(|(lower, most)| lower > most);
    let confidence = match shown {
        Some((lower, _)) if detect.n > 1 => Confidence::new(
            Grade::High,
            format!(
                "the median time to detect is at least {} ({})",
                show::seconds(lower),
                show::level(case.level())
            ),
        ),
        Some(_) | None => Confidence::of_kills(small(late.len()), small(hit.len()), case.level()),
    };
    let sign = recovery.detected_by.as_deref().unwrap_or("the sign of detection");
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: "Do not wait for the alert".to_owned(),
        seen: format!(
            "{} of {} kills with an impact were noticed only after {limit}.",
            late.len(),
            hit.len()
        ),
        why: "Who is told late can only watch, and learns to ignore the alert.".to_owned(),
        evidence: vec![Evidence {
            metric: "time to detect".to_owned(),
            text: format!("{sign}, too late after kills {}", listed(&late)),
            iterations: late.clone(),
            value: detect.median_s,
            lower: detect.median_lower_s,
            upper: detect.median_upper_s,
            threshold: most,
        }],
        confidence,
        place: Place::Detect,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "The alert comes late. When anything looks odd, look at {} at once; healthy is {}. Afterwards shorten the alert's waiting time and evaluation interval.",
                recovery.signal, recovery.healthy
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec![
            "Beyer and others (eds.), The Site Reliability Workbook (2018), chapter 5".to_owned(),
        ],
    })
}
