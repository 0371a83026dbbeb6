//! A file that appears whole under its name, or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::StoreError;

/// Temporary files that this process has made.
static CREATED: AtomicU64 = AtomicU64::new(0);

/// A file that is being written under a temporary name beside its final one. Dropped before
/// [`AtomicFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
}

impl AtomicFile {
    /// Begins a file that will be called `target`; its directory must exist.
    ///
    /// # Errors
    /// [`StoreError`] if the temporary file cannot be made.
    pub fn create(target: &Path) -> Result<Self, StoreError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The process id keeps two processes apart that write the same file, the number two writers of one
        // process; the last rename wins.
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let temporary =
            target.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
        #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
        let file =
            File::create(&temporary).map_err(|source| StoreError::new("create", target, source))?;
        Ok(Self { target: target.to_owned(), temporary, file: Some(file) })
    }

    /// Syncs the contents; nothing can be added afterwards.
    ///
    /// # Errors
    /// [`StoreError`] if the contents cannot be synced.
    pub fn finish(&mut self) -> Result<(), StoreError> {
        self.file.take().map_or(Ok(()), |file| {
            file.sync_all().map_err(|source| StoreError::new("sync", &self.target, source))
        })
    }

    /// Syncs the contents and gives the file its final name.
    ///
    /// # Errors
    /// [`StoreError`] if the contents cannot be synced or the name cannot be given.
    #[expect(
        clippy::disallowed_methods,
        reason = "the store gives files their names, and opens a directory only to sync it"
    )]
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.finish()?;
        let failed = |operation, source| StoreError::new(operation, &self.target, source);
        fs::rename(&self.temporary, &self.target).map_err(|source| failed("rename", source))?;
        // The new name is durable once its directory is.
        let directory = match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| failed("sync the directory of", source))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()?.flush()
    }
}

impl AtomicFile {
    fn open(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the file was already finished"))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        self.file = None;
        // After a commit there is nothing under the temporary name, and the removal does nothing.
        #[expect(
            clippy::disallowed_methods,
            reason = "the store takes away what it did not finish"
        )]
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_file_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("result.json");
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_committed_file_replaces_the_old_one_and_stands_alone() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("result.json");
        fs::write(&target, "old").unwrap();
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
