//! The service comes back and is overrun: retry storm or overshoot after recovery.
//!
//! # What it sees
//! Kills after which the signal left its band again after a lasting return, and counters of load whose peak after recovery
//! stands more than half above the greatest baseline value. Counters in seconds or bytes are work, not load, and do not
//! count.
//!
//! # Why it matters
//! Callers that waited all come at once; a service that is just back is the least able to take it, and falls again.
//!
//! # What to try
//! Exponential back-off with jitter and a retry budget at the callers; admission control or a slow start behind the load
//! balancer; a limit on how fast a backlog is fetched.
//!
//! # References
//! M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog (2015); N. Bronson and others, "Metastable Failures in
//! Distributed Systems", `HotOS` (2021).

use crate::runbook::case::{Case, listed};
use crate::runbook::confidence::{Confidence, small};
use crate::runbook::policy::OVERSHOOT;
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::show;
use crate::verdict::result::MetricResult;

/// The rule.
pub const RULE: Rule = Rule { code: "retry_storm", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let mut evidence: Vec<Evidence> = relapses(case).into_iter().collect();
    evidence.extend(
        case.result
            .metrics
            .iter()
            .filter(|metric| metric.kind == "counter" && metric.unit.is_none())
            .filter_map(|metric| overshoot(case, metric)),
    );
    let mut indices: Vec<u32> =
        evidence.iter().flat_map(|evidence| evidence.iterations.iter().copied()).collect();
    indices.sort_unstable();
    indices.dedup();
    if indices.is_empty() {
        return None;
    }
    let of = case.recovery().map_or(small(case.kills().count()), |recovery| recovery.recover.n);
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: "Let load back in slowly after a recovery".to_owned(),
        seen: format!("After {} of {of} kills the service was hit again after it had come back.", indices.len()),
        why: "Callers that waited all come at once, when the service is least able to take it."
            .to_owned(),
        evidence,
        confidence: Confidence::of_kills(small(indices.len()), of, case.level()),
        place: Place::Repair,
        step: Step {
            effect: Effect::Changes,
            text: "After the process is back, admit load in steps, or limit retries at the callers, with the command that the team agreed on. Do not call the incident closed at the first good reading.".to_owned(),
            command: Command::Repair,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec![
            "Brooker (2015), Exponential Backoff and Jitter".to_owned(),
            "Bronson and others (2021), Metastable Failures in Distributed Systems".to_owned(),
        ],
    })
}

/// Kills after which the signal left its band again.
fn relapses(case: &Case<'_>) -> Option<Evidence> {
    let recovery = case.recovery()?;
    let indices: Vec<u32> = recovery
        .recover
        .times
        .iter()
        .filter(|entry| entry.relapses > 0)
        .map(|entry| entry.index)
        .collect();
    (!indices.is_empty()).then(|| {
        Evidence::words(
            &recovery.signal,
            indices.clone(),
            format!("left its band again after a lasting return: kills {}", listed(&indices)),
        )
    })
}

/// Kills after which a counter of load overshot.
fn overshoot(case: &Case<'_>, metric: &MetricResult) -> Option<Evidence> {
    let recovery = case.recovery()?;
    let mut indices = Vec::new();
    let mut highest: Option<f64> = None;
    for course in case.courses(&metric.name) {
        let back = recovery
            .recover
            .times
            .iter()
            .find(|entry| entry.index == course.index && !entry.censored && !entry.never_departed)
            .and_then(|entry| entry.seconds);
        let Some(back) = back else { continue };
        let greatest = |points: &mut dyn Iterator<Item = f64>| points.max_by(f64::total_cmp);
        let before = greatest(&mut course.before.iter().map(|point| point.max));
        let after = greatest(
            &mut course.after.iter().filter(|point| point.at_s >= back).map(|point| point.max),
        );
        let Some(times) = after.zip(before).map(|(after, before)| after / before) else { continue };
        if times.is_finite() && times > OVERSHOOT {
            indices.push(course.index);
            highest = Some(highest.map_or(times, |most| if times > most { times } else { most }));
        }
    }
    let highest = highest?;
    Some(Evidence {
        metric: metric.name.clone(),
        text: format!(
            "peak after recovery up to {} times the greatest baseline value: kills {}",
            show::plain(highest),
            listed(&indices)
        ),
        iterations: indices,
        value: Some(highest),
        lower: None,
        upper: None,
        threshold: Some(OVERSHOOT),
    })
}
