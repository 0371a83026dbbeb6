//! Text that stays text in GitHub-flavoured Markdown.
//!
//! Owns the escaping for everything that is written as Markdown: summaries, postmortems, runbooks. What is escaped can
//! neither format, nor link, nor mention, nor end a cell, nor begin a heading, a list or a comment.

/// Text that stays text: characters with a meaning in GitHub-flavoured Markdown are escaped, mentions, issue numbers
/// and bare links broken by an entity.
pub fn escaped(text: &str) -> String {
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
            // "1." and "1)" begin a list.
            '.' | ')'
                if characters.peek().is_none_or(|next| next.is_whitespace())
                    && !out.is_empty()
                    && out.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
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
            ("1. item", "1\\. item"),
            ("1.5 s", "1.5 s"),
            ("payment-errors: 1", "payment-errors: 1"),
        ] {
            assert_eq!(escaped(raw), safe);
        }
    }
}
