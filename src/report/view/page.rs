//! The whole page: its sections in the order of the story.

use serde::Serialize;

use crate::report::ReportError;
use crate::report::shown::shown;
use crate::report::view::census::CensusView;
use crate::report::view::claim::ClaimView;
use crate::report::view::headline::HeadlineView;
use crate::report::view::method::MethodView;
use crate::report::view::postmortem::{EventLink, PostmortemView};
use crate::report::view::recovery::RecoveryView;
use crate::runbook::{Case, RunbookText, suggest};
use crate::verdict::result::AnalysisResult;

/// Everything that the report of one experiment says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// Verdict, sentence, claims at a glance.
    pub headline: HeadlineView,
    /// Metrics with a claim.
    pub claims: Vec<ClaimView>,
    /// What a team files.
    pub postmortem: PostmortemView,
    /// Times to detect, remediate and recover.
    pub recovery: Option<RecoveryView>,
    /// Metrics without a claim.
    pub exploratory: Vec<ClaimView>,
    /// What was not judged and why.
    pub census: CensusView,
    /// How, with which seed, from what.
    pub method: MethodView,
}

impl Page {
    /// The page of a result; its texts are made safe to show first.
    ///
    /// # Errors
    /// [`ReportError::Result`] if the result cannot be copied, which would be a bug.
    pub fn new(result: &AnalysisResult) -> Result<Self, ReportError> {
        Self::linked(result, &EventLink::default())
    }

    /// The same, with links to the traces and logs of events.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn linked(result: &AnalysisResult, link: &EventLink) -> Result<Self, ReportError> {
        let result = shown(result)?;
        let (claims, exploratory): (Vec<ClaimView>, Vec<ClaimView>) = result
            .metrics
            .iter()
            .zip(1..)
            .map(|(metric, at)| ClaimView::new(&result, metric, at))
            .partition(|view| !view.claim.is_empty() || view.decision.is_some());
        let recovery = result.recovery.as_ref().map(RecoveryView::new);
        // The runbook is not read here: a page needs nothing but the result.
        let suggestions = suggest(&Case { result: &result, runbook: RunbookText::NotRead });
        let viewed: Vec<ClaimView> = claims.iter().chain(&exploratory).cloned().collect();
        Ok(Self {
            postmortem: PostmortemView::new(&result, &viewed, &suggestions, link),
            headline: HeadlineView::new(&result, &claims, recovery.as_ref()),
            census: CensusView::new(&result),
            method: MethodView::new(&result),
            claims,
            recovery,
            exploratory,
        })
    }
}
