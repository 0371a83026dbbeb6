//! The command line as its users meet it: `tests/cmd/*.case`, each case a room of its own.
//!
//! A case starts with a copy of `tests/cmd/recording` under the name `rec`, changes files, runs one command and says
//! what its user must see. Whatever a case expects, nothing may panic, and no file may appear, change or vanish that
//! the case does not name: this is how half-written outputs and forgotten temporary files are found.
//!
//! ```text
//! case a name, as a fact                 starts a case; `#` starts a comment
//! write FILE                             the lines after it that begin with two spaces are its contents
//! append FILE | TEXT                     TEXT and a line end
//! replace FILE | FROM | TO               the first FROM, which must be there
//! replace_all FILE | FROM | TO
//! bytes FILE | ff fe 00                  contents in hexadecimal
//! keep FILE | 40%                        cuts the file off
//! fill FILE | COUNT | TEXT               TEXT, COUNT times; `\n` is a line end
//! delete PATH, directory PATH, copy FROM | TO, link FROM | TO
//! parquet DIRECTORY                      its samples.csv becomes samples.parquet
//! first ARGUMENTS                        runs unfazed beforehand, which must succeed
//! env NAME=VALUE
//! stdin                                  indented lines, as after `write`
//! run ARGUMENTS                          runs unfazed in the room; "…" holds blanks together
//! exit CODE
//! says TEXT                              standard error holds TEXT
//! hides TEXT                             standard error does not hold TEXT
//! prints TEXT                            standard output holds TEXT; without `prints` it must be empty unless
//!                                        the exit code is 0, 1 or 3
//! withholds TEXT                         standard output does not hold TEXT
//! quiet                                  standard error is empty
//! writes PATH                            the command makes or changes this file
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rayon::prelude::*;
use unfazed::source::metrics::Recording;
use unfazed::store::write_samples;

/// Fewest cases that all files hold together: a file that is no longer read would go unnoticed.
const FEWEST_CASES: usize = 100;

/// One case.
struct Case {
    place: String,
    name: String,
    lines: Vec<Line>,
}

/// One line of a case with the indented lines below it.
struct Line {
    word: String,
    rest: String,
    body: String,
}

/// What a command may not do unless the case says so, and what it did.
type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd")
}

/// All cases of a file.
fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let place = || format!("{}:{number}", path.display());
        if let Some(content) = line.strip_prefix("  ") {
            let last = cases.last_mut().and_then(|case| case.lines.last_mut());
            let Some(last) = last else {
                panic!("{}: an indented line belongs to nothing", place())
            };
            last.body.push_str(content);
            last.body.push('\n');
            continue;
        }
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (word, rest) = (word.to_owned(), rest.to_owned());
        if word == "case" {
            cases.push(Case { place: place(), name: rest, lines: Vec::new() });
        } else if let Some(case) = cases.last_mut() {
            case.lines.push(Line { word, rest, body: String::new() });
        } else {
            panic!("{}: a line stands before the first case", place());
        }
    }
    cases
}

pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Everything below a folder: contents of files, `None` for directories.
fn tree(root: &Path) -> Tree {
    fn walk(root: &Path, below: &Path, found: &mut Tree) {
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if path.is_dir() && !path.is_symlink() {
                found.insert(name, None);
                walk(root, &path, found);
            } else {
                found.insert(name, Some(fs::read(&path).unwrap_or_default()));
            }
        }
    }
    let mut found = Tree::new();
    walk(root, root, &mut found);
    found
}

/// Words of a command line; double quotes hold blanks together.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, piece) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn parts<const N: usize>(rest: &str) -> [&str; N] {
    let parts: Vec<&str> = rest.splitn(N, " | ").collect();
    parts.try_into().unwrap_or_else(|_| panic!("'{rest}' has not {N} parts"))
}

/// Makes `samples.parquet` of the `samples.csv` in a directory.
fn to_parquet(directory: &Path) {
    let recording = Recording::open(directory).unwrap();
    let names: Vec<String> = recording.metric_names().map(str::to_owned).collect();
    let frames: Vec<_> = names.iter().map(|name| recording.frame(name.as_str()).unwrap()).collect();
    write_samples(directory, frames).unwrap();
    fs::remove_file(directory.join("samples.csv")).unwrap();
}

/// Changes the room as a line says; `false` if the line is of another kind.
fn change(room: &Path, line: &Line) -> bool {
    let at = |path: &str| room.join(path.trim());
    let rest = line.rest.as_str();
    match line.word.as_str() {
        "write" => {
            fs::create_dir_all(at(rest).parent().unwrap()).unwrap();
            fs::write(at(rest), &line.body).unwrap();
        }
        "append" => {
            let [path, text] = parts(rest);
            let old = fs::read_to_string(at(path)).unwrap();
            fs::write(at(path), format!("{old}{text}\n")).unwrap();
        }
        "replace" | "replace_all" => {
            let [path, from, to] = parts(rest);
            let old = fs::read_to_string(at(path)).unwrap();
            assert!(old.contains(from), "{path} does not hold '{from}'");
            let count = if line.word == "replace" { 1 } else { usize::MAX };
            fs::write(at(path), old.replacen(from, to.trim_start_matches("(nothing)"), count))
                .unwrap();
        }
        "bytes" => {
            let [path, text] = parts(rest);
            let bytes: Vec<u8> =
                text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
            fs::write(at(path), bytes).unwrap();
        }
        "keep" => {
            let [path, share] = parts(rest);
            let old = fs::read(at(path)).unwrap();
            let percent: usize = share.trim_end_matches('%').parse().unwrap();
            fs::write(at(path), &old[..old.len() * percent / 100]).unwrap();
        }
        "fill" => {
            let [path, count, text] = parts(rest);
            let text = text.replace("\\n", "\n").repeat(count.parse().unwrap());
            fs::write(at(path), text).unwrap();
        }
        "delete" if at(rest).is_dir() => fs::remove_dir_all(at(rest)).unwrap(),
        "delete" => fs::remove_file(at(rest)).unwrap(),
        "directory" => fs::create_dir_all(at(rest)).unwrap(),
        "copy" => {
            let [from, to] = parts(rest);
            if at(from).is_dir() {
                copy_tree(&at(from), &at(to));
            } else {
                fs::copy(at(from), at(to)).unwrap();
            }
        }
        "link" => {
            let [from, to] = parts(rest);
            std::os::unix::fs::symlink(from, at(to)).unwrap();
        }
        "parquet" => to_parquet(&at(rest)),
        "first" => {
            let output = unfazed(room, &words(rest), &[], "");
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 1 | 3)), "first {rest}: {output:?}");
        }
        _ => return false,
    }
    true
}

pub(crate) fn unfazed(
    room: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    stdin: &str,
) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(arguments)
        .current_dir(room)
        .env_remove("NO_COLOR")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a case and returns what was wrong.
fn problems(case: &Case) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let room = home.path();
    copy_tree(&folder().join("recording"), &room.join("rec"));
    let mut environment: Vec<(String, String)> = Vec::new();
    let (mut stdin, mut ran) = ("", None);
    let mut expectations: Vec<&Line> = Vec::new();
    for line in &case.lines {
        if change(room, line) {
            continue;
        }
        match line.word.as_str() {
            "env" => {
                let (name, value) = line.rest.split_once('=').unwrap();
                environment.push((name.to_owned(), value.to_owned()));
            }
            "stdin" => stdin = &line.body,
            "run" => {
                let before = tree(room);
                let output = unfazed(room, &words(&line.rest), &environment, stdin);
                ran = Some((before, output));
            }
            _ => expectations.push(line),
        }
    }
    let Some((before, output)) = ran else { return vec!["nothing is run".to_owned()] };
    let mut problems = compare(&expectations, &output);
    let allowed: Vec<&Path> = expectations
        .iter()
        .filter(|line| line.word == "writes")
        .map(|line| Path::new(line.rest.trim()))
        .collect();
    problems.extend(changes(&before, &tree(room), &allowed));
    if !problems.is_empty() || std::env::var_os("UNFAZED_SHOW_CASES").is_some() {
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        println!("--- {}: {}\n{stdout}{stderr}", case.place, case.name);
    }
    problems
}

/// What differs from the expectations.
fn compare(expectations: &[&Line], output: &Output) -> Vec<String> {
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut problems = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            problems.push(what);
        }
    };
    for word in ["panicked", "a bug in unfazed", "RUST_BACKTRACE"] {
        must(!stderr.contains(word), format!("stderr holds '{word}'"));
    }
    let code = output.status.code();
    let (mut has_exit, mut prints) = (false, false);
    for line in expectations {
        let text = line.rest.as_str();
        match line.word.as_str() {
            "exit" => {
                has_exit = true;
                must(code == text.parse().ok(), format!("exit is {code:?}, not {text}"));
            }
            "says" => must(stderr.contains(text), format!("stderr does not hold '{text}'")),
            "hides" => must(!stderr.contains(text), format!("stderr holds '{text}'")),
            "prints" => {
                prints = true;
                must(stdout.contains(text), format!("stdout does not hold '{text}'"));
            }
            "withholds" => must(!stdout.contains(text), format!("stdout holds '{text}'")),
            "quiet" => must(stderr.is_empty(), "stderr is not empty".to_owned()),
            "writes" => {}
            other => panic!("'{other}' is no word of a case"),
        }
    }
    must(has_exit, "no exit code is expected".to_owned());
    let judged = matches!(code, Some(0 | 1 | 3));
    must(judged || prints || stdout.is_empty(), "stdout is not empty".to_owned());
    must(judged || !stderr.trim().is_empty(), "an error says nothing".to_owned());
    problems
}

/// Files that appeared, changed or vanished without leave, and promised ones that did not appear.
fn changes(before: &Tree, after: &Tree, allowed: &[&Path]) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, contents) in after {
        let is_new = before.get(path) != Some(contents);
        let may = allowed.iter().any(|allowed| allowed.starts_with(path));
        if is_new && !may {
            problems.push(format!("{} appeared or changed", path.display()));
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        problems.push(format!("{} vanished", path.display()));
    }
    for path in allowed {
        if before.get(*path) == after.get(*path) {
            problems.push(format!("{} was not written", path.display()));
        }
    }
    problems
}

#[test]
fn every_case_ends_as_its_user_is_told() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .collect();
    files.sort();
    let cases: Vec<Case> = files.iter().flat_map(|path| read(path)).collect();
    assert!(cases.len() >= FEWEST_CASES, "only {} cases", cases.len());
    let only = std::env::var("UNFAZED_ONLY_CASE").unwrap_or_default();
    let mut report = String::new();
    let chosen: Vec<&Case> = cases.iter().filter(|case| case.name.contains(&only)).collect();
    let found: Vec<Vec<String>> = chosen.par_iter().map(|case| problems(case)).collect();
    for (case, problems) in chosen.iter().zip(found) {
        for problem in problems {
            let _ = writeln!(report, "{}: {}: {problem}", case.place, case.name);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
