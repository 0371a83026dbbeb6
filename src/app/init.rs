//! `unfazed init`: writes the starter kit, and never over anything that is there.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::store::{TextFile, write_texts};

/// One file of the kit: its name below the directory, and its text.
struct StarterFile {
    name: &'static str,
    text: &'static str,
}

/// The kit, in the order in which it is read.
const KIT: [StarterFile; 8] = [
    StarterFile { name: "experiment.yaml", text: include_str!("starter/experiment.yaml") },
    StarterFile { name: "policy.yaml", text: include_str!("starter/policy.yaml") },
    StarterFile {
        name: "runbooks/payment-worker.md",
        text: include_str!("starter/payment-worker.md"),
    },
    StarterFile {
        name: "prometheus/recording-rules.yml",
        text: include_str!("starter/recording-rules.yml"),
    },
    StarterFile {
        name: "prometheus/alert-rules.yml",
        text: include_str!("starter/alert-rules.yml"),
    },
    StarterFile { name: "prometheus/rules-test.yml", text: include_str!("starter/rules-test.yml") },
    StarterFile { name: "kubernetes/sandbox.yaml", text: include_str!("starter/sandbox.yaml") },
    StarterFile {
        name: ".github/workflows/unfazed.yml",
        text: include_str!("starter/workflow.yml"),
    },
];

/// What became of the kit.
#[derive(Debug, PartialEq, Eq)]
pub struct Initialised {
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// Files that were there, whatever they are, and were left alone.
    pub kept: Vec<PathBuf>,
}

/// Writes what is not there yet into a directory, which is made if it is missing.
///
/// # Errors
/// [`AppError::Store`] if something cannot be written; then nothing is.
pub fn run(directory: &Path) -> Result<Initialised, AppError> {
    let (mut files, mut kept) = (Vec::new(), Vec::new());
    for StarterFile { name, text } in KIT {
        let path = directory.join(name);
        // A dangling link, too, is something that is there.
        if path.symlink_metadata().is_ok() {
            kept.push(path);
        } else {
            files.push(TextFile { path, text: text.to_owned() });
        }
    }
    write_texts(&files)?;
    Ok(Initialised { written: files.into_iter().map(|file| file.path).collect(), kept })
}
