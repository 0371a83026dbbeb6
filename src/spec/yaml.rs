//! YAML and JSON read into a tree in which every value knows its line and column.
//!
//! Owns the door to the YAML parser and the guards against hostile documents: size, nesting, aliases that multiply,
//! doubled keys, second documents. Refuses to know what any key means. The walkers read the tree.
//!
//! JSON is accepted: it is YAML but for tabs between tokens and characters written as two `\u` halves; both are
//! rewritten in place before parsing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::spec::problem::{Problem, quoted};
use crate::spec::tree::{Entry, Meaning, Node, Scalar, Size, Style, Value, below};

/// Greatest document that is read at all. An experiment is a few kilobytes.
pub(crate) const GREATEST_BYTES: usize = 1 << 20;

/// Deepest nesting that is read; an experiment needs eight.
pub(crate) const GREATEST_DEPTH: usize = 64;

/// Most values that a document may have once its aliases are written out.
const MOST_NODES: usize = 100_000;

/// Most text, in bytes, that a document may have once its aliases are written out.
const MOST_TEXT: usize = 4 << 20;

/// A tree and the problems that do not keep it from being walked.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) problems: Vec<Problem>,
}

/// Reads the bytes of a document as text.
///
/// # Errors
/// The document is too large or not UTF-8.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > GREATEST_BYTES {
        return Err(whole(format!(
            "the document has {} bytes; accepted are at most {GREATEST_BYTES} (1 MiB)",
            bytes.len()
        )));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // Everything before the offending byte is valid UTF-8, so that its characters can be counted.
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let line = before.split(|byte| *byte == b'\n').count();
        let message = format!(
            "the document is not UTF-8: byte 0x{:02X} cannot stand here; save it as UTF-8",
            bytes[error.valid_up_to()]
        );
        Problem { line, column, path: String::new(), message }
    })
}

/// Reads one document.
///
/// Cost: linear in the text and in the written-out aliases, both bounded.
///
/// # Errors
/// The document cannot be walked at all: it is not YAML, empty, too deep, too large once its aliases are written
/// out, or more than one.
pub(crate) fn parse(text: &str) -> Result<Document, Problem> {
    let text = json_as_yaml(text);
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(&text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(error.marker(), error.info()))?;
        builder.take(event, span.start)?;
    }
    let Builder { root, problems, .. } = builder;
    match root {
        Some(Node { value: Value::Scalar(scalar), .. }) if scalar.meaning() == Meaning::Nothing => {
            Err(empty())
        }
        Some(root) => Ok(Document { root, problems }),
        None => Err(empty()),
    }
}

fn whole(message: String) -> Problem {
    Problem { line: 1, column: 1, path: String::new(), message }
}

fn empty() -> Problem {
    whole("the document is empty; `unfazed init` writes one to start from".to_owned())
}

fn not_yaml(marker: &Marker, info: &str) -> Problem {
    // The scanner looks ahead and gives up at 255 levels, before the builder has counted to 64.
    let message = if info.contains("recursion limit") {
        too_deep()
    } else {
        format!("the document is not YAML: {}", quoted(info))
    };
    Problem { line: marker.line().max(1), column: marker.col() + 1, path: String::new(), message }
}

/// JSON rewritten so that a YAML parser reads it, with every line and column kept but for those that follow a
/// character written as two halves on the same line.
fn json_as_yaml(text: &str) -> Cow<'_, str> {
    let is_json = text.trim_start().starts_with(['{', '['])
        && (text.contains('\t') || text.contains("\\u"))
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !is_json {
        return Cow::Borrowed(text);
    }
    // In valid JSON a tab cannot stand inside a string.
    let text = text.replace('\t', " ");
    let mut whole = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(character) = surrogate_pair(rest) {
            whole.push(character);
            rest = &rest[12..];
        } else {
            // An escape is a backslash and at least one ASCII character: valid JSON has no other.
            whole.push_str(&rest[..2]);
            rest = &rest[2..];
        }
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// The character that the text starts with if it is written as `\uD83D\uDE00`.
fn surrogate_pair(text: &str) -> Option<char> {
    let half = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let pair = [half(text)?, half(text.get(6..)?)?];
    match char::decode_utf16(pair).next()? {
        Ok(character) if u32::from(character) > 0xFFFF => Some(character),
        Ok(_) | Err(_) => None,
    }
}

/// A mapping or a sequence that is still open.
#[derive(Debug)]
struct Open {
    anchor: usize,
    line: usize,
    column: usize,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, lines: BTreeMap<String, usize>, key: Option<Key> },
}

/// A key whose value is awaited.
#[derive(Debug)]
struct Key {
    text: String,
    line: usize,
    column: usize,
}

/// Builds the tree out of the parser's events without recursion.
#[derive(Debug, Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    text: usize,
    problems: Vec<Problem>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Marker) -> Result<(), Problem> {
        let (line, column) = (at.line().max(1), at.col() + 1);
        let here = |message: String| Problem { line, column, path: String::new(), message };
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document starts here; accepted is one document a file";
                    return Err(here(message.to_owned()));
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or_else(|| {
                    here("an alias stands inside the value that it repeats".to_owned())
                })?;
                let size = node.size();
                if self.open.len() + size.depth > GREATEST_DEPTH {
                    return Err(here(too_deep()));
                }
                self.spend(size, &here)?;
                self.place(node, 0, line, column)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Style::Quoted,
                };
                let style = self.tagged(style, tag.as_deref(), line, column);
                let text = text.into_owned();
                self.spend(Size { nodes: 1, text: text.len(), depth: 0 }, &here)?;
                let value = Value::Scalar(Scalar { text, style });
                self.place(Node { value, line, column }, anchor, line, column)
            }
            Event::SequenceStart(anchor, tag) => {
                self.tagged(Style::Plain, tag.as_deref(), line, column);
                self.begin(Open { anchor, line, column, inside: Inside::Sequence(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.tagged(Style::Plain, tag.as_deref(), line, column);
                let (entries, lines) = (Vec::new(), BTreeMap::new());
                let inside = Inside::Mapping { entries, lines, key: None };
                self.begin(Open { anchor, line, column, inside })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, line, column, inside }) = self.open.pop() else {
                    return Ok(());
                };
                let value = match inside {
                    Inside::Sequence(items) => Value::Sequence(items),
                    Inside::Mapping { entries, .. } => Value::Mapping(entries),
                };
                self.place(Node { value, line, column }, anchor, line, column)
            }
        }
    }

    /// Opens a mapping or a sequence.
    fn begin(&mut self, open: Open) -> Result<(), Problem> {
        let here = |message: String| Problem {
            line: open.line,
            column: open.column,
            path: String::new(),
            message,
        };
        if self.open.len() >= GREATEST_DEPTH {
            return Err(here(too_deep()));
        }
        if let Some(Open { inside: Inside::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(here("a key is a list or a mapping; accepted is text".to_owned()));
        }
        self.spend(Size { nodes: 1, text: 0, depth: 0 }, &here)?;
        self.open.push(open);
        Ok(())
    }

    /// Counts against the budget of values and text.
    fn spend(&mut self, size: Size, here: &dyn Fn(String) -> Problem) -> Result<(), Problem> {
        self.nodes += size.nodes;
        self.text += size.text;
        if self.nodes > MOST_NODES || self.text > MOST_TEXT {
            return Err(here(format!(
                "the document has more than {MOST_NODES} values or {MOST_TEXT} bytes of text once its aliases are written out; write fewer aliases"
            )));
        }
        Ok(())
    }

    /// Puts a finished value where it belongs. `line` and `column` are those of the value or of its alias.
    fn place(
        &mut self,
        node: Node,
        anchor: usize,
        line: usize,
        column: usize,
    ) -> Result<(), Problem> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let mut doubled = None;
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::Sequence(items)) => items.push(node),
            Some(Inside::Mapping { entries, lines, key }) => match key.take() {
                None => {
                    let Value::Scalar(scalar) = node.value else {
                        let message = "a key is a list or a mapping; accepted is text".to_owned();
                        return Err(Problem { line, column, path: String::new(), message });
                    };
                    *key = Some(Key { text: scalar.text, line, column });
                }
                Some(Key { text, line, column }) => {
                    if let Some(first) = lines.get(&text) {
                        doubled = Some((Key { text, line, column }, *first));
                    } else {
                        lines.insert(text.clone(), line);
                        entries.push(Entry { key: text, line, column, value: node });
                    }
                }
            },
        }
        if let Some((Key { text, line, column }, first)) = doubled {
            let path = below(&self.path(), &text);
            let message = format!("the key is given twice; it stands in line {first} already");
            self.problems.push(Problem { line, column, path, message });
        }
        Ok(())
    }

    /// The path of the value that is being placed.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match &open.inside {
                Inside::Sequence(items) => path = format!("{path}[{}]", items.len()),
                Inside::Mapping { key: Some(key), .. } => path = below(&path, &key.text),
                Inside::Mapping { key: None, .. } => {}
            }
        }
        path
    }

    /// The style of a scalar after its tag. Tags beyond the core schema are a problem.
    fn tagged(&mut self, style: Style, tag: Option<&Tag>, line: usize, column: usize) -> Style {
        let Some(tag) = tag else {
            return style;
        };
        if tag.is_yaml_core_schema() {
            match tag.suffix.as_str() {
                "str" => return Style::Quoted,
                "int" | "float" | "bool" | "null" | "map" | "seq" => return style,
                _ => {}
            }
        }
        self.problems.push(Problem {
            line,
            column,
            path: self.path(),
            message: format!(
                "found the tag '{}'; accepted are values without tags",
                quoted(&tag.to_string())
            ),
        });
        style
    }
}

fn too_deep() -> String {
    format!(
        "the document is nested over {GREATEST_DEPTH} deep; accepted are {GREATEST_DEPTH} levels"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text).unwrap_err().message
    }

    #[test]
    fn a_document_of_exactly_one_mebibyte_is_read_and_a_byte_more_is_not() {
        let mut bytes = vec![b'#'; GREATEST_BYTES];
        assert!(text_of(&bytes).is_ok());
        bytes.push(b'#');
        assert!(text_of(&bytes).unwrap_err().message.contains("1 MiB"));
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(GREATEST_DEPTH)).is_ok());
        assert!(message(&nested(GREATEST_DEPTH + 1)).contains("64 deep"));
        assert!(message(&"[".repeat(1 << 20)).contains("64 deep"));
        assert!(message(&"- ".repeat(1 << 19)).contains("64 deep"));
        // Through aliases, too: 40 levels inside the fortieth.
        let text = format!("a: &a {}\nb: {}*a{}", nested(40), "[".repeat(40), "]".repeat(40));
        assert!(message(&text).contains("64 deep"));
    }

    #[test]
    fn aliases_multiply_neither_values_nor_text_without_limit() {
        let text = format!("a: &a \"{}\"\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(20));
        assert!(message(&text).contains("written out"));
        let text = format!("a: &a [{}]\nb: [{}]", "1,".repeat(10_000), "*a, ".repeat(20));
        assert!(message(&text).contains("written out"));
        assert!(parse("a: &a {b: 1}\nc: *a").unwrap().root.get("c").unwrap().get("b").is_some());
    }

    #[test]
    fn hostile_documents_end_in_linear_time_and_without_a_panic() {
        let size = 1 << 18;
        for piece in [
            "{a: ",
            "a: ",
            "? ",
            "&a ",
            "*a ",
            "!a ",
            "!!str ",
            "\"",
            "'",
            "|\n",
            "- a\n",
            "a:\n",
            "\t",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "\\u",
            "{\"\\ud83d",
            "\u{85}",
            "\u{2028}",
            "é",
            "[a, ",
            "{a, ",
            ", ",
            ": ",
            "}",
            "]",
            "#",
            "\r",
            "@",
            "`",
            "- - ",
            "-\n ",
            "? - ",
            "a: b\n ",
            "{?",
            "[?",
            "<<: *a\n",
            "&a a: *a\n",
            "> \n",
            "\"\\\n",
        ] {
            let text = piece.repeat(size / piece.len());
            let _ = parse(&text);
            let _ = parse(&format!("{{{text}"));
        }
        let keys: String = (0..40_000).map(|index| format!("key{index}: 1\n")).collect();
        assert!(parse(&keys).is_ok());
    }

    #[test]
    fn places_are_those_of_the_characters() {
        let root =
            parse("a:\n  b: [1, \"x\",\n    {c: é, d: 2}]\ne: &x |\n  text\nf: *x\n").unwrap().root;
        let place = |node: &Node| (node.line, node.column);
        let list = root.get("a").unwrap().get("b").unwrap();
        assert_eq!(place(list), (2, 6));
        let Value::Sequence(items) = &list.value else { panic!("a list") };
        assert_eq!(place(&items[1]), (2, 10));
        assert_eq!(place(items[2].get("d").unwrap()), (3, 15));
    }

    #[test]
    fn json_keeps_its_places_and_its_characters() {
        let text = "{\n\t\"a\": \"\\ud83d\\ude00\\u00e9\\\\u\",\t\"b\":\t[1]}";
        let root = parse(text).unwrap().root;
        let Value::Scalar(scalar) = &root.get("a").unwrap().value else { panic!("a scalar") };
        assert_eq!(scalar.text, "😀é\\u");
        assert_eq!(root.get("b").unwrap().line, 2);
        assert!(matches!(json_as_yaml("{a: \tb}"), Cow::Borrowed(_)));
    }
}
