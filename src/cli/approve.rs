//! `unfazed approve`.

use std::path::PathBuf;

use clap::Args;

use crate::app::approve::{self, ApproveArguments, Until};
use crate::app::{AppError, clock};
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::unit::{Span, Timestamp};

/// Arguments of `approve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Writes one line to EXPERIMENT's name with .approvals.jsonl, a file that belongs into git beside the \
    experiment:\n  \
    {\"schema\":\"unfazed.approval/v1\",\"experiment\":…,\"digest\":…,\"policy_digest\":…,\"by\":…,\"at\":…,\"until\":…,\
    \"ticket\":…,\"seal\":…,\"signature\":…}\n\
    The approval is of one version: after any change of the experiment it does not count, and one given with --policy \
    does not count under another version of the policy. The seal finds careless edits; against careful ones sign with \
    --key and name the public key under spec.approvers of the policy.\n\n\
    Exit codes: 0 recorded · 2 an invalid document or argument · 4 a file cannot be read or written · 5 the policy would \
    not count it\n\n\
    Examples:\n  unfazed approve experiment.yaml --policy policy.yaml --by alice --until 7d --ticket CHG-4211\n  \
    unfazed approve experiment.yaml --by alice --until 2026-12-01T18:00:00+01:00 --key alice.pem"
)]
pub(crate) struct Arguments {
    /// The experiment document, or a directory that holds an experiment.yaml.
    experiment: PathBuf,
    /// The policy that was looked at: the approval holds under this version of it only.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Who approves.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Until when: an RFC 3339 time, or a duration from now such as 7d.
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Until,
    /// The change ticket; default: the experiment's.
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    /// A file with an Ed25519 private key (PEM) to sign with.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File to append to, instead of the one beside the experiment.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn until(text: &str) -> Result<Until, String> {
    let moment = match Timestamp::parse(text) {
        Ok(at) => return Ok(Until::Moment(at)),
        Err(error) => error,
    };
    match Span::parse(text) {
        Ok(span) if span > Span::ZERO => Ok(Until::For(span)),
        Ok(_) => Err("accepted is a duration above zero".to_owned()),
        Err(_) => Err(format!("{moment}; also accepted is a duration from now, e.g. 7d")),
    }
}

/// Records an approval.
pub(crate) fn run(arguments: Arguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let Arguments { experiment, policy, by, until, ticket, key, output } = arguments;
    let now = clock::now();
    let approved = approve::run(&ApproveArguments {
        experiment,
        policy,
        by,
        until,
        ticket,
        key,
        output,
        now,
    })?;
    let signed = approved
        .signed_with
        .as_ref()
        .map_or_else(|| "not signed".to_owned(), |key| format!("signed, public key {key}"));
    terminal.say(&format!(
        "approved: {} by {} until {} ({signed})",
        approved.digest, approved.by, approved.until
    ));
    for note in &approved.notes {
        terminal.say(&format!("note: {note}"));
    }
    terminal.say(&format!("written: {}", approved.path.display()));
    Ok(ExitCode::Done)
}
