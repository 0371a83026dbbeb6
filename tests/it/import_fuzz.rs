//! Damaged results of other tools: no importer panics, none takes long, and every refusal says why.
//!
//! Starts from our own cases and damages them by a seeded generator. 200 damaged inputs by default;
//! `UNFAZED_FUZZ_SECONDS=600 cargo test --test it import_fuzz` goes on for ten minutes and says with which seed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::damage::{Random, damage, seeds};
use unfazed::run::RunRecord;
use unfazed::source::chaos::{ImportError, ImportOptions, Importer, InputFile, REGISTRY, import};

/// Damaged inputs when nobody asks for more.
const MUTATIONS: u64 = 200;

/// One input: the files of a case and the format that they are of.
struct Case {
    format: &'static str,
    files: Vec<InputFile>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for importer in &REGISTRY {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/import").join(importer.name);
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_none_or(|extension| extension != "expected"));
        paths.sort();
        cases
            .extend(paths.iter().map(|path| Case { format: importer.name, files: files_of(path) }));
    }
    cases
}

fn files_of(path: &Path) -> Vec<InputFile> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        paths = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
    }
    let file = |path: &PathBuf| InputFile {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes: fs::read(path).unwrap(),
    };
    paths.iter().map(file).collect()
}

/// Imports a damaged input with its own importer and with another one.
fn try_one(seed: u64, cases: &[Case]) {
    let mut random = Random(seed);
    let case = &cases[random.below(cases.len())];
    let other = &cases[random.below(cases.len())];
    let mut files = case.files.clone();
    for file in &mut files {
        damage(&mut file.bytes, &other.files[0].bytes, &mut random);
    }
    let length: usize = files.iter().map(|file| file.bytes.len()).sum();
    let own = Importer::named(case.format).unwrap();
    for importer in [own, &REGISTRY[random.below(REGISTRY.len())]] {
        let start = Instant::now();
        match import(importer, &files, &ImportOptions::default()) {
            Ok(imported) => {
                let again = RunRecord::parse(&imported.record.to_json());
                assert_eq!(again.as_ref(), Ok(&imported.record), "seed {seed}");
            }
            Err(ImportError::Inconsistent(error)) => panic!("seed {seed}: {error}"),
            Err(error) => assert!(error.to_string().len() > 20, "seed {seed}: {error}"),
        }
        // Two seconds a megabyte, and as much again for a machine that does other work.
        let most = Duration::from_secs(5 + 10 * (length >> 20) as u64);
        assert!(start.elapsed() < most, "seed {seed}: {:?} for {length} bytes", start.elapsed());
    }
}

#[test]
fn damaged_results_are_imported_or_refused_with_a_reason() {
    let cases = cases();
    seeds(MUTATIONS, |seed| try_one(seed, &cases));
}

/// Texts that would cost more than their length if anything searched, nested or compared without a bound.
#[test]
fn hostile_texts_take_bounded_time() {
    let kills: String =
        (0..4_000).map(|n| format!("2026-01-01T00:00:00Z,kill {n},v{n}\n")).collect();
    let long: String =
        (0..4_000).map(|n| format!("{},kill {n},{}\n", 1_700_000_000 + n, 1_800_000_000)).collect();
    for (format, text) in [
        ("krkn", format!("\"scenarios\"\n{}", "{\"a\n".repeat(40_000))),
        ("krkn", format!("\"scenarios\"\n{}", "{\"a\":[1,2],\n \"b\":\n".repeat(15_000))),
        ("krkn", format!("\"scenarios\"\n{}", "x:{}\n".repeat(40_000))),
        ("krkn", format!("{{\"a\":[{}", "{\"x\":\"True \\\"q\\\"\",\"z\":True},".repeat(6_000))),
        ("litmus", "Name:   x\nKind:   ChaosResult\n".repeat(6_000)),
        ("litmus", format!("Name:   x\nKind:   y\n{}", "  A: b\n".repeat(20_000))),
        ("chaos-mesh", "---\napiVersion: x\n".repeat(6_000)),
        ("events", format!("time,name,verdict\n{kills}")),
        ("events", format!("time,name,end\n{long}")),
        ("events", "[".repeat(200_000)),
    ] {
        let importer = Importer::named(format).unwrap();
        let files = [InputFile { name: "hostile".to_owned(), bytes: text.into_bytes() }];
        let start = Instant::now();
        let _ = import(importer, &files, &ImportOptions::default());
        let head = String::from_utf8_lossy(&files[0].bytes[..40]).into_owned();
        // A loaded machine may take many times what an idle one does; quadratic work takes minutes.
        assert!(start.elapsed() < Duration::from_secs(20), "{head:?}: {:?}", start.elapsed());
    }
}
