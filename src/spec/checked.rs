//! A document that has passed all checks, with what is worth knowing about it.
//!
//! The entrance to the walk: bytes in, [`Checked`] or [`Problems`] out.

use sha2::{Digest, Sha256};

use crate::spec::experiment::Experiment;
use crate::spec::problem::{Findings, Problem, Problems};
use crate::spec::walk::document;
use crate::spec::yaml;

/// A checked Experiment with the warnings of its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The experiment.
    pub experiment: Experiment,
    /// What should be known but refuses nothing, sorted by place.
    pub warnings: Vec<Problem>,
}

impl Experiment {
    /// Reads an Experiment document, YAML or JSON, and checks everything that can be wrong with it.
    ///
    /// `file_name` only stands before the problems. Warnings are dropped; [`Experiment::check`] keeps them.
    ///
    /// # Errors
    /// [`Problems`] holds every problem of the document at once.
    ///
    /// ```
    /// use unfazed::spec::Experiment;
    /// let problems = Experiment::parse("e.yaml", b"kind: Experimnt").unwrap_err();
    /// let first = problems.problems().iter().find(|problem| problem.path == "kind").unwrap();
    /// assert!(first.message.ends_with("did you mean 'Experiment'?"));
    /// ```
    pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Self, Problems> {
        Self::check(file_name, bytes).map(|checked| checked.experiment)
    }

    /// Reads an Experiment document like [`Experiment::parse`] and keeps the warnings.
    ///
    /// # Errors
    /// [`Problems`] holds every problem of the document at once, and the warnings found beside them.
    pub fn check(file_name: &str, bytes: &[u8]) -> Result<Checked, Problems> {
        let refused = |text: &str, problem: Problem| {
            let mut findings = Findings::default();
            findings.refuse(problem);
            Problems::new(file_name, text.to_owned(), findings)
        };
        let text = yaml::text_of(bytes).map_err(|problem| refused("", problem))?;
        let document = yaml::parse(text).map_err(|problem| refused(text, problem))?;
        let mut findings = Findings { problems: document.problems, warnings: Vec::new() };
        match document::read(&document.root, digest(bytes), &mut findings) {
            Some(experiment) => Ok(Checked { experiment, warnings: findings.sorted().warnings }),
            None => Err(Problems::new(file_name, text.to_owned(), findings)),
        }
    }
}

/// The digest of a document: `sha256:` and the hexadecimal SHA-256 of its bytes.
fn digest(bytes: &[u8]) -> String {
    let hexadecimal: String =
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::{Path, PathBuf};

    use super::*;

    fn documents(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/spec").join(folder);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end != "problems"))
            .collect();
        paths.sort();
        paths
    }

    /// The findings as the file beside a document holds them: problems, then warnings.
    fn findings(name: &str, bytes: &[u8]) -> String {
        let mut lines = String::new();
        let warnings = match Experiment::check(name, bytes) {
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
    fn hold(folder: &str) -> usize {
        let mut differing = Vec::new();
        let paths = documents(folder);
        for path in &paths {
            let name = path.file_name().unwrap().to_str().unwrap();
            let found = findings(name, &std::fs::read(path).unwrap());
            let beside = path.with_extension("problems");
            if std::env::var_os("UNFAZED_UPDATE_CASES").is_some() {
                std::fs::write(&beside, &found).unwrap();
            }
            let expected = std::fs::read_to_string(&beside).unwrap_or_default();
            if found != expected {
                differing.push(format!("{name}: expected\n{expected}found\n{found}"));
            }
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
        paths.len()
    }

    #[test]
    fn good_documents_are_accepted_with_the_warnings_beside_them() {
        for path in documents("good") {
            let name = path.display().to_string();
            let read = Experiment::parse(&name, &std::fs::read(&path).unwrap());
            assert!(read.is_ok(), "{}", read.unwrap_err());
        }
        hold("good");
    }

    #[test]
    fn bad_documents_are_refused_with_exactly_the_problems_beside_them() {
        for path in documents("bad") {
            let bytes = std::fs::read(&path).unwrap();
            assert!(Experiment::parse("", &bytes).is_err(), "{} is accepted", path.display());
        }
        hold("bad");
    }
}
