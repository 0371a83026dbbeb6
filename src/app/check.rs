//! `unfazed check`: lints documents, all problems at once, and holds experiments against a policy.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::approve::{approvals, document};
use crate::app::document::{read_document, read_policy};
use crate::safety::{Decision, Mode, Situation, decide};
use crate::spec::lint::{self, DocumentKind, Lint, kind_of};
use crate::spec::{Experiment, Policy, Problem};
use crate::unit::Timestamp;

/// What is checked.
#[derive(Debug, Clone)]
pub struct CheckArguments {
    /// Documents, or directories that hold an experiment.yaml.
    pub files: Vec<PathBuf>,
    /// The policy against which experiments are held.
    pub policy: Option<PathBuf>,
    /// A file of approvals, instead of the one beside each experiment.
    pub approvals: Option<PathBuf>,
    /// When it would happen.
    pub at: Timestamp,
}

/// What was found in one document.
#[derive(Debug)]
pub struct CheckedFile {
    /// The document.
    pub path: PathBuf,
    /// What it is, or why it is no valid document.
    pub outcome: Result<Found, AppError>,
}

/// What was found in a valid document.
#[derive(Debug)]
pub struct Found {
    /// Warnings of its readers.
    pub warnings: Vec<Problem>,
    /// Pitfalls.
    pub lints: Vec<Lint>,
    /// What a policy says to it, if there is one and this is an experiment.
    pub decision: Option<Decision>,
}

/// Checks documents, each for itself.
///
/// # Errors
/// The policy cannot be read: then nothing can be held against it.
pub fn run(arguments: &CheckArguments) -> Result<Vec<CheckedFile>, AppError> {
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let policy = policy.map(|checked| checked.policy);
    let check = |path: &PathBuf| CheckedFile {
        path: path.clone(),
        outcome: check(path, policy.as_ref(), arguments),
    };
    Ok(arguments.files.iter().map(check).collect())
}

fn check(
    path: &Path,
    policy: Option<&Policy>,
    arguments: &CheckArguments,
) -> Result<Found, AppError> {
    let document = document(path);
    let bytes = read_document(&document)?;
    let name = document.display().to_string();
    if kind_of(&bytes) == DocumentKind::Policy {
        let checked = Policy::check(&name, &bytes)?;
        let lints = lint::policy(&checked.policy, &bytes);
        return Ok(Found { warnings: checked.warnings, lints, decision: None });
    }
    let checked = Experiment::check(&name, &bytes)?;
    // A campaign that is recorded is over: what it lacked cannot be added any more.
    let is_recorded = document.with_file_name("run.json").exists();
    let lints =
        if is_recorded { Vec::new() } else { lint::experiment(&checked.experiment, &bytes) };
    let decision = match policy {
        Some(policy) => {
            let mut situation = Situation::at_check(arguments.at, Mode::Live);
            situation.approvals = approvals(&document, arguments.approvals.as_deref())?;
            Some(decide(&checked.experiment, Some(policy), &situation))
        }
        None => None,
    };
    Ok(Found { warnings: checked.warnings, lints, decision })
}
