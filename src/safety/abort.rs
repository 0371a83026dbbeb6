//! The rules that stop an iteration, held against what is measured while it runs.
//!
//! Owns when a rule fires. A rule has to hold without a break for its time; a value that is missing breaks nothing, and
//! when nothing was seen for too long the rule fires for that reason: what cannot be watched is not continued. Refuses
//! to know where the values come from and how they were reduced.
//!
//! Cost: one pass over the points of the iteration.

use serde::Serialize;

use crate::spec::{AbortRule, AbortTrigger, Amount};
use crate::unit::{Span, Timestamp, Unit, show};

/// A metric's value at a moment. It holds until the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// The value in the metric's unit; `None` where there was none.
    pub value: Option<f64>,
}

/// What a rule is held against.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'points> {
    /// The metric's unit.
    pub unit: &'points Unit,
    /// The metric over the iteration's baseline window.
    pub baseline: Option<f64>,
    /// The kill: what was measured before it counts for nothing.
    pub since: Timestamp,
    /// Values in time order.
    pub points: &'points [Point],
    /// Longest time without a value that is accepted.
    pub blind_after: Span,
}

/// What came of holding a rule against the points.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Watch {
    /// Its condition does not hold.
    Quiet,
    /// Its condition holds, but not for long enough.
    Holding {
        /// Since when.
        since: Timestamp,
        /// When it will fire.
        fires_at: Timestamp,
    },
    /// It stops the iteration.
    Fired {
        /// When it had held for its time.
        at: Timestamp,
        /// Which of two reasons.
        cause: Cause,
        /// The rule and what was found, in words.
        sentence: String,
    },
}

/// Why a rule fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its condition held for its time.
    Breach,
    /// There was nothing to see for too long.
    Blind,
    /// There is no baseline to compare with.
    NoBaseline,
}

/// The value at which a rule's condition begins to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// It holds above this.
    Above(f64),
    /// It holds below this.
    Below(f64),
}

impl Limit {
    /// Whether the condition holds at a value. Equality is not a breach; what is no number is one.
    pub fn is_breached_by(self, value: f64) -> bool {
        match self {
            Self::Above(limit) => value.is_nan() || value > limit,
            Self::Below(limit) => value.is_nan() || value < limit,
        }
    }
}

/// The limit of a rule; `None` if it needs a baseline and there is none.
pub fn limit(rule: &AbortRule, baseline: Option<f64>) -> Option<Limit> {
    match rule.trigger {
        AbortTrigger::Above(limit) => Some(Limit::Above(limit)),
        AbortTrigger::Below(limit) => Some(Limit::Below(limit)),
        AbortTrigger::AboveBaseline { amount, or_by } => {
            let baseline = baseline.filter(|value| value.is_finite())?;
            let allowance = match amount {
                Amount::Relative(share) => share * baseline.abs(),
                Amount::Absolute(amount) => amount,
            };
            let allowance = or_by.map_or(allowance, |by| allowance.max(by));
            Some(Limit::Above(baseline + allowance))
        }
    }
}

/// Holds a rule against what was measured up to `now`.
///
/// The condition holds from the first value that breaches it to the next value that does not. It fires when that is at
/// least `consecutive` long.
pub fn watch(rule: &AbortRule, watched: Watched<'_>, now: Timestamp) -> Watch {
    let Some(limit) = limit(rule, watched.baseline) else {
        let sentence =
            format!("{} has no baseline, so that the rule could never stop it", rule.metric);
        return Watch::Fired { at: watched.since, cause: Cause::NoBaseline, sentence };
    };
    let mut breach: Option<Breach> = None;
    let mut seen = watched.since;
    let inside = |point: &&Point| point.at >= watched.since && point.at <= now;
    for point in watched.points.iter().filter(inside) {
        let Some(value) = point.value else { continue };
        if let Some(fired) = blind(rule, &watched, seen, point.at) {
            return fired;
        }
        seen = point.at;
        match (&mut breach, limit.is_breached_by(value)) {
            (Some(begun), true) => {
                begun.worst = worse(limit, begun.worst, value);
                if point.at >= begun.since.plus(rule.consecutive) {
                    return fired(rule, &watched, begun);
                }
            }
            // A value inside that comes after its time is over comes too late.
            (Some(begun), false) if point.at > begun.since.plus(rule.consecutive) => {
                return fired(rule, &watched, begun);
            }
            (breach, true) => *breach = Some(Breach { since: point.at, worst: value }),
            (breach, false) => *breach = None,
        }
    }
    if let Some(fired) = blind(rule, &watched, seen, now) {
        return fired;
    }
    match breach {
        None => Watch::Quiet,
        Some(begun) if now >= begun.since.plus(rule.consecutive) => fired(rule, &watched, &begun),
        Some(begun) => {
            Watch::Holding { since: begun.since, fires_at: begun.since.plus(rule.consecutive) }
        }
    }
}

/// A stretch in which the condition holds.
#[derive(Debug)]
struct Breach {
    since: Timestamp,
    worst: f64,
}

fn worse(limit: Limit, one: f64, other: f64) -> f64 {
    match limit {
        Limit::Above(_) if other > one => other,
        Limit::Below(_) if other < one => other,
        Limit::Above(_) | Limit::Below(_) => one,
    }
}

fn fired(rule: &AbortRule, watched: &Watched<'_>, breach: &Breach) -> Watch {
    let sentence = format!(
        "{} was {} since {}, and the rule stops it {}",
        rule.metric,
        show::value(breach.worst, watched.unit),
        breach.since,
        words(rule, watched.unit)
    );
    Watch::Fired { at: breach.since.plus(rule.consecutive), cause: Cause::Breach, sentence }
}

fn blind(
    rule: &AbortRule,
    watched: &Watched<'_>,
    seen: Timestamp,
    now: Timestamp,
) -> Option<Watch> {
    let at = seen.plus(watched.blind_after);
    (now > at).then(|| Watch::Fired {
        at,
        cause: Cause::Blind,
        sentence: format!(
            "{} was not seen from {seen} on for more than {}, and what cannot be watched is stopped",
            rule.metric, watched.blind_after
        ),
    })
}

/// A rule in words: `above 0.1 % for 3m`.
pub fn words(rule: &AbortRule, unit: &Unit) -> String {
    let trigger = match rule.trigger {
        AbortTrigger::Above(limit) => format!("above {}", show::value(limit, unit)),
        AbortTrigger::Below(limit) => format!("below {}", show::value(limit, unit)),
        AbortTrigger::AboveBaseline { amount, or_by } => {
            let amount = match amount {
                Amount::Relative(share) => show::percent(share),
                Amount::Absolute(amount) => show::value(amount, unit),
            };
            let or_by =
                or_by.map_or_else(String::new, |by| format!(" or {}", show::value(by, unit)));
            format!("{amount}{or_by} above its baseline")
        }
    };
    if rule.consecutive == Span::ZERO {
        trigger
    } else {
        format!("{trigger} for {}", rule.consecutive)
    }
}
