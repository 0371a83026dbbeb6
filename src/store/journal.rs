//! A file that only grows: one JSON object a line, each on disk before anything that follows from it is done.
//!
//! Owns appending, and reading back after a crash: a last line that was cut is not a line, and is taken away before the
//! next one is written. The file is also a lock: two processes never write the same journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A journal, locked as long as this lives.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    file: File,
}

/// A journal with the lines that it already held.
#[derive(Debug)]
pub struct OpenedJournal<T> {
    /// The journal.
    pub journal: JournalFile,
    /// Its lines, oldest first.
    pub lines: Vec<T>,
}

impl JournalFile {
    /// Opens or makes a journal and takes its lock.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened, is held by another process, or holds a whole line that is not one of ours.
    pub fn open<T: DeserializeOwned>(path: &Path) -> Result<OpenedJournal<T>, StoreError> {
        let failed = |operation, source| StoreError::new(operation, path, source);
        #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| failed("open", source))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => failed(
                "lock",
                io::Error::new(io::ErrorKind::ResourceBusy, "another run is using it"),
            ),
            TryLockError::Error(source) => failed("lock", source),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| failed("read", source))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(|source| failed("shorten", source))?;
            file.seek(SeekFrom::End(0)).map_err(|source| failed("shorten", source))?;
        }
        let lines = parsed(&bytes[..whole]).map_err(|source| failed("read", source))?;
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            // A new name is on disk only when its directory is.
            #[expect(clippy::disallowed_methods, reason = "a directory is opened only to sync it")]
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|source| failed("sync the directory of", source))?;
        }
        Ok(OpenedJournal { journal: Self { path: path.to_owned(), file }, lines })
    }

    /// Appends a line; it is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`] if it is not.
    pub fn append(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        let failed = |source| StoreError::new("append to", &self.path, source);
        let mut bytes = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).and_then(|()| self.file.sync_data()).map_err(failed)
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<Vec<T>> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_line_that_was_cut_is_no_line_and_does_not_spoil_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.jsonl");
        fs::write(&path, "1\n2\n3").unwrap();
        let mut opened = JournalFile::open::<u32>(&path).unwrap();
        assert_eq!(opened.lines, [1, 2]);
        opened.journal.append(&4).unwrap();
        drop(opened);
        assert_eq!(JournalFile::open::<u32>(&path).unwrap().lines, [1, 2, 4]);
    }

    #[test]
    fn two_never_write_the_same_journal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.jsonl");
        let _first = JournalFile::open::<u32>(&path).unwrap();
        let error = JournalFile::open::<u32>(&path).unwrap_err().to_string();
        assert!(error.contains("another run is using it"), "{error}");
    }

    #[test]
    fn a_whole_line_of_something_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.jsonl");
        fs::write(&path, "1\nnonsense\n2\n").unwrap();
        assert!(JournalFile::open::<u32>(&path).is_err());
    }
}
