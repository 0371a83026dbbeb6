//! YAML as all readers agree on it: block style, every text in double quotes, scripts as literal blocks.

use std::fmt::Write as _;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    /// Any text.
    Text(String),
    /// A script of our own: lines of ASCII without white space at their ends.
    Script(String),
    /// Written as it is: a whole number or a version.
    Number(&'static str),
    /// True or false.
    Flag(bool),
    /// A list.
    List(Vec<Yaml>),
    /// Keys and values in order; keys are words of the format.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A text.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A map.
    pub(super) fn map<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The document with a final line end.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        match self {
            Self::List(_) | Self::Map(_) => self.block(&mut out, 0),
            Self::Text(_) | Self::Script(_) | Self::Number(_) | Self::Flag(_) => {
                self.scalar(&mut out, 0);
            }
        }
        out
    }

    /// A list or a map from the beginning of a line on.
    fn block(&self, out: &mut String, depth: usize) {
        match self {
            Self::List(items) => {
                for item in items {
                    out.push_str(&"  ".repeat(depth));
                    out.push_str("- ");
                    item.after_dash(out, depth);
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    out.push_str(&"  ".repeat(depth));
                    value.after_key(out, key, depth);
                }
            }
            Self::Text(_) | Self::Script(_) | Self::Number(_) | Self::Flag(_) => {
                self.scalar(out, depth);
            }
        }
    }

    /// What stands behind a dash; a map begins on the same line.
    fn after_dash(&self, out: &mut String, depth: usize) {
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(&"  ".repeat(depth + 1));
                    }
                    value.after_key(out, key, depth + 1);
                }
            }
            Self::List(items) if !items.is_empty() => {
                out.push('\n');
                self.block(out, depth + 1);
            }
            Self::Map(_) => out.push_str("{}\n"),
            Self::List(_) => out.push_str("[]\n"),
            Self::Text(_) | Self::Script(_) | Self::Number(_) | Self::Flag(_) => {
                self.scalar(out, depth);
            }
        }
    }

    /// A key and what stands behind it.
    fn after_key(&self, out: &mut String, key: &str, depth: usize) {
        out.push_str(key);
        out.push(':');
        match self {
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            Self::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
            Self::List(_) | Self::Map(_) => {
                out.push('\n');
                self.block(out, depth + 1);
            }
            Self::Text(_) | Self::Script(_) | Self::Number(_) | Self::Flag(_) => {
                out.push(' ');
                self.scalar(out, depth);
            }
        }
    }

    /// A value on the line, and its line end.
    fn scalar(&self, out: &mut String, depth: usize) {
        match self {
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::Number(number) => out.push_str(number),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Script(script) => {
                out.push('|');
                for line in script.trim_end().lines() {
                    out.push('\n');
                    if !line.is_empty() {
                        out.push_str(&"  ".repeat(depth + 1));
                        out.push_str(line);
                    }
                }
            }
            Self::List(_) | Self::Map(_) => {}
        }
        out.push('\n');
    }
}

/// A text in double quotes; whatever a reader could take for more than text is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                // Writing into a String cannot fail; the result of `write!` is dropped for that reason.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
