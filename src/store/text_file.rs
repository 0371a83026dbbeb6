//! Text files that appear whole and together, or not at all.
//!
//! Everything that can fail, fails before the first final name is given: directories are made, contents are written
//! under temporary names and synced, and only then all files are renamed. After a failure neither a temporary file
//! nor a new directory is left.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::store::{AtomicFile, StoreError};

/// A text and the file that it belongs into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Where it goes; missing parent directories are made, an existing file is replaced.
    pub path: PathBuf,
    /// Its contents.
    pub text: String,
}

/// Writes one file.
///
/// # Errors
/// [`StoreError`] if a directory or the file cannot be written.
pub fn write_text(path: &Path, text: &str) -> Result<(), StoreError> {
    write_texts(&[TextFile { path: path.to_owned(), text: text.to_owned() }])
}

/// Writes all files, or none of them.
///
/// A path that leads to a device or a pipe (`/dev/stdout`) is written to and never replaced; a link to a file stays
/// a link.
///
/// # Errors
/// [`StoreError`] names the first file or directory that cannot be written.
pub fn write_texts(files: &[TextFile]) -> Result<(), StoreError> {
    let mut made = MadeDirectories::default();
    // Declared after the directories, so that after a failure temporary files are gone before their directories go.
    let mut staged = Vec::with_capacity(files.len());
    for file in files {
        staged.push(Staged::new(file, &mut made)?);
    }
    for file in staged {
        file.commit()?;
    }
    made.keep();
    Ok(())
}

/// A file that is ready to appear.
#[derive(Debug)]
enum Staged<'text> {
    /// Written under a temporary name.
    Beside(AtomicFile),
    /// A device or pipe, which has nothing beside it.
    Through { path: PathBuf, text: &'text str },
}

impl<'text> Staged<'text> {
    fn new(file: &'text TextFile, made: &mut MadeDirectories) -> Result<Self, StoreError> {
        let TextFile { path, text } = file;
        let target = match destination(path)? {
            Destination::Stream => return Ok(Self::Through { path: path.clone(), text }),
            Destination::File(target) => target,
        };
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            made.make(parent)?;
        }
        let mut beside = AtomicFile::create(&target)?;
        beside
            .write_all(text.as_bytes())
            .map_err(|source| StoreError::new("write", path, source))?;
        beside.finish()?;
        Ok(Self::Beside(beside))
    }

    fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Beside(file) => file.commit(),
            Self::Through { path, text } => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the store is where files are written"
                )]
                let opened = std::fs::OpenOptions::new().append(true).open(&path);
                opened
                    .and_then(|mut stream| stream.write_all(text.as_bytes()))
                    .map_err(|source| StoreError::new("write", &path, source))
            }
        }
    }
}

/// What a path leads to.
enum Destination {
    /// A file that is there or will be.
    File(PathBuf),
    /// A device or a pipe.
    Stream,
}

fn destination(path: &Path) -> Result<Destination, StoreError> {
    // What is standard output now may be a regular file: replacing that file would cut the stream off.
    if path.starts_with("/dev") {
        return Ok(Destination::Stream);
    }
    let Ok(found) = std::fs::metadata(path) else {
        return Ok(Destination::File(path.to_owned()));
    };
    if found.is_dir() {
        let source = io::Error::from(io::ErrorKind::IsADirectory);
        return Err(StoreError::new("write", path, source));
    }
    if !found.is_file() {
        return Ok(Destination::Stream);
    }
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let target = if is_link {
        std::fs::canonicalize(path).map_err(|source| StoreError::new("follow", path, source))?
    } else {
        path.to_owned()
    };
    Ok(Destination::File(target))
}

/// Directories that were made on the way. Dropped before [`MadeDirectories::keep`], those still empty are removed.
#[derive(Debug, Default)]
struct MadeDirectories {
    /// Parents before their children.
    made: Vec<PathBuf>,
}

impl MadeDirectories {
    /// Makes `directory` and what is missing above it.
    #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
    fn make(&mut self, directory: &Path) -> Result<(), StoreError> {
        let mut missing: Vec<&Path> = directory
            .ancestors()
            .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
            .collect();
        missing.reverse();
        for above in missing {
            match std::fs::create_dir(above) {
                Ok(()) => self.made.push(above.to_owned()),
                // Another process was faster, or the path goes up and down again.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && above.is_dir() => {}
                Err(source) => return Err(StoreError::new("create the directory", above, source)),
            }
        }
        if directory.is_dir() {
            return Ok(());
        }
        let source = io::Error::from(io::ErrorKind::NotADirectory);
        Err(StoreError::new("write into the directory", directory, source))
    }

    fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for MadeDirectories {
    fn drop(&mut self) {
        for directory in self.made.iter().rev() {
            // Only an empty directory goes; in another somebody else has begun to write.
            let _ = std::fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: PathBuf, text: &str) -> TextFile {
        TextFile { path, text: text.to_owned() }
    }

    #[test]
    fn if_the_second_file_cannot_be_written_the_first_one_is_untouched() {
        let room = tempfile::tempdir().unwrap();
        let first = room.path().join("first");
        std::fs::write(&first, "old").unwrap();
        let under_a_file = first.join("deep/second");
        let files = [file(first.clone(), "new"), file(under_a_file, "new")];
        let error = write_texts(&files).unwrap_err().to_string();
        assert!(error.contains("first/deep"), "{error}");
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "old");
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 1);
    }

    #[test]
    fn directories_made_for_nothing_are_removed() {
        let room = tempfile::tempdir().unwrap();
        let directory = room.path().join("is-a-directory");
        std::fs::create_dir(&directory).unwrap();
        let files = [file(room.path().join("a/b/c/first"), "new"), file(directory.clone(), "new")];
        let error = write_texts(&files).unwrap_err().to_string();
        assert!(error.contains("give the path of a file"), "{error}");
        assert!(!room.path().join("a").exists());
    }

    #[test]
    fn a_link_to_a_file_stays_a_link() {
        let room = tempfile::tempdir().unwrap();
        let (real, link) = (room.path().join("real"), room.path().join("link"));
        std::fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_text(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        write_text(Path::new("/dev/null"), "gone").unwrap();
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
