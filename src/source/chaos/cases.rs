//! The cases under `tests/cases/import`, the real samples beside the repository, and hostile bytes.
//!
//! A case is a file or a folder `tests/cases/import/<format>/<case>`; what must come out stands beside it as
//! `<case>.expected`: the warnings and the record, or the error. `UNFAZED_BLESS=1` writes what came out, to be read
//! before it is committed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::run::{Outcome, RunRecord};
use crate::unit::Timestamp;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of real samples, if it is there.
fn shared(folder: &str) -> Option<PathBuf> {
    let base = std::env::var_os("UNFAZED_SHARED_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    // A worktree lies one level deeper than the repository.
    let found = [base.join(folder), root().join("../../shared/data").join(folder)]
        .into_iter()
        .find(|path| path.is_dir());
    if found.is_none() {
        eprintln!(
            "real samples are absent: {} is not there; nothing was checked",
            base.join(folder).display()
        );
    }
    found
}

/// The input files of a case, named by their last part.
fn inputs(path: &Path) -> Vec<InputFile> {
    let mut paths = vec![path.to_path_buf()];
    if path.is_dir() {
        paths = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
    }
    paths
        .into_iter()
        .map(|path| InputFile {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            bytes: fs::read(&path).unwrap(),
        })
        .collect()
}

fn run_case(format: &str, files: &[InputFile]) -> Result<Imported, ImportError> {
    import(Importer::named(format)?, files, &ImportOptions::default())
}

/// What a case shows: warnings, hypothesis and record, or the error.
fn shown(result: &Result<Imported, ImportError>) -> String {
    let mut text = String::new();
    match result {
        Ok(imported) => {
            for warning in &imported.warnings {
                writeln!(text, "warning {}: {}", warning.code, warning.message).unwrap();
            }
            if let Some(stated) = &imported.hypothesis {
                writeln!(text, "hypothesis: {} | {}", stated.title, stated.checks.join(" | "))
                    .unwrap();
            }
            text.push_str(&imported.record.to_json());
        }
        Err(error) => writeln!(text, "error: {error}").unwrap(),
    }
    text
}

/// All cases as (format, path).
fn cases() -> Vec<(String, PathBuf)> {
    let mut cases = Vec::new();
    for importer in &REGISTRY {
        let folder = root().join("tests/cases/import").join(importer.name);
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}: every format has cases", folder.display()))
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_none_or(|extension| extension != "expected"))
            .collect();
        paths.sort();
        cases.extend(paths.into_iter().map(|path| (importer.name.to_owned(), path)));
    }
    cases
}

#[test]
fn every_case_comes_out_as_expected() {
    let bless = std::env::var_os("UNFAZED_BLESS").is_some();
    let mut differing = Vec::new();
    for (format, path) in cases() {
        let result = run_case(&format, &inputs(&path));
        let shown = shown(&result);
        let expected_path = path.with_extension("expected");
        if bless {
            fs::write(&expected_path, &shown).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if expected != shown {
            differing.push(format!("--- {}\n{shown}", path.display()));
        }
        if let Ok(imported) = &result {
            let again = RunRecord::parse(&imported.record.to_json()).unwrap();
            assert_eq!(again, imported.record, "{}", path.display());
            for secret in ["hunter2", "AKIAIOSFODNN7EXAMPLE"] {
                assert!(!shown.contains(secret), "{}: a secret is in the record", path.display());
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    for (format, path) in cases().into_iter().filter(|(_, path)| path.is_dir()) {
        let files = inputs(&path);
        let backwards: Vec<InputFile> = files.iter().rev().cloned().collect();
        let one = run_case(&format, &files).map(|imported| imported.record);
        let other = run_case(&format, &backwards).map(|imported| imported.record);
        assert_eq!(one.is_ok(), other.is_ok(), "{}", path.display());
        if let (Ok(one), Ok(other)) = (one, other) {
            assert_eq!(one.run_id, other.run_id, "{}", path.display());
            assert_eq!(one.iterations, other.iterations, "{}", path.display());
        }
    }
}

#[test]
fn a_file_of_another_tool_is_named() {
    for (format, path) in cases() {
        let files = inputs(&path);
        if run_case(&format, &files).is_err() {
            continue;
        }
        for importer in REGISTRY.iter().filter(|importer| importer.name != format) {
            match import(importer, &files, &ImportOptions::default()) {
                Err(ImportError::WrongKind { hint, .. }) => {
                    assert!(
                        hint.contains(&format!("unfazed import {format}"))
                            || hint.is_empty()
                            || path.is_dir(),
                        "{} for {}: {hint}",
                        path.display(),
                        importer.name
                    );
                }
                other => panic!("{} was taken by {}: {other:?}", path.display(), importer.name),
            }
        }
    }
}

#[test]
fn every_format_has_its_draft() {
    for (format, path) in cases() {
        if let Ok(imported) = run_case(&format, &inputs(&path)) {
            let draft = experiment_yaml(&imported);
            let read = crate::spec::Experiment::parse("experiment.yaml", draft.as_bytes());
            assert!(read.is_ok(), "{}: {read:?}\n{draft}", path.display());
            let substance =
                draft.lines().filter(|line| !line.trim_start().starts_with('#')).count();
            assert!(substance <= 20, "{substance} lines");
        }
    }
}

/// Checks one real sample.
fn real(format: &str, folder: &str, file: &str) -> Option<Result<Imported, ImportError>> {
    let path = shared(folder)?.join(file);
    let name = file.to_owned();
    Some(run_case(format, &[InputFile { name, bytes: fs::read(path).unwrap() }]))
}

fn fault(imported: &Imported) -> (String, Option<String>, Outcome, String) {
    let fault = imported.record.iterations[0].fault.as_ref().unwrap();
    let target = fault
        .targets
        .first()
        .map_or_else(String::new, |target| format!("{} {}", target.kind, target.name));
    (fault.at.to_string(), fault.until.as_ref().map(Timestamp::to_string), fault.outcome, target)
}

#[test]
fn real_chaos_toolkit_journals_come_out_right() {
    let read = |file: &str| real("chaostoolkit", "ctk-journals", file).map(Result::unwrap);
    let Some(killed) = read("mdrcs/journal.json") else { return };
    let expected = (
        "2020-06-05T09:13:58.127Z".to_owned(),
        Some("2020-06-05T09:13:58.167Z".to_owned()),
        Outcome::Killed,
        "pod run=frontend".to_owned(),
    );
    assert_eq!(fault(&killed), expected);
    assert_eq!(killed.record.origin.as_ref().unwrap().verdict.as_deref(), Some("deviated"));
    let stopped = read("kgruszka/chaos/journal.json").unwrap();
    assert_eq!(fault(&stopped).0, "2020-10-08T00:43:22.744Z");
    assert_eq!(fault(&stopped).1.as_deref(), Some("2020-10-08T00:43:26.748Z"));
    assert_eq!(fault(&stopped).3, "command docker stop jokes-api");
    let interrupted = read("ansible1/journal.json").unwrap();
    assert_eq!(fault(&interrupted).2, Outcome::Failed);
    assert!(interrupted.record.iterations[0].aborted.is_some());
    let process = read("ansible1/chaostoolkit_ansible/json/journal.json").unwrap();
    assert_eq!(fault(&process).3, "process sshd");
    assert_eq!(fault(&process).2, Outcome::Killed);
    assert_eq!(fault(&read("ansible2/journal.json").unwrap()).0, "2021-02-20T20:03:13.827Z");
    let definition =
        real("chaostoolkit", "ctk-journals", "kgruszka/chaos/experiment.json").unwrap();
    assert!(definition.unwrap_err().to_string().contains("a Chaos Toolkit experiment"));
}

#[test]
fn real_fis_answers_come_out_right() {
    let read = |file: &str| real("aws-fis", "aws-fis-examples", file);
    let Some(completed) = read("fis-get-experiment-004.json") else { return };
    let (at, until, outcome, target) = fault(&completed.unwrap());
    assert_eq!(at, "2021-03-22T17:01:49.962Z");
    assert_eq!(until.as_deref(), Some("2021-03-22T17:02:02.307Z"));
    assert_eq!(
        (outcome, target.as_str()),
        (Outcome::Killed, "aws:ec2:instance i-12a3b4c56d78e9012")
    );
    let stopping = read("fis-stop-experiment-010.json").unwrap().unwrap();
    assert_eq!(fault(&stopping).2, Outcome::Failed);
    assert!(stopping.record.iterations[0].aborted.is_some());
    for (file, expected) in [
        ("fis-start-experiment-009.json", "still 'initiating'"),
        ("fis-create-experiment-template-001.json", "experiment template"),
        ("fis-delete-experiment-template-002.json", "experiment template"),
        ("fis-update-experiment-template-011.json", "experiment template"),
        ("fis-list-experiment-templates-006.json", "list of AWS FIS experiment templates"),
        ("fis-list-experiments-007.json", "list of AWS FIS experiments"),
        ("fis-list-actions-005.json", "description of AWS FIS actions"),
        ("fis-get-action-003.json", "description of AWS FIS actions"),
        ("fis-list-tags-for-resource-008.json", "unknown tool"),
    ] {
        let error = read(file).unwrap().unwrap_err().to_string();
        assert!(error.contains(expected), "{file}: {error}");
    }
}

#[test]
fn real_krkn_pages_come_out_right() {
    let folder = "krkn-docs-telemetry";
    let Some(read) = real("krkn", folder, "content/en/docs/krkn/telemetry.md") else { return };
    let (at, until, outcome, target) = fault(&read.unwrap());
    assert_eq!(at, "2025-04-22T17:35:38Z");
    assert_eq!(until.as_deref(), Some("2025-04-22T17:41:23Z"));
    assert_eq!(
        (outcome, target.as_str()),
        (Outcome::Killed, "selector node-role.kubernetes.io/master")
    );
    for page in ["krkn/elastic.md", "scenarios/pod-scenarios/_index.md"] {
        let error = real("krkn", folder, &format!("content/en/docs/{page}")).unwrap().unwrap_err();
        assert!(error.to_string().contains("Markdown"), "{error}");
    }
    let report = real("krkn", folder, "content/en/docs/krkn/resiliency-score.md").unwrap();
    assert!(report.unwrap_err().to_string().contains("no scenario ran"));
}

#[test]
fn real_litmus_pages_are_refused_with_the_reason() {
    let Some(folder) = shared("litmus-docs-results") else { return };
    let page = folder.join(
        "mkdocs/docs/experiments/concepts/chaos-resources/chaos-result/probe-specification.md",
    );
    let text = fs::read_to_string(page).unwrap();
    let whole = InputFile { name: "page.md".to_owned(), bytes: text.clone().into_bytes() };
    let error = run_case("litmus", &[whole]).unwrap_err().to_string();
    assert!(error.contains("Markdown"), "{error}");
    let start = text.find("Name:         engine-nginx-pod-delete").unwrap();
    let block = text[start..].split("```").next().unwrap();
    let result = InputFile { name: "result.txt".to_owned(), bytes: block.as_bytes().to_vec() };
    let error = run_case("litmus", std::slice::from_ref(&result)).unwrap_err().to_string();
    assert!(error.contains("holds no times"), "{error}");
    let metrics = "litmuschaos_experiment_start_time{chaosresult_name=\"engine-nginx-pod-delete\"} 1.632922139e+09\nlitmuschaos_experiment_chaos_injected_time{chaosresult_name=\"engine-nginx-pod-delete\"} 1.632922150e+09\nlitmuschaos_experiment_end_time{chaosresult_name=\"engine-nginx-pod-delete\"} 1.632922190e+09\n";
    let metrics = InputFile { name: "metrics".to_owned(), bytes: metrics.as_bytes().to_vec() };
    let imported = run_case("litmus", &[result, metrics]).unwrap();
    assert_eq!(fault(&imported).0, "2021-09-29T13:29:10Z");
    assert_eq!(fault(&imported).3, "deployment hello");
    assert_eq!(imported.record.origin.as_ref().unwrap().verdict.as_deref(), Some("Pass"));
    assert_eq!(imported.hypothesis.unwrap().checks.len(), 3);
}

#[test]
fn a_real_fault_list_comes_out_whole() {
    let Some(read) = real("events", "nezha", "rca_data/2023-01-29/2023-01-29-fault_list.json")
    else {
        return;
    };
    let imported = read.unwrap();
    assert!(imported.record.iterations.len() > 10);
    assert_eq!(imported.record.iterations[0].reference().to_string(), "2023-01-29T00:44:04Z");
}

/// The bytes of all cases: what mutations start from.
fn seeds() -> Vec<(String, Vec<InputFile>)> {
    cases().into_iter().map(|(format, path)| (format, inputs(&path))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_panic_and_always_say_why(
        which in any::<prop::sample::Index>(),
        importer in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        swap in prop::sample::select(vec!["", "null", "0", "-1", "1e308", "[]", "{}", "\"\"", "true", "\"9999-99-99\"", "[[[[[[[["]),
        truncate in any::<bool>(),
    ) {
        let seeds = seeds();
        let (format, files) = which.get(&seeds);
        let mut files = files.clone();
        for file in &mut files {
            let mut bytes = file.bytes.clone();
            for (at, byte) in &flips {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            if !swap.is_empty() {
                bytes = swapped(&bytes, cut.index(bytes.len() + 1), swap);
            } else if truncate {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            file.bytes = bytes;
        }
        let own = Importer::named(format).unwrap();
        for importer in [own, importer.get(&REGISTRY)] {
            match import(importer, &files, &ImportOptions::default()) {
                Ok(imported) => prop_assert!(RunRecord::parse(&imported.record.to_json()).is_ok()),
                Err(ImportError::Inconsistent(error)) => prop_assert!(false, "{error}"),
                Err(error) => prop_assert!(error.to_string().len() > 20),
            }
        }
    }
}

/// The bytes with the JSON value after the first colon at or after `from` replaced.
fn swapped(bytes: &[u8], from: usize, value: &str) -> Vec<u8> {
    let Some(colon) = bytes.iter().skip(from).position(|byte| *byte == b':') else {
        return bytes.to_vec();
    };
    let start = from + colon + 1;
    let end = bytes[start..]
        .iter()
        .position(|byte| matches!(byte, b',' | b'\n' | b'}'))
        .map_or(bytes.len(), |offset| start + offset);
    [&bytes[..start], value.as_bytes(), &bytes[end..]].concat()
}
