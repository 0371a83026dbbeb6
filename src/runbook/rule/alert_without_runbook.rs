//! An alert that leads nowhere.
//!
//! # What it sees
//! An experiment whose detection is an alert, while it names no runbook, the runbook is not there, or its text does not name
//! the alert. A runbook that nobody read says nothing.
//!
//! # Why it matters
//! Who is woken by an alert needs one page that begins with its name.
//!
//! # What to try
//! Name the alert in the runbook, and link the runbook from the alert (annotation `runbook_url`).
//!
//! # References
//! Prometheus documentation, "Alerting rules", annotations; Beyer and others (eds.), *Site Reliability Engineering* (2016),
//! chapter 11, "Being On-Call".

use crate::runbook::case::{Case, RunbookText};
use crate::runbook::confidence::Confidence;
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};

/// The rule.
pub const RULE: Rule = Rule { code: "alert_without_runbook", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let recovery = case.recovery()?;
    let alert = recovery.alert.as_deref()?;
    let gap = match (case.runbook, &case.result.experiment.runbook) {
        (RunbookText::Text(text), _) if text.contains(alert) => return None,
        (RunbookText::Text(_), _) => "the runbook does not name the alert",
        (RunbookText::Missing, _) => "the runbook that the experiment names is not there",
        (RunbookText::NotRead, None) => "the experiment names no runbook",
        (RunbookText::NotRead, Some(_)) => return None,
    };
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Alert {alert}"),
        seen: format!("The alert {alert} leads nowhere: {gap}."),
        why: "Who is woken by an alert needs one page that begins with its name.".to_owned(),
        evidence: vec![Evidence::words(
            "detection",
            Vec::new(),
            format!("detected by the alert {alert}; {gap}"),
        )],
        confidence: Confidence::fact("read from the document and the runbook"),
        place: Place::Detect,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "{alert} fires: look at {}; healthy is {}. The alert should link to this page (annotation runbook_url).",
                recovery.signal, recovery.healthy
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec!["Prometheus documentation, Alerting rules, annotations".to_owned()],
    })
}
