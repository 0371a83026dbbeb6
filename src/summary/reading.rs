//! One kind of time over all iterations: as the run record gives it, else as it was looked for among signals.

use crate::run::{Campaign, Iteration, SessionIteration};
use crate::summary::detection::FirstSeen;
use crate::summary::error::{SummaryError, seconds_after};
use crate::summary::metric::not_injected;
use crate::summary::value::{PreKillLoss, ReadingSummary, RecoveryTime, Timing};
use crate::unit::{Span, Timestamp, Window};

/// An entry without anything seen.
pub(crate) fn entry(of_session: &SessionIteration, timing: Timing) -> RecoveryTime {
    let iteration = &of_session.iteration;
    RecoveryTime {
        index: of_session.index,
        session: of_session.session,
        arm: iteration.arm,
        excluded: not_injected(iteration).then_some(PreKillLoss::NotInjected),
        aborted: iteration.aborted.as_ref().map(|abort| abort.at),
        timing,
        never_departed: false,
        onset_seconds: None,
        relapses: 0,
        excursions: 0,
        last_unhealthy_seconds: None,
        band: None,
    }
}

/// A time that the run record gives.
pub(crate) fn given(iteration: &Iteration, moment: Timestamp) -> Timing {
    let at = seconds_after(moment, iteration.reference());
    Timing::Seen { after: at, at }
}

/// From the fault to the end of the experiment window.
pub(crate) fn after_fault(iteration: &Iteration) -> Window {
    Window { start: iteration.reference(), end: iteration.experiment.end }
}

/// The entry of an iteration for which something was looked for among signals. `Absent` when nothing could be.
pub(crate) enum Looked {
    /// It came.
    Seen(FirstSeen),
    /// It did not come until the end of the window.
    NotSeen,
    /// Nobody recorded what would have shown it.
    Absent,
}

impl Looked {
    /// Seen, or not until the end.
    pub(crate) fn of(first: Option<FirstSeen>) -> Self {
        first.map_or(Self::NotSeen, Self::Seen)
    }
}

/// One entry per iteration: as given, else as looked for.
pub(crate) fn reading(
    campaign: &Campaign,
    resolution: Option<Span>,
    given_at: impl Fn(&Iteration) -> Option<Timestamp>,
    mut look: impl FnMut(&SessionIteration) -> Result<Looked, SummaryError>,
) -> Result<ReadingSummary, SummaryError> {
    let mut times = Vec::with_capacity(campaign.iterations.len());
    for of_session in &campaign.iterations {
        let iteration = &of_session.iteration;
        let seconds = |moment: Timestamp| seconds_after(moment, iteration.reference());
        let timing = match given_at(iteration) {
            Some(moment) => given(iteration, moment),
            None => match look(of_session)? {
                Looked::Seen(first) => {
                    Timing::Seen { after: seconds(first.after), at: seconds(first.at) }
                }
                Looked::NotSeen => Timing::Censored { at: seconds(iteration.experiment.end) },
                Looked::Absent => Timing::Lost { from: 0.0 },
            },
        };
        times.push(entry(of_session, timing));
    }
    Ok(ReadingSummary { resolution, times })
}

/// Times that only the run record knows.
pub(crate) fn only_given(
    campaign: &Campaign,
    given_at: impl Fn(&Iteration) -> Option<Timestamp>,
) -> Result<Option<ReadingSummary>, SummaryError> {
    let any = campaign.iterations.iter().any(|of| given_at(&of.iteration).is_some());
    if !any {
        return Ok(None);
    }
    reading(campaign, None, given_at, |_| Ok(Looked::Absent)).map(Some)
}
