//! Gates on what happened before: the order of the waves, the rest after a recovery, failures in a row.

use crate::safety::finding::{Finding, GateLog, Outcome, Question};
use crate::safety::situation::{Situation, WaveBefore};
use crate::spec::{CircuitBreaker, Experiment, Policy};
use crate::unit::Span;

/// Asks the gates of this room.
pub(crate) fn ask(
    experiment: &Experiment,
    policy: Option<&Policy>,
    situation: &Situation,
    log: &mut GateLog,
) {
    let Some(fault) = &experiment.fault else { return };
    if fault.wave > 0 {
        wave_order(fault.wave, situation, log);
    }
    let demanded = policy.map_or(Span::ZERO, |policy| policy.cooldown);
    planned_cooldown(experiment, demanded, log);
    cooldown(demanded.max(experiment.windows.cooldown), situation, log);
    if let Some(breaker) = policy.and_then(|policy| policy.circuit_breaker) {
        circuit_breaker(breaker, situation, log);
    }
}

fn wave_order(wave: u8, situation: &Situation, log: &mut GateLog) {
    let before = wave - 1;
    let threshold = format!("a pass of wave {before}");
    let question = Question {
        gate: "wave_order",
        subject: None,
        threshold: threshold.clone(),
        what: format!("whether wave {before} was passed"),
    };
    let Some(found) = log.known(situation.history.wave_before.clone(), question) else { return };
    let (value, outcome, sentence) = match found {
        WaveBefore::Passed { run_id, at } => (
            "passed".to_owned(),
            Outcome::Passed,
            format!("wave {before} was passed by run {run_id} at {at}"),
        ),
        WaveBefore::NotPassed(why) => (
            "not passed".to_owned(),
            Outcome::Denied,
            format!(
                "wave {wave} opens only after a pass of wave {before}: {why}; run it with wave: {before} first"
            ),
        ),
    };
    log.record(Finding { gate: "wave_order", subject: None, value, threshold, outcome, sentence });
}

fn planned_cooldown(experiment: &Experiment, demanded: Span, log: &mut GateLog) {
    if demanded == Span::ZERO {
        return;
    }
    let planned = experiment.windows.cooldown;
    let holds = planned >= demanded;
    let advice = if holds { "" } else { "; lengthen spec.windows.cooldown" };
    log.record(Finding {
        gate: "planned_cooldown",
        subject: None,
        value: planned.to_string(),
        threshold: format!("at least {demanded}"),
        outcome: Outcome::when(holds),
        sentence: format!(
            "the experiment rests {planned} after a recovery, and the policy demands {demanded}{advice}"
        ),
    });
}

fn cooldown(rest: Span, situation: &Situation, log: &mut GateLog) {
    let threshold = format!("{rest} after the last recovery");
    let question = Question {
        gate: "cooldown",
        subject: None,
        threshold: threshold.clone(),
        what: "when the target last recovered".to_owned(),
    };
    let Some(last) = log.known(situation.history.last_recovery.clone(), question) else { return };
    let now = situation.now;
    let (value, outcome, sentence) = match last {
        None => ("never hit".to_owned(), Outcome::Passed, "it was never hit before".to_owned()),
        Some(at) if now >= at.plus(rest) => (
            at.to_string(),
            Outcome::Passed,
            format!("it recovered at {at}, and {rest} have passed"),
        ),
        Some(at) => (
            at.to_string(),
            Outcome::Denied,
            format!("it recovered at {at}, and rests until {}", at.plus(rest)),
        ),
    };
    log.record(Finding { gate: "cooldown", subject: None, value, threshold, outcome, sentence });
}

fn circuit_breaker(breaker: CircuitBreaker, situation: &Situation, log: &mut GateLog) {
    let CircuitBreaker { failures, rest } = breaker;
    let threshold = format!("fewer than {failures} failures in a row, or {rest} after the last");
    let question = Question {
        gate: "circuit_breaker",
        subject: None,
        threshold: threshold.clone(),
        what: "how many iterations failed in a row".to_owned(),
    };
    let Some(found) = log.known(situation.history.failures.clone(), question) else { return };
    let (outcome, sentence) = match (found.in_a_row < failures, found.last_at) {
        (true, _) => (
            Outcome::Passed,
            format!("{} iterations failed in a row, fewer than {failures}", found.in_a_row),
        ),
        (false, Some(last)) if situation.now >= last.plus(rest) => (
            Outcome::Passed,
            format!(
                "{} iterations failed in a row, the last at {last}, and {rest} have passed since",
                found.in_a_row
            ),
        ),
        (false, Some(last)) => (
            Outcome::Denied,
            format!(
                "{} iterations failed in a row, the last at {last}: nothing more until {}",
                found.in_a_row,
                last.plus(rest)
            ),
        ),
        (false, None) => (
            Outcome::Denied,
            format!(
                "{} iterations failed in a row, and when the last of them did is not known",
                found.in_a_row
            ),
        ),
    };
    log.record(Finding {
        gate: "circuit_breaker",
        subject: None,
        value: found.in_a_row.to_string(),
        threshold,
        outcome,
        sentence,
    });
}
