//! The weekly report for a terminal: the sentence, what changed, what to run next.

use std::fmt::Write as _;

use crate::history::Weekly;
use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::text::{Style, ansi};

use super::view::WeeklyView;

/// Most lines of one list.
const LINES: usize = 12;

/// The report as text, each line ended.
///
/// # Errors
/// [`ReportError::Result`] if the report cannot be copied, which would be a bug.
pub fn weekly_text(weekly: &Weekly, style: Style) -> Result<String, ReportError> {
    let view = WeeklyView::new(weekly)?;
    let mut out = String::new();
    // Writing into a String cannot fail; the results of `write!` are dropped for that reason.
    let title = format!("{}  {}", view.mark.code.to_uppercase(), view.title);
    let _ = match style {
        Style::Ansi => writeln!(out, "{}{title}\u{1b}[0m", ansi(view.mark)),
        Style::Plain => writeln!(out, "{title}"),
    };
    let _ = writeln!(out, "{}", view.sentence);
    if !view.changes.is_empty() {
        out.push('\n');
    }
    for row in view.changes.iter().take(LINES) {
        let _ = writeln!(
            out,
            "{:<10} {}: {} ({})",
            row.state.to_lowercase(),
            row.experiment,
            row.what,
            row.detail
        );
    }
    more(&mut out, view.changes.len(), view.changes_left);
    if !view.next.is_empty() {
        out.push_str("\nnext:\n");
    }
    for row in view.next.iter().take(LINES) {
        let _ = writeln!(out, "{:>3}. {}: {}", row.rank, row.experiment, row.reason);
    }
    Ok(plain_spaces(&out))
}

fn more(out: &mut String, shown: usize, left: usize) {
    let left = left + shown.saturating_sub(LINES);
    if left > 0 {
        let _ = writeln!(out, "and {left} more");
    }
}
