//! The formats, what goes into them, and text that stays text in all of them.

use crate::runbook::export::{executable_markdown, rundeck, ssm, stackstorm};
use crate::runbook::suggestion::Suggestion;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// Job definitions of Rundeck in YAML.
    Rundeck,
    /// An Orquesta workflow of `StackStorm`, with the metadata of its action.
    StackStorm,
    /// An Automation document of AWS Systems Manager, schema 0.3.
    Ssm,
    /// Markdown whose commands can be run where they stand (Runme), and read anywhere.
    Markdown,
}

impl Export {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Rundeck, Self::StackStorm, Self::Ssm, Self::Markdown];

    /// The word of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rundeck => "rundeck",
            Self::StackStorm => "stackstorm",
            Self::Ssm => "ssm",
            Self::Markdown => "markdown",
        }
    }

    /// The files of a book, the main one first; a book without suggestions has none.
    pub fn files(self, book: &Book<'_>) -> Vec<ExportFile> {
        if book.suggestions.is_empty() {
            return Vec::new();
        }
        let slug = book.slug();
        let file = |path: String, text: String| ExportFile { path, text };
        match self {
            Self::Rundeck => vec![file(format!("{slug}.rundeck.yaml"), rundeck::jobs(book))],
            Self::StackStorm => vec![
                file(format!("actions/workflows/{slug}.yaml"), stackstorm::workflow(book)),
                file(format!("actions/{slug}.yaml"), stackstorm::action(book)),
            ],
            Self::Ssm => vec![file(format!("{slug}.ssm.yaml"), ssm::document(book))],
            Self::Markdown => vec![file(format!("{slug}.md"), executable_markdown::document(book))],
        }
    }
}

/// What is exported.
#[derive(Debug, Clone, Copy)]
pub struct Book<'data> {
    /// Name of the experiment.
    pub experiment: &'data str,
    /// The suggestions.
    pub suggestions: &'data [Suggestion],
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Where it belongs, relative to the directory that is written to.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Book<'_> {
    /// The experiment's name in characters that every format takes in names.
    pub(super) fn slug(&self) -> String {
        let safe: String = self
            .experiment
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let words: Vec<&str> = safe.split('-').filter(|word| !word.is_empty()).collect();
        let name: String = words.join("-").chars().take(80).collect();
        let name = name.trim_end_matches('-');
        if name.is_empty() { "recovery".to_owned() } else { format!("recover-{name}") }
    }

    /// The suggestions in the order in which a person works.
    pub(super) fn in_order(&self) -> Vec<&Suggestion> {
        let mut ordered: Vec<&Suggestion> = self.suggestions.iter().collect();
        ordered.sort_by_key(|suggestion| suggestion.place);
        ordered
    }
}

/// Text that no template language of these formats reads as its own: `{{`, `{%`, `<%`, `${` and `@option` are taken apart.
pub(super) fn inert(text: &str) -> String {
    let mut out = text.to_owned();
    for (acting, apart) in [
        ("{{", "{ {"),
        ("{%", "{ %"),
        ("{#", "{ #"),
        ("<%", "< %"),
        ("${", "$ {"),
        ("@option", "@ option"),
    ] {
        // A replacement may bring two braces together that were not.
        while out.contains(acting) {
            out = out.replace(acting, apart);
        }
    }
    out
}

/// What a step's description says.
pub(super) fn described(suggestion: &Suggestion) -> String {
    inert(&format!("{} {}", suggestion.seen, suggestion.step.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_template_languages_is_taken_apart() {
        assert_eq!(
            inert("{{{ a }} <% b %> ${c} @option.d@"),
            "{ { { a }} < % b %> $ {c} @ option.d@"
        );
    }
}
