//! A history keeps what it was given: whoever is killed while writing loses at most the run that was being written,
//! two writers lose nothing, and nobody changes what is kept without being found.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use unfazed::app::analyze::{Inputs, analyze};
use unfazed::history::{Circumstances, Remembered};
use unfazed::run::RunRecord;
use unfazed::store::history::{ProblemCode, Verification};
use unfazed::store::{Appended, History};

/// Where a child finds the history it adds to.
const FOLDER: &str = "UNFAZED_TEST_HISTORY_FOLDER";
/// The name of a child's runs.
const WRITER: &str = "UNFAZED_TEST_HISTORY_WRITER";

fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/recording")
}

/// A run like that of the small recording, under a name of its own.
fn run(name: &str) -> Remembered {
    let inputs = Inputs { paths: vec![recording()], run: None, events: Vec::new(), seed: 0 };
    let mut result = analyze(&inputs).unwrap();
    let mut record = RunRecord::read(&fs::read(recording().join("run.json")).unwrap()).unwrap();
    name.clone_into(&mut record.run_id);
    name.clone_into(&mut result.run_id);
    name.clone_into(&mut result.session_list[0].run_id);
    Remembered { result, runs: vec![record], circumstances: Circumstances::default() }
}

/// A history of runs `run-1` to `run-<count>`.
fn history_of(folder: &Path, count: u64) -> History {
    let history = History::open(folder).unwrap();
    for number in 1..=count {
        let appended = history.append(&run(&format!("run-{number}"))).unwrap();
        assert_eq!(appended, Appended::New { sequence: number });
    }
    history
}

fn codes(found: &Verification) -> Vec<ProblemCode> {
    found.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn a_run_comes_back_as_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let history = history_of(&folder.path().join("new/history"), 2);
    let entries = history.runs().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].run.run_id, "run-2");
    assert_eq!(history.read(&entries[1]).unwrap(), run("run-2"));
    let found = history.verify(None).unwrap();
    assert!(found.intact && found.notes.is_empty(), "{found:?}");
}

#[test]
fn the_same_run_twice_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let history = history_of(folder.path(), 2);
    let again = history.append(&run("run-1")).unwrap();
    assert_eq!(again, Appended::AlreadyThere { sequence: 1 });
    assert_eq!(history.runs().unwrap().len(), 2);
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letters.txt"), "dear").unwrap();
    let error = History::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("is no history"), "{error}");
    fs::write(folder.path().join("history.json"), "{\"schema\": \"unfazed.history/v9\"}").unwrap();
    let error = History::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("unfazed.history/v9"), "{error}");
}

/// Changes the lines of an index.
fn rewrite(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let path = folder.join("index.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// Files of objects with this ending.
fn objects(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for bucket in fs::read_dir(folder.join("objects")).unwrap() {
        for file in fs::read_dir(bucket.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn whatever_is_changed_is_found_and_named() {
    type Tamper = fn(&Path);
    let cases: [(&str, Tamper, ProblemCode, Option<u64>); 9] = [
        (
            "an entry is edited",
            |folder| rewrite(folder, |lines| lines[2] = lines[2].replace("\"run-3\"", "\"run-x\"")),
            ProblemCode::EditedEntry,
            Some(3),
        ),
        (
            "an entry is taken out",
            |folder| rewrite(folder, |lines| drop(lines.remove(2))),
            ProblemCode::BrokenChain,
            Some(3),
        ),
        (
            "two entries are swapped",
            |folder| rewrite(folder, |lines| lines.swap(1, 2)),
            ProblemCode::BrokenChain,
            Some(2),
        ),
        (
            "the last entries are cut off",
            |folder| rewrite(folder, |lines| lines.truncate(3)),
            ProblemCode::Cut,
            Some(4),
        ),
        (
            "an entry is no longer JSON",
            |folder| rewrite(folder, |lines| lines[0] = "garbage".to_owned()),
            ProblemCode::EditedEntry,
            Some(1),
        ),
        (
            "an object is edited",
            |folder| {
                let path = &objects(folder, "json")[0];
                let text =
                    fs::read_to_string(path).unwrap().replacen("\"seed\":0", "\"seed\":1", 1);
                fs::write(path, text).unwrap();
            },
            ProblemCode::EditedObject,
            None,
        ),
        (
            "an object is gone",
            |folder| fs::remove_file(&objects(folder, "json")[0]).unwrap(),
            ProblemCode::MissingObject,
            None,
        ),
        (
            "points are gone",
            |folder| fs::remove_file(&objects(folder, "parquet")[0]).unwrap(),
            ProblemCode::MissingObject,
            None,
        ),
        (
            "the head is of another index",
            |folder| {
                let path = folder.join("head.json");
                let text = fs::read_to_string(&path).unwrap();
                let at = text.find("sha256:").unwrap() + 7;
                let digit = if &text[at..=at] == "0" { "1" } else { "0" };
                fs::write(&path, format!("{}{digit}{}", &text[..at], &text[at + 1..])).unwrap();
            },
            ProblemCode::EditedHead,
            Some(5),
        ),
    ];
    for (name, tamper, code, sequence) in cases {
        let folder = tempfile::tempdir().unwrap();
        let history = history_of(folder.path(), 5);
        tamper(folder.path());
        let found = history.verify(None).unwrap();
        assert!(!found.intact, "{name}: not found");
        let named = found.problems.iter().find(|problem| problem.code == code);
        let named = named.unwrap_or_else(|| panic!("{name}: {found:?}"));
        if sequence.is_some() {
            assert_eq!(named.sequence, sequence, "{name}: {found:?}");
        } else {
            let run_id = named.run_id.as_deref().unwrap();
            assert!(named.message.contains(run_id), "{name}: {found:?}");
        }
    }
}

#[test]
fn a_chain_that_was_written_anew_is_found_by_a_noted_head() {
    let folder = tempfile::tempdir().unwrap();
    let noted = history_of(folder.path(), 3).verify(None).unwrap().head.unwrap();
    let other = tempfile::tempdir().unwrap();
    let forged = history_of(other.path(), 2);
    forged.append(&run("run-x")).unwrap();
    assert!(forged.verify(None).unwrap().intact);
    assert_eq!(codes(&forged.verify(Some(&noted)).unwrap()), [ProblemCode::UnknownHead]);
    let history = History::open(folder.path()).unwrap();
    history.append(&run("run-4")).unwrap();
    assert!(history.verify(Some(&noted)).unwrap().intact, "a history may grow");
}

#[test]
fn a_line_that_breaks_off_costs_that_line_alone() {
    let folder = tempfile::tempdir().unwrap();
    let history = history_of(folder.path(), 2);
    let path = folder.path().join("index.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"schema\":\"unfazed.history/v1\",\"sequ");
    fs::write(&path, text).unwrap();
    assert_eq!(history.runs().unwrap().len(), 2);
    let found = history.verify(None).unwrap();
    assert!(found.intact && found.notes[0].code == "unfinished_line", "{found:?}");
    assert_eq!(history.append(&run("run-3")).unwrap(), Appended::New { sequence: 3 });
    let found = history.verify(None).unwrap();
    assert!(found.intact && found.notes.is_empty(), "{found:?}");
}

#[test]
fn a_head_that_is_behind_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let history = history_of(folder.path(), 2);
    let head = fs::read(folder.path().join("head.json")).unwrap();
    history.append(&run("run-3")).unwrap();
    fs::write(folder.path().join("head.json"), head).unwrap();
    let found = history.verify(None).unwrap();
    assert!(found.intact && found.notes[0].code == "head_behind", "{found:?}");
    assert_eq!(history.append(&run("run-4")).unwrap(), Appended::New { sequence: 4 });
    assert_eq!(history.runs().unwrap().len(), 4);
}

#[test]
fn nothing_is_added_to_a_history_that_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let history = history_of(folder.path(), 3);
    rewrite(folder.path(), |lines| lines.truncate(1));
    let error = history.append(&run("run-4")).unwrap_err().to_string();
    assert!(error.contains("cut off") && error.contains("history verify"), "{error}");
}

/// Not a test of its own: what the children of the tests below do, until they are killed.
#[test]
fn a_child_that_writes() {
    let (Ok(folder), Ok(writer)) = (std::env::var(FOLDER), std::env::var(WRITER)) else { return };
    let history = History::open(Path::new(&folder)).unwrap();
    let mut next = run("run");
    for number in 0..10_000 {
        let name = format!("{writer}-{number}");
        next.result.run_id.clone_from(&name);
        next.result.session_list[0].run_id.clone_from(&name);
        history.append(&next).unwrap();
        println!("kept {name}");
    }
}

fn writer(folder: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "history::a_child_that_writes", "--nocapture"])
        .env(FOLDER, folder)
        .env(WRITER, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn writers_that_are_killed_lose_at_most_the_run_they_were_writing() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(folder.path()).unwrap();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for round in 0..12_u64 {
        // Two at once, each killed at its own moment after its first few runs.
        let names = [format!("a{round}"), format!("b{round}")];
        let mut children: Vec<Child> =
            names.iter().map(|name| writer(folder.path(), name)).collect();
        let readers: Vec<_> = children
            .iter_mut()
            .map(|child| {
                let output = BufReader::new(child.stdout.take().unwrap());
                std::thread::spawn(move || {
                    output
                        .lines()
                        .map_while(Result::ok)
                        .filter_map(|line| Some(line.split_once("kept ")?.1.to_owned()))
                        .collect::<Vec<String>>()
                })
            })
            .collect();
        // The moments differ from round to round and hit every step of a write sooner or later.
        let started = std::time::Instant::now();
        let mut pause = 350 + (round * 37) % 90;
        for child in &mut children {
            let wanted = Duration::from_millis(pause);
            std::thread::sleep(wanted.saturating_sub(started.elapsed()));
            child.kill().unwrap();
            child.wait().unwrap();
            pause += 7 + round * 3 % 11;
        }
        for reader in readers {
            kept.extend(reader.join().unwrap());
        }
        let found = history.verify(None).unwrap();
        assert!(found.intact, "round {round}: {found:?}");
        let there: BTreeSet<String> =
            history.runs().unwrap().into_iter().map(|entry| entry.run.run_id).collect();
        let lost: Vec<&String> = kept.difference(&there).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} were acknowledged and are gone");
        // A line may be there whose writer was killed before it could say so: one for each that was killed.
        assert!(there.len() <= kept.len() + 2 * (usize::try_from(round).unwrap() + 1));
    }
    assert!(kept.len() > 12, "only {} runs were written: the children are too slow", kept.len());
    history.append(&run("after")).unwrap();
    assert!(history.verify(None).unwrap().intact);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Histories as other versions wrote them: `tests/history/README.md` says which is which.
#[test]
fn histories_of_other_versions_are_read_and_added_to() {
    let matrix = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history");
    for version in ["v1-first", "v1-bare", "v1-later"] {
        let folder = tempfile::tempdir().unwrap();
        copy(&matrix.join(version), folder.path());
        let history = History::existing(folder.path()).unwrap();
        let entries = history.runs().unwrap();
        assert_eq!(entries.len(), 1, "{version}");
        let whole = history.read(&entries[0]).unwrap();
        assert_eq!(whole.result.run_id, entries[0].run.run_id, "{version}");
        let appended = history.append(&run("now")).unwrap();
        assert_eq!(appended, Appended::New { sequence: 2 }, "{version}");
        let found = history.verify(None).unwrap();
        assert!(found.intact, "{version}: {found:?}");
        let output = Command::new(env!("CARGO_BIN_EXE_unfazed"))
            .args(["--quiet", "weekly", "--json", "--history"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
