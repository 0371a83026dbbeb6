//! What must hold of every campaign, whatever happens to it: simulated services, clocks and crashes.

use proptest::prelude::*;

use super::{
    Answer, Command, Course, Ending, Event, Health, Injection, Phase, Schedule, StopCause, Terms,
};
use crate::run::{Arm, FaultRecord, Iteration, Outcome};
use crate::spec::Iterations;
use crate::unit::{Seed, Span, Timestamp};

const SECOND: Span = Span::from_seconds(1);

fn terms() -> Terms {
    Terms {
        baseline: SECOND.times(10),
        experiment: SECOND.times(20),
        cooldown: SECOND.times(7),
        settle: SECOND.times(2),
        stable_for: SECOND.times(3),
        patience: SECOND.times(60),
        failures_allowed: 1,
    }
}

fn schedule(seed: u64, faults: u32, controls: u32) -> Schedule {
    let planned = Iterations { fault: Some(faults), control: controls };
    Schedule::draw(Seed(seed), "run", planned, SECOND.times(5))
}

/// One line of the journal.
#[derive(Debug, Clone)]
struct Line {
    at: Timestamp,
    event: Event,
}

/// A campaign with everything around it simulated.
struct World {
    course: Course,
    now: Timestamp,
    journal: Vec<Line>,
    /// Every command with its time.
    done: Vec<(Timestamp, Command)>,
    record: Vec<Iteration>,
    /// When the running injection answers.
    answers_at: Option<Timestamp>,
    /// When the service is well again after the last fault.
    well_at: Timestamp,
    gate_open: bool,
    opened: u32,
}

impl World {
    fn new(schedule: &Schedule) -> Self {
        let start = Timestamp::from_milliseconds(1_000_000);
        Self {
            course: Course::new(terms(), schedule.clone(), start),
            now: start,
            journal: Vec::new(),
            done: Vec::new(),
            record: Vec::new(),
            answers_at: None,
            well_at: start,
            gate_open: false,
            opened: 0,
        }
    }

    fn tell(&mut self, event: Event) {
        let step = self.course.take(&event, self.now);
        if step.significance == super::Significance::Changed {
            self.journal.push(Line { at: self.now, event });
        }
        for command in step.commands {
            self.obey(&command);
            self.done.push((self.now, command));
        }
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::AskGate { .. } => self.gate_open = true,
            Command::Inject { .. } => {
                assert_eq!(self.answers_at, None, "two injections at once");
                assert!(self.gate_open, "a kill without a gate");
                self.gate_open = false;
                self.opened += 1;
                self.answers_at = Some(self.now.plus(Span::from_milliseconds(300)));
            }
            Command::Withdraw => self.answers_at = Some(self.now),
            Command::FindOutcome { .. } => {}
            Command::Record(iteration) => {
                self.record.retain(|other| other.index != iteration.index);
                self.record.push((**iteration).clone());
            }
            Command::Note(_) | Command::Finish(_) => {}
        }
    }

    /// One tick of the edge, a second later: answers what is asked.
    fn tick(&mut self, trouble: Trouble) {
        self.now = self.now.plus(SECOND);
        self.tell(Event::Tick);
        let health = if self.now >= self.well_at { Health::Well } else { Health::Unwell };
        self.tell(Event::Health(health));
        match self.course.phase() {
            Phase::Waiting { .. } => self.tell(Event::Conditions(Answer::Yes)),
            Phase::Gate { .. } => {
                let answer = match trouble {
                    Trouble::Refuse => Answer::No { why: "policy".to_owned() },
                    _ => Answer::Yes,
                };
                self.tell(Event::Gate(answer));
            }
            Phase::Injecting { .. } if self.answers_at.is_some_and(|at| at <= self.now) => {
                self.answers_at = None;
                self.well_at = self.now.plus(SECOND.times(9));
                self.tell(Event::Injected(killed(self.now)));
            }
            _ => {}
        }
        if trouble == Trouble::Abort {
            self.tell(Event::AbortFired { rule: "errors".to_owned() });
        }
    }

    /// The process is killed, and another one takes up what is in the journal.
    fn crash(&mut self, schedule: &Schedule, injected: bool) {
        let start = Timestamp::from_milliseconds(1_000_000);
        let mut again = Course::new(terms(), schedule.clone(), start);
        for line in &self.journal {
            again.take(&line.event, line.at);
        }
        // The clock of the state may be older: what came of nothing is not in the journal.
        self.course = again;
        self.gate_open = false;
        self.now = self.now.plus(SECOND.times(4));
        self.answers_at = None;
        self.tell(Event::Started { budget: None });
        if matches!(self.course.phase(), Phase::Injecting { .. }) {
            assert!(
                matches!(self.done.last(), Some((_, Command::FindOutcome { .. }))),
                "an injection that nobody awaited is looked for"
            );
            if injected {
                self.well_at = self.now;
                self.tell(Event::Injected(killed(self.now)));
            } else {
                self.tell(Event::NotInjected);
            }
        }
    }

    fn finish(&mut self) {
        for _ in 0..20_000 {
            match self.course.ended() {
                Some(Ending::Complete) => return,
                Some(_) => self.tell(Event::Started { budget: None }),
                None => self.tick(Trouble::None),
            }
        }
        panic!("the campaign does not end: {:?}", self.course.phase());
    }

    fn check(&self, schedule: &Schedule) {
        let mut record = self.record.clone();
        record.sort_by_key(|iteration| iteration.baseline.start);
        let recorded: Vec<(u32, Arm)> =
            record.iter().map(|iteration| (iteration.index, iteration.arm)).collect();
        let planned: Vec<(u32, Arm)> =
            schedule.slots().iter().map(|slot| (slot.index, slot.arm)).collect();
        assert_eq!(recorded, planned, "every iteration is recorded once, in the order drawn");
        for pair in record.windows(2) {
            let slot = schedule.slots()[pair[1].index as usize - 1];
            let rest = terms().cooldown.plus(slot.jitter);
            let earliest = pair[0].experiment.end.plus(rest);
            assert!(pair[1].baseline.start >= earliest, "cooldown: {pair:?}");
        }
        let text = crate::run::RunRecord {
            schema: "unfazed.run/v1".to_owned(),
            run_id: "r".to_owned(),
            experiment: "e".to_owned(),
            experiment_digest: None,
            started_at: Timestamp::from_milliseconds(0),
            ended_at: None,
            origin: None,
            iterations: record,
            events: Vec::new(),
            audit: None,
        };
        text.checked().expect("the record is one that can be true");
    }
}

fn killed(at: Timestamp) -> Injection {
    let fault = FaultRecord { at, until: None, outcome: Outcome::Killed, targets: Vec::new() };
    Injection { fault, message: None }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Refuse,
    Abort,
    Stop,
    Crash,
    CrashAfterFault,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        60 => Just(Trouble::None),
        1 => Just(Trouble::Refuse),
        1 => Just(Trouble::Abort),
        1 => Just(Trouble::Stop),
        2 => Just(Trouble::Crash),
        2 => Just(Trouble::CrashAfterFault),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_order_is_kept_and_every_iteration_is_recorded(
        seed in any::<u64>(), faults in 1_u32..5, controls in 0_u32..3,
        troubles in prop::collection::vec(trouble(), 0..300),
    ) {
        let schedule = schedule(seed, faults, controls);
        let mut world = World::new(&schedule);
        world.tell(Event::Started { budget: None });
        for trouble in troubles {
            match trouble {
                Trouble::Crash => world.crash(&schedule, false),
                Trouble::CrashAfterFault => world.crash(&schedule, true),
                Trouble::Stop => {
                    world.tell(Event::Stop(StopCause::Interrupt));
                    for _ in 0..3 { world.tick(Trouble::None); }
                    world.tell(Event::Started { budget: None });
                    if matches!(world.course.phase(), Phase::Injecting { .. }) {
                        world.tell(Event::NotInjected);
                    }
                }
                other => {
                    if world.course.ended().is_some() {
                        world.tell(Event::Started { budget: None });
                    }
                    world.tick(other);
                }
            }
        }
        world.finish();
        world.check(&schedule);
    }

    #[test]
    fn the_journal_holds_the_whole_state(seed in any::<u64>(), ticks in 0_usize..200) {
        let schedule = schedule(seed, 3, 1);
        let mut world = World::new(&schedule);
        world.tell(Event::Started { budget: None });
        for _ in 0..ticks { world.tick(Trouble::None); }
        let start = Timestamp::from_milliseconds(1_000_000);
        let mut again = Course::new(terms(), schedule, start);
        for line in &world.journal { again.take(&line.event, line.at); }
        // The clock alone may be older.
        again.take(&Event::Tick, world.now);
        prop_assert_eq!(again, world.course);
    }
}

#[test]
fn an_uninterrupted_campaign_takes_the_time_that_was_planned() {
    let schedule = schedule(7, 3, 1);
    let mut world = World::new(&schedule);
    world.tell(Event::Started { budget: None });
    world.finish();
    world.check(&schedule);
    assert_eq!(world.opened, 3, "one gate and one injection for each kill, none for the control");
    let kills = world.record.iter().filter(|iteration| iteration.fault.is_some()).count();
    assert_eq!(kills, 3);
}

#[test]
fn an_abort_during_the_fault_withdraws_it_and_the_breaker_opens_after_the_second() {
    let schedule = schedule(1, 5, 0);
    let mut world = World::new(&schedule);
    world.tell(Event::Started { budget: None });
    let mut aborts = 0;
    while world.course.ended().is_none() {
        world.tick(Trouble::None);
        if matches!(world.course.phase(), Phase::Injecting { .. }) {
            world.tell(Event::AbortFired { rule: "errors above 0.1 %".to_owned() });
            aborts += 1;
        }
    }
    assert_eq!(aborts, 2, "one failed iteration is allowed");
    assert!(matches!(world.course.ended(), Some(Ending::BreakerOpened { .. })));
    assert!(world.record.iter().all(|iteration| iteration.aborted.is_some()));
    assert!(world.done.iter().any(|(_, command)| *command == Command::Withdraw));
}

#[test]
fn nothing_is_done_while_the_conditions_fail_and_after_a_while_the_campaign_ends() {
    let schedule = schedule(1, 1, 0);
    let mut world = World::new(&schedule);
    world.tell(Event::Started { budget: None });
    while world.course.ended().is_none() {
        world.now = world.now.plus(SECOND);
        world.tell(Event::Tick);
        world.tell(Event::Conditions(Answer::No { why: "node CPU is 91 %".to_owned() }));
    }
    let why = "node CPU is 91 %".to_owned();
    assert_eq!(world.course.ended(), Some(&Ending::ConditionsFailed { why }));
    assert!(world.record.is_empty());
}

#[test]
fn a_stop_during_the_fault_waits_for_the_injector() {
    let schedule = schedule(1, 2, 0);
    let mut world = World::new(&schedule);
    world.tell(Event::Started { budget: None });
    while !matches!(world.course.phase(), Phase::Injecting { .. }) {
        world.tick(Trouble::None);
    }
    world.tell(Event::Stop(StopCause::Interrupt));
    assert_eq!(world.course.ended(), None, "the fault is undone first");
    world.tick(Trouble::None);
    let cause = StopCause::Interrupt;
    assert_eq!(world.course.ended(), Some(&Ending::Stopped { cause }));
    assert_eq!(world.record.len(), 1, "what was done is recorded");
}

#[test]
fn a_budget_pauses_after_so_many_iterations() {
    let schedule = schedule(1, 3, 0);
    let mut world = World::new(&schedule);
    world.tell(Event::Started { budget: Some(2) });
    while world.course.ended().is_none() {
        world.tick(Trouble::None);
    }
    assert_eq!(world.course.ended(), Some(&Ending::BudgetSpent));
    assert_eq!(world.record.len(), 2);
    world.finish();
    world.check(&schedule);
}

#[test]
fn a_service_that_does_not_come_back_ends_the_campaign() {
    let schedule = schedule(1, 2, 0);
    let mut world = World::new(&schedule);
    world.tell(Event::Started { budget: None });
    while world.course.ended().is_none() {
        world.tick(Trouble::None);
        if matches!(world.course.phase(), Phase::Experiment { .. }) {
            world.well_at = Timestamp::from_milliseconds(i64::MAX);
        }
    }
    assert!(matches!(world.course.ended(), Some(Ending::NotRecovered { .. })));
    assert_eq!(world.record.len(), 1);
}
