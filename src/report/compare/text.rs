//! The comparison for a terminal: the answer, its sentence, two lines a claim.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::text::{Style, ansi};
use crate::verdict::compare::result::Comparison;

use super::view::{ClaimView, ComparisonView};

/// The comparison as text, each line ended.
///
/// # Errors
/// [`ReportError::Result`] if the comparison cannot be copied, which would be a bug.
pub fn comparison_text(comparison: &Comparison, style: Style) -> Result<String, ReportError> {
    let view = ComparisonView::new(comparison)?;
    let mut out = String::new();
    // Writing into a String cannot fail; the results of `write!` are dropped for that reason.
    let word = view.mark.word.to_uppercase();
    let title = format!("{word}  {}", view.experiment);
    let _ = match style {
        Style::Ansi => writeln!(out, "{}{title}\u{1b}[0m", ansi(view.mark)),
        Style::Plain => writeln!(out, "{title}"),
    };
    let _ = writeln!(out, "{}", view.sentence);
    if let Some(change) = &view.runbook_change {
        let _ = writeln!(out, "Runbook change: {}", change.text);
    }
    out.push('\n');
    for claim in &view.claims {
        claim_lines(&mut out, claim, style);
    }
    for row in &view.not_compared {
        let _ = writeln!(out, "not compared: {}: {}", row.metric, row.why);
    }
    for change in &view.document_changes {
        let _ = writeln!(out, "documents differ: {change}");
    }
    for warning in &view.warnings {
        let _ = writeln!(out, "warning: {}: {}", warning.code, warning.message);
    }
    Ok(plain_spaces(&out))
}

fn claim_lines(out: &mut String, claim: &ClaimView, style: Style) {
    let word = claim.mark.word.to_lowercase();
    let head = format!(
        "{word:<12} {}: {} ({} → {})",
        claim.name,
        claim.claim.as_deref().unwrap_or("no claim"),
        claim.before.word.to_lowercase(),
        claim.after.word.to_lowercase()
    );
    let _ = match style {
        Style::Ansi => writeln!(out, "{}{head}\u{1b}[0m", ansi(claim.mark)),
        Style::Plain => writeln!(out, "{head}"),
    };
    for one in claim.quantities.iter().filter(|one| one.estimate.value.is_some()) {
        let _ = writeln!(
            out,
            "             {}: {} → {}; change {} ({} … {}), margin {}",
            one.label.to_lowercase(),
            one.before.text,
            one.after.text,
            one.estimate.text,
            one.lower.text,
            one.upper.text,
            one.margin.text
        );
    }
    for reason in claim.reasons.iter().filter(|_| claim.mark.code == "inconclusive") {
        let _ = writeln!(out, "             {}: {}", reason.code, reason.message);
    }
}
