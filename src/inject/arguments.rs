//! The command line of `unfazed-inject`.
//!
//! Owns its words and its help. Refuses what it does not know, and anything given twice.

use std::ffi::OsString;
use std::path::PathBuf;

use super::guardian;
use super::injection::Mode;

/// What `--help` prints.
pub const HELP: &str = "\
unfazed-inject: carries out one plan, or says why not

Usage: unfazed-inject [--live] [--journal FILE] [--leash PID] < plan.json > outcome.json

Reads one plan (unfazed.plan/v1) on the standard input and writes one outcome (unfazed.outcome/v1) on the
standard output. Without --live nothing is ever signalled: the outcome tells who would have been hit.

Options:
  --live           carry it out
  --journal FILE   append intent (before) and outcome (after) as JSON lines, each synced to disk; the file is
                   also the lock: two injections that share it never run at once. Without it the intent is
                   written to the standard error
  --leash PID      end, and undo what must not last, when the process PID, which started this one, ends
  --help           this text
  --version        the version

Target (all given keys must hold; comparisons are exact, never a substring):
  {\"process\": {\"name\", \"arguments\", \"command_line\", \"pid_file\", \"cgroup\", \"user\"}}
      name: the file name of argument 0, of the program, or (below 15 bytes) the kernel's name of the process
      arguments: words that follow each other in the command line
      user: other users' processes are refused unless their user is named here
  {\"container\": {\"label\" | \"name\", \"via\": \"process\" | \"api\"}}                       feature docker
  {\"kubernetes\": {\"namespace\", \"selector\", \"process\", \"opt_in\", \"via\": \"process\" | \"delete\" | \"evict\"}}
                                                                              feature kubernetes
Action: \"kill\", \"terminate\", \"pause\" with duration_s, \"resume\",
  {\"hook\": [command, …], \"rollback\": [command, …], \"timeout_s\": 60}

Exit codes: 0 killed or dry run, 2 malformed plan, 4 failed, 5 refused or no target

Example:
  unfazed-inject --live --journal injections.jsonl < plan.json
";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Be the guardian of an injector.
    Guardian,
    /// Carry out the plan on the standard input.
    Inject {
        /// Whether anything may be touched.
        mode: Mode,
        /// Where intent and outcome are recorded.
        journal: Option<PathBuf>,
        /// The pid of the process that started this one, and with which it ends.
        leash: Option<i32>,
    },
}

impl Request {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// A sentence about the first argument that is not understood.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut mode = Mode::DryRun;
        let mut journal = None;
        let mut leash = None;
        let mut arguments = arguments.into_iter();
        let twice = |word: &str| format!("{word} is given twice");
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--help" | "-h") => return Ok(Self::Help),
                Some("--version" | "-V") => return Ok(Self::Version),
                Some(word) if word == guardian::ARGUMENT => return Ok(Self::Guardian),
                Some("--live") => {
                    if mode == Mode::Live {
                        return Err(twice("--live"));
                    }
                    mode = Mode::Live;
                }
                Some("--journal") => {
                    let file = arguments
                        .next()
                        .filter(|file| !file.is_empty())
                        .ok_or("--journal needs the name of a file")?;
                    if journal.replace(PathBuf::from(file)).is_some() {
                        return Err(twice("--journal"));
                    }
                }
                Some("--leash") => {
                    let pid = arguments
                        .next()
                        .and_then(|pid| pid.to_str()?.parse().ok())
                        .filter(|pid| *pid > 1)
                        .ok_or("--leash needs the pid of the process that started this one")?;
                    if leash.replace(pid).is_some() {
                        return Err(twice("--leash"));
                    }
                }
                _ => {
                    return Err(format!(
                        "'{}' is not an option; accepted are --live, --journal FILE, --leash PID, --help, --version; the plan comes on the standard input",
                        argument.to_string_lossy()
                    ));
                }
            }
        }
        Ok(Self::Inject { mode, journal, leash })
    }
}
