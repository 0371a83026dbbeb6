//! The child that undoes what must not last, whatever happens to the injector.
//!
//! Before a target is paused, or a hook with a rollback is run, the injector starts itself a second time as guardian, and tells
//! it what to undo. A pipe between the two is the dead man's switch: it closes when the injector is done with it, and
//! also when the injector is ended by any signal, by an error or by a panic. Then, or at its own deadline should the
//! injector hang, the guardian undoes and says so. It leads a session of its own, so that Ctrl-C in the terminal does
//! not reach it. If the guardian is lost instead, the injector sees the pipe close and undoes at once itself.
//!
//! Owns both ends of the pipe and the undoing. Refuses to inject: all it can do is resume exactly the processes it was
//! told of, or run exactly the commands it was told of. Limit: whoever ends every process of a control group ends
//! both.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::hook::{HookCommand, HookEnd};
use super::host::Host;
use super::outcome::{Code, Stop};
use super::process::Identity;
use super::signal::{Held, Signal};
use crate::unit::Span;

/// The argument that makes the injector a guardian.
pub const ARGUMENT: &str = "--guardian";

/// Starting a process takes milliseconds; a host on which it takes this long is in no state for an experiment.
const READY_WITHIN: Span = Span::from_seconds(10);

/// How long after its commands' own limits an answer may come.
const ANSWER_MARGIN: Span = Span::from_seconds(10);

const READY: &str = "ready";
pub(super) const UNDONE: &str = "undone";

/// What is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// These processes are resumed.
    Resume(Vec<Paused>),
    /// These commands are run, all of them, one after the other.
    Rollback(Vec<HookCommand>),
}

/// One process to resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Its pid.
    pub pid: i32,
    /// Its start time.
    pub start_ticks: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    deadline_ms: i64,
    undo: Undo,
}

/// Starts guardians.
pub trait Guardians {
    /// Starts one that is ready to undo; it undoes by itself after `deadline`.
    ///
    /// # Errors
    /// That there is none. Then nothing may be done that would have to be undone.
    fn post(&self, undo: &Undo, deadline: Span) -> Result<Box<dyn Guardian>, Stop>;
}

/// A guardian that is ready.
pub trait Guardian {
    /// Lets `span` pass, less if the guardian is lost.
    fn watch(&mut self, span: Span) -> Presence;

    /// Has it undo now.
    fn release(self: Box<Self>) -> Release;
}

/// Whether a guardian is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It has ended.
    Lost,
}

/// What came of undoing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// All of it was undone.
    Undone,
    /// Some of it was not.
    Failed(String),
    /// The guardian gave no answer.
    Lost,
}

/// The injector's own program as guardian.
#[derive(Debug, Clone)]
pub struct OwnProgram {
    /// The program.
    pub path: PathBuf,
}

impl Default for OwnProgram {
    /// The very file that runs, even if its name has been given to another one meanwhile.
    fn default() -> Self {
        Self { path: PathBuf::from("/proc/self/exe") }
    }
}

impl Guardians for OwnProgram {
    fn post(&self, undo: &Undo, deadline: Span) -> Result<Box<dyn Guardian>, Stop> {
        let unavailable =
            |what: String| Stop::failed(Code::GuardianUnavailable, format!("the guardian {what}"));
        let mut child = Command::new(&self.path)
            .arg0("unfazed-inject")
            .arg(ARGUMENT)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| unavailable(format!("cannot be started: {error}")))?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unavailable("has no pipes".to_owned()));
        };
        let longest = match undo {
            Undo::Resume(_) => Span::ZERO,
            Undo::Rollback(commands) => commands.iter().fold(Span::ZERO, |sum, command| {
                sum.plus(Span::from_milliseconds(command.timeout_ms))
            }),
        };
        let mut posted = Posted {
            child,
            orders: Some(orders),
            answers,
            answer_within: longest.plus(ANSWER_MARGIN),
        };
        let order = Order { deadline_ms: deadline.milliseconds(), undo: undo.clone() };
        posted.order(&order).map_err(|error| unavailable(format!("takes no order: {error}")))?;
        match posted.answer(READY_WITHIN) {
            Some(line) if line == READY => Ok(Box::new(posted)),
            Some(line) => Err(unavailable(line)),
            None => Err(unavailable("does not answer".to_owned())),
        }
    }
}

struct Posted {
    child: Child,
    orders: Option<ChildStdin>,
    answers: ChildStdout,
    answer_within: Span,
}

impl Posted {
    fn order(&mut self, order: &Order) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(order)?;
        bytes.push(b'\n');
        match &mut self.orders {
            Some(pipe) => pipe.write_all(&bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The next line of the guardian, without its end; `None` if there is none in time.
    fn answer(&mut self, within: Span) -> Option<String> {
        let mut line = Vec::new();
        while readable(&self.answers, within) {
            let mut byte = [0];
            if self.answers.read(&mut byte).ok()? == 0 {
                return None;
            }
            if byte == *b"\n" {
                return String::from_utf8(line).ok();
            }
            line.push(byte[0]);
        }
        None
    }
}

impl Guardian for Posted {
    fn watch(&mut self, span: Span) -> Presence {
        // It says nothing before it is released, except when it ends.
        if readable(&self.answers, span) { Presence::Lost } else { Presence::Present }
    }

    fn release(mut self: Box<Self>) -> Release {
        self.orders = None;
        let answer = self.answer(self.answer_within);
        if answer.is_some() {
            let _awaited = self.child.wait();
        }
        match answer {
            None => Release::Lost,
            Some(line) if line == UNDONE => Release::Undone,
            Some(line) => Release::Failed(line),
        }
    }
}

/// Whether there is something to read, or the other end has closed, within `span`.
fn readable(pipe: &impl AsFd, span: Span) -> bool {
    let milliseconds = span.milliseconds().max(0);
    let timeout =
        Timespec { tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000 };
    let mut polled = [PollFd::new(pipe, PollFlags::IN)];
    loop {
        match poll(&mut polled, Some(&timeout)) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            // A pipe that cannot be watched is as good as closed.
            Err(_) => return true,
        }
    }
}

/// The life of a guardian: take the order, be ready, wait for the pipe to close, undo, answer.
///
/// # Errors
/// That the order cannot be read; then it was never ready.
pub fn serve(host: &dyn Host) -> io::Result<()> {
    // Fails only if we lead a group already, and then Ctrl-C does not reach us either.
    let _session = rustix::process::setsid();
    let stdin = io::stdin();
    let mut line = String::new();
    BufReader::new(stdin.lock()).read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)?;
    let held = match hold(&order.undo, host) {
        Ok(held) => held,
        Err(what) => return say(&what),
    };
    say(READY)?;
    let _closed = readable(&stdin, Span::from_milliseconds(order.deadline_ms));
    let answer = match &order.undo {
        Undo::Resume(_) => resume(&held),
        Undo::Rollback(commands) => roll_back(commands),
    };
    // The injector may be gone: what matters is done.
    let _said = say(&answer);
    Ok(())
}

/// Holds what will be resumed, before it is paused: later the number could be another process's.
fn hold(undo: &Undo, host: &dyn Host) -> Result<Vec<Box<dyn Held>>, String> {
    let Undo::Resume(paused) = undo else { return Ok(Vec::new()) };
    paused
        .iter()
        .map(|paused| {
            let identity = Identity { pid: paused.pid, start_ticks: paused.start_ticks };
            let gone = || format!("finds no process with {identity}");
            let held = host.hold(paused.pid).ok().flatten().ok_or_else(gone)?;
            let process = host.process(paused.pid).ok().flatten().ok_or_else(gone)?;
            if process.identity == identity { Ok(held) } else { Err(gone()) }
        })
        .collect()
}

fn resume(held: &[Box<dyn Held>]) -> String {
    let failures: Vec<String> = held
        .iter()
        .filter_map(|held| held.signal(Signal::Continue).err())
        .map(|error| error.to_string())
        .collect();
    answer(&failures)
}

/// Runs every command, also after one of them has failed.
pub fn roll_back(commands: &[HookCommand]) -> String {
    let failures: Vec<String> = commands
        .iter()
        .filter_map(|command| match command.run() {
            HookEnd::Succeeded => None,
            HookEnd::Failed(what) => Some(what),
            HookEnd::TimedOut => Some(format!("'{}' took too long", command.shown())),
        })
        .collect();
    answer(&failures)
}

fn answer(failures: &[String]) -> String {
    if failures.is_empty() { UNDONE.to_owned() } else { failures.join("; ").replace('\n', " ") }
}

fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
