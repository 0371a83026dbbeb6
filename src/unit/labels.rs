//! Label sets of series, in Prometheus notation.
//!
//! Owns reading and writing `{name="value",…}` with its escapes. Refuses to know what a label means. Both the
//! reader of recordings and the matching of selectors stand on it.

use std::collections::BTreeMap;
use std::fmt;

/// The labels of a series, sorted by name. The metric's own name is not among them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(BTreeMap<String, String>);

/// Why a text is no label set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "labels '{text}' cannot be read at character {at}: {expected}; write them as {{name=\"value\",…}}"
)]
pub struct LabelsError {
    text: String,
    at: usize,
    expected: &'static str,
}

impl Labels {
    /// A label set from pairs; of equal names the last one counts.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The value of a label; an absent label reads as the empty string, as in Prometheus.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All pairs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same labels without `name`.
    pub fn without(&self, name: &str) -> Self {
        let mut labels = self.0.clone();
        labels.remove(name);
        Self(labels)
    }

    /// Reads `{a="b",c="d"}`; the empty text and `{}` are the empty set. A trailing comma is allowed.
    ///
    /// # Errors
    /// [`LabelsError`] names the character and what was expected there.
    pub fn parse(text: &str) -> Result<Self, LabelsError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader { text: trimmed, at: 0 };
        reader.expect('{', "expected '{'")?;
        let mut labels = BTreeMap::new();
        loop {
            reader.skip_spaces();
            if reader.take('}') {
                break;
            }
            let name = reader.name()?;
            reader.skip_spaces();
            reader.expect('=', "expected '='")?;
            reader.skip_spaces();
            let value = reader.quoted()?;
            if labels.insert(name, value).is_some() {
                return Err(reader.error("expected each label once"));
            }
            reader.skip_spaces();
            if !reader.take(',') {
                reader.expect('}', "expected ',' or '}'")?;
                break;
            }
        }
        if reader.at < trimmed.len() {
            return Err(reader.error("expected nothing after '}'"));
        }
        Ok(Self(labels))
    }
}

impl fmt::Display for Labels {
    /// Writes `{a="b"}`; the empty set is the empty text.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        formatter.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            write!(formatter, "{name}=\"{}\"", escape(value))?;
        }
        formatter.write_str("}")
    }
}

/// A label value with backslash, quote and line feed escaped as in the exposition format.
pub fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A position in a text.
struct Reader<'text> {
    text: &'text str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn error(&self, expected: &'static str) -> LabelsError {
        LabelsError {
            text: self.text.chars().take(200).collect(),
            at: self.text[..self.at].chars().count() + 1,
            expected,
        }
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), LabelsError> {
        if self.take(wanted) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// A bare label name, or a quoted one (UTF-8 names of newer servers).
    fn name(&mut self) -> Result<String, LabelsError> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let length = self
            .rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '.'))
            .unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_owned();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error("expected a label name"));
        }
        self.at += length;
        Ok(name)
    }

    fn quoted(&mut self) -> Result<String, LabelsError> {
        self.expect('"', "expected '\"'")?;
        let mut value = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += offset + 1;
                    return Ok(value);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                    Some((_, other)) => {
                        value.push('\\');
                        value.push(other);
                    }
                    None => break,
                },
                other => value.push(other),
            }
        }
        Err(self.error("expected a closing '\"'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_is_read_and_written_back_sorted() {
        let labels = Labels::parse(r#"{ b = "x\"y\\z\n", a="1", }"#).unwrap();
        assert_eq!(labels.get("b"), "x\"y\\z\n");
        assert_eq!(labels.to_string(), r#"{a="1",b="x\"y\\z\n"}"#);
        assert_eq!(Labels::parse(&labels.to_string()).unwrap(), labels);
    }

    #[test]
    fn no_labels_have_many_spellings() {
        for text in ["", "  ", "{}", "{ }"] {
            assert!(Labels::parse(text).unwrap().is_empty());
        }
    }

    #[test]
    fn broken_notation_names_the_place() {
        for text in [
            "{",
            "{a}",
            "{a=b}",
            "{a=\"b}",
            "{a=\"b\"}x",
            "a=\"b\"",
            "{a=\"1\",a=\"2\"}",
            "{1=\"x\"}",
        ] {
            let error = Labels::parse(text).unwrap_err();
            assert!(error.to_string().contains("expected"), "{text}: {error}");
        }
    }
}
