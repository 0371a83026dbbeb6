//! `unfazed import` of samples: what was asked for, and what came of it.

use crate::app::AppError;
use crate::app::import_samples::{Placement, SamplesArguments, run};
use crate::cli::arguments::ImportArguments;
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::source::metrics::load::LoadFormat;

/// Runs the command.
pub(crate) fn import_samples(
    format: &'static LoadFormat,
    arguments: ImportArguments,
    terminal: Terminal,
) -> Result<ExitCode, AppError> {
    if arguments.windows.is_some() {
        return Err(AppError::Usage(format!(
            "--windows is for run records, and `import {}` makes samples; leave it out",
            format.name
        )));
    }
    let report = run(&SamplesArguments {
        format,
        inputs: arguments.files,
        output: arguments.output,
        zone: arguments.zone,
        start: arguments.start,
        columns: arguments.columns,
        metric: arguments.metric,
        placement: if arguments.add { Placement::Beside } else { Placement::Alone },
    })?;
    for warning in &report.warnings {
        Terminal::complain(&format!("warning: {}: {}", warning.code, warning.message));
    }
    let written = &report.written;
    let mut told = format!(
        "{} samples of {} series of {} metrics",
        written.samples, written.series, written.metrics
    );
    if report.requests > 0 {
        told.push_str(&format!(", {} requests", report.requests));
    }
    if report.events > 0 {
        told.push_str(&format!(", {} events", report.events));
    }
    terminal.say(&told);
    terminal.say(&format!("written: {}", report.directory.display()));
    Ok(ExitCode::Done)
}
