//! The words in which the grammar of a document is written down: shapes, keys, and the kinds of values.
//!
//! Owns the types of the tables. The tables themselves stand beside their readers in `walk/`; the readers check
//! against them and `schema.rs` prints them, so that both say the same. Refuses to know any particular document.

use crate::unit::zone::minute_of_day;

/// A mapping with a fixed set of keys.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Unique name, used by the schema's definitions.
    pub(crate) name: &'static str,
    /// One sentence on what it says.
    pub(crate) doc: &'static str,
    /// Every accepted key.
    pub(crate) keys: &'static [Key],
    /// Keys of which a certain number has to be there.
    pub(crate) choices: &'static [Choice],
}

/// A key of a shape.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) presence: Presence,
    pub(crate) kind: Kind,
    pub(crate) doc: &'static str,
}

/// When a key may or has to be there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    Required,
    Optional,
    /// Accepted only beside one of these keys.
    OnlyBeside(&'static [&'static str]),
    /// Accepted only beside one of these keys, and required there.
    RequiredBeside(&'static [&'static str]),
}

/// Keys that stand for one decision.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) rule: Rule,
    pub(crate) keys: &'static [&'static str],
    /// What the keys are, e.g. `a measure`.
    pub(crate) noun: &'static str,
}

/// How many keys of a choice have to be there.
#[expect(clippy::enum_variant_names, reason = "read aloud, the number is what they differ in")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    ExactlyOne,
    AtLeastOne,
    AtMostOne,
}

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Kind {
    Text(TextRule),
    Flag,
    /// A whole number within inclusive limits.
    Count {
        least: u64,
        most: u64,
    },
    Fraction(Range),
    Span(SpanRule),
    /// A number, alone or with a unit.
    Quantity,
    /// A Prometheus selector.
    Selector,
    /// One of a few words.
    Word(&'static [&'static str]),
    Mapping(&'static Shape),
    /// One of a few words, or a mapping where a word does not say enough.
    WordOrMapping(&'static [&'static str], &'static Shape),
    List {
        of: &'static Kind,
        least: usize,
    },
    /// Any keys, each with a text.
    TextMap,
}

/// Which texts are accepted. None may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextRule {
    /// Anything that is not blank.
    Any,
    /// Small letters, digits and hyphens.
    Slug,
    /// One line without blanks at its ends.
    Line,
    /// An http or https address.
    Url,
    /// The name of an environment variable.
    EnvironmentVariable,
    /// `key=value`.
    KeyValue,
    /// `key` or `key=value`.
    Label,
    /// `09:30`, from 00:00 to 24:00.
    TimeOfDay,
    /// `2026-12-24` or `2026-12-24T18:00`.
    LocalTime,
    /// `ed25519:` and 64 hexadecimal digits.
    PublicKey,
}

/// Limits of a fraction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) ends: Ends,
}

/// Whether the limits themselves are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Inside,
    Outside,
}

/// Which spans are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanRule {
    ZeroOrMore,
    AboveZero,
}

impl Key {
    /// A key that has to be there.
    pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, presence: Presence::Required, kind, doc }
    }

    /// A key that may be left out.
    pub(crate) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, presence: Presence::Optional, kind, doc }
    }

    /// The key with another presence.
    pub(crate) const fn with(self, presence: Presence) -> Self {
        let Self { name, kind, doc, .. } = self;
        Self { name, presence, kind, doc }
    }
}

impl Shape {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of all keys, in the order of the table.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

impl TextRule {
    /// The texts as a regular expression that the schema and the readers share.
    pub(crate) const fn pattern(self) -> &'static str {
        match self {
            Self::Any => r"\S",
            Self::Slug => r"^[a-z0-9-]+$",
            Self::Line => r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$",
            Self::Url => r"^https?://[^\s/?#]+[^\s]*$",
            Self::EnvironmentVariable => r"^[A-Za-z_][A-Za-z0-9_]*$",
            Self::KeyValue => r"^[^\s=]+=\S+$",
            Self::Label => r"^[^\s=]+(=\S+)?$",
            Self::TimeOfDay => r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
            Self::LocalTime => {
                r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T(([01][0-9]|2[0-3]):[0-5][0-9]|24:00))?$"
            }
            Self::PublicKey => r"^ed25519:[0-9a-f]{64}$",
        }
    }

    /// What is accepted, for a message.
    pub(crate) const fn accepted(self) -> &'static str {
        match self {
            Self::Any => "text",
            Self::Slug => "small letters, digits and hyphens (a-z, 0-9, -)",
            Self::Line => "one line of text without blanks at its ends",
            Self::Url => "an address that starts with http:// or https://",
            Self::EnvironmentVariable => {
                "the name of an environment variable (letters, digits and _)"
            }
            Self::KeyValue => "key=value",
            Self::Label => "key or key=value",
            Self::TimeOfDay => "a time of day from '00:00' to '24:00'",
            Self::LocalTime => {
                "a date such as 2026-12-24, or a local time such as 2026-12-24T18:00"
            }
            Self::PublicKey => "ed25519: and 64 hexadecimal digits in small letters",
        }
    }

    /// Whether the text is accepted. The same as [`Self::pattern`], which a test holds.
    pub(crate) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Any => text.chars().any(|c| !c.is_whitespace()),
            Self::Slug => {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            }
            Self::Line => {
                !text.is_empty()
                    && text.trim().len() == text.len()
                    && !text.chars().any(|c| c.is_ascii_control())
            }
            Self::Url => {
                let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
                host.is_some_and(|host| {
                    !host.is_empty()
                        && !host.starts_with(['/', '?', '#'])
                        && !host.chars().any(char::is_whitespace)
                })
            }
            Self::EnvironmentVariable => {
                !text.is_empty()
                    && !text.starts_with(|c: char| c.is_ascii_digit())
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            }
            Self::KeyValue => text.split_once('=').is_some_and(|(key, value)| {
                !key.is_empty() && !value.is_empty() && !text.chars().any(char::is_whitespace)
            }),
            Self::Label => match text.split_once('=') {
                Some(_) => Self::KeyValue.accepts(text),
                None => !text.is_empty() && !text.chars().any(char::is_whitespace),
            },
            Self::TimeOfDay => minute_of_day(text).is_some(),
            Self::LocalTime => {
                let (date, time) = text.split_once('T').unwrap_or((text, "00:00"));
                let parts: Vec<&str> = date.split('-').collect();
                let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
                parts.iter().map(|part| part.len()).eq([4, 2, 2])
                    && parts.iter().all(|part| digits(part))
                    && Self::TimeOfDay.accepts(time)
            }
            Self::PublicKey => text.strip_prefix("ed25519:").is_some_and(|digits| {
                digits.len() == 64
                    && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            }),
        }
    }
}

impl Range {
    /// Fractions strictly between two numbers.
    pub(crate) const fn between(low: f64, high: f64) -> Self {
        Self { low, high, ends: Ends::Outside }
    }

    /// Fractions from one number to another, both included.
    pub(crate) const fn from_to(low: f64, high: f64) -> Self {
        Self { low, high, ends: Ends::Inside }
    }

    /// Whether the number lies in the range.
    pub(crate) fn contains(self, value: f64) -> bool {
        match self.ends {
            Ends::Inside => self.low <= value && value <= self.high,
            Ends::Outside => self.low < value && value < self.high,
        }
    }

    /// What is accepted, for a message.
    pub(crate) fn accepted(self) -> String {
        let Self { low, high, ends } = self;
        match ends {
            Ends::Inside => format!("a fraction from {low} to {high}"),
            Ends::Outside => format!("a fraction above {low} and below {high}"),
        }
    }
}
