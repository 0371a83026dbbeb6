//! How the numbers came about and how to get them again: level, methods, seed, digests, runs, events.

use serde::Serialize;

use crate::report::number;
use crate::report::view::headline::Fact;
use crate::report::view::words;
use crate::verdict::result::AnalysisResult;

/// Most events that a page lists; all of them stand in `result.json`.
const EVENT_LIMIT: usize = 200;

/// The last section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MethodView {
    /// How to read a pass, a fail and neither, at this level.
    pub reading: Vec<String>,
    /// One row per claim.
    pub methods: Vec<MethodRow>,
    /// Seed, digests, versions.
    pub facts: Vec<Fact>,
    /// The runs.
    pub sessions: Vec<SessionRow>,
    /// Events in time order.
    pub events: Vec<EventRow>,
    /// How many events are not listed.
    pub events_left: usize,
}

/// The method of one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MethodRow {
    /// The metric.
    pub name: String,
    /// What was said of it.
    pub question: String,
    /// How it was decided.
    pub method: String,
    /// Level of the limit that decides a pass.
    pub level: String,
    /// Iterations judged.
    pub n: u32,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// Number.
    pub number: u32,
    /// The run's id.
    pub run_id: String,
    /// Start.
    pub started_at: String,
    /// End.
    pub ended_at: String,
    /// The tool and its own verdict.
    pub tool: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// When.
    pub at: String,
    /// The iteration.
    pub iteration: String,
    /// Kind.
    pub kind: String,
    /// What happened.
    pub message: String,
}

impl MethodView {
    /// The method of `result`.
    pub(crate) fn new(result: &AnalysisResult) -> Self {
        let events = result
            .timeline
            .events
            .iter()
            .take(EVENT_LIMIT)
            .map(|event| EventRow {
                at: event.at.to_string(),
                iteration: event
                    .iteration
                    .map_or_else(|| number::DASH.to_owned(), |iteration| iteration.to_string()),
                kind: event.kind.clone(),
                message: match &event.correlation_id {
                    Some(id) => format!("{} [{id}]", event.message),
                    None => event.message.clone(),
                },
            })
            .collect();
        Self {
            reading: reading(result),
            methods: methods(result),
            facts: facts(result),
            sessions: sessions(result),
            events,
            events_left: result.timeline.events.len().saturating_sub(EVENT_LIMIT),
        }
    }
}

/// How to read the three answers.
fn reading(result: &AnalysisResult) -> Vec<String> {
    let level = number::share(result.confidence);
    vec![
        format!(
            "Pass: if the next kill is like these, the data rule out ({level}) that the claim is broken. \
             Every claim has to pass at its own level (intersection–union test)."
        ),
        format!(
            "Fail: the data rule out ({level}, Holm over all claims) that the claim holds. \
             It names no cause."
        ),
        "Inconclusive: not shown either way. The reasons say what is missing.".to_owned(),
        "The replicate is the iteration: each window is one number, each kill is compared with its own baseline. \
         Every limit is one-sided."
            .to_owned(),
    ]
}

/// How each claim was decided.
fn methods(result: &AnalysisResult) -> Vec<MethodRow> {
    let level = |level: Option<f64>| level.map_or_else(|| number::DASH.to_owned(), number::share);
    let mut rows: Vec<MethodRow> = result
        .metrics
        .iter()
        .filter_map(|metric| {
            let (claim, decision) = (metric.claim.as_ref()?, metric.decision.as_ref()?);
            Some(MethodRow {
                name: metric.name.clone(),
                question: words::question(metric.estimand, claim),
                method: words::method(&decision.method),
                level: level(decision.attained_level),
                n: metric.n,
            })
        })
        .collect();
    if let Some(recovery) = &result.recovery
        && let Some(decision) = &recovery.decision
    {
        rows.push(MethodRow {
            name: "recovery".to_owned(),
            question: "share of kills that recover in time".to_owned(),
            method: words::method(&decision.method),
            level: level(decision.attained_level),
            n: recovery.recover.within.as_ref().map_or(recovery.recover.n, |within| within.n),
        });
    }
    rows
}

/// What it takes to get the same bytes again.
fn facts(result: &AnalysisResult) -> Vec<Fact> {
    let mut facts = vec![
        Fact {
            term: "Confidence",
            text: format!("{}, one-sided", number::share(result.confidence)),
        },
        Fact { term: "Seed", text: result.seed.to_string() },
        Fact { term: "Run", text: result.run_id.clone() },
        Fact { term: "Experiment digest", text: result.experiment.digest.clone() },
    ];
    if let Some(digest) = &result.samples_digest {
        facts.push(Fact { term: "Samples digest", text: digest.clone() });
    }
    if let Some(source) = &result.source {
        facts.push(Fact { term: "Source", text: source.clone() });
    }
    if let Some(runbook) = &result.experiment.runbook {
        facts.push(Fact { term: "Runbook", text: runbook.clone() });
    }
    facts.push(Fact {
        term: "Analysed by",
        text: format!("{} {}", result.tool.name, result.tool.version),
    });
    facts.push(Fact { term: "Schema", text: result.schema.clone() });
    facts
}

/// The runs of the campaign.
fn sessions(result: &AnalysisResult) -> Vec<SessionRow> {
    result
        .session_list
        .iter()
        .map(|session| SessionRow {
            number: session.number,
            run_id: session.run_id.clone(),
            started_at: session.started_at.to_string(),
            ended_at: session
                .ended_at
                .map_or_else(|| number::DASH.to_owned(), |ended| ended.to_string()),
            tool: match (&session.tool, &session.tool_verdict) {
                (Some(tool), Some(verdict)) => format!("{tool} (it said: {verdict})"),
                (Some(tool), None) => tool.clone(),
                (None, _) => number::DASH.to_owned(),
            },
        })
        .collect()
}
