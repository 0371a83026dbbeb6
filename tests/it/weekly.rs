//! `unfazed weekly` over a history of real recordings: what it says, and that it says the same again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets").join(name)
}

fn unfazed(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unfazed")).arg("--quiet").args(arguments).output().unwrap()
}

/// A folder with a history of the three recordings.
fn remembered() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    for name in ["payment-worker-kill", "payment-worker-slow-restart", "payment-worker-three-kills"]
    {
        let (recording, out) = (dataset(name), folder.path().join(name));
        let output = unfazed(&[
            "analyze",
            "--exit-zero",
            recording.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
            "--history",
            history.to_str().unwrap(),
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    folder
}

fn weekly(folder: &Path, options: &[&str]) -> Value {
    let history = folder.join("history");
    let head = ["weekly", "--history", history.to_str().unwrap(), "--format", "json"];
    let output = unfazed(&[&head[..], options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_week_says_what_ran_and_what_failed() {
    let folder = remembered();
    let report = weekly(folder.path(), &[]);
    assert_eq!(report["schema"], "unfazed.weekly/v1");
    assert_eq!(report["period"]["label"], "2026-W48");
    let totals = &report["totals"];
    assert_eq!(
        [
            &totals["runs"],
            &totals["kills"],
            &totals["pass"],
            &totals["fail"],
            &totals["inconclusive"]
        ],
        [3, 35, 1, 1, 1]
    );
    let new: Vec<&str> = report["new"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["metric"].as_str().unwrap())
        .collect();
    assert!(new.contains(&"payment-p95") && new.contains(&"recovery"), "{new:?}");
    assert_eq!(report["coverage"]["groups"][0]["value"], "payments");
    assert_eq!(report["coverage"]["groups"][0]["run"], 3);
    assert_eq!(report["next"][0]["code"], "failed");
    for row in report["recovery"].as_array().unwrap() {
        assert!(row["note"].is_string(), "there is nothing before to compare with: {row}");
        assert!(row["change_s"].is_null());
    }
    assert_eq!(weekly(folder.path(), &["--week", "2026-W48"]), report);
}

#[test]
fn any_period_any_label_and_planned_experiments() {
    let folder = remembered();
    let empty = weekly(folder.path(), &["--from", "2026-11-01", "--to", "2026-11-22"]);
    assert_eq!(empty["totals"]["runs"], 0);
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
    let options = ["--from", "2026-11-01", "--to", "2026-11-23", "--group-by", "tier"];
    let planned = [&options[..], &["--experiments", datasets.to_str().unwrap()]].concat();
    let report = weekly(folder.path(), &planned);
    assert_eq!(report["totals"]["runs"], 3);
    assert_eq!(report["coverage"]["label"], "tier");
    assert_eq!(report["coverage"]["groups"][0]["value"], "worker");
    assert_eq!(report["never_run"], Value::Array(Vec::new()));
    let before =
        ["--from", "2026-11-01", "--to", "2026-11-22", "--experiments", datasets.to_str().unwrap()];
    assert_eq!(weekly(folder.path(), &before)["never_run"].as_array().unwrap().len(), 3);
}

#[test]
fn the_page_is_the_same_bytes_again() {
    let folder = remembered();
    let history = folder.path().join("history");
    let page = |name: &str| {
        let path = folder.path().join(name);
        let (history, file) = (history.to_str().unwrap(), path.to_str().unwrap());
        assert!(unfazed(&["weekly", "--history", history, "-o", file]).status.success());
        fs::read(path).unwrap()
    };
    let first = page("one.html");
    assert_eq!(first, page("two.html"));
    assert!(first.len() < 500_000, "{}", first.len());
}

#[test]
fn a_history_that_is_not_there_is_named_with_what_to_do() {
    let output = unfazed(&["weekly", "--history", "/no/such/history"]);
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/no/such/history") && said.contains("analyze"), "{said}");
}
