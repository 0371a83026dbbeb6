//! How commands talk: help with an example for each, pipes that break, large batches.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cmd::{copy_tree, unfazed};
use crate::determinism::session;

fn text(arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let output = unfazed(Path::new("."), &arguments, &[], "");
    assert!(output.stderr.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// Names under "Commands:" of a help text.
fn commands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// Every command without commands of its own, and what stands before it.
fn leaves(above: &[&str], found: &mut BTreeSet<Vec<String>>) {
    let mut arguments = above.to_vec();
    arguments.push("--help");
    let (code, help) = text(&arguments);
    assert_eq!(code, Some(0), "{above:?}");
    assert!(
        help.contains("Example"),
        "`unfazed {} --help` shows no example:\n{help}",
        above.join(" ")
    );
    let below = commands(&help);
    if below.is_empty() {
        found.insert(above.iter().map(|word| (*word).to_owned()).collect());
    }
    for name in &below {
        let mut inner = above.to_vec();
        inner.push(name);
        leaves(&inner, found);
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut found = BTreeSet::new();
    leaves(&[], &mut found);
    for name in ["analyze", "report", "check", "schema", "stat", "completions"] {
        assert!(found.contains(&vec![name.to_owned()]), "{name}: {found:?}");
    }
}

#[test]
fn version_and_help_go_to_standard_output() {
    assert_eq!(text(&["--version"]), (Some(0), format!("unfazed {}\n", env!("CARGO_PKG_VERSION"))));
    assert_eq!(text(&["analyze", "-h"]).0, Some(0));
}

/// Runs a command whose standard output is closed at once, and returns exit code and standard error.
fn with_closed_output(room: &Path, arguments: &[&str], stdin: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(arguments)
        .current_dir(room)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // It may be gone before it has read everything.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let room = tempfile::tempdir().unwrap();
    session(room.path(), "rec", 23);
    let request =
        r#"{"id":1,"method":"clopper_pearson","inputs":{"x":14,"n":14},"args":{"conf_level":0.9}}"#;
    for (arguments, stdin) in [
        (&["analyze", "rec", "-o", "out"][..], ""),
        (&["schema"], ""),
        (&["completions", "bash"], ""),
        (&["--help"], ""),
        (&["analyze", "--batch", "-"], &"rec\n".repeat(50)),
        (&["stat"], &format!("{request}\n").repeat(2000)),
    ] {
        let (code, stderr) = with_closed_output(room.path(), arguments, stdin);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("failed"), "{stderr}");
    }
    assert!(room.path().join("out/result.json").is_file());
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let room = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .arg("schema")
        .current_dir(room.path())
        .stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("failed to write to standard output"), "{stderr}");
}

#[test]
fn three_hundred_recordings_are_answered_in_their_order() {
    const COUNT: usize = 300;
    let room = tempfile::tempdir().unwrap();
    let first = session(room.path(), "0", 23);
    let mut list = "\u{feff}0\r\n\r\n".to_owned();
    for number in 1..COUNT {
        copy_tree(&first, &room.path().join(number.to_string()));
        if number % 50 == 7 {
            fs::remove_file(room.path().join(number.to_string()).join("run.json")).unwrap();
        }
        writeln!(list, "{number}\r").unwrap();
    }
    let arguments = ["analyze", "--batch", "-"].map(str::to_owned);
    let output = unfazed(room.path(), &arguments, &[], &list);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut expected = None;
    assert_eq!(text.lines().count(), COUNT);
    for (number, line) in text.lines().enumerate() {
        let mut answer: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(answer["recording"], number.to_string());
        if number % 50 == 7 {
            assert_eq!(answer["error"]["code"], "unreadable_file");
            continue;
        }
        answer.as_object_mut().unwrap().remove("recording");
        assert_eq!(*expected.get_or_insert_with(|| answer.clone()), answer, "{number}");
    }
    let alone =
        unfazed(room.path(), &["analyze", "0", "-o", "out", "--quiet"].map(str::to_owned), &[], "");
    assert_eq!(alone.status.code(), Some(0));
    let alone: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(room.path().join("out/result.json")).unwrap())
            .unwrap();
    assert_eq!(Some(alone), expected, "the batch answers what analyze writes");
}

#[test]
fn an_engine_that_sends_one_line_and_waits_is_served() {
    let room = tempfile::tempdir().unwrap();
    session(room.path(), "rec", 23);
    let mut child = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(["analyze", "--batch", "-", "--quiet"])
        .current_dir(room.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        input.write_all(b"rec\n").unwrap();
        assert!(answers.next().unwrap().unwrap().contains("\"recording\":\"rec\""));
    }
    drop(input);
    assert!(answers.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
