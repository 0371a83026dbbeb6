//! Samples that come to a recording later, beside those that are there.
//!
//! A recording has one file of samples or a folder of them. Where there is one file it becomes the first of the folder:
//! every moment in between is a whole recording, with or without the new samples.

use std::fs;
use std::path::Path;

use crate::frame::Frame;
use crate::store::StoreError;
use crate::store::recording_writer::{WrittenSamples, write_samples_file};

/// The one file of samples.
const SINGLE: &str = "samples.parquet";

/// Writes `frames` into the file `target` of the recording in `directory`; what is missing of both is made.
///
/// # Errors
/// [`StoreError`] if a directory or the file cannot be made.
#[expect(clippy::disallowed_methods, reason = "the store is where files are written and moved")]
pub fn write_imported_samples(
    directory: &Path,
    target: &Path,
    frames: Vec<Frame>,
) -> Result<WrittenSamples, StoreError> {
    let folder = target.parent().unwrap_or(directory);
    fs::create_dir_all(folder)
        .map_err(|source| StoreError::new("create the directory", folder, source))?;
    let single = directory.join(SINGLE);
    if folder != directory && single.exists() {
        fs::rename(&single, folder.join(SINGLE))
            .map_err(|source| StoreError::new("move", &single, source))?;
    }
    write_samples_file(target, frames)
}
