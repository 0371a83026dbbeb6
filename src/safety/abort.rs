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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(seconds * 1000)
    }

    fn rule(trigger: AbortTrigger, consecutive: i64) -> AbortRule {
        let consecutive = Span::from_seconds(consecutive);
        AbortRule { metric: "payment-errors".to_owned(), trigger, consecutive }
    }

    /// One character a minute from the kill on: `.` inside, `x` outside, `?` no value.
    fn points(text: &str) -> Vec<Point> {
        let value = |mark| match mark {
            '.' => Some(0.0),
            'x' => Some(0.01),
            _ => None,
        };
        let minutes = text.chars().zip(0..);
        minutes.map(|(mark, minute)| Point { at: at(minute * 60), value: value(mark) }).collect()
    }

    /// What the rule of the worked example makes of a row of minutes.
    fn seen(text: &str) -> Watch {
        let points = points(text);
        let now = points.last().unwrap().at;
        let watched = Watched {
            unit: &Unit::Ratio,
            baseline: None,
            since: at(0),
            points: &points,
            blind_after: Span::from_seconds(150),
        };
        watch(&rule(AbortTrigger::Above(0.001), 180), watched, now)
    }

    #[test]
    fn three_minutes_in_a_row_fire_and_two_do_not() {
        assert_eq!(seen("....."), Watch::Quiet);
        assert_eq!(seen(".xxx."), Watch::Quiet);
        assert_eq!(seen("x.xx.xx."), Watch::Quiet);
        assert_eq!(seen(".xxx"), Watch::Holding { since: at(60), fires_at: at(240) });
        let Watch::Fired { at: fired, cause, sentence } = seen(".xxxx") else { panic!("quiet") };
        assert_eq!((fired, cause), (at(240), Cause::Breach));
        assert_eq!(
            sentence,
            "payment-errors was 1 % since 1970-01-01T00:01:00Z, and the rule stops it above 0.1 % for 3m"
        );
    }

    #[test]
    fn a_missing_value_breaks_no_stretch_and_begins_none() {
        assert!(matches!(seen(".x?x?"), Watch::Fired { cause: Cause::Breach, .. }));
        assert_eq!(seen(".?..?"), Watch::Quiet);
        // A value inside that comes after the time was over comes too late.
        assert!(matches!(seen("xx?xx."), Watch::Fired { cause: Cause::Breach, .. }));
    }

    #[test]
    fn what_cannot_be_watched_is_stopped() {
        for text in ["???????", ".???", ".???....", "x??????"] {
            let Watch::Fired { cause, .. } = seen(text) else { panic!("{text}") };
            assert_eq!(cause, Cause::Blind, "{text}");
        }
        assert_eq!(seen(".??."), Watch::Fired {
            at: at(150),
            cause: Cause::Blind,
            sentence: "payment-errors was not seen from 1970-01-01T00:00:00Z on for more than 2m30s, and what cannot be watched is stopped".to_owned(),
        });
        assert_eq!(seen(".?.?."), Watch::Quiet);
    }

    #[test]
    fn what_was_measured_before_the_kill_or_lies_ahead_counts_for_nothing() {
        let points = points("xxxx.....xxxx");
        let watched = Watched {
            unit: &Unit::Ratio,
            baseline: None,
            since: at(240),
            points: &points,
            blind_after: Span::from_seconds(150),
        };
        assert_eq!(watch(&rule(AbortTrigger::Above(0.001), 0), watched, at(500)), Watch::Quiet);
    }

    #[test]
    fn without_a_time_a_rule_fires_at_once_and_equality_is_no_breach() {
        for (value, fires) in [(0.001, false), (0.001_000_1, true), (f64::NAN, true)] {
            let points = [Point { at: at(0), value: Some(value) }];
            let watched = Watched {
                unit: &Unit::Ratio,
                baseline: None,
                since: at(0),
                points: &points,
                blind_after: Span::from_seconds(60),
            };
            let found = watch(&rule(AbortTrigger::Above(0.001), 0), watched, at(0));
            assert_eq!(matches!(found, Watch::Fired { .. }), fires, "{value}");
        }
    }

    #[test]
    fn the_larger_of_two_allowances_above_the_baseline_counts() {
        let relative = |baseline| {
            let trigger =
                AbortTrigger::AboveBaseline { amount: Amount::Relative(0.4), or_by: Some(20.0) };
            limit(&rule(trigger, 0), baseline)
        };
        assert_eq!(relative(Some(40.0)), Some(Limit::Above(60.0)));
        assert_eq!(relative(Some(100.0)), Some(Limit::Above(140.0)));
        assert_eq!(relative(Some(-100.0)), Some(Limit::Above(-60.0)));
        assert_eq!(relative(None), None);
        assert_eq!(relative(Some(f64::NAN)), None);
        let watched = Watched {
            unit: &Unit::None,
            baseline: None,
            since: at(0),
            points: &[],
            blind_after: Span::from_seconds(60),
        };
        let trigger = AbortTrigger::AboveBaseline { amount: Amount::Absolute(1.0), or_by: None };
        let found = watch(&rule(trigger, 0), watched, at(0));
        assert!(matches!(found, Watch::Fired { cause: Cause::NoBaseline, .. }));
    }

    #[test]
    fn a_rule_below_fires_below() {
        assert!(Limit::Below(0.9).is_breached_by(0.89));
        assert!(!Limit::Below(0.9).is_breached_by(0.9));
    }
}
