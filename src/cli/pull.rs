//! `unfazed pull`, and the arguments by which any command talks to a server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::pull::{Fetching, Progress, PullArguments as Pull};
use crate::app::{self, AppError};
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::source::metrics::prometheus::Limits;
use crate::store::Resumed;
use crate::unit::Span;

/// Arguments of `pull`.
#[derive(Debug, Args)]
#[command(
    after_help = "The document names the server (spec.source.prometheus); secrets come from the environment or from \
    files that it names.\nInterrupted, it goes on where it was: what was fetched waits in DIR.partial.\n\n\
    Example: unfazed pull experiment.yaml --run run.json -o recording && unfazed analyze recording"
)]
pub(crate) struct PullArguments {
    /// The experiment document.
    experiment: PathBuf,
    /// The run record: which windows to fetch.
    #[arg(long, value_name = "FILE")]
    run: PathBuf,
    /// Directory of the recording to write.
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    fetching: FetchArguments,
}

/// How a server is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Asking a server")]
pub(crate) struct FetchArguments {
    /// How long one request may take.
    #[arg(long, value_name = "SPAN", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// How long all of it may take, retries included.
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = duration)]
    deadline: Duration,
    /// How often a request is repeated when the server is busy or the connection is lost.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(..=100))]
    retries: u32,
    /// Requests at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    requests: u16,
    /// Most bytes of one answer, unpacked.
    #[arg(long, value_name = "N", default_value_t = Limits::default().answer_bytes, hide = true)]
    answer_bytes: u64,
}

impl FetchArguments {
    /// As limits of a conversation.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            timeout: self.timeout,
            deadline: self.deadline,
            retries: self.retries,
            concurrency: self.requests.into(),
            answer_bytes: self.answer_bytes,
        }
    }
}

/// Reads a span above zero.
fn duration(text: &str) -> Result<Duration, String> {
    let span = Span::parse(text).map_err(|error| error.to_string())?;
    let milliseconds = u64::try_from(span.milliseconds()).unwrap_or_default();
    if milliseconds == 0 {
        return Err("accepted is a duration above zero, e.g. 30s".to_owned());
    }
    Ok(Duration::from_millis(milliseconds))
}

/// A bar on a terminal, nothing anywhere else.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(terminal: Terminal) -> Self {
        let target = if terminal.is_talkative() {
            // Draws nothing unless standard error is a terminal.
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::with_draw_target(None, target).with_style(style))
    }

    pub(crate) fn tell(&self, progress: Progress) {
        self.0.set_length(progress.all as u64);
        self.0.set_position(progress.done as u64);
        self.0.set_message(format!("{} samples", progress.samples));
    }

    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Runs `pull`.
pub(crate) fn run(arguments: &PullArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let bar = Bar::new(terminal);
    let fetching =
        Fetching { limits: arguments.fetching.limits(), progress: &|progress| bar.tell(progress) };
    let pull = Pull {
        experiment: arguments.experiment.clone(),
        run: arguments.run.clone(),
        output: arguments.output.clone(),
    };
    let pulled = app::pull::run(&pull, &fetching);
    bar.clear();
    let pulled = pulled?;
    for warning in &pulled.warnings {
        Terminal::complain(&format!("warning: {}: {}", warning.code, warning.message));
    }
    match pulled.resumed {
        Resumed::Fresh => {}
        Resumed::Continued => terminal.say("went on where an earlier pull was interrupted"),
        Resumed::Replaced => {
            terminal.say("an earlier pull of something else was interrupted; began anew");
        }
    }
    terminal.say(&format!(
        "{} samples of {} series of {} metrics",
        pulled.samples.samples, pulled.samples.series, pulled.samples.metrics
    ));
    terminal.say(&format!("written: {}", pulled.directory.display()));
    Ok(ExitCode::Done)
}
