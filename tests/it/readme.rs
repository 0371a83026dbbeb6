//! README.md does what it says: its blocks are run, in order, in one directory, as a reader would.
//!
//! - A `sh` block is run as a whole and ends with 0, or with what `<!-- exit code N -->` above it says.
//! - A `console` block holds commands (`$ …`) and what they print, both streams together; a line `...` stands for any
//!   lines, and `...` within a line for any text.
//! - `<!-- not run: reason -->` above a block leaves it out.
//!
//! The program is the one under test: `unfazed` is on the path, and `cargo run --release --` is taken for it; the payment
//! service is the one that was built beside it. What a block starts and leaves a `.pid` file of is ended afterwards.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_unfazed");
const BUILT_BY_CARGO: &str = "cargo run --release -- ";
const EXAMPLE_BY_CARGO: &str = "cargo run --release --example payments -- ";

/// A block of README.md and what was said above it.
#[derive(Debug)]
struct Block {
    line: usize,
    language: String,
    note: String,
    body: String,
}

/// One command, and what it is said to print.
struct Step {
    command: String,
    printed: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut above = "";
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => writeln!(block.body, "{line}").unwrap(),
            (None, Some(language)) => {
                open = Some(Block {
                    line: number,
                    language: language.to_owned(),
                    note: if above.starts_with("<!--") { above.to_owned() } else { String::new() },
                    body: String::new(),
                });
            }
            (None, None) => {}
        }
        above = line;
    }
    assert!(open.is_none(), "the last block of README.md is not closed");
    blocks
}

fn steps(body: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in body.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), printed: Vec::new() });
        } else {
            let step = steps.last_mut().expect("a console block begins with a command");
            step.printed.push(line.to_owned());
        }
    }
    steps
}

/// Whether lines are as they were said to be.
fn agree(said: &[String], printed: &[&str]) -> bool {
    match said.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=printed.len()).any(|skipped| agree(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_agrees(line, first) && agree(rest, others)),
    }
}

fn line_agrees(said: &str, printed: &str) -> bool {
    match said.split_once("...") {
        None => said == printed,
        Some((before, after)) => printed.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| line_agrees(after, &rest[at..]))
        }),
    }
}

/// A directory that looks like a clone to the commands: what they read is there, what they write stays apart.
struct Clone {
    directory: tempfile::TempDir,
}

impl Clone {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["datasets", "report-templates"] {
            std::os::unix::fs::symlink(root().join(name), directory.path().join(name)).unwrap();
        }
        Self { directory }
    }

    fn run(&self, script: &str) -> (i32, String) {
        let programs = PathBuf::from(PROGRAM).parent().unwrap().to_owned();
        let mut script = script.replace(BUILT_BY_CARGO, "unfazed ");
        if script.contains(EXAMPLE_BY_CARGO) {
            let service = format!("{} ", example(&programs).display());
            script = script.replace(EXAMPLE_BY_CARGO, &service);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .args(["-uo", "pipefail", "-c"])
            .arg(format!("exec 2>&1\n{script}"))
            .current_dir(self.directory.path())
            .env("PATH", format!("{}:{path}", programs.display()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let Ok(entries) = fs::read_dir(self.directory.path().join("live")) else { return };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|extension| extension == "pid") {
                let process = fs::read_to_string(&path).unwrap();
                // One that ended by itself is gone already.
                let _ = Command::new("kill").arg(process.trim()).stderr(Stdio::null()).status();
            }
        }
    }
}

/// The payment service, built if a run of this test alone has not built it.
fn example(programs: &Path) -> PathBuf {
    let service = programs.join("examples/payments");
    if !service.exists() {
        let release = programs.ends_with("release").then_some("--release");
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--example", "payments"])
            .args(release)
            .current_dir(root())
            .output()
            .unwrap();
        assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    }
    service
}

#[test]
fn every_block_that_can_run_does_what_it_says() {
    let clone = Clone::new();
    let mut run = 0;
    for block in blocks(&readme()) {
        let place = format!("README.md:{}", block.line);
        if block.note.starts_with("<!-- not run: ") {
            continue;
        }
        match block.language.as_str() {
            "sh" => {
                let note = block.note.strip_prefix("<!-- exit code ");
                let expected = note.and_then(|rest| rest.strip_suffix(" -->")).unwrap_or("0");
                let (code, printed) = clone.run(&format!("set -e\n{}", block.body));
                assert_eq!(code.to_string(), expected, "{place}:\n{}{printed}", block.body);
                run += 1;
            }
            "console" => {
                for step in steps(&block.body) {
                    let (code, printed) = clone.run(&step.command);
                    assert_eq!(code, 0, "{place}: {}\n{printed}", step.command);
                    let lines: Vec<&str> = printed.lines().collect();
                    assert!(
                        agree(&step.printed, &lines),
                        "{place}: {}\n--- said\n{}\n--- printed\n{printed}",
                        step.command,
                        step.printed.join("\n")
                    );
                    run += 1;
                }
            }
            "text" => {}
            other => panic!(
                "{place}: a block of '{other}' is neither run (sh, console) nor a picture (text)"
            ),
        }
    }
    assert!(run >= 8, "only {run} blocks were run: has README.md changed its form?");
}

#[test]
fn the_table_of_commands_lists_what_the_program_has() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // Continued descriptions are indented further than names.
    let commands: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let readme = readme();
    let rows: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `unfazed "))
        .filter_map(|row| row.split([' ', '`']).next())
        .collect();
    let missing: Vec<&&str> = commands.iter().filter(|name| !rows.contains(name)).collect();
    assert!(missing.is_empty(), "README.md has no row for these commands: {missing:?}");
    let invented: Vec<&&str> = rows.iter().filter(|name| !commands.contains(name)).collect();
    assert!(invented.is_empty(), "README.md has rows for commands that do not exist: {invented:?}");
}

#[test]
fn every_link_leads_somewhere() {
    let readme = readme();
    let headings: Vec<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").replace('`', "")
        })
        .collect();
    for (at, _) in readme.match_indices("](") {
        let target = readme[at + 2..].split(')').next().unwrap();
        if let Some(heading) = target.strip_prefix('#') {
            assert!(headings.iter().any(|one| one == heading), "no heading is called #{heading}");
        } else if !target.starts_with("https://") {
            assert!(
                root().join(target).exists(),
                "README.md links to {target}, which does not exist"
            );
        }
    }
}

#[test]
fn the_map_of_the_house_has_every_room() {
    let readme = readme();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            assert!(
                readme.contains(&format!("](src/{name})")),
                "README.md does not show src/{name}"
            );
        }
    }
}

#[test]
fn generated_blocks_keep_their_marks() {
    let readme = readme();
    for name in ["calibration", "speed"] {
        let begin = readme.find(&format!("<!-- {name}:begin -->\n"));
        let end = readme.find(&format!("<!-- {name}:end -->"));
        assert!(begin.is_some() && begin < end, "README.md has lost the marks of its {name} block");
    }
}

#[test]
fn the_picture_is_light_enough_for_a_phone() {
    let size = fs::metadata(root().join("datasets/pictures/report.png")).unwrap().len();
    assert!(size <= 250_000, "datasets/pictures/report.png has {size} bytes: take it smaller");
}

#[test]
fn what_is_said_and_what_is_printed_are_compared_with_care() {
    let said = |text: &str| text.lines().map(str::to_owned).collect::<Vec<String>>();
    assert!(agree(&said("a\n...\nd"), &["a", "b", "c", "d"]));
    assert!(agree(&said("a\n...\nd"), &["a", "d"]));
    assert!(!agree(&said("a\n...\nd"), &["a", "b"]));
    assert!(!agree(&said("a"), &["a", "b"]));
    assert!(agree(&said("x: ...end"), &["x: middle end"]));
    assert!(!agree(&said("ab...ba"), &["aba"]));
    assert!(agree(&said("a ... c ... e"), &["a b c d e"]));
    assert!(!agree(&said("a ... c ... e"), &["a b e d c"]));
}
