//! Text files that appear whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::store::{AtomicFile, StoreError};

/// Writes `text` to `path`; missing parent directories are created, an existing file is replaced.
///
/// # Errors
/// [`StoreError`] if a directory or the file cannot be written.
pub fn write_text(path: &Path, text: &str) -> Result<(), StoreError> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
        std::fs::create_dir_all(parent)
            .map_err(|source| StoreError::new("create the directory", parent, source))?;
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|source| StoreError::new("write", path, source))?;
    file.commit()
}
