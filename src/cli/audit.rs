//! `unfazed audit verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::AppError;
use crate::app::audit::{self, VerifyArguments};
use crate::cli::command::print;
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;

/// What to do with an audit log.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum AuditCommand {
    /// Check that no line was changed, cut out, put in or moved.
    Verify(Arguments),
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every line holds the hash of the line before. Lines that are missing at the end, and a log that \
    was written anew as a whole, look like a whole log: they are found only against a head that was noted elsewhere \
    (--head, --anchor), the second also against a signature (--key).\n\n\
    Exit codes: 0 the log is whole · 1 it is not · 2 a wrong argument · 4 a file cannot be read\n\n\
    Examples:\n  unfazed audit verify audit.jsonl\n  \
    unfazed audit verify audit.jsonl --anchor run.json --key ed25519:d75a98…"
)]
pub(crate) struct Arguments {
    /// The audit log.
    file: PathBuf,
    /// The hash of a line that was noted elsewhere: it must be in the log.
    #[arg(long, value_name = "HASH", conflicts_with = "anchor")]
    head: Option<String>,
    /// A JSON file that notes the head: a run.json or result.json, or the output of --json.
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// The public key (ed25519:<hex>, or a file that holds it) with which every line must be signed.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs a command on an audit log.
pub(crate) fn run(command: AuditCommand, terminal: Terminal) -> Result<ExitCode, AppError> {
    let AuditCommand::Verify(Arguments { file, head, anchor, key, json }) = command;
    let arguments = VerifyArguments { log: file, head, anchor, key };
    let outcome = audit::verify(&arguments)?;
    let name = arguments.log.display();
    match &outcome.found {
        Ok(whole) => {
            let text = if json {
                let value = json!({
                    "whole": true,
                    "entries": whole.head.entries,
                    "head": whole.head.head,
                    "signed": whole.signed,
                    "after_noted": whole.after_noted,
                    "blind_to": outcome.blind_to,
                });
                format!("{value}\n")
            } else {
                let mut text = format!(
                    "{name}: whole, {} lines, {} signed\nhead: {}\n",
                    whole.head.entries, whole.signed, whole.head.head
                );
                if let Some(after) = whole.after_noted {
                    text.push_str(&format!(
                        "the noted head is in it, {after} lines from the end\n"
                    ));
                }
                for blind in &outcome.blind_to {
                    text.push_str(&format!("not checked: {blind}\n"));
                }
                text
            };
            print(&text, terminal)
        }
        Err(broken) => {
            if json {
                let value = json!({"whole": false, "line": broken.line, "why": broken.why});
                print(&format!("{value}\n"), terminal)?;
            }
            Terminal::complain(&format!("unfazed: {name}:{}: {}", broken.line, broken.why));
            Ok(ExitCode::Fail)
        }
    }
}
