//! The program itself, against processes that the test has started.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

static NAMES: AtomicU32 = AtomicU32::new(0);

/// Instances of `sleep` under a name that nobody else uses; ended when the test ends.
pub(crate) struct Workers {
    directory: tempfile::TempDir,
    pub(crate) name: String,
    pub(crate) children: Vec<Child>,
}

impl Workers {
    pub(crate) fn start(count: usize) -> Self {
        let mut workers = Self::none();
        let name = workers.name.clone();
        for _ in 0..count {
            workers.add(&name);
        }
        workers
    }

    pub(crate) fn none() -> Self {
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("w{}x{number}", std::process::id());
        Self { directory: tempfile::tempdir().unwrap(), name, children: Vec::new() }
    }

    /// One more, under a name of its own.
    pub(crate) fn add(&mut self, name: &str) -> u32 {
        let program = self.directory.path().join(name);
        if !program.exists() {
            // A link, since a copy may still be open for writing in a child that another test is just starting.
            std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        }
        let child = Command::new(&program).args(["300", "1"]).stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        self.children.push(child);
        pid
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn alive(&mut self) -> usize {
        let count = |child: &mut Child| usize::from(child.try_wait().unwrap().is_none());
        self.children.iter_mut().map(count).sum()
    }

    /// A plan that hits one of them.
    pub(crate) fn plan(&self) -> Value {
        let at = |seconds| {
            let time = Utc::now() + TimeDelta::seconds(seconds);
            time.to_rfc3339_opts(SecondsFormat::Millis, true)
        };
        json!({
            "schema": "unfazed.plan/v1", "run_id": self.name, "iteration": 1,
            "created_at": at(-1), "expires_at": at(300), "digest": null, "actor": "test", "ticket": null,
            "target": {"process": {"name": self.name}}, "action": "kill", "duration_s": null, "count": 1,
            "limits": {"max_kills": 1, "max_share": 0.5, "min_survivors": 1},
            "protected": {"processes": ["sshd"], "namespaces": [], "labels": []},
            "window": {"start": at(-60), "end": at(600)}
        })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _killed = child.kill();
            let _awaited = child.wait();
        }
    }
}

pub(crate) struct Answer {
    pub(crate) outcome: Value,
    pub(crate) exit: i32,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn code(&self) -> (&str, i32) {
        (self.outcome["reason"]["code"].as_str().unwrap_or("none"), self.exit)
    }
}

pub(crate) fn injector() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unfazed-inject"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(arguments: &[&str], plan: &Value) -> Answer {
    run_text(arguments, &plan.to_string())
}

pub(crate) fn run_text(arguments: &[&str], plan: &str) -> Answer {
    let mut child = injector().args(arguments).spawn().unwrap();
    // A plan that is too long is not read to its end.
    let _written = child.stdin.take().unwrap().write_all(plan.as_bytes());
    let output = child.wait_with_output().unwrap();
    Answer {
        outcome: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        exit: output.status.code().unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn one_of_three_is_killed_and_two_survive() {
    let mut workers = Workers::start(3);
    let answer = run(&["--live"], &workers.plan());
    assert_eq!(answer.exit, 0, "{}", answer.stderr);
    let outcome = &answer.outcome;
    assert_eq!(outcome["schema"], "unfazed.outcome/v1");
    assert_eq!(outcome["run_id"], workers.name.as_str());
    assert_eq!(outcome["iteration"], 1);
    assert_eq!(outcome["outcome"], "killed");
    assert_eq!(outcome["reason"], Value::Null);
    assert_eq!(outcome["considered"], 3);
    let target = &outcome["targets"][0];
    assert_eq!(target["kind"], "process");
    assert_eq!(target["name"], workers.name.as_str());
    for key in ["started_at", "signalled_at", "exited_at"] {
        unfazed::unit::Timestamp::parse(target[key].as_str().unwrap()).unwrap();
    }
    assert!(answer.stderr.contains("\"kind\":\"intent\""), "without a journal it goes to stderr");
    let id: u32 = target["id"].as_str().unwrap().parse().unwrap();
    let dead = workers.children.iter_mut().find(|child| child.id() == id).unwrap();
    assert!(!dead.wait().unwrap().success());
    assert_eq!(workers.alive(), 2);
}

#[test]
fn without_live_nobody_dies() {
    let mut workers = Workers::start(2);
    let answer = run(&[], &workers.plan());
    assert_eq!((answer.code(), &answer.outcome["outcome"]), (("none", 0), &json!("dry_run")));
    assert_eq!(answer.outcome["targets"][0]["signalled_at"], Value::Null);
    assert_eq!(workers.alive(), 2);
}

#[test]
fn a_name_that_begins_alike_survives() {
    let mut workers = Workers::none();
    let name = workers.name.clone();
    workers.add(&format!("{name}-2"));
    workers.add(&format!("{name}x"));
    let answer = run(&["--live"], &workers.plan());
    assert_eq!(
        (answer.code(), &answer.outcome["outcome"]),
        (("nothing_matched", 5), &json!("no_target"))
    );
    assert_eq!(workers.alive(), 2);
}

#[test]
fn names_of_which_the_kernel_keeps_the_same_bytes_are_told_apart() {
    let mut workers = Workers::none();
    let long = format!("{}-payment-worker", workers.name);
    let right = workers.add(&long);
    workers.add(&format!("{long}-2"));
    let mut plan = workers.plan();
    plan["target"]["process"]["name"] = json!(long);
    plan["limits"] = json!({"max_kills": 1, "max_share": 1.0, "min_survivors": 0});
    let answer = run(&["--live"], &plan);
    assert_eq!(answer.outcome["considered"], 1);
    assert_eq!(answer.outcome["targets"][0]["id"], right.to_string());
    assert_eq!(workers.alive(), 1);
}

#[test]
fn arguments_narrow_the_choice() {
    let mut workers = Workers::start(2);
    let mut plan = workers.plan();
    plan["target"]["process"]["arguments"] = json!("300 1");
    assert_eq!(run(&[], &plan).outcome["considered"], 2);
    plan["target"]["process"]["arguments"] = json!("30");
    assert_eq!(run(&["--live"], &plan).code(), ("nothing_matched", 5));
    assert_eq!(workers.alive(), 2);
}

#[test]
fn a_terminated_process_is_seen_to_end() {
    let mut workers = Workers::start(2);
    let mut plan = workers.plan();
    plan["action"] = json!("terminate");
    let answer = run(&["--live"], &plan);
    assert_eq!((answer.exit, &answer.outcome["outcome"]), (0, &json!("killed")));
    assert_eq!(workers.alive(), 1);
}

#[test]
fn a_zombie_is_nobody() {
    let mut workers = Workers::start(1);
    workers.children[0].kill().unwrap();
    // Not awaited, it stays a zombie; the state is reached within moments.
    let stat = format!("/proc/{}/stat", workers.children[0].id());
    while !std::fs::read_to_string(&stat).unwrap().contains(") Z ") {
        std::thread::yield_now();
    }
    assert_eq!(run(&["--live"], &workers.plan()).code(), ("nothing_matched", 5));
}

#[test]
fn what_started_the_injector_is_refused() {
    let workers = Workers::none();
    let mut plan = workers.plan();
    let own = std::env::current_exe().unwrap();
    plan["target"]["process"]["name"] = json!(own.file_name().unwrap().to_str().unwrap());
    assert_eq!(run(&["--live"], &plan).code(), ("ancestor", 5));
}

#[test]
fn the_injector_does_not_hit_itself() {
    let workers = Workers::none();
    let mut plan = workers.plan();
    // Under another name than its own, which is protected anyway.
    let program = workers.path("other-name");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_unfazed-inject"), &program).unwrap();
    plan["target"]["process"]["name"] = json!("other-name");
    let mut child = Command::new(&program)
        .arg("--live")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["reason"]["code"], "own_process");
}

#[test]
fn a_real_kernel_thread_and_pid_one_are_refused() {
    let workers = Workers::none();
    let mut plan = workers.plan();
    let comm = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm"));
    plan["target"]["process"]["name"] = json!(comm(1).unwrap().trim());
    let answer = run(&[], &plan);
    assert!(["pid_too_low", "protected_process"].contains(&answer.code().0), "{:?}", answer.code());
    // In a container there are none to be seen.
    if comm(2).is_ok_and(|name| name.trim() == "kthreadd") {
        plan["target"]["process"]["name"] = json!("kthreadd");
        assert_eq!(run(&[], &plan).code(), ("kernel_thread", 5));
    }
}

#[test]
fn what_is_no_plan_exits_2_with_an_outcome() {
    for text in ["", "{}", "kill", "{\"schema\": \"unfazed.plan/v1\"}"] {
        let answer = run_text(&["--live"], text);
        assert_eq!(answer.code(), ("malformed_plan", 2));
        assert_eq!(answer.outcome["outcome"], "refused");
    }
    let answer = run_text(&["--live"], &" ".repeat(10_000_000));
    assert_eq!(answer.code(), ("malformed_plan", 2));
}

#[test]
fn an_unknown_option_exits_2_and_hits_nobody() {
    let mut workers = Workers::start(2);
    for arguments in [
        vec!["--live", "--force"],
        vec!["--liv"],
        vec!["--live=true"],
        vec!["--live", "--live"],
        vec!["--journal"],
        vec!["--live", "plan.json"],
    ] {
        let answer = run(&arguments, &workers.plan());
        assert_eq!((answer.exit, answer.outcome), (2, Value::Null), "{arguments:?}");
    }
    assert_eq!(workers.alive(), 2);
}

#[test]
fn help_and_version_read_no_plan() {
    let help = injector().arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("--live"));
    let version = injector().arg("--version").output().unwrap();
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("unfazed-inject "));
}

fn lines(journal: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(journal).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_journal_holds_intent_and_outcome() {
    let workers = Workers::start(2);
    let journal = workers.path("journal.jsonl");
    let answer = run(&["--live", "--journal", journal.to_str().unwrap()], &workers.plan());
    assert_eq!(answer.exit, 0, "{}", answer.stderr);
    let lines = lines(&journal);
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["kind"], &lines[1]["kind"]), (&json!("intent"), &json!("outcome")));
    assert_eq!(lines[0]["targets"][0]["id"], answer.outcome["targets"][0]["id"]);
    assert_eq!(lines[0]["actor"], "test");
    assert_eq!(lines[1]["outcome"], answer.outcome);
    assert_eq!(std::fs::metadata(&journal).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_refusal_is_recorded_without_an_intent() {
    let workers = Workers::start(1);
    let journal = workers.path("journal.jsonl");
    std::fs::write(&journal, "{\"cut\":").unwrap();
    let answer = run(&["--live", "--journal", journal.to_str().unwrap()], &workers.plan());
    assert_eq!(answer.code(), ("max_share", 5));
    let text = std::fs::read_to_string(&journal).unwrap();
    let last: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        last["outcome"]["reason"]["code"], "max_share",
        "a torn line stays a line of its own"
    );
}

#[test]
fn a_journal_that_cannot_be_trusted_stops_everything() {
    let mut workers = Workers::start(2);
    let real = workers.path("real.jsonl");
    std::fs::write(&real, "").unwrap();
    let link = workers.path("link.jsonl");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    for journal in
        [link, workers.path("no/such/directory.jsonl"), workers.path(""), "/dev/full".into()]
    {
        let answer = run(&["--live", "--journal", journal.to_str().unwrap()], &workers.plan());
        assert_eq!(answer.code(), ("journal_unwritable", 5), "{}", journal.display());
    }
    assert_eq!(workers.alive(), 2);
}

#[test]
fn two_injections_that_share_a_journal_do_not_run_at_once() {
    let mut workers = Workers::start(2);
    let journal = workers.path("journal.jsonl");
    let held = std::fs::File::create(&journal).unwrap();
    held.lock().unwrap();
    let answer = run(&["--live", "--journal", journal.to_str().unwrap()], &workers.plan());
    assert_eq!(answer.code(), ("another_injection", 5));
    assert_eq!(workers.alive(), 2);
}

#[test]
fn a_hook_is_told_its_target_and_its_rollback_runs() {
    let workers = Workers::start(2);
    let log = workers.path("hook.log");
    let append = |word: &str| {
        json!([
            "/bin/sh",
            "-c",
            format!("echo {word} $UNFAZED_TARGET_ID >> \"$0\""),
            log.to_str().unwrap()
        ])
    };
    let mut plan = workers.plan();
    plan["action"] = json!({"hook": append("do"), "rollback": append("undo")});
    let answer = run(&["--live"], &plan);
    assert_eq!(
        (answer.exit, &answer.outcome["outcome"]),
        (0, &json!("killed")),
        "{}",
        answer.stderr
    );
    let id = answer.outcome["targets"][0]["id"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), format!("do {id}\nundo {id}\n"));
}

#[test]
fn the_rollback_runs_after_a_hook_that_fails_or_hangs() {
    let workers = Workers::start(2);
    let log = workers.path("hook.log");
    let undo = json!(["/bin/sh", "-c", "echo undo >> \"$0\"", log.to_str().unwrap()]);
    let cases = [
        (json!(["/bin/false"]), "hook_failed"),
        (json!(["/bin/sleep", "60"]), "hook_timed_out"),
        (json!(["/no/such/program"]), "hook_failed"),
    ];
    for (hook, code) in cases {
        let mut plan = workers.plan();
        plan["action"] = json!({"hook": hook, "rollback": undo, "timeout_s": 0.3});
        assert_eq!(run(&["--live"], &plan).code(), (code, 4));
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "undo\nundo\nundo\n");
}

#[test]
fn a_rollback_that_fails_is_no_success() {
    let workers = Workers::start(2);
    let mut plan = workers.plan();
    plan["action"] = json!({"hook": ["/bin/true"], "rollback": ["/bin/false"]});
    assert_eq!(run(&["--live"], &plan).code(), ("rollback_failed", 4));
}

#[test]
fn a_hook_has_no_shell() {
    let workers = Workers::start(2);
    let mut plan = workers.plan();
    plan["action"] = json!({"hook": ["/bin/true; /bin/false"]});
    assert_eq!(run(&["--live"], &plan).code(), ("hook_failed", 4));
}
