//! Gates on how much: targets an iteration, faults at once, share and survivors.
//!
//! The injector counts again, on what it finds at that moment.

use crate::safety::finding::{Finding, GateLog, Outcome, Question};
use crate::safety::situation::Situation;
use crate::spec::{Experiment, KillLimits};

/// Asks the gates of this room.
pub(crate) fn ask(
    experiment: &Experiment,
    limits: KillLimits,
    situation: &Situation,
    log: &mut GateLog,
) {
    let Some(fault) = &experiment.fault else { return };
    let count = fault.count;
    log.record(Finding {
        gate: "max_kills",
        subject: None,
        value: count.to_string(),
        threshold: format!("at most {}", limits.max_kills),
        outcome: Outcome::when(count <= limits.max_kills),
        sentence: format!("an iteration hits {count}, and {} at most may be hit", limits.max_kills),
    });
    concurrent(count, limits, situation, log);
    arithmetic(count, limits, situation, log);
}

fn concurrent(count: u32, limits: KillLimits, situation: &Situation, log: &mut GateLog) {
    let threshold = format!("at most {}", limits.max_concurrent_kills);
    let question = Question {
        gate: "max_concurrent_kills",
        subject: None,
        threshold: threshold.clone(),
        what: "how many faults of others are in place".to_owned(),
    };
    let Some(in_place) = log.known(situation.in_place.clone(), question) else { return };
    let together = u64::from(in_place) + u64::from(count);
    let holds = together <= u64::from(limits.max_concurrent_kills);
    let advice = if holds { "" } else { "; wait until the others have recovered" };
    log.record(Finding {
        gate: "max_concurrent_kills",
        subject: None,
        value: together.to_string(),
        threshold,
        outcome: Outcome::when(holds),
        sentence: format!(
            "{in_place} faults of others are in place, with this one {together}, and {} at most may be{advice}",
            limits.max_concurrent_kills
        ),
    });
}

fn arithmetic(count: u32, limits: KillLimits, situation: &Situation, log: &mut GateLog) {
    let KillLimits { max_share, min_survivors, .. } = limits;
    let question = Question {
        gate: "targets",
        subject: None,
        threshold: format!("share at most {max_share}, survivors at least {min_survivors}"),
        what: "how many match the target".to_owned(),
    };
    let Some(matching) = log.known(situation.matching.clone(), question) else { return };
    let enough = matching >= count && matching > 0;
    log.record(Finding {
        gate: "targets",
        subject: None,
        value: matching.to_string(),
        threshold: format!("at least {count}"),
        outcome: Outcome::when(enough),
        sentence: format!("{matching} match the target, and {count} are to be hit"),
    });
    // 1 of 3 within "0.3333333333": a rounding of the limit's last digit must not refuse.
    let within = f64::from(count) <= max_share * f64::from(matching) + 1e-9;
    log.record(Finding {
        gate: "max_share",
        subject: None,
        value: format!("{count} of {matching}"),
        threshold: format!("at most {max_share}"),
        outcome: Outcome::when(within),
        sentence: format!(
            "{count} of {matching} are to be hit, and the share may be {max_share} at most"
        ),
    });
    let survivors = matching.saturating_sub(count);
    log.record(Finding {
        gate: "min_survivors",
        subject: None,
        value: survivors.to_string(),
        threshold: format!("at least {min_survivors}"),
        outcome: Outcome::when(survivors >= min_survivors),
        sentence: format!(
            "{survivors} of {matching} would be left, and {min_survivors} have to be"
        ),
    });
}
