//! `unfazed run` for real: real processes are killed and paused, and the program itself is, too.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use unfazed::run::{Outcome, RunRecord};
use unfazed::safety::audit::{Trust, verify};

use crate::cmd::unfazed;
use crate::lab::{Lab, Setup};

const KILL: Setup<'_> = Setup { faults: 2, controls: 1, action: "action: kill", wave: 1 };
const PAUSE: Setup<'_> =
    Setup { faults: 2, controls: 1, action: "action: pause\n    duration: 700ms", wave: 1 };
const LIVE: [&str; 3] = ["--policy", "policy.yaml", "--live"];

fn finish(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn record(lab: &Lab) -> RunRecord {
    RunRecord::read(&fs::read(lab.path().join("out/run.json")).unwrap()).unwrap()
}

fn outcomes(record: &RunRecord) -> Vec<Outcome> {
    let faults = record.iterations.iter().filter_map(|iteration| iteration.fault.as_ref());
    faults.map(|fault| fault.outcome).collect()
}

/// The audit log is whole; its actions in order.
fn audited(lab: &Lab) -> Vec<String> {
    let bytes = fs::read(lab.path().join("out/audit.jsonl")).unwrap();
    verify(&bytes, Trust { noted: None, key: None }).unwrap_or_else(|broken| panic!("{broken}"));
    String::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["action"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn analyzed(lab: &Lab) -> Output {
    let words = ["analyze", "out", "-o", "judged", "--exit-zero"].map(str::to_owned);
    unfazed(lab.path(), &words, &[], "")
}

#[test]
fn without_live_nothing_is_killed_and_everything_is_recorded() {
    let lab = Lab::start(2);
    lab.write(&KILL);
    let output = finish(&mut lab.run(&[]));
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(complaint(&output).contains("PLAN"), "the plan comes first");
    assert_eq!(outcomes(&record(&lab)), [Outcome::DryRun, Outcome::DryRun]);
    assert_eq!((lab.restarts(), lab.alive()), (0, 2));
    let again = finish(&mut lab.run(&[]));
    assert_eq!(again.status.code(), Some(2), "a recording is never replaced");
    assert!(complaint(&again).contains("--resume"), "{}", complaint(&again));
}

#[test]
fn live_kills_and_the_recording_is_judged() {
    let lab = Lab::start(2);
    lab.write(&KILL);
    let output = finish(lab.run(&LIVE).arg("--json"));
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let record = record(&lab);
    assert_eq!(outcomes(&record), [Outcome::Killed, Outcome::Killed]);
    assert_eq!(record.iterations.len(), 3);
    assert!(record.ended_at.is_some());
    assert!(record.iterations.iter().all(|iteration| iteration.recovered_at.is_none()));
    assert_eq!(lab.restarts(), 2);
    let judged = analyzed(&lab);
    assert_eq!(judged.status.code(), Some(0), "{}", complaint(&judged));
    let actions = audited(&lab);
    assert_eq!(actions.first().map(String::as_str), Some("campaign_begun"));
    assert_eq!(actions.last().map(String::as_str), Some("campaign_ended"));
    assert_eq!(actions.iter().filter(|action| *action == "kill").count(), 2);
    let events: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(events.iter().any(|event| event["event"] == "progress"));
    assert_eq!(events.last().unwrap()["ending"], "complete");
}

#[test]
fn what_must_not_be_live_is_refused() {
    let lab = Lab::start(2);
    lab.write(&KILL);
    let without_policy = finish(&mut lab.run(&["--live"]));
    assert_eq!(without_policy.status.code(), Some(5));
    assert!(complaint(&without_policy).contains("--policy"), "{}", complaint(&without_policy));
    let document = fs::read_to_string(lab.path().join("experiment.yaml")).unwrap();
    for (from, to, why) in [
        ("wave: 1", "wave: 2", "history"),
        ("environment: lab", "environment: production", "production"),
        ("cooldown: 300ms", "cooldown: 1ms", "rests"),
    ] {
        let changed = document.replace(from, to);
        assert_ne!(changed, document, "{from}");
        fs::write(lab.path().join("experiment.yaml"), changed).unwrap();
        let refused = finish(&mut lab.run(&LIVE));
        assert_eq!(refused.status.code(), Some(5), "{to}: {}", complaint(&refused));
        assert!(complaint(&refused).contains(why), "{to}: {}", complaint(&refused));
    }
    let source = document.find("  source:").unwrap();
    let end = source + document[source..].find('\n').unwrap() + 1;
    let blind = format!("{}{}", &document[..source], &document[end..]);
    fs::write(lab.path().join("experiment.yaml"), blind).unwrap();
    let refused = finish(&mut lab.run(&LIVE));
    assert_eq!(refused.status.code(), Some(5), "{}", complaint(&refused));
    assert!(complaint(&refused).contains("cannot be watched"), "{}", complaint(&refused));
    assert_eq!((lab.restarts(), lab.alive()), (0, 2));
}

#[test]
fn errors_after_the_kill_abort_for_real_and_open_the_breaker() {
    let lab = Lab::start(2);
    lab.write(&Setup { faults: 3, ..KILL });
    // A busy machine scrapes late: the window leaves room for the rule's time.
    let document = fs::read_to_string(lab.path().join("experiment.yaml")).unwrap();
    let longer = document.replace("experiment: 1500ms", "experiment: 6s");
    assert_ne!(longer, document);
    fs::write(lab.path().join("experiment.yaml"), longer).unwrap();
    lab.make_fragile();
    let output = finish(lab.run(&LIVE).args(["--patience", "4s"]));
    assert_eq!(output.status.code(), Some(5), "{}", complaint(&output));
    let record = record(&lab);
    let aborted = record.iterations.iter().find_map(|iteration| iteration.aborted.as_ref());
    assert!(aborted.is_some_and(|abort| abort.rule.contains("errors")), "{}", complaint(&output));
    assert_eq!(lab.restarts(), 1, "nothing is killed after an abort");
    assert!(audited(&lab).contains(&"abort".to_owned()));
}

#[test]
fn a_policy_that_is_swapped_on_the_way_stops_the_next_kill() {
    let lab = Lab::start(2);
    lab.write(&Setup { faults: 3, controls: 0, ..KILL });
    let child = lab.run(&LIVE).spawn().unwrap();
    wait_until("the first kill", || lab.restarts() == 1);
    let path = lab.path().join("policy.yaml");
    let policy = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{policy}  limits: {{max_kills: 9}}\n")).unwrap();
    thread::sleep(Duration::from_secs(1));
    // Patience with conditions is long: an orderly end is asked for.
    terminate(child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", complaint(&output));
    assert_eq!(lab.restarts(), 1);
}

#[test]
fn a_stop_during_a_pause_resumes_the_target_and_the_run_goes_on_later() {
    let lab = Lab::start(2);
    lab.write(&Setup { action: "action: pause\n    duration: 20s", ..PAUSE });
    // A pause longer than the window would be seen by nobody; here it is only there to be cut short.
    let child = lab.run(&LIVE).spawn().unwrap();
    wait_until("the pause", || lab.stopped() == 1);
    terminate(child.id());
    let asked = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "it does not wait for the pause to end");
    assert_eq!(output.status.code(), Some(5), "{}", complaint(&output));
    wait_until("the end of the pause", || lab.stopped() == 0);
    assert_eq!(outcomes(&record(&lab)), [Outcome::Killed], "what was done is recorded");
    assert_eq!(audited(&lab).last().map(String::as_str), Some("campaign_ended"));
}

#[test]
fn errors_during_a_pause_end_it_at_once() {
    let lab = Lab::start(2);
    lab.write(&Setup { action: "action: pause\n    duration: 20s", ..PAUSE });
    let child = lab.run(&LIVE).args(["--patience", "3s"]).spawn().unwrap();
    wait_until("the pause", || lab.stopped() == 1);
    lab.break_now();
    let asked = Instant::now();
    wait_until("the end of the pause", || lab.stopped() == 0);
    assert!(asked.elapsed() < Duration::from_secs(10), "it does not wait for the pause to end");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", complaint(&output));
    let record = record(&lab);
    assert_eq!(outcomes(&record), [Outcome::Killed]);
    assert!(record.iterations.last().unwrap().aborted.is_some());
    assert!(audited(&lab).contains(&"withdraw".to_owned()));
}

#[test]
fn a_wave_opens_by_a_pass_of_the_wave_before_and_by_nothing_else() {
    let lab = Lab::start(2);
    lab.write(&Setup { faults: 1, controls: 0, ..KILL });
    let first = finish(&mut lab.run(&LIVE));
    assert_eq!(first.status.code(), Some(0), "{}", complaint(&first));
    let words = ["analyze", "out", "-o", "judged", "--history", "history"].map(str::to_owned);
    let judged = unfazed(lab.path(), &words, &[], "");
    assert_eq!(judged.status.code(), Some(0), "wave 1 passes: {judged:?}");
    fs::rename(lab.path().join("out"), lab.path().join("first")).unwrap();
    for (wave, code, why) in [(3, 5, "history holds no run of wave 2"), (2, 0, "")] {
        lab.write(&Setup { faults: 1, controls: 0, wave, ..KILL });
        let output = finish(lab.run(&LIVE).args(["--history", "history"]));
        assert_eq!(output.status.code(), Some(code), "wave {wave}: {}", complaint(&output));
        assert!(complaint(&output).contains(why), "wave {wave}: {}", complaint(&output));
    }
    assert_eq!(lab.restarts(), 2);
}

#[test]
fn two_campaigns_under_one_policy_never_have_two_faults_in_place() {
    let lab = Lab::start(3);
    let once =
        Setup { faults: 1, controls: 0, action: "action: pause\n    duration: 1400ms", wave: 1 };
    lab.write(&once);
    let one = lab.run(&LIVE).spawn().unwrap();
    let mut other = Command::new(env!("CARGO_BIN_EXE_unfazed"));
    other.args(["run", "experiment.yaml", "-o", "second", "--actor", "somebody"]);
    other.args(["--injector", env!("CARGO_BIN_EXE_unfazed-inject")]).args(LIVE);
    let other = other
        .current_dir(lab.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        assert!(lab.stopped() <= 1, "two faults at once");
        thread::sleep(Duration::from_millis(5));
    }
    let outputs = [one.wait_with_output().unwrap(), other.wait_with_output().unwrap()];
    let mut codes: Vec<Option<i32>> = outputs.iter().map(|output| output.status.code()).collect();
    codes.sort_unstable();
    let said: String = outputs.iter().map(complaint).collect();
    assert_eq!(codes, [Some(0), Some(5)], "one of them is refused: {said}");
    assert!(said.contains("faults of others are in place"), "{said}");
}

/// `UNFAZED_KILLS` moments, 6 unless it is set, at which the program itself is killed.
#[test]
fn killed_at_any_moment_it_leaves_the_target_running_and_goes_on() {
    let moments: u64 = std::env::var("UNFAZED_KILLS").map_or(6, |count| count.parse().unwrap());
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let all: Vec<u64> = (0..moments).map(|_| next() % 11_000).collect();
    let mut paused = 0;
    for batch in all.chunks(6) {
        let runs: Vec<_> = batch
            .iter()
            .map(|&moment| thread::spawn(move || killed_after(Duration::from_millis(moment))))
            .collect();
        for run in runs {
            paused += usize::from(run.join().unwrap());
        }
    }
    println!("{moments} kills -9, {paused} of them while a target was stopped");
}

/// Whether a target was stopped at that moment.
fn killed_after(moment: Duration) -> bool {
    let lab = Lab::start(2);
    lab.write(&PAUSE);
    let mut child = lab.run(&LIVE).spawn().unwrap();
    thread::sleep(moment);
    let was_stopped = lab.stopped() > 0;
    let _killed = child.kill();
    child.wait().unwrap();
    let killed = Instant::now();
    wait_until("every worker runs", || lab.stopped() == 0);
    if was_stopped {
        assert!(killed.elapsed() < Duration::from_millis(600), "resumed at once, {moment:?}");
    }
    readable(&lab, moment);
    if lab.path().join("out/journal.jsonl").exists() {
        let resumed = finish(lab.run(&LIVE).arg("--resume"));
        assert_eq!(resumed.status.code(), Some(0), "{moment:?}: {}", complaint(&resumed));
    } else {
        let begun = finish(&mut lab.run(&LIVE));
        assert_eq!(begun.status.code(), Some(0), "{moment:?}: {}", complaint(&begun));
    }
    let record = record(&lab);
    assert_eq!(record.iterations.len(), 3, "{moment:?}");
    assert_eq!(outcomes(&record), [Outcome::Killed, Outcome::Killed], "{moment:?}");
    audited(&lab);
    let judged = analyzed(&lab);
    assert_eq!(judged.status.code(), Some(0), "{moment:?}: {}", complaint(&judged));
    assert_eq!((lab.stopped(), lab.alive()), (0, 2));
    was_stopped
}

/// Whatever is there can be read.
fn readable(lab: &Lab, moment: Duration) {
    let out = lab.path().join("out");
    if out.join("audit.jsonl").exists() {
        audited(lab);
    }
    if out.join("run.json").exists() {
        record(lab);
        // A part that was being written has no final name yet.
        let whole = |name: &str| name.starts_with("part-") && name.ends_with(".parquet");
        let parts = fs::read_dir(out.join("samples")).is_ok_and(|mut parts| {
            parts.any(|part| part.is_ok_and(|part| whole(&part.file_name().to_string_lossy())))
        });
        let judged = analyzed(lab);
        // Before the first samples are on disk there is nothing to judge, and that is said.
        let expected = if parts { 0 } else { 4 };
        assert_eq!(judged.status.code(), Some(expected), "{moment:?}: {}", complaint(&judged));
    }
}

#[test]
fn no_secret_is_written_anywhere() {
    const TOKEN: &str = "planted-bearer-5f2a9c";
    const WORD: &str = "planted-argument-77e1";
    let lab = Lab::start(2);
    let hook = format!(
        "action: {{hook: [/bin/false, --key, {WORD}], rollback: [/bin/false, {WORD}], timeout: 2s}}"
    );
    lab.write(&Setup { faults: 1, controls: 0, action: &hook, wave: 1 });
    let output = finish(lab.run(&LIVE).args(["--json"]).env("UNFAZED_TOKEN", TOKEN));
    assert_eq!(output.status.code(), Some(4), "{}", complaint(&output));
    assert_eq!(outcomes(&record(&lab)), [Outcome::Failed]);
    let path = lab.path().join("experiment.yaml");
    let document = fs::read_to_string(&path).unwrap();
    let source = document.find("  source:").unwrap();
    let end = source + document[source..].find('\n').unwrap();
    let server = "  source: {prometheus: {url: 'http://127.0.0.1:9', step: 200ms, bearer_token_env: UNFAZED_TOKEN}}";
    fs::write(&path, format!("{}{server}{}", &document[..source], &document[end..])).unwrap();
    let mut other = lab.run(&LIVE);
    other.args(["--patience", "1s", "-o", "second"]).env("UNFAZED_TOKEN", TOKEN);
    let mut words: Vec<_> = other.get_args().map(std::ffi::OsStr::to_owned).collect();
    // The first -o is the lab's own.
    words.drain(2..4);
    let unreachable = finish(
        Command::new(other.get_program())
            .args(words)
            .current_dir(lab.path())
            .env("UNFAZED_TOKEN", TOKEN),
    );
    assert_eq!(unreachable.status.code(), Some(4), "{}", complaint(&unreachable));
    assert!(complaint(&unreachable).contains("127.0.0.1:9"), "{}", complaint(&unreachable));
    let mut said = vec![
        ("output".to_owned(), output.stdout),
        ("complaint".to_owned(), output.stderr),
        ("second output".to_owned(), unreachable.stdout),
        ("second complaint".to_owned(), unreachable.stderr),
    ];
    files(&lab.path().join("out"), &mut said);
    files(&lab.path().join("second"), &mut said);
    for (name, bytes) in said {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(TOKEN), "{name} holds the token");
        // The copy of the document holds what its author wrote into it.
        assert!(
            name.ends_with("experiment.yaml") || !text.contains(WORD),
            "{name} holds the word: {text}"
        );
    }
}

fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not come");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Asks a process that the test started for an orderly end.
fn terminate(pid: u32) {
    let status = Command::new("kill").arg("-TERM").arg(pid.to_string()).status().unwrap();
    assert!(status.success());
}
