//! Times to detect, remediate and recover over many runs: censored estimates with limits, against the weeks before, and
//! the smallest change that so many kills could have shown.
//!
//! Kaplan & Meier (1958), restricted means (Irwin 1949), log-rank (Mantel 1966). A mean of recovered kills alone is
//! never given. Detectable change: (z₀.₉₅ + z₀.₈)·√(se² + se²) of the two restricted means, one-sided.

use serde::{Deserialize, Serialize};

use crate::stats::distribution::normal_quantile;
use crate::stats::kaplan_meier::{BandType, Ending, KaplanMeier, Observation};
use crate::stats::log_rank::{GroupedObservation, log_rank};
use crate::stats::rmst::restricted_mean;
use crate::unit::Window;

use super::finding::counted;
use super::line::Line;
use super::policy;
use super::record::{RecoverySummary, RunSummary, TimesSummary};

/// Which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeKind {
    /// Until it was noticed.
    Detect,
    /// Until it was repaired.
    Remediate,
    /// Until the service was back.
    Recover,
}

impl TimeKind {
    /// Every kind, in the order of an incident.
    pub const ALL: [Self; 3] = [Self::Detect, Self::Remediate, Self::Recover];

    fn of(self, recovery: &RecoverySummary) -> Option<&TimesSummary> {
        match self {
            Self::Detect => recovery.detect.as_ref(),
            Self::Remediate => recovery.remediate.as_ref(),
            Self::Recover => Some(&recovery.recover),
        }
    }
}

/// A censored estimate over the kills of some runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimesEstimate {
    /// Runs.
    pub runs: u32,
    /// Kills.
    pub n: u32,
    /// Kills in which it was seen.
    pub events: u32,
    /// Kills in which it was not.
    pub censored: u32,
    /// Kaplan–Meier median; none if it is not reached.
    pub median_s: Option<f64>,
    /// Its one-sided lower limit.
    pub median_lower_s: Option<f64>,
    /// Its one-sided upper limit.
    pub median_upper_s: Option<f64>,
}

/// One kind of time of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Healing {
    /// The experiment.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// Which time.
    pub kind: TimeKind,
    /// The deadline, of recovery.
    pub deadline_s: Option<f64>,
    /// The period.
    pub period: TimesEstimate,
    /// The twelve weeks before it.
    pub before: TimesEstimate,
    /// Restricted mean of the period less that of the weeks before, in seconds.
    pub change_s: Option<f64>,
    /// Its one-sided lower limit.
    pub change_lower_s: Option<f64>,
    /// Its one-sided upper limit.
    pub change_upper_s: Option<f64>,
    /// Up to here the means run.
    pub restricted_to_s: Option<f64>,
    /// The smallest change that these kills show in four of five periods.
    pub detectable_change_s: Option<f64>,
    /// Two-sided p of the log-rank test.
    pub log_rank_p: Option<f64>,
    /// Why there is no comparison.
    pub note: Option<String>,
}

/// The times of lines that ran in the period.
pub(super) fn healing(lines: &[&Line<'_>], period: Window) -> Vec<Healing> {
    lines
        .iter()
        .flat_map(|line| TimeKind::ALL.into_iter().filter_map(|kind| of_line(line, kind, period)))
        .collect()
}

fn of_line(line: &Line<'_>, kind: TimeKind, period: Window) -> Option<Healing> {
    let reference =
        Window { start: period.start.minus(policy::REFERENCE_REACH), end: period.start };
    let now = Kills::of(line.within(period), kind);
    if now.times.is_empty() {
        return None;
    }
    let before = Kills::of(line.within(reference), kind);
    let mut healing = Healing {
        experiment: line.key.experiment.to_owned(),
        environment: line.key.environment.to_owned(),
        kind,
        deadline_s: match kind {
            TimeKind::Recover => now.deadline,
            TimeKind::Detect | TimeKind::Remediate => None,
        },
        period: now.estimate(),
        before: before.estimate(),
        change_s: None,
        change_lower_s: None,
        change_upper_s: None,
        restricted_to_s: None,
        detectable_change_s: None,
        log_rank_p: None,
        note: None,
    };
    healing.note = compare(&mut healing, &before, &now).err().map(str::to_owned);
    Some(healing)
}

/// The kills of some runs.
struct Kills {
    runs: u32,
    times: Vec<Observation>,
    deadline: Option<f64>,
}

impl Kills {
    fn of(runs: &[&RunSummary], kind: TimeKind) -> Self {
        let mut kills = Self { runs: 0, times: Vec::new(), deadline: None };
        for recovery in runs.iter().filter_map(|run| run.recovery.as_ref()) {
            let Some(times) = kind.of(recovery) else { continue };
            kills.runs += 1;
            kills.deadline = recovery.deadline_s.or(kills.deadline);
            let with = |ending: Ending| move |time: &f64| Observation { time: *time, ending };
            kills.times.extend(times.seen.iter().map(with(Ending::Event)));
            kills.times.extend(times.censored.iter().map(with(Ending::Censored)));
        }
        kills.times.retain(|seen| seen.time.is_finite() && seen.time >= 0.0);
        kills
    }

    fn events(&self) -> usize {
        self.times.iter().filter(|seen| seen.ending == Ending::Event).count()
    }

    fn estimate(&self) -> TimesEstimate {
        let curve = KaplanMeier::fit(&self.times).ok();
        let limits = curve.as_ref().filter(|_| self.times.len() > 1).and_then(|curve| {
            curve.quantile_interval(0.5, BandType::LogLog, 2.0 * policy::LEVEL - 1.0).ok()
        });
        TimesEstimate {
            runs: self.runs,
            n: counted(self.times.len()),
            events: counted(self.events()),
            censored: counted(self.times.len() - self.events()),
            median_s: curve.and_then(|curve| curve.quantile(0.5)),
            median_lower_s: limits.and_then(|limits| limits.lower),
            median_upper_s: limits.and_then(|limits| limits.upper),
        }
    }
}

/// Compares the period with the weeks before; says why if it cannot.
fn compare(healing: &mut Healing, before: &Kills, now: &Kills) -> Result<(), &'static str> {
    if before.times.is_empty() {
        return Err("no kill in the twelve weeks before to compare with");
    }
    if before.events() < policy::EVENTS_TO_COMPARE || now.events() < policy::EVENTS_TO_COMPARE {
        return Err("fewer than five events on one side: no change could be told from chance");
    }
    let undefined = "the times have no curve";
    let curves = [before, now].map(|kills| KaplanMeier::fit(&kills.times));
    let [Ok(earlier), Ok(later)] = curves else { return Err(undefined) };
    let (one, other) = (earlier.last_time(), later.last_time());
    let horizon = if one < other { one } else { other };
    let means = [restricted_mean(&earlier, horizon), restricted_mean(&later, horizon)];
    let [Ok(earlier), Ok(later)] = means else {
        return Err("all times are zero: there is nothing to compare");
    };
    let change = later.value - earlier.value;
    let error = later.standard_error.hypot(earlier.standard_error);
    healing.restricted_to_s = Some(horizon);
    healing.change_s = Some(change).filter(|change| change.is_finite());
    if error > 0.0 && error.is_finite() {
        let z = normal_quantile(policy::LEVEL);
        healing.change_lower_s = Some(change - z * error);
        healing.change_upper_s = Some(change + z * error);
        healing.detectable_change_s = Some((z + normal_quantile(policy::POWER)) * error);
    }
    let grouped: Vec<GroupedObservation> = before
        .times
        .iter()
        .map(|seen| GroupedObservation { observation: *seen, group: 0 })
        .chain(now.times.iter().map(|seen| GroupedObservation { observation: *seen, group: 1 }))
        .collect();
    healing.log_rank_p = log_rank(&grouped, 0.0).ok().map(|found| found.p.get());
    Ok(())
}
