//! Patches to runbooks: `git apply` takes them, a second run changes nothing, and what people wrote stays.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use unfazed::runbook::suggestion::{Command as Step, Escalation, Evidence};
use unfazed::runbook::{
    Confidence, Effect, Grade, Kept, Patched, Place, RunbookFile, Suggestion, Verification, patch,
};

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "--> <!-- unfazed:end x -->",
    "``` \n# heading\n```",
    "| a | `b` @everyone #1 https://evil.example",
    "{{< ref \"x\" >}} {{ 7 * 7 }} {% include x %}",
    "# heading",
    "+++ b/other",
    "👩\u{200d}🚒 “quotes”",
];

fn suggestion(rule: &str, place: Place) -> Suggestion {
    Suggestion {
        rule: rule.to_owned(),
        title: format!("Title of {rule}"),
        seen: "Something was seen.".to_owned(),
        why: "It matters.".to_owned(),
        evidence: vec![Evidence::words("queue_depth", vec![1], "queue_depth rose".to_owned())],
        confidence: Confidence::new(Grade::High, "the limit says so".to_owned()),
        place,
        step: unfazed::runbook::Step {
            effect: Effect::Changes,
            text: "Do it.".to_owned(),
            command: Step::Repair,
        },
        verification: Verification { text: "Look.".to_owned(), command: Step::HealthProbe },
        escalation: Escalation {
            after_s: 600.0,
            whom: "sre".to_owned(),
            text: "Call sre.".to_owned(),
        },
        references: vec!["A book".to_owned()],
    }
}

fn all() -> Vec<Suggestion> {
    vec![
        suggestion("slow_restart", Place::Repair),
        suggestion("saturated_node", Place::Prepare),
        suggestion("missing_detection", Place::Detect),
        suggestion("failover_errors", Place::Diagnose),
        suggestion("lost_work", Place::Verify),
    ]
}

fn hostile() -> Vec<Suggestion> {
    let text = HOSTILE.join(" ");
    let mut all = all();
    for one in &mut all {
        one.title.clone_from(&text);
        one.seen.clone_from(&text);
        one.evidence[0].text.clone_from(&text);
        one.step.text.clone_from(&text);
        one.verification.text = "`".repeat(10_000);
        one.escalation.text.clone_from(&text);
    }
    all
}

fn patched(text: Option<&str>, suggestions: &[Suggestion]) -> Patched {
    let file =
        RunbookFile { path: "docs/run book.md", text, experiment: "kill-1", owner: "payments" };
    patch(&file, suggestions)
}

/// Applies a patch with git in a directory of its own and returns what the file then holds.
fn applied(text: Option<&str>, diff: &str) -> String {
    let room = tempfile::tempdir().unwrap();
    fs::create_dir(room.path().join("docs")).unwrap();
    let file = room.path().join("docs/run book.md");
    if let Some(text) = text {
        fs::write(&file, text).unwrap();
    }
    fs::write(room.path().join("p.patch"), diff).unwrap();
    for arguments in [&["apply", "--check", "p.patch"][..], &["apply", "p.patch"][..]] {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(room.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CEILING_DIRECTORIES", room.path())
            .output()
            .expect("git is needed: install the package git");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}\n{diff}");
    }
    fs::read_to_string(file).unwrap()
}

/// Patches, applies, patches again: what was written is what was promised, once.
fn holds(text: Option<&str>, suggestions: &[Suggestion]) -> Patched {
    let first = patched(text, suggestions);
    assert!(!first.diff.is_empty());
    let written = applied(text, &first.diff);
    assert_eq!(written, first.text);
    let again = patched(Some(&written), suggestions);
    assert_eq!((again.diff.as_str(), &again.text), ("", &written), "a second run changes nothing");
    untouched(text.unwrap_or_default(), &first.text);
    first
}

/// Every line that was there is there, in order; only a last line may have gained its end.
fn untouched(old: &str, new: &str) {
    let mut lines = new.split_inclusive('\n');
    for line in old.split_inclusive('\n') {
        let line = line.trim_end_matches(['\r', '\n']);
        assert!(lines.any(|other| other.trim_end_matches(['\r', '\n']) == line), "{line:?}");
    }
}

/// Real runbooks in Markdown, if they are at hand.
fn real() -> Vec<PathBuf> {
    let shared = std::env::var_os("UNFAZED_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let mut found = Vec::new();
    let mut folders = vec![shared.join("runbooks-prometheus-operator/content")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn git_takes_the_patches_of_real_runbooks() {
    let found = real();
    if found.is_empty() {
        println!("no real runbooks at hand (UNFAZED_SHARED_DATA): only those below are tried");
        return;
    }
    assert!(found.len() >= 20, "{}", found.len());
    for path in &found {
        let text = fs::read_to_string(path).unwrap();
        let first = holds(Some(&text), &all());
        assert_eq!(first.kept, [], "{}", path.display());
        assert_eq!(first.added.len(), 5, "{}", path.display());
        holds(Some(&text), &hostile());
        // What the section is called decides where a step goes.
        // A fence that is never closed swallows the headings behind it.
        let is_open = text.lines().filter(|line| line.starts_with("```")).count() % 2 == 1;
        if !is_open && text.contains("\n## Mitigation\n") && text.contains("\n## Diagnosis\n") {
            let at = |what: &str| first.text.find(what).unwrap_or_else(|| panic!("{what}"));
            assert!(at("## Mitigation\n") < at("Title of slow"), "{}", path.display());
            assert!(at("## Diagnosis\n") < at("Title of failover"), "{}", path.display());
        }
    }
    println!("{} real runbooks patched", found.len());
}

/// Runbooks in all the shapes that people and editors give them.
fn shapes() -> Vec<(&'static str, String)> {
    let plain = "# Worker\n\nIntro.\n\n## Symptoms\n\n- slow\n\n## Diagnose\n\n```sh\n# not a heading\nls\n```\n\n## Repair\n\n1. Restart.\n\n### Details\n\nMore.\n\n## Verify\n\nAsk.\n\n## Escalate\n\nCall.\n";
    vec![
        ("plain", plain.to_owned()),
        ("carriage returns", plain.replace('\n', "\r\n")),
        ("no last line end", plain.trim_end().to_owned()),
        ("carriage returns and no last line end", plain.trim_end().replace('\n', "\r\n")),
        ("no headings", "Just restart it.\n".to_owned()),
        ("only a title", "# Worker".to_owned()),
        ("empty", String::new()),
        ("blank", "\n\n\n".to_owned()),
        ("front matter", format!("---\ntitle: a\n# no: heading\n---\n\n{plain}")),
        ("setext", "Worker\n======\n\nRepair\n------\n\nRestart.\n\nDiagnosis\n---------\n\nLook.\n".to_owned()),
        ("an open code block", "# a\n\n## Repair\n\n```sh\nrestart\n\n## not a heading\n".to_owned()),
        ("a fold", "# a\n\n<details>\n<summary>s</summary>\n\n## Repair\n\nx\n\n</details>\n\n## End\n\ny\n".to_owned()),
        ("an open comment", "# a\n\n## Repair\n\nx\n\n<!-- todo\n".to_owned()),
        ("a list at the end", "## Repair\n\n- one\n- two".to_owned()),
        ("indented headings", "  # a\n\n   ## Repair\n\nx\n   ## Diagnosis\n\ny\n".to_owned()),
        ("mixed line ends", "# a\r\n\r\n## Repair\n\nx\r\n\r\n## Verify\n\ny\r\n".to_owned()),
        ("a lone carriage return", "# a\n\n## Repair\n\nx\ry\n\n## Verify\n".to_owned()),
        ("emoji and wide letters", "# 🔥 Störung\n\n## 修理 Repair\n\nNeustart.\n\n## Prüfen (verify)\n".to_owned()),
        ("deep headings", "###### Repair\n\nx\n".to_owned()),
        ("a byte order mark", format!("\u{feff}{plain}")),
    ]
}

#[test]
fn git_takes_the_patches_of_runbooks_in_every_shape() {
    for (name, text) in shapes() {
        println!("{name}");
        let first = holds(Some(&text), &all());
        if name != "an open comment" && name != "an open code block" {
            assert_eq!(first.kept, [], "{name}");
        }
        if !text.is_empty() && !text.trim().is_empty() {
            let ends = |text: &str| text.ends_with('\n');
            assert_eq!(ends(&text), ends(&first.text), "{name}");
        }
        holds(Some(&text), &hostile());
    }
    holds(None, &all());
}

#[test]
fn steps_go_into_the_section_that_is_made_for_them() {
    let text = &shapes()[0].1;
    let new = patched(Some(text), &all()).text;
    let order = [
        "## Symptoms",
        "missing_detection",
        "## Before you start",
        "saturated_node",
        "## Diagnose",
        "failover_errors",
        "## Repair",
        "### Details",
        "slow_restart",
        "## Verify",
        "lost_work",
        "## Escalate",
    ];
    let mut from = 0;
    for what in order {
        let found = new[from..].find(what).unwrap_or_else(|| panic!("{what} after {from}:\n{new}"));
        from += found;
    }
}

#[test]
fn carriage_returns_stay_the_kind_of_line_end() {
    let text = shapes()[1].1.clone();
    let new = patched(Some(&text), &all()).text;
    assert_eq!(new.matches('\n').count(), new.matches("\r\n").count());
}

#[test]
fn hostile_text_stays_text() {
    let new = patched(Some(&shapes()[0].1), &hostile()).text;
    for acting in ["<script", "{{<", "{{ 7", "{%", "@everyone", "https://evil"] {
        assert!(!new.contains(acting), "{acting}");
    }
    let markers = |text: &str| text.matches("<!-- unfazed:").count();
    assert_eq!(markers(&new), 2 * hostile().len(), "two markers a block, and none from the text");
    for line in new.lines() {
        assert!(!line.starts_with("+++") && line != "# heading", "{line}");
    }
}

#[test]
fn a_new_finding_replaces_the_old_block_and_nothing_else() {
    let text = &shapes()[0].1;
    let first = patched(Some(text), &all()).text;
    let mut later = all();
    later[0].seen = "Something else was seen.".to_owned();
    let second = patched(Some(&first), &later);
    assert_eq!(
        (second.updated.as_slice(), second.added.len()),
        (&["slow_restart".to_owned()][..], 0)
    );
    assert_eq!(applied(Some(&first), &second.diff), second.text);
    assert!(
        second.text.contains("Something else") && second.text.matches("Something was").count() == 4
    );
}

#[test]
fn a_block_that_a_person_edited_stays_and_an_emptied_one_is_written_anew() {
    let first = patched(Some(&shapes()[0].1), &all()).text;
    let edited = first.replacen("Do it.", "Do it with care.", 1);
    let again = patched(Some(&edited), &all());
    assert_eq!(again.text, edited);
    assert_eq!(again.kept.len(), 1);
    assert!(matches!(&again.kept[0], Kept::Edited(rule) if rule == "missing_detection"));
    let begin = first.find("<!-- unfazed:begin slow_restart").unwrap();
    let begin = begin + first[begin..].find('\n').unwrap() + 1;
    let end = first.find("<!-- unfazed:end slow_restart").unwrap();
    let emptied = format!("{}{}", &first[..begin], &first[end..]);
    assert_eq!(patched(Some(&emptied), &all()).text, first);
}

#[test]
fn a_person_can_keep_a_rule_away_and_a_broken_block_is_left_alone() {
    let mut text = shapes()[0].1.clone();
    text.push_str("\n<!-- unfazed:ignore slow_restart -->\n");
    let new = patched(Some(&text), &all());
    assert_eq!(new.kept, [Kept::Ignored("slow_restart".to_owned())]);
    assert!(!new.text.contains("begin slow_restart"));
    let first = patched(Some(&shapes()[0].1), &all()).text;
    let mut broken = String::new();
    for line in first.lines().filter(|line| !line.contains("unfazed:end lost_work")) {
        writeln!(broken, "{line}").unwrap();
    }
    let again = patched(Some(&broken), &all());
    assert_eq!(again.kept, [Kept::Unclosed("lost_work".to_owned())]);
    assert_eq!(again.text, broken);
}

#[test]
fn nothing_to_suggest_is_an_empty_patch() {
    assert_eq!(patched(Some("# a\n"), &[]).diff, "");
    assert_eq!(patched(None, &[]).diff, "");
}
