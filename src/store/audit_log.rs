//! The audit log on disk: the chain of `safety::audit`, appended line by line.
//!
//! Nothing is appended to a log whose chain is broken. A line that a crash cut off was never confirmed; it is taken off,
//! and the log says so.

use std::path::{Path, PathBuf};

use crate::safety::audit::{Break, Chain, Event, Head};
use crate::safety::signature::SigningKey;
use crate::store::StoreError;
use crate::store::log_file::LogFile;
use crate::unit::Timestamp;

/// Why nothing can be kept in an audit log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its chain is broken.
    #[error(
        "{}:{broken}; nothing is appended to a broken log: find out who changed it, then begin a new one", .path.display()
    )]
    Broken {
        /// The log.
        path: PathBuf,
        /// Where and why.
        broken: Break,
    },
}

/// An open audit log, locked as long as this lives.
#[derive(Debug)]
pub struct AuditLog {
    file: LogFile,
    chain: Chain,
}

/// Who opens a log, and when.
#[derive(Debug, Clone)]
pub struct Opening {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
}

impl AuditLog {
    /// Opens or makes a log, checks its chain, and takes its lock.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be believed or written.
    pub fn open(
        path: &Path,
        key: Option<SigningKey>,
        opening: &Opening,
    ) -> Result<Self, AuditError> {
        let opened = LogFile::open(path)?;
        let chain = Chain::resume(&opened.lines, key)
            .map_err(|broken| AuditError::Broken { path: path.to_owned(), broken })?;
        let mut log = Self { file: opened.log, chain };
        if opened.cut_off > 0 {
            log.append(Event {
                at: opening.at,
                actor: opening.actor.clone(),
                action: "log_mended".to_owned(),
                target: None,
                run_id: None,
                iteration: None,
                digest: None,
                policy_digest: None,
                ticket: None,
                outcome: "done".to_owned(),
                message: Some(format!(
                    "{} bytes of a line that was cut off were taken away",
                    opened.cut_off
                )),
            })?;
        }
        Ok(log)
    }

    /// Appends an event. When this returns it is on disk.
    ///
    /// # Errors
    /// [`AuditError`] if it is not: then what it tells must not happen.
    pub fn append(&mut self, event: Event) -> Result<(), AuditError> {
        Ok(self.file.append(&self.chain.append(event))?)
    }

    /// The end of the chain, to be noted elsewhere: it shows lines that are missing at the end.
    pub fn head(&self) -> &Head {
        self.chain.head()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::audit::{Trust, verify};

    fn event(action: &str) -> Event {
        Event {
            at: Timestamp::from_milliseconds(0),
            actor: "carol".to_owned(),
            action: action.to_owned(),
            target: None,
            run_id: None,
            iteration: None,
            digest: None,
            policy_digest: None,
            ticket: None,
            outcome: "done".to_owned(),
            message: None,
        }
    }

    fn opening() -> Opening {
        Opening { at: Timestamp::from_milliseconds(0), actor: "carol".to_owned() }
    }

    fn whole(path: &Path) -> u64 {
        let trust = Trust { noted: None, key: None };
        verify(&std::fs::read(path).unwrap(), trust).unwrap().head.entries
    }

    #[test]
    fn a_log_grows_across_openings_and_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut log = AuditLog::open(&path, None, &opening()).unwrap();
        log.append(event("begun")).unwrap();
        let second = AuditLog::open(&path, None, &opening()).unwrap_err();
        assert!(second.to_string().contains("another program has it open"), "{second}");
        drop(log);
        let mut log = AuditLog::open(&path, None, &opening()).unwrap();
        log.append(event("ended")).unwrap();
        assert_eq!((whole(&path), log.head().entries), (2, 2));
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_taken_away_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut log = AuditLog::open(&path, None, &opening()).unwrap();
        log.append(event("begun")).unwrap();
        log.append(event("ended")).unwrap();
        drop(log);
        let bytes = std::fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            std::fs::write(&path, &bytes[..end]).unwrap();
            let mut log = AuditLog::open(&path, None, &opening()).unwrap();
            log.append(event("again")).unwrap();
            drop(log);
            let before = String::from_utf8_lossy(&bytes[..end]).matches('\n').count() as u64;
            let torn = u64::from(end > 0 && bytes[end - 1] != b'\n');
            assert_eq!(whole(&path), before + torn + 1, "{end}");
        }
    }

    #[test]
    fn a_broken_log_a_link_and_a_directory_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut log = AuditLog::open(&path, None, &opening()).unwrap();
        log.append(event("begun")).unwrap();
        drop(log);
        let link = folder.path().join("link.jsonl");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for wrong in [&link, &folder.path().to_owned()] {
            assert!(matches!(AuditLog::open(wrong, None, &opening()), Err(AuditError::Store(_))));
        }
        let text = std::fs::read_to_string(&path).unwrap().replace("carol", "mallory");
        std::fs::write(&path, text).unwrap();
        let broken = AuditLog::open(&path, None, &opening()).unwrap_err();
        assert!(broken.to_string().contains("line 1: its hash does not fit"), "{broken}");
    }
}
