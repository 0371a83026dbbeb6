//! The runs of a history for a terminal: one line a run, oldest first.

use crate::history::RunSummary;
use crate::report::shown::shown_name;
use crate::report::text::{Style, ansi};
use crate::report::view::Mark;

/// One run of the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed<'run> {
    /// Number within the history, from 1.
    pub sequence: u64,
    /// The run.
    pub run: &'run RunSummary,
}

/// The list with a line of headings; a sentence if there is nothing to list.
pub fn history_text(runs: &[Listed<'_>], style: Style) -> String {
    if runs.is_empty() {
        return "no runs\n".to_owned();
    }
    let mut rows =
        vec![["No.", "Started (UTC)", "Verdict", "Experiment", "Kills", "Run"].map(str::to_owned)];
    rows.extend(runs.iter().map(row));
    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (column, width) in widths.iter().enumerate() {
            let cell = &row[column];
            let padding = " ".repeat(width - cell.chars().count() + 2);
            let mark = at.checked_sub(1).map(|run| Mark::of(Some(runs[run].run.verdict)));
            match (style, mark, column) {
                (_, _, 0) => out.extend([&padding[2..], cell, "  "]),
                (Style::Ansi, Some(mark), 2) => {
                    out.extend([ansi(mark), cell, "\u{1b}[0m", &padding]);
                }
                (Style::Ansi | Style::Plain, _, _) => out.extend([cell.as_str(), &padding]),
            }
        }
        out.push_str(&row[5]);
        out.push('\n');
    }
    out
}

/// The cells of a run.
fn row(listed: &Listed<'_>) -> [String; 6] {
    let run = listed.run;
    [
        listed.sequence.to_string(),
        run.started_at.to_utc().format("%Y-%m-%d %H:%M").to_string(),
        run.verdict.word().to_owned(),
        shown_name(&run.experiment),
        format!("{}/{}", run.kills.usable, run.kills.fault),
        shown_name(&run.run_id),
    ]
}
