//! The kernels against other people's numbers.
//!
//! Every case of `tests/oracle/*.json` goes through `answer_lines`, as a user's request would, and its
//! answer is compared with values from R, scipy, statsmodels, lifelines, Prometheus and published tables.

use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use unfazed::app::stat::answer_lines;

/// How far an answer may be from the reference.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

/// The tolerance of a field of a method: exact p-values 1e-9, distribution values 1e-8, limits found by root
/// finding 1e-6, power 1e-4, Prometheus 1e-6, Monte-Carlo as noted.
fn tolerance(method: &str, field: &str, expected: &Map<String, Value>) -> Tolerance {
    let relative = |relative| Tolerance { relative, absolute: 1e-12 };
    let width = |share: f64, low: &str, high: &str| Tolerance {
        relative: 0.0,
        absolute: share * (number(&expected[high]) - number(&expected[low])),
    };
    match (method, field) {
        ("fisher_exact", "odds_ratio_cmle" | "or_ci_low" | "or_ci_high") => relative(1e-6),
        ("bootstrap_ci", "standard_error") => relative(0.05),
        ("bootstrap_ci", _) => width(0.05, "ci_low", "ci_high"),
        ("bootstrap_ci_mean", _) => relative(0.02),
        ("mean_sd_lag1_autocorrelation", "mean") => relative(1e-13),
        ("mean_sd_lag1_autocorrelation", "sd") => relative(1e-8),
        (_, "p_value") if method.contains("exact") || method.contains("permutation") => {
            relative(1e-9)
        }
        (_, "ci_low" | "ci_high" | "lower_95" | "upper_95" | "estimate") => relative(1e-6),
        (name, _)
            if name.starts_with("power")
                || name.contains("sample_size")
                || name.contains("detectable") =>
        {
            relative(1e-4)
        }
        (name, _) if name.starts_with("promql") || name.starts_with("histogram") => relative(1e-6),
        _ => relative(1e-8),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) if text == "Infinity" => f64::INFINITY,
        Value::String(text) if text == "-Infinity" => f64::NEG_INFINITY,
        other => other.as_f64().unwrap_or(f64::NAN),
    }
}

/// Fields that speak to the reader, or that follow a convention which is not ours.
fn is_compared(field: &str) -> bool {
    !(field == "outcome"
        || field.starts_with("scipy_")
        // R's attribute; `true_coverage` stands beside it.
        || field == "achieved_conf_level")
}

/// Differences between an answer and the case, in words.
fn differences(case: &Value, answer: &Value) -> Vec<String> {
    let method = case["method"].as_str().unwrap();
    let expected = case["expected"].as_object().unwrap();
    let degenerate = expected.contains_key("outcome");
    let all_undefined = expected.values().any(|value| value == "NaN");
    let Some(result) = answer.get("result") else {
        if (degenerate || all_undefined) && answer["error"]["code"] != "unknown_method" {
            return Vec::new();
        }
        return vec![format!("answered {}", answer["error"])];
    };
    let mut found = Vec::new();
    for (field, wanted) in expected.iter().filter(|(field, _)| is_compared(field)) {
        if field == "p_value_must_not_be_below" {
            if number(&result["p_value"]) < number(wanted) {
                found.push(format!("p_value {} is below {wanted}", result["p_value"]));
            }
            continue;
        }
        let tolerance = tolerance(method, field, expected);
        if !agrees(field, wanted, &result[field.as_str()], tolerance) {
            found.push(format!("{field} is {} and not {wanted}", result[field.as_str()]));
        }
    }
    found
}

fn agrees(field: &str, wanted: &Value, found: &Value, tolerance: Tolerance) -> bool {
    match (wanted, found) {
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(wanted, found)| agrees(field, wanted, found, tolerance))
        }
        (Value::Object(wanted), Value::Object(_)) => wanted
            .iter()
            .all(|(name, wanted)| agrees(name, wanted, &found[name.as_str()], tolerance)),
        // An undefined number is null here.
        (Value::String(wanted), found) if wanted == "NaN" => found.is_null() || found == "NaN",
        (Value::Null, found) => found.is_null(),
        (Value::Number(_), Value::Number(_)) => {
            let (mut wanted, mut found) = (number(wanted), number(found));
            if field == "z" {
                // The sign of a two-sided z is a matter of taste.
                (wanted, found) = (wanted.abs(), found.abs());
            }
            (wanted - found).abs() <= tolerance.relative * wanted.abs() + tolerance.absolute
        }
        (wanted, found) => wanted == found,
    }
}

/// The numbers of inputs that are given as a formula.
fn generated(formula: &str) -> Vec<f64> {
    let modular = |factor: i64, plus: i32| -> Vec<f64> {
        (1..=200_000_i64)
            .map(|i| f64::from(i32::try_from(i * factor % 10_007).unwrap() + plus))
            .collect()
    };
    let alternating = |base: f64| -> Vec<f64> {
        let tenth = |i: usize| if i % 2 == 1 { 0.1 } else { 0.3 };
        (0..1001).map(|i| if i == 0 { base + 0.2 } else { base + tenth(i) }).collect()
    };
    match formula {
        "(i*7919) mod 10007, i=1..200000" => modular(7919, 0),
        "((i*104729) mod 10007)+13, i=1..200000" => modular(104_729, 13),
        "first 1000000.2, then 1000000.1 and 1000000.3 alternating, 1001 values in all" => {
            alternating(1e6)
        }
        "first 10000000.2, then 10000000.1 and 10000000.3 alternating, 1001 values in all" => {
            alternating(1e7)
        }
        other => panic!("the formula {other:?} is not known to this test"),
    }
}

fn request_line(case: &Value) -> String {
    let mut inputs = Map::new();
    for (name, value) in case["inputs"].as_object().unwrap() {
        match name.strip_suffix("_generator") {
            Some(name) => inputs.insert(name.to_owned(), json!(generated(value.as_str().unwrap()))),
            None => inputs.insert(name.clone(), value.clone()),
        };
    }
    json!({"id": case["id"], "method": case["method"], "inputs": inputs, "args": case["args"]})
        .to_string()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

fn check_file(name: &str) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let requests: String = cases.iter().map(|case| request_line(case) + "\n").collect();
    let mut output = Vec::new();
    answer_lines(requests.as_bytes(), &mut output).unwrap();
    let answers: Vec<Value> = String::from_utf8(output)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(case["id"], answer["id"]);
        for difference in differences(case, answer) {
            wrong.push(format!("{}: {difference}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {name}:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! oracle_files {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check_file(stringify!($name));
            }
        )*

        #[test]
        fn every_oracle_file_has_its_test() {
            let mut listed = vec![$(concat!(stringify!($name), ".json").to_owned()),*];
            let mut present: Vec<String> = std::fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
                .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
                .collect();
            listed.sort();
            present.sort();
            assert_eq!(listed, present);
        }
    };
}

oracle_files!(
    bootstrap,
    brunner_munzel,
    changepoint,
    clustered_rates,
    effect_size,
    hodges_lehmann,
    mann_whitney,
    multiplicity,
    nist_univariate,
    permutation,
    power,
    prom_histogram,
    prom_rate,
    proportions,
    quantiles,
    rates_two_sample,
    sequential,
    survival,
    t_test,
    tost,
    trend,
    wilcoxon_signed_rank,
);
