//! The part of a line that names a series, and its reading: a name and labels.
//!
//! A scrape repeats the same series texts every time, so that the reader only finds where the text ends; whoever has met
//! it before need not read it again.

use super::dialect::{Dialect, Rules};
use super::error::ExpositionError;
use crate::unit::Labels;

/// Name and labels as a line writes them, not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesText<'text> {
    /// The text, without the value behind it.
    pub text: &'text str,
    /// Its line, from 1.
    pub line: usize,
    pub(super) dialect: Dialect,
    pub(super) rules: Rules,
}

/// A series by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSeries {
    /// The metric's name.
    pub name: String,
    /// Labels in the order of the text, empty values included.
    pub pairs: Vec<(String, String)>,
}

impl NamedSeries {
    /// The labels as recordings hold them: a label with an empty value is no label.
    pub fn labels(&self) -> Labels {
        let pairs = self.pairs.iter().filter(|(_, value)| !value.is_empty());
        Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The value of a label.
    pub fn label(&self, wanted: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

impl SeriesText<'_> {
    /// Reads name and labels.
    ///
    /// # Errors
    /// [`ExpositionError`] when they break the grammar, repeat a label, or name the metric twice or not at all.
    pub fn read(&self) -> Result<NamedSeries, ExpositionError> {
        let mut cursor = Cursor { of: self, at: 0 };
        let mut name = cursor.bare_name(is_metric_name_byte).to_owned();
        let mut pairs = Vec::new();
        cursor.blanks();
        if cursor.take(b'{') {
            cursor.labels(&mut name, &mut pairs)?;
        }
        if name.is_empty() {
            return Err(cursor.error("a metric name: a letter, '_' or ':' first, then also digits"));
        }
        Ok(NamedSeries { name, pairs })
    }

    /// Reads labels alone, as an exemplar has them.
    ///
    /// # Errors
    /// [`ExpositionError`] when they break the grammar.
    pub fn read_labels(&self) -> Result<Vec<(String, String)>, ExpositionError> {
        let mut cursor = Cursor { of: self, at: 0 };
        let (mut name, mut pairs) = (String::new(), Vec::new());
        if !cursor.take(b'{') {
            return Err(cursor.error("labels in braces"));
        }
        cursor.labels(&mut name, &mut pairs)?;
        if name.is_empty() { Ok(pairs) } else { Err(cursor.error("labels without a metric name")) }
    }
}

/// Bytes of a metric name; of the first one digits are taken away.
pub(super) const fn is_metric_name_byte(byte: u8) -> bool {
    is_label_name_byte(byte) || byte == b':'
}

const fn is_label_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A position in the text of a series.
struct Cursor<'a> {
    of: &'a SeriesText<'a>,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.of.text[self.at..]
    }

    fn error(&self, accepted: &str) -> ExpositionError {
        ExpositionError::of_text(
            self.of.line,
            self.rest(),
            format!("{accepted}, at this place of {}", self.of.text),
        )
    }

    /// The text format allows blanks anywhere between tokens; OpenMetrics allows none.
    fn blanks(&mut self) {
        if self.of.dialect == Dialect::Text {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.rest().as_bytes().first() == Some(&wanted);
        self.at += usize::from(found);
        found
    }

    /// A name without quotes; empty if there is none here.
    fn bare_name(&mut self, is_name_byte: fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        if rest.as_bytes().first().is_none_or(u8::is_ascii_digit) {
            return "";
        }
        let length = rest.bytes().take_while(|byte| is_name_byte(*byte)).count();
        self.at += length;
        &rest[..length]
    }

    /// Everything behind the opening brace. A quoted text without a value is the metric's name (UTF-8 names).
    fn labels(
        &mut self,
        metric: &mut String,
        pairs: &mut Vec<(String, String)>,
    ) -> Result<(), ExpositionError> {
        self.blanks();
        if self.take(b'}') {
            return self.end();
        }
        loop {
            self.blanks();
            let is_quoted = self.rest().starts_with('"');
            let name = if is_quoted {
                self.quoted()?
            } else {
                self.bare_name(is_label_name_byte).to_owned()
            };
            self.blanks();
            if name.is_empty() {
                return Err(self.error("a label name: a letter or '_' first, then also digits"));
            }
            if self.take(b'=') {
                self.blanks();
                let value = self.quoted()?;
                if name == "__name__" {
                    return Err(
                        self.error("a label other than __name__, which is the metric's name")
                    );
                }
                if pairs.iter().any(|(other, _)| *other == name) {
                    return Err(self.error(&format!("each label once, and {name} is there twice")));
                }
                pairs.push((name, value));
            } else if is_quoted && metric.is_empty() && pairs.is_empty() {
                *metric = name;
            } else {
                return Err(self.error("'=' and a value in double quotes"));
            }
            self.blanks();
            if self.take(b'}') {
                return self.end();
            }
            if !self.take(b',') {
                return Err(self.error("',' or '}'"));
            }
            self.blanks();
            // A comma behind the last label belongs to the text format alone.
            if self.of.dialect == Dialect::Text && self.take(b'}') {
                return self.end();
            }
        }
    }

    fn end(&self) -> Result<(), ExpositionError> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.error("a blank and a value behind '}'"))
        }
    }

    fn quoted(&mut self) -> Result<String, ExpositionError> {
        if !self.take(b'"') {
            return Err(self.error("a value in double quotes"));
        }
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(['"', '\\', '\n']) else {
                return Err(self.error("a closing '\"'"));
            };
            value.push_str(&rest[..length]);
            self.at += length + 1;
            match rest.as_bytes()[length] {
                b'"' => return Ok(value),
                b'\\' => self.escape(&mut value)?,
                _ => {
                    return Err(self
                        .error("a closing '\"' in the same line; a line feed is written as \\n"));
                }
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, value: &mut String) -> Result<(), ExpositionError> {
        let Some(escaped) = self.rest().chars().next() else {
            return Err(self.error("a closing '\"'"));
        };
        match (escaped, self.of.dialect, self.of.rules) {
            ('n', _, _) => value.push('\n'),
            ('\\' | '"', _, _) => value.push(escaped),
            ('\n', _, _) | (_, Dialect::Text, Rules::Official) => {
                self.at -= 1;
                return Err(self.error("\\\\, \\\" or \\n"));
            }
            // OpenMetrics keeps unknown escapes as they are, and so does Prometheus when it scrapes.
            (other, Dialect::OpenMetrics, _) | (other, Dialect::Text, Rules::Scrape) => {
                value.push('\\');
                value.push(other);
            }
        }
        self.at += escaped.len_utf8();
        Ok(())
    }
}
