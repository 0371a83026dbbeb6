//! `StackStorm`: an Orquesta workflow (docs.stackstorm.com/orquesta) and the metadata of the action that runs it.
//!
//! The steps follow each other. One that changes a system waits for `core.ask`; a step that fails, or is not verified, goes
//! to `escalate`, which ends the workflow as failed.

use crate::runbook::export::format::{Book, described, inert};
use crate::runbook::export::yaml::Yaml;
use crate::runbook::suggestion::{Command, Effect, Suggestion, inputs};

/// Minutes that an inquiry stays open.
const ASK_MINUTES: &str = "60";

/// The workflow.
pub(super) fn workflow(book: &Book<'_>) -> String {
    let ordered = book.in_order();
    let mut tasks = Vec::new();
    for (at, suggestion) in ordered.iter().enumerate() {
        let next = ordered.get(at + 1).map(|next| first_task(next));
        tasks.extend(of_suggestion(suggestion, next.as_deref()));
    }
    tasks.push(("escalate".to_owned(), escalate(&ordered)));
    let inputs = inputs(book.suggestions);
    Yaml::map([
        ("version", Yaml::Number("1.0")),
        ("description", Yaml::Text(description(book))),
        (
            "input",
            Yaml::List(inputs.iter().map(|input| Yaml::Text(input.name.to_lowercase())).collect()),
        ),
        ("tasks", Yaml::Map(tasks)),
    ])
    .document()
}

/// The metadata of the action.
pub(super) fn action(book: &Book<'_>) -> String {
    let slug = book.slug();
    let parameters = inputs(book.suggestions)
        .iter()
        .map(|input| {
            (
                input.name.to_lowercase(),
                Yaml::map([
                    ("type", Yaml::text("string")),
                    ("description", Yaml::text(input.meaning)),
                    ("required", Yaml::Flag(true)),
                ]),
            )
        })
        .collect();
    Yaml::map([
        ("name", Yaml::text(&slug)),
        ("description", Yaml::Text(description(book))),
        ("runner_type", Yaml::text("orquesta")),
        ("entry_point", Yaml::Text(format!("workflows/{slug}.yaml"))),
        ("enabled", Yaml::Flag(true)),
        ("parameters", Yaml::Map(parameters)),
    ])
    .document()
}

fn description(book: &Book<'_>) -> String {
    inert(&format!("Steps that the findings of the experiment {} call for", book.experiment))
}

/// The first task of a suggestion.
fn first_task(suggestion: &Suggestion) -> String {
    match suggestion.step.effect {
        Effect::Reads => format!("{}_step", suggestion.rule),
        Effect::Changes => format!("{}_approve", suggestion.rule),
    }
}

/// The tasks of a suggestion; verified, it goes on to `next`.
fn of_suggestion(suggestion: &Suggestion, next: Option<&str>) -> Vec<(String, Yaml)> {
    let rule = &suggestion.rule;
    let (step, verify) = (format!("{rule}_step"), format!("{rule}_verify"));
    let mut tasks = Vec::new();
    if suggestion.step.effect == Effect::Changes {
        tasks.push((format!("{rule}_approve"), approve(suggestion, &step)));
    }
    tasks.push((step, local(suggestion.step.command, Some(&verify))));
    tasks.push((verify, local(suggestion.verification.command, next)));
    tasks
}

/// Asks a person.
fn approve(suggestion: &Suggestion, step: &str) -> Yaml {
    Yaml::map([
        ("action", Yaml::text("core.ask")),
        (
            "input",
            Yaml::map([
                ("ttl", Yaml::Number(ASK_MINUTES)),
                (
                    "schema",
                    Yaml::map([
                        ("type", Yaml::text("object")),
                        (
                            "properties",
                            Yaml::map([(
                                "approved",
                                Yaml::map([
                                    ("type", Yaml::text("boolean")),
                                    ("description", Yaml::Text(described(suggestion))),
                                    ("required", Yaml::Flag(true)),
                                ]),
                            )]),
                        ),
                    ]),
                ),
            ]),
        ),
        (
            "next",
            Yaml::List(vec![
                Yaml::map([
                    ("when", Yaml::text("<% succeeded() and result().response.approved = true %>")),
                    ("do", Yaml::text(step)),
                ]),
                Yaml::map([
                    ("when", Yaml::text("<% failed() or result().response.approved != true %>")),
                    ("do", Yaml::text("escalate")),
                ]),
            ]),
        ),
    ])
}

/// Runs a command with its inputs in the environment.
fn local(command: Command, next: Option<&str>) -> Yaml {
    let environment = command
        .inputs()
        .iter()
        .map(|input| {
            (
                input.name.to_owned(),
                Yaml::Text(format!("<% ctx().{} %>", input.name.to_lowercase())),
            )
        })
        .collect();
    let mut transitions = Vec::new();
    if let Some(next) = next {
        transitions
            .push(Yaml::map([("when", Yaml::text("<% succeeded() %>")), ("do", Yaml::text(next))]));
    }
    transitions
        .push(Yaml::map([("when", Yaml::text("<% failed() %>")), ("do", Yaml::text("escalate"))]));
    Yaml::map([
        ("action", Yaml::text("core.local")),
        (
            "input",
            Yaml::map([
                ("cmd", Yaml::Script(command.shell().to_owned())),
                ("env", Yaml::Map(environment)),
            ]),
        ),
        ("next", Yaml::List(transitions)),
    ])
}

/// Hands on, and ends as failed.
fn escalate(ordered: &[&Suggestion]) -> Yaml {
    let text = ordered.first().map_or_else(String::new, |one| inert(&one.escalation.text));
    Yaml::map([
        ("action", Yaml::text("core.echo")),
        ("input", Yaml::map([("message", Yaml::Text(text))])),
        ("next", Yaml::List(vec![Yaml::map([("do", Yaml::text("fail"))])])),
    ])
}
