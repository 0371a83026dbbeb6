//! What is done to the chosen targets, and what of it was seen to have happened.
//!
//! Owns the actions: signal and watch, pause and resume, hook and roll back. Looks at the time before every signal, undoes
//! on every path what must not last, and calls done only what it has seen. Refuses to choose or to examine: what it gets
//! is held.

use super::candidate;
use super::guard::{self, Since};
use super::guardian::{Guardian, Paused, Presence, Release, Undo, roll_back};
use super::hook::{HookCommand, HookEnd, Variable};
use super::injection::Context;
use super::outcome::{Code, Ending, Kind, Stop, Target};
use super::plan::{Action, Hook, Plan};
use super::process::{Identity, State};
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

/// A hand on one target.
pub(super) enum Grip<'a> {
    /// A process of this host, held.
    Process { identity: Identity, held: Box<dyn Held> },
    /// Something that is asked for.
    Remote(&'a dyn candidate::Remote),
}

/// One injection in progress.
pub(super) struct Strike<'a, 'b> {
    pub(super) plan: &'a Plan,
    pub(super) since: Since,
    pub(super) context: &'a Context<'b>,
    pub(super) grips: Vec<Grip<'a>>,
    pub(super) targets: &'a mut Vec<Target>,
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
    /// Does what the plan says to every target.
    pub(super) fn carry_out(mut self) -> Result<Ending, Stop> {
        match &self.plan.action {
            Action::Kill => self.end(Signal::Kill, KILL_TAKES),
            Action::Terminate => self.end(Signal::Terminate, TERMINATE_TAKES),
            Action::Pause(span) => self.pause(*span),
            Action::Resume => self.resume(),
            Action::Hook(hook) => self.hook(hook),
        }
    }

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
                format!("'{}' took more than {} ms", command.shown(), command.timeout_ms),
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
