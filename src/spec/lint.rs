//! What a valid document may still lack: the pitfalls that make an experiment prove nothing, or hurt.
//!
//! Owns the lints, each with a code, what was found and what to do. None refuses anything: a document of a fault that
//! another tool injected, or of a recording that is done, lacks much on purpose. Refuses to know the policy and the
//! clock.

use crate::spec::experiment::{AbortRule, Experiment, Fault, Measure, Metric, Source, Target};
use crate::spec::policy::Policy;
use crate::spec::problem::Problem;
use crate::spec::tree::{Node, Value};
use crate::spec::yaml;
use crate::unit::Span;

/// A pod whose process ends again within this time waits longer for every restart.
const KUBERNETES_BACKOFF_RESET: Span = Span::from_seconds(600);

/// Longest wait between restarts of a pod's process.
const KUBERNETES_LONGEST_BACKOFF: Span = Span::from_seconds(300);

/// First wait between restarts of a pod's process; each further one is twice as long.
const KUBERNETES_FIRST_BACKOFF: Span = Span::from_seconds(10);

/// A container or service that ran for less waits longer for its next restart, or is given up.
const HOST_BACKOFF_RESET: Span = Span::from_seconds(10);

/// Fewer samples in a window carry no quantile and no mean worth the name.
const FEWEST_SAMPLES: i64 = 10;

/// Words that name an environment, by the class that they belong to.
const ENVIRONMENT_WORDS: [(&str, &str); 14] = [
    ("prod", "production"),
    ("production", "production"),
    ("prd", "production"),
    ("live", "production"),
    ("staging", "staging"),
    ("stage", "staging"),
    ("stg", "staging"),
    ("preprod", "staging"),
    ("test", "test"),
    ("testing", "test"),
    ("qa", "test"),
    ("dev", "development"),
    ("development", "development"),
    ("sandbox", "development"),
];

/// Owners that answer for nothing.
const NOBODY: [&str; 9] =
    ["me", "nobody", "someone", "todo", "tbd", "none", "unknown", "replace_me", "team"];

/// One pitfall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// A stable word for it.
    pub code: &'static str,
    /// Where, what was found, and what to do.
    pub problem: Problem,
}

/// What has been found so far, with the places of the document.
struct Finder<'tree> {
    root: Option<&'tree Node>,
    lints: Vec<Lint>,
}

impl Finder<'_> {
    /// Notes a pitfall at the value of a path, or at the nearest one above it that is there.
    fn note(&mut self, code: &'static str, path: &str, message: String) {
        let mut place = (1, 1);
        let mut node = self.root;
        for key in path.split('.') {
            let Some(found) = node.and_then(|node| node.get(key)) else { break };
            place = (found.line, found.column);
            node = Some(found);
        }
        let (line, column) = place;
        let problem = Problem { line, column, path: path.to_owned(), message };
        self.lints.push(Lint { code, problem });
    }
}

impl Lint {
    /// The lint as one line that editors can jump to.
    pub fn in_file(&self, file_name: &str) -> String {
        let Problem { line, column, path, message } = &self.problem;
        format!("{file_name}:{line}:{column}: {path}: {}: {message}", self.code)
    }
}

/// The pitfalls of an experiment. `bytes` are the document from which it was read; they tell the places.
pub fn experiment(experiment: &Experiment, bytes: &[u8]) -> Vec<Lint> {
    let document = yaml::text_of(bytes).ok().and_then(|text| yaml::parse(text).ok());
    let root = document.as_ref().map(|document| &document.root);
    let mut finder = Finder { root, lints: Vec::new() };
    claims(experiment, &mut finder);
    if let Some(fault) = &experiment.fault {
        governance(experiment, &mut finder);
        healing(experiment, &mut finder);
        observability(experiment, &mut finder);
        representative(experiment, fault, &mut finder);
        pace(experiment, fault, &mut finder);
    }
    lengths(experiment, &mut finder);
    sorted(finder.lints)
}

/// The pitfalls of a policy.
pub fn policy(policy: &Policy, bytes: &[u8]) -> Vec<Lint> {
    let document = yaml::text_of(bytes).ok().and_then(|text| yaml::parse(text).ok());
    let root = document.as_ref().map(|document| &document.root);
    let mut finder = Finder { root, lints: Vec::new() };
    for environment in &policy.environments {
        let class = class_of(&environment.name);
        if class == Some("production")
            && environment.highest_wave > 0
            && environment.approvals.is_empty()
        {
            finder.note("no_approval", "spec.environments", format!("'{}' needs no approval of anybody; add approvals: [{{from_wave: 1, count: 1}}]", environment.name));
        }
        if environment.highest_wave >= 2 && policy.canary.is_none() {
            finder.note("no_canary_limit", "spec.environments", format!("wave {} may run in '{}' and nothing limits how much of the traffic its target carries; add spec.canary", environment.highest_wave, environment.name));
        }
    }
    let protected = &policy.protected;
    if protected.processes.is_empty()
        && protected.namespaces.is_empty()
        && protected.labels.is_empty()
    {
        finder.note("nothing_protected", "spec", "no process, namespace or label is protected; name under spec.protected what must never be touched, such as databases".to_owned());
    }
    if policy.compliance.is_empty() {
        finder.note("no_compliance_filter", "spec", "no label marks regulated data; name them under spec.compliance, e.g. [compliance=pci, compliance=phi]".to_owned());
    }
    if policy.circuit_breaker.is_none() {
        finder.note("no_circuit_breaker", "spec", "after a failed iteration the next kill follows; add spec.circuit_breaker: {failures: 1, rest: 1h}".to_owned());
    }
    sorted(finder.lints)
}

fn sorted(mut lints: Vec<Lint>) -> Vec<Lint> {
    lints.sort_by(|one, other| one.problem.cmp(&other.problem).then(one.code.cmp(other.code)));
    lints
}

/// Claims about what the users of the service see.
fn claims(experiment: &Experiment, finder: &mut Finder<'_>) {
    let claimed = || experiment.metrics.iter().filter(|metric| metric.claim.is_some());
    let seen_by_users = |metric: &Metric| match metric.measure {
        Measure::Ratio { .. }
        | Measure::Histogram { .. }
        | Measure::Samples { .. }
        | Measure::Balance { .. }
        | Measure::Query { .. } => true,
        Measure::Gauge { .. } | Measure::Counter { .. } => false,
    };
    let deadline = experiment.recovery.as_ref().is_some_and(|recovery| recovery.within.is_some());
    if claimed().next().is_none() && !deadline {
        finder.note("no_slo", "spec.metrics", "nothing is claimed, so that nothing can pass or fail; add expect: {at_most: …} to the metrics that a service level speaks of".to_owned());
    } else if !claimed().any(seen_by_users) {
        finder.note("no_slo", "spec.metrics", "no claim is about what users see, errors or latency; a kill can hurt them and pass: add a ratio or a histogram with an expect".to_owned());
    }
}

fn governance(experiment: &Experiment, finder: &mut Finder<'_>) {
    if experiment.ticket.is_none() {
        finder.note(
            "no_governance",
            "metadata",
            "there is no ticket: nobody can tell later why this was done; add metadata.ticket"
                .to_owned(),
        );
    }
    let owner = experiment.owner.trim().to_lowercase();
    if NOBODY.contains(&owner.as_str()) || owner.contains("replace_me") {
        finder.note(
            "no_governance",
            "metadata.owner",
            format!(
                "'{}' answers for nothing; name the team or person to call",
                experiment.owner.trim()
            ),
        );
    }
    if experiment.runbook.is_none() {
        finder.note(
            "no_runbook",
            "spec",
            "no runbook is named: what is learned has no place to go; add spec.runbook".to_owned(),
        );
    }
}

fn healing(experiment: &Experiment, finder: &mut Finder<'_>) {
    let Some(recovery) = &experiment.recovery else {
        finder.note("manual_recovery", "spec", "nothing says when the service has healed; add spec.recovery with a signal, a band and a deadline".to_owned());
        return;
    };
    if recovery.remediated_by.is_none() {
        finder.note("manual_recovery", "spec.recovery", "nothing shows that the service heals without a person; add remediated_by, e.g. {counter_increase: process_restarts_total}".to_owned());
    }
    if recovery.within.is_none() {
        finder.note(
            "no_deadline",
            "spec.recovery",
            "recovery has no deadline: healing after an hour would pass; add within".to_owned(),
        );
    }
}

fn observability(experiment: &Experiment, finder: &mut Finder<'_>) {
    if matches!(experiment.source, Source::Recording(_)) {
        finder.note("no_observability", "spec.source", "the source is a recording: while this runs nothing is watched, and no abort rule can work; name a prometheus or scrape source".to_owned());
    }
    if experiment.recovery.as_ref().is_some_and(|recovery| recovery.detected_by.is_none()) {
        finder.note("no_observability", "spec.recovery", "nothing tells whether anybody would notice; add detected_by, e.g. {alert: PaymentWorkerDown}".to_owned());
    }
    if experiment.safety.abort.is_empty() {
        finder.note(
            "no_abort_rule",
            "spec.safety",
            "no rule stops an iteration that goes wrong; add spec.safety.abort".to_owned(),
        );
    }
    if experiment.safety.preconditions.is_empty() {
        finder.note("no_precondition", "spec.safety", "nothing has to hold before a kill; add spec.safety.preconditions, e.g. how much of the error budget is left".to_owned());
    }
}

/// The target, its labels and the series have to be of the environment that the experiment names.
fn representative(experiment: &Experiment, fault: &Fault, finder: &mut Finder<'_>) {
    let environment = &experiment.environment;
    let Some(class) = class_of(environment) else { return };
    let mut differing = |path: &str, what: &str, text: &str| {
        if let Some(found) = class_of(text).filter(|found| *found != class) {
            finder.note("unrepresentative_target", path, format!("{what} '{text}' reads like {found}, and the experiment says it runs in '{environment}'; correct one of them"));
        }
    };
    for key in ["environment", "env", "stage"] {
        if let Some(value) = experiment.labels.get(key) {
            differing("metadata.labels", &format!("the label {key}"), value);
        }
    }
    match &fault.target {
        Target::Kubernetes { namespace, selector, .. } => {
            differing("spec.fault.target", "the namespace", namespace);
            differing("spec.fault.target", "the selector", selector);
        }
        Target::Container { label, name } => {
            for text in [label, name].into_iter().flatten() {
                differing("spec.fault.target", "the container", text);
            }
        }
        Target::Process { arguments, .. } => {
            if let Some(text) = arguments {
                differing("spec.fault.target", "the command line", text);
            }
        }
    }
    if let Source::Prometheus(server) = &experiment.source {
        differing("spec.source", "the address", &server.url);
    }
}

/// The class of the one environment that the words of a text name; several different ones name none.
fn class_of(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut classes = words.filter_map(|word| {
        ENVIRONMENT_WORDS.iter().find(|(known, _)| *known == word).map(|(_, class)| *class)
    });
    let first = classes.next()?;
    classes.all(|class| class == first).then_some(first)
}

/// The time between two kills, against the wait before restarts.
fn pace(experiment: &Experiment, fault: &Fault, finder: &mut Finder<'_>) {
    let kills = experiment.iterations.fault.unwrap_or(u32::MAX);
    if kills < 2 {
        return;
    }
    let windows = &experiment.windows;
    if windows.cooldown == Span::ZERO {
        finder.note(
            "no_cooldown",
            "spec.windows",
            "the next baseline begins at once, in the wake of the kill before; add cooldown: 5m"
                .to_owned(),
        );
    }
    // The cooldown counts from the recovery, which may follow the kill at once.
    let apart = windows.baseline.plus(windows.experiment.max(windows.cooldown));
    match &fault.target {
        Target::Kubernetes { .. } if apart < KUBERNETES_BACKOFF_RESET => {
            let doublings = kills.saturating_sub(1).min(16);
            let wait = KUBERNETES_FIRST_BACKOFF
                .times(1 << (doublings - 1))
                .min(KUBERNETES_LONGEST_BACKOFF);
            finder.note("kills_within_backoff", "spec.windows", format!("kills may be {apart} apart, and a pod's process that ends again within {KUBERNETES_BACKOFF_RESET} is restarted later every time, up to {wait} in this campaign: what is measured is the back-off; lengthen the cooldown to {}", Span::from_milliseconds(KUBERNETES_BACKOFF_RESET.milliseconds() - windows.baseline.milliseconds())));
        }
        Target::Container { .. } | Target::Process { .. } if apart < HOST_BACKOFF_RESET => {
            finder.note("kills_within_backoff", "spec.windows", format!("kills may be {apart} apart, and engines and supervisors restart what ends again within {HOST_BACKOFF_RESET} later every time, or give it up; lengthen the windows"));
        }
        Target::Kubernetes { .. } | Target::Container { .. } | Target::Process { .. } => {}
    }
}

/// Windows, deadlines and steps that do not fit together.
fn lengths(experiment: &Experiment, finder: &mut Finder<'_>) {
    let windows = &experiment.windows;
    let step = match &experiment.source {
        Source::Prometheus(server) => server.step,
        Source::Scrape(scrape) => Some(scrape.every),
        Source::Recording(_) => None,
    };
    let shortest = windows.baseline.min(windows.experiment);
    if let Some(step) = step.filter(|step| step.times(FEWEST_SAMPLES) > shortest) {
        let finest = Span::from_milliseconds(shortest.milliseconds() / FEWEST_SAMPLES);
        finder.note("coarse_step", "spec.source", format!("a step of {step} leaves fewer than {FEWEST_SAMPLES} samples in a window of {shortest}; take a step of at most {finest}, or lengthen the windows"));
    }
    if let Some(within) = experiment.recovery.as_ref().and_then(|recovery| recovery.within)
        && windows.experiment < within.times(2)
    {
        finder.note("short_window", "spec.windows", format!("the experiment window of {} ends soon after the deadline of {within}: how late the late ones are, and relapses, will not be seen; take at least {}", windows.experiment, within.times(2)));
    }
    for AbortRule { metric, consecutive, .. } in &experiment.safety.abort {
        if *consecutive >= windows.experiment {
            finder.note("abort_never_fires", "spec.safety.abort", format!("the rule on {metric} needs {consecutive} in a row, and the experiment window is {}; shorten it", windows.experiment));
        }
        if let Some(step) =
            step.filter(|step| *consecutive > Span::ZERO && step.times(2) > *consecutive)
        {
            finder.note("coarse_step", "spec.safety.abort", format!("the rule on {metric} needs {consecutive} in a row, less than two steps of {step}: one sample decides; take a smaller step"));
        }
    }
}

/// Which kind of document bytes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// `kind: Policy`.
    Policy,
    /// Everything else: the readers of experiments say what is wrong with it.
    Experiment,
}

/// What a document says of its kind.
pub fn kind_of(bytes: &[u8]) -> DocumentKind {
    let document = yaml::text_of(bytes).ok().and_then(|text| yaml::parse(text).ok());
    let kind = document.as_ref().and_then(|document| document.root.get("kind"));
    match kind.map(|node| &node.value) {
        Some(Value::Scalar(scalar)) if scalar.text == "Policy" => DocumentKind::Policy,
        Some(Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_)) | None => {
            DocumentKind::Experiment
        }
    }
}
