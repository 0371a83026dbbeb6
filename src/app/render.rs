//! `unfazed report`: renders a report again from `result.json` alone.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::read;
use crate::app::overwrite::keep_inputs;
use crate::report::{self, EventLink, Templates};
use crate::store;
use crate::verdict::result::AnalysisResult;

/// A result larger than this is refused: 300 points for each of 100 metrics and 200 iterations need less.
const RESULT_BYTES: u64 = 1024 * 1024 * 1024;

/// Renders `result` into `output` (default: `report.html` beside it) and returns the path written.
///
/// # Errors
/// [`AppError`] says what could not be read, understood or written.
pub fn run(
    result: &Path,
    output: Option<&Path>,
    templates: Option<&Path>,
    link: &EventLink,
) -> Result<PathBuf, AppError> {
    let templates = match templates {
        Some(folder) => Templates::with_overrides(folder)?,
        None => Templates::embedded()?,
    };
    let parsed = read_result(result)?;
    let html = report::render_html_linked(&parsed, &templates, link)?;
    let output = output.map_or_else(|| result.with_file_name("report.html"), Path::to_owned);
    keep_inputs(&[result.to_owned()], &[&output])?;
    store::write_text(&output, &html)?;
    Ok(output)
}

/// Writes the badge of `result` into `output`.
///
/// # Errors
/// As [`run`].
pub fn run_badge(result: &Path, output: &Path) -> Result<(), AppError> {
    let parsed = read_result(result)?;
    keep_inputs(&[result.to_owned()], &[&output.to_owned()])?;
    Ok(store::write_text(output, &report::badge(&parsed))?)
}

/// Reads a result.
pub(crate) fn read_result(path: &Path) -> Result<AnalysisResult, AppError> {
    let bytes =
        read(path, "the result", RESULT_BYTES, "give a result.json that `unfazed analyze` wrote")?;
    let text = std::str::from_utf8(&bytes).map_err(|error| AppError::NotText {
        path: path.to_owned(),
        offset: error.valid_up_to(),
    })?;
    report::from_json(text)
        .map_err(|source| AppError::Report { path: Some(path.to_owned()), source })
}
