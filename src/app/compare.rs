//! `unfazed compare`: two campaigns of one experiment, before and after a change.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::analyze::{Inputs, analyze};
use crate::app::overwrite::keep_inputs;
use crate::app::render::read_result;
use crate::report::{self, Templates};
use crate::store::{self, TextFile};
use crate::verdict::compare::result::Comparison;
use crate::verdict::compare::{Margin, Names, Request, compare};
use crate::verdict::result::AnalysisResult;

/// What to compare, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareInputs {
    /// The campaign before the change: a result, a directory with one, or a recording.
    pub before: PathBuf,
    /// The campaign after it.
    pub after: PathBuf,
    /// How much worse still counts as equal.
    pub margin: Margin,
    /// Whether the experiments may have two names.
    pub names: Names,
    /// The change to the runbook that this is to prove.
    pub runbook_change: Option<String>,
    /// Seed of every random draw, for recordings.
    pub seed: u64,
}

/// Where to write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompareOutputs {
    /// The page.
    pub page: Option<PathBuf>,
    /// Directory of templates that replace the embedded ones.
    pub templates: Option<PathBuf>,
}

/// What was found and written.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The comparison.
    pub comparison: Comparison,
    /// The page, if one was asked for.
    pub written: Option<PathBuf>,
}

/// Compares two campaigns and writes the page if one is asked for.
///
/// # Errors
/// [`AppError`] says what could not be read, compared or written. Nothing is written then.
pub fn run(inputs: &CompareInputs, outputs: &CompareOutputs) -> Result<Compared, AppError> {
    let templates = match &outputs.templates {
        Some(folder) => Templates::with_overrides(folder)?,
        None => Templates::embedded()?,
    };
    let before = result_of(&inputs.before, inputs.seed)?;
    let after = result_of(&inputs.after, inputs.seed)?;
    let comparison = compare(&Request {
        before: &before,
        after: &after,
        margin: inputs.margin,
        names: inputs.names,
        runbook_change: inputs.runbook_change.clone(),
    })
    .map_err(|error| AppError::Usage(error.to_string()))?;
    if let Some(path) = &outputs.page {
        let text = report::comparison_html(&comparison, &templates)?;
        keep_inputs(&[inputs.before.clone(), inputs.after.clone()], &[path])?;
        store::write_texts(&[TextFile { path: path.clone(), text }])?;
    }
    Ok(Compared { comparison, written: outputs.page.clone() })
}

/// The result of a path: the file itself, the one in a directory, or that of a recording, which is analysed.
fn result_of(path: &Path, seed: u64) -> Result<AnalysisResult, AppError> {
    let inside = path.join("result.json");
    if inside.is_file() {
        return read_result(&inside);
    }
    let is_document =
        path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if path.is_dir() || is_document {
        return analyze(&Inputs {
            paths: vec![path.to_owned()],
            run: None,
            events: Vec::new(),
            seed,
        });
    }
    read_result(path)
}
