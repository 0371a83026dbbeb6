//! Refuses outputs that would replace an input, or each other.
//!
//! A slip of the hand (`-o result.json` beside `result.json`) must not cost the data of a campaign. Decided before
//! anything is written; what a path means is for the file system to say, so links and `..` do not deceive.

use std::path::{Component, Components, Path, PathBuf};

use crate::app::AppError;

/// Checks that no output is one of the inputs or another output.
///
/// # Errors
/// [`AppError::Usage`] names the path.
pub(crate) fn keep_inputs(inputs: &[PathBuf], outputs: &[&PathBuf]) -> Result<(), AppError> {
    let read: Vec<PathBuf> = inputs.iter().map(|path| place(path)).collect();
    let mut written: Vec<PathBuf> = Vec::new();
    for output in outputs {
        // Writing to a stream replaces nothing.
        if output.starts_with("/dev") {
            continue;
        }
        let place = place(output);
        if read.contains(&place) {
            return Err(AppError::Usage(format!(
                "writing {} would replace an input; give another path",
                output.display()
            )));
        }
        if written.contains(&place) {
            return Err(AppError::Usage(format!(
                "two outputs have the same path {}; give each its own",
                output.display()
            )));
        }
        written.push(place);
    }
    Ok(())
}

/// The file that a path names, as far as it exists.
fn place(path: &Path) -> PathBuf {
    if let Ok(found) = std::fs::canonicalize(path) {
        return found;
    }
    // Not there yet: what is there above it decides, and the names below are what they are.
    let mut components = path.components();
    match components.next_back() {
        Some(Component::Normal(name)) => place(above(&components)).join(name),
        Some(Component::ParentDir) => {
            let mut parent = place(above(&components));
            parent.pop();
            parent
        }
        Some(Component::CurDir) => place(above(&components)),
        Some(Component::RootDir | Component::Prefix(_)) | None => path.to_owned(),
    }
}

/// What stands before the last component.
fn above<'path>(components: &Components<'path>) -> &'path Path {
    let path = components.as_path();
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
