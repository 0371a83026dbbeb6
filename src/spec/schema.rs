//! The grammar of the Experiment document as a JSON Schema, for editors and other programs.
//!
//! Printed from the same tables that the readers check against. The schema accepts everything that the readers
//! accept; what spans several keys beyond presence (units, names that refer to metrics, lengths that have to fit) is
//! for the readers alone.

use serde_json::{Map, Value, json};

use crate::spec::grammar::{Choice, Ends, Key, Kind, Presence, Rule, Shape, SpanRule};
use crate::spec::walk::document::EXPERIMENT;
use crate::spec::walk::policy::POLICY;
use crate::unit::Quantity;

/// The JSON Schema (draft 2020-12) of the Experiment document, indented, with a line feed at its end.
///
/// ```
/// let schema: serde_json::Value = serde_json::from_str(&unfazed::spec::schema_json())?;
/// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn schema_json() -> String {
    let mut text = format!("{:#}", schema(&EXPERIMENT));
    text.push('\n');
    text
}

/// The JSON Schema (draft 2020-12) of the Policy document, indented, with a line feed at its end.
pub fn policy_schema_json() -> String {
    let mut text = format!("{:#}", schema(&POLICY));
    text.push('\n');
    text
}

/// The schema of a document whose root has this shape.
fn schema(root: &Shape) -> Value {
    let mut definitions = Map::new();
    define(root, &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("unfazed {}", root.name),
        "$ref": reference(root),
        "$defs": definitions,
    })
}

fn reference(shape: &Shape) -> String {
    format!("#/$defs/{}", shape.name)
}

/// Adds a shape and all shapes below it.
fn define(shape: &Shape, definitions: &mut Map<String, Value>) {
    if definitions.contains_key(shape.name) {
        return;
    }
    definitions.insert(shape.name.to_owned(), mapping(shape));
    for key in shape.keys {
        if let Some(below) = shapes_of(&key.kind) {
            define(below, definitions);
        }
    }
}

/// The shapes that a kind refers to.
fn shapes_of(kind: &'static Kind) -> Option<&'static Shape> {
    match kind {
        Kind::Mapping(shape) | Kind::WordOrMapping(_, shape) => Some(shape),
        Kind::List { of, .. } => shapes_of(of),
        Kind::Text(_)
        | Kind::Flag
        | Kind::Count { .. }
        | Kind::Fraction(_)
        | Kind::Span(_)
        | Kind::Quantity
        | Kind::Selector
        | Kind::Word(_)
        | Kind::TextMap => None,
    }
}

fn mapping(shape: &Shape) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut beside = Map::new();
    let mut demanded: Map<String, Value> = Map::new();
    for Key { name, presence, kind, doc } in shape.keys {
        let mut value = values(kind);
        if let Value::Object(value) = &mut value {
            value.insert("description".to_owned(), json!(doc));
        }
        properties.insert((*name).to_owned(), value);
        match presence {
            Presence::Required => required.push(*name),
            Presence::Optional => {}
            Presence::OnlyBeside(keys) => {
                beside.insert((*name).to_owned(), any_of(keys));
            }
            Presence::RequiredBeside(keys) => {
                beside.insert((*name).to_owned(), any_of(keys));
                for key in *keys {
                    demanded.insert((*key).to_owned(), json!([name]));
                }
            }
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("description".to_owned(), json!(shape.doc));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema.insert("required".to_owned(), json!(required));
    schema.insert("dependentSchemas".to_owned(), Value::Object(beside));
    schema.insert("dependentRequired".to_owned(), Value::Object(demanded));
    schema.insert("allOf".to_owned(), shape.choices.iter().map(choice).collect());
    // Empty lists and objects say nothing, and an empty `allOf` is not even allowed.
    schema.retain(|_, value| *value != json!([]) && *value != json!({}));
    Value::Object(schema)
}

fn any_of(keys: &[&str]) -> Value {
    let present: Vec<Value> = keys.iter().map(|key| json!({"required": [key]})).collect();
    json!({ "anyOf": present })
}

fn choice(choice: &Choice) -> Value {
    let present: Vec<Value> = choice.keys.iter().map(|key| json!({"required": [key]})).collect();
    match choice.rule {
        Rule::ExactlyOne => json!({ "oneOf": present }),
        Rule::AtLeastOne => json!({ "anyOf": present }),
        Rule::AtMostOne => {
            let pairs: Vec<Value> = choice
                .keys
                .iter()
                .enumerate()
                .flat_map(|(at, first)| {
                    choice.keys[at + 1..].iter().map(move |other| (first, other))
                })
                .map(|(first, other)| json!({"required": [first, other]}))
                .collect();
            json!({ "not": { "anyOf": pairs } })
        }
    }
}

fn values(kind: &Kind) -> Value {
    match kind {
        Kind::Text(rule) => json!({"type": "string", "pattern": rule.pattern()}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Count { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::Fraction(range) => {
            let number = match range.ends {
                Ends::Inside => json!({
                    "type": "number", "minimum": range.low, "maximum": range.high}),
                Ends::Outside => json!({
                    "type": "number",
                    "exclusiveMinimum": range.low,
                    "exclusiveMaximum": range.high,
                }),
            };
            let text = json!({"type": "string", "pattern": r"^\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*%?\s*$"});
            json!({"anyOf": [number, text]})
        }
        Kind::Span(SpanRule::ZeroOrMore) => {
            json!({"anyOf": [{"type": "string", "pattern": span_pattern()}, {"const": 0}]})
        }
        Kind::Span(SpanRule::AboveZero) => json!({"type": "string", "pattern": span_pattern()}),
        Kind::Quantity => json!({"type": ["number", "string"], "pattern": quantity_pattern()}),
        Kind::Selector => json!({"type": "string", "pattern": r"\S"}),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Mapping(shape) => json!({"$ref": reference(shape)}),
        Kind::WordOrMapping(words, shape) => {
            json!({"anyOf": [{"enum": words}, {"$ref": reference(shape)}]})
        }
        Kind::List { of, least } => {
            json!({"type": "array", "minItems": least, "items": values(of)})
        }
        Kind::TextMap => {
            json!({"type": "object", "additionalProperties": {"type": "string", "pattern": r"\S"}})
        }
    }
}

/// Texts that may be a duration: `0`, or numbers with units.
fn span_pattern() -> String {
    r"^\s*(0|([0-9.]+(ms|s|min|m|h|d))+)\s*$".to_owned()
}

/// Texts that may be a quantity: a number, alone or with a unit, or a sum of times such as `1h30m`.
fn quantity_pattern() -> String {
    let words: Vec<&str> = Quantity::unit_words().collect();
    let number = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?";
    format!(r"^\s*({number}\s*({})?|([0-9.]+(ms|s|min|m|h|d))+)\s*$", words.join("|"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use regex::Regex;

    use super::*;
    use crate::spec::grammar::TextRule;
    use crate::spec::tree::{self, Meaning, Node, below};
    use crate::spec::yaml;
    use crate::spec::{Experiment, Policy, Problem};
    use crate::unit::Span;

    /// A document as JSON, so that it can be changed and given to both the schema and the readers.
    fn json_of(node: &Node) -> Value {
        match &node.value {
            tree::Value::Sequence(items) => items.iter().map(json_of).collect(),
            tree::Value::Mapping(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.value))).collect(),
            ),
            tree::Value::Scalar(scalar) => match scalar.meaning() {
                Meaning::Nothing => Value::Null,
                Meaning::True => json!(true),
                Meaning::False => json!(false),
                Meaning::Number => {
                    serde_json::from_str(&scalar.text).unwrap_or_else(|_| json!(scalar.text))
                }
                Meaning::Text => json!(scalar.text),
            },
        }
    }

    /// A kind of document with its readers.
    #[derive(Clone, Copy)]
    struct Grammar {
        shape: &'static Shape,
        folder: &'static str,
        problems: fn(&Value) -> Vec<Problem>,
    }

    const GRAMMARS: [Grammar; 2] = [
        Grammar { shape: &EXPERIMENT, folder: "tests/cases/spec/good", problems },
        Grammar { shape: &POLICY, folder: "tests/cases/policy/good", problems: policy_problems },
    ];

    fn policy_problems(document: &Value) -> Vec<Problem> {
        match Policy::check("", document.to_string().as_bytes()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.problems().to_vec(),
        }
    }

    fn good_documents(grammar: Grammar) -> Vec<(String, Value)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(grammar.folder);
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end != "problems"));
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let bytes = std::fs::read(path).unwrap();
            let document = yaml::parse(yaml::text_of(&bytes).unwrap()).unwrap();
            (path.display().to_string(), json_of(&document.root))
        };
        paths.iter().map(read).collect()
    }

    fn problems(document: &Value) -> Vec<Problem> {
        match Experiment::check("", document.to_string().as_bytes()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.problems().to_vec(),
        }
    }

    /// The schema with its patterns compiled once.
    struct Compiled {
        schema: Value,
        patterns: BTreeMap<String, Regex>,
    }

    impl Compiled {
        fn new(shape: &Shape) -> Self {
            fn collect(schema: &Value, patterns: &mut BTreeMap<String, Regex>) {
                if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
                    patterns.insert(pattern.to_owned(), Regex::new(pattern).unwrap());
                }
                for below in schema.as_object().into_iter().flat_map(Map::values) {
                    collect(below, patterns);
                }
                for below in schema.as_array().into_iter().flatten() {
                    collect(below, patterns);
                }
            }
            let (schema, mut patterns) = (schema(shape), BTreeMap::new());
            collect(&schema, &mut patterns);
            Self { schema, patterns }
        }
    }

    /// The keywords that our schema uses, and no others: an unknown keyword is a failure of the test itself.
    fn accepts(root: &Compiled, schema: &Value, value: &Value) -> bool {
        let all = |schemas: &Value| {
            schemas.as_array().unwrap().iter().filter(|s| accepts(root, s, value)).count()
        };
        let has = |key: &Value| value.get(key.as_str().unwrap()).is_some();
        schema.as_object().unwrap().iter().all(|(keyword, argument)| match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = argument.as_str().unwrap().trim_start_matches('#');
                accepts(root, root.schema.pointer(pointer).unwrap(), value)
            }
            "type" => match argument {
                Value::Array(types) => types.iter().any(|one| is_a(one, value)),
                one => is_a(one, value),
            },
            "enum" => argument.as_array().unwrap().contains(value),
            "const" => argument == value,
            "pattern" => value
                .as_str()
                .is_none_or(|text| root.patterns[argument.as_str().unwrap()].is_match(text)),
            "minimum" => number(value, |n| n >= argument.as_f64().unwrap()),
            "maximum" => number(value, |n| n <= argument.as_f64().unwrap()),
            "exclusiveMinimum" => number(value, |n| n > argument.as_f64().unwrap()),
            "exclusiveMaximum" => number(value, |n| n < argument.as_f64().unwrap()),
            "minItems" => {
                value.as_array().is_none_or(|list| list.len() as u64 >= argument.as_u64().unwrap())
            }
            "items" => value
                .as_array()
                .is_none_or(|list| list.iter().all(|item| accepts(root, argument, item))),
            "properties" => argument
                .as_object()
                .unwrap()
                .iter()
                .all(|(key, schema)| value.get(key).is_none_or(|v| accepts(root, schema, v))),
            "additionalProperties" => value.as_object().is_none_or(|object| {
                let known = schema.get("properties");
                object.iter().all(|(key, v)| match argument {
                    Value::Bool(_) => known.is_some_and(|known| known.get(key).is_some()),
                    schema => accepts(root, schema, v),
                })
            }),
            "required" => !value.is_object() || argument.as_array().unwrap().iter().all(has),
            "dependentRequired" => argument.as_object().unwrap().iter().all(|(key, needed)| {
                value.get(key).is_none() || needed.as_array().unwrap().iter().all(has)
            }),
            "dependentSchemas" => argument
                .as_object()
                .unwrap()
                .iter()
                .all(|(key, schema)| value.get(key).is_none() || accepts(root, schema, value)),
            "allOf" => all(argument) == argument.as_array().unwrap().len(),
            "anyOf" => all(argument) >= 1,
            "oneOf" => all(argument) == 1,
            "not" => !accepts(root, argument, value),
            other => panic!("the schema uses the keyword {other}, which this test does not know"),
        })
    }

    fn is_a(name: &Value, value: &Value) -> bool {
        match name.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            other => panic!("unknown type {other}"),
        }
    }

    fn number(value: &Value, test: impl Fn(f64) -> bool) -> bool {
        value.as_f64().is_none_or(test)
    }

    /// A mapping of a document with the shape that the tables give it.
    struct Found {
        pointer: String,
        path: String,
        shape: &'static Shape,
    }

    fn mappings(value: &Value, at: Found, found: &mut Vec<Found>) {
        for key in at.shape.keys {
            let below = [(
                value.get(key.name),
                format!("{}/{}", at.pointer, key.name),
                below(&at.path, key.name),
            )];
            let items: Vec<_> = match (value.get(key.name), &key.kind) {
                (Some(Value::Array(list)), Kind::List { .. }) => (0..list.len())
                    .map(|index| {
                        let [(value, pointer, path)] = &below;
                        let item = value.and_then(|value| value.get(index));
                        (item, format!("{pointer}/{index}"), format!("{path}[{index}]"))
                    })
                    .collect(),
                _ => below.to_vec(),
            };
            for (value, pointer, path) in items {
                if let (Some(value @ Value::Object(_)), Some(shape)) = (value, shapes_of(&key.kind))
                {
                    mappings(value, Found { pointer, path, shape }, found);
                }
            }
        }
        found.push(at);
    }

    fn all_mappings(shape: &'static Shape, document: &Value) -> Vec<Found> {
        let root = Found { pointer: String::new(), path: String::new(), shape };
        let mut found = Vec::new();
        mappings(document, root, &mut found);
        found
    }

    fn object<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
        document.pointer_mut(pointer).unwrap().as_object_mut().unwrap()
    }

    #[test]
    fn every_good_document_is_valid_under_the_schema_and_they_use_every_key() {
        for grammar in GRAMMARS {
            let schema = Compiled::new(grammar.shape);
            let (mut used, mut known) = (BTreeSet::new(), BTreeSet::new());
            let mut shapes = Map::new();
            define(grammar.shape, &mut shapes);
            for (name, shape) in &shapes {
                for key in shape["properties"].as_object().unwrap().keys() {
                    known.insert(format!("{name}.{key}"));
                }
            }
            for (name, document) in good_documents(grammar) {
                assert!(
                    accepts(&schema, &schema.schema, &document),
                    "{name} is not valid under the schema"
                );
                assert_eq!((grammar.problems)(&document), [], "{name} as JSON");
                for Found { pointer, shape, .. } in all_mappings(grammar.shape, &document) {
                    let keys = document.pointer(&pointer).unwrap().as_object().unwrap().keys();
                    used.extend(keys.map(|key| format!("{}.{key}", shape.name)));
                }
            }
            let unused: Vec<_> = known.difference(&used).collect();
            assert!(unused.is_empty(), "no good document uses {unused:?}");
        }
    }

    #[test]
    fn an_unknown_key_anywhere_is_refused_by_schema_and_readers() {
        for grammar in GRAMMARS {
            let schema = Compiled::new(grammar.shape);
            for (name, document) in good_documents(grammar) {
                for Found { pointer, path, .. } in all_mappings(grammar.shape, &document) {
                    let mut changed = document.clone();
                    object(&mut changed, &pointer).insert("zzz".to_owned(), json!(1));
                    assert!(!accepts(&schema, &schema.schema, &changed), "{name}: schema, {path}");
                    let wanted = below(&path, "zzz");
                    let found = (grammar.problems)(&changed);
                    assert!(
                        found
                            .iter()
                            .any(|p| p.path == wanted && p.message.starts_with("unknown key")),
                        "{name}: readers, {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_anywhere_is_refused_by_schema_and_readers() {
        for grammar in GRAMMARS {
            let schema = Compiled::new(grammar.shape);
            for (name, document) in good_documents(grammar) {
                for Found { pointer, path, .. } in all_mappings(grammar.shape, &document) {
                    for key in object(&mut document.clone(), &pointer).keys() {
                        for wrong in [json!([[]]), json!(null), json!(true), json!({"zzz": []})] {
                            let mut changed = document.clone();
                            let old =
                                object(&mut changed, &pointer).insert(key.clone(), wrong.clone());
                            if old.is_some_and(|old| old.is_boolean() && wrong.is_boolean()) {
                                continue;
                            }
                            let wanted = below(&path, key);
                            let refused = (grammar.problems)(&changed);
                            assert!(
                                refused.iter().any(|problem| problem.path.starts_with(&wanted)),
                                "{name}: the readers accept {wrong} at {wanted}: {refused:?}"
                            );
                            assert!(
                                !accepts(&schema, &schema.schema, &changed),
                                "{name}: {wrong} at {wanted}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_the_schema_refuses_without_a_key_the_readers_refuse_and_the_other_way_round() {
        for grammar in GRAMMARS {
            let schema = Compiled::new(grammar.shape);
            for (name, document) in good_documents(grammar) {
                for Found { pointer, path, shape } in all_mappings(grammar.shape, &document) {
                    for key in shape.keys {
                        let mut changed = document.clone();
                        if object(&mut changed, &pointer).remove(key.name).is_none() {
                            continue;
                        }
                        let valid = accepts(&schema, &schema.schema, &changed);
                        let refused = (grammar.problems)(&changed);
                        if !valid {
                            assert_ne!(
                                refused,
                                [],
                                "{name}: the readers accept {path} without {}",
                                key.name
                            );
                        }
                        let missing =
                            refused.iter().any(|problem| problem.message.contains("missing"));
                        assert!(
                            !(missing && valid),
                            "{name}: the schema accepts {path} without {}",
                            key.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn the_patterns_say_what_the_readers_say() {
        let rules = [
            TextRule::Any,
            TextRule::Slug,
            TextRule::Line,
            TextRule::Url,
            TextRule::EnvironmentVariable,
            TextRule::KeyValue,
            TextRule::Label,
            TextRule::TimeOfDay,
            TextRule::LocalTime,
            TextRule::PublicKey,
        ];
        let key = format!("ed25519:{}", "0a".repeat(32));
        let texts = [
            "",
            " ",
            "a",
            " a",
            "a b",
            "a\nb",
            "A",
            "a-1",
            "a_1",
            "1a",
            "http://a",
            "https://a/b?c",
            "http://",
            "ftp://a",
            "http:///a",
            "a=b",
            "=b",
            "a=",
            "a=b c",
            "\u{1}",
            "é",
            "a\u{7f}",
            "a =b",
            "09:30",
            "24:00",
            "24:01",
            "9:30",
            "2026-12-24",
            "2026-12-24T18:00",
            "2026-12-24T25:00",
            "2026-12-24 18:00",
            "26-12-24",
            "2026-+2-24",
            key.as_str(),
            "ed25519:00",
        ];
        for rule in rules {
            let pattern = Regex::new(rule.pattern()).unwrap();
            for text in texts {
                assert_eq!(pattern.is_match(text), rule.accepts(text), "{rule:?} of {text:?}");
            }
        }
        let (span, quantity) = (span_pattern(), quantity_pattern());
        let (span, quantity) = (Regex::new(&span).unwrap(), Regex::new(&quantity).unwrap());
        let numbers = [
            "0",
            "5",
            "5s",
            " 5 s ",
            "1h30m",
            "1.5h",
            "-5",
            "-5%",
            "+.5pp",
            "5.",
            "1e3",
            "1e-3ms",
            "2 GiB",
            "fast",
            "",
            "5 parsecs",
            "0.1%",
            "%",
            "e5",
            "1h30",
            "2TB",
            "5µs",
            "0s",
            "1e",
            "m",
            "NaN",
        ];
        for text in numbers {
            let read = Quantity::parse(text).is_ok();
            assert_eq!(quantity.is_match(text), read, "quantity {text:?}");
            assert!(span.is_match(text) || Span::parse(text).is_err(), "duration {text:?}");
        }
    }

    #[test]
    fn shapes_have_unique_names_and_no_key_twice() {
        fn collect(shape: &'static Shape, all: &mut Vec<&'static Shape>) {
            if !all.iter().any(|known| std::ptr::eq(*known, shape)) {
                all.push(shape);
                for key in shape.keys {
                    if let Some(below) = shapes_of(&key.kind) {
                        collect(below, all);
                    }
                }
            }
        }
        let mut all = Vec::new();
        collect(&EXPERIMENT, &mut all);
        collect(&POLICY, &mut all);
        for shape in &all {
            let names: BTreeSet<_> = shape.names().into_iter().collect();
            assert_eq!(names.len(), shape.keys.len(), "{}", shape.name);
            let same = all.iter().filter(|other| other.name == shape.name);
            assert!(same.clone().all(|other| other.names() == shape.names()), "{}", shape.name);
            for choice in shape.choices {
                assert!(choice.keys.iter().all(|key| names.contains(key)), "{}", shape.name);
            }
        }
    }

    #[test]
    fn the_published_schema_is_the_reviewed_one() {
        for (path, published) in [
            ("tests/cases/spec/experiment.schema.json", schema_json()),
            ("tests/cases/policy/policy.schema.json", policy_schema_json()),
        ] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            if std::env::var_os("UNFAZED_UPDATE_CASES").is_some() {
                std::fs::write(&file, &published).unwrap();
            }
            let reviewed = std::fs::read_to_string(file).unwrap();
            assert!(reviewed == published, "the grammar differs from {path}");
        }
    }
}
