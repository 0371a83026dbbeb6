//! Recovery misses its deadline.
//!
//! # What it sees
//! Kills after which the signal was surely not back in its band within the deadline, while the claim on recovery did not
//! pass. Kills of which it cannot be said do not count. A recovery that passed stays quiet, slow kills included: the
//! hypothesis allows them.
//!
//! # Why it matters
//! Customers wait as long as the recovery takes; a deadline that is missed is an outage that the hypothesis ruled out.
//!
//! # What to try
//! Say in the runbook from when on nobody waits any more, and what is done then. Look where the time goes (notice,
//! restart, drain) and work on the longest stage.
//!
//! # References
//! B. Beyer and others (eds.), *Site Reliability Engineering* (2016), chapter 14, "Managing Incidents".

use crate::runbook::case::{Case, by_hand_after, kills, listed, surely_after};
use crate::runbook::confidence::{Confidence, Grade, small};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::show;
use crate::verdict::result::{TimeResult, Verdict, Within};

/// The rule.
pub const RULE: Rule = Rule { code: "slow_recovery", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    let within = case.within()?;
    if recovery.verdict == Some(Verdict::Pass) {
        return None;
    }
    let late: Vec<u32> = recovery
        .recover
        .times
        .iter()
        .filter(|entry| surely_after(entry, within.deadline_s))
        .map(|entry| entry.index)
        .collect();
    if late.is_empty() {
        return None;
    }
    let deadline = show::seconds(within.deadline_s);
    let mut evidence = vec![Evidence {
        metric: "recovery".to_owned(),
        text: format!(
            "{} of {} not recovered within {deadline} ({})",
            late.len(),
            kills(usize::try_from(within.n).unwrap_or(usize::MAX)),
            listed(&late)
        ),
        iterations: late.clone(),
        value: within.share,
        lower: within.lower,
        upper: within.upper,
        threshold: Some(within.required_share),
    }];
    let stages = [
        ("detect", recovery.detect.as_ref()),
        ("remediate", recovery.remediate.as_ref()),
        ("recover", Some(&recovery.recover)),
    ];
    evidence.extend(
        stages
            .iter()
            .filter_map(|(name, time)| time.and_then(|time| stage(name, time, within.deadline_s))),
    );
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Do not wait longer than {deadline} for {} to come back", recovery.signal),
        seen: format!(
            "After {} the service was not back within the {deadline} that the hypothesis allows.",
            kills(late.len())
        ),
        why: "Customers wait as long as the recovery takes.".to_owned(),
        evidence,
        confidence: confidence(case, recovery.verdict, within, small(late.len())),
        place: Place::Repair,
        step: Step {
            effect: Effect::Changes,
            text: format!(
                "If {} is not back in its band {} after the process went away, stop waiting: take the broken instance out of the load, or start a replacement, with the command that the team agreed on.",
                recovery.signal,
                show::seconds(by_hand_after(within.deadline_s))
            ),
            command: Command::Repair,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec![
            "Beyer and others (eds.), Site Reliability Engineering (2016), chapter 14".to_owned(),
        ],
    })
}

/// High only if the deadline failed as a claim; else as far as the kills go, and never high.
fn confidence(case: &Case<'_>, verdict: Option<Verdict>, within: &Within, late: u32) -> Confidence {
    match (verdict, within.upper) {
        (Some(Verdict::Fail), Some(upper)) => Confidence::new(
            Grade::High,
            format!(
                "at most {} of kills recover in time ({}), {} are claimed",
                show::percent(upper),
                show::level(case.level()),
                show::percent(within.required_share)
            ),
        ),
        (Some(Verdict::Pass | Verdict::Fail | Verdict::Inconclusive) | None, _) => {
            Confidence::of_kills(late, within.n, case.level()).at_most(Grade::Medium)
        }
    }
}

/// One stage's median with its limits.
fn stage(name: &str, time: &TimeResult, deadline: f64) -> Option<Evidence> {
    let median = time.median_s?;
    let limits = match (time.median_lower_s, time.median_upper_s) {
        (Some(lower), Some(upper)) => {
            format!(" (limits {} to {})", show::seconds(lower), show::seconds(upper))
        }
        (Some(lower), None) => format!(" (lower limit {})", show::seconds(lower)),
        (None, _) => String::new(),
    };
    Some(Evidence {
        metric: format!("time to {name}"),
        iterations: Vec::new(),
        text: format!("median time to {name} {}{limits}", show::seconds(median)),
        value: Some(median),
        lower: time.median_lower_s,
        upper: time.median_upper_s,
        threshold: Some(deadline),
    })
}
