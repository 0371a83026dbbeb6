//! The result as `result.json`, and back.
//!
//! Owns the outer form (pretty, one final newline) and the refusal of other schemas. The fields are those of
//! [`crate::verdict::result`]; unknown fields are ignored, so that a newer writer of the same schema stays readable.

use serde::Deserialize;

use crate::report::ReportError;
use crate::verdict::plan::CampaignPlan;
use crate::verdict::result::{AnalysisResult, SCHEMA};

/// The result as indented JSON with a final newline. Same result, same bytes.
pub fn to_json(result: &AnalysisResult) -> String {
    let mut text = serde_json::to_string_pretty(result)
        .expect("a result has string keys only and its types never refuse to serialise");
    text.push('\n');
    text
}

/// The plan of a campaign as indented JSON with a final newline. Same plan, same bytes.
pub fn plan_json(plan: &CampaignPlan) -> String {
    let mut text = serde_json::to_string_pretty(plan)
        .expect("a plan has string keys only and its types never refuse to serialise");
    text.push('\n');
    text
}

/// Reads a result.
///
/// # Errors
/// [`ReportError::NoSchema`] and [`ReportError::Schema`] for other documents, else [`ReportError::Result`] with
/// line and column.
pub fn from_json(text: &str) -> Result<AnalysisResult, ReportError> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<String>,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head: Head = serde_json::from_str(text).map_err(ReportError::Result)?;
    match head.schema.as_deref() {
        Some(SCHEMA) => serde_json::from_str(text).map_err(ReportError::Result),
        Some(found) => Err(ReportError::Schema { found: found.chars().take(80).collect() }),
        None => Err(ReportError::NoSchema),
    }
}
