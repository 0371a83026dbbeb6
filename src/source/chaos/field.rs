//! A field of a foreign document, found by its path whatever the spelling of its keys.
//!
//! Owns the look-up: `experimentStatus`, `experimentstatus`, `Experiment Status` and `experiment_status` are one
//! key, since the same object reaches us as JSON, as YAML, from old versions and as `kubectl describe` text.
//! Refuses to know what a field means. Used by every importer.

use std::borrow::Cow;

use serde_json::Value;

/// Nothing found: what a missing field reads as.
static NOTHING: Value = Value::Null;

/// Look-ups in a foreign document. A missing field is `null`, never an error.
pub trait Field {
    /// The value at a dotted path; `null` when any part is missing.
    fn field(&self, path: &str) -> &Value;
    /// The non-empty text at a dotted path. Numbers and booleans are no text.
    fn text(&self, path: &str) -> Option<&str>;
    /// Text, number or boolean at a dotted path, written as text.
    fn word(&self, path: &str) -> Option<Cow<'_, str>>;
    /// The objects at a dotted path: a list's items, or the one object that stands where a list may stand.
    fn items(&self, path: &str) -> Vec<&Value>;
    /// Whether the path leads to a list or an object.
    fn has(&self, path: &str) -> bool;
}

impl Field for Value {
    fn field(&self, path: &str) -> &Value {
        let mut here = self;
        for part in path.split('.') {
            let Self::Object(fields) = here else { return &NOTHING };
            let exact = fields.get(part);
            let Some(next) = exact.or_else(|| {
                fields.iter().find(|(key, _)| is_same_key(key, part)).map(|(_, value)| value)
            }) else {
                return &NOTHING;
            };
            here = next;
        }
        here
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.field(path).as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    fn word(&self, path: &str) -> Option<Cow<'_, str>> {
        match self.field(path) {
            Self::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text.trim())),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Bool(flag) => Some(Cow::Owned(flag.to_string())),
            Self::String(_) | Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    fn items(&self, path: &str) -> Vec<&Value> {
        match self.field(path) {
            Self::Array(items) => items.iter().filter(|item| !item.is_null()).collect(),
            object @ Self::Object(_) => vec![object],
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => Vec::new(),
        }
    }

    fn has(&self, path: &str) -> bool {
        matches!(self.field(path), Self::Array(_) | Self::Object(_))
    }
}

/// A key without case and separators.
pub fn bare(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether two keys are one without case and separators. Stops at the first letter that differs: a table of a hundred
/// thousand rows asks this some ten million times.
fn is_same_key(left: &str, right: &str) -> bool {
    if !left.is_ascii() || !right.is_ascii() {
        return bare(left) == bare(right);
    }
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let (mut here, mut there) = (0, 0);
    loop {
        while here < left.len() && !left[here].is_ascii_alphanumeric() {
            here += 1;
        }
        while there < right.len() && !right[there].is_ascii_alphanumeric() {
            there += 1;
        }
        match (left.get(here), right.get(there)) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            (Some(_) | None, _) => return false,
        }
        here += 1;
        there += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_key_has_many_spellings() {
        for document in [
            json!({"status": {"experimentStatus": {"phase": "Completed"}}}),
            json!({"Status": {"Experiment Status": {"Phase": "Completed"}}}),
            json!({"status": {"experimentstatus": {"phase": "Completed"}}}),
        ] {
            assert_eq!(document.text("status.experimentStatus.phase"), Some("Completed"));
        }
    }

    #[test]
    fn keys_are_compared_as_their_bare_forms() {
        let keys = ["", "_", "a", "A-", "ab", "a_b", "aB", "a b c", "é", "É", "e", "a1", "a_1_"];
        for left in keys {
            for right in keys {
                assert_eq!(is_same_key(left, right), bare(left) == bare(right), "{left} {right}");
            }
        }
    }

    #[test]
    fn a_missing_field_is_null_and_one_object_is_a_list_of_one() {
        let document = json!({"targets": {"name": "hello"}, "empty": " "});
        assert!(document.field("a.b.c").is_null());
        assert_eq!(document.items("targets").len(), 1);
        assert_eq!(document.text("empty"), None);
    }
}
