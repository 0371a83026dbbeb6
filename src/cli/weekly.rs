//! `unfazed weekly`.

use std::path::PathBuf;

use clap::Args;

use crate::app::weekly::{Stretch, WeeklyInputs, WeeklyOutputs};
use crate::app::{self, AppError};
use crate::cli::command::write;
use crate::cli::exit_code::ExitCode;
use crate::cli::history::{PrintFormat, pretty};
use crate::cli::terminal::Terminal;
use crate::report;
use crate::unit::{IsoWeek, Timestamp, parse_end, parse_start};

/// Arguments of `weekly`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  unfazed weekly --history history -o weekly.html\n  \
    unfazed weekly --history history --week 2026-W47 --experiments experiments -o weekly.html\n  \
    unfazed weekly --history history --from 2026-10-01 --to 2026-12-31 --group-by team --format json")]
pub(crate) struct WeeklyArguments {
    /// Directory of the history.
    #[arg(long, value_name = "DIR")]
    history: PathBuf,
    /// ISO week in UTC; default: the week of the latest run.
    #[arg(long, value_name = "WEEK", value_parser = week, conflicts_with_all = ["from", "to"])]
    week: Option<IsoWeek>,
    /// First day (2026-10-01, UTC) or moment of any other period.
    #[arg(long, value_name = "TIME", value_parser = start, requires = "to")]
    from: Option<Timestamp>,
    /// Its last day, which is inside, or the moment of its end.
    #[arg(long, value_name = "TIME", value_parser = end, requires = "from")]
    to: Option<Timestamp>,
    /// File of the page; without it only the summary is printed.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Label that experiments are grouped by; `environment` groups by where they run.
    #[arg(long, value_name = "LABEL", default_value = "service")]
    group_by: String,
    /// Directory of experiment documents: names those that were never run, or changed since.
    #[arg(long, value_name = "DIR")]
    experiments: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PrintFormat::Text)]
    format: PrintFormat,
    /// Print JSON; short for --format json.
    #[arg(long)]
    json: bool,
    /// Directory of templates that replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

fn week(text: &str) -> Result<IsoWeek, String> {
    IsoWeek::parse(text).map_err(|error| error.to_string())
}

fn start(text: &str) -> Result<Timestamp, String> {
    parse_start(text).map_err(|error| error.to_string())
}

fn end(text: &str) -> Result<Timestamp, String> {
    parse_end(text).map_err(|error| error.to_string())
}

/// Runs `weekly`.
pub(crate) fn run(arguments: &WeeklyArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let stretch = match (arguments.week, arguments.from.zip(arguments.to)) {
        (Some(week), _) => Stretch::Week(week),
        (None, Some((start, end))) => Stretch::Between { start, end },
        (None, None) => Stretch::LatestWeek,
    };
    let inputs = WeeklyInputs {
        history: arguments.history.clone(),
        stretch,
        experiments: arguments.experiments.clone(),
        group_by: arguments.group_by.clone(),
    };
    let outputs =
        WeeklyOutputs { page: arguments.output.clone(), templates: arguments.templates.clone() };
    let weekly = app::weekly::run(&inputs, &outputs)?;
    let text = match arguments.format.or_json(arguments.json) {
        PrintFormat::Json => pretty(&weekly),
        PrintFormat::Text => report::weekly_text(&weekly, terminal.style())?,
    };
    write(&text, terminal)?;
    if let Some(path) = &arguments.output {
        terminal.say(&format!("written: {}", path.display()));
    }
    Ok(ExitCode::Done)
}
