//! Runs a command line: arguments to `app`, outcome to terminal and exit code.

use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use clap::{CommandFactory, Parser};

use crate::app::{self, AppError};
use crate::cli::arguments::{
    AnalyzeArguments, Arguments, Command, ImportArguments, InitArguments, PlanArguments,
    ReportArguments, SchemaKind,
};
use crate::cli::exit_code::ExitCode;
use crate::cli::history::PrintFormat;
use crate::cli::import_samples::import_samples;
use crate::cli::record::record;
use crate::cli::terminal::Terminal;
use crate::report::{plan_json, plan_text};
use crate::source::metrics::load::LoadFormat;

/// Runs the command line of this process and returns its exit code.
pub fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not errors; clap writes each to the right stream.
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done };
            let _ = error.print();
            return code.number().into();
        }
    };
    let terminal = Terminal::new(arguments.quiet, arguments.color);
    let code = std::panic::catch_unwind(|| run(arguments.command, terminal)).unwrap_or_else(|_| {
        Terminal::complain(
            "unfazed: a bug in unfazed, not in your data: please report the message above",
        );
        ExitCode::Bug
    });
    code.number().into()
}

fn run(command: Command, terminal: Terminal) -> ExitCode {
    let outcome = match command {
        Command::Analyze(arguments) => analyze(&arguments, terminal),
        Command::Plan(arguments) => plan(&arguments, terminal),
        Command::Pull(arguments) => crate::cli::pull::run(&arguments, terminal),
        Command::Run(arguments) => crate::cli::run::run(&arguments, terminal),
        Command::Report(arguments) => report(&arguments, terminal),
        Command::Import(arguments) => import(arguments, terminal),
        Command::Init(arguments) => init(arguments, terminal),
        Command::Compare(arguments) => crate::cli::compare::run(&arguments, terminal),
        Command::Check(arguments) => crate::cli::check::run(&arguments, terminal),
        Command::Approve(arguments) => crate::cli::approve::run(arguments, terminal),
        Command::Audit(command) => crate::cli::audit::run(command, terminal),
        Command::Weekly(arguments) => crate::cli::weekly::run(&arguments, terminal),
        Command::History(command) => crate::cli::history::run(&command, terminal),
        Command::Runbook(arguments) => crate::cli::runbook::run(arguments, terminal),
        Command::Record(arguments) => record(arguments, terminal),
        Command::Schema { kind: SchemaKind::Experiment } => {
            print(&crate::spec::schema_json(), terminal)
        }
        Command::Schema { kind: SchemaKind::Policy } => {
            print(&crate::spec::policy_schema_json(), terminal)
        }
        Command::Stat => stat(),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "unfazed", &mut text);
            print(&String::from_utf8_lossy(&text), terminal)
        }
    };
    outcome.unwrap_or_else(|error| {
        Terminal::complain(&format!("unfazed: {error}"));
        ExitCode::of_error(&error)
    })
}

fn analyze(arguments: &AnalyzeArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    if let Some(threads) = arguments.threads {
        // Fails only if a pool exists already, and none does this early.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    if let Some(list) = &arguments.batch {
        return batch(list, arguments.seed, terminal);
    }
    let inputs = app::analyze::Inputs {
        paths: arguments.recordings.clone(),
        run: arguments.run.clone(),
        events: arguments.events.clone(),
        seed: arguments.seed,
    };
    let outputs = app::analyze::Outputs {
        directory: arguments.output.clone(),
        junit: arguments.junit.clone(),
        markdown: arguments.markdown.clone(),
        badge: arguments.badge.clone(),
        templates: arguments.templates.clone(),
        history: arguments.history.clone(),
        runbook: arguments.runbook.clone(),
        link: arguments.event_url.clone().unwrap_or_default(),
    };
    let bar = crate::cli::pull::Bar::new(terminal);
    let fetching = app::pull::Fetching {
        limits: arguments.fetching.limits(),
        progress: &|progress| bar.tell(progress),
    };
    let analyzed = app::analyze::run_fetching(&inputs, &outputs, terminal.style(), &fetching);
    bar.clear();
    let analyzed = analyzed?;
    write(&analyzed.summary, terminal)?;
    for note in &analyzed.notes {
        terminal.say(note);
    }
    for path in &analyzed.written {
        terminal.say(&format!("written: {}", path.display()));
    }
    if let (Some(folder), Some(remembered)) = (&arguments.history, &analyzed.remembered) {
        terminal.say(&crate::cli::history::remembered_words(folder, remembered));
    }
    Ok(if arguments.exit_zero {
        ExitCode::Done
    } else {
        ExitCode::of_verdict(analyzed.result.verdict)
    })
}

fn batch(list: &Path, seed: u64, terminal: Terminal) -> Result<ExitCode, AppError> {
    let output = BufWriter::new(io::stdout().lock());
    let outcome = if list == Path::new("-") {
        app::batch::run(BufReader::new(io::stdin()), output, seed)?
    } else {
        #[expect(
            clippy::disallowed_methods,
            reason = "commands read the files that their arguments name"
        )]
        let opened = match std::fs::File::open(list) {
            Ok(_) if list.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            opened => opened,
        };
        let file = opened.map_err(|source| AppError::Read {
            what: "the list of recordings",
            path: list.to_owned(),
            source,
            hint: "give a file with one recording path a line, or - for standard input",
        })?;
        app::batch::run(BufReader::new(file), output, seed)?
    };
    terminal.say(&format!("{} analysed, {} errors", outcome.results, outcome.errors));
    Ok(if outcome.errors == 0 { ExitCode::Done } else { ExitCode::Unreadable })
}

fn plan(arguments: &PlanArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let plan = app::plan::run(&arguments.experiment, arguments.recording.as_deref())?;
    let text = match arguments.format.or_json(arguments.json) {
        PrintFormat::Json => plan_json(&plan),
        PrintFormat::Text => plan_text(&plan, terminal.style()),
    };
    print(&text, terminal)
}

fn report(arguments: &ReportArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let written = app::render::run(
        &arguments.result,
        arguments.output.as_deref(),
        arguments.templates.as_deref(),
        &arguments.event_url.clone().unwrap_or_default(),
    )?;
    terminal.say(&format!("written: {}", written.display()));
    if let Some(badge) = &arguments.badge {
        app::render::run_badge(&arguments.result, badge)?;
        terminal.say(&format!("written: {}", badge.display()));
    }
    Ok(ExitCode::Done)
}

fn import(arguments: ImportArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    if let Some(format) = LoadFormat::named(&arguments.format) {
        return import_samples(format, arguments, terminal);
    }
    let imported = app::import::run(&app::import::ImportArguments {
        format: arguments.format,
        inputs: arguments.files,
        windows: arguments.windows,
        zone: arguments.zone,
        output: arguments.output,
    })?;
    tell_warnings(&imported);
    let count =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    terminal.say(&format!(
        "{}: {}, {} carried out",
        imported.experiment,
        count(imported.iterations, "iteration"),
        count(imported.killed, "fault"),
    ));
    match &imported.written {
        Some(path) => {
            terminal.say(&format!("written: {}", path.display()));
            Ok(ExitCode::Done)
        }
        None => print(&imported.text, terminal),
    }
}

fn init(arguments: InitArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    if arguments.from.is_empty() {
        return start(&arguments.directory, terminal);
    }
    let drafted = app::import::run_draft(&app::import::DraftArguments {
        inputs: arguments.from,
        format: arguments.format,
        output: arguments.output.unwrap_or_else(|| arguments.directory.join("experiment.yaml")),
    })?;
    tell_warnings(&drafted);
    if let Some(path) = &drafted.written {
        terminal.say(&format!(
            "written: {0}; replace every REPLACE_ME, then: unfazed check {0}",
            path.display()
        ));
    }
    Ok(ExitCode::Done)
}

/// Writes the starter kit.
fn start(directory: &Path, terminal: Terminal) -> Result<ExitCode, AppError> {
    let kit = app::init::run(directory)?;
    for path in &kit.kept {
        terminal.say(&format!("kept, it was there: {}", path.display()));
    }
    for path in &kit.written {
        terminal.say(&format!("written: {}", path.display()));
    }
    let place = |name: &str| directory.join(name).display().to_string();
    terminal.say(&format!(
        "next: put your service's names in, then: unfazed check {} --policy {}",
        place("experiment.yaml"),
        place("policy.yaml")
    ));
    Ok(ExitCode::Done)
}

fn tell_warnings(imported: &app::import::ImportReport) {
    for warning in &imported.warnings {
        Terminal::complain(&format!("warning: {}: {}", warning.code, warning.message));
    }
}

fn stat() -> Result<ExitCode, AppError> {
    let output = BufWriter::new(io::stdout().lock());
    match app::stat::answer_lines(io::stdin().lock(), output) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(AppError::Stream { what: "answer the requests on standard input", source })
        }
        Ok(()) | Err(_) => Ok(ExitCode::Done),
    }
}

pub(crate) fn print(text: &str, terminal: Terminal) -> Result<ExitCode, AppError> {
    write(text, terminal)?;
    Ok(ExitCode::Done)
}

pub(crate) fn write(text: &str, terminal: Terminal) -> Result<(), AppError> {
    terminal
        .result(text)
        .map_err(|source| AppError::Stream { what: "write to standard output", source })
}
