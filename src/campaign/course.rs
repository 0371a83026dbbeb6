//! The course of a campaign: one state, changed by events only.
//!
//! Owns the rules of the order. A kill is asked for only by an open gate, and a gate is only asked after a whole baseline
//! before which the conditions held; one injection is awaited before anything else is done; whatever was injected
//! is in the record at once; nothing begins before the service is well again and the cooldown has passed. Times
//! that run backwards are taken as standing still.

use crate::campaign::command::{Command, Note};
use crate::campaign::event::{Answer, Ending, Event, Health, Injection, StopCause};
use crate::campaign::phase::{Phase, Progress};
use crate::campaign::schedule::{Schedule, Slot};
use crate::campaign::terms::Terms;
use crate::run::{Abort, Arm, FaultRecord, Iteration, Outcome};
use crate::unit::{Span, Timestamp, Window};

/// The experiment window of an iteration that was not injected: it has to have one, and nothing is measured in it.
const TOKEN_WINDOW: Span = Span::from_seconds(1);

/// The state of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    terms: Terms,
    schedule: Schedule,
    /// Place of the current iteration in the schedule; behind the last one when all are over.
    place: usize,
    phase: Phase,
    /// Since when the service has been well without a break.
    well_since: Option<Timestamp>,
    /// Failed iterations in a row.
    failures: u32,
    /// The last iteration that failed, so that it is counted once, and why.
    last_failure: Option<Failure>,
    /// Why to end as soon as the running injection has answered.
    stopping: Option<StopCause>,
    budget: Option<u32>,
    ended: Option<Ending>,
    now: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
struct Failure {
    index: u32,
    why: String,
}

/// Whether an event has to be in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Significance {
    /// It changed the state, or something has to be done: it is journaled before anything is done.
    Changed,
    /// Nothing came of it.
    Nothing,
}

/// What came of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is to be done, in this order.
    pub commands: Vec<Command>,
    /// Whether it has to be journaled.
    pub significance: Significance,
}

impl Course {
    /// A campaign before its first event, which is [`Event::Started`].
    pub fn new(terms: Terms, schedule: Schedule, now: Timestamp) -> Self {
        Self {
            terms,
            schedule,
            place: 0,
            phase: Phase::Rest { until: now.plus(terms.settle) },
            well_since: None,
            failures: 0,
            last_failure: None,
            stopping: None,
            budget: None,
            ended: None,
            now,
        }
    }

    /// Takes an event in.
    pub fn take(&mut self, event: &Event, now: Timestamp) -> Step {
        let before = self.clone();
        self.now = self.now.max(now);
        let mut commands = Vec::new();
        match event {
            Event::Started { budget } => self.start(*budget, &mut commands),
            _ if self.ended.is_some() => {}
            Event::Tick => {}
            Event::Conditions(answer) => self.conditions(answer, &mut commands),
            Event::Gate(answer) => self.gate(answer, &mut commands),
            Event::Injected(injection) => self.injected(injection, &mut commands),
            Event::NotInjected => self.not_injected(&mut commands),
            Event::AbortFired { rule } => self.abort(rule, &mut commands),
            Event::Health(health) => self.health(*health),
            Event::Stop(cause) => self.stop(cause, &mut commands),
        }
        while self.ended.is_none() && self.advance(&mut commands) {}
        let same = commands.is_empty() && Self { now: before.now, ..self.clone() } == before;
        let significance = if same { Significance::Nothing } else { Significance::Changed };
        Step { commands, significance }
    }

    /// Where it stands.
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// How it ended, if it has.
    pub const fn ended(&self) -> Option<&Ending> {
        self.ended.as_ref()
    }

    /// The current iteration; none when all are over.
    pub fn slot(&self) -> Option<Slot> {
        self.schedule.slots().get(self.place).copied()
    }

    /// Failed iterations in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let slots = self.schedule.slots();
        let slot = slots.get(self.place).or_else(|| slots.last());
        let until = match &self.phase {
            Phase::Rest { until } => Some(*until),
            Phase::Baseline { window } => Some(window.end),
            Phase::Experiment { iteration } => Some(iteration.experiment.end),
            Phase::Waiting { .. }
            | Phase::Gate { .. }
            | Phase::Injecting { .. }
            | Phase::Recovery { .. } => None,
        };
        Progress {
            index: slot.map_or(0, |slot| slot.index),
            of: u32::try_from(slots.len()).unwrap_or(u32::MAX),
            arm: slot.map_or(Arm::Control, |slot| slot.arm),
            phase: self.phase.word(),
            left: until.map(|until| until.max(self.now).since(self.now)),
        }
    }

    fn start(&mut self, budget: Option<u32>, commands: &mut Vec<Command>) {
        let again = self.place > 0 || !matches!(self.phase, Phase::Rest { .. });
        if matches!(self.ended, Some(Ending::Complete)) {
            commands.push(Command::Finish(Ending::Complete));
            return;
        }
        self.ended = None;
        self.stopping = None;
        self.failures = 0;
        self.budget = budget;
        self.well_since = None;
        if again {
            self.note("resumed", "the campaign goes on".to_owned(), commands);
        }
        let settled = self.now.plus(self.terms.settle);
        match &mut self.phase {
            Phase::Rest { until } => *until = settled.max(*until),
            Phase::Waiting { .. } | Phase::Baseline { .. } | Phase::Gate { .. } => {
                self.phase = Phase::Rest { until: settled };
            }
            Phase::Injecting { .. } => {
                if let Some(slot) = self.slot() {
                    commands.push(Command::FindOutcome { index: slot.index });
                }
            }
            Phase::Experiment { .. } => {}
            Phase::Recovery { since } => *since = self.now,
        }
    }

    fn conditions(&mut self, answer: &Answer, commands: &mut Vec<Command>) {
        let Phase::Waiting { since } = self.phase else { return };
        match answer {
            Answer::Yes => {
                let window = Window { start: self.now, end: self.now.plus(self.terms.baseline) };
                self.phase = Phase::Baseline { window };
            }
            Answer::No { why } if self.now.since(since) >= self.terms.patience => {
                self.finish(Ending::ConditionsFailed { why: why.clone() }, commands);
            }
            Answer::Unseen { why } if self.now.since(since) >= self.terms.patience => {
                let cause = StopCause::SourceLost { why: why.clone() };
                self.finish(Ending::Stopped { cause }, commands);
            }
            Answer::No { .. } | Answer::Unseen { .. } => {}
        }
    }

    fn gate(&mut self, answer: &Answer, commands: &mut Vec<Command>) {
        let (Phase::Gate { baseline }, Some(slot)) = (&self.phase, self.slot()) else { return };
        let baseline = *baseline;
        match answer {
            Answer::Yes => {
                self.phase = Phase::Injecting { baseline, since: self.now, aborted: None };
                commands.push(Command::Inject { index: slot.index });
            }
            Answer::No { why } | Answer::Unseen { why } => {
                self.note("refused", why.clone(), commands);
                self.fail(format!("iteration {} was refused: {why}", slot.index));
                self.record_uninjected(slot, baseline, None, commands);
                self.close(self.now.plus(TOKEN_WINDOW), commands);
            }
        }
    }

    fn injected(&mut self, injection: &Injection, commands: &mut Vec<Command>) {
        let (Phase::Injecting { baseline, aborted, .. }, Some(slot)) =
            (self.phase.clone(), self.slot())
        else {
            return;
        };
        let mut fault = injection.fault.clone();
        // What this machine's clocks cannot tell apart happened in the order in which it was done.
        fault.at = fault.at.max(baseline.end);
        let at = fault.at;
        let carried_out = matches!(fault.outcome, Outcome::Killed | Outcome::DryRun);
        let length = if carried_out { self.terms.experiment } else { TOKEN_WINDOW };
        let iteration = Iteration {
            index: slot.index,
            arm: slot.arm,
            baseline,
            experiment: Window { start: at, end: at.plus(length) },
            aborted: aborted.map(|rule| Abort { at: self.now.max(at), rule }),
            fault: Some(fault),
            detected_at: None,
            remediated_at: None,
            recovered_at: None,
        };
        self.tell_fault(&iteration, injection.message.as_deref(), commands);
        self.well_since = None;
        commands.push(Command::Record(Box::new(iteration.clone())));
        let untouched = matches!(injection.fault.outcome, Outcome::Refused | Outcome::NoTarget);
        let end = iteration.experiment.end;
        self.phase = Phase::Experiment { iteration: Box::new(iteration) };
        if let Some(cause) = self.stopping.take() {
            self.finish(Ending::Stopped { cause }, commands);
        } else if untouched {
            // There is nothing to observe and nothing to recover from.
            self.close(end, commands);
        }
    }

    /// Notes what was done to whom; counts it if it was not what was wanted.
    fn tell_fault(
        &mut self,
        iteration: &Iteration,
        why: Option<&str>,
        commands: &mut Vec<Command>,
    ) {
        let Some(fault) = &iteration.fault else { return };
        let outcome = fault.outcome.word();
        let to = if fault.targets.is_empty() {
            String::new()
        } else {
            format!(" {}", shown(&fault.targets))
        };
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        self.note("fault", format!("{outcome}{to}{why}"), commands);
        if !matches!(fault.outcome, Outcome::Killed | Outcome::DryRun) {
            let index = iteration.index;
            self.fail(format!("iteration {index} was not injected ({outcome}){why}"));
        }
    }

    fn not_injected(&mut self, commands: &mut Vec<Command>) {
        if matches!(self.phase, Phase::Injecting { .. }) {
            let message = "interrupted before the fault: the iteration is begun again".to_owned();
            self.note("interrupted", message, commands);
            self.phase = Phase::Rest { until: self.now.plus(self.terms.settle) };
            if let Some(cause) = self.stopping.take() {
                self.finish(Ending::Stopped { cause }, commands);
            }
        }
    }

    fn abort(&mut self, rule: &str, commands: &mut Vec<Command>) {
        let Some(slot) = self.slot() else { return };
        let at = self.now;
        match self.phase.clone() {
            Phase::Rest { .. } | Phase::Waiting { .. } | Phase::Recovery { .. } => return,
            Phase::Baseline { window: baseline } | Phase::Gate { baseline } => {
                let baseline = Window { start: baseline.start, end: baseline.end.min(at) };
                if baseline.length() <= Span::ZERO {
                    return;
                }
                let aborted = Abort { at, rule: rule.to_owned() };
                self.record_uninjected(slot, baseline, Some(aborted), commands);
            }
            Phase::Injecting { aborted: Some(_), .. } => return,
            Phase::Injecting { baseline, since, aborted: None } => {
                self.phase = Phase::Injecting { baseline, since, aborted: Some(rule.to_owned()) };
                commands.push(Command::Withdraw);
            }
            Phase::Experiment { mut iteration } => {
                if iteration.aborted.is_some() {
                    return;
                }
                iteration.aborted = Some(Abort { at, rule: rule.to_owned() });
                commands.push(Command::Record(iteration.clone()));
                self.phase = Phase::Experiment { iteration };
            }
        }
        self.note("aborted", rule.to_owned(), commands);
        self.fail(format!("iteration {} was aborted: {rule}", slot.index));
    }

    fn health(&mut self, health: Health) {
        self.well_since = match health {
            Health::Well => self.well_since.or(Some(self.now)),
            Health::Unwell => None,
        };
    }

    fn stop(&mut self, cause: &StopCause, commands: &mut Vec<Command>) {
        if matches!(self.phase, Phase::Injecting { .. }) {
            if self.stopping.is_none() {
                self.stopping = Some(cause.clone());
                commands.push(Command::Withdraw);
            }
            return;
        }
        self.finish(Ending::Stopped { cause: cause.clone() }, commands);
    }

    /// Goes one phase on if its time has come. Whether it did.
    fn advance(&mut self, commands: &mut Vec<Command>) -> bool {
        match &self.phase {
            Phase::Rest { until } if self.now >= *until => match self.slot() {
                Some(_) => self.phase = Phase::Waiting { since: self.now },
                None => self.finish(Ending::Complete, commands),
            },
            Phase::Baseline { window } if self.now >= window.end => {
                self.end_baseline(*window, commands);
            }
            Phase::Experiment { iteration } if self.now >= iteration.experiment.end => {
                self.phase = Phase::Recovery { since: self.now };
            }
            Phase::Recovery { since } => return self.recover(*since, commands),
            Phase::Rest { .. }
            | Phase::Waiting { .. }
            | Phase::Baseline { .. }
            | Phase::Gate { .. }
            | Phase::Injecting { .. }
            | Phase::Experiment { .. } => return false,
        }
        true
    }

    fn end_baseline(&mut self, baseline: Window, commands: &mut Vec<Command>) {
        let Some(slot) = self.slot() else { return };
        match slot.arm {
            Arm::Fault => {
                self.phase = Phase::Gate { baseline };
                commands.push(Command::AskGate { index: slot.index });
            }
            Arm::Control => {
                let start = self.now;
                let experiment = Window { start, end: start.plus(self.terms.experiment) };
                let iteration = Iteration {
                    index: slot.index,
                    arm: slot.arm,
                    baseline,
                    fault: None,
                    experiment,
                    detected_at: None,
                    remediated_at: None,
                    recovered_at: None,
                    aborted: None,
                };
                commands.push(Command::Record(Box::new(iteration.clone())));
                self.phase = Phase::Experiment { iteration: Box::new(iteration) };
            }
        }
    }

    /// Ends the wait for recovery: well for long enough, or waited for too long. Whether it ended.
    fn recover(&mut self, since: Timestamp, commands: &mut Vec<Command>) -> bool {
        let stable = self.terms.stable_for;
        if self.well_since.is_some_and(|well| self.now.since(well) >= stable) {
            self.close(self.now, commands);
            return true;
        }
        if self.now.since(since) >= self.terms.patience {
            let index = self.slot().map_or(0, |slot| slot.index);
            let before = self.last_failure.as_ref().filter(|failure| failure.index == index);
            let before =
                before.map_or_else(String::new, |failure| format!("{}, and ", failure.why));
            let patience = self.terms.patience;
            let why = format!(
                "{before}the service did not come back within {patience} after iteration {index}"
            );
            self.finish(Ending::NotRecovered { why }, commands);
            return true;
        }
        false
    }

    /// The current iteration is over in every respect; the cooldown counts from a moment.
    fn close(&mut self, from: Timestamp, commands: &mut Vec<Command>) {
        let index = self.slot().map(|slot| slot.index);
        if self.last_failure.as_ref().map(|failure| failure.index) != index {
            self.failures = 0;
        }
        self.place += 1;
        self.well_since = None;
        let next = self.slot();
        let rest = next.map_or(self.terms.settle, |slot| self.terms.cooldown.plus(slot.jitter));
        self.phase = Phase::Rest { until: from.plus(rest) };
        self.budget = self.budget.map(|left| left.saturating_sub(1));
        if self.failures > self.terms.failures_allowed && next.is_some() {
            let why = self.last_failure.as_ref().map_or_else(String::new, |last| last.why.clone());
            self.finish(Ending::BreakerOpened { why }, commands);
        } else if self.budget == Some(0) && next.is_some() {
            self.finish(Ending::BudgetSpent, commands);
        }
    }

    /// Records an iteration whose fault was not even asked for.
    fn record_uninjected(
        &mut self,
        slot: Slot,
        baseline: Window,
        aborted: Option<Abort>,
        commands: &mut Vec<Command>,
    ) {
        let at = self.now.max(baseline.end);
        let refused =
            FaultRecord { at, until: None, outcome: Outcome::Refused, targets: Vec::new() };
        let iteration = Iteration {
            index: slot.index,
            arm: slot.arm,
            baseline,
            fault: (slot.arm == Arm::Fault).then_some(refused),
            experiment: Window { start: at, end: at.plus(TOKEN_WINDOW) },
            detected_at: None,
            remediated_at: None,
            recovered_at: None,
            aborted,
        };
        commands.push(Command::Record(Box::new(iteration.clone())));
        self.phase = Phase::Experiment { iteration: Box::new(iteration) };
    }

    /// Counts the current iteration as failed, once.
    fn fail(&mut self, why: String) {
        let Some(slot) = self.slot() else { return };
        if self.last_failure.as_ref().is_none_or(|failure| failure.index != slot.index) {
            self.failures = self.failures.saturating_add(1);
            self.last_failure = Some(Failure { index: slot.index, why });
        }
    }

    fn finish(&mut self, ending: Ending, commands: &mut Vec<Command>) {
        commands.push(Command::Finish(ending.clone()));
        self.ended = Some(ending);
    }

    fn note(&self, kind: &'static str, message: String, commands: &mut Vec<Command>) {
        let iteration = self.slot().map(|slot| slot.index);
        commands.push(Command::Note(Note { kind, message, iteration }));
    }
}

fn shown(targets: &[crate::run::TargetRecord]) -> String {
    let all: Vec<String> = targets
        .iter()
        .map(|target| {
            let id = target.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
            format!("{} {}{id}", target.kind, target.name)
        })
        .collect();
    all.join(", ")
}
