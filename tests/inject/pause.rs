//! A paused process runs again, whatever happens to the injector.

use std::io::Write;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use unfazed::inject::clock::{Clock, SystemClock};
use unfazed::inject::host::{Host, LinuxHost};
use unfazed::inject::process::State;
use unfazed::unit::Span;

use crate::live::{Workers, injector, run};

fn plan(workers: &Workers, seconds: f64) -> Value {
    let mut plan = workers.plan();
    plan["action"] = json!("pause");
    plan["duration_s"] = json!(seconds);
    plan["limits"] = json!({"max_kills": 1, "max_share": 1.0, "min_survivors": 0});
    plan
}

fn comes_to(pid: u32, wanted: State) -> bool {
    let clock = SystemClock::start();
    let pid = i32::try_from(pid).unwrap();
    while clock.elapsed() < Span::from_seconds(10) {
        if LinuxHost.process(pid).unwrap().is_some_and(|process| process.state == wanted) {
            return true;
        }
        clock.wait(Span::from_milliseconds(1));
    }
    false
}

/// An injector in the middle of a pause that would last a minute.
fn in_a_pause(workers: &Workers) -> Child {
    let mut child = injector().arg("--live").spawn().unwrap();
    let plan = plan(workers, 60.0).to_string();
    child.stdin.take().unwrap().write_all(plan.as_bytes()).unwrap();
    assert!(comes_to(workers.children[0].id(), State::Stopped));
    child
}

#[test]
fn a_pause_ends_after_its_time() {
    let mut workers = Workers::start(1);
    let clock = SystemClock::start();
    let answer = run(&["--live"], &plan(&workers, 0.3));
    assert_eq!(
        (answer.exit, &answer.outcome["outcome"]),
        (0, &json!("killed")),
        "{}",
        answer.stderr
    );
    assert!(clock.elapsed() >= Span::from_milliseconds(300));
    let target = &answer.outcome["targets"][0];
    assert!(target["resumed_at"].is_string() && target["exited_at"].is_null());
    assert!(comes_to(workers.children[0].id(), State::Alive));
    assert_eq!(workers.alive(), 1);
}

#[test]
fn a_killed_injector_leaves_nobody_paused() {
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        let workers = Workers::start(1);
        let mut injector = in_a_pause(&workers);
        kill_process(Pid::from_child(&injector), signal).unwrap();
        assert!(comes_to(workers.children[0].id(), State::Alive), "{signal:?}");
        injector.wait().unwrap();
    }
}

#[test]
fn a_killed_injector_leaves_no_hook_without_its_rollback() {
    let workers = Workers::start(1);
    let log = workers.path("hook.log");
    let append = |word: &str| {
        json!(["/bin/sh", "-c", format!("echo {word} >> \"$0\""), log.to_str().unwrap()])
    };
    let mut plan = plan(&workers, 60.0);
    plan["action"] = json!({"hook": append("do"), "rollback": append("undo")});
    let mut injector = injector().arg("--live").spawn().unwrap();
    injector.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let holds = |wanted: &str| {
        let clock = SystemClock::start();
        while clock.elapsed() < Span::from_seconds(20) {
            if std::fs::read_to_string(&log).is_ok_and(|text| text == wanted) {
                return true;
            }
            clock.wait(Span::from_milliseconds(2));
        }
        false
    };
    assert!(holds("do\n"));
    kill_process(Pid::from_child(&injector), Signal::KILL).unwrap();
    assert!(holds("do\nundo\n"));
    injector.wait().unwrap();
}

#[test]
fn an_injector_that_loses_its_guardian_resumes_at_once() {
    let workers = Workers::start(1);
    let injector = in_a_pause(&workers);
    let parent = i32::try_from(injector.id()).unwrap();
    let guardian = LinuxHost
        .pids()
        .unwrap()
        .into_iter()
        .find(|pid| LinuxHost.process(*pid).unwrap().is_some_and(|found| found.parent == parent))
        .unwrap();
    kill_process(Pid::from_raw(guardian).unwrap(), Signal::KILL).unwrap();
    assert!(comes_to(workers.children[0].id(), State::Alive));
    let output = injector.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["reason"]["code"], "guardian_unavailable");
}

#[test]
fn a_guardian_resumes_nobody_it_was_not_told_of() {
    let workers = Workers::start(1);
    let pid = workers.children[0].id();
    let mut guardian = injector().arg("--guardian").spawn().unwrap();
    let order = json!({"deadline_ms": 0, "undo": {"resume": [{"pid": pid, "start_ticks": 1}]}});
    writeln!(guardian.stdin.take().unwrap(), "{order}").unwrap();
    let output = guardian.wait_with_output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("finds no process"));
}

#[test]
fn resume_resumes() {
    let workers = Workers::start(1);
    let pid = Pid::from_child(&workers.children[0]);
    kill_process(pid, Signal::STOP).unwrap();
    assert!(comes_to(workers.children[0].id(), State::Stopped));
    let mut plan = plan(&workers, 1.0);
    plan["action"] = json!("resume");
    plan["duration_s"] = Value::Null;
    let answer = run(&["--live"], &plan);
    assert_eq!(
        (answer.exit, &answer.outcome["outcome"]),
        (0, &json!("killed")),
        "{}",
        answer.stderr
    );
    assert!(comes_to(workers.children[0].id(), State::Alive));
}
