//! Suggestions put into a runbook: the right section, nothing else touched, the same again when done again.
//!
//! Every suggestion is a block between two comments, which name the rule, the experiment and a checksum of what was
//! written. A block that a person edited is kept as it is; one that a person does not want is kept away with
//! `<!-- unfazed:ignore RULE -->`. Where a block would not be read as it is written (an open code block, a folded part),
//! another place is taken: each insertion is parsed again and has to show the same headings as before and the new one.

use crate::runbook::document::{Block, Outline, begin_marker, checksum, end_marker};
use crate::runbook::section;
use crate::runbook::suggestion::{Place, Suggestion};
use crate::runbook::text;
use crate::runbook::unified;

/// A runbook to patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunbookFile<'text> {
    /// Its path as the patch names it, with slashes, relative to where the patch is applied.
    pub path: &'text str,
    /// Its text; none where the patch has to make the file.
    pub text: Option<&'text str>,
    /// The experiment's name.
    pub experiment: &'text str,
    /// The experiment's owner.
    pub owner: &'text str,
}

/// A patched runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patched {
    /// The text with the suggestions in it.
    pub text: String,
    /// The change as a unified diff; empty if there is none.
    pub diff: String,
    /// Rules whose block is new.
    pub added: Vec<String>,
    /// Rules whose block was written anew.
    pub updated: Vec<String>,
    /// Rules whose suggestion was not written.
    pub kept: Vec<Kept>,
}

/// A suggestion that was not written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A person edited the block.
    Edited(String),
    /// The end of the block is missing.
    Unclosed(String),
    /// A comment asks to leave the rule out.
    Ignored(String),
    /// Nowhere in the text would the block be read as it is written.
    NoPlace(String),
}

impl Kept {
    /// What happened, for a person.
    pub fn told(&self) -> String {
        match self {
            Self::Edited(rule) => format!(
                "{rule}: its block was edited by hand and stays as it is; empty it to have it written anew"
            ),
            Self::Unclosed(rule) => {
                format!("{rule}: its block has no end marker and stays as it is")
            }
            Self::Ignored(rule) => format!("{rule}: left out, as the runbook asks"),
            Self::NoPlace(rule) => format!(
                "{rule}: nowhere in the runbook would the step be read as text; is a code block not closed?"
            ),
        }
    }
}

/// Puts suggestions into a runbook. Pure, and the same again on its own output.
pub fn patch(file: &RunbookFile<'_>, suggestions: &[Suggestion]) -> Patched {
    let old = file.text.unwrap_or_default();
    let mut patched = Patched {
        text: if file.text.is_some() { old.to_owned() } else { skeleton(file) },
        diff: String::new(),
        added: Vec::new(),
        updated: Vec::new(),
        kept: Vec::new(),
    };
    // Read in the order of a runbook, whatever the order of the suggestions.
    let mut ordered: Vec<&Suggestion> = suggestions.iter().collect();
    ordered.sort_by_key(|suggestion| suggestion.place);
    for suggestion in ordered {
        put(&mut patched, file, suggestion);
    }
    if patched.added.is_empty() && patched.updated.is_empty() {
        old.clone_into(&mut patched.text);
        return patched;
    }
    patched.diff = unified::diff(file.path, file.text, &patched.text);
    patched
}

/// The beginning of a runbook that is not there yet.
fn skeleton(file: &RunbookFile<'_>) -> String {
    format!("# Runbook: {}\n\nOwner: {}.\n", text::plain(file.experiment), text::plain(file.owner))
}

/// Puts one suggestion into the text.
fn put(patched: &mut Patched, file: &RunbookFile<'_>, suggestion: &Suggestion) {
    let rule = suggestion.rule.clone();
    let outline = Outline::of(&patched.text);
    let key = key(suggestion, file.experiment);
    if outline.ignored.contains(&rule) {
        return patched.kept.push(Kept::Ignored(rule));
    }
    if outline.unclosed.contains(&key) {
        return patched.kept.push(Kept::Unclosed(rule));
    }
    let body = text::body(suggestion, file.experiment);
    if let Some(block) = outline.blocks.iter().find(|block| block.key == key) {
        let found = &patched.text[block.content.clone()];
        let empty = found.trim().is_empty();
        if !empty && checksum(found) != block.checksum {
            return patched.kept.push(Kept::Edited(rule));
        }
        // The level that a person may have given the section around it is kept.
        let level = level_of(&outline, block);
        let content = content(suggestion, &body, level);
        if !empty && checksum(found) == checksum(&content) {
            return;
        }
        let written = in_kind(&block_text(&key, &content), &patched.text);
        let ends = patched.text[block.whole.clone()].ends_with('\n');
        let written = if ends { written } else { without_last_end(&written) };
        patched.text.replace_range(block.whole.clone(), &written);
        patched.updated.push(rule);
        return;
    }
    let next = candidates(&outline, &patched.text, suggestion.place).into_iter().find_map(|at| {
        let block = block_text(&key, &content(suggestion, &body, at.level + 1));
        let new = match at.heading {
            Some(heading) => format!("{} {heading}\n\n{block}", "#".repeat(at.level)),
            None => block,
        };
        let next = inserted(&patched.text, at.offset, &new);
        reads_as_written(&outline, &next, &key, at.heading.is_some()).then_some(next)
    });
    match next {
        Some(next) => {
            patched.text = next;
            patched.added.push(rule);
        }
        None => patched.kept.push(Kept::NoPlace(rule)),
    }
}

/// A place for a block.
struct Candidate {
    /// Where it is inserted: the beginning of a line, or the end of the text.
    offset: usize,
    /// Level of the section that it stands in.
    level: usize,
    /// The heading of the section, if that has to be made.
    heading: Option<&'static str>,
}

/// Places for a step, the best first.
fn candidates(outline: &Outline, text: &str, place: Place) -> Vec<Candidate> {
    let mut found = Vec::new();
    if let Some(heading) = section::find(outline, place) {
        let offset = outline.end_of(heading, text.len());
        found.push(Candidate { offset, level: heading.level, heading: None });
    }
    let level = section::section_level(outline);
    let heading = Some(section::made(place));
    let before = section::follows(place).iter().find_map(|next| section::find(outline, *next));
    if let Some(next) = before {
        found.push(Candidate { offset: next.start, level: next.level, heading });
    }
    found.push(Candidate { offset: text.len(), level, heading });
    if let Some(first) = outline.own().find(|heading| heading.level == level) {
        found.push(Candidate { offset: first.start, level, heading });
    }
    found.retain(|candidate| !outline.is_folded(candidate.offset));
    found
}

/// Whether the block is found again, and every heading that was there before.
fn reads_as_written(before: &Outline, next: &str, key: &str, section: bool) -> bool {
    let after = Outline::of(next);
    let names = |outline: &Outline| -> Vec<(usize, String)> {
        outline.headings.iter().map(|heading| (heading.level, heading.text.clone())).collect()
    };
    let (old, new) = (names(before), names(&after));
    let mut kept = new.iter();
    let all_there = old.iter().all(|heading| kept.any(|other| other == heading));
    let more = 1 + usize::from(section);
    after.blocks.iter().any(|block| block.key == key)
        && after.blocks.len() == before.blocks.len() + 1
        && all_there
        && new.len() == old.len() + more
}

/// The level that a block's own heading has; an emptied block gets that of a part of a section.
fn level_of(outline: &Outline, block: &Block) -> usize {
    outline
        .headings
        .iter()
        .find(|heading| block.content.contains(&heading.start))
        .map_or_else(|| section::section_level(outline) + 1, |heading| heading.level)
}

/// What stands between the markers.
fn content(suggestion: &Suggestion, body: &str, level: usize) -> String {
    format!("{} {}\n\n{body}", "#".repeat(level.min(6)), text::plain(&suggestion.title))
}

/// A block with its markers.
fn block_text(key: &str, content: &str) -> String {
    format!("{}\n\n{}\n\n{}\n", begin_marker(key, content), content.trim(), end_marker(key))
}

/// The key of a block: rule and experiment, in characters that may stand in a comment.
fn key(suggestion: &Suggestion, experiment: &str) -> String {
    let safe: String = experiment
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let words: Vec<&str> = safe.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(80).collect();
    let name = if name.is_empty() { "experiment" } else { name.trim_end_matches('-') };
    format!("{} {name}", suggestion.rule)
}

/// The text with `new` inserted, a blank line before and behind it, in the text's kind of line ends. A text without a last
/// line end has none afterwards.
fn inserted(text: &str, offset: usize, new: &str) -> String {
    let (before, behind) = text.split_at(offset);
    let end = line_end_of(text);
    let mut out = before.to_owned();
    if !before.is_empty() && !before.ends_with('\n') {
        out.push_str(end);
    }
    let blank = |text: &str| text.ends_with("\n\n") || text.ends_with("\n\r\n");
    if !before.trim().is_empty() && !blank(&out) {
        out.push_str(end);
    }
    let new = in_kind(new, text);
    if behind.is_empty() {
        let ends = text.is_empty() || text.ends_with('\n');
        out.push_str(&if ends { new } else { without_last_end(&new) });
        return out;
    }
    out.push_str(&new);
    if !behind.starts_with(['\n', '\r']) {
        out.push_str(end);
    }
    out.push_str(behind);
    out
}

/// The kind of line ends that most lines have.
fn line_end_of(text: &str) -> &'static str {
    let all = text.matches('\n').count();
    let with_return = text.matches("\r\n").count();
    if 2 * with_return > all { "\r\n" } else { "\n" }
}

/// `new` with the line ends of `text`.
fn in_kind(new: &str, text: &str) -> String {
    match line_end_of(text) {
        "\r\n" => new.replace('\n', "\r\n"),
        _ => new.to_owned(),
    }
}

fn without_last_end(text: &str) -> String {
    text.trim_end_matches(['\n', '\r']).to_owned()
}
