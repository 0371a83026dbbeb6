//! Secrets taken out of what other tools wrote down.
//!
//! Owns the list of what counts as a secret: the values of keys that name one, command-line options that name
//! one, credentials in URLs, bearer tokens and the well-known shapes of keys. Journals hold the arguments of every
//! action in clear text; a record is shared and must not. Refuses to be perfect: text that does not look like a
//! secret stays. Everything an importer writes into events, targets and names passes through here.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Longest message that an event carries, in characters. A probe's output may be a whole web page; a timeline is
/// read by people.
const LONGEST: usize = 240;

/// Words in a key that make its value a secret.
const SECRET_WORDS: &str = r"passw(?:or)?d|passphrase|passwd|pwd|secrets?|tokens?|api[-_]?key|access[-_]?key(?:[-_]?id)?|account[-_]?key|private[-_]?key|shared[-_]?key|ssh[-_]?key|credentials?|authorization|auth|cookie|session[-_]?id|signature|connection[-_]?string|client[-_]?secret";

/// The value of a secret: quoted or up to the next space or separator, with the scheme of a header before it.
const SECRET_VALUE: &str =
    r#"(?:(?:bearer|basic)\s+)?(?:\[redacted\]|"[^"]*"|'[^']*'|[^\s&,;"'}\]]+)"#;

/// A whole key that names a secret, with any prefix.
static SECRET_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)(?:^|[-_.]|[a-z])(?:{SECRET_WORDS})$")).expect("a constant pattern")
});

/// `password=…`, `Authorization: Bearer …` inside a text.
static SECRET_PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r#"(?i)((?:\b|[-_])(?:{SECRET_WORDS})["']?\s*[=:]\s*){SECRET_VALUE}"#))
        .expect("a constant pattern")
});

/// `--token …`: an option whose value follows after a space.
static SECRET_OPTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)(\B--?(?:[a-z0-9]+[-_])*(?:{SECRET_WORDS})\s+){SECRET_VALUE}"))
        .expect("a constant pattern")
});

/// `scheme://user:password@host`.
static URL_CREDENTIALS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@]+@").expect("a constant pattern")
});

/// Shapes that are keys wherever they stand: bearer tokens, AWS and GitHub keys, JSON web tokens, PEM keys.
static KEY_SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i:bearer)\s+[A-Za-z0-9._~+/=-]{8,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    )
    .expect("a constant pattern")
});

/// A text without secrets, on one line, at most 240 characters long.
pub fn text(raw: &str) -> String {
    let bounded: String = raw.chars().take(16 * LONGEST).collect();
    let step = URL_CREDENTIALS.replace_all(&bounded, "${1}[redacted]@");
    let step = KEY_SHAPE.replace_all(&step, REDACTED);
    let step = SECRET_PAIR.replace_all(&step, "${1}[redacted]");
    let step = SECRET_OPTION.replace_all(&step, "${1}[redacted]");
    let line = step.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > LONGEST {
        let mut short: String = line.chars().take(LONGEST - 1).collect();
        short.push('…');
        return short;
    }
    line
}

/// Arguments as `key=value` pairs without secrets. The values of secret keys go whole, whatever they hold.
pub fn arguments(value: &Value) -> String {
    let mut written = String::new();
    write_value(value, &mut written);
    text(&written)
}

/// Writes a value in a form that people read: no quotes, no braces around the outermost object.
fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::String(plain) => out.push_str(plain),
        Value::Bool(_) | Value::Number(_) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value}");
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(' ');
                }
                write_value(item, out);
            }
        }
        Value::Object(fields) => {
            for (position, (key, item)) in fields.iter().enumerate() {
                if position > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push('=');
                if SECRET_KEY.is_match(key) {
                    out.push_str(REDACTED);
                } else {
                    write_value(item, out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        for raw in [
            "mysql --password=hunter2 -h db",
            "mysql --password hunter2 -h db",
            "curl -H 'Authorization: Bearer hunter2hunter2' http://x",
            "curl https://admin:hunter2@db.example/health",
            "API_KEY=hunter2 ./kill.sh",
            "{\"token\": \"hunter2\"}",
            "curl http://x/?access_token=hunter2&y=1",
        ] {
            let shown = text(raw);
            assert!(!shown.contains("hunter2"), "{raw} became {shown}");
            assert!(shown.contains(REDACTED), "{raw} became {shown}");
        }
        assert!(!text("key AKIAIOSFODNN7EXAMPLE used").contains("AKIA"));
    }

    #[test]
    fn the_value_of_a_secret_key_goes_whole() {
        let shown = arguments(&json!({
            "host": "db", "db_password": {"a": "hunter2"}, "apiKey": "hunter2", "label_selector": "app=x"
        }));
        assert_eq!(shown, "apiKey=[redacted] db_password=[redacted] host=db label_selector=app=x");
    }

    #[test]
    fn ordinary_text_stays() {
        for raw in [
            "docker stop jokes-api",
            "label_selector=run=frontend ns=default",
            "key=zone value=a",
            "the token expired before the secret was read",
        ] {
            assert_eq!(text(raw), raw);
        }
        assert_eq!(text(&"x".repeat(5000)).chars().count(), LONGEST);
    }
}
