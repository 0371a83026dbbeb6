//! Abort rules and conditions while a campaign runs: what each shows now, and which of them fires.
//!
//! Owns the values seen since the fault, one an observation. Refuses to judge them: `safety::abort` does.

use crate::app::run::tidings::GateReading;
use crate::app::run::watcher::Observation;
use crate::campaign::Phase;
use crate::safety::Fact;
use crate::safety::abort::{Point, Watch, Watched, watch, words};
use crate::spec::{AbortRule, Experiment, Precondition, PreconditionBound};
use crate::unit::{Span, Timestamp, show};

/// A rule whose metric was not seen for so long fires, if the source is faster than that.
const BLIND_AFTER: Span = Span::from_seconds(60);

/// Whether a campaign can see at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Its source is watched.
    Sees,
    /// A dry run of a document whose source cannot be watched.
    Blindfolded,
}

/// The values of every rule since the last fault.
#[derive(Debug)]
pub(crate) struct Rules {
    sight: Sight,
    blind_after: Span,
    points: Vec<Vec<Point>>,
    since: Option<Timestamp>,
    states: Vec<&'static str>,
}

impl Rules {
    /// No values yet.
    pub(crate) fn new(experiment: &Experiment, sight: Sight, every: Span) -> Self {
        let count = experiment.safety.abort.len();
        Self {
            sight,
            blind_after: BLIND_AFTER.max(every.times(10)),
            points: vec![Vec::new(); count],
            since: None,
            states: vec!["unknown"; count],
        }
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_blindfolded(&self) -> bool {
        self.sight == Sight::Blindfolded
    }

    /// A phase begins: with the fault, values count anew.
    pub(crate) fn enter(&mut self, phase: &Phase) {
        if matches!(phase, Phase::Baseline { .. }) {
            self.points.iter_mut().for_each(Vec::clear);
            self.since = None;
        }
    }

    /// Takes an observation in. The rule that fires, in words.
    pub(crate) fn look(
        &mut self,
        experiment: &Experiment,
        seen: &Observation,
        now: Timestamp,
    ) -> Option<String> {
        if self.is_blindfolded() {
            return None;
        }
        let fault = seen.since?;
        // Taken up again after a crash, a rule starts with the first thing it sees.
        let since = *self.since.get_or_insert(if self.points.iter().all(Vec::is_empty) {
            seen.now.max(fault)
        } else {
            fault
        });
        let mut fired = None;
        for (place, rule) in experiment.safety.abort.iter().enumerate() {
            let Some(facts) = seen.metrics.get(&rule.metric) else { continue };
            let Some(metric) = experiment.metrics.iter().find(|own| own.name == rule.metric) else {
                continue;
            };
            self.points[place].push(Point { at: seen.now, value: number(&facts.now) });
            let watched = Watched {
                unit: &metric.unit,
                baseline: number(&facts.baseline),
                since,
                points: &self.points[place],
                blind_after: self.blind_after,
            };
            self.states[place] = match watch(rule, watched, now) {
                Watch::Quiet => "ok",
                Watch::Holding { .. } => "holding",
                Watch::Fired { sentence, .. } => {
                    fired.get_or_insert(sentence);
                    "fired"
                }
            };
        }
        fired
    }

    /// The conditions that do not hold, or of which it is not known.
    pub(crate) fn unmet<'a>(
        &self,
        experiment: &'a Experiment,
        seen: &Observation,
    ) -> Vec<&'a Precondition> {
        if self.is_blindfolded() {
            return Vec::new();
        }
        experiment
            .safety
            .preconditions
            .iter()
            .filter(|condition| state(condition, seen) != "ok")
            .collect()
    }

    /// Every condition and rule with its number.
    pub(crate) fn readings(&self, experiment: &Experiment, seen: &Observation) -> Vec<GateReading> {
        let conditions = experiment.safety.preconditions.iter().map(|condition| GateReading {
            name: condition.name.clone(),
            value: shown(seen.answers.get(&condition.query), show::plain),
            threshold: match condition.bound {
                PreconditionBound::AtMost(bound) => format!("at most {}", show::plain(bound)),
                PreconditionBound::AtLeast(bound) => format!("at least {}", show::plain(bound)),
            },
            state: state(condition, seen),
        });
        let rules = experiment.safety.abort.iter().zip(&self.states);
        conditions
            .chain(rules.map(|(rule, state)| Self::reading(experiment, rule, state, seen)))
            .collect()
    }

    fn reading(
        experiment: &Experiment,
        rule: &AbortRule,
        state: &'static str,
        seen: &Observation,
    ) -> GateReading {
        let unit = experiment
            .metrics
            .iter()
            .find(|metric| metric.name == rule.metric)
            .map_or(&crate::unit::Unit::None, |metric| &metric.unit);
        let now = seen.metrics.get(&rule.metric).map(|facts| &facts.now);
        GateReading {
            name: rule.metric.clone(),
            value: shown(now, |value| show::value(value, unit)),
            threshold: format!("abort {}", words(rule, unit)),
            state: if seen.since.is_some() { state } else { "waiting" },
        }
    }
}

fn number(fact: &Fact<f64>) -> Option<f64> {
    match fact {
        Fact::Known(value) => Some(*value),
        Fact::Unknown(_) | Fact::NotYet => None,
    }
}

fn shown(fact: Option<&Fact<f64>>, show: impl Fn(f64) -> String) -> String {
    fact.and_then(number).map_or_else(|| "unknown".to_owned(), show)
}

fn state(condition: &Precondition, seen: &Observation) -> &'static str {
    let value = seen.answers.get(&condition.query).and_then(number);
    match (value, condition.bound) {
        (None, _) => "unknown",
        (Some(value), PreconditionBound::AtMost(bound)) if value <= bound => "ok",
        (Some(value), PreconditionBound::AtLeast(bound)) if value >= bound => "ok",
        (Some(_), _) => "unmet",
    }
}
