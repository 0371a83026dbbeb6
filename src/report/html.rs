//! `report.html`: the page's views and charts handed to the templates.
//!
//! One self-contained file: no script, no external request, one style sheet admitted by its hash. Owns which charts
//! stand in which section; the story's order is the templates'.

use serde::Serialize;

use crate::report::ReportError;
use crate::report::chart;
use crate::report::templates::{PageKind, Templates};
use crate::report::view::{ClaimView, DecisionView, EventLink, Mark, Page};
use crate::verdict::result::AnalysisResult;

/// What the templates receive.
#[derive(Serialize)]
struct Story {
    page: Page,
    claims: Vec<ClaimCharts>,
    exploratory: Vec<ClaimCharts>,
    recovery_chart: Option<String>,
    survival_chart: Option<String>,
    recovery_interval: Option<String>,
}

/// The charts of one metric.
#[derive(Serialize)]
struct ClaimCharts {
    interval: Option<String>,
    paired: Option<String>,
    timeline: Option<String>,
}

/// The report of one experiment as one HTML file. Same result and templates, same bytes.
///
/// # Errors
/// [`ReportError::Template`] if a template asks for what there is not, [`ReportError::Chart`] if plotters cannot draw.
pub fn render_html(result: &AnalysisResult, templates: &Templates) -> Result<String, ReportError> {
    render_html_linked(result, templates, &EventLink::default())
}

/// The same, with links to the traces and logs of events.
///
/// # Errors
/// As [`render_html`].
pub fn render_html_linked(
    result: &AnalysisResult,
    templates: &Templates,
    link: &EventLink,
) -> Result<String, ReportError> {
    let page = Page::linked(result, link)?;
    let story = Story {
        claims: page.claims.iter().map(charts).collect::<Result<_, _>>()?,
        exploratory: page.exploratory.iter().map(charts).collect::<Result<_, _>>()?,
        recovery_chart: match &page.recovery {
            Some(recovery) => chart::recovery(recovery, "recovery-times")?,
            None => None,
        },
        survival_chart: match &page.recovery {
            Some(recovery) => chart::survival(recovery, "survival")?,
            None => None,
        },
        recovery_interval: match &page.recovery {
            Some(recovery) => {
                interval(recovery.decision.as_ref(), recovery.mark, "recovery", "recovery")?
            }
            None => None,
        },
        page,
    };
    templates.render(PageKind::Report, &story)
}

/// The charts of one metric.
fn charts(view: &ClaimView) -> Result<ClaimCharts, ReportError> {
    Ok(ClaimCharts {
        interval: interval(view.decision.as_ref(), view.mark, &view.name, &view.id)?,
        paired: chart::paired(&view.paired, &view.name, &format!("{}-paired", view.id))?,
        timeline: match &view.timeline {
            Some(timeline) => {
                chart::timeline(timeline, &view.name, &format!("{}-timeline", view.id))?
            }
            None => None,
        },
    })
}

/// The chart of a decision, if there is one with limits.
fn interval(
    decision: Option<&DecisionView>,
    mark: Mark,
    name: &str,
    id: &str,
) -> Result<Option<String>, ReportError> {
    match decision {
        Some(decision) => chart::interval(decision, mark, name, &format!("{id}-interval")),
        None => Ok(None),
    }
}
