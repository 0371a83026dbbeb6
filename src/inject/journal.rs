//! Intent before, outcome after, both on disk before anything goes on.
//!
//! Owns the journal file: one JSON object a line, appended and synced. It is also the lock: two injections that share a
//! journal never run at once, so that their limits cannot add up. An intent without an outcome means that the injector
//! died in between. Refuses to judge what it writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::Serialize;

use super::outcome::{Code, Outcome, Stop, Target};
use super::plan::Plan;
use crate::unit::Timestamp;

/// The name of the journal's lines.
pub const SCHEMA: &str = "unfazed.injection/v1";

/// Where intent and outcome are recorded.
pub trait Journal {
    /// Records what is about to be done. Nothing may be done before this has returned.
    ///
    /// # Errors
    /// That it is not on disk.
    fn intent(&mut self, intent: &Intent<'_>) -> io::Result<()>;

    /// Records what came of it.
    ///
    /// # Errors
    /// That it is not on disk.
    fn outcome(&mut self, at: Timestamp, outcome: &Outcome) -> io::Result<()>;
}

/// What is about to be done.
#[derive(Debug, Serialize)]
pub struct Intent<'a> {
    schema: &'static str,
    kind: &'static str,
    at: Timestamp,
    run_id: &'a str,
    iteration: u32,
    actor: Option<&'a str>,
    ticket: Option<&'a str>,
    digest: Option<&'a str>,
    action: &'static str,
    boot_id: &'a str,
    considered: usize,
    targets: &'a [Target],
}

impl<'a> Intent<'a> {
    /// The line for a plan whose targets are chosen.
    pub fn new(
        at: Timestamp,
        plan: &'a Plan,
        boot_id: &'a str,
        considered: usize,
        targets: &'a [Target],
    ) -> Self {
        Self {
            schema: SCHEMA,
            kind: "intent",
            at,
            run_id: &plan.run_id,
            iteration: plan.iteration,
            actor: plan.actor.as_deref(),
            ticket: plan.ticket.as_deref(),
            digest: plan.digest.as_deref(),
            action: plan.action.word(),
            boot_id,
            considered,
            targets,
        }
    }
}

#[derive(Serialize)]
struct OutcomeLine<'a> {
    schema: &'static str,
    kind: &'static str,
    at: Timestamp,
    outcome: &'a Outcome,
}

/// A journal file, locked as long as this lives.
#[derive(Debug)]
pub struct FileJournal {
    file: File,
}

impl FileJournal {
    /// Opens or makes the file, readable by its owner alone, and takes its lock.
    ///
    /// # Errors
    /// A refusal: without a journal nothing may happen.
    pub fn open(path: &Path) -> Result<Self, Stop> {
        let refuse = |error: io::Error| {
            Stop::refused(
                Code::JournalUnwritable,
                format!("journal '{}' cannot be written: {error}", path.display()),
            )
        };
        let file = Self::create(path).map_err(refuse)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(Stop::refused(
                Code::AnotherInjection,
                format!("another injection holds the journal '{}'", path.display()),
            )),
            Err(TryLockError::Error(error)) => Err(refuse(error)),
        }
    }

    fn create(path: &Path) -> io::Result<File> {
        let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits())
            .expect("open flags fit the int that open(2) takes");
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600).custom_flags(flags);
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        // A new name is on disk only when its directory is.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf))?.sync_all()?;
        Ok(file)
    }

    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = Vec::new();
        if self.is_torn()? {
            bytes.push(b'\n');
        }
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.file.sync_all()
    }

    /// Whether the last line was cut by a crash, so that ours would be glued to it.
    fn is_torn(&mut self) -> io::Result<bool> {
        let length = self.file.seek(SeekFrom::End(0))?;
        if length == 0 {
            return Ok(false);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::Start(length - 1))?;
        self.file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }
}

impl Journal for FileJournal {
    fn intent(&mut self, intent: &Intent<'_>) -> io::Result<()> {
        self.append(intent)
    }

    fn outcome(&mut self, at: Timestamp, outcome: &Outcome) -> io::Result<()> {
        self.append(&OutcomeLine { schema: SCHEMA, kind: "outcome", at, outcome })
    }
}

/// Without a file the intent goes to the standard error, where whoever started the injector can keep it.
#[derive(Debug, Clone, Copy, Default)]
pub struct StderrJournal;

impl Journal for StderrJournal {
    fn intent(&mut self, intent: &Intent<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(intent)?;
        bytes.push(b'\n');
        io::stderr().lock().write_all(&bytes)
    }

    fn outcome(&mut self, _at: Timestamp, _outcome: &Outcome) -> io::Result<()> {
        // It is the one thing on the standard output.
        Ok(())
    }
}
