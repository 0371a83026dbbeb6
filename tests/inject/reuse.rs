//! Process ids handed on for real: the kernel is made to give the number of a target that has ended to somebody else,
//! in the worst moment.
//!
//! `/proc/sys/kernel/ns_last_pid` says which number comes next; writing it needs root, or `CAP_CHECKPOINT_RESTORE`.

use std::cell::RefCell;
use std::io;
use std::process::{Child, Command, Stdio};

use unfazed::inject::clock::SystemClock;
use unfazed::inject::guardian::{Guardian, Guardians, Undo};
use unfazed::inject::host::{Host, LinuxHost};
use unfazed::inject::injection::{Context, Mode, inject};
use unfazed::inject::journal::{Intent, Journal};
use unfazed::inject::outcome::{Ending, Outcome, Stop};
use unfazed::inject::process::Process;
use unfazed::inject::signal::Held;
use unfazed::unit::{Span, Timestamp};

use crate::fake::parse;
use crate::live::Workers;

/// Other programs take numbers, too: how long a number is asked for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// A target, whoever gets its number, and the program that both run.
struct Swap {
    program: std::path::PathBuf,
    target: RefCell<Child>,
    stranger: RefCell<Option<Child>>,
}

impl Swap {
    fn start(workers: &Workers, stranger: &str) -> Self {
        let link = |name: &str| {
            let program = workers.path(name);
            if !program.exists() {
                std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
            }
            program
        };
        let target = RefCell::new(sleep(&link(&workers.name)));
        Self { program: link(stranger), target, stranger: RefCell::new(None) }
    }

    /// Ends the target and has its number given to the stranger.
    fn happen(&self) {
        let mut target = self.target.borrow_mut();
        let pid = target.id();
        let started = start_ticks(pid);
        target.kill().unwrap();
        target.wait().unwrap();
        // A neighbour may take the number first; it is free again when that process has ended.
        let begin = std::time::Instant::now();
        while begin.elapsed() < PATIENCE {
            std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap_or_else(
                |error| {
                    panic!("choosing a process id needs root or CAP_CHECKPOINT_RESTORE: {error}")
                },
            );
            let mut child = sleep(&self.program);
            if child.id() == pid && start_ticks(pid) > started {
                *self.stranger.borrow_mut() = Some(child);
                return;
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        panic!("the kernel never gave {pid} out again");
    }

    fn stranger_lives(&self) -> bool {
        let mut stranger = self.stranger.borrow_mut();
        stranger.as_mut().expect("it was started").try_wait().unwrap().is_none()
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        let mut stranger = self.stranger.borrow_mut();
        for child in [Some(&mut *self.target.borrow_mut()), stranger.as_mut()].into_iter().flatten()
        {
            let _killed = child.kill();
            let _awaited = child.wait();
        }
    }
}

fn sleep(program: &std::path::Path) -> Child {
    Command::new(program).args(["300", "1"]).stdin(Stdio::null()).spawn().unwrap()
}

fn start_ticks(pid: u32) -> u64 {
    let pid = i32::try_from(pid).unwrap();
    LinuxHost.process(pid).unwrap().map_or(0, |process| process.identity.start_ticks)
}

/// The real machine, on which something happens right before a process is held.
struct Raced<'a> {
    before_hold: Option<&'a Swap>,
}

impl Host for Raced<'_> {
    fn own_pid(&self) -> i32 {
        LinuxHost.own_pid()
    }

    fn own_user(&self) -> u32 {
        LinuxHost.own_user()
    }

    fn boot_id(&self) -> io::Result<String> {
        LinuxHost.boot_id()
    }

    fn pids(&self) -> io::Result<Vec<i32>> {
        LinuxHost.pids()
    }

    fn process(&self, pid: i32) -> io::Result<Option<Process>> {
        LinuxHost.process(pid)
    }

    fn hold(&self, pid: i32) -> io::Result<Option<Box<dyn Held>>> {
        if let Some(swap) = self.before_hold {
            swap.happen();
        }
        LinuxHost.hold(pid)
    }

    fn time_of_tick(&self, tick: u64) -> Option<Timestamp> {
        LinuxHost.time_of_tick(tick)
    }
}

/// A journal while whose intent is synced something happens.
struct Slow<'a> {
    while_synced: Option<&'a Swap>,
}

impl Journal for Slow<'_> {
    fn intent(&mut self, _intent: &Intent<'_>) -> io::Result<()> {
        if let Some(swap) = self.while_synced {
            swap.happen();
        }
        Ok(())
    }

    fn outcome(&mut self, _at: Timestamp, _outcome: &Outcome) -> io::Result<()> {
        Ok(())
    }
}

/// A kill leaves nothing to undo.
struct Nobody;

impl Guardians for Nobody {
    fn post(&self, _undo: &Undo, _deadline: Span) -> Result<Box<dyn Guardian>, Stop> {
        panic!("a kill needs no guardian")
    }
}

fn race(workers: &Workers, host: &dyn Host, journal: &mut dyn Journal) -> Outcome {
    let mut plan = workers.plan();
    plan["limits"] = serde_json::json!({"max_kills": 1, "max_share": 1.0, "min_survivors": 0});
    let clock = SystemClock::start();
    let mut context = Context { host, clock: &clock, journal, guardians: &Nobody };
    inject(&parse(&plan), Mode::Live, &mut context)
}

#[test]
fn a_number_handed_on_between_look_and_hold_is_not_hit() {
    for stranger in ["database", "same"] {
        let workers = Workers::none();
        let stranger = if stranger == "same" { workers.name.clone() } else { stranger.to_owned() };
        let swap = Swap::start(&workers, &stranger);
        let host = Raced { before_hold: Some(&swap) };
        let outcome = race(&workers, &host, &mut Slow { while_synced: None });
        assert_eq!(outcome.outcome, Ending::NoTarget, "{:?}", outcome.reason);
        assert!(swap.stranger_lives(), "{stranger}");
    }
}

#[test]
fn a_number_handed_on_between_hold_and_signal_is_not_hit() {
    for stranger in ["database", "same"] {
        let workers = Workers::none();
        let stranger = if stranger == "same" { workers.name.clone() } else { stranger.to_owned() };
        let swap = Swap::start(&workers, &stranger);
        let host = Raced { before_hold: None };
        let outcome = race(&workers, &host, &mut Slow { while_synced: Some(&swap) });
        assert_ne!(outcome.outcome, Ending::Killed, "{:?}", outcome.reason);
        assert!(swap.stranger_lives(), "{stranger}");
    }
}
