//! What can be compared with what: one experiment, its claims by name.
//!
//! Claims come before data: where the two documents differ, the claim before is the one compared by, and the
//! difference is said.

use crate::verdict::result::{AnalysisResult, MetricResult, Role};

use super::result::NotCompared;

/// Why two results cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// They are of different experiments.
    #[error(
        "the results are of different experiments: '{before}' before, '{after}' after; a comparison proves something about one experiment; if they claim the same under two names, say --allow-different-experiments"
    )]
    DifferentExperiments {
        /// Name before.
        before: String,
        /// Name after.
        after: String,
    },
    /// They have no metric in common.
    #[error(
        "the results of '{before}' and '{after}' have no metric in common, so nothing can be compared; give results of one experiment"
    )]
    NothingInCommon {
        /// Name before.
        before: String,
        /// Name after.
        after: String,
    },
}

/// Whether results under two names may be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// They must agree.
    MustAgree,
    /// The user says that both claim the same.
    MayDiffer,
}

/// One metric of both results.
pub(super) struct Pair<'result> {
    pub(super) before: &'result MetricResult,
    pub(super) after: &'result MetricResult,
}

/// What both results have.
pub(super) struct Paired<'result> {
    /// Metrics with a claim in both.
    pub(super) claims: Vec<Pair<'result>>,
    /// Metrics without a claim in at least one.
    pub(super) exploratory: Vec<Pair<'result>>,
    pub(super) not_compared: Vec<NotCompared>,
    pub(super) changes: Vec<String>,
}

/// Pairs the metrics of two results.
pub(super) fn pair<'result>(
    before: &'result AnalysisResult,
    after: &'result AnalysisResult,
    names: Names,
) -> Result<Paired<'result>, PairingError> {
    let (name_before, name_after) = (&before.experiment.name, &after.experiment.name);
    if name_before != name_after && names == Names::MustAgree {
        return Err(PairingError::DifferentExperiments {
            before: name_before.clone(),
            after: name_after.clone(),
        });
    }
    let mut paired = Paired {
        claims: Vec::new(),
        exploratory: Vec::new(),
        not_compared: Vec::new(),
        changes: document_changes(before, after),
    };
    for metric in &before.metrics {
        match after.metrics.iter().find(|other| other.name == metric.name) {
            None => paired.leave_out(metric, "only the campaign before has it"),
            Some(other) if other.kind != metric.kind || other.unit != metric.unit => {
                let why = format!(
                    "it is a {} in {} before and a {} in {} after",
                    metric.kind,
                    metric.unit.as_deref().unwrap_or("bare numbers"),
                    other.kind,
                    other.unit.as_deref().unwrap_or("bare numbers"),
                );
                paired.leave_out(metric, &why);
            }
            Some(other) => paired.add(Pair { before: metric, after: other }),
        }
    }
    for metric in &after.metrics {
        if !before.metrics.iter().any(|other| other.name == metric.name) {
            paired.leave_out(metric, "only the campaign after has it");
        }
    }
    if paired.claims.is_empty() && paired.exploratory.is_empty() {
        return Err(PairingError::NothingInCommon {
            before: name_before.clone(),
            after: name_after.clone(),
        });
    }
    Ok(paired)
}

impl<'result> Paired<'result> {
    fn leave_out(&mut self, metric: &MetricResult, why: &str) {
        self.not_compared.push(NotCompared { metric: metric.name.clone(), why: why.to_owned() });
    }

    fn add(&mut self, pair: Pair<'result>) {
        let (before, after) = (&pair.before.claim, &pair.after.claim);
        match (before, after) {
            (Some(before), Some(after)) => {
                if before.text != after.text || pair.before.estimand != pair.after.estimand {
                    self.changes.push(format!(
                        "{}: claimed {} before and {} after; compared by the claim before",
                        pair.before.name,
                        claim_words(&before.text, pair.before),
                        claim_words(&after.text, pair.after)
                    ));
                }
                self.claims.push(pair);
            }
            (Some(_), None) | (None, Some(_)) => {
                let side = if before.is_some() { "before" } else { "after" };
                self.changes.push(format!(
                    "{}: claimed only {side}; shown, never part of the answer",
                    pair.before.name
                ));
                self.exploratory.push(pair);
            }
            (None, None) => self.exploratory.push(pair),
        }
    }
}

fn claim_words(text: &str, metric: &MetricResult) -> String {
    let estimand = metric.estimand.and_then(|estimand| serde_json::to_value(estimand).ok());
    match estimand.as_ref().and_then(serde_json::Value::as_str) {
        Some(estimand) => format!("'{text}' for {estimand}"),
        None => format!("'{text}'"),
    }
}

/// What the documents say differently, as far as results tell.
fn document_changes(before: &AnalysisResult, after: &AnalysisResult) -> Vec<String> {
    if before.experiment.digest == after.experiment.digest {
        return Vec::new();
    }
    let mut changes = Vec::new();
    let mut differs = |what: &str, before: &str, after: &str| {
        if before != after {
            changes.push(format!("{what}: '{before}' before, '{after}' after"));
        }
    };
    differs("name", &before.experiment.name, &after.experiment.name);
    differs("environment", &before.experiment.environment, &after.experiment.environment);
    differs("confidence", &before.confidence.to_string(), &after.confidence.to_string());
    for metric in &before.metrics {
        let other = after.metrics.iter().find(|other| other.name == metric.name);
        if let Some(other) = other {
            differs(
                &format!("{}, what is measured", metric.name),
                &metric.description,
                &other.description,
            );
        }
    }
    if let (Some(before), Some(after)) = (&before.recovery, &after.recovery) {
        differs("recovery, healthy", &before.healthy, &after.healthy);
        let deadline = |recovery: &crate::verdict::result::RecoveryResult| {
            let within = recovery.recover.within.as_ref();
            within.map_or_else(|| "none".to_owned(), |within| format!("{} s", within.deadline_s))
        };
        differs("recovery, deadline", &deadline(before), &deadline(after));
    }
    if changes.is_empty() {
        changes.push(
            "the documents differ in their bytes (digests), not in anything that results tell: comments, order, plan or safety"
                .to_owned(),
        );
    }
    changes
}

/// Whether a metric of a result makes a claim.
pub(super) fn has_claim(metric: &MetricResult) -> bool {
    metric.role == Role::Primary && metric.claim.is_some()
}
