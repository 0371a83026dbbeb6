//! The survivors cannot carry the load.
//!
//! # What it sees
//! A count of instances of which half or fewer are left after a kill; and, in a run that did not pass, a signal that still
//! grows when the killed process comes back: the others did not keep up with the arrivals.
//!
//! # Why it matters
//! Redundancy is what is left when one is gone. If the rest cannot carry the load, every restart is an outage.
//!
//! # What to try
//! One instance more than the load needs (N+1), spread over nodes; a disruption budget that keeps enough of them; load
//! shedding until the instance is back.
//!
//! # References
//! Beyer and others (eds.), *Site Reliability Engineering* (2016), chapter 18, "Software Engineering in SRE", on N + 2.

use crate::runbook::case::{Case, CasePoint, CourseOfKill, listed};
use crate::runbook::confidence::{Confidence, mean, small};
use crate::runbook::policy::{POINTS_WHILE_AWAY, SURVIVORS};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::show;
use crate::verdict::result::MetricResult;

/// The rule.
pub const RULE: Rule = Rule { code: "little_redundancy", look };

/// Words of a name that counts instances.
const INSTANCES: [&str; 12] = [
    "workers",
    "replicas",
    "instances",
    "pods",
    "members",
    "nodes",
    "brokers",
    "servers",
    "up",
    "ready",
    "available",
    "alive",
];

/// Words of a name that counts something else about them.
const NOT_INSTANCES: [&str; 12] = [
    "missing",
    "down",
    "unavailable",
    "failed",
    "cpu",
    "memory",
    "seconds",
    "errors",
    "restarts",
    "depth",
    "lag",
    "not",
];

/// What was found in how many kills.
struct Found {
    evidence: Evidence,
    of: usize,
}

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let found = few_left(case).or_else(|| still_growing(case))?;
    let seen = found.evidence.iterations.len();
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: "The survivors cannot carry the load: shed some, or add one".to_owned(),
        seen: format!("In {seen} of {} kills the rest could not stand in: {}.", found.of, found.evidence.text),
        why: "If the rest cannot carry the load, every restart is an outage.".to_owned(),
        confidence: Confidence::of_kills(small(seen), small(found.of), case.level()),
        evidence: vec![found.evidence],
        place: Place::Repair,
        step: Step {
            effect: Effect::Changes,
            text: "While an instance is away, shed or postpone load that can wait, or add an instance, with the command that the team agreed on. Afterwards run one instance more than the load needs.".to_owned(),
            command: Command::Repair,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec![
            "Beyer and others (eds.), Site Reliability Engineering (2016), chapter 18".to_owned(),
        ],
    })
}

/// Kills that left half of the instances or fewer.
fn few_left(case: &Case<'_>) -> Option<Found> {
    case.result.metrics.iter().filter(|metric| counts_instances(metric)).find_map(|metric| {
        let courses = case.courses(&metric.name);
        let mut least: Option<f64> = None;
        let mut judged = 0;
        let mut iterations = Vec::new();
        for course in &courses {
            let (Some(before), Some(left)) = (
                course.before.iter().map(|point| point.max).max_by(f64::total_cmp),
                course.after.iter().map(|point| point.min).min_by(f64::total_cmp),
            ) else {
                continue;
            };
            if before < 1.0 {
                continue;
            }
            judged += 1;
            let share = left / before;
            if share <= SURVIVORS {
                iterations.push(course.index);
                least =
                    Some(least.map_or(share, |least| if share < least { share } else { least }));
            }
        }
        let least = least?;
        Some(Found {
            of: judged,
            evidence: Evidence {
                metric: metric.name.clone(),
                text: format!(
                    "as little as {} of the instances left ({}), after kills {}",
                    show::percent(least),
                    metric.name,
                    listed(&iterations)
                ),
                iterations,
                value: Some(least),
                lower: None,
                upper: None,
                threshold: Some(SURVIVORS),
            },
        })
    })
}

/// Whether a metric counts instances that are there.
fn counts_instances(metric: &MetricResult) -> bool {
    let name = metric.name.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    matches!(metric.kind.as_str(), "gauge" | "query")
        && metric.unit.is_none()
        && words.iter().any(|word| INSTANCES.contains(word))
        && !words.iter().any(|word| NOT_INSTANCES.contains(word))
}

/// Kills in which the signal still grew when the process came back.
fn still_growing(case: &Case<'_>) -> Option<Found> {
    if case.passed() {
        return None;
    }
    let recovery = case.recovery()?;
    let remediate = recovery.remediate.as_ref()?;
    let mut judged = 0;
    let mut iterations = Vec::new();
    for course in case.courses(&recovery.signal) {
        let back = remediate
            .times
            .iter()
            .find(|entry| entry.index == course.index && !entry.censored)
            .and_then(|entry| entry.seconds);
        let Some(back) = back else { continue };
        let away: Vec<CasePoint> =
            course.after.iter().copied().filter(|point| point.at_s <= back).collect();
        if away.len() < POINTS_WHILE_AWAY {
            continue;
        }
        judged += 1;
        if grows(&course, &away) {
            iterations.push(course.index);
        }
    }
    if iterations.is_empty() {
        return None;
    }
    Some(Found {
        of: judged,
        evidence: Evidence::words(
            &recovery.signal,
            iterations.clone(),
            format!(
                "{} still grew when the process came back, after kills {}",
                recovery.signal,
                listed(&iterations)
            ),
        ),
    })
}

/// Whether the signal stands higher in the last third of the absence than in the middle one, there than in the first,
/// and then above everything before the kill.
fn grows(course: &CourseOfKill, away: &[CasePoint]) -> bool {
    let third = away.len() / 3;
    let level = |points: &[CasePoint]| mean(points.iter().map(|point| point.mean));
    let (Some(first), Some(middle), Some(last)) = (
        level(&away[..third]),
        level(&away[third..away.len() - third]),
        level(&away[away.len() - third..]),
    ) else {
        return false;
    };
    let highest_before = course.before.iter().map(|point| point.max).max_by(f64::total_cmp);
    first < middle && middle < last && highest_before.is_some_and(|before| last > before)
}
