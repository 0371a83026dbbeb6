//! The Policy document after all checks: where, when and how much a team lets be killed, and who has to agree.
//!
//! Plain data. Everything is refused that it does not allow: an environment that is not named here, a time outside
//! its windows. Refuses to know the experiment, the clock and the history it is held against; `safety` does that.

use std::collections::BTreeMap;

use crate::spec::checked::digest;
use crate::spec::experiment::{Precondition, PreconditionBound};
use crate::spec::problem::{Findings, Problem, Problems};
use crate::spec::walk::policy;
use crate::spec::yaml;
use crate::unit::{LocalTime, Nearer, Span, Timestamp, Weekday, Window, Zone};

/// A checked Policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.owner`.
    pub owner: String,
    /// The environments in which something may happen.
    pub environments: Vec<Environment>,
    /// What is never touched.
    pub protected: Protection,
    /// Labels that mark regulated data, as `key` or `key=value`: never touched either.
    pub compliance: Vec<String>,
    /// When something may happen; `None`: at any time.
    pub windows: Option<Vec<OpenHours>>,
    /// When nothing may happen.
    pub blackouts: Vec<Blackout>,
    /// How much may be killed.
    pub limits: KillLimits,
    /// The shortest rest between the recovery from one kill and the next kill.
    pub cooldown: Span,
    /// Conditions before every kill, whatever the experiment says.
    pub preconditions: Vec<Precondition>,
    /// How much of the traffic a canary may carry.
    pub canary: Option<CanaryTraffic>,
    /// Public keys (`ed25519:<hex>`) by the name of the person whose approvals have to be signed with them.
    pub approvers: BTreeMap<String, String>,
    /// When failures stop everything.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// `sha256:<hex>` of the document's bytes.
    pub digest: String,
}

/// What holds in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// As `spec.environment` of experiments names it.
    pub name: String,
    /// The widest wave that may run here.
    pub highest_wave: u8,
    /// What an experiment has to say.
    pub require: Vec<Required>,
    /// The only namespaces whose pods may be hit; `None`: any that is not protected.
    pub namespaces: Option<Vec<String>>,
    /// The label that a container or pod has to carry, as `key` or `key=value`.
    pub opt_in: Option<String>,
    /// Who has to agree, from which wave on.
    pub approvals: Vec<ApprovalRule>,
}

/// Something that an experiment has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// `metadata.ticket`.
    Ticket,
    /// A key of `metadata.labels`.
    Label(String),
    /// At least one claim, or a deadline of the recovery.
    Claim,
    /// `spec.recovery`.
    Recovery,
    /// `spec.recovery.detected_by`.
    Detection,
    /// At least one precondition.
    Preconditions,
    /// At least one abort rule.
    Abort,
    /// `spec.runbook`.
    Runbook,
    /// A source that can be watched while the experiment runs.
    LiveSource,
}

/// Who has to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// The first wave that needs it.
    pub from_wave: u8,
    /// How many different people.
    pub count: u32,
    /// How long an approval holds at most.
    pub valid_for: Span,
    /// The only people whose approval counts; empty: anybody but the owner and whoever runs it.
    pub by: Vec<String>,
}

/// What is never touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Protection {
    /// Exact names of processes and containers.
    pub processes: Vec<String>,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Labels, as `key` or `key=value`.
    pub labels: Vec<String>,
}

/// Hours in which something may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHours {
    /// The zone of the hours.
    pub zone: Zone,
    /// The days on which they begin.
    pub days: Vec<Weekday>,
    /// Minutes after midnight.
    pub from: u16,
    /// Minutes after midnight; at or before `from`, they belong to the next day.
    pub to: u16,
    /// The only environments that these hours open; empty: all.
    pub environments: Vec<String>,
}

/// A time in which nothing may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blackout {
    /// Why.
    pub name: String,
    /// The zone of the dates.
    pub zone: Zone,
    /// Its begin.
    pub from: LocalTime,
    /// Its end, not part of it.
    pub until: LocalTime,
    /// The only environments that it closes; empty: all.
    pub environments: Vec<String>,
}

/// How much may be killed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KillLimits {
    /// Most faults in place at once, of all experiments together.
    pub max_concurrent_kills: u32,
    /// Most targets hit by one iteration.
    pub max_kills: u32,
    /// Largest share of the matching targets that one iteration hits.
    pub max_share: f64,
    /// Fewest matching targets that it leaves.
    pub min_survivors: u32,
}

impl Default for KillLimits {
    /// One at a time, never more than half, never the last one.
    fn default() -> Self {
        Self { max_concurrent_kills: 1, max_kills: 1, max_share: 0.5, min_survivors: 1 }
    }
}

/// How much of the traffic a canary may carry.
#[derive(Debug, Clone, PartialEq)]
pub struct CanaryTraffic {
    /// What the source is asked for the share.
    pub query: String,
    /// Smallest share: a canary without traffic shows nothing.
    pub at_least: f64,
    /// Largest share.
    pub at_most: f64,
    /// The first wave that is held to it.
    pub from_wave: u8,
}

/// When failures stop everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Failed iterations in a row that open it.
    pub failures: u32,
    /// How long it stays open after the last of them.
    pub rest: Span,
}

/// A checked Policy with the warnings of its document.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPolicy {
    /// The policy.
    pub policy: Policy,
    /// What should be known but refuses nothing, sorted by place.
    pub warnings: Vec<Problem>,
}

impl Policy {
    /// Reads a Policy document, YAML or JSON, and checks everything that can be wrong with it.
    ///
    /// # Errors
    /// [`Problems`] holds every problem of the document at once.
    ///
    /// ```
    /// use unfazed::spec::Policy;
    /// let text = b"{apiVersion: unfazed/v1, kind: Policy, metadata: {name: p, owner: o},
    ///   spec: {environments: [{name: staging, highest_wave: 1}], windows: [{zone: Europe/Berlni, from: '09:00', to: '16:00'}]}}";
    /// let problems = Policy::parse("policy.yaml", text).unwrap_err();
    /// assert_eq!(problems.problems()[0].path, "spec.windows[0].zone");
    /// assert!(problems.problems()[0].message.ends_with("did you mean 'Europe/Berlin'?"));
    /// ```
    pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Self, Problems> {
        Self::check(file_name, bytes).map(|checked| checked.policy)
    }

    /// Reads a Policy document like [`Policy::parse`] and keeps the warnings.
    ///
    /// # Errors
    /// [`Problems`] holds every problem of the document at once, and the warnings found beside them.
    pub fn check(file_name: &str, bytes: &[u8]) -> Result<CheckedPolicy, Problems> {
        let refused = |text: &str, problem: Problem| {
            let mut findings = Findings::default();
            findings.refuse(problem);
            Problems::new(file_name, text.to_owned(), findings)
        };
        let text = yaml::text_of(bytes).map_err(|problem| refused("", problem))?;
        let document = yaml::parse(text).map_err(|problem| refused(text, problem))?;
        let mut findings = Findings { problems: document.problems, warnings: Vec::new() };
        match policy::read(&document.root, digest(bytes), &mut findings) {
            Some(policy) => Ok(CheckedPolicy { policy, warnings: findings.sorted().warnings }),
            None => Err(Problems::new(file_name, text.to_owned(), findings)),
        }
    }

    /// What holds in the environment of this name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }

    /// Everything that is never touched: what is protected and what is regulated.
    pub fn untouchable(&self) -> Protection {
        let mut all = self.protected.clone();
        all.labels.extend(self.compliance.iter().cloned());
        all.labels.sort();
        all.labels.dedup();
        all
    }
}

impl Required {
    /// The word in the document.
    pub fn word(&self) -> String {
        match self {
            Self::Ticket => "ticket".to_owned(),
            Self::Label(key) => format!("labels.{key}"),
            Self::Claim => "claim".to_owned(),
            Self::Recovery => "recovery".to_owned(),
            Self::Detection => "detected_by".to_owned(),
            Self::Preconditions => "preconditions".to_owned(),
            Self::Abort => "abort".to_owned(),
            Self::Runbook => "runbook".to_owned(),
            Self::LiveSource => "live_source".to_owned(),
        }
    }
}

impl OpenHours {
    /// Whether these hours are hours of the environment.
    pub fn opens(&self, environment: &str) -> bool {
        self.environments.is_empty() || self.environments.iter().any(|name| name == environment)
    }

    /// The opening that contains the moment.
    ///
    /// On a day on which an hour comes twice or not at all the opening is the shorter one: its begin is the later of
    /// two moments, its end the earlier.
    pub fn around(&self, at: Timestamp) -> Option<Window> {
        self.near(at).find(|window| window.contains(at))
    }

    /// The first opening that begins after the moment, within a fortnight.
    pub fn next(&self, at: Timestamp) -> Option<Window> {
        self.near(at).find(|window| window.start > at)
    }

    /// The openings from the day before the moment on, a fortnight long.
    fn near(&self, at: Timestamp) -> impl Iterator<Item = Window> {
        // Hours that go past midnight began the day before; a day is shifted by at most one by the zone's own midnight.
        let first = self.zone.date(at).minus_days(2);
        (0..16).map(move |day| first.plus_days(day)).filter_map(|date| {
            if !self.days.contains(&date.weekday()) {
                return None;
            }
            let start = self.zone.moment(date.at(self.from), Nearer::Future);
            let last = if self.to <= self.from { date.plus_days(1) } else { date };
            let end = self.zone.moment(last.at(self.to), Nearer::Past);
            (start < end).then_some(Window { start, end })
        })
    }
}

impl Blackout {
    /// Whether it closes the environment.
    pub fn closes(&self, environment: &str) -> bool {
        self.environments.is_empty() || self.environments.iter().any(|name| name == environment)
    }

    /// When it holds. Where an hour comes twice it is the longer one.
    pub fn window(&self) -> Window {
        Window {
            start: self.zone.moment(self.from, Nearer::Past),
            end: self.zone.moment(self.until, Nearer::Future),
        }
    }
}

impl CanaryTraffic {
    /// The two sides of the accepted share as preconditions.
    pub fn bounds(&self) -> [PreconditionBound; 2] {
        [PreconditionBound::AtLeast(self.at_least), PreconditionBound::AtMost(self.at_most)]
    }
}
