//! The terminal summary: the same story in at most a screen.
//!
//! At most [`LINES`] lines of [`COLUMNS`] columns: verdict and headline, one or two lines per claim, recovery, what
//! was not judged. Whether colour is wished is the caller's to say; nothing here asks the environment.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::view::{ClaimView, Mark, Note, Page, RecoveryView};
use crate::verdict::result::AnalysisResult;
use crate::verdict::tool_verdict::TOOL_VERDICT_DIFFERS;

/// Most lines of a summary.
const LINES: usize = 24;
/// Columns at which lines are broken or clipped.
const COLUMNS: usize = 100;
/// Indent of what explains a claim.
const INDENT: usize = 4;

/// Whether the summary carries colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// ANSI codes for bold and the colours of verdicts.
    Ansi,
}

/// The summary, each line ended.
///
/// # Errors
/// [`ReportError::Result`] if the result cannot be copied, which would be a bug.
pub fn text(result: &AnalysisResult, style: Style) -> Result<String, ReportError> {
    let page = Page::new(result)?;
    let mut head = Vec::new();
    let word = page.headline.mark.word.to_uppercase();
    let name = clipped(&page.headline.experiment, 50);
    let title = format!("{word}  {name}: {}", page.headline.tally);
    head.push(Line { mark: Some(page.headline.mark), text: title });
    head.extend(wrapped(&page.headline.sentence, 2, 4).into_iter().map(Line::plain));

    let foot = foot(result, &page);
    let room = LINES.saturating_sub(head.len() + foot.len() + 1);
    let mut lines = head;
    lines.push(Line::plain(String::new()));
    lines.extend(claims(&page, room));
    lines.extend(foot);

    let mut out = String::new();
    for line in &lines {
        let text = clipped(&plain_spaces(&line.text), COLUMNS);
        let text = text.trim_end();
        // Writing into a String cannot fail.
        let _ = match (style, line.mark) {
            (Style::Ansi, Some(mark)) => writeln!(out, "{}{text}\u{1b}[0m", ansi(mark)),
            (Style::Plain, _) | (Style::Ansi, None) => writeln!(out, "{text}"),
        };
    }
    Ok(out)
}

/// A line and the verdict that colours it.
struct Line {
    mark: Option<Mark>,
    text: String,
}

impl Line {
    /// A line without a verdict.
    const fn plain(text: String) -> Self {
        Self { mark: None, text }
    }
}

/// Bold in the colour of a verdict.
pub(crate) fn ansi(mark: Mark) -> &'static str {
    match mark.code {
        "pass" => "\u{1b}[1;32m",
        "fail" => "\u{1b}[1;31m",
        "inconclusive" => "\u{1b}[1;33m",
        _ => "\u{1b}[1m",
    }
}

/// What a claim has to say.
struct Entry {
    head: Line,
    /// The k-of-N line.
    line: String,
    /// What explains it: reasons, times.
    more: Vec<String>,
}

/// How much of the entries is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Everything.
    Full,
    /// What explains a pass is left off.
    PassesShort,
    /// The k-of-N line only, at most two lines long.
    Line,
    /// The same, of a pass only what fits one line.
    PassesCut,
    /// The k-of-N line cut to one line.
    Cut,
    /// The verdicts alone.
    Verdicts,
}

impl Detail {
    /// From the most to the least.
    const ALL: [Self; 6] =
        [Self::Full, Self::PassesShort, Self::Line, Self::PassesCut, Self::Cut, Self::Verdicts];
}

impl Entry {
    /// Its lines below the head.
    fn below(&self, detail: Detail) -> Vec<String> {
        let line = |most| wrapped(&self.line, INDENT, most);
        let full = || {
            let more = self.more.iter().flat_map(|text| wrapped(text, INDENT, 2));
            line(2).into_iter().chain(more).collect()
        };
        match detail {
            Detail::PassesShort if self.is_pass() => line(2),
            Detail::Full | Detail::PassesShort => full(),
            Detail::PassesCut if self.is_pass() => line(1),
            Detail::Line | Detail::PassesCut => line(2),
            Detail::Cut => line(1),
            Detail::Verdicts => Vec::new(),
        }
    }

    /// Whether it passed.
    fn is_pass(&self) -> bool {
        self.head.mark.is_some_and(|mark| mark.code == "pass")
    }
}

/// The claims in at most `room` lines: details go first, then passes are counted, not listed.
fn claims(page: &Page, room: usize) -> Vec<Line> {
    let mut entries: Vec<Entry> = page.claims.iter().map(of_claim).collect();
    if let Some(recovery) = &page.recovery {
        entries.push(of_recovery(recovery));
    }
    let size = |entries: &[Entry], detail| {
        entries.iter().map(|entry| 1 + entry.below(detail).len()).sum::<usize>()
    };
    let detail = Detail::ALL
        .into_iter()
        .find(|detail| size(&entries, *detail) <= room)
        .unwrap_or(Detail::Verdicts);
    let mut left = 0;
    while size(&entries, detail) + usize::from(left > 0) > room && entries.len() > 1 {
        let last_pass = entries.iter().rposition(Entry::is_pass).unwrap_or(entries.len() - 1);
        entries.remove(last_pass);
        left += 1;
    }
    let mut lines = Vec::new();
    for entry in entries {
        let below = entry.below(detail);
        lines.push(entry.head);
        lines.extend(below.into_iter().map(Line::plain));
    }
    if left > 0 {
        lines.push(Line::plain(format!("  … and {left} more in the report")));
    }
    lines
}

/// A verdict's column.
fn column(mark: Mark) -> String {
    format!("  {:<13}", mark.word.to_lowercase())
}

/// What a claim has to say.
fn of_claim(view: &ClaimView) -> Entry {
    let mut head = format!("{}{}  {}", column(view.mark), clipped(&view.name, 32), view.claim);
    if let Some(decision) = &view.decision {
        let _ = write!(head, "  [{}; needed {}]", decision.limit_words, decision.bound_words);
    }
    Entry {
        head: Line { mark: Some(view.mark), text: head },
        line: view.line.clone(),
        more: view
            .reasons
            .iter()
            .take(1)
            .map(Note::sentence)
            .chain(view.within_window.iter().map(|within| within.line.clone()))
            .collect(),
    }
}

/// What recovery has to say.
fn of_recovery(view: &RecoveryView) -> Entry {
    let claim = if view.claim.is_empty() { "no deadline is stated" } else { &view.claim };
    let mut head = format!("{}recovery  {claim}", column(view.mark));
    if let Some(decision) = &view.decision {
        let _ = write!(head, "  [{}; needed {}]", decision.limit_words, decision.bound_words);
    }
    let times: Vec<String> = view
        .kinds
        .iter()
        .map(|kind| format!("{} {}", kind.label.to_lowercase(), kind.median.text))
        .collect();
    let mut line = view.line.trim_end().to_owned();
    let _ = write!(line, " Median time to {}.", times.join(", "));
    Entry {
        head: Line { mark: Some(view.mark), text: head },
        line: line.trim_start().to_owned(),
        more: view.reasons.iter().take(1).map(Note::sentence).collect(),
    }
}

/// What was not judged, what another tool said, warnings, level and seed.
fn foot(result: &AnalysisResult, page: &Page) -> Vec<Line> {
    let mut lines = vec![Line::plain(String::new())];
    lines.push(Line::plain(format!("  judged        {}", page.census.summary)));
    let rows = &page.census.rows;
    for row in rows.iter().take(2) {
        lines.push(Line::plain(format!("  not judged    {}: {}", row.what, row.why)));
    }
    if rows.len() > 2 {
        lines.push(Line::plain(format!("  not judged    … and {} more", rows.len() - 2)));
    }
    // One is enough here: a campaign of many sessions has the others in the report.
    let differing =
        page.headline.warnings.iter().find(|warning| warning.code == TOOL_VERDICT_DIFFERS);
    if let Some(warning) = differing {
        let mut said = wrapped(&warning.message, 16, 4);
        if let Some(first) = said.first_mut() {
            first.replace_range(..16, "  two verdicts  ");
        }
        lines.extend(said.into_iter().map(Line::plain));
    }
    let codes: Vec<&str> =
        page.headline.warnings.iter().map(|warning| warning.code.as_str()).collect();
    let warnings =
        if codes.is_empty() { String::new() } else { format!("; warnings: {}", codes.join(", ")) };
    lines.push(Line::plain(format!(
        "  method        one-sided limits at {}, seed {}{warnings}",
        crate::report::number::share(result.confidence),
        result.seed
    )));
    lines
}

/// `text` broken at spaces to at most `most` lines of the usual width, each indented.
fn wrapped(text: &str, indent: usize, most: usize) -> Vec<String> {
    let width = COLUMNS - indent;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    // A no-break space keeps number and unit on one line.
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        let longer = line.chars().count() + 1 + word.chars().count() > width;
        if longer && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            if last.chars().count() + 2 > width {
                let cut = last.rfind(' ').unwrap_or(last.len());
                last.truncate(cut);
            }
            last.push_str(" …");
        }
    }
    lines.into_iter().map(|line| format!("{:indent$}{}", "", clipped(&line, width))).collect()
}

/// At most `limit` characters, the last an ellipsis if any were left off.
fn clipped(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(limit - 1).collect();
    out.push('…');
    out
}
