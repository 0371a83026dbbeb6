//! The restart takes most of the time that recovery has.
//!
//! # What it sees
//! A median time to remediate of more than half of the deadline, while the claim on recovery did not pass.
//!
//! # Why it matters
//! What waits while nobody works has to be worked off afterwards: a backlog grows as long as the process is away, so
//! that a second of restart costs more than a second of recovery.
//!
//! # What to try
//! Shorten the supervisor's restart delay or back-off for the first failure; look at what the process does between start
//! and its first piece of work (warming up, migrations, waiting for others); keep a spare instance running.
//!
//! # References
//! `systemd.service(5)`, `RestartSec=`; Kubernetes documentation, "Pod Lifecycle", container restart back-off.

use crate::runbook::case::{Case, by_hand_after, kills};
use crate::runbook::confidence::{Confidence, Grade};
use crate::runbook::policy::STAGE_SHARE_OF_DEADLINE;
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::unit::show;
use crate::verdict::result::Verdict;

/// The rule.
pub const RULE: Rule = Rule { code: "slow_restart", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    let deadline = case.within()?.deadline_s;
    let remediate = recovery.remediate.as_ref()?;
    let median = remediate.median_s?;
    let most = STAGE_SHARE_OF_DEADLINE * deadline;
    if recovery.verdict == Some(Verdict::Pass) || median <= most {
        return None;
    }
    let confidence = match remediate.median_lower_s {
        Some(lower) if lower > most && remediate.n > 1 => Confidence::new(
            Grade::High,
            format!(
                "the median is at least {} ({}), more than half of the deadline",
                show::seconds(lower),
                show::level(case.level())
            ),
        ),
        Some(_) | None => {
            let grade = if remediate.events > 1 { Grade::Medium } else { Grade::Low };
            Confidence::new(
                grade,
                format!(
                    "median of {}; its lower limit does not exclude less",
                    kills_of(remediate.n)
                ),
            )
        }
    };
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!(
            "Shorten the restart: it takes {}, the whole recovery may take {}",
            show::seconds(median),
            show::seconds(deadline)
        ),
        seen: format!(
            "It took {} (median) until the killed process was back; recovery may take {}.",
            show::seconds(median),
            show::seconds(deadline)
        ),
        why: "Work piles up as long as the process is away, and has to be worked off afterwards."
            .to_owned(),
        evidence: vec![Evidence {
            metric: "time to remediate".to_owned(),
            iterations: Vec::new(),
            text: format!(
                "median time to remediate {}, of a deadline of {}",
                show::seconds(median),
                show::seconds(deadline)
            ),
            value: Some(median),
            lower: remediate.median_lower_s,
            upper: remediate.median_upper_s,
            threshold: Some(most),
        }],
        confidence,
        place: Place::Repair,
        step: Step {
            effect: Effect::Changes,
            text: format!(
                "If the process is not back {} after it went away, start it with the command that the team agreed on, and do not wait for the supervisor. Afterwards lower the supervisor's restart delay for a first failure.",
                show::seconds(by_hand_after(deadline))
            ),
            command: Command::Repair,
        },
        verification: case.probe(),
        escalation: case.escalation(),
        references: vec!["systemd.service(5), RestartSec=".to_owned()],
    })
}

fn kills_of(count: u32) -> String {
    kills(usize::try_from(count).unwrap_or(usize::MAX))
}
