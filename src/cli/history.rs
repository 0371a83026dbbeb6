//! `unfazed history`: list, show, verify.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::history::Judgements;
use crate::app::{self, AppError};
use crate::cli::command::print;
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::report::{self, Listed};
use crate::store::Appended;
use crate::store::history::Verification;

/// What to do with a history.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum HistoryCommand {
    /// List the runs, oldest first.
    List(ListArguments),
    /// Show one run; with --result its whole result.json.
    Show(ShowArguments),
    /// Check that nothing was changed, taken out, swapped or cut off.
    Verify(VerifyArguments),
}

/// Arguments of `history list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: unfazed history list --history history --experiment payment-worker-kill"
)]
pub(crate) struct ListArguments {
    /// Directory of the history.
    #[arg(long, value_name = "DIR")]
    history: PathBuf,
    /// Runs of this experiment only.
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Also list judgements that a later one of the same run replaced.
    #[arg(long)]
    all: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PrintFormat::Text)]
    format: PrintFormat,
}

/// Arguments of `history show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  unfazed history show --history history monday\n  \
    unfazed history show --history history 3 --result > result.json")]
pub(crate) struct ShowArguments {
    /// Id of the run, number of its entry, or the beginning of its object's digest.
    run: String,
    /// Directory of the history.
    #[arg(long, value_name = "DIR")]
    history: PathBuf,
    /// Print the whole result.json, as `unfazed report` and `unfazed compare` take it.
    #[arg(long, conflicts_with_all = ["json", "format"])]
    result: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PrintFormat::Text)]
    format: PrintFormat,
}

/// Arguments of `history verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 intact · 1 something was changed · 4 there is no history\n\n\
    Example: unfazed history verify --history history"
)]
pub(crate) struct VerifyArguments {
    /// Directory of the history.
    #[arg(long, value_name = "DIR")]
    history: PathBuf,
    /// Hash of a head that was noted elsewhere, for instance in a ticket: it must still be there.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PrintFormat::Text)]
    format: PrintFormat,
}

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PrintFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl PrintFormat {
    /// `--json` is the short way to say `--format json`.
    pub(crate) const fn or_json(self, json: bool) -> Self {
        if json { Self::Json } else { self }
    }
}

/// Runs `history`.
pub(crate) fn run(command: &HistoryCommand, terminal: Terminal) -> Result<ExitCode, AppError> {
    match command {
        HistoryCommand::List(arguments) => list(arguments, terminal),
        HistoryCommand::Show(arguments) => show(arguments, terminal),
        HistoryCommand::Verify(arguments) => verify(arguments, terminal),
    }
}

fn list(arguments: &ListArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let judgements = if arguments.all { Judgements::Every } else { Judgements::Last };
    let experiment = arguments.experiment.as_deref();
    let entries = app::history::list(&arguments.history, experiment, judgements)?;
    match arguments.format.or_json(arguments.json) {
        PrintFormat::Json => {
            let runs: Vec<_> = entries
                .iter()
                .map(|entry| {
                    json!({"sequence": entry.sequence, "object": entry.object, "hash": entry.hash, "run": entry.run})
                })
                .collect();
            print(&pretty(&json!({"schema": "unfazed.history.list/v1", "runs": runs})), terminal)
        }
        PrintFormat::Text => {
            let listed: Vec<Listed<'_>> = entries
                .iter()
                .map(|entry| Listed { sequence: entry.sequence, run: &entry.run })
                .collect();
            print(&report::history_text(&listed, terminal.style()), terminal)
        }
    }
}

fn show(arguments: &ShowArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let shown = app::history::show(&arguments.history, &arguments.run)?;
    if arguments.result {
        return print(&report::to_json(&shown.run.result), terminal);
    }
    match arguments.format.or_json(arguments.json) {
        PrintFormat::Json => print(
            &pretty(&json!({
                "schema": "unfazed.history.show/v1",
                "sequence": shown.entry.sequence,
                "object": shown.entry.object,
                "hash": shown.entry.hash,
                "run": shown.entry.run,
                "runs": shown.run.runs,
                "result": shown.run.result,
            })),
            terminal,
        ),
        PrintFormat::Text => print(&report::text(&shown.run.result, terminal.style())?, terminal),
    }
}

fn verify(arguments: &VerifyArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let found = app::history::verify(&arguments.history, arguments.head.as_deref())?;
    let text = match arguments.format.or_json(arguments.json) {
        PrintFormat::Json => pretty(&found),
        PrintFormat::Text => verification_text(&arguments.history, &found),
    };
    print(&text, terminal)?;
    Ok(if found.intact { ExitCode::Done } else { ExitCode::Fail })
}

/// What was found, a line each.
fn verification_text(folder: &Path, found: &Verification) -> String {
    let mut text = if found.intact {
        format!("{}: intact, {} runs\n", folder.display(), found.runs)
    } else {
        format!(
            "{}: {} of {} runs found amiss\n",
            folder.display(),
            found.problems.len(),
            found.runs
        )
    };
    for problem in &found.problems {
        text.push_str(&format!("{}: {}\n", problem.code.word(), problem.message));
    }
    for note in &found.notes {
        text.push_str(&format!("note: {}: {}\n", note.code, note.message));
    }
    if let Some(head) = &found.head {
        text.push_str(&format!("head: {head}\n"));
    }
    text
}

/// What `analyze --history` says.
pub(crate) fn remembered_words(folder: &Path, remembered: &Appended) -> String {
    match remembered {
        Appended::New { sequence } => {
            format!("remembered: run {sequence} of {}", folder.display())
        }
        Appended::AlreadyThere { sequence } => {
            format!("remembered already: run {sequence} of {}", folder.display())
        }
    }
}

/// Indented JSON with a final newline.
pub(crate) fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("what commands print has string keys and finite numbers only");
    text.push('\n');
    text
}
