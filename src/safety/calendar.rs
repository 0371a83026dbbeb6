//! Gates on when: the hours that are open, and the times that are closed.
//!
//! The fault and the whole experiment window after it have to fit: whoever approved the hours is there until the service
//! has healed.

use crate::safety::finding::{Finding, GateLog, Outcome};
use crate::safety::situation::Situation;
use crate::spec::{Action, Blackout, Experiment, OpenHours, Policy};
use crate::unit::{Span, Window};

/// Asks the gates of this room, and says in which window the kill has to happen.
pub(crate) fn ask(
    experiment: &Experiment,
    policy: &Policy,
    situation: &Situation,
    log: &mut GateLog,
) -> Option<Window> {
    let now = situation.now;
    let needed = Window { start: now, end: now.plus(takes(experiment)) };
    let open = hours(experiment, policy, needed, log);
    let next = blackouts(experiment, policy, needed, log);
    match (open, next) {
        (Some(open), Some(next)) => {
            Some(Window { start: open.start, end: open.end.min(next.start) })
        }
        (Some(open), None) => Some(open),
        // Hours that are not open give no window; without any hours the next closed time bounds it.
        (None, Some(next)) if policy.windows.is_none() => {
            Some(Window { start: now, end: next.start })
        }
        (None, Some(_) | None) => None,
    }
}

/// How long an iteration needs its hours to stay open after the kill.
fn takes(experiment: &Experiment) -> Span {
    let action = experiment.fault.as_ref().map(|fault| &fault.action);
    let lasts = match action {
        Some(Action::Pause(span)) => *span,
        Some(Action::Hook { timeout: Some(timeout), .. }) => *timeout,
        Some(Action::Kill | Action::Terminate | Action::Hook { timeout: None, .. }) | None => {
            Span::ZERO
        }
    };
    lasts.max(experiment.windows.experiment)
}

fn hours(
    experiment: &Experiment,
    policy: &Policy,
    needed: Window,
    log: &mut GateLog,
) -> Option<Window> {
    let Some(windows) = &policy.windows else {
        log.record(Finding {
            gate: "window",
            subject: None,
            value: needed.start.to_string(),
            threshold: "any hour".to_owned(),
            outcome: Outcome::Passed,
            sentence: "the policy has no hours: it may happen at any".to_owned(),
        });
        return None;
    };
    let mine = || windows.iter().filter(|hours| hours.opens(&experiment.environment));
    // Of openings that overlap the one that is open longest.
    let open = mine()
        .filter_map(|hours| Some(Opening { hours, window: hours.around(needed.start)? }))
        .max_by_key(|opening| opening.window.end);
    let fits = open.as_ref().is_some_and(|opening| needed.end <= opening.window.end);
    let sentence = match &open {
        Some(opening) if fits => format!(
            "open until {}, and the iteration is over by {}",
            opening.hours.zone.shown(opening.window.end),
            opening.hours.zone.shown(needed.end)
        ),
        Some(opening) => format!(
            "the hours close at {}, and the iteration would be over at {}; shorten the experiment window, or wait for the next opening{}",
            opening.hours.zone.shown(opening.window.end),
            opening.hours.zone.shown(needed.end),
            next_opening(mine(), needed)
        ),
        None if mine().next().is_none() => format!(
            "the policy opens no hours for '{}'; add some under spec.windows",
            experiment.environment
        ),
        None => format!("the hours are closed now{}", next_opening(mine(), needed)),
    };
    log.record(Finding {
        gate: "window",
        subject: None,
        value: format!("{} to {}", needed.start, needed.end),
        threshold: open.as_ref().map_or_else(
            || "closed".to_owned(),
            |opening| format!("{} to {}", opening.window.start, opening.window.end),
        ),
        outcome: Outcome::when(fits),
        sentence,
    });
    open.map(|opening| opening.window)
}

struct Opening<'policy> {
    hours: &'policy OpenHours,
    window: Window,
}

fn next_opening<'policy>(
    hours: impl Iterator<Item = &'policy OpenHours>,
    needed: Window,
) -> String {
    hours
        .filter_map(|hours| Some(Opening { hours, window: hours.next(needed.start)? }))
        .min_by_key(|opening| opening.window.start)
        .map_or_else(String::new, |opening| {
            format!("; they open next on {}", opening.hours.zone.shown(opening.window.start))
        })
}

/// Holds against every blackout; returns the next one to come.
fn blackouts(
    experiment: &Experiment,
    policy: &Policy,
    needed: Window,
    log: &mut GateLog,
) -> Option<Window> {
    let mine = || policy.blackouts.iter().filter(|one| one.closes(&experiment.environment));
    for blackout in mine().filter(|one| one.window().overlaps(needed)) {
        let window = blackout.window();
        log.record(Finding {
            gate: "blackout",
            subject: Some(blackout.name.clone()),
            value: format!("{} to {}", needed.start, needed.end),
            threshold: format!("outside {} to {}", window.start, window.end),
            outcome: Outcome::Denied,
            sentence: format!(
                "'{}' closes everything from {} to {}",
                blackout.name,
                blackout.zone.shown(window.start),
                blackout.zone.shown(window.end)
            ),
        });
    }
    if !mine().any(|one| one.window().overlaps(needed)) {
        log.record(Finding {
            gate: "blackout",
            subject: None,
            value: format!("{} to {}", needed.start, needed.end),
            threshold: "outside every blackout".to_owned(),
            outcome: Outcome::Passed,
            sentence: "no blackout is near enough to be touched".to_owned(),
        });
    }
    mine()
        .map(Blackout::window)
        .filter(|window| window.start > needed.start)
        .min_by_key(|window| window.start)
}
