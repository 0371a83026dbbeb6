//! The starter kit: everything that `unfazed init` writes passes its own checks and those of the tools that it is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn unfazed(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn kit() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = unfazed(&["init", "chaos"], folder.path());
    assert!(output.status.success(), "{output:?}");
    folder
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[track_caller]
fn passes(mut command: Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `make setup` installs it"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
fn the_kit_passes_its_own_check_without_a_warning() {
    let folder = kit();
    let output = unfazed(&["check", "chaos/experiment.yaml", "chaos/policy.yaml"], folder.path());
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "chaos/experiment.yaml: valid\nchaos/policy.yaml: valid\n"
    );
}

#[test]
fn the_experiment_has_twenty_lines_of_substance_at_most() {
    let text = fs::read_to_string(kit().path().join("chaos/experiment.yaml")).unwrap();
    let lines = text.lines().map(str::trim);
    let substance = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    assert!(substance <= 20, "{substance}");
}

#[test]
fn the_policy_allows_the_experiment_in_its_hours_and_denies_it_outside() {
    let folder = kit();
    let check = |at: &str| {
        let arguments =
            ["check", "chaos/experiment.yaml", "--policy", "chaos/policy.yaml", "--at", at];
        unfazed(&arguments, folder.path()).status.code()
    };
    assert_eq!(check("2026-12-01T10:00:00+01:00"), Some(0));
    assert_eq!(check("2026-12-01T20:00:00+01:00"), Some(5));
    assert_eq!(check("2026-12-22T10:00:00+01:00"), Some(5));
}

#[test]
fn a_third_wave_needs_an_approval_and_the_kit_can_give_it() {
    let folder = kit();
    let experiment = folder.path().join("chaos/experiment.yaml");
    let text = fs::read_to_string(&experiment).unwrap();
    fs::write(&experiment, text.replace("action: kill}", "action: kill, wave: 3}")).unwrap();
    let policy = folder.path().join("chaos/policy.yaml");
    let text = fs::read_to_string(&policy).unwrap();
    // The approval is of now, whenever the test runs.
    let text = text.replace(
        "days: [mon, tue, wed, thu], from: \"09:30\", to: \"16:00\"",
        "from: \"00:00\", to: \"24:00\"",
    );
    let at = text.find("  blackouts:").unwrap();
    let end = text.find("  limits:").unwrap();
    fs::write(&policy, format!("{}{}", &text[..at], &text[end..])).unwrap();
    let check = |words: &str| {
        let arguments = ["check", "chaos/experiment.yaml", "--policy", "chaos/policy.yaml"];
        let output = unfazed(&arguments, folder.path());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(words), "{text}");
    };
    check("denied  approvals (from wave 2): it needs the approval of 1, and has 0");
    let arguments = [
        "approve",
        "chaos/experiment.yaml",
        "--policy",
        "chaos/policy.yaml",
        "--by",
        "alice",
        "--until",
        "3d",
    ];
    assert!(unfazed(&arguments, folder.path()).status.success());
    check("passed  approvals (from wave 2): approved by alice");
}

#[test]
fn what_is_there_is_never_overwritten() {
    let folder = kit();
    let root = folder.path().join("chaos");
    let all = files(&root);
    assert_eq!(all.len(), 8);
    for path in &all {
        fs::write(path, "mine").unwrap();
    }
    fs::remove_file(&all[0]).unwrap();
    // A link that leads nowhere is something that is there.
    fs::remove_file(&all[1]).unwrap();
    std::os::unix::fs::symlink("nowhere", &all[1]).unwrap();
    let output = unfazed(&["init", "chaos"], folder.path());
    assert!(output.status.success());
    assert_ne!(fs::read_to_string(&all[0]).unwrap(), "mine");
    assert_eq!(fs::read_link(&all[1]).unwrap(), Path::new("nowhere"));
    for path in &all[2..] {
        assert_eq!(fs::read_to_string(path).unwrap(), "mine", "{}", path.display());
    }
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.matches("kept, it was there").count(), 7, "{text}");
}

#[test]
fn the_rules_pass_promtool_and_their_own_test() {
    let folder = kit();
    let rules = folder.path().join("chaos/prometheus");
    let mut check = Command::new("promtool");
    check.args(["check", "rules", "recording-rules.yml", "alert-rules.yml"]).current_dir(&rules);
    passes(check);
    let mut test = Command::new("promtool");
    test.args(["test", "rules", "rules-test.yml"]).current_dir(&rules);
    passes(test);
}

#[test]
fn the_sandbox_passes_the_schema_of_kubernetes() {
    let folder = kit();
    let validator = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/kubernetes-validate");
    let mut command = Command::new(&validator);
    command.args(["--strict", "--quiet"]);
    command.arg(folder.path().join("chaos/kubernetes/sandbox.yaml"));
    passes(command);
}

/// What the experiment and the policy ask for has to be what the rules record.
#[test]
fn the_documents_ask_for_nothing_that_nobody_records() {
    let folder = kit();
    let read = |name: &str| fs::read_to_string(folder.path().join("chaos").join(name)).unwrap();
    let rules = read("prometheus/recording-rules.yml") + &read("prometheus/alert-rules.yml");
    for name in ["slo_error_budget_left_ratio", "canary_traffic_ratio", "node_cpu_busy_ratio"] {
        assert!(rules.contains(&format!("record: {name}")), "{name}");
    }
    assert!(rules.contains("alert: PaymentWorkerDown"));
    assert!(read("experiment.yaml").contains("alert: PaymentWorkerDown"));
    let sandbox = read("kubernetes/sandbox.yaml");
    assert!(sandbox.contains("name: payments-canary") && sandbox.contains("chaos-target: canary"));
    assert!(
        files(&folder.path().join("chaos"))
            .iter()
            .any(|path| path.ends_with("runbooks/payment-worker.md"))
    );
}
