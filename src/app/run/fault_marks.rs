//! Which faults are in place on this host under the same policy: one locked file each, so that campaigns see each other.
//!
//! A mark is held from right before the signal until the service is well again. The lock goes with the process that holds
//! it, so that a crash leaves no mark that anybody believes. Counting and marking happen under one more lock: of two
//! campaigns that ask at the same moment one asks first. What cannot be counted is not known, and denies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The marks of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FaultMarks {
    folder: PathBuf,
    run_id: String,
}

/// A mark of our own; dropped, the fault is no longer in place.
#[derive(Debug)]
pub(crate) struct FaultMark {
    path: PathBuf,
    _locked: File,
}

/// Nobody else counts or marks while this lives.
#[derive(Debug)]
pub(crate) struct Turn {
    _locked: File,
}

impl FaultMarks {
    /// The marks of everybody who holds kills against the policy in this file.
    pub(crate) fn of(policy: &Path, run_id: &str) -> Self {
        let path = policy.canonicalize().unwrap_or_else(|_| policy.to_owned());
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        #[expect(
            clippy::disallowed_methods,
            reason = "campaigns of a host meet in its place for temporary files"
        )]
        let place = std::env::temp_dir();
        let folder = place.join(format!("unfazed-faults-{:016x}", hasher.finish()));
        Self { folder, run_id: run_id.to_owned() }
    }

    /// Waits for our turn to count and mark.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn turn(&self) -> Result<Turn, String> {
        let failed = |error: io::Error| self.failed(&error);
        match fs::DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            Ok(()) | Err(_) => {}
        }
        let about = fs::symlink_metadata(&self.folder).map_err(failed)?;
        if !about.is_dir() || about.mode() & 0o077 != 0 {
            return Err(format!("{} could be written by others", self.folder.display()));
        }
        let locked = self.open(&self.folder.join("turn")).map_err(failed)?;
        locked.lock().map_err(failed)?;
        Ok(Turn { _locked: locked })
    }

    /// How many faults of others are in place.
    ///
    /// # Errors
    /// That they cannot be counted.
    pub(crate) fn others(&self, _turn: &Turn) -> Result<u32, String> {
        let failed = |error: io::Error| self.failed(&error);
        #[expect(
            clippy::disallowed_methods,
            reason = "marks are files, and counting them is reading a folder"
        )]
        let listed = fs::read_dir(&self.folder).map_err(failed)?;
        let mut count = 0;
        for entry in listed {
            let path = entry.map_err(failed)?.path();
            let is_mark = path.extension().is_some_and(|extension| extension == "mark");
            if !is_mark || path == self.own() {
                continue;
            }
            match self.open(&path).map_err(failed)?.try_lock() {
                Err(TryLockError::WouldBlock) => count += 1,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Ok(()) => {
                    // Nobody holds it: whoever made it has ended.
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "a mark that nobody holds is taken away"
                    )]
                    let _removed = fs::remove_file(&path);
                }
            }
        }
        Ok(count)
    }

    /// Marks a fault of our own.
    ///
    /// # Errors
    /// That it cannot be marked.
    pub(crate) fn mark(&self, _turn: &Turn) -> Result<FaultMark, String> {
        let path = self.own();
        let locked = self.open(&path).map_err(|error| self.failed(&error))?;
        locked.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => format!(
                "faults of others are in place: a campaign that began at the same moment holds {}",
                path.display()
            ),
            TryLockError::Error(error) => self.failed(&error),
        })?;
        Ok(FaultMark { path, _locked: locked })
    }

    fn own(&self) -> PathBuf {
        self.folder.join(format!("{}.mark", self.run_id))
    }

    #[expect(clippy::unused_self, reason = "files of this folder are opened in one way")]
    fn open(&self, path: &Path) -> io::Result<File> {
        #[expect(clippy::disallowed_methods, reason = "marks are files that are locked")]
        OpenOptions::new().write(true).create(true).truncate(false).open(path)
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.folder.display())
    }
}

impl Drop for FaultMark {
    fn drop(&mut self) {
        #[expect(clippy::disallowed_methods, reason = "our own mark is taken away")]
        let _removed = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn campaigns_under_one_policy_see_each_others_faults_and_nobody_elses() {
        let room = tempfile::tempdir().unwrap();
        let policy = room.path().join("policy.yaml");
        fs::write(&policy, "").unwrap();
        let one = FaultMarks::of(&policy, "one");
        let two = FaultMarks::of(&policy, "two");
        let turn = one.turn().unwrap();
        let mark = one.mark(&turn).unwrap();
        assert_eq!(one.others(&turn), Ok(0), "our own fault is not another's");
        drop(turn);
        let turn = two.turn().unwrap();
        assert_eq!(two.others(&turn), Ok(1));
        drop(mark);
        assert_eq!(two.others(&turn), Ok(0));
        let elsewhere = FaultMarks::of(&room.path().join("other.yaml"), "three");
        assert_ne!(elsewhere.folder, two.folder);
        fs::remove_dir_all(&two.folder).unwrap();
    }
}
