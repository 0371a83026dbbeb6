//! `postmortem.md`: the document that a team completes, and what becomes of its edits when it is generated again.
//!
//! The template's blocks between markers are ours, everything else belongs to people and is never touched. A block whose
//! checksum says that a person edited it is kept as it is, and told; an emptied one is written anew; a removed one stays
//! away. Progress (parts to complete, open actions) is counted in the document itself.

use serde::Serialize;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::templates::{PageKind, Templates};
use crate::report::view::{EventLink, Fact, Page};
use crate::runbook::document::{Outline, begin_marker, checksum};
use crate::unit::markdown::escaped;
use crate::verdict::result::AnalysisResult;

/// What the comment on the first line begins with; the experiment follows.
const OWNER: &str = "<!-- unfazed:postmortem ";
/// What stands where people have something to complete.
const TO_COMPLETE: &str = "_To complete";

/// A postmortem that was brought together with the one that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The document.
    pub text: String,
    /// What to tell: blocks that were kept, or why nothing was written.
    pub notes: Vec<String>,
}

/// What the template receives, every text escaped for Markdown.
#[derive(Serialize)]
struct Document {
    key: String,
    experiment: String,
    verdict: String,
    headline: String,
    facts: Vec<Line>,
    summary: Vec<String>,
    trigger: String,
    impact: Vec<Impact>,
    questions: Vec<String>,
    detection: String,
    resolution: String,
    changes: Vec<Action>,
    well: Vec<String>,
    badly: Vec<String>,
    lucky: Vec<String>,
    course: String,
    moments: Vec<Row>,
    support: Vec<Line>,
    learning: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    term: String,
    text: String,
}

#[derive(Serialize)]
struct Impact {
    name: String,
    mark: String,
    before: String,
    after: String,
    change: String,
    inside: String,
}

#[derive(Serialize)]
struct Action {
    title: String,
    kind: String,
    grade: String,
    rule: String,
}

#[derive(Serialize)]
struct Row {
    at: String,
    offset: String,
    kind: String,
    message: String,
    link: Option<String>,
}

/// The postmortem of a result, nothing completed yet. Same result and templates, same bytes.
///
/// # Errors
/// [`ReportError::Template`] if a template asks for what there is not.
pub fn postmortem(
    result: &AnalysisResult,
    templates: &Templates,
    link: &EventLink,
) -> Result<String, ReportError> {
    let page = Page::linked(result, link)?;
    let rendered = templates.render(PageKind::Postmortem, &document(&page))?;
    Ok(sealed(&with_progress(&plain_spaces(&rendered))))
}

/// How far people have come with a postmortem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostmortemProgress {
    /// Parts still to complete.
    pub to_complete: u32,
    /// Action items still open.
    pub open_actions: u32,
}

/// The progress of a postmortem, counted outside of what is generated.
pub fn postmortem_progress(text: &str) -> PostmortemProgress {
    let outline = Outline::of(text);
    let theirs = |what: &str| {
        let count = text.match_indices(what).filter(|(at, _)| !outline.is_ours(*at)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    PostmortemProgress { to_complete: theirs(TO_COMPLETE), open_actions: theirs("- [ ] ") }
}

/// Brings a new postmortem together with the one that is there.
pub fn merge_postmortem(old: &str, new: &str) -> Merged {
    let (theirs, ours) = (owner(old), owner(new));
    if theirs != ours {
        let whose = theirs.map_or_else(
            || "was not written by unfazed".to_owned(),
            |theirs| format!("is of the experiment {theirs}"),
        );
        let note =
            format!("postmortem.md {whose} and stays as it is; move it away to have one written");
        return Merged { text: old.to_owned(), notes: vec![note] };
    }
    let mut notes: Vec<String> = Vec::new();
    let (there, fresh) = (Outline::of(old), Outline::of(new));
    let returns = 2 * old.matches("\r\n").count() > old.matches('\n').count();
    let mut text = old.to_owned();
    for block in there.blocks.iter().rev() {
        let Some(next) = fresh.blocks.iter().find(|next| next.key == block.key) else { continue };
        let found = &old[block.content.clone()];
        if !found.trim().is_empty() && checksum(found) != block.checksum {
            notes.push(format!(
                "postmortem.md: the part '{}' was edited by hand and stays as it is; empty it to have it written anew",
                block.key
            ));
            continue;
        }
        let mut written = new[next.whole.clone()].trim_end().to_owned();
        if old[block.whole.clone()].ends_with('\n') {
            written.push('\n');
        }
        if returns {
            written = written.replace('\n', "\r\n");
        }
        text.replace_range(block.whole.clone(), &written);
    }
    notes.extend(there.unclosed.iter().map(|key| {
        format!("postmortem.md: the part '{key}' has no end marker and stays as it is")
    }));
    notes.reverse();
    let text = if there.blocks.iter().any(|block| block.key == "learning") {
        sealed_part(&with_progress(&text), "learning", &there, old)
    } else {
        text
    };
    Merged { text, notes }
}

/// The experiment that a postmortem is of.
fn owner(text: &str) -> Option<&str> {
    text.trim_start_matches('\u{feff}').trim_start().strip_prefix(OWNER)?.split(" -->").next()
}

/// Writes the checksum of every block into its first marker.
fn sealed(text: &str) -> String {
    let mut out = text.to_owned();
    for block in Outline::of(text).blocks.iter().rev() {
        let content = &text[block.content.clone()];
        let marker = format!("{}\n", begin_marker(&block.key, content));
        out.replace_range(block.whole.start..block.content.start, &marker);
    }
    out
}

/// Seals one part again, unless a person had edited it.
fn sealed_part(text: &str, key: &str, there: &Outline, old: &str) -> String {
    let edited = there.blocks.iter().any(|block| {
        let found = &old[block.content.clone()];
        block.key == key && !found.trim().is_empty() && checksum(found) != block.checksum
    });
    let outline = Outline::of(text);
    let Some(block) = outline.blocks.iter().find(|block| block.key == key && !edited) else {
        return text.to_owned();
    };
    let mut out = text.to_owned();
    let end =
        if text[block.whole.start..block.content.start].ends_with("\r\n") { "\r\n" } else { "\n" };
    let marker = format!("{}{end}", begin_marker(key, &text[block.content.clone()]));
    out.replace_range(block.whole.start..block.content.start, &marker);
    out
}

/// The part on learning with the document's own progress.
fn with_progress(text: &str) -> String {
    let outline = Outline::of(text);
    let Some(block) = outline.blocks.iter().find(|block| block.key == "learning") else {
        return text.to_owned();
    };
    let content = &text[block.content.clone()];
    let ours = |at: usize| outline.is_ours(at);
    let open = text.match_indices(TO_COMPLETE).filter(|(at, _)| !ours(*at)).count();
    let unchecked = text.match_indices("- [ ] ").filter(|(at, _)| !ours(*at)).count();
    let checked = ["- [x] ", "- [X] "]
        .iter()
        .map(|box_| text.match_indices(box_).filter(|(at, _)| !ours(*at)).count())
        .sum::<usize>();
    let mut lines: Vec<String> = content
        .lines()
        .filter(|line| {
            !line.starts_with("- Parts to complete") && !line.starts_with("- Actions open")
        })
        .map(str::to_owned)
        .collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines.push(format!("- Parts to complete: {open}"));
    lines.push(format!("- Actions open: {unchecked} of {}", unchecked + checked));
    let end = if content.contains("\r\n") { "\r\n" } else { "\n" };
    let mut written = lines.join(end);
    written.push_str(end);
    written.push_str(end);
    let mut out = text.to_owned();
    out.replace_range(block.content.clone(), &written);
    out
}

/// The texts of a page, escaped.
fn document(page: &Page) -> Document {
    let story = &page.postmortem;
    let all = |lines: &[String]| lines.iter().map(|line| escaped(line)).collect::<Vec<_>>();
    let facts = |facts: &[Fact]| {
        facts
            .iter()
            .map(|fact| Line { term: escaped(fact.term), text: escaped(&fact.text) })
            .collect::<Vec<_>>()
    };
    Document {
        key: key(&page.headline.experiment),
        experiment: escaped(&page.headline.experiment),
        // Most headlines begin with the verdict.
        verdict: if page.headline.sentence.starts_with(page.headline.mark.word) {
            String::new()
        } else {
            format!("{}. ", page.headline.mark.word)
        },
        headline: escaped(&page.headline.sentence),
        facts: facts(&page.headline.facts),
        summary: all(&story.summary),
        trigger: escaped(&story.trigger),
        impact: story
            .impact
            .iter()
            .map(|row| Impact {
                name: escaped(&row.name),
                mark: row.mark.word.to_owned(),
                before: escaped(&row.before.text),
                after: escaped(&row.after.text),
                change: escaped(&row.change.text),
                inside: escaped(&row.inside),
            })
            .collect(),
        questions: all(&story.questions),
        detection: escaped(&story.detection),
        resolution: escaped(&story.resolution),
        changes: story
            .changes
            .iter()
            .map(|change| Action {
                title: escaped(&change.title),
                kind: change.kind.to_owned(),
                grade: change.grade.to_owned(),
                rule: change.rule.clone(),
            })
            .collect(),
        well: all(&story.well),
        badly: all(&story.badly),
        lucky: all(&story.lucky),
        course: story.course.as_ref().map_or_else(
            || "No kill has a course to tell.".to_owned(),
            |course| escaped(&format!("Kill {}: {}.", course.index, course.why)),
        ),
        moments: story.course.iter().flat_map(|course| &course.moments).map(row).collect(),
        support: facts(&page.method.facts),
        learning: facts(&story.learning),
    }
}

fn row(moment: &crate::report::view::Moment) -> Row {
    Row {
        at: escaped(&moment.at),
        offset: escaped(&moment.offset),
        kind: escaped(&moment.kind),
        message: escaped(&moment.message),
        // An address in angle brackets must not hold any, nor end a cell.
        link: moment
            .link
            .as_ref()
            .map(|link| link.replace('<', "%3C").replace('>', "%3E").replace('|', "%7C")),
    }
}

/// The experiment's name in characters that may stand in a comment.
fn key(experiment: &str) -> String {
    let safe: String =
        experiment.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = safe.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(80).collect();
    if name.is_empty() { "experiment".to_owned() } else { name }
}
