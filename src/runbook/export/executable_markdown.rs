//! Markdown whose commands can be run where they stand: code blocks with names, as Runme reads them, and plain Markdown for
//! everybody else.

use std::fmt::Write as _;

use crate::runbook::export::format::Book;
use crate::runbook::suggestion::{Effect, Suggestion, inputs};
use crate::runbook::text::{plain, told};

/// The document.
pub(super) fn document(book: &Book<'_>) -> String {
    let mut out = format!(
        "---\nshell: sh\nskipPrompts: false\n---\n\n# Recovery steps: {}\n\n\
         Steps that the findings of an experiment call for, in the order in which to work. Fill in the inputs first; a step\n\
         that changes the system asks for a second person.\n\n## Inputs\n\n```sh {{name=inputs interactive=true}}\n",
        plain(book.experiment)
    );
    // Writing into a String cannot fail; the results of `write!` are dropped for that reason.
    for input in inputs(book.suggestions) {
        let _ = writeln!(out, "# {}", input.meaning);
        let _ = writeln!(out, "export {name}=\"${{{name}:-}}\"", name = input.name);
    }
    out.push_str("```\n");
    for suggestion in book.in_order() {
        out.push_str(&of_suggestion(suggestion));
    }
    out
}

fn of_suggestion(suggestion: &Suggestion) -> String {
    let name = suggestion.rule.replace('_', "-");
    let mut out = format!("\n## {}\n\n", plain(&suggestion.title));
    let _ = writeln!(
        out,
        "{} {} (Confidence: {}, {}.)\n",
        plain(&suggestion.seen),
        plain(&suggestion.why),
        suggestion.confidence.grade.word(),
        plain(&suggestion.confidence.why)
    );
    for evidence in &suggestion.evidence {
        let _ = writeln!(out, "- {}", plain(&told(evidence)));
    }
    let _ = writeln!(out, "\n**Step.** {}\n", plain(&suggestion.step.text));
    let (attributes, approval) = match suggestion.step.effect {
        Effect::Reads => ("", ""),
        Effect::Changes => (
            " interactive=true",
            "printf 'A second person agrees? Type yes: '\nread -r answer\n[ \"$answer\" = yes ] || exit 1\n",
        ),
    };
    let _ = writeln!(
        out,
        "```sh {{name={name}-step{attributes}}}\n{approval}{}\n```\n",
        suggestion.step.command.shell()
    );
    let _ = writeln!(out, "**Verify.** {}\n", plain(&suggestion.verification.text));
    let _ = writeln!(
        out,
        "```sh {{name={name}-verify}}\n{}\n```\n",
        suggestion.verification.command.shell()
    );
    let _ = writeln!(out, "**Escalate.** {}", plain(&suggestion.escalation.text));
    out
}
