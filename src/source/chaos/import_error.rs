//! Why nothing was imported.
//!
//! Every message says what was tried, on which file, what was found, what is accepted and what to do. All of them
//! mean "invalid document" (exit code 2); files that cannot be opened are the caller's errors.

use crate::run::RunError;

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No importer of that name.
    #[error("unknown format '{given}'; known are {known}{hint}")]
    UnknownFormat {
        /// What was asked for.
        given: String,
        /// What there is.
        known: String,
        /// The nearest name, as a sentence, or empty.
        hint: String,
    },
    /// No file was given.
    #[error("no file to import; give at least one file or a directory that holds some")]
    NoFile,
    /// The bytes are no document.
    #[error("failed to read {file}: {problem}")]
    Unreadable {
        /// The file as given.
        file: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A document of another kind.
    #[error(
        "{file} is not for `import {importer}`: it looks like {found}; accepted is {accepts}{hint}"
    )]
    WrongKind {
        /// The file as given.
        file: String,
        /// The importer that was asked.
        importer: &'static str,
        /// What the file looks like.
        found: String,
        /// What the importer reads.
        accepts: &'static str,
        /// What to do instead, as a fragment that starts with a separator, or empty.
        hint: String,
    },
    /// The right tool, but a run that cannot be placed in time or understood.
    #[error("failed to import {file}: {problem}")]
    Incomplete {
        /// The file as given.
        file: String,
        /// What is missing and what to do.
        problem: String,
    },
    /// A time that cannot be read.
    #[error(
        "failed to read {field} of {file}: '{found}' is not a time; accepted are RFC 3339 (2026-11-23T08:00:00Z), a date and time without a zone (then give --zone), and Unix seconds"
    )]
    NotATime {
        /// The file as given.
        file: String,
        /// The field.
        field: String,
        /// Its text.
        found: String,
    },
    /// A name or offset that is no zone.
    #[error(
        "'{0}' is not a time zone; accepted are UTC, an offset such as +02:00, and names such as Europe/Berlin"
    )]
    NotAZone(String),
    /// `--windows` that cannot be read.
    #[error(
        "failed to read --windows '{given}': {problem}; write e.g. \"baseline=5m,experiment=5m\""
    )]
    Windows {
        /// What was given.
        given: String,
        /// What is wrong.
        problem: String,
    },
    /// Windows that were asked for and do not fit between two faults.
    #[error(
        "the faults at {first} and {second} are {gap} apart, too close for the windows asked for; the longest that fit are --windows \"baseline={baseline},experiment={experiment}\" (or import the runs one by one)"
    )]
    WindowsOverlap {
        /// When the earlier fault was.
        first: String,
        /// When the later fault was.
        second: String,
        /// The time between them.
        gap: String,
        /// The longest baseline that fits.
        baseline: String,
        /// The longest experiment window that fits.
        experiment: String,
    },
    /// Every document was understood and none holds a started run.
    #[error("nothing to import:\n  {}", .reasons.join("\n  "))]
    NothingStarted {
        /// One reason per document.
        reasons: Vec<String>,
    },
    /// The record that came out cannot be true: our own mistake.
    #[error("the imported record is inconsistent: {0}")]
    Inconsistent(#[from] RunError),
}
