//! A campaign in numbers, judged.
//!
//! Owns the way from window values to a result: the document is parsed as a user's would be, the summaries are
//! built directly, so that a test speaks of verdicts and not of samples. Refuses to know the language of cases.

use unfazed::run::{Arm, Campaign, RunRecord};
use unfazed::spec::{Counted, Experiment, Form, Measure, Metric};
use unfazed::summary::{
    Counts, IterationSummary, Loss, MetricSummary, MissingEdge, PreKillLoss, ReadingSummary,
    RecoverySummary, RecoveryTime, ShareBracket, Timing, WindowValue,
};
use unfazed::unit::{Span, Timestamp};
use unfazed::verdict::result::AnalysisResult;
use unfazed::verdict::{Evidence, judge};

/// What one window of one metric says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// A number.
    Value(f64),
    /// Bad and all events of a ratio.
    Counts { bad: f64, total: f64 },
    /// Share of requests at or under a histogram's bound, and the interpolated quantile.
    Share { lower: f64, upper: f64, total: f64, quantile: f64 },
    /// No number, and why.
    Lost(Loss),
}

/// One iteration of one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    pub(crate) arm: Arm,
    pub(crate) baseline: Cell,
    pub(crate) experiment: Cell,
    pub(crate) excluded: Option<PreKillLoss>,
    pub(crate) aborted: bool,
}

impl Seen {
    /// A kill with two numbers.
    pub(crate) fn kill(baseline: Cell, experiment: Cell) -> Self {
        Self { arm: Arm::Fault, baseline, experiment, excluded: None, aborted: false }
    }
}

/// One metric: its part of the document and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Keys of the metric but its name, one a line.
    pub(crate) document: String,
    pub(crate) seen: Vec<Seen>,
    pub(crate) matched_nothing: Option<String>,
    pub(crate) on_target: bool,
    pub(crate) missing_edge: Option<MissingEdge>,
}

impl Measured {
    /// A metric with numbers and nothing special about it.
    pub(crate) fn new(name: &str, document: &str, seen: Vec<Seen>) -> Self {
        Self {
            name: name.to_owned(),
            document: document.to_owned(),
            seen,
            matched_nothing: None,
            on_target: false,
            missing_edge: None,
        }
    }
}

/// One kill's recovery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recovered {
    pub(crate) timing: Timing,
    pub(crate) never_departed: bool,
    pub(crate) last_unhealthy: Option<f64>,
    pub(crate) relapses: u32,
    pub(crate) excluded: Option<PreKillLoss>,
    pub(crate) aborted: bool,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) confidence: f64,
    pub(crate) metrics: Vec<Measured>,
    /// Keys of the recovery section, one a line, and one time per kill.
    pub(crate) recovery: Option<(String, Vec<Recovered>)>,
    /// Session of every iteration; the last one stands for the rest.
    pub(crate) sessions: Vec<u32>,
}

impl Numbers {
    /// One metric, one session, 95 %.
    pub(crate) fn of(metric: Measured) -> Self {
        Self { confidence: 0.95, metrics: vec![metric], recovery: None, sessions: vec![1] }
    }

    /// The verdict, or why the document is refused.
    pub(crate) fn judge(&self) -> Result<AnalysisResult, String> {
        let experiment = Experiment::parse("case.yaml", self.document().as_bytes())
            .map_err(|problems| problems.to_string())?;
        let campaign = self.campaign();
        let metrics: Vec<MetricSummary> = experiment
            .metrics
            .iter()
            .zip(&self.metrics)
            .map(|(metric, measured)| self.summary(metric, measured))
            .collect();
        let recovery = self.recovery.as_ref().map(|(_, times)| self.times(&experiment, times));
        Ok(judge(&Evidence {
            experiment: &experiment,
            campaign: &campaign,
            metrics: &metrics,
            recovery: recovery.as_ref(),
            seed: 0,
            samples_digest: None,
            warnings: Vec::new(),
            source: None,
        }))
    }

    fn document(&self) -> String {
        let mut text = format!(
            "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {{name: case, owner: somebody}}\nspec:\n  hypothesis: It holds.\n  environment: staging\n  confidence: {}\n  windows: {{baseline: 5m, experiment: 5m}}\n  metrics:\n",
            self.confidence
        );
        for metric in &self.metrics {
            text.extend(["    - name: ", &metric.name, "\n"]);
            text.push_str(&indented(&metric.document, "      "));
        }
        if let Some((document, _)) = &self.recovery {
            text.push_str("  recovery:\n");
            text.push_str(&indented(document, "    "));
        }
        text
    }

    /// Iterations of the campaign: those of the metrics, or one per recovery time.
    fn arms(&self) -> Vec<(Arm, bool)> {
        match (self.metrics.first().filter(|metric| !metric.seen.is_empty()), &self.recovery) {
            (Some(metric), _) => metric
                .seen
                .iter()
                .map(|seen| (seen.arm, seen.excluded == Some(PreKillLoss::NotInjected)))
                .collect(),
            (None, Some((_, times))) => times.iter().map(|_| (Arm::Fault, false)).collect(),
            (None, None) => Vec::new(),
        }
    }

    fn session(&self, position: usize) -> u32 {
        let last = self.sessions.last().copied().unwrap_or(1);
        self.sessions.get(position).copied().unwrap_or(last)
    }

    fn campaign(&self) -> Campaign {
        let arms = self.arms();
        let mut numbers: Vec<u32> = (0..arms.len()).map(|at| self.session(at)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            numbers.push(1);
        }
        let runs = numbers
            .into_iter()
            .map(|session| {
                let iterations: Vec<String> = arms
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| self.session(*at) == session)
                    .map(|(at, (arm, failed))| iteration_json(at, *arm, *failed))
                    .collect();
                let text = format!(
                    r#"{{"schema": "unfazed.run/v1", "run_id": "run-{session}", "experiment": "case", "experiment_digest": null,
                    "started_at": "{}", "ended_at": null, "origin": null, "iterations": [{}], "events": []}}"#,
                    moment(0),
                    iterations.join(",")
                );
                RunRecord::parse(&text).expect("the run record of a case is well formed")
            })
            .collect();
        Campaign::join(runs)
    }

    fn summary(&self, metric: &Metric, measured: &Measured) -> MetricSummary {
        MetricSummary {
            only_kill: None,
            name: metric.name.clone(),
            matched_nothing: measured.matched_nothing.clone(),
            step: Some(Span::from_seconds(5)),
            iterations: measured
                .seen
                .iter()
                .enumerate()
                .map(|(at, seen)| IterationSummary {
                    index: number(at),
                    session: self.session(at),
                    arm: seen.arm,
                    excluded: seen.excluded,
                    aborted: seen.aborted.then(|| time(at, 400)),
                    baseline: window(metric, seen.baseline),
                    experiment: window(metric, seen.experiment),
                })
                .collect(),
            conflicting_duplicates: 0,
            missing_edge: measured.missing_edge,
            histogram_forms: None,
            measured_on_target: measured.on_target,
            timeline: Vec::new(),
        }
    }

    fn times(&self, experiment: &Experiment, times: &[Recovered]) -> RecoverySummary {
        let recovery =
            experiment.recovery.as_ref().expect("a case with times has a recovery section");
        let times = times
            .iter()
            .enumerate()
            .map(|(at, seen)| RecoveryTime {
                index: number(at),
                session: self.session(at),
                arm: Arm::Fault,
                excluded: seen.excluded,
                aborted: seen.aborted.then(|| time(at, 400)),
                timing: seen.timing,
                never_departed: seen.never_departed,
                onset_seconds: (!seen.never_departed).then_some(1.0),
                relapses: seen.relapses,
                excursions: 0,
                last_unhealthy_seconds: seen.last_unhealthy,
                band: None,
            })
            .collect();
        RecoverySummary {
            signal: recovery.signal.clone(),
            detect: None,
            remediate: None,
            recover: ReadingSummary { resolution: Some(Span::from_seconds(5)), times },
        }
    }
}

fn indented(lines: &str, by: &str) -> String {
    lines.lines().flat_map(|line| [by, line, "\n"]).collect()
}

fn number(position: usize) -> u32 {
    u32::try_from(position).expect("a case has fewer iterations than that") + 1
}

/// A moment of a case's time, in seconds after its start.
fn moment(seconds: i64) -> String {
    let (hours, rest) = (seconds / 3600, seconds % 3600);
    format!("2026-03-{:02}T{:02}:{:02}:{:02}Z", 1 + hours / 24, hours % 24, rest / 60, rest % 60)
}

/// Iterations are twenty minutes apart.
fn start(position: usize) -> i64 {
    1200 * i64::from(number(position))
}

fn time(position: usize, after: i64) -> Timestamp {
    Timestamp::parse(&moment(start(position) + after)).expect("the moment is well formed")
}

fn iteration_json(position: usize, arm: Arm, failed: bool) -> String {
    let at = |after: i64| moment(start(position) + after);
    let outcome = if failed { "failed" } else { "killed" };
    let (arm, fault) = match arm {
        Arm::Fault => {
            ("fault", format!(r#"{{"at": "{}", "outcome": "{outcome}", "targets": []}}"#, at(300)))
        }
        Arm::Control => ("control", "null".to_owned()),
    };
    format!(
        r#"{{"index": {}, "arm": "{arm}", "baseline": {{"start": "{}", "end": "{}"}}, "fault": {fault},
        "experiment": {{"start": "{}", "end": "{}"}}}}"#,
        number(position),
        at(0),
        at(300),
        at(300),
        at(600)
    )
}

/// The window as the summaries would give it.
fn window(metric: &Metric, cell: Cell) -> WindowValue {
    let mut window =
        WindowValue { value: Ok(0.0), coverage: Some(1.0), counts: None, share_under: None };
    match cell {
        Cell::Value(value) => window.value = Ok(value),
        Cell::Lost(loss) => window.value = Err(loss),
        Cell::Counts { bad, total } => {
            let part = match &metric.measure {
                Measure::Ratio { counted: Counted::Good, .. } => total - bad,
                _ => bad,
            };
            window.value = if total > 0.0 { Ok(part / total) } else { Err(Loss::NoTraffic) };
            window.counts = Some(Counts { bad, bad_surely: bad, total });
        }
        Cell::Share { lower, upper, total, quantile } => {
            let at_least = metric.claim.as_ref().is_some_and(|claim| claim.form == Form::AtLeast);
            let (bad, bad_surely) = if at_least {
                (upper * total, lower * total)
            } else {
                ((1.0 - lower) * total, (1.0 - upper) * total)
            };
            window.value = Ok(quantile);
            // Requests are whole: shares are written with few digits.
            window.counts =
                Some(Counts { bad: bad.round(), bad_surely: bad_surely.round(), total });
            window.share_under = Some(ShareBracket { lower, upper });
        }
    }
    window
}
