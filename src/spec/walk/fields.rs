//! Reading single values out of the tree, each checked against the kind that the table gives it.
//!
//! Owns the generic half of the walk: unknown and missing keys, choices between keys, wrong types, wrong texts. Every
//! reader reports and goes on; `None` means that the value is absent or that its problem has been reported.
//! Refuses to know what a key is for.

use crate::spec::grammar::{Choice, Key, Kind, Presence, Rule, Shape, SpanRule, TextRule};
use crate::spec::problem::{Findings, Problem, accepted_words, nearest, quoted};
use crate::spec::selector::Selector;
use crate::spec::yaml::{Entry, Meaning, Node, Scalar, Value, below};
use crate::unit::{Quantity, Span};

/// A value with its path.
#[derive(Debug, Clone)]
pub(crate) struct Place<'tree> {
    pub(crate) node: &'tree Node,
    pub(crate) path: String,
}

/// An open mapping whose keys have been checked.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'tree> {
    pub(crate) place: Place<'tree>,
    shape: &'static Shape,
    /// Keys that are not there but that an unknown key probably means: not reported as missing, too.
    meant: Vec<&'static str>,
}

/// What stands where a word or a mapping is accepted.
#[derive(Debug)]
pub(crate) enum WordOrFields<'tree> {
    Word(&'static str),
    Fields(Fields<'tree>),
}

impl<'tree> Place<'tree> {
    /// The root of a document.
    pub(crate) fn root(node: &'tree Node) -> Self {
        Self { node, path: String::new() }
    }

    /// Reports a problem with this value.
    pub(crate) fn refuse(&self, message: impl Into<String>, findings: &mut Findings) {
        findings.refuse(self.problem(message.into()));
    }

    /// Reports something that a reader should know.
    pub(crate) fn warn(&self, message: impl Into<String>, findings: &mut Findings) {
        findings.warn(self.problem(message.into()));
    }

    fn problem(&self, message: String) -> Problem {
        let Node { line, column, .. } = self.node;
        Problem { line: *line, column: *column, path: self.path.clone(), message }
    }

    /// Reports that something else than `accepted` was found.
    fn mismatch(&self, accepted: &str, findings: &mut Findings) {
        self.refuse(format!("found {}; accepted is {accepted}", self.node.found()), findings);
    }

    fn scalar(&self) -> Option<&'tree Scalar> {
        match &self.node.value {
            Value::Scalar(scalar) => Some(scalar),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// A scalar that is there and neither nothing nor a truth value: text or a number.
    fn literal(&self) -> Option<&'tree str> {
        let scalar = self.scalar()?;
        match scalar.meaning() {
            Meaning::Number | Meaning::Text => Some(&scalar.text),
            Meaning::Nothing | Meaning::True | Meaning::False => None,
        }
    }

    /// A text that obeys a rule.
    pub(crate) fn text(&self, rule: TextRule, findings: &mut Findings) -> Option<String> {
        let accepted = rule.accepted();
        match self.scalar().map(|scalar| (scalar, scalar.meaning())) {
            Some((scalar, Meaning::Text)) => {
                if rule.accepts(&scalar.text) {
                    return Some(scalar.text.clone());
                }
                if scalar.text.trim().is_empty() {
                    self.refuse(format!("found a blank text; accepted is {accepted}"), findings);
                } else {
                    self.mismatch(accepted, findings);
                }
            }
            Some((_, Meaning::Number | Meaning::True | Meaning::False)) => {
                let found = self.node.found();
                self.refuse(
                    format!("found {found}; accepted is {accepted}: put it in quotes"),
                    findings,
                );
            }
            Some((_, Meaning::Nothing)) | None => self.mismatch(accepted, findings),
        }
        None
    }

    fn flag(&self, findings: &mut Findings) -> Option<bool> {
        match self.scalar().map(Scalar::meaning) {
            Some(Meaning::True) => Some(true),
            Some(Meaning::False) => Some(false),
            Some(Meaning::Nothing | Meaning::Number | Meaning::Text) | None => {
                self.mismatch("true or false", findings);
                None
            }
        }
    }

    fn count(&self, least: u64, most: u64, findings: &mut Findings) -> Option<u64> {
        let number = self
            .scalar()
            .filter(|scalar| scalar.meaning() == Meaning::Number)
            .and_then(|scalar| scalar.text.parse::<u64>().ok())
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.mismatch(&format!("a whole number from {least} to {most}"), findings);
        }
        number
    }

    /// A number, alone or with a unit.
    pub(crate) fn quantity(&self, findings: &mut Findings) -> Option<Quantity> {
        let Some(text) = self.literal() else {
            self.mismatch("a number, alone or with a unit, e.g. 200ms or 0.1%", findings);
            return None;
        };
        match Quantity::parse(text) {
            Ok(quantity) => Some(quantity),
            Err(error) => {
                self.refuse(error.to_string(), findings);
                None
            }
        }
    }

    fn span(&self, rule: SpanRule, findings: &mut Findings) -> Option<Span> {
        let Some(text) = self.literal() else {
            self.mismatch("a duration, e.g. 90s or 1h30m", findings);
            return None;
        };
        match (Span::parse(text), rule) {
            (Ok(span), SpanRule::AboveZero) if span <= Span::ZERO => {
                let shown = quoted(text);
                self.refuse(
                    format!("found the duration {shown}; accepted are durations above zero"),
                    findings,
                );
                None
            }
            (Ok(span), SpanRule::AboveZero | SpanRule::ZeroOrMore) => Some(span),
            (Err(error), SpanRule::AboveZero | SpanRule::ZeroOrMore) => {
                self.refuse(error.to_string(), findings);
                None
            }
        }
    }

    /// A Prometheus selector.
    pub(crate) fn selector(&self, findings: &mut Findings) -> Option<Selector> {
        let Some(text) = self.literal() else {
            self.mismatch("a selector, e.g. http_requests_total{code=~\"5..\"}", findings);
            return None;
        };
        match Selector::parse(text) {
            Ok(selector) => Some(selector),
            Err(error) => {
                self.refuse(error.to_string(), findings);
                None
            }
        }
    }

    fn word(
        &self,
        words: &'static [&'static str],
        findings: &mut Findings,
    ) -> Option<&'static str> {
        let found = self.scalar().map_or("", |scalar| scalar.text.as_str());
        let word = words.iter().find(|word| **word == found);
        if word.is_none() {
            let message = format!("found {}; {}", self.node.found(), accepted_words(found, words));
            self.refuse(message, findings);
        }
        word.copied()
    }

    /// Opens a mapping and checks its keys against the shape.
    pub(crate) fn open(
        self,
        shape: &'static Shape,
        findings: &mut Findings,
    ) -> Option<Fields<'tree>> {
        let Value::Mapping(entries) = &self.node.value else {
            let keys = shape.names().join(", ");
            self.mismatch(&format!("a mapping with the keys {keys}"), findings);
            return None;
        };
        let meant = report_unknown(&self, entries, shape, findings);
        let fields = Fields { place: self, shape, meant };
        for key in shape.keys {
            fields.report_presence(key, findings);
        }
        for choice in shape.choices {
            fields.report_choice(choice, findings);
        }
        Some(fields)
    }

    fn items(&self, least: usize, findings: &mut Findings) -> Option<Vec<Place<'tree>>> {
        let Value::Sequence(items) = &self.node.value else {
            self.mismatch("a list", findings);
            return None;
        };
        if items.len() < least {
            self.refuse("found an empty list; accepted is a list with at least one item", findings);
            return None;
        }
        let place = |(index, node)| Place { node, path: format!("{}[{index}]", self.path) };
        Some(items.iter().enumerate().map(place).collect())
    }
}

impl<'tree> Fields<'tree> {
    /// The value of a key, if the key is there.
    pub(crate) fn at(&self, name: &str) -> Option<Place<'tree>> {
        let node = self.place.node.get(name)?;
        Some(Place { node, path: below(&self.place.path, name) })
    }

    /// Whether the key is there, whatever its value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.place.node.get(name).is_some()
    }

    fn has_or_means(&self, name: &str) -> bool {
        self.has(name) || self.meant.contains(&name)
    }

    /// The first of these keys that is there.
    pub(crate) fn first_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// The kind that the table gives to a key.
    fn kind(&self, name: &str) -> &'static Kind {
        let key = self.shape.key(name);
        &key.expect("readers ask only for keys of their shape; a test reads every key").kind
    }

    fn wrong_kind(&self, name: &str) -> ! {
        unreachable!("the table gives `{name}` of {} another kind than its reader", self.shape.name)
    }

    /// The text of a key.
    pub(crate) fn text(&self, name: &str, findings: &mut Findings) -> Option<String> {
        let Kind::Text(rule) = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.text(*rule, findings)
    }

    /// The truth value of a key.
    pub(crate) fn flag(&self, name: &str, findings: &mut Findings) -> Option<bool> {
        let Kind::Flag = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.flag(findings)
    }

    /// The whole number of a key.
    pub(crate) fn count(&self, name: &str, findings: &mut Findings) -> Option<u64> {
        let Kind::Count { least, most } = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.count(*least, *most, findings)
    }

    /// The fraction of a key, written as a number or with `%`.
    pub(crate) fn fraction(&self, name: &str, findings: &mut Findings) -> Option<f64> {
        let Kind::Fraction(range) = self.kind(name) else { self.wrong_kind(name) };
        let place = self.at(name)?;
        let quantity = place.quantity(findings)?;
        match quantity.dimension {
            crate::unit::Dimension::Plain | crate::unit::Dimension::Percent
                if range.contains(quantity.value) =>
            {
                Some(quantity.value)
            }
            crate::unit::Dimension::Plain
            | crate::unit::Dimension::Percent
            | crate::unit::Dimension::Time
            | crate::unit::Dimension::Data
            | crate::unit::Dimension::PercentagePoints => {
                place.mismatch(&range.accepted(), findings);
                None
            }
        }
    }

    /// The duration of a key.
    pub(crate) fn span(&self, name: &str, findings: &mut Findings) -> Option<Span> {
        let Kind::Span(rule) = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.span(*rule, findings)
    }

    /// The quantity of a key.
    pub(crate) fn quantity(&self, name: &str, findings: &mut Findings) -> Option<Quantity> {
        let Kind::Quantity = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.quantity(findings)
    }

    /// The selector of a key.
    pub(crate) fn selector(&self, name: &str, findings: &mut Findings) -> Option<Selector> {
        let Kind::Selector = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.selector(findings)
    }

    /// The word of a key.
    pub(crate) fn word(&self, name: &str, findings: &mut Findings) -> Option<&'static str> {
        let Kind::Word(words) = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.word(words, findings)
    }

    /// The mapping of a key.
    pub(crate) fn open(&self, name: &str, findings: &mut Findings) -> Option<Fields<'tree>> {
        let Kind::Mapping(shape) = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.open(shape, findings)
    }

    /// The word or the mapping of a key.
    pub(crate) fn word_or_open(
        &self,
        name: &str,
        findings: &mut Findings,
    ) -> Option<WordOrFields<'tree>> {
        let Kind::WordOrMapping(words, shape) = self.kind(name) else { self.wrong_kind(name) };
        let place = self.at(name)?;
        match &place.node.value {
            Value::Mapping(_) => place.open(shape, findings).map(WordOrFields::Fields),
            Value::Scalar(_) | Value::Sequence(_) => {
                let found = place.scalar().map_or("", |scalar| scalar.text.as_str());
                let Some(word) = words.iter().find(|word| **word == found) else {
                    let keys = shape.names().join(", ");
                    let message = format!(
                        "found {}; {}; also a mapping with the keys {keys}",
                        place.node.found(),
                        accepted_words(found, words),
                    );
                    place.refuse(message, findings);
                    return None;
                };
                Some(WordOrFields::Word(word))
            }
        }
    }

    /// The items of a key's list.
    pub(crate) fn items(&self, name: &str, findings: &mut Findings) -> Option<Vec<Place<'tree>>> {
        let Kind::List { least, .. } = self.kind(name) else { self.wrong_kind(name) };
        self.at(name)?.items(*least, findings)
    }

    /// The texts of a key's list.
    pub(crate) fn texts(&self, name: &str, findings: &mut Findings) -> Option<Vec<String>> {
        let Kind::List { of: Kind::Text(rule), .. } = self.kind(name) else {
            self.wrong_kind(name)
        };
        let items = self.items(name, findings)?;
        let texts: Vec<_> = items.iter().map(|item| item.text(*rule, findings)).collect();
        texts.into_iter().collect()
    }

    /// The mappings of a key's list; a broken item is left out, its problem reported.
    pub(crate) fn mappings(&self, name: &str, findings: &mut Findings) -> Vec<Fields<'tree>> {
        let Kind::List { of: Kind::Mapping(shape), .. } = self.kind(name) else {
            self.wrong_kind(name)
        };
        let items = self.items(name, findings).unwrap_or_default();
        items.into_iter().filter_map(|item| item.open(shape, findings)).collect()
    }

    /// The keys and texts of a free mapping; empty if the key is not there.
    pub(crate) fn text_map(
        &self,
        name: &str,
        findings: &mut Findings,
    ) -> std::collections::BTreeMap<String, String> {
        let Kind::TextMap = self.kind(name) else { self.wrong_kind(name) };
        let Some(place) = self.at(name) else {
            return std::collections::BTreeMap::new();
        };
        let Value::Mapping(entries) = &place.node.value else {
            place.mismatch("a mapping of names to texts", findings);
            return std::collections::BTreeMap::new();
        };
        let read = |entry: &'tree Entry| {
            let path = below(&place.path, &entry.key);
            let value = Place { node: &entry.value, path }.text(TextRule::Any, findings)?;
            Some((entry.key.clone(), value))
        };
        entries.iter().filter_map(read).collect()
    }

    fn report_presence(&self, key: &Key, findings: &mut Findings) {
        let beside = |names: &[&str]| names.iter().any(|name| self.has_or_means(name));
        match (key.presence, self.has_or_means(key.name)) {
            (Presence::Required, false) => {
                self.report_missing(key, findings);
            }
            (Presence::RequiredBeside(names), false) if beside(names) => {
                self.report_missing(key, findings);
            }
            (Presence::OnlyBeside(names) | Presence::RequiredBeside(names), true)
                if !beside(names) =>
            {
                if let Some(place) = self.at(key.name) {
                    let names = names.join(" or ");
                    place.refuse(
                        format!("found a key that says nothing here; accepted only beside {names}"),
                        findings,
                    );
                }
            }
            (
                Presence::Required
                | Presence::Optional
                | Presence::OnlyBeside(_)
                | Presence::RequiredBeside(_),
                _,
            ) => {}
        }
    }

    fn report_missing(&self, key: &Key, findings: &mut Findings) {
        let Node { line, column, .. } = self.place.node;
        findings.refuse(Problem {
            line: *line,
            column: *column,
            path: below(&self.place.path, key.name),
            message: format!("the required key is missing; it says {}", key.doc),
        });
    }

    fn report_choice(&self, choice: &Choice, findings: &mut Findings) {
        let found: Vec<&str> =
            choice.keys.iter().copied().filter(|key| self.has_or_means(key)).collect();
        let accepted = choice.keys.join(", ");
        let noun = choice.noun;
        let message = match (choice.rule, found.as_slice()) {
            (Rule::ExactlyOne, []) => {
                format!("found no {noun}; accepted is exactly one of {accepted}")
            }
            (Rule::AtLeastOne, []) => format!("found no {noun}; accepted is one of {accepted}"),
            (Rule::ExactlyOne | Rule::AtMostOne, [_, _, ..]) => {
                let found = found.join(" and ");
                format!("found {found} together; accepted is one {noun} of {accepted}")
            }
            (Rule::ExactlyOne | Rule::AtLeastOne, [_]) | (Rule::AtMostOne, [] | [_]) => return,
            (Rule::AtLeastOne, [_, _, ..]) => return,
        };
        self.place.refuse(message, findings);
    }
}

/// Reports keys that the shape does not have and returns those that they probably mean.
fn report_unknown(
    place: &Place<'_>,
    entries: &[Entry],
    shape: &'static Shape,
    findings: &mut Findings,
) -> Vec<&'static str> {
    let names = shape.names();
    let mut meant = Vec::new();
    for entry in entries.iter().filter(|entry| shape.key(&entry.key).is_none()) {
        meant.extend(nearest(&entry.key, names.iter().copied()));
        findings.refuse(Problem {
            line: entry.line,
            column: entry.column,
            path: below(&place.path, &entry.key),
            message: format!("unknown key; {}", accepted_words(&entry.key, &names)),
        });
    }
    meant
}
