//! Recovery within a deadline: a share of kills like any other, with its own ways of being unknown.
//!
//! A kill recovered if its lasting return was seen at or before the deadline, did not if the signal was seen
//! unhealthy at or after it, and is unknown in between: the return fell between two samples around the deadline,
//! observation ended before it, data were lost, or a rule stopped the iteration. Unknown counts against a pass and
//! against a fail.

use crate::spec::Recovery;
use crate::summary::{RecoveryTime, Timing};
use crate::unit::Span;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Sight, Tally, number, small};
use crate::verdict::result::{ReasonCode, Within};
use crate::verdict::ruling::Ruling;
use crate::verdict::sample::Replicate;
use crate::verdict::share::{self, SessionSight};

/// How one kill came out at the deadline.
pub(crate) fn sight(time: &RecoveryTime, deadline: Span) -> Sight {
    let deadline = deadline.seconds();
    if time.aborted.is_some() {
        return Sight::Unknown(ReasonCode::Aborted);
    }
    let unhealthy_late = time.last_unhealthy_seconds.is_some_and(|last| last >= deadline);
    match time.timing {
        Timing::Seen { at, .. } if at <= deadline => Sight::Inside,
        Timing::Seen { after, .. } if after >= deadline || unhealthy_late => Sight::Outside,
        Timing::Seen { .. } => Sight::Unknown(ReasonCode::UndecidedByResolution),
        Timing::Censored { .. } | Timing::Lost { .. } if unhealthy_late => Sight::Outside,
        Timing::Censored { .. } => Sight::Unknown(ReasonCode::CensoredBeforeDeadline),
        Timing::Lost { .. } => Sight::Unknown(ReasonCode::MissingData),
    }
}

/// Rules on the deadline; returns the ruling and the figures shown with it.
pub(crate) fn rule(
    recovery: &Recovery,
    deadline: Span,
    times: &[&RecoveryTime],
    replicate: Replicate,
    alpha: f64,
    gates: &mut GateLog,
) -> DeadlineRuling {
    let sights: Vec<Sight> = times.iter().map(|time| sight(time, deadline)).collect();
    let tally = Tally::of(&sights);
    let kills: Vec<SessionSight> = times
        .iter()
        .zip(&sights)
        .map(|(time, sight)| SessionSight { session: time.session, sight: *sight })
        .collect();
    let ruling = share::rule(recovery.share, &kills, replicate, alpha, gates);
    let total = tally.total();
    let proven = share::proven(tally.inside, total, alpha);
    let mut line = format!(
        "{} of {} kills recovered within {}",
        tally.inside,
        total,
        crate::unit::show::seconds(deadline.seconds())
    );
    if tally.unknown > 0 {
        line = format!("{line} ({} unknown)", tally.unknown);
    }
    line.push_str(&share::proof_words(tally, proven, recovery.share, 1.0 - alpha));
    let within = Within {
        deadline_s: deadline.seconds(),
        recovered: small(tally.inside),
        missed: small(tally.outside),
        unknown: small(tally.unknown),
        n: small(total),
        share: (total > 0).then(|| number(tally.inside) / number(total)),
        lower: ruling.decision.lower,
        upper: ruling.decision.upper,
        required_share: recovery.share,
        method: ruling.decision.method.clone(),
        line,
    };
    DeadlineRuling { ruling, within, sights }
}

/// A ruling on the deadline with its figures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeadlineRuling {
    pub(crate) ruling: Ruling,
    pub(crate) within: Within,
    /// One per usable kill, in the order given.
    pub(crate) sights: Vec<Sight>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Arm;

    fn time(timing: Timing, last_unhealthy_seconds: Option<f64>) -> RecoveryTime {
        RecoveryTime {
            index: 1,
            session: 1,
            arm: Arm::Fault,
            excluded: None,
            aborted: None,
            timing,
            never_departed: false,
            onset_seconds: None,
            relapses: 0,
            excursions: 0,
            last_unhealthy_seconds,
            band: None,
        }
    }

    #[test]
    fn a_return_between_two_samples_around_the_deadline_is_undecided() {
        let deadline = Span::from_seconds(120);
        let seen = |after, at| sight(&time(Timing::Seen { after, at }, Some(after)), deadline);
        assert_eq!(seen(115.0, 120.0), Sight::Inside);
        assert_eq!(seen(118.0, 123.0), Sight::Unknown(ReasonCode::UndecidedByResolution));
        assert_eq!(seen(120.0, 125.0), Sight::Outside);
    }

    #[test]
    fn a_censored_kill_is_a_miss_only_if_it_was_seen_unhealthy_at_the_deadline() {
        let deadline = Span::from_seconds(120);
        let censored = |last| sight(&time(Timing::Censored { at: 300.0 }, last), deadline);
        assert_eq!(censored(Some(299.0)), Sight::Outside);
        assert_eq!(censored(Some(119.0)), Sight::Unknown(ReasonCode::CensoredBeforeDeadline));
        let lost = |last| sight(&time(Timing::Lost { from: 30.0 }, last), deadline);
        assert_eq!(lost(None), Sight::Unknown(ReasonCode::MissingData));
        assert_eq!(lost(Some(120.0)), Sight::Outside);
    }
}
