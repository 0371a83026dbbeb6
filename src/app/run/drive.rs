//! Carries a campaign out: tells the state machine what happens, does what it asks, journals in between.
//!
//! Owns the loop. Whatever changes the state is on disk before anything that follows from it is done, so that a crash
//! between any two lines leaves a journal from which the campaign goes on. The main thread starts the injector and never
//! waits for anything long: the service is looked at elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::AppError;
use crate::app::run::audit_log::RunAudit;
use crate::app::run::clock::RunClock;
use crate::app::run::fault_marks::{FaultMark, FaultMarks, Turn};
use crate::app::run::gate::{Gatekeeper, Judged, Known};
use crate::app::run::injector::{Injector, Mode, Running, Said, Trace};
use crate::app::run::plan_document::{Mandate, Moment as PlanMoment, plan_document, without_words};
use crate::app::run::reading::WellBeing;
use crate::app::run::record_keeper::RecordKeeper;
use crate::app::run::rules::Rules;
use crate::app::run::tidings::{Onlooker, Standing, Tidings, seconds};
use crate::app::run::watcher::{Observation, Purpose, Question, Watcher};
use crate::campaign::{
    Answer, Command, Course, Ending, Event, Health, Injection, Note, Phase, Significance, StopCause,
};
use crate::run::{FaultRecord, Outcome};
use crate::safety::{Moment, situation};
use crate::source::metrics::collector::Collector;
use crate::spec::{Experiment, Fault};
use crate::store::JournalFile;
use crate::unit::{Span, Timestamp, Window};

/// How often the loop turns.
const TURN: Span = Span::from_milliseconds(20);

/// How often a gate is asked when it denies because something is not known.
const GATE_LOOKS: u32 = 5;

/// How often onlookers are told how it stands.
const TELL_EVERY: Span = Span::from_milliseconds(200);

/// A line of the campaign's journal after its head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Happened {
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) happened: Event,
}

/// A campaign and everything it acts through.
pub(crate) struct Drive<'a> {
    pub(crate) experiment: Experiment,
    pub(crate) fault: Fault,
    pub(crate) mode: Mode,
    pub(crate) clock: RunClock,
    pub(crate) course: Course,
    pub(crate) journal: JournalFile,
    pub(crate) keeper: RecordKeeper,
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) injector: Injector,
    pub(crate) marks: Option<FaultMarks>,
    pub(crate) audit: RunAudit,
    pub(crate) watcher: Watcher,
    pub(crate) collector: Option<Arc<Collector>>,
    pub(crate) rules: Rules,
    pub(crate) every: Span,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) onlooker: &'a mut dyn Onlooker,
    pub(crate) state: DriveState,
}

/// What the loop remembers from turn to turn.
#[derive(Debug, Default)]
pub(crate) struct DriveState {
    pub(crate) known: Known,
    /// Held while a fault of ours is in place.
    mark: Option<FaultMark>,
    running: Option<Running>,
    tracing: Option<u32>,
    gate: Option<u32>,
    gate_asked: u32,
    phase: Option<&'static str>,
    asked_at: Option<Timestamp>,
    told_at: Option<Timestamp>,
    clock_told: bool,
    queries: Vec<String>,
}

impl Drive<'_> {
    /// Drives the campaign to its end, for now.
    ///
    /// # Errors
    /// A journal, record or audit log that can no longer be written: then nothing more is done.
    pub(crate) fn run(mut self, budget: Option<u32>) -> Result<Ending, AppError> {
        self.tell_event(Event::Started { budget })?;
        loop {
            if let Some(ending) = self.course.ended() {
                return Ok(ending.clone());
            }
            if self.stop.load(Ordering::Relaxed) {
                self.tell_event(Event::Stop(StopCause::Interrupt))?;
            }
            if self.collector.as_ref().is_some_and(|collector| !collector.wait(Span::ZERO)) {
                let why = "the collector can no longer keep what it sees".to_owned();
                self.tell_event(Event::Stop(StopCause::SourceLost { why }))?;
            }
            self.poll_injector()?;
            self.poll_watcher()?;
            self.tell_event(Event::Tick)?;
            self.ask_watcher();
            self.tell_standing();
            self.clock.wait(TURN);
        }
    }

    fn tell_event(&mut self, event: Event) -> Result<(), AppError> {
        let now = self.clock.now();
        let before = self.course.phase().word();
        let step = self.course.take(&event, now);
        if step.significance == Significance::Changed {
            self.journal.append(&Happened { at: now, happened: event })?;
        }
        let mut asked = Vec::new();
        for command in step.commands {
            self.obey(command, now, &mut asked)?;
        }
        self.keeper.save(self.audit.head())?;
        let after = self.course.phase().word();
        if before == "recovery" && after == "rest" {
            self.state.known.last_recovery = Some(now);
        }
        if matches!(after, "rest" | "waiting" | "baseline") {
            self.state.mark = None;
        }
        if self.state.phase != Some(after) && self.course.ended().is_none() {
            self.state.phase = Some(after);
            self.rules.enter(self.course.phase());
            let progress = self.course.progress();
            self.onlooker.tell(&Tidings::Phase {
                at: now,
                iteration: progress.index,
                of: progress.of,
                arm: progress.arm,
                phase: after,
            });
        }
        // What happened while obeying is told after everything else of this event is done.
        for event in asked {
            self.tell_event(event)?;
        }
        Ok(())
    }

    fn obey(
        &mut self,
        command: Command,
        now: Timestamp,
        asked: &mut Vec<Event>,
    ) -> Result<(), AppError> {
        match command {
            Command::AskGate { index } => {
                self.state.gate = Some(index);
                self.state.asked_at = None;
            }
            Command::Inject { index } => {
                if let Err(injection) = self.inject(index, now)? {
                    asked.push(Event::Injected(injection));
                }
            }
            Command::Withdraw => {
                if let Some(running) = &mut self.state.running {
                    running.withdraw();
                    self.audit.note(now, "withdraw", self.index(), "ended", None)?;
                }
            }
            Command::FindOutcome { index } => self.state.tracing = Some(index),
            Command::Record(iteration) => self.keeper.put(*iteration),
            Command::Note(note) => self.note(now, &note)?,
            Command::Finish(ending) => {
                self.keeper.end(Some(now));
                let message = sentence(&ending);
                self.audit.note(now, "campaign_ended", None, word(&ending), Some(&message))?;
                self.onlooker.tell(&Tidings::Ended { at: now, ending: word(&ending), message });
            }
        }
        Ok(())
    }

    fn note(&mut self, now: Timestamp, note: &Note) -> Result<(), AppError> {
        self.keeper.note(now, note);
        let event = self.keeper.record().events.last();
        let message = event.map_or_else(String::new, |event| event.message.clone());
        if note.kind == "aborted" {
            self.audit.note(now, "abort", note.iteration, "fired", Some(&message))?;
            self.state.known.last_failure_at = Some(now);
        }
        let kind = note.kind.to_owned();
        self.onlooker.tell(&Tidings::Noted { at: now, iteration: note.iteration, kind, message });
        Ok(())
    }

    fn index(&self) -> Option<u32> {
        self.course.slot().map(|slot| slot.index)
    }

    /// Starts the injector, after one more look at policy, documents and the time. What keeps it from being started is
    /// what came of the injection.
    fn inject(&mut self, index: u32, now: Timestamp) -> Result<Result<(), Injection>, AppError> {
        // Nobody else may begin between our counting and our mark.
        let turn = self.count_others();
        let Some(judged) = self.decide(Moment::Kill, Some(index))? else {
            return Ok(Err(not_injected(Outcome::Refused, now, "the documents cannot be read")));
        };
        if self.mode == Mode::Live && !judged.decision.may_kill() {
            let why = denials(&judged);
            return Ok(Err(not_injected(Outcome::Refused, now, &why)));
        }
        if let (Mode::Live, Some(marks)) = (self.mode, &self.marks) {
            let marked = turn
                .as_ref()
                .ok_or_else(|| "the fault cannot be marked as in place".to_owned())
                .and_then(|turn| marks.mark(turn));
            match marked {
                Ok(mark) => self.state.mark = Some(mark),
                Err(why) => return Ok(Err(not_injected(Outcome::Refused, now, &why))),
            }
        }
        drop(turn);
        let plan = self.plan(index, &judged);
        let (now, action) = (self.clock.now(), "inject");
        self.audit.note(now, action, Some(index), "begun", None)?;
        match self.injector.start(&plan, self.mode) {
            Ok(running) => {
                self.state.running = Some(running);
                Ok(Ok(()))
            }
            Err(why) => {
                self.audit.note(now, action, Some(index), "failed", Some(&why))?;
                Ok(Err(not_injected(Outcome::Failed, now, &why)))
            }
        }
    }

    /// Counts the faults of other campaigns; whoever holds the turn may mark one of its own.
    fn count_others(&mut self) -> Option<Turn> {
        let marks = self.marks.as_ref()?;
        let counted = marks.turn().and_then(|turn| Ok((marks.others(&turn)?, turn)));
        match counted {
            Ok((count, turn)) => {
                self.state.known.in_place = Some(Ok(count));
                Some(turn)
            }
            Err(why) => {
                self.state.known.in_place = Some(Err(why));
                None
            }
        }
    }

    fn plan(&self, index: u32, judged: &Judged) -> Value {
        let bounds = &judged.decision.bounds;
        let mandate = Mandate::of(&self.gatekeeper, bounds, self.fault.count);
        let moment = PlanMoment {
            iteration: index,
            now: self.clock.now(),
            window: bounds.window,
            beside: self.gatekeeper.document.parent().unwrap_or_else(|| std::path::Path::new("")),
        };
        plan_document(&self.experiment, &self.fault, &mandate, moment)
    }

    /// Asks every gate, and writes the decision down. `None` if a document cannot be read any more.
    fn decide(&mut self, moment: Moment, index: Option<u32>) -> Result<Option<Judged>, AppError> {
        let now = self.clock.now();
        self.state.known.failures = self.course.failures();
        match self.gatekeeper.decide(moment, now, &self.state.known) {
            Ok(judged) => {
                let allowed = judged.decision.allowed();
                let message = if allowed { None } else { Some(denials(&judged)) };
                let outcome = if allowed { "allowed" } else { "denied" };
                self.audit.note(now, "decision", index, outcome, message.as_deref())?;
                let lines = judged.decision.lines();
                self.onlooker.tell(&Tidings::Decision {
                    at: now,
                    iteration: index,
                    allowed,
                    lines,
                });
                Ok(Some(judged))
            }
            Err(error) => {
                let why = error.to_string();
                self.audit.note(now, "decision", index, "denied", Some(&why))?;
                let lines = vec![why];
                let allowed = false;
                self.onlooker.tell(&Tidings::Decision {
                    at: now,
                    iteration: index,
                    allowed,
                    lines,
                });
                Ok(None)
            }
        }
    }

    fn poll_injector(&mut self) -> Result<(), AppError> {
        if let Some(index) = self.state.tracing {
            return self.trace(index);
        }
        let Some(said) = self.state.running.as_mut().and_then(Running::poll) else { return Ok(()) };
        self.state.running = None;
        let Ok(said) = said else {
            // It was ended, or ended itself, before it could say anything: its journal knows more.
            self.state.tracing = self.index();
            return Ok(());
        };
        self.heard(&said)
    }

    fn heard(&mut self, said: &Said) -> Result<(), AppError> {
        let now = self.clock.now();
        self.injected(said.injection(now), now)
    }

    fn injected(&mut self, mut injection: Injection, now: Timestamp) -> Result<(), AppError> {
        injection.message = injection.message.map(|message| self.without_words(&message));
        let outcome = injection.fault.outcome;
        let who: Vec<String> = injection
            .fault
            .targets
            .iter()
            .map(|target| format!("{} {}", target.name, target.id.as_deref().unwrap_or("?")))
            .collect();
        let index = self.index();
        let message = injection.message.as_deref();
        self.audit.hit(now, index, &who.join(", "), outcome.word(), message)?;
        if !matches!(outcome, Outcome::Killed | Outcome::DryRun) {
            self.state.known.last_failure_at = Some(now);
        }
        self.tell_event(Event::Injected(injection))
    }

    /// The words of a hook may hold secrets: its program says enough.
    fn without_words(&self, message: &str) -> String {
        without_words(&self.fault.action, message)
    }

    fn trace(&mut self, index: u32) -> Result<(), AppError> {
        let run_id = self.keeper.record().run_id.clone();
        match self.injector.trace(&run_id, index) {
            Ok(Trace::Busy) => Ok(()),
            Ok(Trace::Nothing) => {
                self.state.tracing = None;
                self.tell_event(Event::NotInjected)
            }
            Ok(Trace::Known(injection)) => {
                self.state.tracing = None;
                self.injected(injection, self.clock.now())
            }
            Err(why) => {
                // What cannot be read is taken for the worst: that the fault was carried out.
                self.state.tracing = None;
                let now = self.clock.now();
                self.injected(not_injected(Outcome::Killed, now, &why), now)
            }
        }
    }

    fn ask_watcher(&mut self) {
        let now = self.clock.now();
        let due = self.state.asked_at.is_none_or(|at| now.since(at) >= self.every);
        if !due {
            return;
        }
        let purpose = if self.state.gate.is_some() { Purpose::Gate } else { Purpose::Watch };
        let position = position(self.course.phase(), self.keeper.record());
        let queries = self.state.queries(&self.experiment, &self.gatekeeper);
        let Position { baseline, since } = position;
        if self.watcher.ask(Question { purpose, now, baseline, since, queries }) {
            self.state.asked_at = Some(now);
        }
    }

    fn poll_watcher(&mut self) -> Result<(), AppError> {
        let Some(seen) = self.watcher.poll() else { return Ok(()) };
        let now = self.clock.now();
        let gate = self.state.gate.filter(|_| seen.purpose == Purpose::Gate);
        let fired = self.rules.look(&self.experiment, &seen, now);
        self.state.known.observation = Some(seen.clone());
        if let Some(rule) = fired {
            self.tell_event(Event::AbortFired { rule })?;
        }
        let health = if self.is_well(&seen) { Health::Well } else { Health::Unwell };
        self.tell_event(Event::Health(health))?;
        if let Some(index) = gate {
            let answer = self.gate(index)?;
            let is_clear = answer == Answer::Yes || !seen.has_unknowns();
            self.state.gate_asked += 1;
            if !is_clear && self.state.gate_asked < GATE_LOOKS {
                // One late scrape is no reason to give the iteration up.
                return Ok(());
            }
            self.state.gate = None;
            self.state.gate_asked = 0;
            return self.tell_event(Event::Gate(answer));
        }
        if matches!(self.course.phase(), Phase::Waiting { .. }) {
            let answer = self.conditions();
            self.tell_event(Event::Conditions(answer))?;
        }
        Ok(())
    }

    /// With a recovery section its signal decides, else the conditions.
    fn is_well(&self, seen: &Observation) -> bool {
        let Some(recovery) = &self.experiment.recovery else {
            return self.mode == Mode::DryRun
                || self.rules.unmet(&self.experiment, seen).is_empty();
        };
        if self.rules.is_blindfolded() {
            return true;
        }
        if position(self.course.phase(), self.keeper.record()).since != seen.since {
            return false;
        }
        match seen.well_being {
            WellBeing::Since(since) => seen.now.since(since) >= recovery.stable_for,
            WellBeing::Unwell => false,
            // Nothing is known of the baseline, as after a crash: the conditions have to do.
            WellBeing::Unmeasured => self.rules.unmet(&self.experiment, seen).is_empty(),
        }
    }

    /// Whether an iteration may begin. A dry run tells what would keep it from beginning, and begins.
    fn conditions(&mut self) -> Answer {
        let now = self.clock.now();
        self.state.known.failures = self.course.failures();
        self.state.known.matching = None;
        self.state.known.in_place = None;
        if self.mode == Mode::DryRun {
            return Answer::Yes;
        }
        let seen = self.state.known.observation.as_ref();
        if let Some(why) = seen.and_then(|seen| seen.trouble.clone()) {
            return Answer::Unseen { why };
        }
        match self.gatekeeper.decide(Moment::Start, now, &self.state.known) {
            Ok(judged) if judged.decision.allowed() => Answer::Yes,
            Ok(judged) => Answer::No { why: denials(&judged) },
            Err(error) => Answer::No { why: error.to_string() },
        }
    }

    /// Asks the gates right before a kill; the injector's dry run says how many it would find.
    fn gate(&mut self, index: u32) -> Result<Answer, AppError> {
        self.state.known.matching = Some(self.rehearse(index));
        drop(self.count_others());
        let judged = self.decide(Moment::Kill, Some(index))?;
        Ok(match (self.mode, judged) {
            (Mode::DryRun, _) => Answer::Yes,
            (Mode::Live, Some(judged)) if judged.decision.may_kill() => Answer::Yes,
            (Mode::Live, Some(judged)) => Answer::No { why: denials(&judged) },
            (Mode::Live, None) => Answer::No { why: "the documents cannot be read".to_owned() },
        })
    }

    /// Has the injector look for targets without `--live`.
    fn rehearse(&self, index: u32) -> Result<u32, String> {
        let moment = PlanMoment {
            iteration: index,
            now: self.clock.now(),
            window: None,
            beside: self.gatekeeper.document.parent().unwrap_or_else(|| std::path::Path::new("")),
        };
        let mandate = Mandate::unlimited(&self.gatekeeper, self.fault.count);
        let plan = plan_document(&self.experiment, &self.fault, &mandate, moment);
        let mut running = self.injector.rehearsing().start(&plan, Mode::DryRun)?;
        loop {
            if let Some(said) = running.poll() {
                let said = said?;
                let injection = said.injection(self.clock.now());
                return match said.outcome {
                    Outcome::DryRun => Ok(u32::try_from(said.considered).unwrap_or(u32::MAX)),
                    Outcome::Killed | Outcome::Refused | Outcome::NoTarget | Outcome::Failed => {
                        Err(self.without_words(&injection.message.unwrap_or_default()))
                    }
                };
            }
            self.clock.wait(Span::from_milliseconds(2));
        }
    }

    fn tell_standing(&mut self) {
        let now = self.clock.now();
        if let Some(apart) = self.clock.stepped().filter(|_| !self.state.clock_told) {
            self.state.clock_told = true;
            let message = format!(
                "the wall clock was set, by {apart}: samples may carry other times than the windows"
            );
            let note = Note { kind: "clock_jumped", message, iteration: self.index() };
            self.keeper.note(now, &note);
        }
        if self.state.told_at.is_some_and(|at| now.since(at) < TELL_EVERY) {
            return;
        }
        self.state.told_at = Some(now);
        let progress = self.course.progress();
        let seen = self.state.known.observation.as_ref();
        let readings =
            seen.map_or_else(Vec::new, |seen| self.rules.readings(&self.experiment, seen));
        self.onlooker.tell(&Tidings::Progress(Standing {
            at: now,
            iteration: progress.index,
            of: progress.of,
            arm: progress.arm,
            phase: progress.phase,
            left_s: seconds(progress.left),
            readings,
        }));
    }
}

impl DriveState {
    /// What the source is asked; read once, since the documents must not change.
    fn queries(&mut self, experiment: &Experiment, gatekeeper: &Gatekeeper) -> Vec<String> {
        if self.queries.is_empty() {
            let policy = gatekeeper
                .policy
                .as_deref()
                .and_then(|path| crate::app::run::gate::read_policy(path).ok());
            self.queries = situation::queries(experiment, policy.as_ref());
        }
        self.queries.clone()
    }
}

/// Where an iteration stands in time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Position {
    baseline: Option<Window>,
    since: Option<Timestamp>,
}

fn position(phase: &Phase, record: &crate::run::RunRecord) -> Position {
    match phase {
        Phase::Gate { baseline } => Position { baseline: Some(*baseline), since: None },
        Phase::Injecting { baseline, since, .. } => {
            Position { baseline: Some(*baseline), since: Some(*since) }
        }
        Phase::Experiment { iteration } => {
            Position { baseline: Some(iteration.baseline), since: Some(iteration.reference()) }
        }
        Phase::Recovery { .. } => {
            let last = record.iterations.iter().max_by_key(|own| own.baseline.start);
            Position {
                baseline: last.map(|own| own.baseline),
                since: last.map(crate::run::Iteration::reference),
            }
        }
        Phase::Rest { .. } | Phase::Waiting { .. } | Phase::Baseline { .. } => {
            Position { baseline: None, since: None }
        }
    }
}

fn denials(judged: &Judged) -> String {
    let all: Vec<&str> =
        judged.decision.denials().map(|finding| finding.sentence.as_str()).collect();
    if all.is_empty() { "not every gate has passed".to_owned() } else { all.join("; ") }
}

fn not_injected(outcome: Outcome, at: Timestamp, why: &str) -> Injection {
    let fault = FaultRecord { at, until: None, outcome, targets: Vec::new() };
    Injection { fault, message: Some(why.to_owned()) }
}

/// The word of an ending.
pub(crate) const fn word(ending: &Ending) -> &'static str {
    match ending {
        Ending::Complete => "complete",
        Ending::BudgetSpent => "paused",
        Ending::Stopped { cause: StopCause::Interrupt } => "interrupted",
        Ending::Stopped { cause: StopCause::SourceLost { .. } } => "source_lost",
        Ending::Stopped { cause: StopCause::InjectorLost { .. } } => "injector_lost",
        Ending::ConditionsFailed { .. } => "conditions_failed",
        Ending::BreakerOpened { .. } => "circuit_breaker",
        Ending::NotRecovered { .. } => "not_recovered",
    }
}

/// An ending in a sentence.
pub(crate) fn sentence(ending: &Ending) -> String {
    match ending {
        Ending::Complete => "every iteration is recorded".to_owned(),
        Ending::BudgetSpent => {
            "as many iterations as asked for are recorded; --resume goes on".to_owned()
        }
        Ending::Stopped { cause: StopCause::Interrupt } => {
            "stopped from outside; --resume goes on".to_owned()
        }
        Ending::Stopped {
            cause: StopCause::SourceLost { why } | StopCause::InjectorLost { why },
        }
        | Ending::BreakerOpened { why }
        | Ending::NotRecovered { why } => format!("{why}; --resume goes on when that is settled"),
        Ending::ConditionsFailed { why } => {
            format!("the conditions did not come to hold: {why}; --resume goes on when they do")
        }
    }
}
