//! The result as text that is safe to show.
//!
//! Owns what happens to hostile or oversized text from the input before any renderer sees it: control characters
//! and characters that reorder text become visible codes (`[U+202E]`), and texts longer than a reader would read
//! are clipped with a mark. Every string of the result passes here, also those of fields added later, because the
//! walk is over the serialised form. Escaping for HTML, Markdown or XML stays with the renderers.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::report::ReportError;
use crate::verdict::result::AnalysisResult;

/// Longest name, id or label in characters: two lines of a wide page.
const NAME_LIMIT: usize = 160;
/// Longest sentence in characters: half a screen. Longer texts stay whole in `result.json`.
const SENTENCE_LIMIT: usize = 1200;
/// Fields that hold sentences rather than names.
const SENTENCES: &[&str] = &[
    "headline",
    "sentence",
    "message",
    "text",
    "line",
    "hypothesis",
    "description",
    "healthy",
    "note",
    "why",
    "of",
    "margin_from",
    "document_changes",
    "runbook_change",
    "reason",
];

/// A copy of the result in which every text is safe to show.
///
/// # Errors
/// [`ReportError::Result`] if the copy no longer reads as a result, which would be a bug of this file.
pub fn shown(result: &AnalysisResult) -> Result<AnalysisResult, ReportError> {
    let mut copy = result.clone();
    // Points hold no text but are nearly all of the size.
    let points: Vec<_> =
        copy.timeline.metrics.iter_mut().map(|metric| std::mem::take(&mut metric.points)).collect();
    let mut value = serde_json::to_value(&copy).map_err(ReportError::Result)?;
    walk(&mut value, NAME_LIMIT);
    let mut copy: AnalysisResult = serde_json::from_value(value).map_err(ReportError::Result)?;
    for (metric, points) in copy.timeline.metrics.iter_mut().zip(points) {
        metric.points = points;
    }
    Ok(copy)
}

/// A copy of any document in which every text is safe to show.
///
/// # Errors
/// [`ReportError::Result`] if the copy no longer reads as what it was, which would be a bug of this file.
pub(crate) fn shown_of<T: Serialize + DeserializeOwned>(document: &T) -> Result<T, ReportError> {
    let mut value = serde_json::to_value(document).map_err(ReportError::Result)?;
    walk(&mut value, NAME_LIMIT);
    serde_json::from_value(value).map_err(ReportError::Result)
}

/// Makes every string below `value` safe, keys of labels included.
fn walk(value: &mut Value, limit: usize) {
    match value {
        Value::String(text) => {
            if let Some(safe) = changed(text, limit) {
                *text = safe;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, limit)),
        Value::Object(fields) => {
            let old = std::mem::take(fields);
            for (key, mut field) in old {
                let limit =
                    if SENTENCES.contains(&key.as_str()) { SENTENCE_LIMIT } else { NAME_LIMIT };
                walk(&mut field, limit);
                fields.insert(changed(&key, NAME_LIMIT).unwrap_or(key), field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A name as it is safe to show: nothing in it acts, and it is at most two lines of a wide page long.
pub(crate) fn shown_name(text: &str) -> String {
    changed(text, NAME_LIMIT).unwrap_or_else(|| text.to_owned())
}

/// The safe form of a text, if it differs.
fn changed(text: &str, limit: usize) -> Option<String> {
    let plain = text.len() <= limit && !text.chars().any(is_unsafe);
    (!plain).then(|| safe(text, limit))
}

/// Visible codes for what must not act, then at most `limit` characters.
fn safe(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(4 * limit));
    let mut written = 0;
    for (position, c) in text.chars().enumerate() {
        if written >= limit {
            let total = text.chars().count();
            if position < total {
                out.extend(["… (", &total.to_string(), " characters)"]);
            }
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            _ if is_unsafe(c) => {
                let code = format!("[U+{:04X}]", u32::from(c));
                written += code.len() - 1;
                out.push_str(&code);
            }
            _ => out.push(c),
        }
        written += 1;
    }
    out
}

/// Characters that act on their surroundings instead of being seen: controls, line separators, bidirectional marks
/// and overrides, and code points that XML forbids.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}')
        || (u32::from(c) & 0xfffe) == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_acts_becomes_text_that_is_seen() {
        assert_eq!(safe("a\u{202e}b\u{7}c\nd", 100), "a[U+202E]b[U+0007]c d");
        assert_eq!(changed("plain <b>", 100), None);
    }

    #[test]
    fn a_long_name_is_clipped_with_its_length() {
        let name = "é".repeat(10_000);
        let clipped = safe(&name, NAME_LIMIT);
        assert!(clipped.ends_with("… (10000 characters)"), "{clipped}");
        assert!(clipped.chars().count() < NAME_LIMIT + 30);
    }

    #[test]
    fn emoji_with_joiners_stay_whole() {
        assert_eq!(changed("👩\u{200d}🚒 ok", 100), None);
    }
}
