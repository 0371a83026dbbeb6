//! The supervisor: owns the worker processes. It starts each, waits for its end, sleeps the restart delay
//! and starts it again, for ever and without back-off. It does not know what the workers do.

use std::env;
use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::options::ServiceOptions;

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerState {
    /// Its process runs and has not reported for work yet.
    Starting,
    /// It waits for a payment.
    Idle,
    /// It has a payment in its hands.
    Busy,
    /// There is no process; the supervisor will start one.
    Down,
}

impl WorkerState {
    /// The word used by `/workers`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Down => "down",
        }
    }

    /// Whether a worker in this state takes payments.
    pub(crate) fn serves(self) -> bool {
        match self {
            Self::Idle | Self::Busy => true,
            Self::Starting | Self::Down => false,
        }
    }
}

/// One place for a worker; processes come and go in it.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) pool: &'static str,
    pub(crate) pid: Option<u32>,
    pub(crate) state: WorkerState,
    pub(crate) started_at: Option<SystemTime>,
    pub(crate) restarts: u64,
}

/// All slots, as the supervisor and the broker last saw them.
#[derive(Debug)]
pub(crate) struct Roster {
    slots: Mutex<Vec<Slot>>,
}

impl Roster {
    /// Slots `w1`, `w2`, …; the first `canary` of them belong to the pool `canary`, the rest to `main`.
    pub(crate) fn new(workers: usize, canary: usize) -> Self {
        let slot = |index: usize| Slot {
            name: format!("w{}", index + 1),
            pool: if index < canary { "canary" } else { "main" },
            pid: None,
            state: WorkerState::Down,
            started_at: None,
            restarts: 0,
        };
        Self { slots: Mutex::new((0..workers).map(slot).collect()) }
    }

    /// A copy of all slots.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        self.lock().clone()
    }

    /// What the broker saw of a worker. Late news about a process that is gone already is ignored.
    pub(crate) fn mark(&self, name: &str, pid: u32, state: WorkerState) {
        let mut slots = self.lock();
        if let Some(slot) = slots.iter_mut().find(|slot| slot.name == name && slot.pid == Some(pid))
        {
            slot.state = state;
        }
    }

    fn started(&self, index: usize, pid: u32) {
        let slot = &mut self.lock()[index];
        // The first start of a slot is no restart.
        slot.restarts += u64::from(slot.started_at.is_some());
        slot.pid = Some(pid);
        slot.state = WorkerState::Starting;
        slot.started_at = Some(SystemTime::now());
    }

    fn ended(&self, index: usize) {
        let slot = &mut self.lock()[index];
        slot.pid = None;
        slot.state = WorkerState::Down;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts every worker and one thread per slot that keeps it running.
pub(crate) fn start(
    options: &ServiceOptions,
    broker_address: &str,
    roster: &Arc<Roster>,
) -> io::Result<()> {
    for (index, slot) in roster.slots().iter().enumerate() {
        let launcher = Launcher {
            name: slot.name.clone(),
            pool: slot.pool,
            broker_address: broker_address.to_owned(),
            warm_up: options.warm_up,
            seed: options.seed,
        };
        let first = launcher.launch()?;
        roster.started(index, first.id());
        let (roster, restart_delay) = (Arc::clone(roster), options.restart_delay);
        thread::spawn(move || keep_running(first, index, &launcher, restart_delay, &roster));
    }
    Ok(())
}

fn keep_running(
    mut child: Child,
    index: usize,
    launcher: &Launcher,
    restart_delay: Duration,
    roster: &Roster,
) {
    loop {
        let pid = child.id();
        let ended = child.wait();
        roster.ended(index);
        match ended {
            Ok(status) => eprintln!(
                "payments: {} ({pid}) ended: {status}; next in {restart_delay:?}",
                launcher.name
            ),
            Err(error) => eprintln!("payments: waiting for {} ({pid}): {error}", launcher.name),
        }
        child = loop {
            thread::sleep(restart_delay);
            match launcher.launch() {
                Ok(next) => break next,
                Err(error) => {
                    eprintln!("payments: starting {}: {error}; trying again", launcher.name);
                }
            }
        };
        roster.started(index, child.id());
    }
}

/// How one slot's process is started: this very program again, with words that tell it apart in `/proc`.
#[derive(Debug)]
struct Launcher {
    name: String,
    pool: &'static str,
    broker_address: String,
    warm_up: Duration,
    seed: u64,
}

impl Launcher {
    fn launch(&self) -> io::Result<Child> {
        Command::new(env::current_exe()?)
            .args([
                "worker",
                "--queue",
                self.pool,
                "--name",
                &self.name,
                "--connect",
                &self.broker_address,
            ])
            .arg("--warm-up")
            .arg(format!("{}ms", self.warm_up.as_millis()))
            .arg("--seed")
            .arg(self.seed.to_string())
            .stdin(Stdio::null())
            .spawn()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_news_about_a_dead_process_does_not_bring_it_back() {
        let roster = Roster::new(2, 1);
        roster.started(0, 100);
        roster.mark("w1", 100, WorkerState::Busy);
        assert_eq!(roster.slots()[0].state, WorkerState::Busy);
        roster.ended(0);
        roster.mark("w1", 100, WorkerState::Idle);
        assert_eq!(roster.slots()[0].state, WorkerState::Down);
    }

    #[test]
    fn the_first_start_is_no_restart() {
        let roster = Roster::new(1, 1);
        roster.started(0, 100);
        assert_eq!(roster.slots()[0].restarts, 0);
        roster.ended(0);
        roster.started(0, 101);
        assert_eq!(roster.slots()[0].restarts, 1);
    }
}
