//! A document as a tree in which every value knows its line and column.
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

/// Greatest document that is read at all. An experiment is a few kilobytes.
pub(crate) const GREATEST_BYTES: usize = 1 << 20;

/// Deepest nesting that is read; an experiment needs eight.
pub(crate) const GREATEST_DEPTH: usize = 64;

/// Most values that a document may have once its aliases are written out.
const MOST_NODES: usize = 100_000;

/// Most text, in bytes, that a document may have once its aliases are written out.
const MOST_TEXT: usize = 4 << 20;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Counted from 1.
    pub(crate) line: usize,
    /// In characters, counted from 1.
    pub(crate) column: usize,
}

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A single value as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// Whether a scalar may mean something else than its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes: may be a number, true, false or nothing.
    Plain,
    /// In quotes or as a block: always text.
    Quoted,
}

/// What a scalar means under the core schema of YAML 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Nothing,
    True,
    False,
    Number,
    Text,
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) value: Node,
}

/// A tree and the problems that do not keep it from being walked.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) problems: Vec<Problem>,
}

impl Scalar {
    /// What the text means: only plain scalars can be anything but text.
    pub(crate) fn meaning(&self) -> Meaning {
        if self.style == Style::Quoted {
            return Meaning::Text;
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Nothing,
            "true" | "True" | "TRUE" => Meaning::True,
            "false" | "False" | "FALSE" => Meaning::False,
            text if is_number(text) => Meaning::Number,
            _ => Meaning::Text,
        }
    }
}

impl Node {
    /// What stands here, for a message: `the text 'abc'`, `a list`, `nothing`.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Scalar(scalar) => match scalar.meaning() {
                Meaning::Nothing => "nothing".to_owned(),
                Meaning::True | Meaning::False => scalar.text.to_lowercase(),
                Meaning::Number => format!("the number {}", quoted(&scalar.text)),
                Meaning::Text => format!("the text '{}'", quoted(&scalar.text)),
            },
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Mapping(entries) => {
                entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
            }
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// How many values, how much text and how many levels this is.
    fn size(&self) -> Size {
        let own = Size { nodes: 1, text: 0, depth: 0 };
        match &self.value {
            Value::Scalar(scalar) => Size { text: scalar.text.len(), ..own },
            Value::Sequence(items) => items.iter().map(Self::size).fold(own, Size::around),
            Value::Mapping(entries) => entries
                .iter()
                .map(|entry| {
                    let size = entry.value.size();
                    Size { text: size.text + entry.key.len(), ..size }
                })
                .fold(own, Size::around),
        }
    }
}

/// The size of a subtree.
#[derive(Debug, Clone, Copy)]
struct Size {
    nodes: usize,
    text: usize,
    depth: usize,
}

impl Size {
    fn around(self, child: Self) -> Self {
        Self {
            nodes: self.nodes + child.nodes,
            text: self.text + child.text,
            depth: self.depth.max(child.depth + 1),
        }
    }
}

/// Whether a plain scalar is a number under the core schema (`12`, `-1.5e3`, `0x1F`, `0o17`, `.inf`, `.nan`).
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return !digits.is_empty() && digits.chars().all(|c| c.is_digit(8));
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
        && unsigned.parse::<f64>().is_ok()
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
    Problem {
        line: marker.line().max(1),
        column: marker.col() + 1,
        path: String::new(),
        message: format!("the document is not YAML: {}", quoted(info)),
    }
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
                Some(Key { text, line, column }) => match lines.get(&text) {
                    Some(first) => doubled = Some((Key { text, line, column }, *first)),
                    None => {
                        lines.insert(text.clone(), line);
                        entries.push(Entry { key: text, line, column, value: node });
                    }
                },
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

/// The path of a key below another path.
pub(crate) fn below(path: &str, key: &str) -> String {
    let key = quoted(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
