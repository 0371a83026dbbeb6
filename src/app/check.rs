//! `unfazed check`: lints documents, all problems at once.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::read_experiment;
use crate::spec::Problem;

/// What was found in one document.
#[derive(Debug)]
pub struct CheckedFile {
    /// The document.
    pub path: PathBuf,
    /// Warnings, or why it is no valid document.
    pub outcome: Result<Vec<Problem>, AppError>,
}

/// Checks documents, each for itself.
pub fn run(paths: &[PathBuf]) -> Vec<CheckedFile> {
    paths.iter().map(|path| CheckedFile { path: path.clone(), outcome: check(path) }).collect()
}

fn check(path: &Path) -> Result<Vec<Problem>, AppError> {
    let document = if path.is_dir() { path.join("experiment.yaml") } else { path.to_owned() };
    Ok(read_experiment(&document)?.warnings)
}
