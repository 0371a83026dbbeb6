//! Every rule that refuses, in order, each failing closed and with a code of its own.
//!
//! Owns the rules and nothing else: values come in, a refusal or nothing comes out. Refuses to choose among targets: one
//! forbidden process among those that a selector means refuses the whole plan, since such a selector is wrong.
//!
//! The order: time → kills asked for → somebody there → each candidate → how many there are. Time is checked again
//! before every signal.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Body, Candidate, Found};
use super::clock::Clock;
use super::host::Host;
use super::outcome::{Code, Kind, Stop};
use super::plan::{Action, OPT_IN_LABEL, Plan, Target};
use super::process::{Process, State};
use super::selection::could_bear;
use crate::unit::{Span, Timestamp};

/// Nobody experiments on these: losing one takes the host, the way to it, or the injector's own ground away.
pub const NEVER_PROCESSES: [&str; 19] = [
    "init",
    "systemd",
    "systemd-journald",
    "systemd-logind",
    "systemd-udevd",
    "dbus-daemon",
    "dbus-broker",
    "sshd",
    "auditd",
    "dockerd",
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v2",
    "crio",
    "conmon",
    "kubelet",
    "kube-proxy",
    "unfazed",
    "unfazed-inject",
];

/// The cluster's own namespaces.
pub const NEVER_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Two hosts' clocks differ by no more than this when they are kept at all.
const CLOCKS_AGREE: Span = Span::from_seconds(60);

/// A clock that is slewed moves by 0.05 %; more than this in one injection is a step.
const CLOCK_STEP: Span = Span::from_seconds(2);

/// Longest line of ancestors that is followed; longer is a loop.
const MOST_ANCESTORS: usize = 4096;

/// The moment from which both clocks are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    wall: Timestamp,
    elapsed: Span,
}

impl Since {
    /// Reads both clocks.
    pub fn begin(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), elapsed: clock.elapsed() }
    }
}

/// The plan is valid now, its window is open until the fault has ended, and the clock can be believed.
///
/// # Errors
/// The refusal.
pub fn time(plan: &Plan, since: Since, clock: &dyn Clock) -> Result<(), Stop> {
    let now = clock.now();
    let walked = now.since(since.wall).milliseconds();
    let ran = clock.elapsed().milliseconds() - since.elapsed.milliseconds();
    if walked.abs_diff(ran) > CLOCK_STEP.milliseconds().unsigned_abs() {
        return Err(Stop::refused(
            Code::ClockJumped,
            format!(
                "the wall clock went {walked} ms while {ran} ms passed; make a new plan when it is settled"
            ),
        ));
    }
    if plan.created_at > now.plus(CLOCKS_AGREE) {
        return Err(Stop::refused(
            Code::PlanFromTheFuture,
            format!(
                "the plan was made at {}, and here it is {now}; the clocks differ by more than {CLOCKS_AGREE}",
                plan.created_at
            ),
        ));
    }
    if now >= plan.expires_at {
        return Err(Stop::refused(
            Code::PlanExpired,
            format!("the plan expired at {}, and it is {now}; make a new one", plan.expires_at),
        ));
    }
    let Some(window) = plan.window else { return Ok(()) };
    let until = now.plus(plan.action.lasts());
    if !window.contains(now) || until > window.end {
        return Err(Stop::refused(
            Code::OutsideWindow,
            format!(
                "the fault would be in place from {now} to {until}; the window is open from {} to {}",
                window.start, window.end
            ),
        ));
    }
    Ok(())
}

/// The plan asks for no more than it allows.
///
/// # Errors
/// The refusal.
pub fn kills(plan: &Plan) -> Result<(), Stop> {
    if plan.count > plan.limits.max_kills {
        return Err(Stop::refused(
            Code::MaxKills,
            format!("count is {}, and max_kills {}", plan.count, plan.limits.max_kills),
        ));
    }
    Ok(())
}

/// What the guard knows about the injector itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    own_pid: i32,
    own_user: u32,
    ancestors: BTreeSet<i32>,
    own_container: Option<String>,
}

impl Ground {
    /// Reads the injector's own process and the line of its ancestors.
    ///
    /// # Errors
    /// That the line cannot be read to its end: then nobody can be told not to be in it.
    pub fn read(host: &dyn Host) -> Result<Self, Stop> {
        let unknown = |what: String| Stop::refused(Code::AncestorsUnknown, what);
        let own_pid = host.own_pid();
        let mut ancestors = BTreeSet::new();
        let mut own_container = None;
        let mut pid = own_pid;
        // The parent of the first process of a pid namespace is 0.
        while pid > 0 {
            let process = host
                .process(pid)
                .map_err(|error| unknown(format!("process {pid} cannot be read: {error}")))?
                .ok_or_else(|| unknown(format!("process {pid} ended while it was looked at")))?;
            if pid == own_pid {
                own_container = process.container_id();
            } else if !ancestors.insert(pid) {
                return Err(unknown(format!("process {pid} is its own ancestor")));
            }
            if ancestors.len() > MOST_ANCESTORS {
                return Err(unknown(format!("more than {MOST_ANCESTORS} ancestors")));
            }
            pid = process.parent;
        }
        Ok(Self { own_pid, own_user: host.own_user(), ancestors, own_container })
    }
}

/// None of those that the target means is forbidden, and there is somebody.
///
/// # Errors
/// The refusal, for the first candidate that is forbidden.
pub fn candidates(plan: &Plan, found: &Found, ground: &Ground) -> Result<(), Stop> {
    if found.candidates.is_empty() && found.elsewhere > 0 {
        return Err(Stop::no_target(
            Code::NothingMatched,
            format!("none of the {} that match has such a process on this node", found.elsewhere),
        ));
    }
    if found.candidates.is_empty() {
        return Err(Stop::no_target(
            Code::NothingMatched,
            "nothing matches the target; names are compared whole, see --help",
        ));
    }
    let named_user = found.selection.as_ref().and_then(|selection| selection.user);
    found
        .candidates
        .iter()
        .try_for_each(|candidate| self::candidate(plan, candidate, named_user, ground))
}

/// One candidate is not forbidden.
///
/// # Errors
/// The refusal.
pub fn candidate(
    plan: &Plan,
    candidate: &Candidate,
    named_user: Option<u32>,
    ground: &Ground,
) -> Result<(), Stop> {
    match &candidate.body {
        Body::Process(process) => {
            self::process(process, ground)?;
            own_user(candidate, process, named_user, ground)?;
            protected_process(plan, candidate, Some(process))?;
            labels_known(plan, candidate, process, ground)?;
            if matches!(plan.action, Action::Pause(_)) && process.state == State::Stopped {
                return Err(Stop::refused(
                    Code::AlreadyStopped,
                    format!("{} is already stopped", shown(candidate)),
                ));
            }
        }
        Body::Remote(_) => {
            protected_process(plan, candidate, None)?;
            if matches!(plan.action, Action::Pause(_) | Action::Resume) {
                return Err(Stop::refused(
                    Code::UnsupportedAction,
                    format!(
                        "{} cannot be done by asking for it; use via: process",
                        plan.action.word()
                    ),
                ));
            }
        }
    }
    namespace(plan, candidate)?;
    labels(plan, candidate)?;
    opted_in(plan, candidate)
}

/// As many as are to be hit can be hit from here.
///
/// # Errors
/// The refusal.
pub fn within_reach(plan: &Plan, found: &Found) -> Result<(), Stop> {
    let here = found.candidates.len();
    if here < plan.count as usize {
        return Err(Stop::refused(
            Code::NotEnoughTargets,
            format!("count is {}, and {here} of those that match run on this node", plan.count),
        ));
    }
    Ok(())
}

/// The kill leaves enough.
///
/// # Errors
/// The refusal.
pub fn arithmetic(plan: &Plan, considered: usize) -> Result<(), Stop> {
    // More processes than a u32 counts exist nowhere; if they did, the share would only look larger.
    let considered = u32::try_from(considered).unwrap_or(u32::MAX);
    let Some(survivors) = considered.checked_sub(plan.count) else {
        return Err(Stop::refused(
            Code::NotEnoughTargets,
            format!("count is {}, and {considered} match", plan.count),
        ));
    };
    let limits = plan.limits;
    // 1 of 3 within "0.3333333333": a rounding of the limit's last digit must not refuse.
    if f64::from(plan.count) > limits.max_share * f64::from(considered) + 1e-9 {
        return Err(Stop::refused(
            Code::MaxShare,
            format!("{} of {considered} is more than the share {}", plan.count, limits.max_share),
        ));
    }
    if survivors < limits.min_survivors {
        return Err(Stop::refused(
            Code::MinSurvivors,
            format!(
                "{} of {considered} leaves {survivors}, and min_survivors is {}",
                plan.count, limits.min_survivors
            ),
        ));
    }
    Ok(())
}

fn process(process: &Process, ground: &Ground) -> Result<(), Stop> {
    let pid = process.identity.pid;
    let refuse = |code, what: &str| {
        Err(Stop::refused(code, format!("process {pid} ({}) {what}", process.name())))
    };
    if pid <= 1 {
        return refuse(Code::PidTooLow, "is the first one of this host");
    }
    if pid == ground.own_pid || process.thread_group == ground.own_pid {
        return refuse(Code::OwnProcess, "is the injector itself");
    }
    if ground.ancestors.contains(&pid) {
        return refuse(Code::Ancestor, "started the injector");
    }
    if process.kernel_thread {
        return refuse(Code::KernelThread, "is a thread of the kernel");
    }
    if process.thread_group != pid {
        return refuse(Code::NotAProcess, "is a thread of another process");
    }
    Ok(())
}

/// Addressing a container or a pod names its processes, whatever user they run as; addressing a process does not.
fn own_user(
    candidate: &Candidate,
    process: &Process,
    named_user: Option<u32>,
    ground: &Ground,
) -> Result<(), Stop> {
    let allowed = named_user.unwrap_or(ground.own_user);
    let users = process.users;
    if candidate.kind != Kind::Process || (users.real == allowed && users.effective == allowed) {
        return Ok(());
    }
    Err(Stop::refused(
        Code::OtherUser,
        format!(
            "{} runs as user {} (real {}), and user {allowed} is allowed; name the user in the target to allow it",
            shown(candidate),
            users.effective,
            users.real
        ),
    ))
}

fn protected_process(
    plan: &Plan,
    candidate: &Candidate,
    process: Option<&Process>,
) -> Result<(), Stop> {
    let by_plan = plan.protected.processes.iter().map(String::as_str);
    let mut names = NEVER_PROCESSES.into_iter().chain(by_plan);
    let hit = names.find(|name| {
        let by_process = process.is_some_and(|process| could_bear(process, name.as_bytes()));
        by_process || candidate.name == *name
    });
    match hit {
        None => Ok(()),
        Some(name) => Err(Stop::refused(
            Code::ProtectedProcess,
            format!("{} bears the protected name '{name}'", shown(candidate)),
        )),
    }
}

/// A process target that lives in a container has labels which a search among processes does not see.
fn labels_known(
    plan: &Plan,
    candidate: &Candidate,
    process: &Process,
    ground: &Ground,
) -> Result<(), Stop> {
    let protects = !plan.protected.labels.is_empty() || !plan.protected.namespaces.is_empty();
    let container = process.container_id().filter(|id| ground.own_container.as_ref() != Some(id));
    match container {
        Some(container) if protects && candidate.labels.is_none() => Err(Stop::refused(
            Code::LabelsUnknown,
            format!(
                "{} lives in container {container}, whose labels a process target does not see; address the container",
                shown(candidate)
            ),
        )),
        _ => Ok(()),
    }
}

fn namespace(plan: &Plan, candidate: &Candidate) -> Result<(), Stop> {
    let Some(namespace) = candidate.namespace.as_deref() else { return Ok(()) };
    let mut by_plan = plan.protected.namespaces.iter();
    if NEVER_NAMESPACES.contains(&namespace) || by_plan.any(|name| name == namespace) {
        return Err(Stop::refused(
            Code::ProtectedNamespace,
            format!("{} is in the protected namespace '{namespace}'", shown(candidate)),
        ));
    }
    Ok(())
}

fn labels(plan: &Plan, candidate: &Candidate) -> Result<(), Stop> {
    let Some(labels) = &candidate.labels else { return Ok(()) };
    match plan.protected.labels.iter().find(|label| carries(labels, label)) {
        None => Ok(()),
        Some(label) => Err(Stop::refused(
            Code::ProtectedLabel,
            format!("{} carries the protected label '{label}'", shown(candidate)),
        )),
    }
}

/// A pod must carry the label that opts in, and its value must not take that back.
fn opted_in(plan: &Plan, candidate: &Candidate) -> Result<(), Stop> {
    let (Target::Kubernetes(target), Some(labels)) = (&plan.target, &candidate.labels) else {
        return Ok(());
    };
    let label = target.opt_in.as_deref().unwrap_or(OPT_IN_LABEL);
    let key = label.split('=').next().unwrap_or(label);
    let taken_back = labels.get(key).is_some_and(|value| {
        ["", "false", "no", "off", "never", "disabled"].contains(&value.as_str())
    });
    if carries(labels, label) && !taken_back {
        return Ok(());
    }
    Err(Stop::refused(
        Code::NotOptedIn,
        format!("{} does not carry the label '{label}' that opts in", shown(candidate)),
    ))
}

/// Whether labels hold `key`, or `key=value`.
fn carries(labels: &BTreeMap<String, String>, label: &str) -> bool {
    match label.split_once('=') {
        None => labels.contains_key(label),
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
    }
}

fn shown(candidate: &Candidate) -> String {
    let kind = match candidate.kind {
        Kind::Process => "process",
        Kind::Container => "container",
        Kind::Pod => "pod",
    };
    format!("{kind} {} ({})", candidate.id, candidate.name)
}
