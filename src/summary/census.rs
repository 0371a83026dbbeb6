//! Which iterations no metric can use.

use crate::run::Campaign;
use crate::summary::metric::not_injected;
use crate::summary::value::{Census, MetricSummary, PreKillLoss};

/// The iterations that are excluded for every metric alike.
///
/// An iteration whose fault was not carried out is excluded before anything is measured. Another one is excluded here
/// only if every metric excludes it; its reason is then the first one in the order of [`PreKillLoss`] that any of them
/// gives. Exclusions of single metrics stand with the metrics.
pub fn census(campaign: &Campaign, metrics: &[MetricSummary]) -> Census {
    let excluded = campaign.iterations.iter().enumerate().filter_map(|(at, of_session)| {
        if not_injected(&of_session.iteration) {
            return Some((of_session.index, PreKillLoss::NotInjected));
        }
        let reasons: Option<Vec<PreKillLoss>> = metrics
            .iter()
            .map(|metric| metric.iterations.get(at).and_then(|iteration| iteration.excluded))
            .collect();
        let first = reasons?.into_iter().min()?;
        Some((of_session.index, first))
    });
    Census { excluded: excluded.collect() }
}
