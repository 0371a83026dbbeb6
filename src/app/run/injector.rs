//! The injector as a child process: started with a plan, awaited without blocking, ended when a fault has to end.
//!
//! Owns the child and the reading of its outcome. Refuses to send any signal to anybody else: a lasting fault is ended by
//! ending the injector itself, whose guardian then undoes it. The child is leashed: when this process dies, by
//! whatever cause, a lasting fault is undone too. What a child that nobody awaited has done is read from its own journal.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use serde::Deserialize;
use serde_json::Value;

use crate::campaign::Injection;
use crate::run::{FaultRecord, Outcome, TargetRecord};
use crate::unit::Timestamp;

/// Whether anything may be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing is.
    DryRun,
    /// Somebody said `--live`.
    Live,
}

/// How the injector is started.
#[derive(Debug, Clone)]
pub(crate) struct Injector {
    /// The program.
    pub(crate) program: PathBuf,
    /// Where it records intent and outcome.
    pub(crate) journal: Option<PathBuf>,
    /// Environment variables that it must not see.
    pub(crate) secret_variables: Vec<String>,
}

/// An injection in progress.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    answer: Receiver<Vec<u8>>,
}

/// What the injector said.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Said {
    pub(crate) outcome: Outcome,
    #[serde(default)]
    reason: Option<SaidReason>,
    #[serde(default)]
    pub(crate) considered: u64,
    #[serde(default)]
    targets: Vec<SaidTarget>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct SaidReason {
    code: String,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct SaidTarget {
    kind: String,
    name: String,
    id: String,
    #[serde(default)]
    signalled_at: Option<Timestamp>,
    #[serde(default)]
    resumed_at: Option<Timestamp>,
}

/// A line of the injector's journal.
#[derive(Debug, Deserialize)]
struct JournalLine {
    kind: String,
    at: Timestamp,
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    iteration: Option<u32>,
    #[serde(default)]
    targets: Vec<SaidTarget>,
    #[serde(default)]
    outcome: Option<JournaledOutcome>,
}

#[derive(Debug, Deserialize)]
struct JournaledOutcome {
    run_id: Option<String>,
    iteration: Option<u32>,
    #[serde(flatten)]
    said: Said,
}

/// What the injector's journal knows of an iteration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trace {
    /// Nothing was even intended.
    Nothing,
    /// It came to this.
    Known(Injection),
    /// The injector is still at work.
    Busy,
}

impl Injector {
    /// Starts it with a plan.
    ///
    /// # Errors
    /// That there is no such program, or that it takes no plan.
    pub(crate) fn start(&self, plan: &Value, mode: Mode) -> Result<Running, String> {
        #[expect(clippy::disallowed_methods, reason = "the one child of the library: the injector")]
        let mut command = Command::new(&self.program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(journal) = &self.journal {
            command.arg("--journal").arg(journal);
        }
        if mode == Mode::Live {
            command.args(["--live", "--leash", &std::process::id().to_string()]);
        }
        for name in &self.secret_variables {
            command.env_remove(name);
        }
        let shown = self.program.display();
        let failed = |what: &str, error: &std::io::Error| format!("{what} {shown}: {error}");
        let mut child =
            command.spawn().map_err(|error| failed("failed to start the injector", &error))?;
        let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("the injector {shown} has no pipes"));
        };
        // A plan is smaller than a pipe's buffer, so this does not block; what it could not take, it tells in its outcome.
        let written = stdin.write_all(plan.to_string().as_bytes());
        drop(stdin);
        if let Err(error) = written {
            let _ended = child.kill();
            let _awaited = child.wait();
            return Err(failed("failed to hand the plan to", &error));
        }
        let (sender, answer) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _read = stdout.read_to_end(&mut bytes);
            let _sent = sender.send(bytes);
        });
        Ok(Running { child, answer })
    }

    /// The same without a journal: nothing is intended.
    pub(crate) fn rehearsing(&self) -> Self {
        Self { journal: None, ..self.clone() }
    }

    /// What its journal knows of an iteration. Of several attempts the last one counts.
    pub(crate) fn trace(&self, run_id: &str, iteration: u32) -> Result<Trace, String> {
        let Some(journal) = &self.journal else { return Ok(Trace::Nothing) };
        let shown = journal.display();
        #[expect(
            clippy::disallowed_methods,
            reason = "what the child wrote is read by who started it"
        )]
        let opened = std::fs::File::open(journal);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Trace::Nothing);
            }
            Err(error) => return Err(format!("failed to read {shown}: {error}")),
        };
        if file.try_lock().is_err() {
            return Ok(Trace::Busy);
        }
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(|error| format!("failed to read {shown}: {error}"))?;
        Ok(traced(&text, run_id, iteration))
    }
}

/// The last thing that journal lines say of an iteration.
fn traced(text: &str, run_id: &str, iteration: u32) -> Trace {
    let mut trace = Trace::Nothing;
    for line in text.lines().filter_map(|line| serde_json::from_str::<JournalLine>(line).ok()) {
        if line.kind == "intent"
            && line.run_id.as_deref() == Some(run_id)
            && line.iteration == Some(iteration)
        {
            trace = Trace::Known(Injection {
                fault: FaultRecord {
                    at: line.at,
                    until: None,
                    outcome: Outcome::Killed,
                    targets: line.targets.iter().map(SaidTarget::record).collect(),
                },
                message: Some(
                    "the injector was ended before it could say so; its intent is taken for the deed"
                        .to_owned(),
                ),
            });
        } else if let Some(outcome) = line.outcome
            && outcome.run_id.as_deref() == Some(run_id)
            && outcome.iteration == Some(iteration)
        {
            trace = Trace::Known(outcome.said.injection(line.at));
        }
    }
    trace
}

impl Running {
    /// What it said, once it has; `None` while it is at work.
    pub(crate) fn poll(&mut self) -> Option<Result<Said, String>> {
        let bytes = match self.answer.try_recv() {
            Ok(bytes) => bytes,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Vec::new(),
        };
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Some(
            serde_json::from_slice(&bytes)
                .map_err(|_| format!("the injector ended with {status} and without an outcome")),
        )
    }

    /// Ends it; its guardian undoes what must not last.
    pub(crate) fn withdraw(&mut self) {
        // It may have ended by itself: then there is nothing to withdraw.
        let _ended = self.child.kill();
    }
}

impl Drop for Running {
    /// A campaign that ends by an error or a panic leaves no fault behind.
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _awaited = self.child.wait();
    }
}

impl Said {
    /// As the campaign hears it; `now` stands for a moment that the injector did not tell.
    pub(crate) fn injection(&self, now: Timestamp) -> Injection {
        let at = self.targets.iter().filter_map(|target| target.signalled_at).min();
        let until = self.targets.iter().filter_map(|target| target.resumed_at).max();
        let message =
            self.reason.as_ref().map(|reason| format!("{} ({})", reason.message, reason.code));
        let fault = FaultRecord {
            at: at.unwrap_or(now),
            until,
            outcome: self.outcome,
            targets: self.targets.iter().map(SaidTarget::record).collect(),
        };
        Injection { fault, message }
    }
}

impl SaidTarget {
    fn record(&self) -> TargetRecord {
        TargetRecord { kind: self.kind.clone(), name: self.name.clone(), id: Some(self.id.clone()) }
    }
}

/// The injector that was named, or the one beside this program.
///
/// # Errors
/// A sentence that says where it was looked for.
pub(crate) fn find(named: Option<&Path>, own_program: &Path) -> Result<PathBuf, String> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => own_program.with_file_name("unfazed-inject"),
    };
    if path.is_file() {
        // A bare name would be looked for in PATH.
        return path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    }
    Err(format!(
        "there is no injector at {}; build it with `cargo build --release --no-default-features --bin unfazed-inject`, or name it with --injector PATH",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTENT: &str = r#"{"schema":"unfazed.injection/v1","kind":"intent","at":"2026-11-23T08:00:00Z","run_id":"r","iteration":2,"actor":null,"ticket":null,"digest":null,"action":"pause","boot_id":"b","considered":2,"targets":[{"kind":"process","name":"w","id":"42","pid":42,"namespace":null,"started_at":null,"signalled_at":null,"exited_at":null,"resumed_at":null}]}"#;
    const OUTCOME: &str = r#"{"schema":"unfazed.injection/v1","kind":"outcome","at":"2026-11-23T08:00:03Z","outcome":{"schema":"unfazed.outcome/v1","run_id":"r","iteration":2,"outcome":"killed","reason":null,"considered":2,"targets":[{"kind":"process","name":"w","id":"42","pid":42,"namespace":null,"started_at":null,"signalled_at":"2026-11-23T08:00:01Z","exited_at":null,"resumed_at":"2026-11-23T08:00:02Z"}],"warnings":[]}}"#;

    #[test]
    fn an_intent_without_an_outcome_is_taken_for_the_deed() {
        let Trace::Known(injection) = traced(INTENT, "r", 2) else { panic!("nothing found") };
        assert_eq!(injection.fault.outcome, Outcome::Killed);
        assert_eq!(injection.fault.targets[0].id.as_deref(), Some("42"));
        assert_eq!(traced(INTENT, "r", 1), Trace::Nothing);
        assert_eq!(traced(INTENT, "other", 2), Trace::Nothing);
        assert_eq!(traced(&INTENT[..90], "r", 2), Trace::Nothing, "a line that was cut");
    }

    #[test]
    fn an_outcome_wins_over_its_intent_and_tells_the_moments() {
        let Trace::Known(injection) = traced(&format!("{INTENT}\n{OUTCOME}\n"), "r", 2) else {
            panic!("nothing found")
        };
        assert_eq!(injection.fault.at, Timestamp::parse("2026-11-23T08:00:01Z").unwrap());
        assert_eq!(injection.fault.until, Some(Timestamp::parse("2026-11-23T08:00:02Z").unwrap()));
        assert_eq!(injection.message, None);
    }
}
