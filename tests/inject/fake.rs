//! A host, clocks, a journal and guardians of paper.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use serde_json::{Value, json};
use unfazed::inject::clock::Clock;
use unfazed::inject::guardian::{Guardian, Guardians, Presence, Release, Undo};
use unfazed::inject::host::Host;
use unfazed::inject::injection::{Context, Mode, inject};
use unfazed::inject::journal::{Intent, Journal};
use unfazed::inject::outcome::{Outcome, Stop};
use unfazed::inject::plan::Plan;
use unfazed::inject::process::{Identity, Process, State, Users};
use unfazed::inject::signal::{Delivery, Held, Signal, Watch};
use unfazed::unit::{Span, Timestamp};

pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";
pub(crate) const SELF: i32 = 900;
pub(crate) const SHELL: i32 = 800;
pub(crate) const OWN_USER: u32 = 1000;

/// A plan that a fake host with three payment workers carries out.
pub(crate) fn plan() -> Value {
    json!({
        "schema": "unfazed.plan/v1", "run_id": "run-1", "iteration": 1,
        "created_at": "2026-11-23T11:59:00Z", "expires_at": "2026-11-23T12:05:00Z",
        "digest": "sha256:00", "actor": "alice", "ticket": "CHG-4211",
        "target": {"process": {"name": "payment-worker"}},
        "action": "kill", "duration_s": null, "count": 1,
        "limits": {"max_kills": 1, "max_share": 0.5, "min_survivors": 1},
        "protected": {"processes": ["vault"], "namespaces": [], "labels": []},
        "window": {"start": "2026-11-23T11:00:00Z", "end": "2026-11-23T13:00:00Z"}
    })
}

pub(crate) fn with(pointer: &str, value: Value) -> Value {
    let mut plan = plan();
    *plan.pointer_mut(pointer).unwrap() = value;
    plan
}

pub(crate) fn parse(plan: &Value) -> Plan {
    Plan::parse(plan.to_string().as_bytes()).unwrap()
}

pub(crate) fn worker(pid: i32, arguments: &[&str]) -> Process {
    let program = arguments[0].rsplit('/').next().unwrap().as_bytes().to_vec();
    Process {
        identity: Identity { pid, start_ticks: 1_000 + u64::from(pid.unsigned_abs()) },
        parent: 1,
        thread_group: pid,
        state: State::Alive,
        kernel_thread: false,
        comm: program[..program.len().min(15)].to_vec(),
        arguments: arguments.iter().map(|word| word.as_bytes().to_vec()).collect(),
        program: Some(program),
        users: Users { real: OWN_USER, effective: OWN_USER },
        cgroups: vec!["/user.slice".to_owned()],
        namespace_pids: vec![pid],
    }
}

pub(crate) type Event = Box<dyn Fn(&FakeHost)>;

pub(crate) struct FakeHost {
    pub(crate) processes: Rc<RefCell<BTreeMap<i32, Process>>>,
    pub(crate) log: Rc<RefCell<Vec<String>>>,
    pub(crate) clock: Rc<FakeClock>,
    /// Happens when a process is about to be held: between resolving and signalling.
    pub(crate) before_hold: Option<Event>,
    /// What a signal meets.
    pub(crate) delivery: Option<fn() -> io::Result<Delivery>>,
    /// Whether SIGTERM is ignored.
    pub(crate) deaf: bool,
    /// How long sending takes, in milliseconds.
    pub(crate) signal_takes: i64,
}

#[derive(Default)]
pub(crate) struct FakeClock {
    wall: Cell<i64>,
    elapsed: Cell<i64>,
}

impl FakeClock {
    pub(crate) fn pass(&self, milliseconds: i64) {
        self.wall.set(self.wall.get() + milliseconds);
        self.elapsed.set(self.elapsed.get() + milliseconds);
    }

    pub(crate) fn jump(&self, milliseconds: i64) {
        self.wall.set(self.wall.get() + milliseconds);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::parse(NOW).unwrap().plus(Span::from_milliseconds(self.wall.get()))
    }

    fn elapsed(&self) -> Span {
        Span::from_milliseconds(self.elapsed.get())
    }

    fn wait(&self, span: Span) {
        self.pass(span.milliseconds());
    }
}

impl FakeHost {
    /// Init, a shell, the injector, a kernel thread, and the given ones.
    pub(crate) fn with(processes: impl IntoIterator<Item = Process>) -> Self {
        let mut init = worker(1, &["/sbin/init"]);
        init.parent = 0;
        let mut shell = worker(SHELL, &["bash"]);
        shell.parent = 1;
        let mut own = worker(SELF, &["unfazed-injector"]);
        own.parent = SHELL;
        let mut kernel = worker(2, &["kworker"]);
        kernel.kernel_thread = true;
        kernel.arguments.clear();
        kernel.program = None;
        kernel.parent = 0;
        let all = [init, shell, own, kernel].into_iter().chain(processes);
        let all = all.map(|process| (process.identity.pid, process)).collect();
        Self {
            processes: Rc::new(RefCell::new(all)),
            log: Rc::default(),
            clock: Rc::default(),
            before_hold: None,
            delivery: None,
            deaf: false,
            signal_takes: 0,
        }
    }

    pub(crate) fn workers(count: i32) -> Self {
        Self::with((0..count).map(|place| worker(5000 + place, &["/opt/payment-worker"])))
    }

    pub(crate) fn inject(&self, plan: &Value, mode: Mode) -> Outcome {
        let mut journal = FakeJournal { log: Rc::clone(&self.log), broken: false };
        self.inject_with(plan, mode, &mut journal)
    }

    pub(crate) fn inject_with(
        &self,
        plan: &Value,
        mode: Mode,
        journal: &mut dyn Journal,
    ) -> Outcome {
        let guardians = FakeGuardians { log: Rc::clone(&self.log), clock: Rc::clone(&self.clock) };
        let mut context =
            Context { host: self, clock: self.clock.as_ref(), journal, guardians: &guardians };
        inject(&parse(plan), mode, &mut context)
    }

    pub(crate) fn live(&self, plan: &Value) -> Outcome {
        self.inject(plan, Mode::Live)
    }

    pub(crate) fn signals(&self) -> Vec<String> {
        self.log.borrow().iter().filter(|line| line.starts_with("SIG")).cloned().collect()
    }
}

impl Host for FakeHost {
    fn own_pid(&self) -> i32 {
        SELF
    }

    fn own_user(&self) -> u32 {
        OWN_USER
    }

    fn boot_id(&self) -> io::Result<String> {
        Ok("boot-1".to_owned())
    }

    fn pids(&self) -> io::Result<Vec<i32>> {
        Ok(self.processes.borrow().keys().copied().collect())
    }

    fn process(&self, pid: i32) -> io::Result<Option<Process>> {
        Ok(self.processes.borrow().get(&pid).cloned())
    }

    fn hold(&self, pid: i32) -> io::Result<Option<Box<dyn Held>>> {
        if let Some(event) = &self.before_hold {
            event(self);
        }
        let Some(process) = self.process(pid)? else { return Ok(None) };
        Ok(Some(Box::new(FakeHeld {
            identity: process.identity,
            processes: Rc::clone(&self.processes),
            log: Rc::clone(&self.log),
            clock: Rc::clone(&self.clock),
            delivery: self.delivery,
            deaf: self.deaf,
            signal_takes: self.signal_takes,
        })))
    }

    fn time_of_tick(&self, tick: u64) -> Option<Timestamp> {
        Some(Timestamp::from_milliseconds(i64::try_from(tick).unwrap() * 10))
    }
}

struct FakeHeld {
    identity: Identity,
    processes: Rc<RefCell<BTreeMap<i32, Process>>>,
    log: Rc<RefCell<Vec<String>>>,
    clock: Rc<FakeClock>,
    delivery: Option<fn() -> io::Result<Delivery>>,
    deaf: bool,
    signal_takes: i64,
}

impl Held for FakeHeld {
    fn signal(&self, signal: Signal) -> io::Result<Delivery> {
        self.clock.pass(self.signal_takes);
        if let Some(delivery) = self.delivery {
            return delivery();
        }
        let mut processes = self.processes.borrow_mut();
        let Some(process) = processes
            .get_mut(&self.identity.pid)
            .filter(|process| process.identity == self.identity)
        else {
            return Ok(Delivery::Gone);
        };
        self.log.borrow_mut().push(format!("{} {}", signal.name(), self.identity.pid));
        match signal {
            Signal::Kill => process.state = State::Dead,
            Signal::Terminate if !self.deaf => process.state = State::Dead,
            Signal::Terminate => {}
            Signal::Stop => process.state = State::Stopped,
            Signal::Continue => process.state = State::Alive,
        }
        Ok(Delivery::Sent)
    }

    fn watch(&self, span: Span) -> io::Result<Watch> {
        let processes = self.processes.borrow();
        let alive = processes.get(&self.identity.pid).is_some_and(|process| {
            process.identity == self.identity && process.state != State::Dead
        });
        if alive {
            self.clock.pass(span.milliseconds());
            return Ok(Watch::Running);
        }
        Ok(Watch::Exited)
    }
}

pub(crate) struct FakeJournal {
    pub(crate) log: Rc<RefCell<Vec<String>>>,
    pub(crate) broken: bool,
}

impl Journal for FakeJournal {
    fn intent(&mut self, intent: &Intent<'_>) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the disk is full"));
        }
        let intent = serde_json::to_value(intent).unwrap();
        self.log.borrow_mut().push(format!("intent {}", intent["targets"][0]["id"]));
        Ok(())
    }

    fn outcome(&mut self, _at: Timestamp, outcome: &Outcome) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the disk is full"));
        }
        self.log.borrow_mut().push(format!("outcome {:?}", outcome.outcome));
        Ok(())
    }
}

pub(crate) struct FakeGuardians {
    log: Rc<RefCell<Vec<String>>>,
    clock: Rc<FakeClock>,
}

struct FakeGuardian {
    log: Rc<RefCell<Vec<String>>>,
    clock: Rc<FakeClock>,
}

impl Guardians for FakeGuardians {
    fn post(&self, _undo: &Undo, _deadline: Span) -> Result<Box<dyn Guardian>, Stop> {
        self.log.borrow_mut().push("guardian posted".to_owned());
        Ok(Box::new(FakeGuardian { log: Rc::clone(&self.log), clock: Rc::clone(&self.clock) }))
    }
}

impl Guardian for FakeGuardian {
    fn watch(&mut self, span: Span) -> Presence {
        self.clock.pass(span.milliseconds());
        Presence::Present
    }

    fn release(self: Box<Self>) -> Release {
        self.log.borrow_mut().push("guardian released".to_owned());
        Release::Undone
    }
}

/// The code and the exit code of an outcome.
pub(crate) fn code(outcome: &Outcome) -> (&'static str, u8) {
    let code = outcome.reason.as_ref().map_or("none", |reason| reason.code.as_str());
    (code, outcome.exit().number())
}
