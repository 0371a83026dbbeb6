//! What can go wrong when a report is made.

use std::path::PathBuf;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The text is not JSON, or not of the shape of a result.
    #[error(
        "the result does not read as unfazed.result/v1: {0}; give a result.json that `unfazed analyze` wrote, complete and unchanged"
    )]
    Result(#[source] serde_json::Error),
    /// The document names another schema.
    #[error(
        "the document is of schema '{found}', this version reads '{}': analyse the recording again with this version",
        crate::verdict::result::SCHEMA
    )]
    Schema {
        /// What the document says it is.
        found: String,
    },
    /// The document does not say what it is.
    #[error(
        "the document has no field \"schema\", so it is no result: give the result.json that `unfazed analyze` wrote"
    )]
    NoSchema,
    /// A template file could not be read.
    #[error("failed to read templates from {}: {source}; give a folder of templates named like the built-in ones", path.display())]
    TemplateRead {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file in the folder of templates overrides nothing.
    #[error(
        "{} overrides no template: accepted are {accepted}; rename or remove the file", path.display()
    )]
    UnknownTemplate {
        /// The file.
        path: PathBuf,
        /// The names that exist.
        accepted: String,
    },
    /// A style sheet that would end its own element.
    #[error(
        "style.css contains '</style' or a NUL character, which would end the page's style: remove it"
    )]
    Style,
    /// A template does not parse, or asks for what the page does not have.
    #[error("template: {message}")]
    Template {
        /// What the template engine said, with file and line.
        message: String,
        /// The engine's own error.
        #[source]
        source: Box<tera::Error>,
    },
    /// A chart could not be drawn.
    #[error("failed to draw a chart: {0}")]
    Chart(String),
}
