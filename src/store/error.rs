//! Why something could not be kept: what was tried, on what, what the system said, and what to do.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation} '{}': {source}{}", path.display(), advice(source.kind()))]
pub struct StoreError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl StoreError {
    /// An error of the operating system or of an encoder, with what was tried on what.
    pub fn new(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.to_owned(), source }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What a person can do about it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds are the standard library's and more may come"
)]
const fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; choose a place that you may write to"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "; a file stands where a directory is needed: move it away or give another path"
        }
        ErrorKind::IsADirectory => {
            "; a directory stands where a file is needed: give the path of a file"
        }
        ErrorKind::NotFound => "; nothing can be made there: give another path",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; free some space and run again",
        ErrorKind::InvalidFilename => "; give a shorter name",
        _ => "",
    }
}
