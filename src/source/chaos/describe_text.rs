//! The text of `kubectl describe`, read as a tree.
//!
//! Owns the guess of where one list item ends and the next begins: the text writes a list of objects as one run of
//! keys. kubectl sorts the keys of an object, so that an item begins where the order starts anew. Refuses to know
//! what the keys mean, and drops the event table at the end: it gives ages, not times. People paste this text into
//! tickets long after the object is gone, which is why it is read at all.

use serde_json::{Map, Value};

use crate::source::chaos::field::bare;

/// Deepest nesting that is read; Kubernetes objects stay below twenty.
const GREATEST_DEPTH: usize = 64;

/// One line of the text.
struct Line<'a> {
    indent: usize,
    key: Option<&'a str>,
    value: &'a str,
}

/// Whether a text is what `kubectl describe` prints: aligned `Name:` and `API Version:` near the top.
pub fn looks_like(text: &str) -> bool {
    let top: Vec<&str> = text.lines().take(60).collect();
    top.iter().any(|line| line.starts_with("Name:  "))
        && top.iter().any(|line| line.starts_with("API Version:") || line.starts_with("Kind:  "))
}

/// The objects of a text; `kubectl describe` parts several by blank lines and a new `Name:` at the margin.
pub fn parse(text: &str) -> Vec<Value> {
    let mut objects = Vec::new();
    let mut block: Vec<Line<'_>> = Vec::new();
    let mut in_events = false;
    for raw in text.lines() {
        let indent = raw.len() - raw.trim_start().len();
        let content = raw.trim();
        if indent == 0 && content.starts_with("Name:") && !block.is_empty() {
            objects.push(tree(&block));
            block.clear();
            in_events = false;
        }
        if indent == 0 && content.starts_with("Events:") {
            in_events = true;
        }
        if content.is_empty() || content.starts_with('#') || in_events {
            continue;
        }
        block.push(line(indent, content));
    }
    if !block.is_empty() {
        objects.push(tree(&block));
    }
    objects
}

/// Splits `Key:  value`. A colon inside a word (`ns/pod:1`, a URL, a time) parts nothing.
fn line(indent: usize, content: &str) -> Line<'_> {
    if let Some(key) = content.strip_suffix(':') {
        return Line { indent, key: Some(key), value: "" };
    }
    match content.split_once(": ") {
        Some((key, value)) if key.len() < 64 => {
            // Documentation puts ` #remark` behind values; kubectl never prints one.
            let value = value.split(" #").next().unwrap_or(value).trim();
            Line { indent, key: Some(key.trim()), value }
        }
        Some(_) | None => Line { indent, key: None, value: content },
    }
}

/// The tree of one object.
fn tree(lines: &[Line<'_>]) -> Value {
    let margin = lines.iter().map(|line| line.indent).min().unwrap_or(0);
    // The outermost keys are unsorted and never a list.
    let mut fields = Map::new();
    for (key, value) in entries(lines, margin, 0) {
        fields.entry(key).or_insert(value);
    }
    Value::Object(fields)
}

/// The keys at one indentation with their values.
fn entries(lines: &[Line<'_>], indent: usize, depth: usize) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut position = 0;
    while position < lines.len() {
        let head = &lines[position];
        let end = lines[position + 1..]
            .iter()
            .position(|line| line.indent <= indent)
            .map_or(lines.len(), |offset| position + 1 + offset);
        let below = &lines[position + 1..end];
        if let Some(key) = head.key {
            let value = if below.is_empty() || depth >= GREATEST_DEPTH {
                scalar(head.value)
            } else if head.value.is_empty() {
                children(below, depth + 1)
            } else {
                // `Labels:  a=b` goes on in aligned lines below.
                let more = below.iter().map(|line| line.value);
                Value::Array(std::iter::once(head.value).chain(more).map(scalar).collect())
            };
            found.push((key.to_owned(), value));
        }
        position = end;
    }
    found
}

/// What stands below a key: a list of plain values, an object, or a list of objects.
fn children(lines: &[Line<'_>], depth: usize) -> Value {
    if lines.iter().all(|line| line.key.is_none()) {
        return Value::Array(lines.iter().map(|line| scalar(line.value)).collect());
    }
    let indent = lines.iter().map(|line| line.indent).min().unwrap_or(0);
    let entries = entries(lines, indent, depth);
    let mut names: Vec<String> = entries.iter().map(|(key, _)| bare(key)).collect();
    names.sort_unstable();
    let repeats = names.windows(2).any(|pair| pair[0] == pair[1]);
    if !repeats {
        return Value::Object(entries.into_iter().collect());
    }
    let mut items: Vec<Map<String, Value>> = Vec::new();
    let mut last: Option<String> = None;
    for (key, value) in entries {
        let name = bare(&key);
        let starts_anew = last.as_ref().is_none_or(|last| name <= *last);
        if starts_anew {
            items.push(Map::new());
        }
        if let Some(item) = items.last_mut() {
            item.insert(key, value);
        }
        last = Some(name);
    }
    Value::Array(items.into_iter().map(Value::Object).collect())
}

/// A plain value; numbers stay text, `<none>` is nothing.
fn scalar(text: &str) -> Value {
    match text {
        "" | "<none>" | "<nil>" | "<unset>" => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::chaos::field::Field;

    const TEXT: &str = "Name:         web
Labels:       a=b
              c=d
Annotations:  <none>
API Version:  x/v1
Kind:         ChaosResult
Status:
  # a remark
  History:
    Targets:
      Kind:  deployment
      Name:  one
      Chaos Status:  targeted
      Kind:  pod
      Name:  two
  Namespaces:
    default
    other
Events:
  Type  Reason
";

    #[test]
    fn the_text_becomes_a_tree() {
        assert!(looks_like(TEXT));
        let objects = parse(TEXT);
        assert_eq!(objects.len(), 1);
        let object = &objects[0];
        assert_eq!(object.text("apiVersion"), Some("x/v1"));
        assert_eq!(object.field("labels").as_array().unwrap().len(), 2);
        assert!(object.field("annotations").is_null());
        assert_eq!(object.field("status.namespaces").as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_list_item_begins_where_the_sorted_keys_start_anew() {
        let objects = parse(TEXT);
        let targets = objects[0].items("status.history.targets");
        assert_eq!(targets.len(), 2);
        assert_eq!(targets[0].text("name"), Some("one"));
        assert_eq!(targets[1].text("chaosStatus"), Some("targeted"));
    }

    #[test]
    fn several_objects_are_parted() {
        assert_eq!(parse(&format!("{TEXT}\n\n{TEXT}")).len(), 2);
    }
}
