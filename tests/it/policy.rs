//! Policy documents: what is accepted, and in which words the rest is refused.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use unfazed::spec::Policy;

fn documents(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/policy").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    paths.sort();
    paths
}

/// Problems, then warnings, as the file beside a document holds them.
fn findings(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut lines = String::new();
    let warnings = match Policy::check(name, &std::fs::read(path).unwrap()) {
        Ok(checked) => checked.warnings,
        Err(problems) => {
            writeln!(lines, "{problems}").unwrap();
            problems.warnings().to_vec()
        }
    };
    for warning in warnings {
        writeln!(lines, "warning: {}", warning.in_file(name)).unwrap();
    }
    lines
}

/// Compares with the file beside each document; `UNFAZED_UPDATE_CASES=1` writes the files anew, for review.
fn hold(folder: &str) {
    let mut differing = Vec::new();
    for path in documents(folder) {
        let (found, beside) = (findings(&path), path.with_extension("problems"));
        if std::env::var_os("UNFAZED_UPDATE_CASES").is_some() {
            if found.is_empty() {
                let _ = std::fs::remove_file(&beside);
            } else {
                std::fs::write(&beside, &found).unwrap();
            }
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            differing.push(format!("{}: expected\n{expected}found\n{found}", path.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn good_policies_are_accepted_with_the_warnings_beside_them() {
    for path in documents("good") {
        let read = Policy::parse("", &std::fs::read(&path).unwrap());
        assert!(read.is_ok(), "{}: {}", path.display(), read.unwrap_err());
    }
    hold("good");
}

#[test]
fn bad_policies_are_refused_with_exactly_the_problems_beside_them() {
    for path in documents("bad") {
        assert!(Policy::parse("", &std::fs::read(&path).unwrap()).is_err(), "{}", path.display());
    }
    hold("bad");
}

#[test]
fn a_policy_that_is_too_large_or_too_deep_is_refused_before_it_is_read() {
    let large = vec![b' '; (1 << 20) + 1];
    assert!(Policy::parse("", &large).unwrap_err().to_string().contains("1 MiB"));
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert!(Policy::parse("", deep.as_bytes()).unwrap_err().to_string().contains("64"));
}

#[test]
fn a_policy_cut_anywhere_is_read_or_refused_with_a_reason() {
    for path in documents("good") {
        let bytes = std::fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            if let Err(problems) = Policy::parse("cut", &bytes[..end]) {
                assert!(!problems.problems().is_empty());
            }
        }
    }
}
