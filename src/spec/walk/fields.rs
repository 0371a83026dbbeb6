//! Reading the keys of a mapping, each as the kind that the table gives it.
//!
//! Owns unknown and missing keys and choices between keys. Every reader reports and goes on; `None` means that the
//! value is absent or that its problem has been reported. Refuses to know what a key is for.

use std::collections::BTreeMap;

use crate::spec::grammar::{Choice, Key, Kind, Presence, Rule, Shape, TextRule};
use crate::spec::problem::{Findings, Problem, accepted_words, accepted_words_or, nearest};
use crate::spec::selector::Selector;
use crate::spec::tree::{Entry, Node, Value, below};
use crate::spec::walk::place::Place;
use crate::unit::{Dimension, Quantity, Span};

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
            Dimension::Plain | Dimension::Percent if range.contains(quantity.value) => {
                Some(quantity.value)
            }
            Dimension::Plain
            | Dimension::Percent
            | Dimension::Time
            | Dimension::Data
            | Dimension::PercentagePoints => {
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
                    let also = format!(", also a mapping with the keys {keys}");
                    let accepted = accepted_words_or(found, words, &also);
                    place.refuse(format!("found {}; {accepted}", place.node.found()), findings);
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

    /// The words of a key's list.
    pub(crate) fn words(&self, name: &str, findings: &mut Findings) -> Option<Vec<&'static str>> {
        let Kind::List { of: Kind::Word(words), .. } = self.kind(name) else {
            self.wrong_kind(name)
        };
        let items = self.items(name, findings)?;
        let words: Vec<_> = items.iter().map(|item| item.word(words, findings)).collect();
        words.into_iter().collect()
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
    pub(crate) fn text_map(&self, name: &str, findings: &mut Findings) -> BTreeMap<String, String> {
        let Kind::TextMap = self.kind(name) else { self.wrong_kind(name) };
        let Some(place) = self.at(name) else {
            return BTreeMap::new();
        };
        let Value::Mapping(entries) = &place.node.value else {
            place.mismatch("a mapping of names to texts", findings);
            return BTreeMap::new();
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
            (Rule::ExactlyOne, [_]) | (Rule::AtLeastOne, [_, ..]) | (Rule::AtMostOne, [] | [_]) => {
                return;
            }
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
