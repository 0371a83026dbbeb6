//! `unfazed-inject` itself: one plan in, one outcome out.
//!
//! Owns the standard streams and the exit code. Refuses to decide anything.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::arguments::{HELP, Request};
use super::clock::{Clock, SystemClock};
use super::document::MOST_BYTES;
use super::guardian::{self, OwnProgram};
use super::host::LinuxHost;
use super::injection::{Context, Mode, inject};
use super::journal::{FileJournal, Journal, StderrJournal};
use super::outcome::{Code, Ending, Exit, Outcome, SCHEMA, Stop};
use super::plan::Plan;

/// Runs the command.
pub fn main() -> ExitCode {
    run(std::env::args_os().skip(1)).into()
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    match Request::parse(arguments) {
        Err(what) => {
            complain(&format!("{what}; see unfazed-inject --help"));
            Exit::Malformed
        }
        Ok(Request::Help) => print(HELP, Exit::Done),
        Ok(Request::Version) => {
            print(concat!("unfazed-inject ", env!("CARGO_PKG_VERSION"), "\n"), Exit::Done)
        }
        Ok(Request::Guardian) => match guardian::serve(&LinuxHost) {
            Ok(()) => Exit::Done,
            Err(error) => {
                complain(&format!("guardian: {error}"));
                Exit::Failed
            }
        },
        Ok(Request::Inject { mode, journal, leash }) => {
            let outcome = carry_out(mode, journal.as_deref(), leash);
            let mut line = serde_json::to_string(&outcome)
                .expect("an outcome holds text, numbers and times only");
            line.push('\n');
            if let Some(reason) = &outcome.reason {
                complain(&format!("{}: {}", reason.code.as_str(), reason.message));
            }
            print(&line, outcome.exit())
        }
    }
}

fn carry_out(mode: Mode, journal: Option<&Path>, leash: Option<i32>) -> Outcome {
    let clock = SystemClock::start();
    let mut bytes = Vec::new();
    // One byte more than allowed tells a plan that is too long from one that just fits.
    let limit = MOST_BYTES as u64 + 1;
    if let Err(error) = io::stdin().lock().take(limit).read_to_end(&mut bytes) {
        return Outcome::malformed(format!("the plan cannot be read: {error}"));
    }
    let plan = match Plan::parse(&bytes) {
        Ok(plan) => plan,
        Err(what) => return malformed(what, journal, &clock),
    };
    if let Err(stop) = leash.map_or(Ok(()), tie_to) {
        return stopped(&plan, stop);
    }
    let mut file;
    let mut stderr = StderrJournal;
    let journal: &mut dyn Journal = match journal.map(FileJournal::open) {
        None => &mut stderr,
        Some(Ok(opened)) => {
            file = opened;
            &mut file
        }
        Some(Err(stop)) => return stopped(&plan, stop),
    };
    let guardians = OwnProgram::default();
    let mut context = Context { host: &LinuxHost, clock: &clock, journal, guardians: &guardians };
    inject(&plan, mode, &mut context)
}

/// Has the kernel end this process when its parent ends; the guardian then undoes what must not last.
fn tie_to(parent: i32) -> Result<(), Stop> {
    let loose = |what: String| Stop::refused(Code::ParentGone, what);
    set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| loose(format!("the leash cannot be tied: {error}")))?;
    // A parent that ended before the tie was made does not pull it.
    match getppid() {
        Some(pid) if pid.as_raw_pid() == parent => Ok(()),
        _ => Err(loose(format!("process {parent}, which should have started this one, has ended"))),
    }
}

/// Something that is no plan is recorded too. Nothing was done, so that a journal that takes nothing loses nothing.
fn malformed(what: String, journal: Option<&Path>, clock: &dyn Clock) -> Outcome {
    let outcome = Outcome::malformed(what);
    if let Some(Ok(mut file)) = journal.map(FileJournal::open) {
        let _recorded = file.outcome(clock.now(), &outcome);
    }
    outcome
}

/// The outcome of a plan that was stopped before it was looked at.
fn stopped(plan: &Plan, stop: Stop) -> Outcome {
    Outcome {
        schema: SCHEMA,
        run_id: Some(plan.run_id.clone()),
        iteration: Some(plan.iteration),
        outcome: Ending::Refused,
        reason: Some(stop.reason),
        considered: 0,
        targets: Vec::new(),
        warnings: Vec::new(),
    }
}

/// An answer that cannot be given is a failure, whatever it was.
fn print(text: &str, exit: Exit) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => exit,
        Err(error) => {
            complain(&format!("the outcome cannot be written: {error}"));
            Exit::Failed
        }
    }
}

fn complain(what: &str) {
    // There is nowhere left to say that this failed.
    let _written = writeln!(io::stderr().lock(), "unfazed-inject: {what}");
}
