//! One writer at a time: a file that is locked while a run is appended.
//!
//! The lock belongs to the open file, so the system lets go of it when its holder dies, whatever it died of.

use std::fs::File;
use std::path::Path;

use crate::store::StoreError;

/// Held while a run is appended; let go when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other writer is at work.
    pub(super) fn hold(path: &Path) -> Result<Self, StoreError> {
        #[expect(clippy::disallowed_methods, reason = "the store locks what it writes")]
        let opened = File::options().create(true).truncate(false).read(true).write(true).open(path);
        let file = opened.map_err(|source| StoreError::new("open", path, source))?;
        file.lock().map_err(|source| StoreError::new("lock", path, source))?;
        Ok(Self { _file: file })
    }
}
