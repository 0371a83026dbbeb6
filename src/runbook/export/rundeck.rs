//! Rundeck: a list of jobs in the YAML of job definitions (docs.rundeck.com, "job-yaml-v13").
//!
//! A job a suggestion. What a person fills in are required options, which a script finds in its environment as
//! `RD_OPTION_…`. A job that changes a system asks for a name and for `approval`, whose default refuses.

use crate::runbook::export::format::{Book, described, inert};
use crate::runbook::export::yaml::Yaml;
use crate::runbook::suggestion::{Command, Effect, Input, Suggestion};

/// Longest name of a job.
const NAME_LIMIT: usize = 200;

/// The jobs.
pub(super) fn jobs(book: &Book<'_>) -> String {
    let group = format!("unfazed/{}", book.slug());
    Yaml::List(book.in_order().into_iter().map(|one| job(one, &group)).collect()).document()
}

fn job(suggestion: &Suggestion, group: &str) -> Yaml {
    let name: String =
        inert(&suggestion.title).replace(['/', '\n'], " ").chars().take(NAME_LIMIT).collect();
    Yaml::map([
        ("name", Yaml::Text(name)),
        ("group", Yaml::text(group)),
        ("description", Yaml::Text(long(suggestion))),
        ("loglevel", Yaml::text("INFO")),
        ("executionEnabled", Yaml::Flag(true)),
        ("scheduleEnabled", Yaml::Flag(false)),
        ("options", Yaml::List(options(suggestion))),
        (
            "sequence",
            Yaml::map([
                ("keepgoing", Yaml::Flag(false)),
                ("strategy", Yaml::text("node-first")),
                ("commands", Yaml::List(commands(suggestion))),
            ]),
        ),
    ])
}

/// A short first line, then everything else as Markdown.
fn long(suggestion: &Suggestion) -> String {
    let evidence: String = suggestion
        .evidence
        .iter()
        .map(|evidence| format!("- {}\n", inert(&crate::runbook::text::told(evidence))))
        .collect();
    format!(
        "{}\n\n{}\n\n{evidence}\nVerify: {}\n\n{}",
        inert(&suggestion.seen),
        inert(&suggestion.step.text),
        inert(&suggestion.verification.text),
        inert(&suggestion.escalation.text)
    )
}

fn options(suggestion: &Suggestion) -> Vec<Yaml> {
    let mut options: Vec<Yaml> = inputs(suggestion)
        .iter()
        .map(|input| {
            Yaml::map([
                ("name", Yaml::Text(input.name.to_lowercase())),
                ("description", Yaml::text(input.meaning)),
                ("required", Yaml::Flag(true)),
            ])
        })
        .collect();
    if suggestion.step.effect == Effect::Changes {
        options.push(Yaml::map([
            ("name", Yaml::text("approved_by")),
            ("description", Yaml::text("name of the second person who agrees")),
            ("required", Yaml::Flag(true)),
        ]));
        options.push(Yaml::map([
            ("name", Yaml::text("approval")),
            ("description", Yaml::text("yes lets the step change the system")),
            ("required", Yaml::Flag(true)),
            ("enforced", Yaml::Flag(true)),
            ("value", Yaml::text("no")),
            ("values", Yaml::List(vec![Yaml::text("no"), Yaml::text("yes")])),
        ]));
    }
    options
}

/// What the two commands ask for, each once.
fn inputs(suggestion: &Suggestion) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for command in [suggestion.step.command, suggestion.verification.command] {
        for input in command.inputs() {
            if !inputs.contains(input) {
                inputs.push(*input);
            }
        }
    }
    inputs
}

fn commands(suggestion: &Suggestion) -> Vec<Yaml> {
    let mut commands = Vec::new();
    if suggestion.step.effect == Effect::Changes {
        commands.push(Yaml::map([
            ("description", Yaml::text("A second person agrees")),
            (
                "script",
                Yaml::Script(
                    "#!/bin/sh\nset -eu\nif [ \"$RD_OPTION_APPROVAL\" != yes ]; then\n  echo \"not approved: run again with approval=yes\" >&2\n  exit 1\nfi\necho \"approved by $RD_OPTION_APPROVED_BY\"\n"
                        .to_owned(),
                ),
            ),
        ]));
    }
    commands.push(Yaml::map([
        ("description", Yaml::Text(described(suggestion))),
        ("script", script(suggestion.step.command)),
    ]));
    commands.push(Yaml::map([
        ("description", Yaml::Text(inert(&suggestion.verification.text))),
        ("script", script(suggestion.verification.command)),
        (
            "errorhandler",
            Yaml::map([
                ("description", Yaml::Text(inert(&suggestion.escalation.text))),
                (
                    "script",
                    Yaml::Script(
                        "#!/bin/sh\necho \"not verified: escalate as the description of this job says\" >&2\nexit 1\n"
                            .to_owned(),
                    ),
                ),
                ("keepgoingOnSuccess", Yaml::Flag(false)),
            ]),
        ),
    ]));
    commands
}

fn script(command: Command) -> Yaml {
    let inputs: String = command
        .inputs()
        .iter()
        .map(|input| format!("{name}=\"$RD_OPTION_{name}\"\n", name = input.name))
        .collect();
    Yaml::Script(format!("#!/bin/sh\nset -eu\n{inputs}{}\n", command.shell()))
}
