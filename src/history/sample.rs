//! Runs for tests: one experiment, one run a day unless said otherwise.

use std::collections::BTreeMap;

use crate::spec::{Estimand, Form};
use crate::unit::{Span, Timestamp};
use crate::verdict::result::{EffectForm, Verdict};

use super::record::{
    ClaimSummary, KillCounts, RecoverySummary, RunSummary, RunbookState, SessionKey, TimesSummary,
};

/// Monday of 2026-W40.
pub(super) fn monday() -> Timestamp {
    Timestamp::parse("2026-09-28T00:00:00Z").unwrap()
}

/// A run of `experiment`, `days` after Monday of 2026-W40, with one claim on p95 of this verdict and value.
pub(super) fn run(experiment: &str, days: i64, verdict: Verdict, value: f64) -> RunSummary {
    let started_at = monday().plus(Span::from_seconds(days * 86_400 + 3_600));
    let run_id = format!("{experiment}-{days}");
    RunSummary {
        run_id: run_id.clone(),
        experiment: experiment.to_owned(),
        environment: "staging".to_owned(),
        owner: "sre".to_owned(),
        ticket: None,
        labels: BTreeMap::from([("service".to_owned(), "payments".to_owned())]),
        digest: "sha256:d".to_owned(),
        samples_digest: None,
        wave: Some(1),
        started_at,
        ended_at: None,
        sessions: vec![SessionKey { run_id, started_at }],
        tool: "0.1.0".to_owned(),
        confidence: 0.95,
        verdict,
        headline: String::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        kills: KillCounts {
            planned: None,
            fault: 10,
            control: 0,
            usable: 10,
            outcomes: BTreeMap::from([("killed".to_owned(), 10)]),
            aborted: 0,
        },
        claims: vec![ClaimSummary {
            metric: "p95".to_owned(),
            unit: Some("seconds".to_owned()),
            estimand: Some(Estimand::MostKills),
            form: Form::AtMost,
            bound: 0.2,
            text: "at most 200 ms".to_owned(),
            verdict,
            inside: 10,
            outside: 0,
            unknown: 0,
            baseline: Some(0.01),
            experiment: Some(value),
            effect: Some(value - 0.01),
            effect_form: Some(EffectForm::Difference),
            reasons: Vec::new(),
        }],
        recovery: Some(RecoverySummary {
            signal: "queue".to_owned(),
            verdict: None,
            deadline_s: Some(12.0),
            recovered: 9,
            missed: 1,
            detect: None,
            remediate: None,
            recover: TimesSummary {
                seen: (1..=9).map(f64::from).collect(),
                censored: vec![40.0],
                resolution_s: Some(0.5),
            },
            reasons: Vec::new(),
        }),
        runbook: Some(RunbookState { path: "runbook.md".to_owned(), digest: None }),
        postmortem: None,
    }
}
