//! What can go wrong with a history on disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::history::SummaryError;
use crate::store::StoreError;

/// Why a history could not be read or added to.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is nothing at the path.
    #[error(
        "there is no history at {}; `unfazed analyze RECORDING --history {}` begins one", .0.display(), .0.display()
    )]
    Missing(PathBuf),
    /// The folder holds something else.
    #[error(
        "{} is no history: it has no history.json and is not empty; give a folder of its own", .0.display()
    )]
    Foreign(PathBuf),
    /// The folder was written in another format.
    #[error("{} is of schema '{found}', this version reads '{accepted}': use the version of unfazed that wrote it, or a later one", path.display())]
    Schema {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What is read.
        accepted: &'static str,
    },
    /// A file could not be read.
    #[error("failed to read {}: {source}; `unfazed history verify` names everything that is amiss", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not as it was written.
    #[error("{}: {what}; nothing was added; `unfazed history verify` names everything that is amiss, a copy from a backup mends it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No run is called so.
    #[error("no run in {} is called '{name}'; `unfazed history list` names them", directory.display())]
    NoSuchRun {
        /// The history.
        directory: PathBuf,
        /// What was asked for.
        name: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] StoreError),
    /// The run does not say what history needs.
    #[error(transparent)]
    Summary(#[from] SummaryError),
}

impl HistoryError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, what: String) -> Self {
        Self::Damaged { path: path.to_owned(), what }
    }

    /// Whether the request was at fault rather than a file.
    pub const fn is_invalid_input(&self) -> bool {
        match self {
            Self::Foreign(_) | Self::Schema { .. } | Self::NoSuchRun { .. } | Self::Summary(_) => {
                true
            }
            Self::Missing(_) | Self::Read { .. } | Self::Damaged { .. } | Self::Write(_) => false,
        }
    }
}
