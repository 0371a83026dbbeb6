//! `unfazed run` on a terminal: the plan first, then one line that moves, or plain lines, or JSON lines.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::app::run::{
    Finished, GateReading, Liveness, Onlooker, Resumption, RunArguments as Asked, Standing, Tidings,
};
use crate::app::{self, AppError};
use crate::campaign::{Ending, StopCause};
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::report::plan_text;
use crate::run::Arm;
use crate::unit::{Seed, Span};
use crate::verdict::plan::outlook::CampaignPlan;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --live nothing is killed: the injector names whom it would have hit.\n\n\
    Exit codes: 0 every iteration is recorded (or as many as --iterations asked for) · 2 usage or invalid document · \
    4 the source, the injector or a file failed · 5 refused by policy, conditions, an abort rule or the circuit \
    breaker, or stopped by Ctrl-C; --resume goes on\n\n\
    Examples:\n  unfazed run experiment.yaml\n  \
    unfazed run experiment.yaml --policy policy.yaml --live --history history -o recording\n  \
    unfazed run experiment.yaml --policy policy.yaml --live --resume -o recording\n  \
    unfazed analyze recording"
)]
pub(crate) struct RunArguments {
    /// The experiment document, or a directory that holds an experiment.yaml.
    #[arg(value_name = "EXPERIMENT")]
    experiment: PathBuf,
    /// The policy it is held against.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Kill for real. Needs --policy.
    #[arg(long)]
    live: bool,
    /// The history in which a pass of the wave before is looked for.
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    /// Go on with the run in DIR, after a stop or a crash.
    #[arg(long)]
    resume: bool,
    /// Directory of the recording; default: unfazed-runs/<run id>.
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The injector; default: unfazed-inject beside this program.
    #[arg(long, value_name = "PATH")]
    injector: Option<PathBuf>,
    /// The audit log; default: audit.jsonl in the recording.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Who runs it, as the audit log and the policy's approvals know them; default: your user name.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Seed of the order of the iterations and of the jitter.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Pause after so many iterations; --resume goes on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    iterations: Option<u32>,
    /// How long conditions and recovery are waited for; default: 10m, or three deadlines of the recovery.
    #[arg(long, value_name = "DURATION", value_parser = span)]
    patience: Option<Span>,
    /// Tell everything as JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

/// The first of the JSON lines.
#[derive(Debug, Serialize)]
struct Planned<'plan> {
    event: &'static str,
    plan: &'plan CampaignPlan,
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).map_err(|error| error.to_string())
}

/// Runs `run`.
pub(crate) fn run(arguments: &RunArguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let plan = app::plan::run(&arguments.experiment, None)?;
    if arguments.json {
        print_line(&Planned { event: "plan", plan: &plan });
    } else {
        terminal.say(plan_text(&plan, terminal.style()).trim_end());
    }
    let stop = Arc::new(AtomicBool::new(false));
    listen(&stop)?;
    let own_program = std::env::current_exe()
        .map_err(|source| AppError::Stream { what: "find out where this program is", source })?;
    let asked = Asked {
        document: arguments.experiment.clone(),
        policy: arguments.policy.clone(),
        liveness: if arguments.live { Liveness::Live } else { Liveness::Dry },
        history: arguments.history.clone(),
        resumption: if arguments.resume { Resumption::GoOn } else { Resumption::Begin },
        output: arguments.output.clone(),
        injector: arguments.injector.clone(),
        own_program,
        audit: arguments.audit.clone(),
        actor: arguments.actor.clone().unwrap_or_else(user),
        seed: Seed(arguments.seed),
        budget: arguments.iterations,
        patience: arguments.patience,
        stop,
    };
    let finished = if arguments.json {
        app::run::run(&asked, &mut Lines)?
    } else {
        app::run::run(&asked, &mut View::new(terminal))?
    };
    if !arguments.json {
        terminal.say(&format!("written: {}", finished.directory.display()));
        if finished.record.is_some() {
            terminal.say(&format!("next: unfazed analyze {}", finished.directory.display()));
        }
    }
    Ok(code(&finished))
}

/// The first signal that asks for an end is obeyed in order; a second one ends this process at once, and then a lasting
/// fault is undone by the injector's guardian.
fn listen(stop: &Arc<AtomicBool>) -> Result<(), AppError> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let failed = |source| AppError::Stream { what: "listen to signals", source };
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(stop))
            .map_err(failed)?;
        signal_hook::flag::register(signal, Arc::clone(stop)).map_err(failed)?;
    }
    Ok(())
}

/// Who asks, as the system knows them.
fn user() -> String {
    #[expect(clippy::disallowed_methods, reason = "who runs a command is told by its environment")]
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// What a shell sees of an ending.
fn code(finished: &Finished) -> ExitCode {
    match &finished.ending {
        Ending::Complete | Ending::BudgetSpent if finished.failed() > 0 => ExitCode::Unreadable,
        Ending::Complete | Ending::BudgetSpent if finished.refused() > 0 => ExitCode::Refused,
        Ending::Complete | Ending::BudgetSpent => ExitCode::Done,
        Ending::Stopped { cause: StopCause::Interrupt } => ExitCode::Refused,
        Ending::Stopped {
            cause: StopCause::SourceLost { .. } | StopCause::InjectorLost { .. },
        } => ExitCode::Unreadable,
        Ending::BreakerOpened { .. } if finished.failed() > 0 => ExitCode::Unreadable,
        Ending::BreakerOpened { .. }
        | Ending::ConditionsFailed { .. }
        | Ending::NotRecovered { .. } => ExitCode::Refused,
    }
}

/// JSON lines on standard output.
struct Lines;

impl Onlooker for Lines {
    fn tell(&mut self, tidings: &Tidings) {
        print_line(tidings);
    }
}

/// One JSON line on standard output. A reader that went away must not stop a campaign.
fn print_line(told: &impl Serialize) {
    let mut line = serde_json::to_string(told)
        .expect("tidings and plans hold text, times and numbers with string keys");
    line.push('\n');
    let mut out = io::stdout().lock();
    let _written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// One line that moves on a terminal, plain lines elsewhere.
struct View {
    terminal: Terminal,
    bar: Option<ProgressBar>,
    denied: Vec<String>,
}

impl View {
    fn new(terminal: Terminal) -> Self {
        let bar = (io::stderr().is_terminal() && !terminal.is_quiet()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { terminal, bar, denied: Vec::new() }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.terminal.say(text),
        }
    }
}

impl Onlooker for View {
    fn tell(&mut self, tidings: &Tidings) {
        match tidings {
            Tidings::Began { run_id, directory, mode, faults, controls, resumed, .. } => {
                let verb = if *resumed { "goes on" } else { "begins" };
                let mode = match *mode {
                    "live" => "live",
                    _ => "dry run: nothing is killed",
                };
                self.say(&format!(
                    "\nRUN   {run_id} {verb} ({mode}): {faults} kills, {controls} controls, recording {directory}"
                ));
            }
            Tidings::Decision { iteration, allowed, lines, .. } => {
                let denied: Vec<String> =
                    lines.iter().filter(|line| line.starts_with("denied")).cloned().collect();
                let first = iteration.is_none();
                if *allowed && first {
                    self.say(&format!("gates  {} asked, none denies", lines.len()));
                } else if denied != self.denied {
                    for line in &denied {
                        self.say(&format!("  {line}"));
                    }
                }
                self.denied = denied;
            }
            Tidings::Phase { at, iteration, of, arm, phase } => {
                if matches!(*phase, "baseline" | "injecting" | "experiment" | "recovery") {
                    self.say(&format!("{at}  {iteration}/{of} {}  {phase}", arm_word(*arm)));
                }
            }
            Tidings::Noted { at, iteration, kind, message } => {
                let of = iteration.map_or_else(String::new, |index| format!("{index} "));
                self.say(&format!("{at}  {of}{kind}: {message}"));
            }
            Tidings::Progress(standing) => {
                if let Some(bar) = &self.bar {
                    bar.set_message(moving(standing));
                }
            }
            Tidings::Ended { ending, message, .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                self.terminal.say(&format!("{}  {message}", ending.to_uppercase()));
            }
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The line that moves.
fn moving(standing: &Standing) -> String {
    let left = standing.left_s.map_or_else(String::new, |left| format!(" {left:.0} s left"));
    let readings: Vec<String> = standing.readings.iter().map(reading).collect();
    format!(
        "{}/{} {} · {}{left} · {}",
        standing.iteration,
        standing.of,
        arm_word(standing.arm),
        standing.phase,
        readings.join(" · ")
    )
}

fn reading(reading: &GateReading) -> String {
    let GateReading { name, value, threshold, state } = reading;
    match *state {
        "ok" | "waiting" => format!("{name} {value}"),
        state => format!("{name} {value} ({threshold}: {state})"),
    }
}

const fn arm_word(arm: Arm) -> &'static str {
    match arm {
        Arm::Fault => "fault",
        Arm::Control => "control",
    }
}
