//! What came of a plan, and why.
//!
//! Owns the outcome document, its reason codes and its exit codes. Refuses to know how a target is found or hit.

use std::process::ExitCode;

use serde::Serialize;

use crate::unit::Timestamp;

/// The name of the outcome format.
pub const SCHEMA: &str = "unfazed.outcome/v1";

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The fault was carried out on every chosen target, whatever the action.
    Killed,
    /// Every rule was passed and nothing was touched, because nobody said `--live`.
    DryRun,
    /// A rule said no. Nothing was touched.
    Refused,
    /// There was nobody to hit. Nothing was touched.
    NoTarget,
    /// Something was tried and did not, or not wholly, come about.
    Failed,
}

macro_rules! codes {
    ($($variant:ident = $text:literal, $doc:literal;)*) => {
        /// Why it ended so: one word for machines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $doc] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in the document.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    MalformedPlan = "malformed_plan", "The plan cannot be read or contradicts itself.";
    PlanExpired = "plan_expired", "The plan is past its expiry.";
    PlanFromTheFuture = "plan_from_the_future", "The plan was made later than this host's clock says it is.";
    OutsideWindow = "outside_window", "The plan's time window is not open, or closes before the fault would end.";
    ClockJumped = "clock_jumped", "The wall clock stepped while the plan was examined.";
    UnsupportedTarget = "unsupported_target", "This build has no hands for that kind of target.";
    UnsupportedAction = "unsupported_action", "That kind of target cannot be hit in that way.";
    MaxKills = "max_kills", "The count is above the limit of kills.";
    NothingMatched = "nothing_matched", "Nothing matched the target.";
    TargetGone = "target_gone", "The target ended by itself before it was hit.";
    TargetChanged = "target_changed", "The target is no longer what was examined.";
    PidTooLow = "pid_too_low", "A pid of 1 or below is nobody's target.";
    OwnProcess = "own_process", "The target is the injector itself.";
    Ancestor = "ancestor", "The target started the injector, directly or not.";
    AncestorsUnknown = "ancestors_unknown", "The injector's own ancestors cannot be read.";
    KernelThread = "kernel_thread", "The target is a thread of the kernel.";
    NotAProcess = "not_a_process", "The number is that of a thread.";
    OtherUser = "other_user", "The target runs as a user that the plan does not name.";
    UnknownUser = "unknown_user", "The user that the plan names does not exist here.";
    ProtectedProcess = "protected_process", "The target bears a protected name.";
    ProtectedNamespace = "protected_namespace", "The target lives in a protected namespace.";
    ProtectedLabel = "protected_label", "The target bears a protected label.";
    LabelsUnknown = "labels_unknown", "Labels are protected, and those of the target cannot be read.";
    NotOptedIn = "not_opted_in", "The target does not carry the label that opts in.";
    PidNotInContainer = "pid_not_in_container", "The engine and the kernel do not agree whose pid it is.";
    AmbiguousProcess = "ambiguous_process", "The pod has several containers and the plan names no process.";
    AlreadyStopped = "already_stopped", "The target was stopped by somebody else: resuming it would undo their work.";
    NotEnoughTargets = "not_enough_targets", "Fewer targets exist than the plan wants to hit.";
    MaxShare = "max_share", "The hit share of the targets would be above its limit.";
    MinSurvivors = "min_survivors", "Fewer targets would be left than must be.";
    PidFileUnsafe = "pid_file_unsafe", "Others could have written the pid file.";
    PidFileGarbage = "pid_file_garbage", "The pid file does not hold one pid.";
    PidFileMissing = "pid_file_missing", "There is no pid file.";
    PidFileStale = "pid_file_stale", "The process is younger than the pid file that names it.";
    JournalUnwritable = "journal_unwritable", "The intent could not be recorded.";
    AnotherInjection = "another_injection", "Another injection holds the journal.";
    ParentGone = "parent_gone", "Whoever started the injector and had to be there has ended.";
    HostUnreadable = "host_unreadable", "The host's processes cannot be read.";
    NotPermitted = "not_permitted", "The kernel does not let this user signal the target.";
    StillRunning = "still_running", "The target was signalled and did not end.";
    NotPaused = "not_paused", "The target was signalled and did not stop.";
    NotResumed = "not_resumed", "The target is still stopped.";
    PartlyCarriedOut = "partly_carried_out", "Some of the chosen targets were hit and some were not.";
    HookFailed = "hook_failed", "The hook ended with an error.";
    HookTimedOut = "hook_timed_out", "The hook did not end in time.";
    RollbackFailed = "rollback_failed", "The rollback ended with an error or not in time.";
    GuardianUnavailable = "guardian_unavailable", "The child that would undo the fault could not be started.";
    EngineUnreachable = "engine_unreachable", "The container engine or the cluster does not answer.";
    EngineRefused = "engine_refused", "The container engine or the cluster answered with an error.";
    DisruptionBudget = "disruption_budget", "The cluster's disruption budget forbids the eviction.";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A code for machines and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The code.
    pub code: Code,
    /// The sentence.
    pub message: String,
}

/// The end of an injection before its plan was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// How it ended.
    pub ending: Ending,
    /// Why.
    pub reason: Reason,
}

impl Stop {
    /// A rule said no.
    pub fn refused(code: Code, message: impl Into<String>) -> Self {
        Self::new(Ending::Refused, code, message)
    }

    /// There is nobody to hit.
    pub fn no_target(code: Code, message: impl Into<String>) -> Self {
        Self::new(Ending::NoTarget, code, message)
    }

    /// Something did not come about.
    pub fn failed(code: Code, message: impl Into<String>) -> Self {
        Self::new(Ending::Failed, code, message)
    }

    fn new(ending: Ending, code: Code, message: impl Into<String>) -> Self {
        Self { ending, reason: Reason { code, message: message.into() } }
    }
}

/// What kind of thing a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A process on this host.
    Process,
    /// A container of the local engine.
    Container,
    /// A Kubernetes pod.
    Pod,
}

/// One target, and what happened to it when. A time that did not come is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its pid, container id or pod uid.
    pub id: String,
    /// The host pid that is signalled; null for a call to the engine or the cluster.
    pub pid: Option<i32>,
    /// The namespace of a pod.
    pub namespace: Option<String>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it was hit.
    pub signalled_at: Option<Timestamp>,
    /// When it was seen to have ended.
    pub exited_at: Option<Timestamp>,
    /// When it was seen to run again after a pause.
    pub resumed_at: Option<Timestamp>,
}

/// The outcome document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The run of the plan; null if the plan could not be read.
    pub run_id: Option<String>,
    /// The iteration of the plan; null if the plan could not be read.
    pub iteration: Option<u32>,
    /// How it ended.
    pub outcome: Ending,
    /// Why; null when the fault was carried out, and on a dry run.
    pub reason: Option<Reason>,
    /// How many targets matched.
    pub considered: usize,
    /// The chosen ones.
    pub targets: Vec<Target>,
    /// What went wrong without changing how it ended.
    pub warnings: Vec<Reason>,
}

impl Outcome {
    /// The outcome of something that is no plan.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            run_id: None,
            iteration: None,
            outcome: Ending::Refused,
            reason: Some(Reason { code: Code::MalformedPlan, message: message.into() }),
            considered: 0,
            targets: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// What the command returns: 0 killed or dry run, 2 malformed plan, 5 refused or no target, 4 failed.
    pub fn exit(&self) -> Exit {
        let malformed =
            self.reason.as_ref().is_some_and(|reason| reason.code == Code::MalformedPlan);
        match self.outcome {
            Ending::Killed | Ending::DryRun => Exit::Done,
            Ending::Refused if malformed => Exit::Malformed,
            Ending::Refused | Ending::NoTarget => Exit::Refused,
            Ending::Failed => Exit::Failed,
        }
    }
}

/// The exit codes of `unfazed-inject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: killed or dry run.
    Done,
    /// 2: the plan or the command line is malformed.
    Malformed,
    /// 4: failed.
    Failed,
    /// 5: refused or no target.
    Refused,
}

impl Exit {
    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Malformed => 2,
            Self::Failed => 4,
            Self::Refused => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codes_share_a_word() {
        let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
