//! `unfazed record`: arguments, progress on a terminal, and Ctrl-C.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::app::AppError;
use crate::app::record::{RecordArguments as Wanted, Watch, run};
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::source::metrics::collector::Progress;
use crate::unit::Span;

/// Exit code of a process that a second Ctrl-C ends at once.
const INTERRUPTED: i32 = 130;

/// Arguments of `record`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    unfazed record experiment.yaml --for 30m -o monday\n  \
    unfazed record experiment.yaml -o monday     # until Ctrl-C")]
pub(crate) struct RecordArguments {
    /// The experiment document with `source: {scrape: …}`, or a directory that holds an experiment.yaml.
    experiment: PathBuf,
    /// How long to record, e.g. 90s or 1h30m; default: until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    length: Option<Span>,
    /// Directory of the recording; it must hold no samples yet.
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
}

fn length(text: &str) -> Result<Span, String> {
    match Span::parse(text) {
        Ok(Span::ZERO) => Err("accepted is a duration above zero, e.g. 90s".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Runs the command.
pub(crate) fn record(arguments: RecordArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let stop = stop_flag()?;
    let bar = bar(arguments.length, terminal);
    let wanted = Wanted {
        experiment: arguments.experiment,
        length: arguments.length,
        output: arguments.output,
    };
    let outcome = run(&wanted, |progress, elapsed| {
        bar.set_position(u64::try_from(elapsed.milliseconds()).unwrap_or(0));
        bar.set_message(told(progress));
        if stop.load(Ordering::Relaxed) { Watch::Stop } else { Watch::GoOn }
    });
    bar.finish_and_clear();
    let recorded = outcome?;
    for warning in &recorded.warnings {
        Terminal::complain(&format!("warning: {}: {}", warning.code, warning.message));
    }
    terminal.say(&told(&recorded.collected.progress));
    terminal.say(&format!("written: {}", recorded.directory.display()));
    Ok(ExitCode::Done)
}

/// Becomes true with the first Ctrl-C; the second one ends the process, which loses the last part at most.
fn stop_flag() -> Result<Arc<AtomicBool>, AppError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let registered = signal_hook::flag::register_conditional_shutdown(
            signal,
            INTERRUPTED,
            Arc::clone(&stop),
        )
        .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)));
        registered.map_err(|source| AppError::Stream { what: "watch for Ctrl-C", source })?;
    }
    Ok(stop)
}

/// A bar on a terminal, nothing elsewhere.
fn bar(length: Option<Span>, terminal: Terminal) -> ProgressBar {
    let bar = match length {
        Some(length) => ProgressBar::new(u64::try_from(length.milliseconds()).unwrap_or(0)),
        None => ProgressBar::new_spinner(),
    };
    if terminal.is_quiet() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = if length.is_some() {
        "{elapsed_precise} {wide_bar} {msg}"
    } else {
        "{elapsed_precise} {spinner} {msg}"
    };
    // The template is ours; without one the bar looks plainer.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// What was done, in one line.
fn told(progress: &Progress) -> String {
    let mut text = format!(
        "{} samples in {} scrapes of {} targets",
        progress.samples(),
        progress.scrapes(),
        progress.targets.len()
    );
    if progress.failures() > 0 {
        text.push_str(&format!(", {} failed", progress.failures()));
    }
    text
}
