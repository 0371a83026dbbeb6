//! Where each experiment stands at the end of a period, and how many of each service's experiments were run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::unit::{IsoWeek, Timestamp, Window};
use crate::verdict::result::Verdict;

use super::finding::counted;
use super::line::Line;
use super::policy;
use super::record::RunSummary;

/// An experiment document that may not have been run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub experiment: String,
    /// Where it runs.
    pub environment: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Digest of the document.
    pub digest: String,
    /// The wave of its fault.
    pub wave: Option<u8>,
}

/// Where an experiment stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The experiment.
    pub experiment: String,
    /// Where it ran or is to run.
    pub environment: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Verdict of its last run up to the end of the period; none if it never ran.
    pub verdict: Option<Verdict>,
    /// When that run began.
    pub last_run_at: Option<Timestamp>,
    /// The id of that run.
    pub run_id: Option<String>,
    /// The wave of that run.
    pub wave: Option<u8>,
    /// Runs in the period.
    pub runs_in_period: u32,
    /// Kills carried out in the period.
    pub kills_in_period: u32,
    /// Whether its last run is too long ago, or of another document than the planned one.
    pub stale: bool,
    /// Why it is stale.
    pub stale_because: Option<String>,
    /// Whether a document plans it that was never run.
    pub never_run: bool,
    /// The worst verdict of each of the last weeks, oldest first; none of a week without a run.
    pub weeks: Vec<Option<Verdict>>,
}

/// Weeks that [`Standing::weeks`] speaks of, oldest first.
pub(super) fn strip_weeks(end: Timestamp) -> Vec<IsoWeek> {
    // The last week is the one that holds the last moment of the period.
    let last = IsoWeek::of(end.minus(crate::unit::Span::from_milliseconds(1)));
    (0..policy::STRIP_WEEKS).rev().map(|ago| last.earlier(ago)).collect()
}

/// All experiments that ran up to the end of the period or are planned, by name and environment.
pub(super) fn standings(
    lines: &[Line<'_>],
    planned: &[Planned],
    period: Window,
    weeks: &[IsoWeek],
) -> Vec<Standing> {
    let mut standings: Vec<Standing> = lines
        .iter()
        .filter_map(|line| {
            let last = line.last_before(period.end)?;
            let plan = planned.iter().find(|plan| is_of(plan, line));
            Some(of_line(line, last, plan, period, weeks))
        })
        .collect();
    for plan in planned {
        let ran =
            lines.iter().any(|line| is_of(plan, line) && line.last_before(period.end).is_some());
        if !ran {
            standings.push(never_run(plan, weeks.len()));
        }
    }
    standings.sort_by(|left, right| {
        (&left.experiment, &left.environment).cmp(&(&right.experiment, &right.environment))
    });
    standings
}

fn is_of(plan: &Planned, line: &Line<'_>) -> bool {
    plan.experiment == line.key.experiment && plan.environment == line.key.environment
}

fn of_line(
    line: &Line<'_>,
    last: &RunSummary,
    plan: Option<&Planned>,
    period: Window,
    weeks: &[IsoWeek],
) -> Standing {
    let within = line.within(period);
    let age = period.end.since(last.started_at);
    let days = age.milliseconds() / 86_400_000;
    let stale_because = if age > policy::STALE_AFTER {
        Some(format!("last run {days} days before the end of the period"))
    } else if plan.is_some_and(|plan| plan.digest != last.digest) {
        Some("the document changed since its last run".to_owned())
    } else {
        None
    };
    Standing {
        experiment: line.key.experiment.to_owned(),
        environment: line.key.environment.to_owned(),
        labels: last.labels.clone(),
        verdict: Some(last.verdict),
        last_run_at: Some(last.started_at),
        run_id: Some(last.run_id.clone()),
        wave: last.wave,
        runs_in_period: counted(within.len()),
        kills_in_period: within.iter().map(|run| run.killed()).sum(),
        stale: stale_because.is_some(),
        stale_because,
        never_run: false,
        weeks: weeks.iter().map(|week| worst(line.within(week.window()))).collect(),
    }
}

fn never_run(plan: &Planned, weeks: usize) -> Standing {
    Standing {
        experiment: plan.experiment.clone(),
        environment: plan.environment.clone(),
        labels: plan.labels.clone(),
        verdict: None,
        last_run_at: None,
        run_id: None,
        wave: plan.wave,
        runs_in_period: 0,
        kills_in_period: 0,
        stale: false,
        stale_because: None,
        never_run: true,
        weeks: vec![None; weeks],
    }
}

/// The worst verdict of some runs.
fn worst(runs: &[&RunSummary]) -> Option<Verdict> {
    let has = |verdict| runs.iter().any(|run| run.verdict == verdict);
    [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass].into_iter().find(|verdict| has(*verdict))
}

/// One group of experiments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageGroup {
    /// Value of the label; none of experiments without it.
    pub value: Option<String>,
    /// Experiments, run or planned.
    pub experiments: u32,
    /// Of these, run in the period.
    pub run: u32,
    /// Last verdict pass.
    pub pass: u32,
    /// Last verdict fail.
    pub fail: u32,
    /// Last verdict inconclusive.
    pub inconclusive: u32,
    /// Run too long ago, or of another document.
    pub stale: u32,
    /// Planned and never run.
    pub never_run: u32,
    /// Kills carried out in the period.
    pub kills: u32,
}

/// Experiments grouped by a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The label.
    pub label: String,
    /// One group a value, in order; those without the label last.
    pub groups: Vec<CoverageGroup>,
}

/// Groups standings by a label.
pub(super) fn coverage(standings: &[Standing], label: &str) -> Coverage {
    let mut groups: BTreeMap<(bool, Option<&str>), CoverageGroup> = BTreeMap::new();
    for standing in standings {
        let value = match label {
            "environment" => Some(standing.environment.as_str()),
            _ => standing.labels.get(label).map(String::as_str),
        };
        let group = groups.entry((value.is_none(), value)).or_insert_with(|| CoverageGroup {
            value: value.map(str::to_owned),
            experiments: 0,
            run: 0,
            pass: 0,
            fail: 0,
            inconclusive: 0,
            stale: 0,
            never_run: 0,
            kills: 0,
        });
        group.experiments += 1;
        group.run += u32::from(standing.runs_in_period > 0);
        group.pass += u32::from(standing.verdict == Some(Verdict::Pass));
        group.fail += u32::from(standing.verdict == Some(Verdict::Fail));
        group.inconclusive += u32::from(standing.verdict == Some(Verdict::Inconclusive));
        group.stale += u32::from(standing.stale);
        group.never_run += u32::from(standing.never_run);
        group.kills += standing.kills_in_period;
    }
    Coverage { label: label.to_owned(), groups: groups.into_values().collect() }
}
