//! The list of attempts to make unfazed kill wrongly, held to the tests that make them.

use std::collections::BTreeSet;
use std::path::Path;

/// Fewest attempts that the list holds.
const FEWEST: usize = 60;

struct Attempt {
    words: String,
    ending: String,
    file: String,
    test: String,
}

fn attempts() -> Vec<Attempt> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adversaries.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let [words, ending, place] = line.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("not three parts: {line}")
            };
            let (file, test) = place.split_once(' ').unwrap();
            Attempt {
                words: words.to_owned(),
                ending: ending.to_owned(),
                file: file.to_owned(),
                test: test.to_owned(),
            }
        })
        .collect()
}

#[test]
fn every_attempt_is_made_by_a_test_that_runs() {
    let attempts = attempts();
    assert!(attempts.len() >= FEWEST, "{}", attempts.len());
    let mut seen = BTreeSet::new();
    for Attempt { words, ending, file, test } in &attempts {
        assert!(["refused", "malformed", "failed", "spared"].contains(&ending.as_str()), "{words}");
        assert!(seen.insert(words), "listed twice: {words}");
        assert!(seen.insert(test), "one test is counted twice: {test}");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place =
            if file.starts_with("src/") { root.join(file) } else { root.join("tests").join(file) };
        let source =
            std::fs::read_to_string(&place).unwrap_or_else(|error| panic!("{file}: {error}"));
        let head = format!("fn {test}()");
        let at = source.find(&head).unwrap_or_else(|| panic!("{file} has no test {test}"));
        let above: Vec<&str> = source[..at].lines().rev().take(4).collect();
        assert!(above.iter().any(|line| line.trim() == "#[test]"), "{test} is no test");
        assert!(!above.iter().any(|line| line.contains("ignore")), "{test} is ignored");
    }
}
