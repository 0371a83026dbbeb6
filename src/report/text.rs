//! The terminal summary: the same story in at most a screen.
//!
//! At most [`LINES`] lines of [`COLUMNS`] columns: verdict and headline, one or two lines per claim, recovery, what
//! was not judged. Whether colour is wished is the caller's to say; nothing here asks the environment.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::view::{ClaimView, Mark, Page, RecoveryView};
use crate::verdict::result::AnalysisResult;

/// Most lines of a summary.
const LINES: usize = 24;
/// Columns at which lines are broken or clipped.
const COLUMNS: usize = 100;

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
    let title = format!("{}  {}", page.headline.mark.word.to_uppercase(), page.headline.experiment);
    head.push(Line { mark: Some(page.headline.mark), text: title });
    head.extend(wrapped(&page.headline.sentence, 2, 4).into_iter().map(Line::plain));
    head.push(Line::plain(format!("  {}", page.headline.tally)));

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
fn ansi(mark: Mark) -> &'static str {
    match mark.code {
        "pass" => "\u{1b}[1;32m",
        "fail" => "\u{1b}[1;31m",
        "inconclusive" => "\u{1b}[1;33m",
        _ => "\u{1b}[1m",
    }
}

/// What a claim takes: a line with its verdict, and lines that explain it.
struct Entry {
    head: Line,
    more: Vec<String>,
}

/// The claims in at most `room` lines: what is explained gets shorter first, then passes are counted, not listed.
fn claims(page: &Page, room: usize) -> Vec<Line> {
    let mut entries: Vec<Entry> = page.claims.iter().map(of_claim).collect();
    if let Some(recovery) = &page.recovery {
        entries.push(of_recovery(recovery));
    }
    let size = |entries: &[Entry]| entries.iter().map(|entry| 1 + entry.more.len()).sum::<usize>();
    for entry in entries.iter_mut().filter(|entry| is_pass(entry)) {
        entry.more.truncate(1);
    }
    for keep in [2, 1, 0] {
        if size(&entries) > room {
            for entry in entries.iter_mut().rev() {
                entry.more.truncate(keep);
            }
        }
    }
    let mut left = 0;
    while size(&entries) + usize::from(left > 0) > room && entries.len() > 1 {
        let last_pass = entries.iter().rposition(is_pass).unwrap_or(entries.len() - 1);
        entries.remove(last_pass);
        left += 1;
    }
    let mut lines = Vec::new();
    for entry in entries {
        lines.push(entry.head);
        lines.extend(entry.more.into_iter().map(Line::plain));
    }
    if left > 0 {
        lines.push(Line::plain(format!("  … and {left} more in report.html")));
    }
    lines
}

/// Whether an entry passed.
fn is_pass(entry: &Entry) -> bool {
    entry.head.mark.is_some_and(|mark| mark.code == "pass")
}

/// A verdict's column.
fn column(mark: Mark) -> String {
    format!("  {:<13}", mark.word.to_lowercase())
}

/// A claim's lines.
fn of_claim(view: &ClaimView) -> Entry {
    let mut head = format!("{}{}  {}", column(view.mark), clipped(&view.name, 32), view.claim);
    if let Some(decision) = &view.decision {
        let _ = write!(head, "  [{}; needed {}]", decision.limit_words, decision.bound_words);
    }
    let mut more = wrapped(&view.line, 17, 1);
    if view.mark.code != "pass" {
        more.extend(view.reasons.iter().take(1).flat_map(|reason| {
            let needed = reason.needed.as_deref().unwrap_or_default();
            wrapped(&format!("{} {needed}", reason.message), 17, 2)
        }));
    }
    Entry { head: Line { mark: Some(view.mark), text: head }, more }
}

/// The lines of recovery.
fn of_recovery(view: &RecoveryView) -> Entry {
    let claim = if view.claim.is_empty() { "no deadline is stated" } else { &view.claim };
    let mut head = format!("{}recovery  {claim}", column(view.mark));
    if let Some(decision) = &view.decision {
        let _ = write!(head, "  [{}]", decision.limit_words);
    }
    let mut more = wrapped(&view.line, 17, 1);
    let times: Vec<String> = view
        .kinds
        .iter()
        .map(|kind| format!("{} {}", kind.label.to_lowercase(), kind.median.text))
        .collect();
    more.push(format!("{:17}median time to {}", "", times.join(", ")));
    if view.mark.code != "pass" {
        more.extend(view.reasons.iter().take(1).flat_map(|reason| wrapped(&reason.message, 17, 2)));
    }
    Entry { head: Line { mark: Some(view.mark), text: head }, more }
}

/// What was not judged, warnings, level and seed.
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
    let codes: Vec<&str> =
        page.headline.warnings.iter().map(|warning| warning.code.as_str()).collect();
    if !codes.is_empty() {
        lines.push(Line::plain(format!("  warnings      {}", codes.join(", "))));
    }
    lines.push(Line::plain(format!(
        "  method        one-sided limits at {}, seed {}",
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
            *last = format!("{} …", clipped(last, width - 2));
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
