//! The backlog drains too slowly once the process is back.
//!
//! # What it sees
//! Kills in which more than half of the deadline went by between remediation and recovery, while the claim on recovery
//! did not pass. A kill that had not recovered by the end of observation counts with the time observed.
//!
//! # Why it matters
//! The process is back and customers still wait: capacity above the arrivals is too small to work off what piled up.
//!
//! # What to try
//! Add workers for the time of the backlog, shed or postpone work that can wait, raise the limit on parallel work, or
//! serve the newest work first where old work has lost its value.
//!
//! # References
//! J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations Research 9 (1961); Beyer and others (eds.), *Site
//! Reliability Engineering* (2016), chapter 21, "Handling Overload".

use crate::runbook::case::{Case, by_hand_after, kills, listed};
use crate::runbook::confidence::{Confidence, small};
use crate::runbook::policy::STAGE_SHARE_OF_DEADLINE;
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::stats::descriptive;
use crate::unit::show;
use crate::verdict::result::Verdict;

/// The rule.
pub const RULE: Rule = Rule { code: "slow_drain", look };

/// How long one kill's backlog took to drain, at least.
struct Drain {
    index: u32,
    seconds: f64,
}

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    let deadline = case.within()?.deadline_s;
    if recovery.verdict == Some(Verdict::Pass) {
        return None;
    }
    let most = STAGE_SHARE_OF_DEADLINE * deadline;
    let drains = drains(case);
    let slow: Vec<&Drain> = drains.iter().filter(|drain| drain.seconds > most).collect();
    let typical =
        descriptive::median(&slow.iter().map(|drain| drain.seconds).collect::<Vec<_>>()).ok()?;
    let indices: Vec<u32> = slow.iter().map(|drain| drain.index).collect();
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Work off the backlog of {} faster", recovery.signal),
        seen: format!(
            "Once the process was back, {} took another {} (median) to return to its band.",
            recovery.signal,
            show::seconds(typical)
        ),
        why: "The process is back and customers still wait.".to_owned(),
        evidence: vec![Evidence {
            metric: recovery.signal.clone(),
            text: format!(
                "more than {} between remediation and recovery in {} of {} ({}); median of these {}",
                show::seconds(most),
                indices.len(),
                kills(drains.len()),
                listed(&indices),
                show::seconds(typical)
            ),
            iterations: indices.clone(),
            value: Some(typical),
            lower: None,
            upper: None,
            threshold: Some(most),
        }],
        confidence: Confidence::of_kills(small(indices.len()), small(drains.len()), case.level()),
        place: Place::Repair,
        step: Step {
            effect: Effect::Changes,
            text: format!(
                "If {} still stands above its band {} after the process is back, add workers for the time of the backlog, or postpone work that can wait, with the command that the team agreed on; take them away again once it is verified.",
                recovery.signal,
                show::seconds(by_hand_after(most))
            ),
            command: Command::Repair,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec![
            "Little (1961), A Proof for the Queuing Formula L = λW".to_owned(),
            "Beyer and others (eds.), Site Reliability Engineering (2016), chapter 21".to_owned(),
        ],
    })
}

/// The drains of all kills that were remediated and had left the band.
fn drains(case: &Case<'_>) -> Vec<Drain> {
    let Some(recovery) = case.recovery() else { return Vec::new() };
    let Some(remediate) = &recovery.remediate else { return Vec::new() };
    recovery
        .recover
        .times
        .iter()
        .filter(|entry| !entry.never_departed && entry.reason.is_none())
        .filter_map(|entry| {
            let back = remediate.times.iter().find(|time| time.index == entry.index)?;
            let back = back.seconds.filter(|_| !back.censored)?;
            Some(Drain { index: entry.index, seconds: entry.seconds? - back })
        })
        .filter(|drain| drain.seconds >= 0.0)
        .collect()
}
