//! The exposition reader against the formats' own test cases and against what real exporters answer.
//!
//! These files are not ours and are not in the repository: they are looked for in `UNFAZED_SHARED_DATA`, else in
//! `../shared/data` beside the project. Where they are absent the tests say so and check nothing.

use std::fs;
use std::path::{Path, PathBuf};

use unfazed::source::metrics::exposition::{Dialect, Dump, Rules, lenient, read_dump};
use unfazed::unit::Timestamp;

fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("UNFAZED_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let found = root.join(folder);
    if !found.is_dir() {
        println!("NOT CHECKED: {} is absent; set UNFAZED_SHARED_DATA", found.display());
        return None;
    }
    Some(found)
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(text: &str, dialect: Dialect, rules: Rules) -> Result<Dump, String> {
    read_dump(text, dialect, rules, Timestamp::from_milliseconds(0))
        .map_err(|error| error.to_string())
}

#[test]
fn every_case_of_openmetrics_gets_the_official_verdict() {
    let Some(cases) = shared("openmetrics-tests/tests/testdata/parsers") else { return };
    let mut differences = Vec::new();
    let mut count = 0;
    for folder in fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()) {
        let about: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.join("test.json")).unwrap()).unwrap();
        assert_eq!(about["type"], "text", "{}", folder.display());
        let bytes = fs::read(folder.join("metrics")).unwrap();
        let read = std::str::from_utf8(&bytes)
            .map_err(|error| error.to_string())
            .and_then(|text| read(text, Dialect::OpenMetrics, Rules::Official));
        if read.is_ok() != about["shouldParse"].as_bool().unwrap() {
            differences.push(format!("{}: {:?}", folder.display(), read.err()));
        }
        count += 1;
    }
    assert!(count > 200, "{count} cases");
    assert!(differences.is_empty(), "of {count}: {differences:#?}");
}

#[test]
fn every_case_of_the_text_format_gets_the_official_verdict() {
    let Some(cases) = shared("expo-prometheus-common/expfmt/fuzz/corpus") else { return };
    let mut differences = Vec::new();
    for path in files_below(&cases) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let read = read(&text, Dialect::Text, Rules::Official);
        if read.is_ok() == name.contains("error") {
            differences.push(format!("{name}: {:?}", read.err()));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

/// What real exporters answer, by both rules, and beside prometheus-parse.
#[test]
fn what_exporters_answer_is_read_and_prometheus_parse_finds_no_other_samples() {
    let folders = [
        "expo-node_exporter/collector/fixtures",
        "expo-cadvisor/lib",
        "expo-prometheus-common/expfmt/testdata/text",
    ];
    let mut count = 0;
    for folder in folders {
        let Some(root) = shared(folder.trim_end_matches("/text")) else { return };
        let files =
            if folder.ends_with("/text") { vec![root.join("text")] } else { files_below(&root) };
        for path in files {
            let name = path.display().to_string();
            let text = fs::read_to_string(&path).unwrap();
            if !text.starts_with("# HELP") {
                continue;
            }
            count += 1;
            let dump = read(&text, Dialect::Text, Rules::Official)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let again = read(&text, Dialect::Text, Rules::Scrape).unwrap();
            assert_eq!(dump.series.len(), again.series.len(), "{name}");
            compare_with_prometheus_parse(&text, &dump, &name);
        }
    }
    assert!(count > 20, "{count} files");
}

/// prometheus-parse splits label values at commas, equal signs and braces, leaves escapes as they are, and takes blanks
/// between tokens for parts of names: lines with such labels are left out of the comparison.
fn compare_with_prometheus_parse(text: &str, dump: &Dump, name: &str) {
    let is_simple = |line: &str| {
        let Some((labels, _)) = line.rsplit_once('}') else { return true };
        let labels = labels.split_once('{').map_or("", |(_, labels)| labels);
        let values: String = labels.split('"').skip(1).step_by(2).collect();
        let between: String = labels.split('"').step_by(2).collect();
        !values.contains([',', '=', '}', '\\'])
            && !labels.contains("=\"\"")
            && !between.contains(' ')
    };
    let simple: String =
        text.lines().filter(|line| is_simple(line)).map(|line| format!("{line}\n")).collect();
    for sample in lenient::read(&simple, Timestamp::from_milliseconds(0)).samples {
        // Bounds were numbers in between: 0.5 may have been written as 5e-1.
        if sample.metric.ends_with("_bucket") || !sample.labels.get("quantile").is_empty() {
            continue;
        }
        let series = dump
            .series
            .get(&(sample.metric.clone(), sample.labels.clone()))
            .unwrap_or_else(|| panic!("{name}: {} {}", sample.metric, sample.labels));
        assert!(
            series.values.iter().any(|value| value.to_bits() == sample.value.to_bits()
                || (value.is_nan() && sample.value.is_nan())),
            "{name}: {} {}: {:?} {}",
            sample.metric,
            sample.labels,
            series.values,
            sample.value
        );
    }
}
