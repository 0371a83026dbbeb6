//! A command of the user's own, with a time limit.
//!
//! Owns the running of one command: no shell, nothing on its standard input, its output on our standard error, and
//! its whole process group ended when its time is over. Refuses to know whether it injects or undoes.
//!
//! Limit: a hook that still runs when the injector is killed is not ended; its rollback runs all the same.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal as KernelSignal, kill_process_group};
use serde::{Deserialize, Serialize};

use super::signal::{Held, PidFd, Watch};
use crate::unit::Span;

/// What a hook gets between SIGTERM and SIGKILL.
const GRACE: Span = Span::from_seconds(1);

/// One command with what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookCommand {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment variables on top of the injector's own.
    pub environment: Vec<Variable>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: i64,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How a hook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookEnd {
    /// With exit code 0.
    Succeeded,
    /// With anything else, or not started.
    Failed(String),
    /// Not by itself.
    TimedOut,
}

impl HookCommand {
    /// Runs it to its end.
    pub fn run(&self) -> HookEnd {
        let shown = self.shown();
        let mut child = match self.start() {
            Ok(child) => child,
            Err(error) => return HookEnd::Failed(format!("'{shown}' cannot be started: {error}")),
        };
        match self.await_end(&mut child) {
            Ok(Watch::Running) => HookEnd::TimedOut,
            Ok(Watch::Exited) => match child.wait() {
                Ok(status) if status.success() => HookEnd::Succeeded,
                Ok(status) => HookEnd::Failed(format!("'{shown}' ended with {status}")),
                Err(error) => HookEnd::Failed(format!("'{shown}' cannot be awaited: {error}")),
            },
            Err(error) => {
                end_group(&mut child);
                HookEnd::Failed(format!("'{shown}' cannot be watched: {error}"))
            }
        }
    }

    /// The program alone: its arguments may hold secrets, and outcomes and journals are read by many.
    pub fn shown(&self) -> String {
        match self.command.as_slice() {
            [] => String::new(),
            [program] => program.clone(),
            [program, ..] => format!("{program} …"),
        }
    }

    fn start(&self) -> io::Result<Child> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "there is no program"))?;
        Command::new(program)
            .args(arguments)
            .envs(self.environment.iter().map(|variable| (&variable.name, &variable.value)))
            .stdin(Stdio::null())
            .stdout(Stdio::from(io::stderr()))
            .process_group(0)
            .spawn()
    }

    fn await_end(&self, child: &mut Child) -> io::Result<Watch> {
        let pid = Pid::from_child(child).as_raw_pid();
        // Our own child keeps its number until we have awaited it.
        let held = PidFd::open(pid)?.ok_or_else(|| io::Error::other("it has no number"))?;
        if held.watch(Span::from_milliseconds(self.timeout_ms))? == Watch::Exited {
            return Ok(Watch::Exited);
        }
        let group = Pid::from_child(child);
        // A group that has just ended by itself is what we want.
        let _ended = kill_process_group(group, KernelSignal::TERM);
        let _watched = held.watch(GRACE);
        end_group(child);
        Ok(Watch::Running)
    }
}

fn end_group(child: &mut Child) {
    let _ended = kill_process_group(Pid::from_child(child), KernelSignal::KILL);
    let _awaited = child.wait();
}
