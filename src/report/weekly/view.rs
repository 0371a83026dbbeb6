//! What the weekly page says, before any markup. Long lists are cut with their number; the JSON holds all of them.

use serde::Serialize;

use crate::history::{
    CoverageGroup, Direction, Finding, Healing, Proposal, ShareOfRuns, Standing, TimeKind,
    TimesEstimate, Trend, TrendOf, Weekly, WeeklyRun, policy,
};
use crate::report::ReportError;
use crate::report::number::{self, DASH, Figure};
use crate::report::shown::shown_of;
use crate::report::view::{Fact, Mark};
use crate::unit::{Timestamp, Unit};
use crate::verdict::result::Verdict;

/// Most rows of one table: more is not read, and the page stays light.
const ROWS: usize = 60;

/// Everything that the page says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct WeeklyView {
    pub(super) mark: Mark,
    pub(super) title: String,
    pub(super) period: String,
    pub(super) sentence: String,
    pub(super) facts: Vec<Fact>,
    pub(super) changes: Vec<ChangeRow>,
    pub(super) changes_left: usize,
    pub(super) next: Vec<NextRow>,
    pub(super) weeks: Vec<String>,
    pub(super) strip: Vec<StripRow>,
    pub(super) strip_left: usize,
    pub(super) coverage_label: String,
    pub(super) coverage: Vec<CoverageRow>,
    pub(super) coverage_left: usize,
    pub(super) recovery: Vec<RecoveryRow>,
    pub(super) recovery_left: usize,
    pub(super) trends: Vec<TrendRow>,
    pub(super) trends_left: usize,
    pub(super) trends_too_few: String,
    pub(super) unrun: Vec<UnrunRow>,
    pub(super) unrun_left: usize,
    pub(super) learning: Vec<Fact>,
    pub(super) documented: Vec<DocumentedRow>,
    pub(super) updates: Vec<UpdateRow>,
    pub(super) runs: Vec<RunRow>,
    pub(super) runs_left: usize,
    pub(super) reading: Vec<String>,
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ChangeRow {
    pub(super) code: &'static str,
    pub(super) icon: &'static str,
    pub(super) state: &'static str,
    pub(super) experiment: String,
    pub(super) environment: String,
    pub(super) what: String,
    pub(super) detail: String,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NextRow {
    pub(super) rank: u32,
    pub(super) experiment: String,
    pub(super) environment: String,
    pub(super) reason: String,
    pub(super) last: String,
}

/// Verdicts of one experiment, week by week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct StripRow {
    pub(super) experiment: String,
    pub(super) environment: String,
    pub(super) mark: Mark,
    pub(super) cells: Vec<Mark>,
    pub(super) last: String,
}

/// One group of experiments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct CoverageRow {
    pub(super) value: String,
    pub(super) experiments: String,
    pub(super) run: String,
    pub(super) pass: String,
    pub(super) fail: String,
    pub(super) inconclusive: String,
    pub(super) stale: String,
    pub(super) never_run: String,
    pub(super) kills: String,
}

/// One kind of time of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct RecoveryRow {
    pub(super) experiment: String,
    pub(super) kind: &'static str,
    pub(super) now: String,
    pub(super) now_limits: String,
    pub(super) now_kills: String,
    pub(super) before: String,
    pub(super) before_kills: String,
    pub(super) change: String,
    pub(super) detectable: String,
    pub(super) said: String,
}

/// One trend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TrendRow {
    pub(super) experiment: String,
    pub(super) metric: String,
    pub(super) mark: Mark,
    pub(super) n: String,
    pub(super) latest: String,
    pub(super) slope: String,
    pub(super) limits: String,
    pub(super) p_adjusted: Figure,
}

/// An experiment that was not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct UnrunRow {
    pub(super) state: &'static str,
    pub(super) experiment: String,
    pub(super) environment: String,
    pub(super) reason: String,
    pub(super) last: String,
}

/// What experiments of the period have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DocumentedRow {
    pub(super) item: String,
    pub(super) count: String,
    pub(super) missing: String,
}

/// A runbook that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct UpdateRow {
    pub(super) experiment: String,
    pub(super) path: String,
    pub(super) at: String,
    pub(super) run_id: String,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RunRow {
    pub(super) mark: Mark,
    pub(super) at: String,
    pub(super) experiment: String,
    pub(super) environment: String,
    pub(super) kills: String,
    pub(super) headline: String,
    pub(super) run_id: String,
}

impl WeeklyView {
    /// The view of a report; its texts are made safe to show first.
    pub(super) fn new(weekly: &Weekly) -> Result<Self, ReportError> {
        let weekly = shown_of(weekly)?;
        let changes = changes(&weekly);
        let strip = strip(&weekly);
        let unrun = unrun(&weekly);
        let told: Vec<&Trend> =
            weekly.trends.iter().filter(|trend| trend.direction != Direction::TooFew).collect();
        let too_few = weekly.trends.len() - told.len();
        Ok(Self {
            mark: Mark::of(Some(weekly.verdict)),
            title: title(&weekly),
            period: weekly.period.label.clone(),
            sentence: weekly.headline.clone(),
            facts: facts(&weekly),
            changes_left: left(changes.len()),
            changes: cut(changes),
            next: weekly.next.iter().map(NextRow::new).collect(),
            weeks: weekly.weeks.iter().map(|week| week.chars().skip(5).collect()).collect(),
            strip_left: left(strip.len()),
            strip: cut(strip),
            coverage_label: weekly.coverage.label.clone(),
            coverage: cut(weekly.coverage.groups.iter().map(CoverageRow::new).collect()),
            coverage_left: left(weekly.coverage.groups.len()),
            recovery: cut(weekly.recovery.iter().map(RecoveryRow::new).collect()),
            recovery_left: left(weekly.recovery.len()),
            trends: cut(told.iter().map(|trend| TrendRow::new(trend)).collect()),
            trends_left: left(told.len()),
            trends_too_few: too_few_words(too_few),
            unrun_left: left(unrun.len()),
            unrun: cut(unrun),
            learning: learning(&weekly),
            documented: weekly
                .learning
                .documented
                .iter()
                .map(|one| DocumentedRow {
                    item: one.item.clone(),
                    count: format!("{} of {}", number::count(one.with), number::count(one.of)),
                    missing: names(&one.missing),
                })
                .collect(),
            updates: cut(weekly
                .learning
                .runbook_updates
                .iter()
                .map(|one| UpdateRow {
                    experiment: one.experiment.clone(),
                    path: one.path.clone(),
                    at: day(one.at),
                    run_id: one.run_id.clone(),
                })
                .collect()),
            runs: cut(weekly.runs.iter().map(RunRow::new).collect()),
            runs_left: left(weekly.runs.len()),
            reading: reading(),
        })
    }
}

/// At most [`ROWS`] rows.
fn cut<T>(mut rows: Vec<T>) -> Vec<T> {
    rows.truncate(ROWS);
    rows
}

/// Rows beyond [`ROWS`].
const fn left(rows: usize) -> usize {
    rows.saturating_sub(ROWS)
}

fn day(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d").to_string()
}

fn minute(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M").to_string()
}

fn last(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), day)
}

/// Some names, the rest as a number.
fn names(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN {
        text.push_str(&format!(" and {} more", all.len() - SHOWN));
    }
    text
}

/// The first heading: the week's verdict in words.
fn title(weekly: &Weekly) -> String {
    let totals = &weekly.totals;
    let of = |count: u32, word: &str| {
        format!("{} of {} {word}", number::count(count), number::counted(totals.runs, "run"))
    };
    match weekly.verdict {
        Verdict::Fail => of(totals.fail, "failed"),
        Verdict::Inconclusive if totals.runs == 0 => "Nothing ran".to_owned(),
        Verdict::Inconclusive => of(totals.inconclusive, "not decided"),
        Verdict::Pass => format!("All {} passed", number::counted(totals.runs, "run")),
    }
}

fn facts(weekly: &Weekly) -> Vec<Fact> {
    let totals = &weekly.totals;
    let mut facts = vec![
        Fact {
            term: "Period (UTC)",
            text: format!("{} – {}", minute(weekly.period.start), minute(weekly.period.end)),
        },
        Fact { term: "Runs", text: number::count(totals.runs) },
        Fact {
            term: "Experiments",
            text: format!(
                "{} of {} known",
                number::count(totals.experiments),
                number::count(crate_count(weekly.experiments.len()))
            ),
        },
        Fact { term: "Kills", text: number::count(totals.kills) },
        Fact {
            term: "Passed, failed, not decided",
            text: format!(
                "{}, {}, {}",
                number::count(totals.pass),
                number::count(totals.fail),
                number::count(totals.inconclusive)
            ),
        },
    ];
    if totals.in_campaigns > 0 {
        facts.push(Fact {
            term: "Counted in larger campaigns",
            text: number::counted(totals.in_campaigns, "run"),
        });
    }
    facts
}

/// A number of rows as a count.
fn crate_count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What changed, worst first.
fn changes(weekly: &Weekly) -> Vec<ChangeRow> {
    let finding = |one: &Finding, code, icon, state, detail: String| ChangeRow {
        code,
        icon,
        state,
        experiment: one.experiment.clone(),
        environment: one.environment.clone(),
        what: format!("{}, {}", one.metric, one.claim),
        detail,
    };
    let mut rows: Vec<ChangeRow> = Vec::new();
    for one in &weekly.new {
        let detail =
            format!("never failed before; failed {} of {} decided runs", one.failures, one.decided);
        rows.push(finding(one, "fail", "fail", "New", detail));
    }
    for one in &weekly.recurring {
        let detail = format!(
            "failed {} of {} decided runs since {}",
            one.failures,
            one.decided,
            day(one.first_failed_at)
        );
        rows.push(finding(one, "fail", "fail", "Recurring", detail));
    }
    for one in &weekly.drifting {
        rows.push(ChangeRow {
            code: "inconclusive",
            icon: "inconclusive",
            state: "Drifting",
            experiment: one.experiment.clone(),
            environment: one.environment.clone(),
            what: one.metric.clone(),
            detail: format!(
                "passes, and moves towards its bound from run to run (p {} over all trends)",
                Figure::p_value(one.p_adjusted).text
            ),
        });
    }
    for one in &weekly.resolved {
        let detail = format!("last failed {}, passed since", day(one.last_failed_at));
        rows.push(finding(one, "pass", "pass", "Resolved", detail));
    }
    gathered(rows)
}

/// One row for everything of which the same is said of one experiment.
fn gathered(rows: Vec<ChangeRow>) -> Vec<ChangeRow> {
    let mut gathered: Vec<ChangeRow> = Vec::new();
    for row in rows {
        let same = gathered.iter_mut().find(|other| {
            (other.state, &other.experiment, &other.environment, &other.detail)
                == (row.state, &row.experiment, &row.environment, &row.detail)
        });
        match same {
            Some(other) => other.what = format!("{}; {}", other.what, row.what),
            None => gathered.push(row),
        }
    }
    gathered
}

impl NextRow {
    fn new(proposal: &Proposal) -> Self {
        Self {
            rank: proposal.rank,
            experiment: proposal.experiment.clone(),
            environment: proposal.environment.clone(),
            reason: proposal.reason.clone(),
            last: last(proposal.last_run_at),
        }
    }
}

/// Experiments that ran in the weeks shown or are planned, failing ones first.
fn strip(weekly: &Weekly) -> Vec<StripRow> {
    let mut shown: Vec<&Standing> = weekly
        .experiments
        .iter()
        .filter(|one| one.never_run || one.weeks.iter().any(Option::is_some))
        .collect();
    let rank = |one: &Standing| match (one.runs_in_period > 0, one.verdict) {
        (true, Some(Verdict::Fail)) => 0,
        (true, Some(Verdict::Inconclusive)) => 1,
        (true, _) => 2,
        (false, _) => 3,
    };
    shown.sort_by_key(|one| rank(one));
    shown
        .into_iter()
        .map(|one| StripRow {
            experiment: one.experiment.clone(),
            environment: one.environment.clone(),
            mark: Mark::of(one.verdict),
            cells: one
                .weeks
                .iter()
                .map(|verdict| match verdict {
                    Some(verdict) => Mark::of(Some(*verdict)),
                    None => Mark { code: "none", word: "no run" },
                })
                .collect(),
            last: last(one.last_run_at),
        })
        .collect()
}

impl CoverageRow {
    fn new(group: &CoverageGroup) -> Self {
        let count = number::count;
        Self {
            value: group.value.clone().unwrap_or_else(|| "without the label".to_owned()),
            experiments: count(group.experiments),
            run: count(group.run),
            pass: count(group.pass),
            fail: count(group.fail),
            inconclusive: count(group.inconclusive),
            stale: count(group.stale),
            never_run: count(group.never_run),
            kills: count(group.kills),
        }
    }
}

impl RecoveryRow {
    fn new(one: &Healing) -> Self {
        let seconds = |value: Option<f64>, missing: &str| Figure::seconds(value, missing).text;
        let change = Figure::difference(one.change_s, &Unit::Seconds, DASH).text;
        let limit = |value| Figure::difference(value, &Unit::Seconds, "no limit").text;
        let limits = format!("{} … {}", limit(one.change_lower_s), limit(one.change_upper_s));
        let detectable = seconds(one.detectable_change_s, DASH);
        Self {
            experiment: one.experiment.clone(),
            kind: match one.kind {
                TimeKind::Detect => "detect",
                TimeKind::Remediate => "remediate",
                TimeKind::Recover => "recover",
            },
            now: seconds(one.period.median_s, "not reached"),
            now_limits: format!(
                "{} … {}",
                seconds(one.period.median_lower_s, "no limit"),
                seconds(one.period.median_upper_s, "no limit")
            ),
            now_kills: seen(&one.period),
            before: if one.before.n == 0 {
                DASH.to_owned()
            } else {
                seconds(one.before.median_s, "not reached")
            },
            before_kills: seen(&one.before),
            said: said(one, &detectable),
            change: if one.change_s.is_some() {
                format!("{change} ({limits})")
            } else {
                DASH.to_owned()
            },
            detectable,
        }
    }
}

/// `9 of 10`.
fn seen(estimate: &TimesEstimate) -> String {
    format!("{} of {}", number::count(estimate.events), number::count(estimate.n))
}

/// What may be said of a change, and what may not.
fn said(one: &Healing, detectable: &str) -> String {
    if let Some(note) = &one.note {
        return note.clone();
    }
    match (one.change_lower_s, one.change_upper_s) {
        (Some(lower), _) if lower > 0.0 => "slower than in the twelve weeks before".to_owned(),
        (_, Some(upper)) if upper < 0.0 => "faster than in the twelve weeks before".to_owned(),
        (Some(_), Some(_)) => {
            format!("no change shown; one below {detectable} would hardly have been seen")
        }
        _ => "the times show no spread to measure a change by".to_owned(),
    }
}

impl TrendRow {
    fn new(trend: &Trend) -> Self {
        let unit = Unit::named(trend.unit.as_deref().unwrap_or_default());
        let own = |value: f64| match (trend.of, trend.ratio) {
            (TrendOf::Effect, true) => number::change(value),
            (TrendOf::Effect, false) => number::difference(value, &unit),
            (TrendOf::Experiment, _) => number::quantity(value, &unit),
        };
        // A slope of a ratio is a difference of ratios: percentage points of the baseline.
        let slope_unit = if trend.ratio { Unit::Ratio } else { unit.clone() };
        let slope = |value: Option<f64>, missing: &str| {
            Figure::difference(value, &slope_unit, missing).text
        };
        Self {
            experiment: trend.experiment.clone(),
            metric: trend.metric.clone(),
            mark: match trend.direction {
                Direction::Worsening => Mark { code: "fail", word: "worsening" },
                Direction::Improving => Mark { code: "pass", word: "improving" },
                Direction::NotShown | Direction::TooFew => Mark { code: "none", word: "not shown" },
            },
            n: number::count(trend.n),
            latest: own(trend.latest),
            slope: slope(trend.slope_per_week, DASH),
            limits: format!(
                "{} … {}",
                slope(trend.lower, "no limit"),
                slope(trend.upper, "no limit")
            ),
            p_adjusted: Figure::p_value(trend.p_adjusted),
        }
    }
}

fn too_few_words(count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    format!(
        "{} more {} fewer than {} runs, with which no trend can be shown.",
        number::count(crate_count(count)),
        if count == 1 { "claim has" } else { "claims have" },
        policy::TREND_RUNS
    )
}

fn unrun(weekly: &Weekly) -> Vec<UnrunRow> {
    let never = weekly.never_run.iter().map(|one| ("Never run", one));
    let stale = weekly.stale.iter().map(|one| ("Stale", one));
    never
        .chain(stale)
        .map(|(state, one)| UnrunRow {
            state,
            experiment: one.experiment.clone(),
            environment: one.environment.clone(),
            reason: one.reason.clone(),
            last: last(one.last_run_at),
        })
        .collect()
}

fn learning(weekly: &Weekly) -> Vec<Fact> {
    let learning = &weekly.learning;
    let postmortems = &learning.postmortems;
    let mut facts = vec![
        Fact {
            term: "Runbooks changed",
            text: number::count(crate_count(learning.runbook_updates.len())),
        },
        Fact { term: "Runs that passed", text: rate(&learning.pass_rate) },
        Fact { term: "Passed after a failure", text: rate(&learning.pass_rate_after_failure) },
        Fact {
            term: "Passed after a runbook change",
            text: rate(&learning.pass_rate_after_runbook_update),
        },
        Fact {
            term: "Postmortems of failed runs",
            text: format!(
                "{} of {}",
                number::count(postmortems.written),
                number::count(postmortems.wanted)
            ),
        },
    ];
    if postmortems.sections > 0 {
        facts.push(Fact {
            term: "Sections filled in",
            text: format!(
                "{} of {}, {} open",
                number::count(postmortems.sections_filled),
                number::count(postmortems.sections),
                number::counted(postmortems.open_actions, "action")
            ),
        });
    }
    facts
}

/// `3 of 4 (limits 25 % … 98.7 %)`.
fn rate(share: &ShareOfRuns) -> String {
    if share.n == 0 {
        return "no such run".to_owned();
    }
    let limit = |value: Option<f64>| Figure::share(value, "no limit").text;
    format!(
        "{} of {} (limits {} … {})",
        number::count(share.k),
        number::count(share.n),
        limit(share.lower),
        limit(share.upper)
    )
}

impl RunRow {
    fn new(run: &WeeklyRun) -> Self {
        Self {
            mark: Mark::of(Some(run.verdict)),
            at: minute(run.started_at),
            experiment: run.experiment.clone(),
            environment: run.environment.clone(),
            kills: number::count(run.kills),
            headline: run.headline.clone(),
            run_id: run.run_id.clone(),
        }
    }
}

/// How the numbers are meant.
fn reading() -> Vec<String> {
    vec![
        "New: a claim fails and never failed before. Recurring: it fails and failed before. Resolved: it failed before and passed last. An inconclusive run opens and closes nothing.".to_owned(),
        format!(
            "Trends: one number a run over the last half year, Mann–Kendall (exact up to ten runs), Theil–Sen slope a week with 95 % limits each, p adjusted over all trends (Benjamini–Hochberg); drifting at {}.",
            number::share(policy::TREND_LEVEL)
        ),
        "Times: Kaplan–Meier medians with 95 % limits, kills without the event counted as longer; change is of the restricted mean against the twelve weeks before. Kills of one run resemble each other, so that limits over few runs are too narrow.".to_owned(),
        "Detectable change: what these kills would have shown in four of five such periods. A mean time to recover without it says nothing about a change.".to_owned(),
        "Rates: exact one-sided limits at 95 % (Clopper–Pearson).".to_owned(),
    ]
}
