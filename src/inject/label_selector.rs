//! A Kubernetes label selector of equality terms.
//!
//! Owns reading `key=value`, `key==value`, `key!=value`, `key` and `!key`, joined by commas, and their meaning. The
//! cluster applies the selector; we apply it again to what it answers. Refuses set-based terms, and selectors without
//! a single `key=value`: all that only say what a pod is not select everything else.

use std::collections::BTreeMap;

/// A checked selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSelector(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Equals { key: String, value: String },
    Differs { key: String, value: String },
    Present { key: String },
    Absent { key: String },
}

impl LabelSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// A sentence about what is not accepted.
    ///
    /// ```
    /// use unfazed::inject::label_selector::LabelSelector;
    /// let selector = LabelSelector::parse("chaos-target=canary,tier!=db").unwrap();
    /// let labels = [("chaos-target".to_owned(), "canary".to_owned())].into();
    /// assert!(selector.means(&labels));
    /// assert!(LabelSelector::parse("tier!=db").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms: Vec<Term> =
            text.split(',').map(|term| parse_term(term.trim())).collect::<Result<_, _>>()?;
        if !terms.iter().any(|term| matches!(term, Term::Equals { .. })) {
            return Err(format!(
                "selector '{text}' has no key=value: it selects almost everything"
            ));
        }
        Ok(Self(terms))
    }

    /// Whether labels satisfy every term.
    pub fn means(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|term| match term {
            Term::Equals { key, value } => labels.get(key) == Some(value),
            Term::Differs { key, value } => labels.get(key) != Some(value),
            Term::Present { key } => labels.contains_key(key),
            Term::Absent { key } => !labels.contains_key(key),
        })
    }
}

fn parse_term(term: &str) -> Result<Term, String> {
    let word = |text: &str| -> Result<String, String> {
        let text = text.trim();
        let accepted = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if text.is_empty() || !text.chars().all(accepted) {
            return Err(format!(
                "selector term '{term}' is not accepted; write key=value, key!=value, key or !key"
            ));
        }
        Ok(text.to_owned())
    };
    if let Some((key, value)) = term.split_once("!=") {
        return Ok(Term::Differs { key: word(key)?, value: word(value)? });
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Ok(Term::Equals { key: word(key)?, value: word(value)? });
    }
    match term.strip_prefix('!') {
        Some(key) => Ok(Term::Absent { key: word(key)? }),
        None => Ok(Term::Present { key: word(term)? }),
    }
}

#[cfg(test)]
mod tests {
    use super::LabelSelector;

    #[test]
    fn a_selector_that_selects_almost_everything_is_refused() {
        for text in
            ["", ",", "a", "!a", "a!=b", "a=", "=b", "a=b,", "a in (b, c)", "a=b=c", "a=b c"]
        {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_term_must_hold() {
        let selector = LabelSelector::parse("a=1, b==2,c!=3,d,!e").unwrap();
        let labels = |text: &str| {
            text.split(' ').map(|word| (word[..1].to_owned(), word[1..].to_owned())).collect()
        };
        assert!(selector.means(&labels("a1 b2 d0")));
        assert!(selector.means(&labels("a1 b2 c4 d0")));
        for wrong in ["a1 b2", "a1 b2 d0 e0", "a1 b2 c3 d0", "a11 b2 d0", "b2 d0"] {
            assert!(!selector.means(&labels(wrong)), "{wrong}");
        }
    }
}
