//! `weekly.html`: one self-contained file.

use serde::Serialize;

use crate::history::Weekly;
use crate::report::ReportError;
use crate::report::templates::{PageKind, Templates};

use super::view::WeeklyView;

/// What the templates receive.
#[derive(Serialize)]
struct Story {
    page: WeeklyView,
}

/// The report as one HTML file. Same report and templates, same bytes.
///
/// # Errors
/// [`ReportError::Template`] if a template asks for what there is not.
pub fn weekly_html(weekly: &Weekly, templates: &Templates) -> Result<String, ReportError> {
    templates.render(PageKind::Weekly, &Story { page: WeeklyView::new(weekly)? })
}
