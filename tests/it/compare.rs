//! `unfazed compare` on real campaigns: the four answers, their mirror images, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const KILL: &str = "payment-worker-kill";
const SLOW: &str = "payment-worker-slow-restart";
const THREE: &str = "payment-worker-three-kills";

fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets").join(name)
}

fn unfazed(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unfazed")).arg("--quiet").args(arguments).output().unwrap()
}

/// Compares two data sets, which stand for one experiment under several names.
fn compared(before: &str, after: &str) -> (Value, i32) {
    let (before, after) = (dataset(before), dataset(after));
    let output = unfazed(&[
        "compare",
        "--format",
        "json",
        "--allow-different-experiments",
        before.to_str().unwrap(),
        after.to_str().unwrap(),
    ]);
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (answer, output.status.code().unwrap())
}

fn verdict_of<'answer>(answer: &'answer Value, metric: &str) -> &'answer str {
    let claims = answer["claims"].as_array().unwrap();
    let claim = claims.iter().find(|claim| claim["metric"] == metric).unwrap();
    claim["verdict"].as_str().unwrap()
}

#[test]
fn each_answer_has_its_exit_code() {
    for (before, after, verdict, code) in [
        (SLOW, KILL, "better", 0),
        (KILL, KILL, "not_worse", 0),
        (KILL, SLOW, "worse", 1),
        (KILL, THREE, "cannot_tell", 3),
    ] {
        let (answer, exit) = compared(before, after);
        assert_eq!(answer["verdict"], verdict, "{before} → {after}: {}", answer["headline"]);
        assert_eq!(exit, code, "{before} → {after}");
    }
}

#[test]
fn what_got_better_one_way_got_worse_the_other() {
    let (fixed, _) = compared(SLOW, KILL);
    let (broken, _) = compared(KILL, SLOW);
    for metric in ["payment-p95", "queue-depth", "checkout-conversion", "recovery"] {
        assert_eq!(verdict_of(&fixed, metric), "better", "{metric}");
        assert_eq!(verdict_of(&broken, metric), "worse", "{metric}");
    }
    let change =
        |answer: &Value| answer["claims"][2]["quantities"][0]["estimate"].as_f64().unwrap();
    assert!((change(&fixed) + change(&broken)).abs() < 1e-9);
}

#[test]
fn every_claim_has_a_difference_with_limits_and_a_margin() {
    let (answer, _) = compared(SLOW, KILL);
    assert_eq!(answer["schema"], "unfazed.comparison/v1");
    for claim in answer["claims"].as_array().unwrap() {
        for quantity in claim["quantities"].as_array().unwrap() {
            assert!(quantity["margin"].is_number() && quantity["margin_from"].is_string());
            if quantity["method"] == "threshold" {
                assert!(quantity["lower"].is_null(), "an observation has no limits: {quantity}");
                continue;
            }
            let of = |field: &str| quantity[field].as_f64().unwrap();
            assert!(of("lower") <= of("estimate") && of("estimate") <= of("upper"), "{quantity}");
        }
    }
}

#[test]
fn different_experiments_are_refused_unless_told() {
    let (before, after) = (dataset(SLOW), dataset(KILL));
    let output = unfazed(&["compare", before.to_str().unwrap(), after.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--allow-different-experiments") && said.contains(SLOW), "{said}");
}

#[test]
fn results_directories_and_recordings_compare_alike() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in [SLOW, KILL] {
        let recording = dataset(name);
        let arguments = ["analyze", "--exit-zero", recording.to_str().unwrap(), "-o", &out(name)];
        assert!(unfazed(&arguments).status.success());
    }
    let options = ["compare", "--json", "--allow-different-experiments"];
    let of = |before: String, after: String| unfazed(&[&options[..], &[&before, &after]].concat());
    let file = |name: &str| format!("{}/result.json", out(name));
    let by_directory = of(out(SLOW), out(KILL));
    assert_eq!(by_directory.status.code(), Some(0));
    assert_eq!(by_directory.stdout, of(file(SLOW), file(KILL)).stdout);
    let recording = |name: &str| dataset(name).to_str().unwrap().to_owned();
    assert_eq!(by_directory.stdout, of(recording(SLOW), recording(KILL)).stdout);
}

#[test]
fn the_page_is_the_same_bytes_again_and_links_the_change_to_the_runbook() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (dataset(SLOW), dataset(KILL));
    let write = |name: &str, change: &str| {
        let path = folder.path().join(name);
        let output = unfazed(&[
            "compare",
            before.to_str().unwrap(),
            after.to_str().unwrap(),
            "--allow-different-experiments",
            "--runbook-change",
            change,
            "-o",
            path.to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(0));
        fs::read_to_string(path).unwrap()
    };
    let page = write("one.html", "https://git.example/runbooks/pull/42");
    assert_eq!(page, write("two.html", "https://git.example/runbooks/pull/42"));
    assert!(
        page.contains("href=\"https:&#x2F;&#x2F;git.example")
            || page.contains("href=\"https://git.example/runbooks/pull/42\"")
    );
    for hostile in ["javascript:alert(1)", "<script>alert(1)</script>", "https://x/\"onclick=\"y"] {
        let page = write("hostile.html", hostile);
        assert!(!page.contains("<script") && !page.contains("href=\"javascript"), "{hostile}");
        assert!(!page.contains("\"onclick="), "{hostile}");
    }
}
