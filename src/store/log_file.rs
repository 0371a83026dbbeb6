//! A file that only grows: whole lines at its end, each on disk before anything goes on.
//!
//! Owns the lock, the sync and the mending of a line that a crash cut off. A line that was cut was never confirmed to
//! anybody. A link, a pipe or a directory is no log. Refuses to know what the lines mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// Longer logs are refused: at a line a second this is four years.
const GREATEST_BYTES: u64 = 4 << 30;

/// An open log, locked as long as this lives.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

/// What stood in a log when it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: LogFile,
    /// Its whole lines.
    pub lines: Vec<u8>,
    /// Bytes of a cut line that were taken off its end.
    pub cut_off: usize,
}

impl LogFile {
    /// Opens or makes a log, takes its lock, and cuts off a line without an end.
    ///
    /// # Errors
    /// That it cannot be read or written, is no regular file, or that somebody else has it open.
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        let failed = |source| StoreError::new("open the log", path, source);
        let is_new = match path.symlink_metadata() {
            Ok(found) if !found.is_file() => {
                return Err(failed(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is no regular file; a log is never a link, a pipe or a device",
                )));
            }
            Ok(_) => false,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(failed(error)),
        };
        #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    "another program has it open; wait until it is done",
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if is_new {
            sync_directory(path).map_err(failed)?;
        }
        let mut lines = Vec::new();
        let length = file.metadata().map_err(failed)?.len();
        if length > GREATEST_BYTES {
            let large = format!("it has {length} bytes; begin a new one");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, large)));
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.read_to_end(&mut lines).map_err(failed)?;
        let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let cut_off = lines.len() - whole;
        if cut_off > 0 {
            file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(failed)?;
            lines.truncate(whole);
        }
        Ok(Opened { log: Self { path: path.to_owned(), file }, lines, cut_off })
    }

    /// Appends a line that has its end, and syncs it.
    ///
    /// # Errors
    /// That it is not on disk: then what it tells must not happen.
    pub fn append(&mut self, line: &str) -> Result<(), StoreError> {
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|source| StoreError::new("append to", &self.path, source))
    }
}

/// A new name is on disk only when its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
    let directory = File::open(parent.unwrap_or(Path::new(".")))?;
    directory.sync_all()
}
