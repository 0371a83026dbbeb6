//! `unfazed check`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::check::{self, CheckArguments, Found};
use crate::app::{AppError, clock};
use crate::cli::command::write;
use crate::cli::exit_code::ExitCode;
use crate::cli::terminal::Terminal;
use crate::safety::{Decision, Outcome};
use crate::unit::Timestamp;

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Pitfalls are warnings with a code, and change no exit code. With --policy every gate that can be \
    told beforehand is asked, and printed with its reason; what has to be measured is told later, before every kill.\n\n\
    Exit codes: 0 valid, and allowed if there is a policy · 2 an invalid document · 4 a file cannot be read · \
    5 the policy denies\n\n\
    Examples:\n  unfazed check experiments/*.yaml policy.yaml\n  \
    unfazed check experiment.yaml --policy policy.yaml --at 2026-12-01T10:00:00+01:00"
)]
pub(crate) struct Arguments {
    /// Experiments and policies, or directories that hold an experiment.yaml.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say what this policy would allow, and why not.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// File of approvals; default: the one beside each experiment.
    #[arg(long, value_name = "FILE", requires = "policy")]
    approvals: Option<PathBuf>,
    /// When it would happen (RFC 3339); default: now.
    #[arg(long, value_name = "TIME", requires = "policy", value_parser = moment)]
    at: Option<Timestamp>,
    /// Print the gates as JSON, one line a document.
    #[arg(long, requires = "policy")]
    json: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// Checks documents; the worst of them decides the exit code.
pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> Result<ExitCode, AppError> {
    let checked = check::run(&CheckArguments {
        files: arguments.files.clone(),
        policy: arguments.policy.clone(),
        approvals: arguments.approvals.clone(),
        at: arguments.at.unwrap_or_else(clock::now),
    })?;
    let mut code = ExitCode::Done;
    for file in checked {
        let own = match file.outcome {
            Ok(found) => {
                let name = file.path.display().to_string();
                warn(&name, &found, terminal);
                match &found.decision {
                    Some(decision) => {
                        let text = if arguments.json {
                            as_json(&name, decision)
                        } else {
                            as_text(&name, decision)
                        };
                        write(&text, terminal)?;
                        if decision.allowed() { ExitCode::Done } else { ExitCode::Refused }
                    }
                    None => ExitCode::Done,
                }
            }
            Err(error) => {
                Terminal::complain(&format!("unfazed: {error}"));
                ExitCode::of_error(&error)
            }
        };
        code = worse(code, own);
    }
    Ok(code)
}

/// A file that was not read weighs most, since its check did not happen; then an invalid one, then a denial.
fn worse(one: ExitCode, other: ExitCode) -> ExitCode {
    let weight = |code: ExitCode| match code {
        ExitCode::Bug => 5,
        ExitCode::Unreadable => 4,
        ExitCode::Usage => 3,
        ExitCode::Refused => 2,
        ExitCode::Fail | ExitCode::Inconclusive => 1,
        ExitCode::Done => 0,
    };
    if weight(other) > weight(one) { other } else { one }
}

fn warn(name: &str, found: &Found, terminal: Terminal) {
    for warning in &found.warnings {
        Terminal::complain(&format!("warning: {}", warning.in_file(name)));
    }
    for lint in &found.lints {
        Terminal::complain(&format!("warning: {}", lint.in_file(name)));
    }
    let count = match found.warnings.len() + found.lints.len() {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        count => format!(", {count} warnings"),
    };
    terminal.say(&format!("{name}: valid{count}"));
}

fn as_text(name: &str, decision: &Decision) -> String {
    let count =
        |outcome| decision.findings.iter().filter(|finding| finding.outcome == outcome).count();
    let (denied, later) = (count(Outcome::Denied), count(Outcome::Later));
    let verdict = if denied > 0 { "denied" } else { "allowed so far" };
    let mut text = format!(
        "{name}: {verdict} ({} gates passed, {denied} denied, {later} told later)\n",
        count(Outcome::Passed)
    );
    for line in decision.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn as_json(name: &str, decision: &Decision) -> String {
    let value = json!({
        "document": name,
        "allowed": decision.allowed(),
        "findings": decision.findings,
    });
    format!("{value}\n")
}
