//! What rules look at: a result, and the runbook's text if it was read. Views on the result that several rules need, and
//! no thresholds.

use crate::run::Arm;
use crate::runbook::policy;
use crate::runbook::suggestion::{Command, Escalation, Verification};
use crate::unit::{Timestamp, show};
use crate::verdict::result::{
    AnalysisResult, RecoveryResult, TimeEntry, TimelineWindow, Verdict, Within,
};

/// What is known of the runbook that the experiment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunbookText<'text> {
    /// Nobody looked.
    NotRead,
    /// It is not there.
    Missing,
    /// Its text.
    Text(&'text str),
}

/// What rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'data> {
    /// The result; its texts should be safe to show.
    pub result: &'data AnalysisResult,
    /// The runbook.
    pub runbook: RunbookText<'data>,
}

/// A point of a metric within one iteration, in seconds from the kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CasePoint {
    pub(crate) at_s: f64,
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) max: f64,
}

/// The course of a metric around one kill.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CourseOfKill {
    pub(crate) index: u32,
    pub(crate) before: Vec<CasePoint>,
    pub(crate) after: Vec<CasePoint>,
}

impl<'data> Case<'data> {
    /// The recovery section.
    pub(crate) fn recovery(&self) -> Option<&'data RecoveryResult> {
        self.result.recovery.as_ref()
    }

    /// The deadline of recovery.
    pub(crate) fn within(&self) -> Option<&'data Within> {
        self.recovery()?.recover.within.as_ref()
    }

    /// The result's confidence.
    pub(crate) fn level(&self) -> f64 {
        self.result.confidence
    }

    /// Kills that count: those of the fault arm that are not excluded for every metric.
    pub(crate) fn kills(&self) -> impl Iterator<Item = &'data TimelineWindow> {
        let result = self.result;
        result.timeline.windows.iter().filter(|window| {
            window.arm == Arm::Fault
                && !result.iterations.excluded.iter().any(|excluded| excluded.index == window.index)
        })
    }

    /// The course of a metric around every kill that counts.
    pub(crate) fn courses(&self, metric: &str) -> Vec<CourseOfKill> {
        let Some(series) = self.result.timeline.metrics.iter().find(|series| series.name == metric)
        else {
            return Vec::new();
        };
        self.kills()
            .filter_map(|window| {
                let fault = window.fault_at?;
                let points = |from: Timestamp, to: Timestamp| {
                    let first = series.points.partition_point(|point| point.0 < from);
                    series.points[first..]
                        .iter()
                        .take_while(|point| point.0 < to)
                        .map(|point| CasePoint {
                            at_s: point.0.since(fault).seconds(),
                            min: point.1,
                            mean: point.2,
                            max: point.3,
                        })
                        .collect::<Vec<_>>()
                };
                Some(CourseOfKill {
                    index: window.index,
                    before: points(window.baseline.start, fault),
                    after: points(fault, window.experiment.end),
                })
            })
            .collect()
    }

    /// Whether the whole hypothesis passed.
    pub(crate) fn passed(&self) -> bool {
        self.result.verdict == Verdict::Pass
    }

    /// Whom to call when a step is not verified, and when.
    pub(crate) fn escalation(&self) -> Escalation {
        let deadline = self.within().map_or(0.0, |within| within.deadline_s);
        let late = policy::ESCALATE_AFTER_DEADLINES * deadline;
        let after_s = if late > policy::ESCALATE_AFTER_S { late } else { policy::ESCALATE_AFTER_S };
        let owner = self.result.experiment.owner.trim();
        let whom = if owner.is_empty() { "the owner of the service" } else { owner };
        Escalation {
            after_s,
            whom: whom.to_owned(),
            text: format!(
                "Not verified after {}, or anything looks worse than before: stop and call {whom}.",
                show::seconds(after_s)
            ),
        }
    }

    /// The health probe together with the signal that has to come back.
    pub(crate) fn probe(&self) -> Verification {
        let back = self.recovery().map_or_else(String::new, |recovery| {
            let lasting = recovery.stable_for_s.map_or_else(String::new, |seconds| {
                format!(" and stays there for {}", show::seconds(seconds))
            });
            format!(", and {} is back in its band ({}){lasting}", recovery.signal, recovery.healthy)
        });
        Verification {
            text: format!("The health probe answers 200{back}."),
            command: Command::HealthProbe,
        }
    }

    /// One test transaction, with the bound of the first latency claim if there is one.
    pub(crate) fn transaction(&self) -> Verification {
        let latency = self.result.metrics.iter().find_map(|metric| {
            let claim = metric.claim.as_ref()?;
            let is_time = metric.unit.as_deref() == Some("seconds");
            (is_time && !claim.relative && !claim.form.is_against_baseline())
                .then(|| show::seconds(claim.bound))
        });
        let fast = latency.map_or_else(String::new, |bound| format!(" in less than {bound}"));
        Verification {
            text: format!("One test transaction, sent the way customers take, succeeds{fast}."),
            command: Command::SyntheticTransaction,
        }
    }
}

/// Whether a time was surely reached later than `limit` seconds after the kill, or not at all although it was watched
/// until then.
pub(crate) fn surely_after(entry: &TimeEntry, limit: f64) -> bool {
    if entry.censored {
        return entry.reason.is_none() && entry.seconds.is_some_and(|seconds| seconds >= limit);
    }
    match (entry.after_s, entry.seconds) {
        (Some(after), _) => after >= limit,
        (None, Some(seconds)) => seconds > limit,
        (None, None) => false,
    }
}

/// Numbers of iterations in running text: `1, 4 and 7`; long lists are cut.
pub(crate) fn listed(iterations: &[u32]) -> String {
    const MOST: usize = 8;
    let words: Vec<String> = iterations.iter().take(MOST).map(u32::to_string).collect();
    if iterations.len() > MOST {
        return format!("{} and {} more", words.join(", "), iterations.len() - MOST);
    }
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        Some((last, _)) => last.clone(),
        None => "none".to_owned(),
    }
}

/// When a person steps in where `limit` seconds are allowed.
pub(crate) fn by_hand_after(limit: f64) -> f64 {
    if limit > policy::BY_HAND_AFTER_S { limit } else { policy::BY_HAND_AFTER_S }
}

/// `1 kill`, `4 kills`.
pub(crate) fn kills(count: usize) -> String {
    format!("{count} {}", if count == 1 { "kill" } else { "kills" })
}
