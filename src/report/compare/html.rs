//! The page of a comparison: one self-contained file.

use serde::Serialize;

use crate::report::ReportError;
use crate::report::chart::{self, DifferenceChart};
use crate::report::templates::{PageKind, Templates};
use crate::verdict::compare::result::Comparison;

use super::view::{ClaimView, ComparisonView};

/// What the templates receive.
#[derive(Serialize)]
struct Story {
    page: ComparisonView,
    /// For each claim the chart of each of its quantities.
    charts: Vec<Vec<Option<String>>>,
}

/// The comparison as one HTML file. Same comparison and templates, same bytes.
///
/// # Errors
/// [`ReportError::Template`] if a template asks for what there is not, [`ReportError::Chart`] if plotters cannot draw.
pub fn comparison_html(
    comparison: &Comparison,
    templates: &Templates,
) -> Result<String, ReportError> {
    let page = ComparisonView::new(comparison)?;
    let charts = page.claims.iter().map(charts).collect::<Result<_, _>>()?;
    templates.render(PageKind::Compare, &Story { page, charts })
}

fn charts(claim: &ClaimView) -> Result<Vec<Option<String>>, ReportError> {
    claim
        .quantities
        .iter()
        .zip(1..)
        .map(|(one, at)| {
            chart::difference(&DifferenceChart {
                id: format!("{}-{at}", claim.id),
                title: format!("{}: {}", claim.name, one.label.to_lowercase()),
                mark: claim.mark,
                estimate: one.estimate.clone(),
                lower: one.lower.clone(),
                upper: one.upper.clone(),
                margin: one.margin.clone(),
                lower_is_better: one.lower_is_better,
                scale: one.scale.clone(),
            })
        })
        .collect()
}
