//! Who agreed to what, until when: the records of approvals, and the gate on them.
//!
//! Owns the file beside an experiment (`NAME.approvals.jsonl`, one JSON object a line, made to live in git), the seal
//! over each line, and why an approval does not count. An approval is of one version of one experiment: its digest. A
//! seal finds what was edited by accident or without care; whoever edits with care can seal anew, and only a signature
//! with a key that the policy names stops that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::safety::fact::Fact;
use crate::safety::finding::{Finding, GateLog, Outcome};
use crate::safety::signature::{PublicKey, SigningKey, digest};
use crate::safety::situation::{Mode, Situation};
use crate::spec::{ApprovalRule, Experiment, Policy};
use crate::unit::{Span, Timestamp};

/// The name of the lines.
pub const SCHEMA: &str = "unfazed.approval/v1";

/// Two hosts' clocks differ by no more than this when they are kept at all.
const CLOCKS_AGREE: Span = Span::from_seconds(60);

/// What somebody agrees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Name of the experiment.
    pub experiment: String,
    /// Digest of the experiment.
    pub digest: String,
    /// Digest of the policy that the approver saw; `None`: none was shown.
    pub policy_digest: Option<String>,
    /// Who agrees.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The ticket.
    pub ticket: Option<String>,
}

/// One approval as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    schema: String,
    experiment: String,
    digest: String,
    policy_digest: Option<String>,
    by: String,
    at: Timestamp,
    until: Timestamp,
    ticket: Option<String>,
    seal: String,
    signature: Option<String>,
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An approval whose seal fits.
    Intact(Approval),
    /// A line that cannot be believed.
    Broken {
        /// Counted from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

/// What is sealed, in this order.
#[derive(Serialize)]
struct Sealed<'a> {
    schema: &'a str,
    experiment: &'a str,
    digest: &'a str,
    policy_digest: Option<&'a str>,
    by: &'a str,
    at: Timestamp,
    until: Timestamp,
    ticket: Option<&'a str>,
}

impl Approval {
    /// Seals a consent, and signs it if there is a key.
    pub fn new(consent: Consent, key: Option<&SigningKey>) -> Self {
        let Consent { experiment, digest, policy_digest, by, at, until, ticket } = consent;
        let mut approval = Self {
            schema: SCHEMA.to_owned(),
            experiment,
            digest,
            policy_digest,
            by,
            at,
            until,
            ticket,
            seal: String::new(),
            signature: None,
        };
        approval.seal = approval.due_seal();
        approval.signature = key.map(|key| key.sign(&approval.seal));
        approval
    }

    /// The line to append, with its end.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("texts and times are always JSON");
        line.push('\n');
        line
    }

    /// Who agreed.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Until when.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    fn due_seal(&self) -> String {
        let sealed = Sealed {
            schema: &self.schema,
            experiment: &self.experiment,
            digest: &self.digest,
            policy_digest: self.policy_digest.as_deref(),
            by: &self.by,
            at: self.at,
            until: self.until,
            ticket: self.ticket.as_deref(),
        };
        digest(&serde_json::to_vec(&sealed).expect("texts and times are always JSON"))
    }
}

/// Reads a file of approvals. Empty lines are skipped, everything else is believed or broken.
pub fn read(bytes: &[u8]) -> Vec<Record> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    let filled = lines.filter(|(text, _)| !text.trim_ascii().is_empty());
    filled.map(|(text, line)| record(text, line)).collect()
}

fn record(text: &[u8], line: usize) -> Record {
    let broken = |why: String| Record::Broken { line, why };
    let approval: Approval = match serde_json::from_slice(text) {
        Ok(approval) => approval,
        Err(error) => return broken(format!("it is no approval: {error}")),
    };
    if approval.schema != SCHEMA {
        return broken(format!("its schema is '{}', accepted is {SCHEMA}", approval.schema));
    }
    if approval.seal != approval.due_seal() {
        return broken(format!(
            "it was edited: its seal does not fit what it says, '{}'",
            approval.by
        ));
    }
    Record::Intact(approval)
}

/// The rules that an experiment has to obey in its environment and wave.
pub fn rules<'policy>(
    experiment: &Experiment,
    policy: &'policy Policy,
) -> Vec<&'policy ApprovalRule> {
    let wave = experiment.fault.as_ref().map_or(0, |fault| fault.wave);
    let environment = policy.environment(&experiment.environment);
    let rules = environment.into_iter().flat_map(|environment| &environment.approvals);
    rules.filter(|rule| rule.from_wave <= wave).collect()
}

/// Whether an approval counts under a rule as things stand, whoever will run the experiment.
///
/// # Errors
/// Why not.
pub fn would_count(
    experiment: &Experiment,
    policy: &Policy,
    rule: &ApprovalRule,
    approval: &Approval,
    now: Timestamp,
) -> Result<(), String> {
    let situation = Situation::at_check(now, Mode::Live);
    counts(Asked { experiment, policy, situation: &situation, rule }, approval)
}

/// Asks the gate once for every rule that the wave has to obey.
pub(crate) fn ask(
    experiment: &Experiment,
    policy: &Policy,
    situation: &Situation,
    log: &mut GateLog,
) {
    for rule in rules(experiment, policy) {
        gate(Asked { experiment, policy, situation, rule }, log);
    }
}

/// One rule with what it is held against.
#[derive(Clone, Copy)]
struct Asked<'a> {
    experiment: &'a Experiment,
    policy: &'a Policy,
    situation: &'a Situation,
    rule: &'a ApprovalRule,
}

fn gate(asked: Asked<'_>, log: &mut GateLog) {
    let mut people = BTreeSet::new();
    let mut counted = Vec::new();
    let mut refused = Vec::new();
    for record in &asked.situation.approvals {
        match record {
            Record::Broken { line, why } => refused.push(format!("line {line}: {why}")),
            Record::Intact(approval) => match counts(asked, approval) {
                // One person is one person, however the name is spelt.
                Ok(()) if people.insert(person(&approval.by)) => {
                    counted.push(format!("{} until {}", approval.by, approval.until));
                }
                Ok(()) => {}
                Err(why) => refused.push(format!("{}: {why}", approval.by)),
            },
        }
    }
    let count = asked.rule.count as usize;
    let enough = people.len() >= count;
    let mut sentence = if enough {
        format!("approved by {}", counted.join(", "))
    } else {
        let found = if counted.is_empty() { "none".to_owned() } else { counted.join(", ") };
        format!(
            "it needs the approval of {count}, and has {} ({found}); see `unfazed approve --help`",
            people.len()
        )
    };
    if !refused.is_empty() {
        sentence.push_str(&format!("; not counted: {}", refused.join("; ")));
    }
    log.record(Finding {
        gate: "approvals",
        subject: Some(format!("from wave {}", asked.rule.from_wave)),
        value: people.len().to_string(),
        threshold: format!("at least {count}"),
        outcome: Outcome::when(enough),
        sentence,
    });
}

/// The name by which two spellings are one person.
fn person(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether an approval counts, or why not.
fn counts(asked: Asked<'_>, approval: &Approval) -> Result<(), String> {
    let Asked { experiment, policy, situation, rule } = asked;
    let now = situation.now;
    if approval.experiment != experiment.name {
        return Err(format!("it is for the experiment '{}'", approval.experiment));
    }
    if approval.digest != experiment.digest {
        return Err(format!(
            "it is for another version ({}); the experiment has changed since, approve it anew",
            approval.digest
        ));
    }
    if let Some(seen) = &approval.policy_digest
        && *seen != policy.digest
    {
        return Err(format!("it was given under another policy ({seen}); approve it anew"));
    }
    if approval.at > now.plus(CLOCKS_AGREE) {
        return Err(format!("it is from the future: given at {}, and it is {now}", approval.at));
    }
    if now >= approval.until {
        return Err(format!("it expired at {}, and it is {now}", approval.until));
    }
    let oldest = approval.at.plus(rule.valid_for);
    if now >= oldest {
        return Err(format!("it is older than {}: it held until {oldest}", rule.valid_for));
    }
    by_whom(asked, approval)?;
    signed(policy, approval)
}

fn by_whom(asked: Asked<'_>, approval: &Approval) -> Result<(), String> {
    let Asked { experiment, situation, rule, .. } = asked;
    let by = person(&approval.by);
    if !rule.by.is_empty() {
        let listed = rule.by.iter().any(|name| person(name) == by);
        return if listed { Ok(()) } else { Err(format!("only {} may", rule.by.join(", "))) };
    }
    if by == person(&experiment.owner) {
        return Err("the owner does not approve the own experiment".to_owned());
    }
    match &situation.actor {
        Fact::Known(actor) if person(actor) == by => {
            Err("whoever runs the experiment does not approve it".to_owned())
        }
        Fact::Unknown(why) => Err(format!("who runs the experiment is not known: {why}")),
        Fact::Known(_) | Fact::NotYet => Ok(()),
    }
}

/// Where a policy names keys, only signatures with them count.
fn signed(policy: &Policy, approval: &Approval) -> Result<(), String> {
    if policy.approvers.is_empty() {
        return Ok(());
    }
    let by = person(&approval.by);
    let key = policy.approvers.iter().find(|(name, _)| person(name) == by);
    let Some((_, key)) = key else {
        return Err("the policy has no key of theirs under spec.approvers".to_owned());
    };
    let Some(signature) = &approval.signature else {
        return Err("it is not signed, and the policy names a key; approve with --key".to_owned());
    };
    let key = PublicKey::parse(key).map_err(|error| error.to_string())?;
    if key.signed(&approval.seal, signature) {
        Ok(())
    } else {
        Err(format!("its signature is not by {key}"))
    }
}
