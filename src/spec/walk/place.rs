//! Reading a single value at its place, checked against what its kind accepts.
//!
//! Every reader reports and goes on; `None` means that a problem has been reported. Refuses to know keys.

use crate::spec::grammar::{SpanRule, TextRule};
use crate::spec::problem::{Findings, Problem, accepted_words, quoted};
use crate::spec::selector::Selector;
use crate::spec::tree::{Meaning, Node, Scalar, Value};
use crate::unit::{Quantity, Span};

/// A value with its path.
#[derive(Debug, Clone)]
pub(crate) struct Place<'tree> {
    pub(crate) node: &'tree Node,
    pub(crate) path: String,
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
    pub(crate) fn mismatch(&self, accepted: &str, findings: &mut Findings) {
        self.refuse(format!("found {}; accepted is {accepted}", self.node.found()), findings);
    }

    pub(crate) fn scalar(&self) -> Option<&'tree Scalar> {
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

    pub(crate) fn flag(&self, findings: &mut Findings) -> Option<bool> {
        match self.scalar().map(Scalar::meaning) {
            Some(Meaning::True) => Some(true),
            Some(Meaning::False) => Some(false),
            Some(Meaning::Nothing | Meaning::Number | Meaning::Text) | None => {
                self.mismatch("true or false", findings);
                None
            }
        }
    }

    pub(crate) fn count(&self, least: u64, most: u64, findings: &mut Findings) -> Option<u64> {
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

    pub(crate) fn span(&self, rule: SpanRule, findings: &mut Findings) -> Option<Span> {
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

    pub(crate) fn word(
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

    pub(crate) fn items(&self, least: usize, findings: &mut Findings) -> Option<Vec<Place<'tree>>> {
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
