//! What was asked for: one plan, checked.
//!
//! Owns the words of a plan. Refuses to know how it is written down (that is `document`'s), the host and the time.

use serde::Deserialize;

use crate::unit::{Span, Timestamp, Window};

/// The label that every pod must carry, unless the plan names another one.
pub const OPT_IN_LABEL: &str = "chaos-target";

/// One injection, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The run it belongs to.
    pub run_id: String,
    /// The iteration it belongs to.
    pub iteration: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceases to be valid.
    pub expires_at: Timestamp,
    /// Digest of the experiment it was made from.
    pub digest: Option<String>,
    /// Who asked.
    pub actor: Option<String>,
    /// The change ticket.
    pub ticket: Option<String>,
    /// Whom it hits.
    pub target: Target,
    /// What is done.
    pub action: Action,
    /// How many targets are hit.
    pub count: u32,
    /// What must hold whatever the count says.
    pub limits: Limits,
    /// What must never be touched, on top of what never is.
    pub protected: Protected,
    /// When it may happen; `None`: at any time until the expiry.
    pub window: Option<Window>,
}

/// Whom a plan hits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Processes on this host.
    Process(ProcessTarget),
    /// Containers of the local engine.
    Container(ContainerTarget),
    /// Kubernetes pods.
    Kubernetes(PodTarget),
}

/// Processes on this host. All given keys must hold; one of name, command line, pid file and cgroup must be given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessTarget {
    /// The exact name, see [`selection`](super::selection).
    #[serde(default)]
    pub name: Option<String>,
    /// Words that have to follow each other in the command line.
    #[serde(default)]
    pub arguments: Option<String>,
    /// The whole command line, word by word.
    #[serde(default)]
    pub command_line: Option<String>,
    /// The absolute path of a file that holds the pid.
    #[serde(default)]
    pub pid_file: Option<String>,
    /// The exact path of the control group, as `/proc/PID/cgroup` tells it.
    #[serde(default)]
    pub cgroup: Option<String>,
    /// The user, by name or number. Naming a user allows hitting that user's processes.
    #[serde(default)]
    pub user: Option<String>,
}

/// Containers of the local engine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerTarget {
    /// A label as `key=value`.
    #[serde(default)]
    pub label: Option<String>,
    /// The exact name.
    #[serde(default)]
    pub name: Option<String>,
    /// How it is hit.
    #[serde(default)]
    pub via: ContainerMeans,
}

/// How a container is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerMeans {
    /// The host pid of its main process is signalled: the restart policy acts, as it would after a crash.
    #[default]
    Process,
    /// The engine is asked. It takes this for the wish of a person, and its restart policy does not act.
    Api,
}

/// Kubernetes pods.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodTarget {
    /// The namespace.
    pub namespace: String,
    /// Equality-based label selector; every term must hold.
    pub selector: String,
    /// The process to hit inside the pod; without it the main process of the pod's containers.
    #[serde(default)]
    pub process: Option<String>,
    /// The label that the pod must carry; without it `chaos-target`.
    #[serde(default)]
    pub opt_in: Option<String>,
    /// How it is hit.
    #[serde(default)]
    pub via: PodMeans,
}

/// How a pod is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PodMeans {
    /// A process of it on this node is signalled.
    #[default]
    Process,
    /// The pod is deleted, if it still has the uid that was examined.
    Delete,
    /// The pod is evicted, which the disruption budget may forbid.
    Evict,
}

/// What is done to each chosen target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Terminate,
    /// SIGSTOP, and SIGCONT after the span.
    Pause(Span),
    /// SIGCONT.
    Resume,
    /// A command of the user's own.
    Hook(Hook),
}

impl Action {
    /// The word in the plan.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Terminate => "terminate",
            Self::Pause(_) => "pause",
            Self::Resume => "resume",
            Self::Hook(_) => "hook",
        }
    }

    /// The longest time that the fault may be in place.
    pub fn lasts(&self) -> Span {
        match self {
            Self::Kill | Self::Terminate | Self::Resume => Span::ZERO,
            Self::Pause(span) => *span,
            Self::Hook(hook) => hook.timeout.plus(hook.hold),
        }
    }
}

/// A command, its time limit and what undoes it. Started without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Program and arguments of what undoes it.
    pub rollback: Option<Vec<String>>,
    /// How long either may take.
    pub timeout: Span,
    /// How long to wait between the two.
    pub hold: Span,
}

/// What must hold whatever the count says.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most targets hit.
    pub max_kills: u32,
    /// Largest hit share of the targets that exist, in [0, 1].
    pub max_share: f64,
    /// Fewest targets left.
    pub min_survivors: u32,
}

/// What must never be touched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protected {
    /// Process and container names.
    #[serde(default)]
    pub processes: Vec<String>,
    /// Namespaces.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Labels, as `key` or `key=value`.
    #[serde(default)]
    pub labels: Vec<String>,
}
