//! The fence around the house: what each folder may import, where foreign crates have their door, and how a file looks.
//!
//! Reads the sources as text, line by line, as `rustfmt` lays them out. Comments, the contents of string literals and test
//! code are not looked at: tests may reach everywhere. A rule that is wrong is changed in its table, with the reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of the flow: a room imports only from rooms before it.
const ROOMS: &[&str] = &[
    "unit", "stats", "spec", "run", "frame", "summary", "verdict", "history", "runbook", "report",
    "safety", "campaign", "source", "store", "inject", "app", "cli",
];

/// Rooms that may import less than the order allows: the injector must be auditable alone.
const RESTRICTED: [(&str, &[&str]); 1] = [("inject", &["unit"])];

/// Where a foreign crate may be named: `src/`-relative files or folders. `""` is everywhere.
const DOORS: &[(&str, &[&str])] = &[
    // Signals by pidfd and the TLS of a cluster's API: the injector's alone.
    ("rustix", &["inject/"]),
    ("rustls", &["inject/", "source/"]),
    // Signatures of the audit log; TLS of sources.
    ("ring", &["safety/", "source/"]),
    ("serde", &[""]),
    ("serde_json", &[""]),
    ("thiserror", &[""]),
    // Other tools write local times and zones: read where they are met, and handed on as ours.
    ("chrono", &["unit/", "source/chaos/"]),
    // Windows of a policy stand in the zone of those who approved them.
    ("chrono_tz", &["source/chaos/", "unit/zone.rs"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("csv", &["source/"]),
    ("flate2", &["source/"]),
    ("indicatif", &["cli/"]),
    ("plotters", &["report/"]),
    ("polars", &["frame/", "source/", "store/"]),
    ("polars_arrow", &["frame/", "source/", "store/"]),
    ("polars_buffer", &["frame/", "source/", "store/"]),
    ("polars_parquet", &["frame/", "source/", "store/"]),
    ("prometheus_parse", &["source/"]),
    ("pulldown_cmark", &["runbook/"]),
    ("quick_xml", &["source/"]),
    ("rand_core", &["stats/random.rs"]),
    ("rand_xoshiro", &["stats/random.rs"]),
    // Threads: where many like things are done, never where numbers are summed across them.
    (
        "rayon",
        &[
            "app/",
            "cli/command.rs",
            "source/metrics/recording/",
            "stats/mann_whitney.rs",
            "stats/resample.rs",
        ],
    ),
    ("regex", &["spec/", "source/chaos/redact.rs"]),
    ("reqwest", &["source/"]),
    ("signal_hook", &["app/", "cli/"]),
    ("similar", &["runbook/"]),
    ("saphyr_parser", &["spec/yaml.rs"]),
    (
        "sha2",
        &[
            "report/style_hash.rs",
            "safety/",
            "source/metrics/recording/digest.rs",
            "spec/checked.rs",
            "store/history/digest.rs",
            "unit/",
        ],
    ),
    ("statrs", &["stats/distribution.rs"]),
    ("strsim", &["spec/problem.rs", "source/chaos/registry.rs"]),
    ("tera", &["report/"]),
];

/// File and folder names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["common", "helper", "helpers", "imp", "manager", "misc", "util", "utils"];

/// Words that must not stand in the code of some folders: folder, word, reason.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("stats/", "unwrap_or(0", "an undefined number is not zero: hand its reason on"),
    ("verdict/", "unwrap_or(0", "an undefined number is not zero: hand its reason on"),
    ("stats/", "f64::max", "drops NaN silently: order with f64::total_cmp"),
    ("stats/", "f64::min", "drops NaN silently: order with f64::total_cmp"),
    ("verdict/", "f64::max", "drops NaN silently: order with f64::total_cmp"),
    ("verdict/", "f64::min", "drops NaN silently: order with f64::total_cmp"),
    (
        "",
        "..Default::default()",
        "a result names every field: what is left out is a decision nobody made",
    ),
];

/// Where a forbidden word is right: file, word, why. An excuse that nobody needs any more is refused too.
const EXCUSED: &[(&str, &str, &str)] = &[
    (
        "verdict/plan/curve.rs",
        "unwrap_or(0",
        "an undefined power plans for no power: too much care, never too little",
    ),
    (
        "verdict/request.rs",
        "unwrap_or(0",
        "what proves nothing proves a share of 0: the bound it gives is true",
    ),
    ("verdict/sample.rs", "unwrap_or(0", "a median of no values, which its callers never ask for"),
];

/// Lines that a program in `src/bin` may have.
const LINES_OF_A_PROGRAM: usize = 40;
/// Lines before the tests that a file should stay under. Longer ones are listed, not refused.
const LINES_OF_A_FILE: usize = 400;

/// One source file: where it is, and its code with the numbers of its lines.
struct Source {
    path: String,
    code: Vec<Line>,
    text: String,
}

struct Line {
    number: usize,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: code_lines(text), text: text.to_owned() }
    }

    /// The room a file belongs to; none for `lib.rs` and the programs.
    fn room(&self) -> Option<&str> {
        self.path.split_once('/').map(|(room, _)| room).filter(|room| *room != "bin")
    }

    /// How many modules deep the file's own module stands below the crate's root.
    fn depth(&self) -> usize {
        self.path.split('/').count() - usize::from(self.path.ends_with("/mod.rs"))
    }
}

/// Lines that hold code which ships: no comments, no literals, no tests.
fn code_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut skipped_until: Option<String> = None;
    let mut test_follows = false;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(end) = &skipped_until {
            if line == end {
                skipped_until = None;
            }
            continue;
        }
        let trimmed = line.trim_start();
        if trimmed.starts_with("#[cfg(test)]") {
            test_follows = true;
        } else if test_follows && !trimmed.starts_with("#[") && !trimmed.starts_with("//") {
            test_follows = false;
            // An item that opens a block ends where rustfmt puts its closing brace: at the item's own indentation.
            if trimmed.ends_with('{') {
                skipped_until = Some(format!("{}}}", &line[..line.len() - trimmed.len()]));
            }
        } else if !trimmed.starts_with("//") {
            lines.push(Line { number, code: without_literals(line) });
        }
    }
    lines
}

/// The line without the contents of string literals and without a comment at its end.
fn without_literals(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut inside = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if inside => {
                characters.next();
            }
            '\'' if !inside && characters.peek() == Some(&'"') => {
                characters.next();
            }
            '"' => {
                inside = !inside;
                kept.push('"');
            }
            '/' if !inside && characters.peek() == Some(&'/') => break,
            other if !inside => kept.push(other),
            _ => {}
        }
    }
    kept
}

/// Positions of a path's first segment: `name` with no identifier or path before it.
fn starts_of<'code>(code: &'code str, path: &'code str) -> impl Iterator<Item = usize> + 'code {
    code.match_indices(path).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || "_:".contains(character))
    })
}

fn identifier(code: &str) -> &str {
    let end = code.find(|character: char| !character.is_alphanumeric() && character != '_');
    &code[..end.unwrap_or(code.len())]
}

/// Rooms that the code names, as `crate::room`, as `crate::{room, …}` or by climbing with `super::`.
fn rooms_named(source: &Source) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let climb = "super::".repeat(source.depth());
    for (at, line) in source.code.iter().enumerate() {
        for root in ["crate::", climb.as_str()] {
            for start in starts_of(&line.code, root) {
                let rest = &line.code[start + root.len()..];
                if rest.starts_with('{') {
                    let group: String =
                        source.code[at..].iter().map(|line| line.code.as_str()).collect();
                    let group = &group[start + root.len() + 1..];
                    named.extend(names_of_group(group).map(|name| (line.number, name)));
                } else {
                    named.push((line.number, identifier(rest).to_owned()));
                }
            }
        }
    }
    named
}

/// The first names in `a::b, c::{d, e}, f}`.
fn names_of_group(group: &str) -> impl Iterator<Item = String> {
    let mut depth = 0_usize;
    let mut names = vec![String::new()];
    for character in group.chars() {
        match character {
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            '{' => depth += 1,
            ',' if depth == 0 => names.push(String::new()),
            other if depth == 0 => names.last_mut().expect("one name from the start").push(other),
            _ => {}
        }
    }
    names.into_iter().map(|name| identifier(name.trim()).to_owned()).filter(|name| !name.is_empty())
}

fn imports_against_the_flow(source: &Source) -> Vec<String> {
    let Some(room) = source.room() else { return Vec::new() };
    let Some(own) = ROOMS.iter().position(|name| *name == room) else {
        return vec![format!(
            "src/{}: '{room}' is no room: add it to ROOMS where it stands in the flow",
            source.path
        )];
    };
    let restricted = RESTRICTED.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
    rooms_named(source)
        .into_iter()
        .filter(|(_, other)| other != room)
        .filter(|(_, other)| match (restricted, ROOMS.iter().position(|name| name == other)) {
            (_, None) => false,
            (Some(allowed), Some(_)) => !allowed.contains(&other.as_str()),
            (None, Some(at)) => at > own,
        })
        .map(|(line, other)| format!("src/{}:{line}: {room} must not know {other}", source.path))
        .collect()
}

fn crates_beside_their_door(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (name, doors) in DOORS {
        if doors.iter().any(|door| source.path.starts_with(door)) {
            continue;
        }
        let path = format!("{name}::");
        for line in source.code.iter().filter(|line| starts_of(&line.code, &path).next().is_some())
        {
            let doors = doors.join(", ");
            found.push(format!(
                "src/{}:{}: {name} has its door in {doors}",
                source.path, line.number
            ));
        }
    }
    found
}

fn forbidden_words(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let excused = |word| EXCUSED.iter().any(|excuse| excuse.0 == source.path && excuse.1 == word);
    for (folder, word, reason) in FORBIDDEN.iter().filter(|rule| source.path.starts_with(rule.0)) {
        if excused(*word) {
            continue;
        }
        for line in source.code.iter().filter(|line| line.code.contains(word)) {
            found.push(format!(
                "src/{}:{}: `{word}` in {folder}: {reason}",
                source.path, line.number
            ));
        }
    }
    found
}

fn empty_names(source: &Source) -> Vec<String> {
    let parts = source.path.trim_end_matches(".rs").split('/');
    let empty = |part: &str| {
        EMPTY_NAMES.contains(&part)
            || part.strip_prefix("part").is_some_and(|rest| rest.starts_with(char::is_numeric))
    };
    parts
        .filter(|part| empty(part))
        .map(|part| {
            format!("src/{}: '{part}' does not say what it holds: name its noun", source.path)
        })
        .collect()
}

fn shape(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if !source.text.starts_with("//!") {
        found.push(format!("src/{}: does not open with what it owns (//! …)", source.path));
    }
    if source.path.starts_with("bin/") && source.text.lines().count() >= LINES_OF_A_PROGRAM {
        found.push(format!("src/{}: a program has under {LINES_OF_A_PROGRAM} lines", source.path));
    }
    let definitions = [
        "fn ",
        "struct ",
        "enum ",
        "trait ",
        "impl ",
        "impl<",
        "const ",
        "static ",
        "macro_rules!",
    ];
    if source.path.ends_with("/mod.rs") || source.path == "lib.rs" {
        for line in &source.code {
            let code = line.code.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            if definitions.iter().any(|word| code.starts_with(word)) {
                found.push(format!(
                    "src/{}:{}: holds docs and re-exports only",
                    source.path, line.number
                ));
            }
        }
    }
    found
}

/// Files that no `mod` line leads to. Test modules count as reached.
fn dead_files(sources: &[Source]) -> Vec<String> {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = sources
        .iter()
        .map(|source| source.path.clone())
        .filter(|path| path == "lib.rs" || path.starts_with("bin/"))
        .collect();
    while let Some(path) = open.pop() {
        let Some(source) = sources.iter().find(|source| source.path == path) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        let folder = match path.rsplit_once('/') {
            None => String::new(),
            Some((folder, "mod.rs")) => format!("{folder}/"),
            Some(_) => format!("{}/", path.trim_end_matches(".rs")),
        };
        for line in source.text.lines() {
            let Some((_, declared)) = line.trim_end().split_once("mod ") else { continue };
            if let Some(name) = declared.strip_suffix(';') {
                open.push(format!("{folder}{name}.rs"));
                open.push(format!("{folder}{name}/mod.rs"));
            }
        }
    }
    sources
        .iter()
        .filter(|source| !reached.contains(&source.path))
        .map(|source| format!("src/{}: no `mod` line leads to it", source.path))
        .collect()
}

fn all_rules(sources: &[Source]) -> Vec<String> {
    let one_by_one =
        [imports_against_the_flow, crates_beside_their_door, forbidden_words, empty_names, shape];
    let mut found: Vec<String> = sources
        .iter()
        .flat_map(|source| one_by_one.iter().flat_map(move |rule| rule(source)))
        .chain(dead_files(sources))
        .collect();
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source that ships; files of test modules are left out of the rules, not out of the search for dead ones.
fn sources() -> Vec<Source> {
    let mut open = vec![root().join("src")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        Source::new(&name, &fs::read_to_string(path).unwrap())
    };
    let mut sources: Vec<Source> = files.iter().map(read).collect();
    for path in test_modules(&sources) {
        for source in sources.iter_mut().filter(|source| source.path == path) {
            source.code.clear();
        }
    }
    sources
}

/// Files declared as `#[cfg(test)] mod name;`.
fn test_modules(sources: &[Source]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in sources {
        let folder = source.path.trim_end_matches("mod.rs").trim_end_matches(".rs");
        let folder = if folder.is_empty() || folder.ends_with('/') {
            folder.to_owned()
        } else {
            format!("{folder}/")
        };
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            if let Some(name) = pair[1].strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
            {
                found.insert(format!("{folder}{name}.rs"));
                found.insert(format!("{folder}{name}/mod.rs"));
            }
        }
    }
    found
}

#[test]
fn the_house_keeps_its_rules() {
    let found = all_rules(&sources());
    assert!(found.is_empty(), "{} broken rules:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_excuse_is_still_needed() {
    for (path, word, _) in EXCUSED {
        let needed = sources().iter().any(|source| {
            source.path == *path && source.code.iter().any(|line| line.code.contains(*word))
        });
        assert!(needed, "src/{path} no longer says `{word}`: take the excuse out of EXCUSED");
    }
}

#[test]
fn every_dependency_has_a_door() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let without: Vec<String> = section
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .filter(|name| DOORS.iter().all(|(door, _)| door != name))
        .collect();
    assert!(
        without.is_empty(),
        "say in DOORS where these crates may be named: {}",
        without.join(", ")
    );
}

#[test]
fn long_files_are_listed() {
    for source in sources().iter().filter(|source| !source.code.is_empty()) {
        let before_tests = source.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = before_tests.lines().count();
        if lines > LINES_OF_A_FILE {
            println!("src/{}: {lines} lines before its tests: is it one noun?", source.path);
        }
    }
}

/// Every rule finds the line it forbids, and leaves the line beside it alone.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_rule_finds_what_it_forbids() {
    let cases: [(&str, &str, &str, &str); 15] = [
        (
            "stats/a.rs",
            "use crate::verdict::Verdict;",
            "use crate::unit::Seed;",
            "must not know verdict",
        ),
        (
            "stats/a.rs",
            "use crate::{\n    unit::Seed,\n    spec::{Claim, Form},\n};",
            "use crate::{unit, stats};",
            "must not know spec",
        ),
        (
            "stats/a.rs",
            "use super::super::report::text;",
            "use super::interval::Interval;",
            "must not know report",
        ),
        ("inject/a.rs", "use crate::spec::Fault;", "use crate::unit::Span;", "must not know spec"),
        (
            "spec/a.rs",
            "    let x = crate::app::run();",
            "// see crate::app::run",
            "must not know app",
        ),
        (
            "frame/a.rs",
            "use crate::store::write;",
            "/// See [`crate::store::write`].",
            "must not know store",
        ),
        (
            "cli/a.rs",
            "use polars::prelude::*;",
            "let text = \"polars::prelude\";",
            "polars has its door",
        ),
        (
            "stats/a.rs",
            "let x = statrs::function::erf::erf(1.0);",
            "let x = my_statrs::erf(1.0);",
            "statrs has its door",
        ),
        (
            "verdict/a.rs",
            "let now = chrono::DateTime::MIN_UTC;",
            "let now = self::chrono::now();",
            "chrono has its door",
        ),
        (
            "stats/a.rs",
            "let p = p.unwrap_or(0.0);",
            "let p = p.ok_or(Undefined::Empty)?;",
            "unwrap_or(0",
        ),
        (
            "stats/a.rs",
            "let m = x.iter().copied().fold(0.0, f64::max);",
            "#[cfg(test)]\nmod tests {\n    use f64::max;\n}",
            "drops NaN",
        ),
        ("verdict/a.rs", "Ruling { n, ..Default::default() }", "Ruling { n }", "names every field"),
        ("verdict/mod.rs", "pub fn judge() {}", "pub use judge::judge;", "re-exports only"),
        ("kitchen/a.rs", "use crate::unit::Seed;", "", "is no room"),
        ("bin/x.rs", &"fn f() {}\n".repeat(40), "fn f() {}", "a program has under"),
    ];
    for (path, bad, good, expected) in cases {
        let rules = |body: &str| {
            let source = Source::new(path, &format!("//! What it owns.\n{body}\n"));
            let rules =
                [imports_against_the_flow, crates_beside_their_door, forbidden_words, shape];
            rules.iter().flat_map(|rule| rule(&source)).collect::<Vec<String>>()
        };
        let found = rules(bad);
        assert_eq!(found.len(), 1, "{bad:?} in {path}: {found:?}");
        assert!(found[0].contains(expected), "{bad:?} in {path}: {found:?}");
        if !good.is_empty() {
            assert_eq!(rules(good), Vec::<String>::new(), "{good:?} in {path}");
        }
    }
}

#[test]
fn names_that_say_nothing_are_found() {
    for path in ["stats/utils.rs", "report/helpers/mod.rs", "spec/part2.rs", "app/manager.rs"] {
        assert_eq!(empty_names(&Source::new(path, "")).len(), 1, "{path}");
    }
    for path in ["stats/utility_curve.rs", "source/metrics/recording/part.rs", "stats/partial.rs"] {
        assert_eq!(empty_names(&Source::new(path, "")), Vec::<String>::new());
    }
}

#[test]
fn a_file_without_a_mod_line_is_found() {
    let house = [
        Source::new("lib.rs", "//! x\npub mod stats;\n"),
        Source::new("stats/mod.rs", "//! x\nmod mean;\n#[cfg(test)]\nmod cases;\n"),
        Source::new("stats/mean.rs", "//! x\nmod deep;\n"),
        Source::new("stats/mean/deep.rs", "//! x\n"),
        Source::new("stats/cases.rs", "//! x\n"),
        Source::new("stats/forgotten.rs", "//! x\n"),
    ];
    assert_eq!(dead_files(&house), ["src/stats/forgotten.rs: no `mod` line leads to it"]);
    assert_eq!(
        test_modules(&house),
        BTreeSet::from(["stats/cases.rs".to_owned(), "stats/cases/mod.rs".to_owned()])
    );
}
