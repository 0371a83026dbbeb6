//! The gates in order, and what follows from them.
//!
//! Every gate is asked, also after one has denied: who is refused learns everything at once. Nothing but the outcome of
//! the gates decides. Without a policy nothing is killed.

use crate::safety::finding::{Finding, GateLog, Outcome};
use crate::safety::situation::{Mode, Moment, Situation};
use crate::safety::{amount, approval, calendar, measured, past, scope};
use crate::spec::{Experiment, KillLimits, Policy, Protection};
use crate::unit::Window;

/// Whether a kill may happen, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Every gate, in order.
    pub findings: Vec<Finding>,
    /// What the injector has to be told, so that it holds the kill to the same policy.
    pub bounds: Bounds,
    moment: Moment,
    mode: Mode,
    wave: u8,
}

/// The part of a policy that the injector holds a kill to.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// How much may be killed.
    pub limits: KillLimits,
    /// What is never touched, what is regulated included.
    pub protected: Protection,
    /// The label that a container or pod has to carry.
    pub opt_in: Option<String>,
    /// The opening in which the kill has to happen; `None`: the policy has no hours and no blackouts.
    pub window: Option<Window>,
}

impl Decision {
    /// Whether no gate denies. Before a campaign some gates can only be told later.
    pub fn allowed(&self) -> bool {
        self.findings.iter().all(|finding| finding.outcome != Outcome::Denied)
    }

    /// Whether somebody may be hit now: live, at the kill, in a wave that hits, and every gate has passed.
    pub fn may_kill(&self) -> bool {
        self.mode == Mode::Live
            && self.moment == Moment::Kill
            && self.wave > 0
            && !self.findings.is_empty()
            && self.findings.iter().all(|finding| finding.outcome == Outcome::Passed)
    }

    /// The gates that deny.
    pub fn denials(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.outcome == Outcome::Denied)
    }

    /// The findings as lines: `denied  blackout: …`.
    pub fn lines(&self) -> Vec<String> {
        let line = |finding: &Finding| {
            let Finding { gate, subject, outcome, sentence, .. } = finding;
            let subject = subject.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            format!("{:<7} {gate}{subject}: {sentence}", outcome.word())
        };
        self.findings.iter().map(line).collect()
    }
}

/// Asks every gate.
pub fn decide(experiment: &Experiment, policy: Option<&Policy>, situation: &Situation) -> Decision {
    let mut log = GateLog::new(situation);
    unchanged(experiment, policy, situation, &mut log);
    let wave = experiment.fault.as_ref().map_or(0, |fault| fault.wave);
    let mut bounds = Bounds {
        limits: KillLimits::default(),
        protected: Protection::default(),
        opt_in: None,
        window: None,
    };
    has_policy(policy, situation, &mut log);
    if let Some(policy) = policy {
        let environment = policy.environment(&experiment.environment);
        scope::ask(experiment, policy, situation, &mut log);
        bounds = Bounds {
            limits: policy.limits,
            protected: policy.untouchable(),
            opt_in: environment.and_then(|environment| environment.opt_in.clone()),
            window: calendar::ask(experiment, policy, situation, &mut log),
        };
    }
    amount::ask(experiment, bounds.limits, situation, &mut log);
    past::ask(experiment, policy, situation, &mut log);
    if let Some(policy) = policy {
        approval::ask(experiment, policy, situation, &mut log);
    }
    measured::ask(experiment, policy, situation, &mut log);
    Decision {
        findings: log.findings,
        bounds,
        moment: situation.moment,
        mode: situation.mode,
        wave,
    }
}

/// Without a policy nothing is killed.
fn has_policy(policy: Option<&Policy>, situation: &Situation, log: &mut GateLog) {
    let sentence = match (policy, situation.mode) {
        (Some(policy), _) => format!("policy '{}' is held against it", policy.name),
        (None, Mode::Dry) => "there is no policy: nothing is killed, targets are only named".to_owned(),
        (None, Mode::Live) => {
            "there is no policy, and without one nothing is killed; give one with --policy, `unfazed init` writes one to start from".to_owned()
        }
    };
    log.record(Finding {
        gate: "policy",
        subject: None,
        value: policy.map_or_else(|| "none".to_owned(), |policy| policy.digest.clone()),
        threshold: "a policy, or a dry run".to_owned(),
        outcome: Outcome::when(policy.is_some() || situation.mode == Mode::Dry),
        sentence,
    });
}

/// The documents are those with which the campaign began.
fn unchanged(
    experiment: &Experiment,
    policy: Option<&Policy>,
    situation: &Situation,
    log: &mut GateLog,
) {
    let Some(begun) = &situation.begun else { return };
    let policy_now = policy.map(|policy| policy.digest.as_str());
    let word = |digest: Option<&str>| digest.unwrap_or("none").to_owned();
    for (subject, now, then) in [
        ("experiment", Some(experiment.digest.as_str()), Some(begun.experiment_digest.as_str())),
        ("policy", policy_now, begun.policy_digest.as_deref()),
    ] {
        let same = now == then;
        let sentence = if same {
            format!("the {subject} is the one with which the campaign began")
        } else {
            format!(
                "the {subject} is not the one with which the campaign began: {} became {}; put it back, or begin a new campaign",
                word(then),
                word(now)
            )
        };
        log.record(Finding {
            gate: "unchanged",
            subject: Some(subject.to_owned()),
            value: word(now),
            threshold: word(then),
            outcome: Outcome::when(same),
            sentence,
        });
    }
}
