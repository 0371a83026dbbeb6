//! `unfazed approve`: records who agreed to which version of an experiment, and until when.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::{read, read_experiment, read_policy};
use crate::safety::approval::{self, Approval, Consent, Record};
use crate::safety::signature::SigningKey;
use crate::spec::{Experiment, Policy};
use crate::store::LogFile;
use crate::unit::{Span, Timestamp};

/// A private key in PEM is a few lines.
const KEY_BYTES: u64 = 64 << 10;

/// A file of approvals is a few lines.
const APPROVALS_BYTES: u64 = 16 << 20;

/// Who agrees to what.
#[derive(Debug, Clone)]
pub struct ApproveArguments {
    /// The experiment document.
    pub experiment: PathBuf,
    /// The policy that the approver looked at.
    pub policy: Option<PathBuf>,
    /// Who agrees.
    pub by: String,
    /// Until when.
    pub until: Until,
    /// The ticket; default: the experiment's own.
    pub ticket: Option<String>,
    /// A file with a private key.
    pub key: Option<PathBuf>,
    /// The file to append to; default: beside the experiment.
    pub output: Option<PathBuf>,
    /// When it is.
    pub now: Timestamp,
}

/// How long an approval holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To a moment.
    Moment(Timestamp),
    /// For a time from now on.
    For(Span),
}

/// What was recorded.
#[derive(Debug)]
pub struct Approved {
    /// The file.
    pub path: PathBuf,
    /// Digest of the experiment.
    pub digest: String,
    /// Who agreed.
    pub by: String,
    /// Until when.
    pub until: Timestamp,
    /// The public key under which it is signed.
    pub signed_with: Option<String>,
    /// What should be known.
    pub notes: Vec<String>,
}

/// Records an approval.
///
/// # Errors
/// [`AppError::Refused`] if the policy would not count it; others if a document or file cannot be read or written.
pub fn run(arguments: &ApproveArguments) -> Result<Approved, AppError> {
    let document = document(&arguments.experiment);
    let experiment = read_experiment(&document)?.experiment;
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let policy = policy.map(|checked| checked.policy);
    let key = arguments.key.as_deref().map(signing_key).transpose()?;
    let until = until(arguments)?;
    let by = arguments.by.trim();
    if by.is_empty() || by.chars().any(char::is_control) {
        return Err(AppError::Usage("--by needs the name of a person".to_owned()));
    }
    let approval = Approval::new(
        Consent {
            experiment: experiment.name.clone(),
            digest: experiment.digest.clone(),
            policy_digest: policy.as_ref().map(|policy| policy.digest.clone()),
            by: by.to_owned(),
            at: arguments.now,
            until,
            ticket: arguments.ticket.clone().or_else(|| experiment.ticket.clone()),
        },
        key.as_ref(),
    );
    let notes = match &policy {
        Some(policy) => held_against(&experiment, policy, &approval, arguments.now)?,
        None => vec![
            "no policy was looked at: whether it counts is told by `unfazed check --policy`"
                .to_owned(),
        ],
    };
    let path = arguments.output.clone().unwrap_or_else(|| beside(&document));
    LogFile::open(&path)?.log.append(&approval.line())?;
    Ok(Approved {
        path,
        digest: experiment.digest,
        by: by.to_owned(),
        until,
        signed_with: key.map(|key| key.public().to_string()),
        notes,
    })
}

/// A directory stands for its document.
pub(crate) fn document(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("experiment.yaml") } else { path.to_owned() }
}

/// `experiment.approvals.jsonl` beside `experiment.yaml`.
pub fn beside(experiment: &Path) -> PathBuf {
    experiment.with_extension("approvals.jsonl")
}

/// The approvals of an experiment: those in a file, or those beside it if there are any.
///
/// # Errors
/// [`AppError::Read`] if the file is there and cannot be read.
pub fn approvals(experiment: &Path, file: Option<&Path>) -> Result<Vec<Record>, AppError> {
    let path = file.map_or_else(|| beside(experiment), Path::to_owned);
    if file.is_none() && !path.exists() {
        return Ok(Vec::new());
    }
    let hint = "approve with `unfazed approve`, or take the file away";
    Ok(approval::read(&read(&path, "the approvals", APPROVALS_BYTES, hint)?))
}

fn until(arguments: &ApproveArguments) -> Result<Timestamp, AppError> {
    let until = match arguments.until {
        Until::Moment(at) => at,
        Until::For(span) => arguments.now.plus(span),
    };
    if until <= arguments.now {
        return Err(AppError::Usage(format!(
            "--until {until} has passed: it is {}; accepted is a later time, or a duration such as 7d",
            arguments.now
        )));
    }
    Ok(until)
}

/// Every rule that the approval is for; one that would not count is refused here, not in the night of the campaign.
fn held_against(
    experiment: &Experiment,
    policy: &Policy,
    approval: &Approval,
    now: Timestamp,
) -> Result<Vec<String>, AppError> {
    let rules = approval::rules(experiment, policy);
    if rules.is_empty() {
        return Ok(vec![format!(
            "the policy '{}' needs no approval for wave {} in '{}'",
            policy.name,
            experiment.fault.as_ref().map_or(0, |fault| fault.wave),
            experiment.environment
        )]);
    }
    let mut notes = Vec::new();
    for rule in rules {
        approval::would_count(experiment, policy, rule, approval, now).map_err(|why| {
            AppError::Refused(format!("the approval of {} would not count: {why}", approval.by()))
        })?;
        notes.push(format!(
            "it needs the approval of {} from wave {} on",
            rule.count, rule.from_wave
        ));
        if now.plus(rule.valid_for) < approval.until() {
            notes.push(format!(
                "the policy lets an approval hold for {}: this one counts until {}",
                rule.valid_for,
                now.plus(rule.valid_for)
            ));
        }
    }
    Ok(notes)
}

fn signing_key(path: &Path) -> Result<SigningKey, AppError> {
    let hint = "make one with `openssl genpkey -algorithm ed25519`";
    let bytes = read(path, "the private key", KEY_BYTES, hint)?;
    SigningKey::from_pem(&String::from_utf8_lossy(&bytes))
        .map_err(|error| AppError::Usage(format!("{}: {error}", path.display())))
}
