//! A summary for a pull request in GitHub-flavoured Markdown.
//!
//! Owns the escaping: text from the input can neither format, nor link, nor mention, nor end a cell.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::view::{Mark, Note, Page};
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

/// Text that stays text: characters with a meaning in GitHub-flavoured Markdown are escaped, mentions, issue numbers
/// and bare links broken by an entity.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut previous = ' ';
    let mut characters = text.trim().chars().peekable();
    while let Some(c) = characters.next() {
        let inside_word = previous.is_alphanumeric()
            && characters.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A zero-width non-joiner after the sign stops GitHub from linking; an entity alone does not.
            '@' | '#' => {
                out.push_str(if c == '@' { "&#64;" } else { "&#35;" });
                out.push('\u{200c}');
            }
            // Within a word an underscore has no meaning; names of metrics stay readable.
            '_' if inside_word => out.push(c),
            '|' | '`' | '*' | '_' | '[' | ']' | '~' | '\\' | '$' => {
                out.push('\\');
                out.push(c);
            }
            ':' if is_scheme(&out) => out.push_str("&#58;"),
            '.' if ends_with_www(&out) => out.push_str("&#46;"),
            '-' | '+' | '=' if out.is_empty() => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
        previous = c;
    }
    out
}

/// Whether what is written so far ends with `www`, which GitHub links once a dot follows.
fn ends_with_www(text: &str) -> bool {
    text.len() >= 3
        && text.is_char_boundary(text.len() - 3)
        && text[text.len() - 3..].eq_ignore_ascii_case("www")
}

/// Whether what is written so far ends with a scheme that GitHub links.
fn is_scheme(text: &str) -> bool {
    let word = text.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    ["http", "https", "ftp", "mailto", "xmpp"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_format_link_mention_or_end_a_cell() {
        for (raw, safe) in [
            ("a|b", "a\\|b"),
            ("<script>", "&lt;script&gt;"),
            ("@team", "&#64;\u{200c}team"),
            ("#1", "&#35;\u{200c}1"),
            ("`x`", "\\`x\\`"),
            ("https://e.example", "https&#58;//e.example"),
            ("www.e.example", "www&#46;e.example"),
            ("[a](b)", "\\[a\\](b)"),
            ("a_b _c_ d", "a_b \\_c\\_ d"),
            ("WWW.e.example", "WWW&#46;e.example"),
            ("two\nlines", "two lines"),
            ("payment-errors: 1", "payment-errors: 1"),
        ] {
            assert_eq!(escaped(raw), safe);
        }
    }
}
