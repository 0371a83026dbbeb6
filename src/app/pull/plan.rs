//! What is asked of a server for a run: units of work, each with one question and one stretch of time.
//!
//! A unit is what an interrupted fetch keeps. The list depends on the document, the run record and the address alone, so
//! that a second attempt finds the units of the first.

use serde::Serialize;

use crate::frame::rule;
use crate::run::RunRecord;
use crate::source::metrics::prometheus::{Grid, Stretch};
use crate::spec::experiment::PrometheusServer;
use crate::spec::{Experiment, Selector};
use crate::summary::{Need, needs};
use crate::unit::Span;

/// Steps that are fetched before and behind a window.
const MARGIN_STEPS: i64 = 2;

/// The step that a margin is made for where the document names none: servers scrape once a minute if nobody says
/// otherwise.
const LONGEST_USUAL_STEP: Span = Span::from_seconds(60);

/// The step of range queries where the document names none.
const QUERY_STEP: Span = Span::from_seconds(5);

/// The form of the plan and of its units.
const FORM: &str = "unfazed.partial/v1";

/// Everything to fetch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FetchPlan {
    pub(super) units: Vec<Unit>,
    /// What is fetched before and behind every window.
    pub(super) margin: Span,
    /// The plan as a text: two fetches with the same one have the same units.
    pub(super) text: String,
}

/// One question over one stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    pub(super) number: usize,
    /// The name under which the answer is recorded.
    pub(super) metric: String,
    pub(super) question: Question,
    pub(super) stretch: Stretch,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Question {
    /// The raw samples of a selector.
    Raw { selector: String, importance: Importance },
    /// An expression on a grid of times.
    Query { expression: String, step: Span, lookback: Span },
}

/// Whether an empty answer is worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Importance {
    /// The experiment is measured by it.
    Needed,
    /// It helps where it exists.
    Helpful,
}

impl Question {
    /// The grid of a query over a stretch.
    pub(super) const fn grid(step: Span, lookback: Span, stretch: Stretch) -> Grid {
        Grid { stretch, step, lookback }
    }

    /// The question as the server reads it.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Raw { selector, .. } => selector,
            Self::Query { expression, .. } => expression,
        }
    }
}

/// The plan as it is kept beside units.
#[derive(Serialize)]
struct Kept<'plan> {
    form: &'static str,
    address: &'plan str,
    margin_ms: i64,
    units: Vec<KeptUnit<'plan>>,
}

#[derive(Serialize)]
struct KeptUnit<'plan> {
    metric: &'plan str,
    question: &'plan str,
    step_ms: Option<i64>,
    first: i64,
    last: i64,
}

impl FetchPlan {
    /// The plan for all windows of a run.
    pub(super) fn new(
        experiment: &Experiment,
        server: &PrometheusServer,
        run: &RunRecord,
        address: &str,
    ) -> Self {
        let margin = server.step.unwrap_or(LONGEST_USUAL_STEP).times(MARGIN_STEPS);
        let questions = questions(experiment, server);
        let stretches = run.iterations.iter().map(|iteration| Stretch {
            first: iteration.baseline.start.minus(margin),
            last: iteration.experiment.end.plus(margin),
        });
        // Questions stand in the order in which their metrics are written, so that a metric can be written while the next
        // one is fetched.
        let units: Vec<Unit> = questions
            .iter()
            .flat_map(|named| stretches.clone().map(move |stretch| (stretch, named)))
            .enumerate()
            .map(|(number, (stretch, named))| Unit {
                number,
                metric: named.metric.clone(),
                question: named.question.clone(),
                stretch,
            })
            .collect();
        let text = text(&units, margin, address);
        Self { units, margin, text }
    }
}

fn text(units: &[Unit], margin: Span, address: &str) -> String {
    let kept = Kept {
        form: FORM,
        address,
        margin_ms: margin.milliseconds(),
        units: units
            .iter()
            .map(|unit| KeptUnit {
                metric: &unit.metric,
                question: unit.question.text(),
                step_ms: match unit.question {
                    Question::Raw { .. } => None,
                    Question::Query { step, .. } => Some(step.milliseconds()),
                },
                first: unit.stretch.first.milliseconds(),
                last: unit.stretch.last.milliseconds(),
            })
            .collect(),
    };
    let mut text = serde_json::to_string(&kept).expect("texts and whole numbers are JSON");
    text.push('\n');
    text
}

/// A question and the name under which its answer is recorded.
struct Named {
    metric: String,
    question: Question,
}

/// The questions of an experiment, none of which asks for what another one brings.
fn questions(experiment: &Experiment, server: &PrometheusServer) -> Vec<Named> {
    let mut questions = Vec::new();
    let mut selectors: Vec<(Selector, Importance)> = Vec::new();
    for need in needs(experiment) {
        match need {
            Need::Series { selector, .. } => {
                selectors
                    .extend(Selector::parse(&selector).ok().map(|it| (it, Importance::Needed)));
            }
            Need::Helpful { selector, .. } => {
                selectors
                    .extend(Selector::parse(&selector).ok().map(|it| (it, Importance::Helpful)));
            }
            Need::Answer { expression } => questions.push(answer(expression, server)),
        }
    }
    for (at, (selector, importance)) in selectors.iter().enumerate() {
        let covered = selectors.iter().enumerate().any(|(other, (wider, weight))| {
            other != at
                && wider.covers(selector)
                // Of two that mean the same the needed one stays, else the first.
                && (!selector.covers(wider)
                    || (*weight == Importance::Needed && *importance == Importance::Helpful)
                    || (weight == importance && other < at))
        });
        if !covered {
            questions.push(Named {
                metric: selector.metric_name().to_owned(),
                question: Question::Raw { selector: selector.to_string(), importance: *importance },
            });
        }
    }
    questions.sort_by(|left, right| {
        (&left.metric, left.question.text()).cmp(&(&right.metric, right.question.text()))
    });
    questions
}

/// The question of a `query:` metric. A selector alone is asked for raw: a query would show its last sample for minutes
/// after a series has ended.
fn answer(expression: String, server: &PrometheusServer) -> Named {
    let question = match Selector::parse(&expression) {
        Ok(selector) => {
            Question::Raw { selector: selector.to_string(), importance: Importance::Needed }
        }
        Err(_) => Question::Query {
            expression: expression.clone(),
            step: server.step.unwrap_or(QUERY_STEP),
            lookback: rule::hold(server.step.unwrap_or(LONGEST_USUAL_STEP)),
        },
    };
    Named { metric: expression, question }
}
