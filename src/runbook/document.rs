//! A runbook in Markdown: its headings, its sections, and the blocks that were put into it.
//!
//! Positions are byte offsets from a real parser: a `#` inside a code block is no heading, and a marker inside one is no
//! marker. Owns the form of the markers; refuses to know suggestions.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A heading that stands in no list, quote or other container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: usize,
    /// Its text without markup.
    pub text: String,
    /// Where its line begins.
    pub start: usize,
}

/// A block that was put in by us, from its first marker to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which one, as both markers say.
    pub key: String,
    /// Checksum of the content when it was written.
    pub checksum: String,
    /// The whole block with its markers and the line end behind it.
    pub whole: Range<usize>,
    /// What stands between the markers.
    pub content: Range<usize>,
}

/// What a parser sees of a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Headings in order, those in our own blocks included.
    pub headings: Vec<Heading>,
    /// Our blocks.
    pub blocks: Vec<Block>,
    /// Keys of blocks whose end is missing.
    pub unclosed: Vec<String>,
    /// Rules that a person does not want.
    pub ignored: Vec<String>,
    /// Where `<details>` elements begin and end.
    folds: Vec<Fold>,
}

/// A `<details>` tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    /// It opens here.
    Opens(usize),
    /// It closes here.
    Closes(usize),
}

/// A marker as it is written in a comment.
enum Marker {
    Begin { key: String, checksum: String },
    End { key: String },
    Ignore { rule: String },
}

/// What begins every marker.
const PREFIX: &str = "unfazed:";

/// The first marker of a block.
pub(crate) fn begin_marker(key: &str, content: &str) -> String {
    format!("<!-- {PREFIX}begin {key} {} -->", checksum(content))
}

/// The last marker of a block.
pub(crate) fn end_marker(key: &str) -> String {
    format!("<!-- {PREFIX}end {key} -->")
}

/// A checksum of text (FNV-1a, 64 bits) that does not depend on the kind of line ends or on white space around it. It shows
/// that a person has edited a block; it protects against nobody.
pub fn checksum(content: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in content.trim().bytes().filter(|byte| *byte != b'\r') {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

impl Outline {
    /// What a parser sees in `text`.
    pub fn of(text: &str) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
            | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
        let mut outline = Self::default();
        let mut depth = 0_usize;
        let mut heading: Option<Heading> = None;
        let mut open: Option<(String, String, Range<usize>)> = None;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                    let start = line_start(text, range.start);
                    heading = Some(Heading { level: number(level), text: String::new(), start });
                }
                Event::End(TagEnd::Heading(_)) if depth == 0 => {
                    outline.headings.extend(heading.take());
                }
                Event::Start(
                    Tag::BlockQuote(_)
                    | Tag::List(_)
                    | Tag::Item
                    | Tag::FootnoteDefinition(_)
                    | Tag::Table(_),
                ) => depth += 1,
                Event::End(
                    TagEnd::BlockQuote(_)
                    | TagEnd::List(_)
                    | TagEnd::Item
                    | TagEnd::FootnoteDefinition
                    | TagEnd::Table,
                ) => depth = depth.saturating_sub(1),
                Event::Text(words) | Event::Code(words) => {
                    if let Some(heading) = &mut heading {
                        heading.text.push_str(&words);
                    }
                }
                Event::Html(html) if depth == 0 => {
                    outline.fold(&html, range.start);
                    outline.marked(&html, &range, text, &mut open);
                }
                _ => {}
            }
        }
        outline.unclosed.extend(open.map(|(key, _, _)| key));
        outline
    }

    /// Notes a `<details>` tag.
    fn fold(&mut self, html: &str, at: usize) {
        let lower = html.to_ascii_lowercase();
        self.folds.extend(lower.matches("<details").map(|_| Fold::Opens(at)));
        self.folds.extend(lower.matches("</details").map(|_| Fold::Closes(at)));
    }

    /// Notes a marker.
    fn marked(
        &mut self,
        html: &str,
        range: &Range<usize>,
        text: &str,
        open: &mut Option<(String, String, Range<usize>)>,
    ) {
        match marker(html) {
            Some(Marker::Begin { key, checksum }) => {
                self.unclosed.extend(open.take().map(|(key, _, _)| key));
                *open = Some((key, checksum, range.clone()));
            }
            Some(Marker::End { key }) => match open.take() {
                Some((begun, checksum, from)) if begun == key => {
                    let end = line_end(text, range.start);
                    self.blocks.push(Block {
                        key,
                        checksum,
                        content: line_end(text, from.start)..line_start(text, range.start),
                        whole: line_start(text, from.start)..end,
                    });
                }
                other => self.unclosed.extend(other.map(|(key, _, _)| key)),
            },
            Some(Marker::Ignore { rule }) => self.ignored.push(rule),
            None => {}
        }
    }

    /// Whether a position lies inside one of our blocks.
    pub(crate) fn is_ours(&self, at: usize) -> bool {
        self.blocks.iter().any(|block| block.whole.contains(&at))
    }

    /// Headings that people wrote.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Heading> {
        self.headings.iter().filter(|heading| !self.is_ours(heading.start))
    }

    /// Whether a position lies inside an open `<details>` element.
    pub(crate) fn is_folded(&self, at: usize) -> bool {
        let mut open = 0_i64;
        for fold in &self.folds {
            match fold {
                Fold::Opens(start) if *start < at => open += 1,
                Fold::Closes(start) if *start < at => open -= 1,
                Fold::Opens(_) | Fold::Closes(_) => {}
            }
        }
        open > 0
    }

    /// Where the section of a heading ends: at the next heading of its level or above, else at the end of the text.
    pub(crate) fn end_of(&self, heading: &Heading, length: usize) -> usize {
        self.own()
            .filter(|other| other.start > heading.start && other.level <= heading.level)
            .map(|other| other.start)
            .min()
            .unwrap_or(length)
    }
}

/// The marker in a piece of HTML, if it is one.
fn marker(html: &str) -> Option<Marker> {
    let inside = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    let words: Vec<&str> = inside.strip_prefix(PREFIX)?.split_whitespace().collect();
    match words.as_slice() {
        ["begin", key @ .., checksum] if !key.is_empty() => {
            Some(Marker::Begin { key: key.join(" "), checksum: (*checksum).to_owned() })
        }
        ["end", key @ ..] if !key.is_empty() => Some(Marker::End { key: key.join(" ") }),
        ["ignore", rule] => Some(Marker::Ignore { rule: (*rule).to_owned() }),
        _ => None,
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |found| found + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found + 1)
}

const fn number(level: HeadingLevel) -> usize {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(text: &str) -> Vec<(usize, String)> {
        Outline::of(text).headings.into_iter().map(|one| (one.level, one.text)).collect()
    }

    #[test]
    fn headings_in_code_quotes_lists_and_front_matter_are_none() {
        let text = "---\n# no: 1\n---\n\n# Yes\n\n```sh\n# no\n```\n\n    # no\n\n> # no\n\n- # no\n\nAlso `yes`\n---\n";
        let found = headings(text);
        assert_eq!(found, [(1, "Yes".to_owned()), (2, "Also yes".to_owned())]);
    }

    #[test]
    fn a_marker_inside_code_is_none() {
        let text = "```\n<!-- unfazed:begin a b 0 -->\nx\n<!-- unfazed:end a b -->\n```\n";
        assert_eq!(Outline::of(text).blocks, []);
    }

    #[test]
    fn a_block_is_found_with_its_content_and_line_end() {
        let text = "a\r\n\r\n<!-- unfazed:begin rule name 00ff -->\r\n\r\nx\r\n\r\n<!-- unfazed:end rule name -->\r\n\r\nb";
        let outline = Outline::of(text);
        assert_eq!(outline.blocks.len(), 1);
        assert_eq!(outline.blocks[0].key, "rule name");
        assert_eq!(outline.blocks[0].checksum, "00ff");
        assert_eq!(text[outline.blocks[0].content.clone()].trim(), "x");
        assert!(text[outline.blocks[0].whole.clone()].ends_with("-->\r\n"));
    }

    #[test]
    fn the_checksum_ignores_line_ends_and_nothing_else() {
        assert_eq!(checksum("a\r\nb\r\n"), checksum("\na\nb"));
        assert_ne!(checksum("a\nb"), checksum("a b"));
    }
}
