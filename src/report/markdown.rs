//! A summary for a pull request in GitHub-flavoured Markdown.
//!
//! Text from the input can neither format, nor link, nor mention, nor end a cell: it passes `unit::markdown`.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::view::{Mark, Note, Page};
use crate::unit::markdown::escaped;
use crate::verdict::result::AnalysisResult;

/// Most rows of what was not judged; all stand in the report.
const ROWS: usize = 10;

/// The summary with a final newline.
///
/// # Errors
/// [`ReportError::Result`] if the result cannot be copied, which would be a bug.
pub fn markdown(result: &AnalysisResult) -> Result<String, ReportError> {
    let page = Page::new(result)?;
    let head = &page.headline;
    let mut out = format!(
        "## {} {}: {}\n\n**{}**\n\n",
        symbol(head.mark),
        head.mark.word,
        escaped(&head.experiment),
        escaped(&head.sentence)
    );
    // Writing into a String cannot fail; the results of `write!` are dropped for that reason.
    let _ = writeln!(out, "Hypothesis: {}\n", escaped(&head.hypothesis));
    claims(&mut out, &page);
    notes(&mut out, "Why this is not a pass", &head.reasons);
    not_judged(&mut out, &page);
    notes(&mut out, "What to know besides", &head.warnings);
    let digest = result.samples_digest.as_deref().unwrap_or("–");
    let _ = writeln!(
        out,
        "<sub>{}; one-sided limits at {}; seed {}; samples {}; {} {}</sub>",
        escaped(page.census.summary.trim_end_matches('.')),
        crate::report::number::share(result.confidence),
        result.seed,
        escaped(digest),
        escaped(&result.tool.name),
        escaped(&result.tool.version),
    );
    Ok(plain_spaces(&out))
}

/// The table of claims, and the k-of-N lines below it.
fn claims(out: &mut String, page: &Page) {
    let rows = &page.headline.claims;
    if rows.is_empty() {
        return;
    }
    out.push_str("| Verdict | Metric | Claim | Kills inside | Limit | Needed |\n");
    out.push_str("|---|---|---|--:|--:|--:|\n");
    for row in rows {
        let _ = writeln!(
            out,
            "| {} {} | {} | {} | {} | {} | {} |",
            symbol(row.mark),
            row.mark.word,
            escaped(&row.name),
            escaped(&row.claim),
            escaped(&row.inside),
            escaped(&row.seen),
            escaped(&row.bound),
        );
    }
    out.push('\n');
    let lines = page
        .claims
        .iter()
        .map(|claim| (claim.name.as_str(), claim.line.as_str()))
        .chain(page.recovery.iter().map(|recovery| ("recovery", recovery.line.as_str())));
    for (name, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let _ = writeln!(out, "- {}: {}", escaped(name), escaped(line));
    }
    out.push('\n');
}

/// A headed list of reasons or warnings.
fn notes(out: &mut String, heading: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    let _ = writeln!(out, "### {heading}\n");
    for note in notes {
        out.push_str("- ");
        if let Some(metric) = &note.metric {
            let _ = write!(out, "{}: ", escaped(metric));
        }
        out.push_str(&escaped(&note.sentence()));
        let _ = writeln!(out, " ({})", escaped(&note.code));
    }
    out.push('\n');
}

/// What was not judged, folded.
fn not_judged(out: &mut String, page: &Page) {
    let rows = &page.census.rows;
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "<details><summary>Not judged ({})</summary>\n", rows.len());
    out.push_str("| What | Why | What follows |\n|---|---|---|\n");
    for row in rows.iter().take(ROWS) {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            escaped(&row.what),
            escaped(&row.why),
            escaped(row.treatment)
        );
    }
    if rows.len() > ROWS {
        let _ = writeln!(out, "| … and {} more | | |", rows.len() - ROWS);
    }
    out.push_str("\n</details>\n\n");
}

/// The sign of a verdict; its word always stands beside it.
fn symbol(mark: Mark) -> &'static str {
    match mark.code {
        "pass" => "✅",
        "fail" => "❌",
        "inconclusive" => "❔",
        _ => "▫️",
    }
}
