//! Gates on what was measured: preconditions, the canary's share of the traffic, and abort rules that can work.
//!
//! A number that is not finite is not known.

use crate::safety::abort;
use crate::safety::fact::Fact;
use crate::safety::finding::{Finding, GateLog, Outcome, Question};
use crate::safety::situation::Situation;
use crate::spec::{AbortRule, AbortTrigger, Experiment, Policy, Precondition, PreconditionBound};
use crate::unit::show;

/// Waves from this one on need a rule that stops them.
const ABORT_NEEDED_FROM_WAVE: u8 = 2;

/// Asks the gates of this room.
pub(crate) fn ask(
    experiment: &Experiment,
    policy: Option<&Policy>,
    situation: &Situation,
    log: &mut GateLog,
) {
    let shared = policy.into_iter().flat_map(|policy| &policy.preconditions);
    for condition in experiment.safety.preconditions.iter().chain(shared) {
        precondition(condition, situation, log);
    }
    let wave = experiment.fault.as_ref().map_or(0, |fault| fault.wave);
    if let Some(canary) = policy.and_then(|policy| policy.canary.as_ref())
        && wave >= canary.from_wave
    {
        for bound in canary.bounds() {
            let name = "traffic share of the canary".to_owned();
            let condition = Precondition { name, query: canary.query.clone(), bound };
            precondition(&condition, situation, log);
        }
    }
    if wave >= ABORT_NEEDED_FROM_WAVE {
        can_stop(experiment, wave, log);
    }
    for rule in &experiment.safety.abort {
        quiet(experiment, rule, situation, log);
    }
}

/// A number that can be compared.
fn finite(fact: Fact<f64>) -> Fact<f64> {
    match fact {
        Fact::Known(value) if !value.is_finite() => {
            Fact::Unknown(format!("the answer is {value}, which is no number to compare"))
        }
        Fact::Known(_) | Fact::Unknown(_) | Fact::NotYet => fact,
    }
}

fn precondition(condition: &Precondition, situation: &Situation, log: &mut GateLog) {
    let threshold = match condition.bound {
        PreconditionBound::AtMost(bound) => format!("at most {}", show::plain(bound)),
        PreconditionBound::AtLeast(bound) => format!("at least {}", show::plain(bound)),
    };
    let question = Question {
        gate: "precondition",
        subject: Some(condition.name.clone()),
        threshold: threshold.clone(),
        what: format!("the answer to `{}`", condition.query),
    };
    let answer = finite(situation.answer(&condition.query));
    let Some(value) = log.known(answer, question) else { return };
    let holds = match condition.bound {
        PreconditionBound::AtMost(bound) => value <= bound,
        PreconditionBound::AtLeast(bound) => value >= bound,
    };
    let shown = show::plain(value);
    let word = if holds { "holds" } else { "does not hold" };
    log.record(Finding {
        gate: "precondition",
        subject: Some(condition.name.clone()),
        value: shown.clone(),
        threshold: threshold.clone(),
        outcome: Outcome::when(holds),
        sentence: format!(
            "it {word}: `{}` is {shown}, and {threshold} is accepted",
            condition.query
        ),
    });
}

fn can_stop(experiment: &Experiment, wave: u8, log: &mut GateLog) {
    let rules = experiment.safety.abort.len();
    log.record(Finding {
        gate: "abort_rules",
        subject: None,
        value: rules.to_string(),
        threshold: "at least 1".to_owned(),
        outcome: Outcome::when(rules > 0),
        sentence: if rules > 0 {
            format!("{rules} rules stop an iteration of wave {wave}")
        } else {
            format!("wave {wave} needs a rule that stops it; add one under spec.safety.abort")
        },
    });
}

/// A rule whose condition holds already before the kill tells nothing about the kill; and one whose baseline is not
/// known would never stop anything.
fn quiet(experiment: &Experiment, rule: &AbortRule, situation: &Situation, log: &mut GateLog) {
    let facts = situation.metrics.get(&rule.metric);
    let baseline = facts.map_or(Fact::NotYet, |facts| finite(facts.baseline.clone()));
    let now = facts.map_or(Fact::NotYet, |facts| finite(facts.now.clone()));
    let metric = experiment.metrics.iter().find(|metric| metric.name == rule.metric);
    let Some(metric) = metric else { return };
    let words = abort::words(rule, &metric.unit);
    let question = |what: String| Question {
        gate: "abort_rule",
        subject: Some(rule.metric.clone()),
        threshold: words.clone(),
        what,
    };
    let baseline = match rule.trigger {
        AbortTrigger::AboveBaseline { .. } => {
            let what = format!("the baseline of {}", rule.metric);
            let Some(value) = log.known(baseline, question(what)) else { return };
            Some(value)
        }
        AbortTrigger::Above(_) | AbortTrigger::Below(_) => None,
    };
    let Some(value) = log.known(now, question(format!("the value of {} now", rule.metric))) else {
        return;
    };
    let breached = abort::limit(rule, baseline).is_none_or(|limit| limit.is_breached_by(value));
    let shown = show::value(value, &metric.unit);
    let sentence = if breached {
        format!(
            "{} is {shown} before the kill, and the rule stops it {words}; let it settle first",
            rule.metric
        )
    } else {
        format!("{} is {shown} before the kill; the rule stops it {words}", rule.metric)
    };
    log.record(Finding {
        gate: "abort_rule",
        subject: Some(rule.metric.clone()),
        value: shown,
        threshold: words,
        outcome: Outcome::when(!breached),
        sentence,
    });
}
