//! `postmortem.md` beside a result: generated, and brought together with what people wrote into the one that is there.

use std::path::Path;

use crate::app::AppError;
use crate::app::document::read;
use crate::report::{self, EventLink, Merged, Templates};
use crate::verdict::result::AnalysisResult;

/// A postmortem larger than this is left alone: a thousand pages of text need less.
const POSTMORTEM_BYTES: u64 = 16 * 1024 * 1024;

/// The postmortem of a result, brought together with the one at `path`. A file that cannot be read as text is never
/// replaced: the note says so, and there is nothing to write.
///
/// # Errors
/// [`AppError`] if it cannot be rendered.
pub(crate) fn beside(
    result: &AnalysisResult,
    templates: &Templates,
    link: &EventLink,
    path: &Path,
) -> Result<Option<Merged>, AppError> {
    let fresh = report::postmortem(result, templates, link)?;
    if !path.is_file() {
        return Ok(Some(Merged { text: fresh, notes: Vec::new() }));
    }
    let bytes = read(path, "the postmortem", POSTMORTEM_BYTES, "move it away to have one written")?;
    Ok(String::from_utf8(bytes).ok().map(|old| report::merge_postmortem(&old, &fresh)))
}
