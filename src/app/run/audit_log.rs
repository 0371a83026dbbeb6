//! The audit log of a run: one line for every decision and every deed, each with the hash of the line before.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::safety::audit::{Chain, Event};
use crate::source::chaos::redact;
use crate::store::StoreError;
use crate::unit::Timestamp;

/// An audit log that grows, locked as long as this lives.
#[derive(Debug)]
pub(crate) struct AuditLog {
    path: PathBuf,
    file: File,
    chain: Chain,
    signer: Signer,
}

/// What every line of a run says alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) actor: String,
    pub(crate) run_id: String,
    pub(crate) digest: String,
    pub(crate) policy_digest: Option<String>,
    pub(crate) ticket: Option<String>,
}

impl AuditLog {
    /// Opens or makes the log; one that is broken is not continued.
    ///
    /// # Errors
    /// [`AppError::Refused`] for a broken chain, else that the file cannot be opened.
    pub(crate) fn open(path: &Path, signer: Signer) -> Result<Self, AppError> {
        let failed = |operation, source| AppError::Store(StoreError::new(operation, path, source));
        #[expect(
            clippy::disallowed_methods,
            reason = "the audit log is appended to, never replaced"
        )]
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| failed("open", source))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => failed(
                "lock",
                io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing it"),
            ),
            TryLockError::Error(source) => failed("lock", source),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| failed("read", source))?;
        let chain = Chain::resume(&bytes, None).map_err(|broken| {
            AppError::Refused(format!(
                "the audit log {} is broken at {broken}; nothing is done that could not be written down: keep it for whoever looks into it, and name another one with --audit FILE",
                path.display()
            ))
        })?;
        Ok(Self { path: path.to_owned(), file, chain, signer })
    }

    /// Writes down a decision or a deed; it is on disk when this returns.
    pub(crate) fn note(
        &mut self,
        at: Timestamp,
        action: &str,
        iteration: Option<u32>,
        outcome: &str,
        message: Option<&str>,
    ) -> Result<(), AppError> {
        self.write(Deed { at, action, iteration, target: None, outcome, message })
    }

    /// Writes down who was hit.
    pub(crate) fn hit(
        &mut self,
        at: Timestamp,
        iteration: Option<u32>,
        target: &str,
        outcome: &str,
        message: Option<&str>,
    ) -> Result<(), AppError> {
        let target = (!target.is_empty()).then_some(target);
        self.write(Deed { at, action: "kill", iteration, target, outcome, message })
    }

    fn write(&mut self, deed: Deed<'_>) -> Result<(), AppError> {
        let signer = self.signer.clone();
        let line = self.chain.append(Event {
            at: deed.at,
            actor: signer.actor,
            action: deed.action.to_owned(),
            target: deed.target.map(str::to_owned),
            run_id: Some(signer.run_id),
            iteration: deed.iteration,
            digest: Some(signer.digest),
            policy_digest: signer.policy_digest,
            ticket: signer.ticket,
            outcome: deed.outcome.to_owned(),
            message: deed.message.map(redact::text),
        });
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|source| StoreError::new("append to", &self.path, source).into())
    }
}

#[derive(Debug, Clone, Copy)]
struct Deed<'a> {
    at: Timestamp,
    action: &'a str,
    iteration: Option<u32>,
    target: Option<&'a str>,
    outcome: &'a str,
    message: Option<&'a str>,
}
