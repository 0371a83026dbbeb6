//! What can go wrong in a command, and which exit code tells it.

use std::path::PathBuf;

use crate::app::import::ImportFailure;
use crate::report::ReportError;
use crate::run::RunError;
use crate::source::metrics::RecordingError;
use crate::source::metrics::collector::CollectorError;
use crate::source::metrics::prometheus::PrometheusError;
use crate::spec::Problems;
use crate::store::{AuditError, HistoryError, StoreError};
use crate::summary::SummaryError;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// The audit log cannot be believed or written.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A document has problems.
    #[error(transparent)]
    Document(#[from] Problems),
    /// A run record has problems.
    #[error("{}: {problem}", .path.display())]
    Run {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: RunError,
    },
    /// A file could not be read.
    #[error("failed to read {what} {}: {source}; {hint}", .path.display())]
    Read {
        /// What the file should have been.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What to do next.
        hint: &'static str,
    },
    /// A file that should be JSON is no text.
    #[error("{}: byte {offset} is no UTF-8; accepted is JSON in UTF-8, as `unfazed analyze` writes it", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Position of the first byte that does not fit, from 0.
        offset: usize,
    },
    /// The results of another tool were not imported.
    #[error(transparent)]
    Import(#[from] ImportFailure),
    /// The samples of a recording could not be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A server could not be asked, or did not answer.
    #[error(transparent)]
    Server(#[from] PrometheusError),
    /// The samples of a recording cannot be true.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// A file could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedded collector could not do its work.
    #[error(transparent)]
    Collector(#[from] CollectorError),
    /// No scrape succeeded.
    #[error("recorded nothing but failed scrapes into {}: {reason}", .directory.display())]
    NothingRecorded {
        /// The recording, which holds `up` alone.
        directory: PathBuf,
        /// Why the last scrape failed.
        reason: String,
    },
    /// The history could not be read or added to.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A result or template could not be rendered.
    #[error("{}{source}", .path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default())]
    Report {
        /// The file, if one was read.
        path: Option<PathBuf>,
        /// What is wrong with it.
        source: ReportError,
    },
    /// Policy or safety forbid it.
    #[error("refused: {0}")]
    Refused(String),
    /// The source of a running experiment failed.
    #[error("{why}")]
    Source {
        /// What was tried, and what to do.
        why: String,
    },
    /// The injector cannot be used.
    #[error("{why}")]
    Injector {
        /// What was tried, and what to do.
        why: String,
    },
    /// Standard input or output broke.
    #[error("failed to {what}: {source}")]
    Stream {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl From<ReportError> for AppError {
    fn from(source: ReportError) -> Self {
        Self::Report { path: None, source }
    }
}

impl AppError {
    /// A stable word for the kind of error, used where errors are written as data.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Audit(_) => "unwritable_audit_log",
            Self::Document(_) => "invalid_document",
            Self::Run { .. } => "invalid_run",
            Self::Read { .. } => "unreadable_file",
            Self::Import(failure) => failure.code(),
            Self::Recording(_) => "unreadable_samples",
            Self::Server(_) => "unreachable_source",
            Self::Summary(_) => "contradictory_samples",
            Self::Store(_) | Self::History(HistoryError::Write(_)) => "unwritable_file",
            Self::History(_) => "history",
            Self::Collector(CollectorError::NoTarget | CollectorError::NoInterval) => "usage",
            Self::Collector(CollectorError::Sink(_)) => "unwritable_file",
            Self::Collector(_) | Self::NothingRecorded { .. } => "unreadable_source",
            Self::Report { source: ReportError::TemplateRead { .. }, .. } => "unreadable_file",
            Self::Report { .. } | Self::NotText { .. } => "invalid_result",
            Self::Refused(_) => "refused",
            Self::Source { .. } => "source",
            Self::Injector { .. } => "injector",
            Self::Stream { .. } => "broken_stream",
        }
    }

    /// Whether the input was at fault (exit code 2) rather than a file or source (exit code 4).
    pub const fn is_invalid_input(&self) -> bool {
        match self {
            Self::Import(failure) => failure.is_invalid_input(),
            Self::History(error) => error.is_invalid_input(),
            Self::Report { source: ReportError::TemplateRead { .. }, .. } => false,
            Self::Collector(CollectorError::NoTarget | CollectorError::NoInterval) => true,
            Self::Collector(_) | Self::NothingRecorded { .. } => false,
            Self::Usage(_)
            | Self::Document(_)
            | Self::Run { .. }
            | Self::NotText { .. }
            | Self::Report { .. } => true,
            Self::Audit(_)
            | Self::Read { .. }
            | Self::Recording(_)
            | Self::Server(_)
            | Self::Summary(_)
            | Self::Store(_)
            | Self::Refused(_)
            | Self::Source { .. }
            | Self::Injector { .. }
            | Self::Stream { .. } => false,
        }
    }

    /// Whether policy or safety forbid it (exit code 5).
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}
