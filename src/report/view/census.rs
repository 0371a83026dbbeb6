//! What was judged out of what, and one reason for each thing that was not.

use serde::Serialize;

use crate::report::number;
use crate::report::view::words;
use crate::run::Arm;
use crate::verdict::result::{AnalysisResult, MetricResult, Verdict};

/// What was not judged and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CensusView {
    /// `21 of 22 kills are usable; 5 of 6 metrics carry a claim.`
    pub summary: String,
    /// One row per thing.
    pub rows: Vec<NotJudged>,
}

/// Something that was not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotJudged {
    /// What.
    pub what: String,
    /// Why, in words.
    pub why: String,
    /// Stable code of the reason.
    pub code: String,
    /// What follows for the verdict.
    pub treatment: &'static str,
}

impl CensusView {
    /// The census of `result`.
    pub(crate) fn new(result: &AnalysisResult) -> Self {
        let mut rows = Vec::new();
        for exclusion in &result.iterations.excluded {
            rows.push(NotJudged {
                what: format!("kill {}, every metric", exclusion.index),
                why: words::loss(&exclusion.reason).to_owned(),
                code: exclusion.reason.clone(),
                treatment: "excluded: settled before the kill",
            });
        }
        let excluded_everywhere: Vec<u32> =
            result.iterations.excluded.iter().map(|exclusion| exclusion.index).collect();
        for metric in &result.metrics {
            rows.extend(of_metric(metric, &excluded_everywhere));
        }
        if let Some(recovery) = &result.recovery
            && recovery.verdict.is_none()
        {
            rows.push(NotJudged {
                what: "recovery".to_owned(),
                why: "no deadline is stated (within)".to_owned(),
                code: "no_claim".to_owned(),
                treatment: "shown, never part of the verdict",
            });
        }
        let claims = result.metrics.iter().filter(|metric| metric.claim.is_some()).count();
        let judged = result
            .metrics
            .iter()
            .filter(|metric| matches!(metric.verdict, Some(Verdict::Pass | Verdict::Fail)))
            .count();
        let summary = format!(
            "{} of {} usable; {claims} of {} metrics carry a claim, {judged} of these {} decided.",
            number::count(result.iterations.usable),
            number::counted(result.iterations.fault, "kill"),
            result.metrics.len(),
            if judged == 1 { "is" } else { "are" },
        );
        Self { summary, rows }
    }
}

/// What was not judged of one metric.
fn of_metric(metric: &MetricResult, excluded_everywhere: &[u32]) -> Vec<NotJudged> {
    let mut rows = Vec::new();
    if metric.claim.is_none() {
        rows.push(NotJudged {
            what: metric.name.clone(),
            why: "nothing is claimed (exploratory)".to_owned(),
            code: "no_claim".to_owned(),
            treatment: "shown, never part of the verdict",
        });
    }
    let own: Vec<_> = metric
        .excluded
        .iter()
        .filter(|exclusion| !excluded_everywhere.contains(&exclusion.index))
        .collect();
    for exclusion in &own {
        rows.push(NotJudged {
            what: format!("kill {}, {}", exclusion.index, metric.name),
            why: words::loss(&exclusion.reason).to_owned(),
            code: exclusion.reason.clone(),
            treatment: "excluded for this metric: settled before the kill",
        });
    }
    for iteration in &metric.iterations {
        let excluded = excluded_everywhere.contains(&iteration.index)
            || own.iter().any(|exclusion| exclusion.index == iteration.index);
        let (Some(reason), Arm::Fault, false) = (&iteration.reason, iteration.arm, excluded) else {
            continue;
        };
        rows.push(NotJudged {
            what: format!("kill {}, {}", iteration.index, metric.name),
            why: words::loss(reason).to_owned(),
            code: reason.clone(),
            treatment: "kept: the worst case for a pass, unknown for a fail",
        });
    }
    rows
}
