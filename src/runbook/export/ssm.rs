//! AWS Systems Manager: one Automation document, schema version 0.3.
//!
//! Commands run by `AWS-RunShellScript`. What a person fills in are parameters that take no single quote, and stand in
//! single quotes; a step that changes a system waits for `aws:approve`; what fails goes to the step `Escalate`, which a
//! person has to acknowledge.

use crate::runbook::export::format::{Book, described, inert};
use crate::runbook::export::yaml::Yaml;
use crate::runbook::suggestion::{Command, Effect, Input, Suggestion, inputs};

/// Longest message of an approval.
const MESSAGE_LIMIT: usize = 2000;
/// What parameters may hold: they stand in single quotes.
const NO_QUOTE: &str = "^[^']*$";

/// The document.
pub(super) fn document(book: &Book<'_>) -> String {
    let ordered = book.in_order();
    let mut steps: Vec<Yaml> = Vec::new();
    for (at, suggestion) in ordered.iter().enumerate() {
        steps.extend(of_suggestion(suggestion, at + 1 == ordered.len()));
    }
    steps.push(escalate(&ordered));
    Yaml::map([
        (
            "description",
            Yaml::Text(inert(&format!(
                "Steps that the findings of the experiment {} call for",
                book.experiment
            ))),
        ),
        ("schemaVersion", Yaml::text("0.3")),
        ("assumeRole", Yaml::text("{{ AutomationAssumeRole }}")),
        ("parameters", Yaml::Map(parameters(book))),
        ("mainSteps", Yaml::List(steps)),
    ])
    .document()
}

fn parameters(book: &Book<'_>) -> Vec<(String, Yaml)> {
    let mut parameters = vec![
        (
            "AutomationAssumeRole".to_owned(),
            Yaml::map([
                ("type", Yaml::text("String")),
                ("description", Yaml::text("role that the automation takes on; empty: your own")),
                ("default", Yaml::text("")),
            ]),
        ),
        (
            "InstanceIds".to_owned(),
            Yaml::map([
                ("type", Yaml::text("StringList")),
                ("description", Yaml::text("instances on which commands run")),
            ]),
        ),
        (
            "Approvers".to_owned(),
            Yaml::map([
                ("type", Yaml::text("StringList")),
                ("description", Yaml::text("who may approve a step that changes the system")),
            ]),
        ),
    ];
    parameters.extend(inputs(book.suggestions).iter().map(|input| {
        (
            parameter(input),
            Yaml::map([
                ("type", Yaml::text("String")),
                ("description", Yaml::text(input.meaning)),
                ("allowedPattern", Yaml::text(NO_QUOTE)),
            ]),
        )
    }));
    parameters
}

/// `HEALTH_URL` as `HealthUrl`.
fn parameter(input: &Input) -> String {
    input
        .name
        .split('_')
        .map(|word| {
            let lower = word.to_lowercase();
            let mut letters = lower.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect()
}

fn of_suggestion(suggestion: &Suggestion, last: bool) -> Vec<Yaml> {
    let rule = &suggestion.rule;
    let mut steps = Vec::new();
    if suggestion.step.effect == Effect::Changes {
        steps.push(approve(&format!("{rule}_approve"), &described(suggestion)));
    }
    steps.push(run(
        &format!("{rule}_step"),
        &described(suggestion),
        suggestion.step.command,
        Ending::GoesOn,
    ));
    steps.push(run(
        &format!("{rule}_verify"),
        &inert(&suggestion.verification.text),
        suggestion.verification.command,
        if last { Ending::Ends } else { Ending::GoesOn },
    ));
    steps
}

/// What follows a step that succeeds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    GoesOn,
    Ends,
}

/// Runs a command on the instances.
fn run(name: &str, description: &str, command: Command, ending: Ending) -> Yaml {
    let mut lines = vec![Yaml::text("set -eu")];
    lines.extend(
        command
            .inputs()
            .iter()
            .map(|input| Yaml::Text(format!("{}='{{{{ {} }}}}'", input.name, parameter(input)))),
    );
    lines.push(Yaml::text(command.shell()));
    let mut step = vec![
        ("name".to_owned(), Yaml::text(name)),
        ("action".to_owned(), Yaml::text("aws:runCommand")),
        ("description".to_owned(), Yaml::text(description)),
        ("onFailure".to_owned(), Yaml::text("step:Escalate")),
        (
            "inputs".to_owned(),
            Yaml::map([
                ("DocumentName", Yaml::text("AWS-RunShellScript")),
                ("InstanceIds", Yaml::text("{{ InstanceIds }}")),
                ("Parameters", Yaml::map([("commands", Yaml::List(lines))])),
            ]),
        ),
    ];
    if ending == Ending::Ends {
        step.push(("isEnd".to_owned(), Yaml::Flag(true)));
    }
    Yaml::Map(step)
}

/// Waits for a person.
fn approve(name: &str, message: &str) -> Yaml {
    let message: String = message.chars().take(MESSAGE_LIMIT).collect();
    Yaml::map([
        ("name", Yaml::text(name)),
        ("action", Yaml::text("aws:approve")),
        ("timeoutSeconds", Yaml::Number("3600")),
        ("onFailure", Yaml::text("Abort")),
        (
            "inputs",
            Yaml::map([
                ("Approvers", Yaml::text("{{ Approvers }}")),
                ("MinRequiredApprovals", Yaml::Number("1")),
                ("Message", Yaml::Text(message)),
            ]),
        ),
    ])
}

/// Waits for a person to take over.
fn escalate(ordered: &[&Suggestion]) -> Yaml {
    let text = ordered.first().map_or_else(String::new, |one| inert(&one.escalation.text));
    let message: String = text.chars().take(MESSAGE_LIMIT).collect();
    Yaml::map([
        ("name", Yaml::text("Escalate")),
        ("action", Yaml::text("aws:approve")),
        ("timeoutSeconds", Yaml::Number("3600")),
        ("onFailure", Yaml::text("Abort")),
        (
            "inputs",
            Yaml::map([
                ("Approvers", Yaml::text("{{ Approvers }}")),
                ("MinRequiredApprovals", Yaml::Number("1")),
                ("Message", Yaml::Text(message)),
            ]),
        ),
        ("isEnd", Yaml::Flag(true)),
    ])
}
