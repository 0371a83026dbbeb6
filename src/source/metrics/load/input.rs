//! A file of a load tool as its reader gets it: text, plain or gzipped, and what is known about the file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::load_error::LoadError;
use super::table_columns::TableColumns;
use crate::source::chaos::Zone;
use crate::unit::Timestamp;

/// Longest line that is read: one record of a tool, not a whole file without line feeds.
const LINE_BYTES: u64 = 16 << 20;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadInput {
    /// Its path as given.
    pub path: PathBuf,
}

/// What the caller may choose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadOptions {
    /// The zone of times that carry none; without it UTC is taken and a warning says so.
    pub zone: Option<Zone>,
    /// When the load began, for files that only hold offsets, or when a text without times was taken.
    pub start: Option<Timestamp>,
    /// The name of series that have none.
    pub metric: Option<String>,
    /// What the columns of a table are.
    pub columns: Option<TableColumns>,
}

/// Lines of a file, with their numbers.
pub(super) struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    number: u64,
    line: Vec<u8>,
}

impl LoadInput {
    /// The file's name for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The last part of the path.
    pub(super) fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The contents, unpacked if they are gzipped.
    pub(super) fn open(&self) -> Result<Box<dyn BufRead>, LoadError> {
        #[expect(clippy::disallowed_methods, reason = "a source reads the file it was given")]
        let file = File::open(&self.path).map_err(|source| self.failed(source))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let is_gzip =
            reader.fill_buf().map_err(|source| self.failed(source))?.starts_with(&[0x1f, 0x8b]);
        Ok(if is_gzip {
            Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(reader)))
        } else {
            Box::new(reader)
        })
    }

    /// The lines of the file.
    pub(super) fn lines(&self) -> Result<Lines, LoadError> {
        Ok(Lines { name: self.name(), reader: self.open()?, number: 0, line: Vec::new() })
    }

    /// The whole file as text, at most `bytes` of it.
    pub(super) fn text(&self, bytes: u64) -> Result<String, LoadError> {
        let mut text = Vec::new();
        self.open()?
            .take(bytes + 1)
            .read_to_end(&mut text)
            .map_err(|source| self.failed(source))?;
        if text.len() as u64 > bytes {
            let large = format!("it is larger than {} MiB; split it", bytes >> 20);
            return Err(self.failed(std::io::Error::other(large)));
        }
        String::from_utf8(text).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            self.failed(std::io::Error::other(format!(
                "byte {offset} is no UTF-8; accepted is text"
            )))
        })
    }

    /// The beginning of the file, for a look at what it is.
    pub(super) fn head(&self, bytes: u64) -> Result<String, LoadError> {
        let mut head = Vec::new();
        self.open()?.take(bytes).read_to_end(&mut head).map_err(|source| self.failed(source))?;
        Ok(String::from_utf8_lossy(&head).trim_start_matches('\u{feff}').to_owned())
    }

    /// When the file was last written, if the system knows.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        let written = Path::metadata(&self.path).ok()?.modified().ok()?;
        let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Timestamp::from_milliseconds)
    }

    /// An error of the file system about this file.
    pub(super) fn failed(&self, source: std::io::Error) -> LoadError {
        LoadError::Read { file: self.name(), source }
    }
}

impl Lines {
    /// The next line that is not blank, without its line feed and without a byte order mark.
    pub(super) fn next_line(&mut self) -> Result<Option<&str>, LoadError> {
        let Self { name, reader, number, line } = self;
        let failed = |source| LoadError::Read { file: name.clone(), source };
        loop {
            line.clear();
            let read = reader.by_ref().take(LINE_BYTES).read_until(b'\n', line).map_err(failed)?;
            if read == 0 {
                return Ok(None);
            }
            *number += 1;
            if read as u64 == LINE_BYTES && line.last() != Some(&b'\n') {
                let long = format!("line {number} is longer than {} MiB", LINE_BYTES >> 20);
                return Err(failed(std::io::Error::other(long)));
            }
            if !line.trim_ascii().is_empty() {
                break;
            }
        }
        let trimmed = line.trim_ascii_end();
        std::str::from_utf8(trimmed).map(|text| Some(text.trim_start_matches('\u{feff}'))).map_err(
            |_| {
                failed(std::io::Error::other(format!(
                    "line {number} is no UTF-8; accepted is text"
                )))
            },
        )
    }

    /// An error about the last line.
    pub(super) fn refuse(
        &self,
        found: impl Into<String>,
        accepted: impl Into<String>,
    ) -> LoadError {
        LoadError::Line {
            file: self.name.clone(),
            line: self.number,
            found: found.into(),
            accepted: accepted.into(),
        }
    }
}
