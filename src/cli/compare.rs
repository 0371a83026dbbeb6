//! `unfazed compare`.

use std::path::PathBuf;

use clap::Args;

use crate::app::{self, AppError};
use crate::cli::command::write;
use crate::cli::exit_code::ExitCode;
use crate::cli::history::{PrintFormat, pretty};
use crate::cli::terminal::Terminal;
use crate::report;
use crate::verdict::compare::result::Change;
use crate::verdict::compare::{Margin, Names};

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 better or not worse · 1 worse · 3 cannot tell\n\n\
    Examples:\n  unfazed compare out/before out/after -o compare.html\n  \
    unfazed compare before/result.json after/result.json --runbook-change https://git.example/runbooks/pull/42\n  \
    unfazed compare --format json monday friday > comparison.json")]
pub(crate) struct CompareArguments {
    /// Before the change: a result.json, a directory that holds one, or a recording.
    before: PathBuf,
    /// After the change, likewise.
    after: PathBuf,
    /// How much worse still counts as equal, as a part of each bound (20%); default: the claim's own margin against the
    /// baseline, a tenth of an absolute bound.
    #[arg(long, value_name = "SHARE", value_parser = margin)]
    margin: Option<f64>,
    /// The change to the runbook that this is to prove: a link, a commit, a ticket.
    #[arg(long, value_name = "REF")]
    runbook_change: Option<String>,
    /// Compare although the experiments have two names.
    #[arg(long)]
    allow_different_experiments: bool,
    /// Also write a page.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PrintFormat::Text)]
    format: PrintFormat,
    /// Print JSON; short for --format json.
    #[arg(long)]
    json: bool,
    /// Directory of templates that replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Seed of every random draw, where a recording is given.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Exit with 0 whatever the answer.
    #[arg(long)]
    exit_zero: bool,
}

/// Reads a margin: a percentage, or a share of one.
fn margin(text: &str) -> Result<f64, String> {
    let wrong = || {
        format!(
            "'{text}' is no margin: accepted is a percentage (20%) or a share (0.2), from 0 to 100%"
        )
    };
    let (digits, scale) = match text.trim().strip_suffix('%') {
        Some(digits) => (digits.trim(), 100.0),
        None => (text.trim(), 1.0),
    };
    let share = digits.parse::<f64>().map_err(|_| wrong())? / scale;
    if share.is_finite() && (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

/// Runs `compare`.
pub(crate) fn run(arguments: &CompareArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let inputs = app::compare::CompareInputs {
        before: arguments.before.clone(),
        after: arguments.after.clone(),
        margin: arguments.margin.map_or(Margin::OfTheClaim, Margin::Share),
        names: if arguments.allow_different_experiments {
            Names::MayDiffer
        } else {
            Names::MustAgree
        },
        runbook_change: arguments.runbook_change.clone(),
        seed: arguments.seed,
    };
    let outputs = app::compare::CompareOutputs {
        page: arguments.output.clone(),
        templates: arguments.templates.clone(),
    };
    let compared = app::compare::run(&inputs, &outputs)?;
    let text = match arguments.format.or_json(arguments.json) {
        PrintFormat::Json => pretty(&compared.comparison),
        PrintFormat::Text => report::comparison_text(&compared.comparison, terminal.style())?,
    };
    write(&text, terminal)?;
    if let Some(path) = &compared.written {
        terminal.say(&format!("written: {}", path.display()));
    }
    Ok(if arguments.exit_zero { ExitCode::Done } else { exit_code(compared.comparison.verdict) })
}

/// The exit code of an answer.
const fn exit_code(change: Change) -> ExitCode {
    match change {
        Change::Better | Change::NotWorse => ExitCode::Done,
        Change::Worse => ExitCode::Fail,
        Change::CannotTell => ExitCode::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_a_percentage_or_a_share() {
        assert_eq!(margin("20%"), Ok(0.2));
        assert_eq!(margin("0.2"), Ok(0.2));
        for text in ["", "x", "-5%", "120%", "NaN", "inf%"] {
            assert!(margin(text).is_err(), "{text}");
        }
    }
}
