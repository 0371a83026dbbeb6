//! `unfazed runbook`: its arguments, and how it is run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::AppError;
use crate::app::runbook::{self, Form, Request};
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::runbook::Export;

/// Arguments of `runbook`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  unfazed runbook out/result.json\n  \
    unfazed runbook out/result.json --runbook runbooks/payment-worker.md | git apply\n  \
    unfazed runbook out/result.json --export rundeck -o job.yaml\n\n\
    In a runbook, <!-- unfazed:ignore RULE --> keeps a rule's suggestion away.")]
pub(crate) struct RunbookArguments {
    /// A result.json that `analyze` wrote.
    pub(crate) result: PathBuf,
    /// A runbook in Markdown: print a patch to it instead of text.
    #[arg(long, value_name = "FILE")]
    pub(crate) runbook: Option<PathBuf>,
    /// Print automation instead of text.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) export: Option<ExportFormat>,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = PrintForm::Text, conflicts_with = "export")]
    pub(crate) format: PrintForm,
    /// File to write, or directory where an export has several files; default: standard output.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

/// A form for people or programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrintForm {
    /// Text, or with --runbook a patch.
    Text,
    /// JSON.
    Json,
}

/// Automation tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Rundeck jobs in YAML.
    Rundeck,
    /// A StackStorm Orquesta workflow and its action.
    Stackstorm,
    /// An AWS Systems Manager Automation document.
    Ssm,
    /// Executable Markdown (Runme).
    Markdown,
}

/// Runs the command.
pub(crate) fn run(arguments: RunbookArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let form = match (arguments.export, arguments.format) {
        (Some(ExportFormat::Rundeck), _) => Form::Automation(Export::Rundeck),
        (Some(ExportFormat::Stackstorm), _) => Form::Automation(Export::StackStorm),
        (Some(ExportFormat::Ssm), _) => Form::Automation(Export::Ssm),
        (Some(ExportFormat::Markdown), _) => Form::Automation(Export::Markdown),
        (None, PrintForm::Json) => Form::Json,
        (None, PrintForm::Text) => Form::Text,
    };
    let suggested = runbook::run(&Request {
        result: arguments.result,
        runbook: arguments.runbook,
        form,
        output: arguments.output,
    })?;
    for note in &suggested.notes {
        terminal.say(note);
    }
    for path in &suggested.written {
        terminal.say(&format!("written: {}", path.display()));
    }
    terminal
        .result(&suggested.text)
        .map_err(|source| AppError::Stream { what: "write to standard output", source })?;
    Ok(ExitCode::Done)
}
