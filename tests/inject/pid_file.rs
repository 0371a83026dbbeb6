//! Whoever writes a pid file chooses who dies.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::live::{Workers, run};

fn plan(workers: &Workers, file: &Path) -> Value {
    let mut plan = workers.plan();
    plan["target"] = json!({"process": {"pid_file": file.to_str().unwrap()}});
    plan["limits"] = json!({"max_kills": 1, "max_share": 1.0, "min_survivors": 0});
    plan
}

fn code(workers: &Workers, file: &Path) -> (String, i32) {
    let answer = run(&["--live"], &plan(workers, file));
    let (code, exit) = answer.code();
    (code.to_owned(), exit)
}

/// A worker and a file with its pid.
fn worker() -> (Workers, std::path::PathBuf) {
    let workers = Workers::start(1);
    let file = workers.path("worker.pid");
    fs::write(&file, format!("{}\n", workers.children[0].id())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    (workers, file)
}

#[test]
fn the_process_of_a_pid_file_is_killed() {
    let (mut workers, file) = worker();
    assert_eq!(code(&workers, &file), ("none".to_owned(), 0));
    assert_eq!(workers.alive(), 0);
}

#[test]
fn a_pid_file_must_agree_with_the_name() {
    let (mut workers, file) = worker();
    let mut plan = plan(&workers, &file);
    plan["target"]["process"]["name"] = json!("somebody-else");
    assert_eq!(run(&["--live"], &plan).code(), ("nothing_matched", 5));
    assert_eq!(workers.alive(), 1);
}

#[test]
fn garbage_in_a_pid_file_is_refused() {
    let (mut workers, file) = worker();
    let pid = workers.children[0].id();
    let garbage = [
        String::new(),
        "\n".into(),
        format!("-{pid}"),
        format!("+{pid}"),
        format!("{pid} {pid}"),
        format!("{pid}\n1\n"),
        format!(" {pid}"),
        format!("{pid}x"),
        format!("0x{pid:x}"),
        format!("{pid}.0"),
        format!("{pid}\0"),
        "99999999999999999999".into(),
        "4194305".into(),
        "-1".into(),
        "٤٢".into(),
        "1".repeat(100),
        format!("{pid}{}", "\n".repeat(1_000_000)),
    ];
    for text in garbage {
        fs::write(&file, &text).unwrap();
        assert_eq!(code(&workers, &file), ("pid_file_garbage".to_owned(), 5), "{text:.40}");
    }
    assert_eq!(workers.alive(), 1);
}

#[test]
fn a_pid_of_one_or_zero_is_refused() {
    let (workers, file) = worker();
    for text in ["0", "1\n", "000", "0001"] {
        fs::write(&file, text).unwrap();
        assert_eq!(code(&workers, &file), ("pid_too_low".to_owned(), 5), "{text}");
    }
}

#[test]
fn a_pid_file_that_others_may_write_is_refused() {
    let (mut workers, file) = worker();
    for mode in [0o666, 0o646, 0o664, 0o777] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(code(&workers, &file), ("pid_file_unsafe".to_owned(), 5), "{mode:o}");
    }
    assert_eq!(workers.alive(), 1);
}

#[test]
fn a_link_a_directory_and_a_pipe_are_no_pid_file() {
    let (mut workers, file) = worker();
    let link = workers.path("link.pid");
    symlink(&file, &link).unwrap();
    let pipe = workers.path("pipe.pid");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    for path in [link, pipe, workers.path(""), "/dev/null".into()] {
        assert_eq!(code(&workers, &path), ("pid_file_unsafe".to_owned(), 5), "{}", path.display());
    }
    assert_eq!(workers.alive(), 1);
}

#[test]
fn a_pid_file_that_is_not_there_is_no_target() {
    let workers = Workers::none();
    let answer = run(&["--live"], &plan(&workers, &workers.path("no.pid")));
    assert_eq!(
        (answer.code(), &answer.outcome["outcome"]),
        (("pid_file_missing", 5), &json!("no_target"))
    );
}

#[test]
fn a_pid_file_older_than_the_process_is_refused() {
    let (mut workers, file) = worker();
    let yesterday = SystemTime::now() - Duration::from_hours(24);
    fs::File::options().write(true).open(&file).unwrap().set_modified(yesterday).unwrap();
    assert_eq!(code(&workers, &file), ("pid_file_stale".to_owned(), 5));
    assert_eq!(workers.alive(), 1);
}

#[test]
fn the_pid_of_nobody_is_no_target() {
    let (mut workers, file) = worker();
    let mut gone = std::process::Command::new("/bin/true").spawn().unwrap();
    gone.wait().unwrap();
    fs::write(&file, gone.id().to_string()).unwrap();
    assert_eq!(code(&workers, &file).1, 5);
    assert_eq!(workers.alive(), 1);
}
