//! The audit log of a run: one line for every decision and every deed, each with the hash of the line before.

use std::path::Path;

use crate::app::AppError;
use crate::safety::audit::{Event, Head};
use crate::source::chaos::redact;
use crate::store::audit_log::Opening;
use crate::store::{AuditError, AuditLog};
use crate::unit::Timestamp;

/// The log, and what every line of the run says alike.
#[derive(Debug)]
pub(crate) struct RunAudit {
    log: AuditLog,
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

impl RunAudit {
    /// Opens or makes the log; one that is broken is not continued. A line that a crash cut off is taken away, and
    /// the log says so.
    ///
    /// # Errors
    /// [`AppError::Refused`] for a broken chain, else that the file cannot be opened.
    pub(crate) fn open(path: &Path, at: Timestamp, signer: Signer) -> Result<Self, AppError> {
        let opening = Opening { at, actor: signer.actor.clone() };
        match AuditLog::open(path, None, &opening) {
            Ok(log) => Ok(Self { log, signer }),
            Err(AuditError::Broken { path, broken }) => Err(AppError::Refused(format!(
                "the audit log {} is broken at {broken}; nothing is done that could not be written down: keep it for whoever looks into it, and name another one with --audit FILE",
                path.display()
            ))),
            Err(error @ AuditError::Store(_)) => Err(error.into()),
        }
    }

    /// The end of the chain: noted in the run record, it shows lines that go missing.
    pub(crate) fn head(&self) -> &Head {
        self.log.head()
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
        self.log.append(Event {
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
        })?;
        Ok(())
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
