//! YAML as plain values.
//!
//! Owns the parting of a stream into documents and the step from the experiment reader's tree to values without
//! places. The guards against hostile documents (nesting, multiplying aliases) are that reader's. Refuses to know
//! what is in a document.

use serde_json::{Map, Number, Value};

use crate::spec::tree::{self, Meaning, Node, Scalar};
use crate::spec::yaml;

/// Whether a text begins as YAML does: a document marker, a list dash, or a key.
pub fn looks_like(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        let line = line.trim_start_matches('\u{feff}');
        line.trim_end() == "---" || line.starts_with("- ") || is_key(line)
    })
}

/// The documents of a text. Those that hold nothing are left out.
///
/// # Errors
/// Where and why the text is not YAML; also when a document is neither a mapping nor a list.
pub fn parse(text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for part in parts(text) {
        let document = yaml::parse(&part.text).map_err(|problem| {
            format!("line {}: {}", problem.line + part.lines_before, problem.message)
        })?;
        let value = value(&document.root);
        if !value.is_object() && !value.is_array() {
            return Err(format!(
                "line {}: the YAML holds a single value; accepted is a mapping or a list",
                part.lines_before + 1
            ));
        }
        values.push(value);
    }
    Ok(values)
}

/// One document of a stream.
struct Part {
    text: String,
    lines_before: usize,
}

/// Parts a stream at its `---` lines.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = vec![Part { text: String::new(), lines_before: 0 }];
    for (number, line) in text.lines().enumerate() {
        if line.trim_end() == "---" {
            parts.push(Part { text: String::new(), lines_before: number + 1 });
        } else if let Some(part) = parts.last_mut() {
            part.text.push_str(line);
            part.text.push('\n');
        }
    }
    parts.retain(|part| {
        part.text.lines().any(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#') && line != "..."
        })
    });
    parts
}

fn is_key(line: &str) -> bool {
    let Some((key, rest)) = line.split_once(':') else { return false };
    let key = key.trim_matches(['"', '\'']);
    (rest.is_empty() || rest.starts_with(' '))
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
}

/// A node without its place. The reader bounds the nesting, and with it this recursion.
fn value(node: &Node) -> Value {
    match &node.value {
        tree::Value::Scalar(scalar) => scalar_value(scalar),
        tree::Value::Sequence(items) => Value::Array(items.iter().map(value).collect()),
        tree::Value::Mapping(entries) => Value::Object(
            entries
                .iter()
                .map(|entry| (entry.key.clone(), value(&entry.value)))
                .collect::<Map<_, _>>(),
        ),
    }
}

fn scalar_value(scalar: &Scalar) -> Value {
    match scalar.meaning() {
        Meaning::Nothing => Value::Null,
        Meaning::True => Value::Bool(true),
        Meaning::False => Value::Bool(false),
        // Hexadecimal, octal and infinite numbers are kept as they are written.
        Meaning::Number => scalar
            .text
            .parse::<i64>()
            .map(Value::from)
            .ok()
            .or_else(|| {
                scalar.text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
            })
            .unwrap_or_else(|| Value::String(scalar.text.clone())),
        Meaning::Text => Value::String(scalar.text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::chaos::field::Field;

    #[test]
    fn a_stream_of_documents_is_read() {
        let text = "# exported\n---\nkind: A\nn: 3\n---\nkind: \"B\"\nt: 2021-01-01T00:00:00Z\n---\n# empty\n";
        assert!(looks_like(text));
        let values = parse(text).unwrap();
        assert_eq!(values.len(), 2);
        assert_eq!(values[0].field("n"), &Value::from(3));
        assert_eq!(values[1].text("t"), Some("2021-01-01T00:00:00Z"));
    }

    #[test]
    fn broken_yaml_names_its_line() {
        let error = parse("kind: A\n---\na: [1\nb: 2\n").unwrap_err();
        assert!(error.starts_with("line "), "{error}");
        assert!(parse("---\njust text\n").is_err());
    }

    #[test]
    fn tables_and_logs_are_not_yaml() {
        for text in ["time,name\n1,2\n", "2025-01-01 10:00:00 [INFO] x: y\n", "metric{a=\"b\"} 1\n"]
        {
            assert!(!looks_like(text), "{text}");
        }
    }
}
