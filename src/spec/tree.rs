//! A document as a tree in which every value knows its line and column.
//!
//! Owns the tree and what a plain scalar means. Refuses to know how the tree was written down (`yaml.rs` reads it) and
//! what any key means (the walkers do).

use crate::spec::problem::quoted;

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
    pub(crate) fn size(&self) -> Size {
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
pub(crate) struct Size {
    pub(crate) nodes: usize,
    pub(crate) text: usize,
    pub(crate) depth: usize,
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

/// The path of a key below another path.
pub(crate) fn below(path: &str, key: &str) -> String {
    let key = quoted(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says_and_quoted_ones_are_text() {
        let plain = |text: &str| Scalar { text: text.to_owned(), style: Style::Plain }.meaning();
        for text in ["", "~", "null"] {
            assert_eq!(plain(text), Meaning::Nothing, "{text}");
        }
        for text in ["0", "-12", "+1.5", ".5", "1e3", "1.", "0x1F", "0o17", ".inf", "-.INF", ".nan"]
        {
            assert_eq!(plain(text), Meaning::Number, "{text}");
        }
        for text in
            ["yes", "no", "on", "1_000", "5s", "-", ".", "1.2.3", "e3", "inf", "0b1", "12:30"]
        {
            assert_eq!(plain(text), Meaning::Text, "{text}");
        }
        let quoted = Scalar { text: "5".to_owned(), style: Style::Quoted };
        assert_eq!(quoted.meaning(), Meaning::Text);
    }
}
