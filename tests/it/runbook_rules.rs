//! The rules of the runbook, case by case (`tests/cases/runbook`), and the form of their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use unfazed::report::from_json;
use unfazed::runbook::{Case, RULES, RunbookText, suggest};
use unfazed::unit::Span;
use unfazed::verdict::result::AnalysisResult;

/// One case of a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    name: String,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    shape: Vec<Shape>,
    runbook: Option<String>,
    fires: BTreeMap<String, String>,
}

/// A bent timeline.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    metric: String,
    kills: Vec<u32>,
    from_s: f64,
    to_s: f64,
    level: f64,
    #[serde(default)]
    slope: f64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/runbook")
}

/// Replaces or adds the value at a JSON pointer.
fn set(document: &mut Value, pointer: &str, value: &Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(key.to_owned(), value.clone());
        }
        Some(Value::Array(items)) => {
            let at: usize = key.parse().unwrap();
            items[at] = value.clone();
        }
        _ => panic!("{pointer} leads nowhere"),
    }
}

/// The clean result, changed as the case says, its timelines filled.
fn result_of(told: &Told) -> AnalysisResult {
    let clean = fs::read_to_string(folder().join("clean.json")).unwrap();
    let mut document: Value = serde_json::from_str(&clean).unwrap();
    for (pointer, value) in &told.set {
        set(&mut document, pointer, value);
    }
    let mut result = from_json(&document.to_string()).unwrap();
    let levels: Vec<f64> =
        result.metrics.iter().map(|metric| metric.baseline.estimate.unwrap()).collect();
    for (series, level) in result.timeline.metrics.iter_mut().zip(levels) {
        for window in &result.timeline.windows {
            let fault = window.fault_at.unwrap();
            let mut at = window.baseline.start;
            while at < window.experiment.end {
                let seconds = at.since(fault).seconds();
                let bent = told.shape.iter().find(|shape| {
                    shape.metric == series.name
                        && shape.kills.contains(&window.index)
                        && (shape.from_s..=shape.to_s).contains(&seconds)
                });
                let value = bent
                    .map_or(level, |shape| shape.level + shape.slope * (seconds - shape.from_s));
                series.points.push((at, value, value, value));
                at = at.plus(Span::from_milliseconds(5000));
            }
        }
    }
    result
}

fn cases(rule: &str) -> Vec<Told> {
    let path = folder().join(format!("rules/{rule}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{rule} has no cases"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn nothing_speaks_on_a_clean_pass() {
    let clean = Told {
        name: String::new(),
        set: BTreeMap::new(),
        shape: Vec::new(),
        runbook: None,
        fires: BTreeMap::new(),
    };
    let result = result_of(&clean);
    assert_eq!(suggest(&Case { result: &result, runbook: RunbookText::NotRead }), []);
}

#[test]
fn every_rule_speaks_where_its_cases_say_and_nowhere_else() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let cases = cases(rule.code);
        assert!(cases.iter().any(|told| told.fires.contains_key(rule.code)), "{}", rule.code);
        assert!(cases.iter().any(|told| told.fires.is_empty()), "{}", rule.code);
        for told in cases {
            let result = result_of(&told);
            let runbook = match told.runbook.as_deref() {
                None => RunbookText::NotRead,
                Some("missing") => RunbookText::Missing,
                Some(text) => RunbookText::Text(text),
            };
            let found: BTreeMap<String, String> = suggest(&Case { result: &result, runbook })
                .into_iter()
                .map(|one| (one.rule, one.confidence.grade.word().to_owned()))
                .collect();
            if found != told.fires {
                wrong.push(format!(
                    "{}: {}: found {found:?}, wanted {:?}",
                    rule.code, told.name, told.fires
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_suggestion_is_complete() {
    for rule in RULES {
        for told in cases(rule.code) {
            let result = result_of(&told);
            for one in suggest(&Case { result: &result, runbook: RunbookText::Missing }) {
                let texts = [&one.title, &one.seen, &one.why, &one.confidence.why];
                let more = [&one.step.text, &one.verification.text, &one.escalation.text];
                for text in texts.into_iter().chain(more) {
                    assert!(
                        !text.trim().is_empty() && !text.contains('\n'),
                        "{}: {text:?}",
                        one.rule
                    );
                }
                assert!(!one.evidence.is_empty() && !one.references.is_empty(), "{}", one.rule);
                for evidence in &one.evidence {
                    let numbers = [evidence.value, evidence.lower, evidence.upper];
                    assert!(numbers.into_iter().flatten().all(f64::is_finite), "{}", one.rule);
                }
                assert!(one.escalation.after_s >= 600.0);
            }
        }
    }
}

#[test]
fn every_rule_is_one_file_with_the_same_headings_and_registered_once() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runbook/rule");
    let mut files: Vec<String> = fs::read_dir(&source)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "mod.rs")
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    files.sort();
    let mut codes: Vec<String> = RULES.iter().map(|rule| rule.code.to_owned()).collect();
    codes.sort();
    assert_eq!(files, codes);
    for code in &codes {
        let text = fs::read_to_string(source.join(format!("{code}.rs"))).unwrap();
        let headings: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("//! # ")).collect();
        assert_eq!(
            headings,
            ["What it sees", "Why it matters", "What to try", "References"],
            "{code}"
        );
    }
}
