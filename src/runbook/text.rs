//! A suggestion as people read it: as Markdown for a runbook, and as plain text for a terminal.
//!
//! Text of the input stays text: it is escaped for Markdown and for the template languages that runbooks pass through
//! (`{{`, `{%`).

use std::fmt::Write as _;

use crate::runbook::suggestion::{Effect, Evidence, Suggestion, inputs};
use crate::unit::markdown;

/// Text that stays text in a runbook, also where Hugo, Jekyll or `MkDocs` read it first.
pub(crate) fn plain(text: &str) -> String {
    markdown::escaped(text).replace("{{", "&#123;{").replace("{%", "&#123;%")
}

/// The body of a suggestion below its heading, in Markdown with LF line ends and a final one.
pub(crate) fn body(suggestion: &Suggestion, experiment: &str) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail; the results of `write!` are dropped for that reason.
    let _ = writeln!(
        out,
        "{} {} (From the experiment {}; confidence: {}, {}.)\n",
        plain(&suggestion.seen),
        plain(&suggestion.why),
        plain(experiment),
        suggestion.confidence.grade.word(),
        plain(&suggestion.confidence.why)
    );
    for evidence in &suggestion.evidence {
        let _ = writeln!(out, "- {}", plain(&told(evidence)));
    }
    let approval = match suggestion.step.effect {
        Effect::Reads => "",
        Effect::Changes => " (this changes the system: let a second person agree first)",
    };
    let _ = writeln!(out, "\n**Step**{approval}. {}\n", plain(&suggestion.step.text));
    let _ = writeln!(out, "```sh\n{}\n```\n", suggestion.step.command.shell());
    let _ = writeln!(out, "**Verify.** {}\n", plain(&suggestion.verification.text));
    let _ = writeln!(out, "```sh\n{}\n```\n", suggestion.verification.command.shell());
    let _ = writeln!(out, "**Escalate.** {}", plain(&suggestion.escalation.text));
    out
}

/// Evidence in words, with the metric where the words do not name it.
pub fn told(evidence: &Evidence) -> String {
    if evidence.text.contains(&evidence.metric) {
        evidence.text.clone()
    } else {
        format!("{}: {}", evidence.metric, evidence.text)
    }
}

/// All suggestions as plain text for a terminal.
pub fn listed(suggestions: &[Suggestion]) -> String {
    if suggestions.is_empty() {
        return "no suggestions: the result holds no evidence for a change\n".to_owned();
    }
    let mut out = String::new();
    for (number, suggestion) in (1..).zip(suggestions) {
        let _ = writeln!(
            out,
            "{number}. {}  [{}; confidence: {}]",
            suggestion.title,
            suggestion.rule,
            suggestion.confidence.grade.word()
        );
        let _ = writeln!(out, "   {} {}", suggestion.seen, suggestion.why);
        for evidence in &suggestion.evidence {
            let _ = writeln!(out, "   - {}", told(evidence));
        }
        let _ = writeln!(out, "   confidence  {}", suggestion.confidence.why);
        let _ = writeln!(out, "   step        {}", suggestion.step.text);
        let _ = writeln!(out, "   verify      {}", suggestion.verification.text);
        let _ = writeln!(out, "   escalate    {}\n", suggestion.escalation.text);
    }
    let _ = writeln!(out, "to fill in before a command runs:");
    for input in inputs(suggestions) {
        let _ = writeln!(out, "   {:<16}{}", input.name, input.meaning);
    }
    out
}
