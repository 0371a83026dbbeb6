//! Why no samples came out of a file: what was tried, what was found, what is accepted, what to do.

/// Why no samples came out of a file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is of the tool, and holds no samples.
    #[error("{file} is {found}, which holds no samples; {instead}")]
    NoSamples {
        /// The file as given.
        file: String,
        /// What it is.
        found: String,
        /// What to export instead.
        instead: String,
    },
    /// The file is something else.
    #[error("{file} is not for `import {format}`: {found}; accepted is {accepts}")]
    WrongKind {
        /// The file as given.
        file: String,
        /// The format that was asked for.
        format: &'static str,
        /// What it looks like.
        found: String,
        /// What the format reads.
        accepts: &'static str,
    },
    /// A line that cannot be read.
    #[error("failed to read {file} at line {line}: found {found}; accepted is {accepted}")]
    Line {
        /// The file as given.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What was found.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// The options do not fit.
    #[error("{0}")]
    Options(String),
    /// The operating system refused, or the file is damaged.
    #[error("failed to read {file}: {source}")]
    Read {
        /// The file as given.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl LoadError {
    /// Whether the input was at fault rather than the file system.
    pub const fn is_invalid_input(&self) -> bool {
        match self {
            Self::NoSamples { .. }
            | Self::WrongKind { .. }
            | Self::Line { .. }
            | Self::Options(_) => true,
            Self::Read { .. } => false,
        }
    }
}
