//! The Experiment document after all checks: what is claimed, of what, measured how.
//!
//! Plain data without invariants of its own beyond those that the walker has checked: names are unique, references
//! resolve, bounds are finite and in the metric's unit, windows are long enough for the deadline.

use std::collections::BTreeMap;

use crate::spec::claim::{Amount, Claim};
use crate::spec::selector::Selector;
use crate::unit::{Span, Unit};

/// A checked Experiment document.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.owner`.
    pub owner: String,
    /// `metadata.ticket`.
    pub ticket: Option<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// The claim in words.
    pub hypothesis: String,
    /// Where it runs.
    pub environment: String,
    /// One-sided level of every limit.
    pub confidence: f64,
    /// How many iterations are planned, if the document says so.
    pub iterations: Iterations,
    /// Lengths of the windows.
    pub windows: Windows,
    /// Where the numbers are.
    pub source: Source,
    /// What is measured, in document order.
    pub metrics: Vec<Metric>,
    /// When the service counts as recovered.
    pub recovery: Option<Recovery>,
    /// Conditions before and during a kill.
    pub safety: Safety,
    /// What is injected; absent when another tool injects.
    pub fault: Option<Fault>,
    /// Path of the runbook, relative to the document.
    pub runbook: Option<String>,
    /// `sha256:<hex>` of the document's bytes.
    pub digest: String,
}

/// Planned iterations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Iterations {
    /// Kills; absent when the document does not plan them.
    pub fault: Option<u32>,
    /// Same schedule without a kill.
    pub control: u32,
}

/// Lengths of an iteration's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Before the kill.
    pub baseline: Span,
    /// After the kill.
    pub experiment: Span,
    /// After recovery, before the next baseline.
    pub cooldown: Span,
    /// Greatest random addition to the cooldown.
    pub jitter: Span,
}

/// Where the numbers are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A recording directory; `None` is the one beside the document.
    Recording(Option<String>),
    /// A Prometheus-compatible server.
    Prometheus(PrometheusServer),
    /// The embedded collector.
    Scrape(Scrape),
}

/// How to reach a Prometheus-compatible server. Secrets are named, never held.
#[derive(Debug, Clone, PartialEq)]
pub struct PrometheusServer {
    /// Base URL.
    pub url: String,
    /// Step of range queries.
    pub step: Option<Span>,
    /// Name of the environment variable that holds a bearer token.
    pub bearer_token_env: Option<String>,
    /// Path of a file that holds a bearer token.
    pub bearer_token_file: Option<String>,
    /// User name for basic authentication.
    pub basic_user: Option<String>,
    /// Name of the environment variable that holds the password.
    pub basic_password_env: Option<String>,
    /// Further request headers (for example a tenant).
    pub headers: BTreeMap<String, String>,
    /// Path of a PEM file with the certificate authority to trust.
    pub ca_file: Option<String>,
    /// Path of a PEM file with the client certificate and its key.
    pub client_certificate_file: Option<String>,
}

/// The embedded collector's targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrape {
    /// URLs of `/metrics` endpoints.
    pub targets: Vec<String>,
    /// Interval between scrapes.
    pub every: Span,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name within the document.
    pub name: String,
    /// How it is measured.
    pub measure: Measure,
    /// The unit of its numbers.
    pub unit: Unit,
    /// Length of the slices of which the worst decides.
    pub worst: Option<Span>,
    /// The claim; none makes the metric exploratory.
    pub claim: Option<Claim>,
}

/// How a metric becomes one number per window.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Share of counted events.
    Ratio {
        /// The counted part.
        part: Selector,
        /// Whether the part is the bad or the good one. The ratio shown is part / total as written.
        counted: Counted,
        /// All events, the part included.
        total: Selector,
        /// Fewer events than this in a window carry no ratio.
        min_requests: u64,
    },
    /// A quantile of a histogram, classic or native.
    Histogram {
        /// Base name with matchers; `_bucket` and `_count` are implied.
        base: Selector,
        /// In (0, 1).
        quantile: f64,
    },
    /// A gauge reduced over the window.
    Gauge {
        /// Which series.
        selector: Selector,
        /// How samples become one number.
        reduce: Reduce,
        /// How series are joined at each moment.
        across: Across,
    },
    /// A counter's increase per second.
    Counter {
        /// Which series.
        selector: Selector,
    },
    /// A quantile of raw values, one row per request.
    Samples {
        /// Which series.
        selector: Selector,
        /// In [0, 1].
        quantile: f64,
    },
    /// |in − out| from the baseline's start to the experiment window's end.
    Balance {
        /// What came in.
        incoming: Selector,
        /// What went out.
        outgoing: Selector,
    },
    /// Any query; in a recording a series of exactly this name.
    Query {
        /// The expression.
        expression: String,
        /// How samples become one number.
        reduce: Reduce,
    },
}

/// Which part of a ratio is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// `bad`.
    Bad,
    /// `good`.
    Good,
}

/// How samples of a window become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reduce {
    /// Weighted by the time each sample is held.
    Mean,
    /// Unweighted median, type 7.
    Median,
    /// Greatest sample.
    Max,
    /// Smallest sample.
    Min,
    /// Last sample.
    Last,
    /// Unweighted quantile, type 7.
    Quantile(f64),
}

/// How the matching series of a gauge are joined at each moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Across {
    /// Sum over series (the default).
    Sum,
    /// Greatest.
    Max,
    /// Smallest.
    Min,
    /// Unweighted mean.
    Mean,
}

/// When the service counts as recovered.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Name of the metric watched.
    pub signal: String,
    /// Where it is healthy.
    pub healthy: Band,
    /// How long it has to stay there.
    pub stable_for: Span,
    /// Deadline after the fault; with it recovery is a primary claim.
    pub within: Option<Span>,
    /// Share of kills that has to recover in time.
    pub share: f64,
    /// What counts as detection.
    pub detected_by: Option<Detection>,
    /// What counts as remediation.
    pub remediated_by: Option<Remediation>,
}

/// Where a signal is healthy. Numbers are in the signal's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Band {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// At most so much above the iteration's own baseline.
    IncreaseAtMost {
        /// Allowance.
        amount: Amount,
        /// Absolute allowance; the larger counts.
        or_by: Option<f64>,
    },
    /// At most so much below the iteration's own baseline.
    DecreaseAtMost {
        /// Allowance.
        amount: Amount,
        /// Absolute allowance; the larger counts.
        or_by: Option<f64>,
    },
}

/// What counts as detection.
#[derive(Debug, Clone, PartialEq)]
pub enum Detection {
    /// The alert of this name fires.
    Alert(String),
    /// A metric of the document goes above a value.
    Above {
        /// Name of the metric.
        signal: String,
        /// In the metric's unit.
        above: f64,
    },
    /// A metric of the document goes below a value.
    Below {
        /// Name of the metric.
        signal: String,
        /// In the metric's unit.
        below: f64,
    },
}

/// What counts as remediation.
#[derive(Debug, Clone, PartialEq)]
pub enum Remediation {
    /// A counter goes up after the fault.
    CounterIncrease(Selector),
    /// A gauge that left its last value before the fault is back at it.
    GaugeBack(Selector),
}

/// Conditions before and during a kill.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Safety {
    /// All must hold before a kill.
    pub preconditions: Vec<Precondition>,
    /// Any of them stops the iteration.
    pub abort: Vec<AbortRule>,
}

/// A condition that has to hold before a kill.
#[derive(Debug, Clone, PartialEq)]
pub struct Precondition {
    /// Name in words.
    pub name: String,
    /// What is asked of the source.
    pub query: String,
    /// What is accepted.
    pub bound: PreconditionBound,
}

/// Accepted side of a precondition, in base units (seconds, bytes, a fraction).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PreconditionBound {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// A rule that stops an iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct AbortRule {
    /// Name of the metric watched.
    pub metric: String,
    /// When it fires.
    pub trigger: AbortTrigger,
    /// How long it has to hold; zero fires at once.
    pub consecutive: Span,
}

/// When an abort rule fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AbortTrigger {
    /// Above a value in the metric's unit.
    Above(f64),
    /// Below a value in the metric's unit.
    Below(f64),
    /// Above the iteration's own baseline by more than an amount.
    AboveBaseline {
        /// Allowance.
        amount: Amount,
        /// Absolute allowance; the larger counts.
        or_by: Option<f64>,
    },
}

/// What is injected.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Whom it hits.
    pub target: Target,
    /// What is done.
    pub action: Action,
    /// How many targets an iteration hits.
    pub count: u32,
    /// 0 to 3; a higher wave opens only after a pass of the one before.
    pub wave: u8,
    /// A sign that the kill was felt; reported, never a reason to exclude.
    pub confirmed_by: Option<Remediation>,
}

/// Whom a fault hits.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A process on this host.
    Process {
        /// Exact process name.
        name: String,
        /// Part of the command line that must be there, argument by argument.
        arguments: Option<String>,
        /// Remaining keys (pid file, cgroup, user) as written.
        more: BTreeMap<String, String>,
    },
    /// A container of the local engine.
    Container {
        /// `key=value`.
        label: Option<String>,
        /// Exact container name.
        name: Option<String>,
    },
    /// A pod.
    Kubernetes {
        /// Namespace.
        namespace: String,
        /// Label selector.
        selector: String,
        /// Process to kill inside the pod.
        process: Option<String>,
    },
}

/// What is done to the target.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Terminate,
    /// SIGSTOP, and SIGCONT after the duration.
    Pause(Span),
    /// A command of the user's, argument by argument.
    Hook {
        /// The command.
        command: Vec<String>,
        /// The command that undoes it.
        rollback: Option<Vec<String>>,
        /// How long the command may take.
        timeout: Option<Span>,
    },
}
