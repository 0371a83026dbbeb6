//! The order of it all: find, refuse, choose, hold, record, signal, watch.
//!
//! Owns the sequence and what counts as done. Everything before the signals only reads; the intent is on disk before
//! the first signal; each target is held by pidfd and examined again while held, so that what is hit is what was
//! examined. Nothing that was not seen to have happened is called done.

use super::candidate::{self, Body, Candidate, Found};
use super::choice::choose;
use super::clock::Clock;
use super::guard::{self, Ground, Since};
use super::guardian::{Guardian, Guardians, Paused, Presence, Release, Undo, roll_back};
use super::hook::{HookCommand, HookEnd, Variable};
use super::host::Host;
use super::journal::{Intent, Journal};
use super::outcome::{Code, Ending, Kind, Outcome, Reason, SCHEMA, Stop, Target};
use super::plan::{Action, Hook, Plan};
use super::process::{Identity, Process, State};
use super::signal::{Delivery, Held, Signal, Watch};
use crate::unit::Span;

/// A process that has not ended so long after SIGKILL hangs in the kernel.
const KILL_TAKES: Span = Span::from_seconds(10);

/// Kubernetes is patient with SIGTERM for 30 s, and so are many others; a little more tells a kill from a wait.
const TERMINATE_TAKES: Span = Span::from_seconds(35);

/// Stopping and resuming take microseconds.
const STATE_TAKES: Span = Span::from_seconds(2);

/// How often the state of a process is looked at while it is awaited.
const LOOK_EVERY: Span = Span::from_milliseconds(2);

/// A guardian undoes by itself so long after the injector should have had it undo.
const GUARDIAN_MARGIN: Span = Span::from_seconds(5);

/// Whether anything may be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is touched: everything else is done as it would be.
    DryRun,
    /// Somebody said `--live`.
    Live,
}

/// What the injection acts on and through.
pub struct Context<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Intent and outcome.
    pub journal: &'a mut dyn Journal,
    /// Those who undo.
    pub guardians: &'a dyn Guardians,
}

/// Carries out a plan, or says why not.
pub fn inject(plan: &Plan, mode: Mode, context: &mut Context<'_>) -> Outcome {
    let mut outcome = Outcome {
        schema: SCHEMA,
        run_id: Some(plan.run_id.clone()),
        iteration: Some(plan.iteration),
        outcome: Ending::Failed,
        reason: None,
        considered: 0,
        targets: Vec::new(),
        warnings: Vec::new(),
    };
    match attempt(plan, mode, context, &mut outcome) {
        Ok(ending) => outcome.outcome = ending,
        Err(stop) => {
            outcome.outcome = stop.ending;
            outcome.reason = Some(stop.reason);
        }
    }
    record(context, &mut outcome);
    outcome
}

/// Records the outcome. What was done stays done if that fails, so it becomes a warning.
pub fn record(context: &mut Context<'_>, outcome: &mut Outcome) {
    if let Err(error) = context.journal.outcome(context.clock.now(), outcome) {
        let message = format!("the outcome is not in the journal: {error}");
        outcome.warnings.push(Reason { code: Code::JournalUnwritable, message });
    }
}

fn attempt(
    plan: &Plan,
    mode: Mode,
    context: &mut Context<'_>,
    outcome: &mut Outcome,
) -> Result<Ending, Stop> {
    let since = Since::begin(context.clock);
    guard::time(plan, since, context.clock)?;
    guard::kills(plan)?;
    let found = candidate::find(plan, context.host)?;
    outcome.considered = found.candidates.len() + found.elsewhere;
    let ground = Ground::read(context.host)?;
    guard::candidates(plan, &found, &ground)?;
    guard::arithmetic(plan, outcome.considered)?;
    guard::within_reach(plan, &found)?;
    let places = choose(found.candidates.len(), plan.count as usize, &plan.run_id, plan.iteration);
    outcome.targets = places.iter().map(|place| found.candidates[*place].target()).collect();
    if mode == Mode::DryRun {
        return Ok(Ending::DryRun);
    }
    let chosen: Vec<&Candidate> = places.iter().map(|place| &found.candidates[*place]).collect();
    let grips = chosen
        .iter()
        .map(|candidate| grip(plan, candidate, &found, &ground, context.host))
        .collect::<Result<Vec<_>, Stop>>()?;
    write_intent(plan, context, outcome)?;
    // Syncing can take long.
    guard::time(plan, since, context.clock)?;
    let mut strike = Strike { plan, since, context, grips, targets: &mut outcome.targets };
    match &plan.action {
        Action::Kill => strike.end(Signal::Kill, KILL_TAKES),
        Action::Terminate => strike.end(Signal::Terminate, TERMINATE_TAKES),
        Action::Pause(span) => strike.pause(*span),
        Action::Resume => strike.resume(),
        Action::Hook(hook) => strike.hook(hook),
    }
}

fn write_intent(plan: &Plan, context: &mut Context<'_>, outcome: &Outcome) -> Result<(), Stop> {
    let boot_id =
        context.host.boot_id().map_err(|error| candidate::unreadable("the boot id", &error))?;
    let at = context.clock.now();
    let intent = Intent::new(at, plan, &boot_id, outcome.considered, &outcome.targets);
    context.journal.intent(&intent).map_err(|error| {
        Stop::refused(Code::JournalUnwritable, format!("the intent is not recorded: {error}"))
    })
}

/// A hand on one target.
enum Grip<'a> {
    Process { identity: Identity, held: Box<dyn Held> },
    Remote(&'a dyn candidate::Remote),
}

/// Holds a target, then examines what is held: from the hold on, the number cannot be handed on any more.
fn grip<'a>(
    plan: &Plan,
    candidate: &'a Candidate,
    found: &Found,
    ground: &Ground,
    host: &dyn Host,
) -> Result<Grip<'a>, Stop> {
    let examined = match &candidate.body {
        Body::Remote(remote) => return Ok(Grip::Remote(remote.as_ref())),
        Body::Process(process) => process,
    };
    let identity = examined.identity;
    let gone = || {
        Stop::no_target(
            Code::TargetGone,
            format!("{} ({}) ended before it was hit", identity, candidate.name),
        )
    };
    let held = host
        .hold(identity.pid)
        .map_err(|error| candidate::unreadable(&format!("process {}", identity.pid), &error))?
        .ok_or_else(gone)?;
    let now = host
        .process(identity.pid)
        .map_err(|error| candidate::unreadable(&format!("process {}", identity.pid), &error))?
        .filter(|now| now.identity == identity && now.state != State::Dead)
        .ok_or_else(gone)?;
    let selected = found.selection.as_ref().is_none_or(|selection| selection.means(&now));
    if !selected || !is_still(examined, &now) {
        return Err(Stop::refused(
            Code::TargetChanged,
            format!("{} ({}) runs another program or user now", identity, candidate.name),
        ));
    }
    let again = Candidate {
        kind: candidate.kind,
        name: candidate.name.clone(),
        id: candidate.id.clone(),
        namespace: candidate.namespace.clone(),
        labels: candidate.labels.clone(),
        started_at: candidate.started_at,
        body: Body::Process(Box::new(now)),
    };
    let named_user = found.selection.as_ref().and_then(|selection| selection.user);
    guard::candidate(plan, &again, named_user, ground)?;
    Ok(Grip::Process { identity, held })
}

/// The same process may have become another program by exec. Its titles may change as they like.
fn is_still(examined: &Process, now: &Process) -> bool {
    examined.users == now.users
        && examined.program == now.program
        && examined.container_id() == now.container_id()
        && examined.namespace_pids == now.namespace_pids
}

/// One injection in progress.
struct Strike<'a, 'b> {
    plan: &'a Plan,
    since: Since,
    context: &'a Context<'b>,
    grips: Vec<Grip<'a>>,
    targets: &'a mut Vec<Target>,
}

/// How far one target came.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// Seen to have happened.
    Done,
    /// It had ended before.
    Gone,
    /// It did not come about.
    Not(Stop),
}

impl Strike<'_, '_> {
    /// Ends every target and watches it end.
    fn end(&mut self, signal: Signal, takes: Span) -> Result<Ending, Stop> {
        let mut progress = self.send_to_all(signal);
        let deadline = self.context.clock.elapsed().plus(takes);
        for (place, progress) in progress.iter_mut().enumerate() {
            if *progress != Progress::Done {
                continue;
            }
            let left = deadline.milliseconds() - self.context.clock.elapsed().milliseconds();
            let watched = self.watch(place, Span::from_milliseconds(left.max(0)));
            match watched {
                Ok(Watch::Exited) => {
                    self.targets[place].exited_at = Some(self.context.clock.now());
                }
                Ok(Watch::Running) => {
                    *progress = Progress::Not(Stop::failed(
                        Code::StillRunning,
                        format!(
                            "{} has not ended {takes} after {}",
                            self.shown(place),
                            signal.name()
                        ),
                    ));
                }
                Err(stop) => *progress = Progress::Not(stop),
            }
        }
        self.judge(&progress)
    }

    /// Stops every target, lets the span pass, resumes them; on every path.
    fn pause(&mut self, span: Span) -> Result<Ending, Stop> {
        let paused = self
            .grips
            .iter()
            .filter_map(|grip| match grip {
                Grip::Process { identity, .. } => {
                    Some(Paused { pid: identity.pid, start_ticks: identity.start_ticks })
                }
                Grip::Remote(_) => None,
            })
            .collect();
        let deadline = span.plus(GUARDIAN_MARGIN);
        let mut guardian = self.context.guardians.post(&Undo::Resume(paused), deadline)?;
        let mut progress = self.send_to_all(Signal::Stop);
        let stopped = |state| state == State::Stopped;
        for (place, progress) in progress.iter_mut().enumerate() {
            if *progress == Progress::Done && !self.reaches(place, stopped) {
                let message = format!("{} did not stop", self.shown(place));
                *progress = Progress::Not(Stop::failed(Code::NotPaused, message));
            }
        }
        let all_stopped = progress.iter().all(|progress| *progress == Progress::Done);
        // A pause of some is not the experiment: it ends at once.
        let presence = if all_stopped { guardian.watch(span) } else { Presence::Present };
        let _released = guardian.release();
        // Once more by our own hand: resuming twice is harmless, and the guardian may have been lost.
        let resumed = self.resume_all();
        for (progress, resumed) in progress.iter_mut().zip(resumed) {
            if let (Progress::Done, Progress::Not(stop)) = (&*progress, resumed) {
                *progress = Progress::Not(stop);
            }
        }
        if presence == Presence::Lost && all_stopped {
            return Err(Stop::failed(
                Code::GuardianUnavailable,
                format!("the guardian was lost before {span} had passed; the pause was cut short"),
            ));
        }
        self.judge(&progress)
    }

    fn resume(&mut self) -> Result<Ending, Stop> {
        guard::time(self.plan, self.since, self.context.clock)?;
        let progress = self.resume_all();
        for (place, progress) in progress.iter().enumerate() {
            if *progress == Progress::Done {
                self.targets[place].signalled_at = self.targets[place].resumed_at;
            }
        }
        self.judge(&progress)
    }

    /// Resumes every target, also after one of them has failed.
    fn resume_all(&mut self) -> Vec<Progress> {
        let mut progress = Vec::new();
        for place in 0..self.grips.len() {
            let sent = self.send(place, Signal::Continue);
            let runs =
                sent == Progress::Done && self.reaches(place, |state| state != State::Stopped);
            progress.push(match sent {
                Progress::Done if runs => {
                    self.targets[place].resumed_at = Some(self.context.clock.now());
                    Progress::Done
                }
                Progress::Done => Progress::Not(Stop::failed(
                    Code::NotResumed,
                    format!("{} is still stopped", self.shown(place)),
                )),
                other => other,
            });
        }
        progress
    }

    /// Runs the hook once per target; its rollback once per target, whatever became of the hook.
    fn hook(&mut self, hook: &Hook) -> Result<Ending, Stop> {
        let hooks = self.commands(&hook.command, hook.timeout);
        let rollback = hook.rollback.as_ref().map(|words| self.commands(words, hook.timeout));
        let count = i64::try_from(hooks.len()).unwrap_or(i64::MAX);
        let deadline = hook.timeout.times(count).plus(hook.hold).plus(GUARDIAN_MARGIN);
        let guardian = match &rollback {
            None => None,
            Some(commands) => {
                let undo = Undo::Rollback(commands.clone());
                Some(self.context.guardians.post(&undo, deadline)?)
            }
        };
        let mut progress = Vec::new();
        for (place, command) in hooks.iter().enumerate() {
            progress.push(self.run_hook(place, command));
        }
        let all_done = progress.iter().all(|progress| *progress == Progress::Done);
        let rolled_back = match (guardian, &rollback) {
            (Some(guardian), Some(commands)) => {
                let hold = if all_done { hook.hold } else { Span::ZERO };
                undo(guardian, commands, hold)
            }
            _ => Ok(()),
        };
        let ending = self.judge(&progress);
        // Of two failures the one that leaves the fault in place matters more.
        rolled_back.and(ending)
    }

    fn run_hook(&mut self, place: usize, command: &HookCommand) -> Progress {
        if let Err(stop) = guard::time(self.plan, self.since, self.context.clock) {
            return Progress::Not(stop);
        }
        self.targets[place].signalled_at = Some(self.context.clock.now());
        match command.run() {
            HookEnd::Succeeded => Progress::Done,
            HookEnd::Failed(what) => Progress::Not(Stop::failed(Code::HookFailed, what)),
            HookEnd::TimedOut => Progress::Not(Stop::failed(
                Code::HookTimedOut,
                format!("'{}' took more than {} ms", command.command.join(" "), command.timeout_ms),
            )),
        }
    }

    fn commands(&self, words: &[String], timeout: Span) -> Vec<HookCommand> {
        let variable =
            |name: &str, value: &str| Variable { name: name.into(), value: value.into() };
        self.targets
            .iter()
            .map(|target| HookCommand {
                command: words.to_vec(),
                environment: vec![
                    variable("UNFAZED_RUN_ID", &self.plan.run_id),
                    variable("UNFAZED_ITERATION", &self.plan.iteration.to_string()),
                    variable("UNFAZED_TARGET_KIND", kind(target.kind)),
                    variable("UNFAZED_TARGET_NAME", &target.name),
                    variable("UNFAZED_TARGET_ID", &target.id),
                ],
                timeout_ms: timeout.milliseconds(),
            })
            .collect()
    }

    /// Sends to one after the other until one is not to be had, looking at the time before each.
    fn send_to_all(&mut self, signal: Signal) -> Vec<Progress> {
        let mut all = Vec::new();
        let mut stopped = None;
        for place in 0..self.grips.len() {
            let timely = match &stopped {
                Some(stop) => Err(Stop::clone(stop)),
                None => guard::time(self.plan, self.since, self.context.clock),
            };
            let progress = match timely {
                Ok(()) => self.send(place, signal),
                Err(stop) => Progress::Not(stop),
            };
            if let (Progress::Not(stop), None) = (&progress, &stopped) {
                stopped = Some(stop.clone());
            }
            if progress == Progress::Done {
                self.targets[place].signalled_at = Some(self.context.clock.now());
            }
            all.push(progress);
        }
        all
    }

    fn send(&self, place: usize, signal: Signal) -> Progress {
        match &self.grips[place] {
            Grip::Remote(remote) => match remote.ask(signal) {
                Ok(()) => Progress::Done,
                Err(stop) => Progress::Not(stop),
            },
            Grip::Process { held, .. } => match held.signal(signal) {
                Ok(Delivery::Sent) => Progress::Done,
                Ok(Delivery::Gone) => Progress::Gone,
                Err(error) => Progress::Not(Stop::failed(
                    Code::NotPermitted,
                    format!("{} to {} failed: {error}", signal.name(), self.shown(place)),
                )),
            },
        }
    }

    fn watch(&self, place: usize, span: Span) -> Result<Watch, Stop> {
        match &self.grips[place] {
            Grip::Remote(remote) => remote.watch(span),
            Grip::Process { held, .. } => {
                held.watch(span).map_err(|error| candidate::unreadable(&self.shown(place), &error))
            }
        }
    }

    /// Whether a process comes into a state soon. One that has ended counts: nothing holds it any more.
    fn reaches(&self, place: usize, wanted: impl Fn(State) -> bool) -> bool {
        let Grip::Process { identity, .. } = &self.grips[place] else { return false };
        let clock = self.context.clock;
        let deadline = clock.elapsed().plus(STATE_TAKES);
        loop {
            let process = self.context.host.process(identity.pid);
            let reached = match process {
                Ok(Some(now)) if now.identity == *identity => wanted(now.state),
                Ok(_) => wanted(State::Dead),
                Err(_) => false,
            };
            if reached || clock.elapsed() >= deadline {
                return reached;
            }
            clock.wait(LOOK_EVERY);
        }
    }

    fn shown(&self, place: usize) -> String {
        let target = &self.targets[place];
        format!("{} {} ({})", kind(target.kind), target.id, target.name)
    }

    /// All done is killed; nothing sent is refused, gone or failed for its own reason; anything between has failed.
    fn judge(&self, progress: &[Progress]) -> Result<Ending, Stop> {
        let done = progress.iter().filter(|progress| **progress == Progress::Done).count();
        if done == progress.len() && done > 0 {
            return Ok(Ending::Killed);
        }
        let first = progress.iter().find_map(|progress| match progress {
            Progress::Not(stop) => Some(stop.clone()),
            Progress::Done | Progress::Gone => None,
        });
        let stop = first.unwrap_or_else(|| {
            Stop::no_target(Code::TargetGone, "the target ended by itself before it was hit")
        });
        let touched = self.targets.iter().any(|target| target.signalled_at.is_some());
        if !touched {
            return Err(stop);
        }
        if done == 0 {
            return Err(Stop { ending: Ending::Failed, ..stop });
        }
        Err(Stop::failed(
            Code::PartlyCarriedOut,
            format!(
                "{done} of {} were hit; the first other: {}",
                progress.len(),
                stop.reason.message
            ),
        ))
    }
}

/// Has the guardian roll back after `hold`, or does it here if the guardian is lost.
fn undo(mut guardian: Box<dyn Guardian>, commands: &[HookCommand], hold: Span) -> Result<(), Stop> {
    let _presence = guardian.watch(hold);
    let failed = |what: String| Err(Stop::failed(Code::RollbackFailed, what));
    match guardian.release() {
        Release::Undone => Ok(()),
        Release::Failed(what) => failed(what),
        Release::Lost => {
            let answer = roll_back(commands);
            if answer == super::guardian::UNDONE { Ok(()) } else { failed(answer) }
        }
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Process => "process",
        Kind::Container => "container",
        Kind::Pod => "pod",
    }
}
