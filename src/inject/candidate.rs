//! Everything that the target of a plan means, before anybody is chosen.
//!
//! Owns the search on this host and the common shape of what a search finds. Containers and pods are found in their own
//! files and end up in the same shape. Refuses to judge: a forbidden process is a candidate, so that the guard sees
//! how broad a selector is.

use std::collections::BTreeMap;

use super::host::Host;
use super::outcome::{self, Code, Kind, Stop};
use super::pid_file::PidFile;
use super::plan::{Plan, ProcessTarget, Target};
use super::process::Process;
use super::selection::Selection;
use super::signal::Signal;
use super::user;
use crate::unit::{Span, Timestamp};

/// The kernel tells start times from a boot time in whole seconds, and clocks are slewed: so much younger than its pid
/// file a process may look without being another one.
const PID_FILE_TOLERANCE: Span = Span::from_seconds(2);

/// One thing that the target means.
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its pid, container id or pod uid.
    pub id: String,
    /// The namespace of a pod.
    pub namespace: Option<String>,
    /// Its labels; `None` if it is a process, which has none.
    pub labels: Option<BTreeMap<String, String>>,
    /// When it was started, as well as is known.
    pub started_at: Option<Timestamp>,
    /// What is hit.
    pub body: Body,
}

/// What is hit of a candidate.
pub enum Body {
    /// A process of this host.
    Process(Box<Process>),
    /// Something that only its engine or cluster can hit.
    Remote(Box<dyn Remote>),
}

/// Something that is hit by asking for it.
pub trait Remote {
    /// Asks. Returning means that it was done or has begun.
    ///
    /// # Errors
    /// How and why it did not come about.
    fn ask(&self, signal: Signal) -> Result<(), Stop>;

    /// Whether it has ended, waiting at most `span`.
    ///
    /// # Errors
    /// That the engine or cluster does not tell.
    fn watch(&self, span: Span) -> Result<super::signal::Watch, Stop>;
}

impl Candidate {
    /// The process that is signalled.
    pub fn process(&self) -> Option<&Process> {
        match &self.body {
            Body::Process(process) => Some(process),
            Body::Remote(_) => None,
        }
    }

    /// The line of the outcome, before anything happened.
    pub fn target(&self) -> outcome::Target {
        outcome::Target {
            kind: self.kind,
            name: self.name.clone(),
            id: self.id.clone(),
            pid: self.process().map(|process| process.identity.pid),
            namespace: self.namespace.clone(),
            started_at: self.started_at,
            signalled_at: None,
            exited_at: None,
            resumed_at: None,
        }
    }
}

/// What a search found.
pub struct Found {
    /// What the target means, sorted so that the same situation gives the same order.
    pub candidates: Vec<Candidate>,
    /// What every process among them must still be when it is hit; `None` for containers and pods.
    pub selection: Option<Selection>,
    /// How many more the target means that cannot be hit from here; they count as survivors.
    pub elsewhere: usize,
}

/// Finds what the target of the plan means.
///
/// # Errors
/// What cannot be read or is not supported. Finding nothing is no error.
pub fn find(plan: &Plan, host: &dyn Host) -> Result<Found, Stop> {
    match &plan.target {
        Target::Process(target) => processes(target, host),
        #[cfg(feature = "docker")]
        Target::Container(target) => super::container::find(target, host),
        #[cfg(not(feature = "docker"))]
        Target::Container(_) => Err(unsupported("container", "docker")),
        #[cfg(feature = "kubernetes")]
        Target::Kubernetes(target) => super::pod::find(target, host),
        #[cfg(not(feature = "kubernetes"))]
        Target::Kubernetes(_) => Err(unsupported("kubernetes", "kubernetes")),
    }
}

#[cfg(not(all(feature = "docker", feature = "kubernetes")))]
fn unsupported(target: &str, feature: &str) -> Stop {
    Stop::refused(
        Code::UnsupportedTarget,
        format!(
            "target '{target}' is not part of this build; build unfazed-inject with --features {feature}"
        ),
    )
}

fn processes(target: &ProcessTarget, host: &dyn Host) -> Result<Found, Stop> {
    let selection = selection(target, host)?;
    let pids = match selection.pid {
        Some(pid) => vec![pid],
        None => host.pids().map_err(|error| unreadable("the list of processes", &error))?,
    };
    let mut candidates = Vec::new();
    for pid in pids {
        let process =
            host.process(pid).map_err(|error| unreadable(&format!("process {pid}"), &error))?;
        let Some(process) = process.filter(|process| selection.means(process)) else { continue };
        candidates.push(candidate(process, host));
    }
    candidates.sort_by_key(|candidate| candidate.process().map(|process| process.identity));
    if let (Some(path), [candidate]) = (&target.pid_file, candidates.as_slice()) {
        check_age(path, candidate, host)?;
    }
    Ok(Found { candidates, selection: Some(selection), elsewhere: 0 })
}

fn selection(target: &ProcessTarget, host: &dyn Host) -> Result<Selection, Stop> {
    let user = match &target.user {
        None => None,
        Some(name) => {
            let number = user::number(name).map_err(|error| unreadable("/etc/passwd", &error))?;
            Some(number.ok_or_else(|| {
                Stop::refused(Code::UnknownUser, format!("there is no user '{name}' here"))
            })?)
        }
    };
    let pid = match &target.pid_file {
        None => None,
        Some(path) => Some(PidFile::read(path, host.own_user())?.pid),
    };
    Ok(Selection {
        name: target.name.clone(),
        arguments: target.arguments.clone(),
        command_line: target.command_line.clone(),
        cgroup: target.cgroup.clone(),
        pid,
        user,
    })
}

fn candidate(process: Process, host: &dyn Host) -> Candidate {
    Candidate {
        kind: Kind::Process,
        name: process.name(),
        id: process.identity.pid.to_string(),
        namespace: None,
        labels: None,
        started_at: host.time_of_tick(process.identity.start_ticks),
        body: Body::Process(Box::new(process)),
    }
}

/// A process that is younger than the file with its pid got the number of one that has ended.
fn check_age(path: &str, candidate: &Candidate, host: &dyn Host) -> Result<(), Stop> {
    let file = PidFile::read(path, host.own_user())?;
    let same = candidate.process().is_some_and(|process| process.identity.pid == file.pid);
    let Some(started_at) = candidate.started_at.filter(|_| same) else {
        return Err(Stop::refused(
            Code::PidFileStale,
            format!("whether pid file '{path}' still names the same process cannot be told"),
        ));
    };
    if started_at > file.written_at.plus(PID_FILE_TOLERANCE) {
        return Err(Stop::refused(
            Code::PidFileStale,
            format!(
                "pid file '{path}' was written at {}, but process {} was started at {started_at}: the number has been reused",
                file.written_at, file.pid
            ),
        ));
    }
    Ok(())
}

/// The host cannot be read.
pub(super) fn unreadable(what: &str, error: &std::io::Error) -> Stop {
    Stop::failed(Code::HostUnreadable, format!("{what} cannot be read: {error}"))
}
