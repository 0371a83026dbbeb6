//! Which files of a directory are its samples.
//!
//! Exactly one of the accepted forms must be there: two answers to "what was measured" are none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::RecordingError;

/// The samples of a recording as they lie on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// Parquet files, sorted by name.
    Parquet(Vec<PathBuf>),
    /// CSV files, sorted by name.
    Csv(Vec<PathBuf>),
}

/// The file that native histograms are read from. It may stand alone: a service may have no other metric.
pub(super) const NATIVE: &str = "samples-native.parquet";

/// Finds the samples in `directory`.
pub(super) fn find(directory: &Path) -> Result<Layout, RecordingError> {
    match fs::metadata(directory) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Err(RecordingError::NotADirectory {
                path: directory.to_owned(),
                found: "nothing at this path".to_owned(),
            });
        }
        Err(source) => return Err(io_error("open recording", directory, source)),
        Ok(metadata) if !metadata.is_dir() => {
            return Err(RecordingError::NotADirectory {
                path: directory.to_owned(),
                found: "a file".to_owned(),
            });
        }
        Ok(_) => {}
    }
    let mut candidates = Vec::new();
    for (name, layout) in
        [("samples.parquet", Layout::Parquet as fn(_) -> _), ("samples.csv", Layout::Csv)]
    {
        let path = directory.join(name);
        if path.is_file() {
            candidates.push((name.to_owned(), layout(vec![path])));
        }
    }
    let folder = directory.join("samples");
    if folder.is_dir() {
        for (extension, layout) in
            [("parquet", Layout::Parquet as fn(_) -> _), ("csv", Layout::Csv)]
        {
            let files = files_with(&folder, extension)?;
            if !files.is_empty() {
                let name = format!("samples/*.{extension} ({})", files.len());
                candidates.push((name, layout(files)));
            }
        }
    }
    if candidates.len() == 1
        && let Some((_, layout)) = candidates.pop()
    {
        return Ok(layout);
    }
    if candidates.is_empty() && directory.join(NATIVE).is_file() {
        return Ok(Layout::Parquet(Vec::new()));
    }
    let found = if candidates.is_empty() {
        format!("no samples, only {}", listing(directory)?)
    } else {
        let names: Vec<String> = candidates.into_iter().map(|(name, _)| name).collect();
        format!("{} side by side", names.join(" and "))
    };
    Err(RecordingError::Files { directory: directory.to_owned(), found })
}

/// An operating-system error with what was tried on what.
pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> RecordingError {
    RecordingError::Io { operation, path: path.to_owned(), source }
}

/// The files of a folder with an extension, sorted by name.
fn files_with(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, RecordingError> {
    let mut files: Vec<PathBuf> = entries(folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension) && path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

/// Names in a directory, at most ten of them, as a person would list them.
fn listing(directory: &Path) -> Result<String, RecordingError> {
    let mut names: Vec<String> = entries(directory)?
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    if names.is_empty() {
        return Ok("an empty directory".to_owned());
    }
    let more = names.len().saturating_sub(10);
    names.truncate(10);
    let mut text = names.join(", ");
    if more > 0 {
        text = format!("{text} and {more} more");
    }
    Ok(text)
}

/// Paths of all entries.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    let error = |source| io_error("list", directory, source);
    #[expect(clippy::disallowed_methods, reason = "a source reads the directory it was given")]
    let listed = fs::read_dir(directory);
    listed.map_err(error)?.map(|entry| entry.map(|entry| entry.path()).map_err(error)).collect()
}
