//! Prometheus selectors: which series of which metric a document means.
//!
//! Owns the four matchers and their anchoring. Refuses functions, ranges and operators: those are queries.

use std::fmt;

use regex::Regex;

use crate::unit::labels::{Labels, escape};

/// A metric name with label matchers.
#[derive(Debug, Clone)]
pub struct Selector {
    name: String,
    matchers: Vec<Matcher>,
    text: String,
}

/// One condition on one label.
#[derive(Debug, Clone)]
struct Matcher {
    label: String,
    test: Test,
}

impl Matcher {
    /// Whether both say the same in the same words.
    fn same_as(&self, other: &Self) -> bool {
        self.label == other.label
            && match (&self.test, &other.test) {
                (Test::Equal(left), Test::Equal(right))
                | (Test::NotEqual(left), Test::NotEqual(right)) => left == right,
                (Test::Matches(left), Test::Matches(right))
                | (Test::MatchesNot(left), Test::MatchesNot(right)) => {
                    left.as_str() == right.as_str()
                }
                (
                    Test::Equal(_) | Test::NotEqual(_) | Test::Matches(_) | Test::MatchesNot(_),
                    _,
                ) => false,
            }
    }
}

/// The four operators.
#[derive(Debug, Clone)]
enum Test {
    Equal(String),
    NotEqual(String),
    Matches(Regex),
    MatchesNot(Regex),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The text has no metric name.
    #[error("selector '{0}' names no metric: write e.g. http_requests_total{{code=~\"5..\"}}")]
    NoName(String),
    /// Something is wrong at a place.
    #[error(
        "selector '{text}' cannot be read at character {at}: {expected}; accepted are a metric name and matchers with =, !=, =~ or !~"
    )]
    Syntax {
        /// The selector.
        text: String,
        /// Character, counted from 1.
        at: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// A regular expression does not compile.
    #[error("selector '{text}' has a regular expression that does not compile: {reason}")]
    Regex {
        /// The selector.
        text: String,
        /// What the compiler said, in one line.
        reason: String,
    },
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Selector {
    /// The selector of all series of one metric.
    pub fn of_metric(name: &str) -> Self {
        Self { name: name.to_owned(), matchers: Vec::new(), text: name.to_owned() }
    }

    /// The metric's name.
    pub fn metric_name(&self) -> &str {
        &self.name
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same matchers on another metric name (`_bucket` of a base name).
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let name = format!("{}{suffix}", self.name);
        let mut selector = Self { name, matchers: self.matchers.clone(), text: String::new() };
        selector.text = selector.to_string();
        selector
    }

    /// The matchers on labels that `kept` names, on the metric `name`: what it means is no less than what belongs to the
    /// series that this selector means.
    pub fn on_metric(&self, name: &str, kept: impl Fn(&str) -> bool) -> Self {
        let matchers: Vec<Matcher> =
            self.matchers.iter().filter(|matcher| kept(&matcher.label)).cloned().collect();
        let mut selector = Self { name: name.to_owned(), matchers, text: String::new() };
        selector.text = selector.to_string();
        selector
    }

    /// Whether every series that `other` means is meant here too, as far as the matchers themselves show it.
    pub fn covers(&self, other: &Self) -> bool {
        self.name == other.name
            && self.matchers.iter().all(|own| other.matchers.iter().any(|its| its.same_as(own)))
    }

    /// Whether a series with these labels is meant. An absent label counts as empty, as in Prometheus.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = labels.get(&matcher.label);
            match &matcher.test {
                Test::Equal(wanted) => value == wanted,
                Test::NotEqual(unwanted) => value != unwanted,
                Test::Matches(expression) => expression.is_match(value),
                Test::MatchesNot(expression) => !expression.is_match(value),
            }
        })
    }

    /// The one value that a label must have, if a matcher `=` says so.
    pub fn exact(&self, label: &str) -> Option<&str> {
        self.matchers.iter().find(|matcher| matcher.label == label).and_then(|matcher| {
            match &matcher.test {
                Test::Equal(value) => Some(value.as_str()),
                Test::NotEqual(_) | Test::Matches(_) | Test::MatchesNot(_) => None,
            }
        })
    }

    /// Reads a selector.
    ///
    /// # Errors
    /// [`SelectorError`] names the place and what is accepted.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let trimmed = text.trim();
        let mut reader = Reader { text: trimmed, at: 0 };
        let mut name = reader.identifier(NameKind::Metric);
        reader.skip_spaces();
        let mut matchers = Vec::new();
        if reader.take("{") {
            loop {
                reader.skip_spaces();
                if reader.take("}") {
                    break;
                }
                let label = reader.identifier(NameKind::Label);
                if label.is_empty() {
                    return Err(reader.error("expected a label name"));
                }
                reader.skip_spaces();
                let operator = reader.operator()?;
                reader.skip_spaces();
                let value = reader.quoted()?;
                if label == "__name__" && operator == "=" && name.is_empty() {
                    name = value;
                } else {
                    matchers.push(Matcher { label, test: test(operator, value, trimmed)? });
                }
                reader.skip_spaces();
                if !reader.take(",") {
                    if !reader.take("}") {
                        return Err(reader.error("expected ',' or '}'"));
                    }
                    break;
                }
            }
            reader.skip_spaces();
        }
        if reader.at < trimmed.len() && name.is_empty() && matchers.is_empty() {
            return Err(reader.error("expected a metric name"));
        }
        if reader.at < trimmed.len() {
            return Err(reader
                .error("expected the end (functions, ranges and operators belong into `query:`)"));
        }
        if name.is_empty() {
            return Err(SelectorError::NoName(text.to_owned()));
        }
        Ok(Self { name, matchers, text: trimmed.to_owned() })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = is_plain_name(&self.name);
        if is_plain {
            formatter.write_str(&self.name)?;
        }
        if self.matchers.is_empty() && is_plain {
            return Ok(());
        }
        formatter.write_str("{")?;
        if !is_plain {
            // A name of UTF-8 can only be told as a matcher.
            write!(formatter, "__name__=\"{}\"", escape(&self.name))?;
            formatter.write_str(if self.matchers.is_empty() { "" } else { "," })?;
        }
        for (index, matcher) in self.matchers.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            let (operator, value) = match &matcher.test {
                Test::Equal(value) => ("=", value.as_str()),
                Test::NotEqual(value) => ("!=", value.as_str()),
                Test::Matches(expression) => ("=~", inner(expression)),
                Test::MatchesNot(expression) => ("!~", inner(expression)),
            };
            write!(formatter, "{}{operator}\"{}\"", matcher.label, escape(value))?;
        }
        formatter.write_str("}")
    }
}

/// Whether a metric's name may stand before the brace.
fn is_plain_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | ':'))
}

/// The expression without its anchors.
fn inner(expression: &Regex) -> &str {
    let text = expression.as_str();
    text.strip_prefix("^(?s:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(text)
}

/// The condition of one matcher; expressions are anchored at both ends, as in Prometheus.
fn test(operator: &str, value: String, text: &str) -> Result<Test, SelectorError> {
    let compile = |value: &str| {
        // Alone first: `a)|(b` would compile between the anchors and escape them.
        regex::RegexBuilder::new(value)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| refused(text, &error))?;
        regex::RegexBuilder::new(&format!("^(?s:{value})$"))
            .size_limit(1 << 20)
            .build()
            .map_err(|error| refused(text, &error))
    };
    Ok(match operator {
        "=" => Test::Equal(value),
        "!=" => Test::NotEqual(value),
        "=~" => Test::Matches(compile(&value)?),
        _ => Test::MatchesNot(compile(&value)?),
    })
}

/// The error of an expression that does not compile, with the last line of the compiler's reason.
fn refused(text: &str, error: &regex::Error) -> SelectorError {
    let reason = error.to_string();
    let reason = reason.lines().last().unwrap_or("not a regular expression").trim().to_owned();
    SelectorError::Regex { text: text.to_owned(), reason }
}

/// Which characters a name may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NameKind {
    Metric,
    Label,
}

/// A position in a text.
struct Reader<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Reader<'text> {
    fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    fn error(&self, expected: &'static str) -> SelectorError {
        SelectorError::Syntax {
            text: self.text.chars().take(200).collect(),
            at: self.text[..self.at].chars().count() + 1,
            expected,
        }
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn identifier(&mut self, kind: NameKind) -> String {
        let rest = self.rest();
        let length = rest
            .char_indices()
            .find(|(at, c)| {
                let digit = c.is_ascii_digit() && *at > 0;
                !(c.is_ascii_alphabetic()
                    || *c == '_'
                    || digit
                    || (*c == ':' && kind == NameKind::Metric))
            })
            .map_or(rest.len(), |(at, _)| at);
        self.at += length;
        rest[..length].to_owned()
    }

    fn operator(&mut self) -> Result<&'static str, SelectorError> {
        for operator in ["=~", "!~", "!=", "="] {
            if self.take(operator) {
                return Ok(operator);
            }
        }
        Err(self.error("expected one of = != =~ !~"))
    }

    fn quoted(&mut self) -> Result<String, SelectorError> {
        let Some(quote @ ('"' | '\'' | '`')) = self.rest().chars().next() else {
            return Err(self.error("expected a quoted value"));
        };
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            if character == quote {
                self.at += offset + 1;
                return Ok(value);
            }
            if character != '\\' || quote == '`' {
                value.push(character);
                continue;
            }
            match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped @ ('\\' | '"' | '\''))) => value.push(escaped),
                Some((_, _)) => {
                    return Err(self.error("expected a known escape (\\\\ \\\" \\n \\t)"));
                }
                None => break,
            }
        }
        Err(self.error("expected a closing quote"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        Labels::parse(text).unwrap()
    }

    #[test]
    fn a_name_that_cannot_stand_before_the_brace_is_written_as_a_matcher() {
        let selector = Selector::parse("{__name__=\"http.time\",a=\"1\"}").unwrap();
        assert_eq!(selector.to_string(), "{__name__=\"http.time\",a=\"1\"}");
        assert_eq!(Selector::parse(&selector.to_string()).unwrap(), selector);
    }

    #[test]
    fn the_four_matchers_are_anchored_and_read_absent_as_empty() {
        let selector =
            Selector::parse(r#"http_total{code=~"5..",method!="GET",pod!~"x.*",zone=""}"#).unwrap();
        assert_eq!(selector.metric_name(), "http_total");
        assert!(selector.matches(&labels(r#"{code="503",method="POST"}"#)));
        assert!(!selector.matches(&labels(r#"{code="1503",method="POST"}"#)));
        assert!(!selector.matches(&labels(r#"{code="503",method="GET"}"#)));
        assert!(!selector.matches(&labels(r#"{code="503",pod="x1"}"#)));
        assert!(!selector.matches(&labels(r#"{code="503",zone="a"}"#)));
    }

    #[test]
    fn writing_a_selector_reads_back_the_same() {
        let selector = Selector::parse(r#"x:y_total{a="q\"u",b=~"(1|2)"}"#).unwrap();
        assert_eq!(selector.to_string(), r#"x:y_total{a="q\"u",b=~"(1|2)"}"#);
        assert_eq!(selector.with_suffix("_bucket").metric_name(), "x:y_total_bucket");
        assert_eq!(
            Selector::parse(r#"{__name__="up",job="a"}"#).unwrap().to_string(),
            r#"up{job="a"}"#
        );
    }

    #[test]
    fn a_selector_covers_what_says_more() {
        let selector = |text: &str| Selector::parse(text).unwrap();
        assert!(selector("x").covers(&selector("x{a=\"b\"}")));
        assert!(selector("x{a=~\"b|c\"}").covers(&selector("x{d!=\"e\",a=~\"b|c\"}")));
        assert!(!selector("x{a=\"b\"}").covers(&selector("x")));
        assert!(!selector("x{a=\"b\"}").covers(&selector("x{a=~\"b\"}")));
        assert!(!selector("x").covers(&selector("y")));
        let moved = selector("x{a=\"b\",job=~\"c.*\"}").on_metric("y", |label| label == "job");
        assert_eq!(moved.to_string(), "y{job=~\"c.*\"}");
    }

    #[test]
    fn what_is_no_selector_is_refused_with_the_place() {
        for text in [
            "",
            "{a=\"b\"}",
            "rate(x[5m])",
            "x{a}",
            "x{a=b}",
            "x{a=~\"(\"}",
            "x{a=~\"b)|(c\"}",
            "5",
            "x{a=\"b\"",
            "x y",
            "x{a=\"b\"}[5m]",
        ] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}
