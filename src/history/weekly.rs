//! The week: everything that is said about a period of runs (`unfazed.weekly/v1`).
//!
//! A function of the runs that are remembered, the experiments that are planned and the period: no clock, so that last
//! week's report is the same bytes next year.

use serde::{Deserialize, Serialize};

use crate::unit::{IsoWeek, Timestamp, Window};
use crate::verdict::result::{Tool, Verdict};

use super::finding::{self, Finding, Findings, counted};
use super::healing::{Healing, healing};
use super::learning::{Learning, learning};
use super::line::{Line, lines};
use super::proposal::{Proposal, proposals};
use super::record::RunSummary;
use super::standing::{Coverage, Planned, Standing, coverage, standings, strip_weeks};
use super::trend::{Direction, Trend, trends};

/// The schema name that this version writes.
pub const SCHEMA: &str = "unfazed.weekly/v1";

/// Which stretch of time a report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// `2026-W47`, or the first and the last moment.
    pub label: String,
    /// First moment inside.
    pub start: Timestamp,
    /// First moment outside.
    pub end: Timestamp,
}

impl Period {
    /// An ISO week.
    pub fn week(week: IsoWeek) -> Self {
        let Window { start, end } = week.window();
        Self { label: week.to_string(), start, end }
    }

    /// Any stretch; its end lies after its start.
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        Self { label: format!("{start} – {end}"), start, end }
    }

    /// The stretch.
    pub const fn window(&self) -> Window {
        Window { start: self.start, end: self.end }
    }
}

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct WeeklyRequest<'run> {
    /// All runs, in the order in which they were remembered.
    pub runs: Vec<&'run RunSummary>,
    /// Experiments that are planned.
    pub planned: Vec<Planned>,
    /// The stretch of time.
    pub period: Period,
    /// The label that experiments are grouped by.
    pub group_by: String,
}

/// Counts of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Runs.
    pub runs: u32,
    /// Experiments that ran.
    pub experiments: u32,
    /// Kills carried out.
    pub kills: u32,
    /// Runs that passed.
    pub pass: u32,
    /// Runs that failed.
    pub fail: u32,
    /// Runs that were not decided.
    pub inconclusive: u32,
    /// Runs set aside, because a larger campaign holds their kills.
    pub in_campaigns: u32,
    /// Judgements that a later one of the same run replaced.
    pub judged_again: u32,
    /// Runs in the whole history.
    pub remembered: u32,
}

/// One run of the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeeklyRun {
    /// Its id.
    pub run_id: String,
    /// The experiment.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its one sentence.
    pub headline: String,
    /// Kills carried out.
    pub kills: u32,
    /// Kills that could be judged.
    pub usable: u32,
    /// The wave.
    pub wave: Option<u8>,
    /// Why it did not pass, as codes.
    pub reasons: Vec<String>,
}

/// A passing experiment whose number moves towards its bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The experiment.
    pub experiment: String,
    /// Where it ran.
    pub environment: String,
    /// The metric.
    pub metric: String,
    /// Two-sided p of no trend, adjusted over all trends.
    pub p_adjusted: Option<f64>,
}

/// An experiment that was not run when it should have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unrun {
    /// The experiment.
    pub experiment: String,
    /// Where it runs.
    pub environment: String,
    /// When it was last run.
    pub last_run_at: Option<Timestamp>,
    /// Why it is named.
    pub reason: String,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weekly {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What wrote it.
    pub tool: Tool,
    /// The stretch of time.
    pub period: Period,
    /// The worst of it: fail if an experiment failed, inconclusive if one was not decided or nothing ran, else pass.
    pub verdict: Verdict,
    /// One sentence.
    pub headline: String,
    /// Counts.
    pub totals: Totals,
    /// Claims that fail and never failed before.
    pub new: Vec<Finding>,
    /// Claims that fail and failed before.
    pub recurring: Vec<Finding>,
    /// Claims that failed before and passed last.
    pub resolved: Vec<Finding>,
    /// Passing experiments whose numbers move towards their bounds.
    pub drifting: Vec<Drift>,
    /// Experiments last run too long ago.
    pub stale: Vec<Unrun>,
    /// Experiments planned and never run.
    pub never_run: Vec<Unrun>,
    /// Runs of the period, oldest first.
    pub runs: Vec<WeeklyRun>,
    /// Where each experiment stands.
    pub experiments: Vec<Standing>,
    /// The weeks of [`Standing::weeks`].
    pub weeks: Vec<String>,
    /// Experiments grouped by a label.
    pub coverage: Coverage,
    /// Times to detect, remediate and recover.
    pub recovery: Vec<Healing>,
    /// Trends of claims' numbers, of most evidence first.
    pub trends: Vec<Trend>,
    /// What was learnt.
    pub learning: Learning,
    /// What to run next.
    pub next: Vec<Proposal>,
}

/// The report of a period.
pub fn weekly(request: &WeeklyRequest<'_>) -> Weekly {
    let period = request.period.window();
    let lines = lines(&request.runs);
    let weeks = strip_weeks(period.end);
    let experiments = standings(&lines, &request.planned, period, &weeks);
    let ran: Vec<&Line<'_>> = lines.iter().filter(|line| !line.within(period).is_empty()).collect();
    let mut findings = Findings::default();
    for line in &ran {
        finding::add(&mut findings, line, period);
    }
    let trends = trends(&ran, period.end);
    let totals = totals(&lines, &ran, period, request.runs.len());
    let unrun = |reason: &Standing, words: &str| Unrun {
        experiment: reason.experiment.clone(),
        environment: reason.environment.clone(),
        last_run_at: reason.last_run_at,
        reason: words.to_owned(),
    };
    let next = proposals(&experiments, &trends);
    Weekly {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "unfazed".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        verdict: verdict(&totals),
        headline: headline(&request.period, &totals, &findings),
        drifting: drifting(&experiments, &trends),
        stale: experiments
            .iter()
            .filter_map(|one| Some(unrun(one, one.stale_because.as_deref()?)))
            .collect(),
        never_run: experiments
            .iter()
            .filter(|one| one.never_run)
            .map(|one| unrun(one, "planned and never run"))
            .collect(),
        runs: runs(&ran, period),
        weeks: weeks.iter().map(ToString::to_string).collect(),
        coverage: coverage(&experiments, &request.group_by),
        recovery: healing(&ran, period),
        learning: learning(&lines, period),
        new: findings.new,
        recurring: findings.recurring,
        resolved: findings.resolved,
        period: request.period.clone(),
        totals,
        experiments,
        trends,
        next,
    }
}

fn totals(lines: &[Line<'_>], ran: &[&Line<'_>], period: Window, remembered: usize) -> Totals {
    let runs: Vec<&RunSummary> = ran.iter().flat_map(|line| line.within(period)).copied().collect();
    let with = |verdict: Verdict| counted(runs.iter().filter(|run| run.verdict == verdict).count());
    Totals {
        runs: counted(runs.len()),
        experiments: counted(ran.len()),
        kills: runs.iter().map(|run| run.killed()).sum(),
        pass: with(Verdict::Pass),
        fail: with(Verdict::Fail),
        inconclusive: with(Verdict::Inconclusive),
        in_campaigns: counted(lines.iter().map(|line| line.contained).sum()),
        judged_again: counted(lines.iter().map(|line| line.judged_again).sum()),
        remembered: counted(remembered),
    }
}

fn runs(ran: &[&Line<'_>], period: Window) -> Vec<WeeklyRun> {
    let mut runs: Vec<&RunSummary> =
        ran.iter().flat_map(|line| line.within(period)).copied().collect();
    runs.sort_by(|left, right| {
        (left.started_at, &left.experiment, &left.run_id).cmp(&(
            right.started_at,
            &right.experiment,
            &right.run_id,
        ))
    });
    runs.into_iter()
        .map(|run| WeeklyRun {
            run_id: run.run_id.clone(),
            experiment: run.experiment.clone(),
            environment: run.environment.clone(),
            started_at: run.started_at,
            verdict: run.verdict,
            headline: run.headline.clone(),
            kills: run.killed(),
            usable: run.kills.usable,
            wave: run.wave,
            reasons: run.reasons.clone(),
        })
        .collect()
}

fn drifting(experiments: &[Standing], trends: &[Trend]) -> Vec<Drift> {
    trends
        .iter()
        .filter(|trend| trend.direction == Direction::Worsening)
        .filter(|trend| {
            experiments.iter().any(|one| {
                one.experiment == trend.experiment
                    && one.environment == trend.environment
                    && one.verdict == Some(Verdict::Pass)
            })
        })
        .map(|trend| Drift {
            experiment: trend.experiment.clone(),
            environment: trend.environment.clone(),
            metric: trend.metric.clone(),
            p_adjusted: trend.p_adjusted,
        })
        .collect()
}

const fn verdict(totals: &Totals) -> Verdict {
    if totals.fail > 0 {
        Verdict::Fail
    } else if totals.inconclusive > 0 || totals.runs == 0 {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    }
}

/// What happened, in a sentence.
fn headline(period: &Period, totals: &Totals, findings: &Findings) -> String {
    if totals.runs == 0 {
        return format!("{}: nothing was run, so nothing was learnt.", period.label);
    }
    let counted = |count: u32, one: &str, more: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
    };
    let ran = format!(
        "{} of {}, {}",
        counted(totals.runs, "run", "runs"),
        counted(totals.experiments, "experiment", "experiments"),
        counted(totals.kills, "kill", "kills")
    );
    let verdicts = format!(
        "{} passed, {} failed, {} not decided",
        totals.pass, totals.fail, totals.inconclusive
    );
    let size = |findings: &[Finding]| finding::counted(findings.len());
    let claims = format!(
        "{} newly failing, {} failing again, {} resolved",
        counted(size(&findings.new), "claim", "claims"),
        size(&findings.recurring),
        size(&findings.resolved)
    );
    format!("{}: {ran}; {verdicts}. {claims}.", period.label)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{monday, run};
    use super::*;
    use crate::history::{ProposalReason, TimeKind};
    use crate::unit::Span;
    use ProposalReason::{Failed, NeverRun, NextWave, Undecided};
    use Verdict::{Fail, Inconclusive, Pass};

    fn report(runs: &[RunSummary], planned: Vec<Planned>, week: &str) -> Weekly {
        weekly(&WeeklyRequest {
            runs: runs.iter().collect(),
            planned,
            period: Period::week(IsoWeek::parse(week).unwrap()),
            group_by: "service".to_owned(),
        })
    }

    fn plan(experiment: &str) -> Planned {
        Planned {
            experiment: experiment.to_owned(),
            environment: "staging".to_owned(),
            labels: std::collections::BTreeMap::new(),
            digest: "sha256:d".to_owned(),
            wave: None,
        }
    }

    #[test]
    fn a_failure_is_new_once_and_recurs_until_it_is_resolved() {
        let runs = [
            run("kill", 0, Pass, 0.1),
            run("kill", 7, Fail, 0.3),
            run("kill", 14, Fail, 0.3),
            run("kill", 21, Inconclusive, 0.2),
            run("kill", 28, Pass, 0.1),
            run("kill", 35, Pass, 0.1),
        ];
        let states = |week: &str| {
            let report = report(&runs, Vec::new(), week);
            [report.new.len(), report.recurring.len(), report.resolved.len()]
        };
        assert_eq!(states("2026-W40"), [0, 0, 0]);
        assert_eq!(states("2026-W41"), [1, 0, 0]);
        assert_eq!(states("2026-W42"), [0, 1, 0]);
        assert_eq!(states("2026-W43"), [0, 0, 0], "an inconclusive run closes nothing");
        assert_eq!(states("2026-W44"), [0, 0, 1]);
    }

    #[test]
    fn what_ran_later_changes_nothing_in_an_earlier_week() {
        let runs: Vec<RunSummary> = (0..6).map(|week| run("kill", 7 * week, Pass, 0.1)).collect();
        let then = report(&runs[..3], Vec::new(), "2026-W42");
        let mut now = report(&runs, Vec::new(), "2026-W42");
        now.totals.remembered = then.totals.remembered;
        assert_eq!(then, now);
    }

    #[test]
    fn a_run_that_was_judged_twice_counts_as_judged_last() {
        let runs = [run("kill", 0, Fail, 0.3), run("kill", 0, Pass, 0.1)];
        let report = report(&runs, Vec::new(), "2026-W40");
        assert_eq!((report.totals.runs, report.totals.pass, report.totals.judged_again), (1, 1, 1));
    }

    #[test]
    fn kills_that_are_part_of_a_campaign_are_counted_there() {
        let (monday_run, tuesday_run) = (run("kill", 0, Pass, 0.1), run("kill", 1, Pass, 0.1));
        let mut campaign = run("kill", 0, Pass, 0.1);
        campaign.sessions.extend(tuesday_run.sessions.clone());
        campaign.kills.outcomes.insert("killed".to_owned(), 20);
        let runs = [monday_run, tuesday_run, campaign];
        let totals = report(&runs, Vec::new(), "2026-W40").totals;
        assert_eq!((totals.runs, totals.kills, totals.in_campaigns), (1, 20, 2));
    }

    #[test]
    fn an_experiment_grows_stale_after_four_weeks_and_when_its_document_changes() {
        let runs =
            [run("old", 0, Pass, 0.1), run("changed", 28, Pass, 0.1), run("fresh", 28, Pass, 0.1)];
        let mut changed = plan("changed");
        changed.digest = "sha256:e".to_owned();
        let planned = vec![changed, plan("fresh"), plan("never")];
        let report = report(&runs, planned, "2026-W44");
        let names = |of: &[Unrun]| of.iter().map(|one| one.experiment.clone()).collect::<Vec<_>>();
        assert_eq!(names(&report.stale), ["changed", "old"]);
        assert_eq!(names(&report.never_run), ["never"]);
    }

    #[test]
    fn a_steady_rise_drifts_and_noise_does_not() {
        let rising: Vec<RunSummary> = (0_i32..12)
            .map(|at| run("rising", 7 * i64::from(at), Pass, 0.05 + 0.01 * f64::from(at)))
            .collect();
        let noise = [5, 3, 8, 1, 9, 2, 7, 4, 6, 10, 2, 5];
        let steady = (0_i64..)
            .zip(noise)
            .map(|(at, value)| run("steady", 7 * at, Pass, 0.05 + 0.001 * f64::from(value)));
        let runs: Vec<RunSummary> = rising.into_iter().chain(steady).collect();
        let report = report(&runs, Vec::new(), "2026-W51");
        let drifting: Vec<&str> =
            report.drifting.iter().map(|one| one.experiment.as_str()).collect();
        assert_eq!(drifting, ["rising"]);
        let trend = &report.trends[0];
        assert_eq!(trend.experiment, "rising");
        assert!((trend.slope_per_week.unwrap() - 0.01).abs() < 1e-9, "{trend:?}");
        assert!(trend.lower.unwrap() <= 0.01 + 1e-9 && trend.upper.unwrap() >= 0.01 - 1e-9);
    }

    #[test]
    fn four_runs_show_no_trend_whatever_they_do() {
        let runs: Vec<RunSummary> =
            (0_i32..4).map(|at| run("kill", 7 * i64::from(at), Pass, f64::from(at))).collect();
        let report = report(&runs, Vec::new(), "2026-W43");
        assert_eq!(report.trends[0].direction, Direction::TooFew);
        assert_eq!(report.trends[0].p_value, None);
    }

    #[test]
    fn times_come_with_limits_and_the_change_that_could_have_been_seen() {
        let runs: Vec<RunSummary> = (0..8).map(|week| run("kill", 7 * week, Pass, 0.1)).collect();
        let report = report(&runs, Vec::new(), "2026-W47");
        let healing = report.recovery.iter().find(|one| one.kind == TimeKind::Recover).unwrap();
        assert_eq!((healing.period.n, healing.period.events, healing.before.n), (10, 9, 70));
        assert!(healing.period.median_lower_s < healing.period.median_s);
        assert_eq!(healing.change_s, Some(0.0));
        assert!(healing.change_lower_s.unwrap() < 0.0 && healing.change_upper_s.unwrap() > 0.0);
        assert!(healing.detectable_change_s.unwrap() > healing.change_upper_s.unwrap());
    }

    #[test]
    fn learning_counts_changed_runbooks_and_what_came_after() {
        let mut runs: Vec<RunSummary> = [Fail, Fail, Pass, Pass]
            .into_iter()
            .zip(0..)
            .map(|(verdict, week)| run("kill", 7 * week, verdict, 0.1))
            .collect();
        for (run, digest) in runs.iter_mut().zip(["a", "a", "b", "b"]) {
            run.runbook.as_mut().unwrap().digest = Some(digest.to_owned());
        }
        let learning = report(&runs, Vec::new(), "2026-W42").learning;
        assert_eq!(learning.runbook_updates.len(), 1);
        assert_eq!(learning.runbook_updates[0].run_id, runs[2].run_id);
        let after = learning.pass_rate_after_failure;
        assert_eq!((after.k, after.n), (1, 2));
        assert!(after.lower.unwrap() < 0.5 && after.upper.unwrap() > 0.5);
        assert_eq!(learning.pass_rate_after_runbook_update.k, 1);
    }

    #[test]
    fn the_most_urgent_is_proposed_first() {
        let runs = [
            run("passed", 1, Pass, 0.1),
            run("undecided", 1, Inconclusive, 0.1),
            run("failed", 1, Fail, 0.3),
        ];
        let report = report(&runs, vec![plan("never")], "2026-W40");
        let codes: Vec<ProposalReason> = report.next.iter().map(|one| one.code).collect();
        assert_eq!(codes, [Failed, NeverRun, Undecided, NextWave]);
        assert_eq!(report.next.iter().map(|one| one.rank).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_week_holds_its_monday_and_not_the_next() {
        let mut runs = vec![run("kill", 0, Pass, 0.1), run("kill", 7, Pass, 0.1)];
        runs[0].started_at = monday();
        runs[1].started_at = monday().plus(Span::from_seconds(7 * 86_400));
        assert_eq!(report(&runs, Vec::new(), "2026-W40").totals.runs, 1);
        let empty = report(&runs, Vec::new(), "2026-W42");
        assert_eq!((empty.totals.runs, empty.verdict), (0, Inconclusive));
        assert!(empty.headline.contains("nothing was run"), "{}", empty.headline);
    }
}
