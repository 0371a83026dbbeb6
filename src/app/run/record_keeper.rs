//! Keeps `run.json` while a campaign runs: whole at every moment, rewritten as a new file after every change.

use std::path::PathBuf;

use crate::app::AppError;
use crate::campaign::Note;
use crate::run::{AuditHead, Event, Iteration, Origin, RunRecord};
use crate::safety::audit::Head;
use crate::source::chaos::redact;
use crate::store::{TextFile, write_texts};
use crate::unit::Timestamp;

/// The run record of a campaign, and where it is kept.
#[derive(Debug)]
pub(crate) struct RecordKeeper {
    path: PathBuf,
    record: RunRecord,
    is_stale: bool,
}

impl RecordKeeper {
    /// A record without iterations; nothing is written before there is one, because a run without any is none.
    pub(crate) fn new(path: PathBuf, start: RunStart<'_>) -> Self {
        let record = RunRecord {
            schema: crate::run::record::SCHEMA.to_owned(),
            run_id: start.run_id.to_owned(),
            experiment: start.experiment.to_owned(),
            experiment_digest: Some(start.digest.to_owned()),
            started_at: start.at,
            ended_at: None,
            origin: Some(Origin {
                tool: "unfazed".to_owned(),
                file: None,
                verdict: None,
                reason: None,
            }),
            iterations: Vec::new(),
            events: Vec::new(),
            audit: None,
        };
        Self { path, record, is_stale: false }
    }

    /// Puts an iteration in, in place of an earlier form of it.
    pub(crate) fn put(&mut self, iteration: Iteration) {
        match self.record.iterations.iter_mut().find(|own| own.index == iteration.index) {
            Some(own) => *own = iteration,
            None => self.record.iterations.push(iteration),
        }
        self.is_stale = true;
    }

    /// Notes something.
    pub(crate) fn note(&mut self, at: Timestamp, note: &Note) {
        let correlation_id = note.iteration.map(|index| format!("{}/{index}", self.record.run_id));
        self.record.events.push(Event {
            at,
            kind: note.kind.to_owned(),
            message: redact::text(&note.message),
            correlation_id,
            iteration: note.iteration,
        });
        self.is_stale = true;
    }

    /// Closes the record, or opens it again.
    pub(crate) fn end(&mut self, at: Option<Timestamp>) {
        self.record.ended_at = at;
        self.is_stale = true;
    }

    /// Writes what has changed, with the end of the audit log as it is now.
    pub(crate) fn save(&mut self, audit: &Head) -> Result<(), AppError> {
        if self.is_stale && !self.record.iterations.is_empty() {
            self.record.audit =
                Some(AuditHead { entries: audit.entries, head: audit.head.clone() });
            write_texts(&[TextFile { path: self.path.clone(), text: self.record.to_json() }])?;
            self.is_stale = false;
        }
        Ok(())
    }

    /// What is recorded.
    pub(crate) const fn record(&self) -> &RunRecord {
        &self.record
    }
}

/// What is known of a run at its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunStart<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) experiment: &'a str,
    pub(crate) digest: &'a str,
    pub(crate) at: Timestamp,
}
