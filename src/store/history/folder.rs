//! The folder of a history: opened, read, and added to.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::history::{Remembered, RunSummary};
use crate::store::{AtomicFile, StoreError};

use super::error::HistoryError;
use super::index::{self, Head, Line, RunEntry};
use super::lock::Lock;
use super::object;

/// Says what the folder is.
const MARKER: &str = "history.json";
/// Contents of the marker.
const MARKER_TEXT: &str = "{\"schema\": \"unfazed.history/v1\"}\n";

/// A history on disk.
///
/// ```
/// use unfazed::store::History;
/// let folder = std::env::temp_dir().join("unfazed-doc-no-such-history");
/// let history = History::open(&folder)?;
/// assert!(history.runs()?.is_empty());
/// # Ok::<(), unfazed::store::HistoryError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    directory: PathBuf,
}

/// What became of a run that was to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is now the entry with this number.
    New {
        /// Number within the history, from 1.
        sequence: u64,
    },
    /// It was there already, judged the same way.
    AlreadyThere {
        /// Number within the history, from 1.
        sequence: u64,
    },
}

impl History {
    /// A history that may not be there yet: it is then empty, and [`Self::append`] begins it.
    ///
    /// # Errors
    /// [`HistoryError::Foreign`] if the folder holds something else, [`HistoryError::Schema`] if it is of another
    /// format.
    pub fn open(directory: &Path) -> Result<Self, HistoryError> {
        let history = Self { directory: directory.to_owned() };
        history.read_marker()?;
        Ok(history)
    }

    /// A history that must be there.
    ///
    /// # Errors
    /// As [`Self::open`]; [`HistoryError::Missing`] if there is none.
    pub fn existing(directory: &Path) -> Result<Self, HistoryError> {
        let history = Self { directory: directory.to_owned() };
        if history.read_marker()? {
            Ok(history)
        } else {
            Err(HistoryError::Missing(history.directory))
        }
    }

    /// The folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All entries in the order in which they were added, judgements of the same run among them.
    ///
    /// # Errors
    /// [`HistoryError`] if the index cannot be read. A last line whose writer was stopped is no entry.
    pub fn runs(&self) -> Result<Vec<RunEntry>, HistoryError> {
        let path = self.index_path();
        let failed = |source| HistoryError::read(&path, source);
        #[expect(clippy::disallowed_methods, reason = "the store reads back what it wrote")]
        let opened = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(failed)?,
        };
        // Line by line: the text of a hundred thousand runs need not be in memory beside them.
        let mut reader = BufReader::with_capacity(1 << 20, opened);
        let (mut entries, mut line) = (Vec::new(), Vec::new());
        while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            // Half a line is of a writer that was stopped.
            if line.pop() != Some(b'\n') {
                break;
            }
            let entry = index::read(&String::from_utf8_lossy(&line)).map_err(|flaw| {
                let number = entries.len() + 1;
                HistoryError::damaged(&path, format!("line {number}: {}", flaw.words()))
            })?;
            entries.push(entry);
            line.clear();
        }
        Ok(entries)
    }

    /// One run whole.
    ///
    /// # Errors
    /// [`HistoryError`] if its object is missing or was changed.
    pub fn read(&self, entry: &RunEntry) -> Result<Remembered, HistoryError> {
        object::read(&self.objects(), &entry.object)
    }

    /// Adds a run. The same run judged the same way is added once.
    ///
    /// # Errors
    /// [`HistoryError`] if the folder cannot be written or was damaged; nothing is added then.
    pub fn append(&self, run: &Remembered) -> Result<Appended, HistoryError> {
        let summary = RunSummary::of(run)?;
        let objects = self.objects();
        // The costly part needs no lock.
        let encoded = object::encode(run, &objects)?;
        self.begin()?;
        let _lock = Lock::hold(&self.directory.join("lock"))?;
        if object::path_of(&objects, &encoded.digest, "json").exists()
            && let Some(entry) =
                self.runs()?.into_iter().find(|entry| entry.object == encoded.digest)
        {
            return Ok(Appended::AlreadyThere { sequence: entry.sequence });
        }
        let (mut index, head) = self.open_end()?;
        encoded.write(&objects)?;
        let entry = RunEntry::new(&head, encoded.digest, summary);
        let sequence = entry.sequence;
        let line = entry.into_line();
        self.write_line(&mut index, &line)?;
        self.write_head(&Head {
            count: sequence,
            bytes: head.bytes + line.text.len() as u64,
            hash: Some(line.hash),
        })?;
        Ok(Appended::New { sequence })
    }

    /// Makes the folder and says what it is.
    fn begin(&self) -> Result<(), HistoryError> {
        if self.read_marker()? {
            return Ok(());
        }
        let objects = self.objects();
        #[expect(clippy::disallowed_methods, reason = "the store makes folders")]
        let made = fs::create_dir_all(&objects);
        made.map_err(|source| StoreError::new("make", &objects, source))?;
        let path = self.directory.join(MARKER);
        let mut marker = AtomicFile::create(&path)?;
        marker
            .write_all(MARKER_TEXT.as_bytes())
            .map_err(|source| StoreError::new("write", &path, source))?;
        Ok(marker.commit()?)
    }

    /// Opens the index at its end, after everything that was written whole, and says how far it goes.
    fn open_end(&self) -> Result<(File, Head), HistoryError> {
        let path = self.index_path();
        let known = self.read_head()?;
        #[expect(clippy::disallowed_methods, reason = "the store writes the index")]
        let opened =
            File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = opened.map_err(|source| StoreError::new("open", &path, source))?;
        let failed = |source| HistoryError::read(&path, source);
        let length = file.metadata().map_err(failed)?.len();
        if length < known.bytes {
            return Err(HistoryError::damaged(
                &path,
                format!(
                    "it has {length} bytes and head.json counts {} for {} runs: lines were cut off",
                    known.bytes, known.count
                ),
            ));
        }
        // What lies beyond the head was written by somebody who was stopped before the head.
        file.seek(SeekFrom::Start(known.bytes)).map_err(failed)?;
        let mut beyond = Vec::new();
        file.read_to_end(&mut beyond).map_err(failed)?;
        let whole = beyond.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut head = known;
        for line in String::from_utf8_lossy(&beyond[..whole]).lines() {
            let entry = index::read_checked(line)
                .map_err(|flaw| HistoryError::damaged(&path, flaw.words()))?;
            if entry.previous != head.hash || entry.sequence != head.count + 1 {
                return Err(HistoryError::damaged(
                    &path,
                    format!("line {} does not follow the one before it", head.count + 1),
                ));
            }
            head = Head {
                count: entry.sequence,
                hash: Some(entry.hash),
                bytes: head.bytes + line.len() as u64 + 1,
            };
        }
        if length > head.bytes {
            file.set_len(head.bytes).map_err(|source| StoreError::new("shorten", &path, source))?;
        }
        file.seek(SeekFrom::Start(head.bytes)).map_err(failed)?;
        Ok((file, head))
    }

    fn write_line(&self, index: &mut File, line: &Line) -> Result<(), HistoryError> {
        let path = self.index_path();
        index
            .write_all(line.text.as_bytes())
            .and_then(|()| index.sync_all())
            .map_err(|source| StoreError::new("write", &path, source).into())
    }

    fn write_head(&self, head: &Head) -> Result<(), HistoryError> {
        let path = self.directory.join("head.json");
        let text = serde_json::to_string(head).expect("a head has string keys only");
        let mut file = AtomicFile::create(&path)?;
        writeln!(file, "{text}").map_err(|source| StoreError::new("write", &path, source))?;
        Ok(file.commit()?)
    }

    /// How far the index is known to go; nowhere if there is no head yet.
    pub(super) fn read_head(&self) -> Result<Head, HistoryError> {
        let path = self.directory.join("head.json");
        let Some(text) = read_text(&path)? else { return Ok(Head::default()) };
        serde_json::from_str(&text).map_err(|error| {
            HistoryError::damaged(&path, format!("it does not say how far the index goes: {error}"))
        })
    }

    /// Whether the folder says that it is a history.
    fn read_marker(&self) -> Result<bool, HistoryError> {
        #[derive(Deserialize)]
        struct Marker {
            schema: String,
        }
        let path = self.directory.join(MARKER);
        let Some(text) = read_text(&path)? else {
            return if is_free(&self.directory)? {
                Ok(false)
            } else {
                Err(HistoryError::Foreign(self.directory.clone()))
            };
        };
        let marker: Marker = serde_json::from_str(&text).map_err(|error| {
            HistoryError::damaged(&path, format!("it does not say what the folder is: {error}"))
        })?;
        if marker.schema == index::SCHEMA {
            Ok(true)
        } else {
            let found = marker.schema;
            Err(HistoryError::Schema { path, found, accepted: index::SCHEMA })
        }
    }

    pub(super) fn index_path(&self) -> PathBuf {
        self.directory.join("index.jsonl")
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.directory.join("objects")
    }
}

/// Whether a folder is not there or holds nothing but what a writer left that was stopped before the marker.
fn is_free(directory: &Path) -> Result<bool, HistoryError> {
    #[expect(clippy::disallowed_methods, reason = "the store looks at its own folder")]
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries.map_err(|source| HistoryError::read(directory, source))?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| HistoryError::read(directory, source))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name != "objects" && !(name.starts_with('.') && name.ends_with(".tmp")) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text of a file; none if it is not there.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, HistoryError> {
    #[expect(clippy::disallowed_methods, reason = "the store reads back what it wrote")]
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HistoryError::read(path, source)),
        // A line that is no text is found by its hash.
        Ok(bytes) => Ok(Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })),
    }
}
