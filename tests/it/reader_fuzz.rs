//! Damaged texts: no reader panics, hangs or believes more than is there, and every refusal says why.
//!
//! Starts from our own cases and damages them by a seeded generator; a failure names its seed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use unfazed::run::RunRecord;
use unfazed::source::events;
use unfazed::source::metrics::exposition::{Dialect, Rules, lenient, read_dump};
use unfazed::source::metrics::load::{LoadFormat, LoadInput, LoadOptions, TableColumns};
use unfazed::source::metrics::prometheus::{decode_answer, decode_export};
use unfazed::spec::{Experiment, Selector};
use unfazed::unit::{Labels, Timestamp};

use crate::damage::{Random, damage, seeds};

/// Damaged inputs of each reader when nobody asks for more.
const FEW: u64 = 150;

/// What the two formats allow, for want of real pages in the repository.
const PAGES: [&str; 4] = [
    "# HELP a_total counts\n# TYPE a_total counter\na_total{x=\"1\",y=\"\\\"\\\\\\n\"} 3 1700000000000\na_total 4.5e-3\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 0.75\nh_count 2\n# TYPE s summary\ns{quantile=\"0.5\"} NaN\n",
    "# TYPE a counter\n# UNIT a_seconds seconds\n# HELP a text \\n more\na_total{x=\"ü # }\"} 1 1.5 # {trace_id=\"4bf9\"} 0.5 1.25\na_created 1.5\n# TYPE g gaugehistogram\ng_bucket{le=\"-1\"} 1\ng_bucket{le=\"+Inf\"} 2\ng_gcount 2\ng_gsum -1\n# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE s stateset\ns{s=\"on\"} 1\n# EOF\n",
    "{\"dotted.name\",\"label.x\"=\"1\"} 3\n# TYPE \"dotted.other\" gauge\n{\"dotted.other\"} +Inf\n",
    "a 1 # {} 1\n# EOF\n",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder of the tests or data sets.
fn corpus(folder: &str) -> Vec<Vec<u8>> {
    fn below(path: &Path, found: &mut Vec<PathBuf>) {
        if path.is_file() {
            found.push(path.to_owned());
        } else if let Ok(entries) = fs::read_dir(path) {
            entries.flatten().for_each(|entry| below(&entry.path(), found));
        }
    }
    let mut paths = Vec::new();
    below(&root().join(folder), &mut paths);
    paths.sort();
    let files: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| fs::read(path).unwrap())
        .filter(|bytes| bytes.len() < 1 << 18)
        .collect();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

fn pages() -> Vec<Vec<u8>> {
    let mut pages: Vec<Vec<u8>> = PAGES.iter().map(|page| page.as_bytes().to_vec()).collect();
    pages.extend(corpus("tests/cases/load/exposition"));
    pages.extend(corpus("tests/cases/load/openmetrics"));
    pages
}

/// Hands damaged inputs to a reader.
fn fuzz(corpus: &[Vec<u8>], mut read: impl FnMut(u64, &[u8])) {
    seeds(FEW, |seed| {
        let mut random = Random(seed);
        let mut bytes = corpus[random.below(corpus.len())].clone();
        let other = &corpus[random.below(corpus.len())];
        damage(&mut bytes, other, &mut random);
        let start = Instant::now();
        read(seed, &bytes);
        // Two seconds a megabyte and as much again: a loaded machine may take many times what an idle one does.
        let most = Duration::from_secs(5 + 10 * (bytes.len() >> 20) as u64);
        assert!(start.elapsed() < most, "seed {seed}: {:?}", start.elapsed());
    });
}

#[test]
fn pages_are_read_or_refused_with_a_line_and_a_scrape_reads_all_that_is_official() {
    let at = Timestamp::from_milliseconds(0);
    fuzz(&pages(), |seed, bytes| {
        let text = String::from_utf8_lossy(bytes);
        for dialect in [Dialect::Text, Dialect::OpenMetrics] {
            let scraped = read_dump(&text, dialect, Rules::Scrape, at);
            match read_dump(&text, dialect, Rules::Official, at) {
                // As text, because NaN equals nothing.
                Ok(official) => {
                    let scraped = scraped.as_ref();
                    assert_eq!(
                        Ok(format!("{official:?}")),
                        scraped.map(|it| format!("{it:?}")),
                        "seed {seed}"
                    );
                }
                Err(error) => {
                    assert!(error.line() <= text.lines().count() + 1, "seed {seed}: {error}");
                    assert!(error.to_string().contains("accepted is"), "seed {seed}: {error}");
                }
            }
            for (metric, labels) in scraped.iter().flat_map(|dump| dump.series.keys()) {
                assert!(!metric.is_empty(), "seed {seed}");
                let again = Labels::parse(&labels.to_string());
                // Quoted names of labels have no notation in recordings of their own.
                let is_plain = labels.iter().all(|(name, _)| {
                    name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
                });
                assert!(!is_plain || again.as_ref() == Ok(labels), "seed {seed}: {labels}");
            }
        }
        let _ = lenient::read(&text, at);
    });
}

#[test]
fn answers_of_servers_are_decoded_or_refused() {
    let mut answers = corpus("tests/cases/load/query-range");
    answers.push(br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"h"},"histograms":[[1.5,{"count":"3","sum":"4","buckets":[[0,"0.5","1","2"],[3,"-0.1","0.1","1"]]}]]}]},"warnings":["w"],"infos":[]}"#.to_vec());
    answers.push(br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#.to_vec());
    fuzz(&answers, |_, bytes| {
        let _ = decode_answer(bytes, &mut |_| Ok(()));
        let _ = decode_export(bytes, &mut |_| Ok(()));
    });
}

#[test]
fn logs_and_exemplars_are_read_or_refused() {
    let mut logs = corpus("tests/cases/load/events-log");
    logs.extend(corpus("tests/cases/load/exemplars"));
    fuzz(&logs, |_, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = events::read_log("log", &text, None);
        let _ = events::read_exemplars(bytes);
    });
}

#[test]
fn documents_and_run_records_are_read_or_refused() {
    let mut documents = corpus("datasets/payment-worker-kill/experiment.yaml");
    documents.extend(corpus("datasets/payment-worker-three-kills/run.json"));
    fuzz(&documents, |seed, bytes| {
        if let Err(problems) = Experiment::check("fuzzed.yaml", bytes) {
            assert!(!problems.problems().is_empty(), "seed {seed}");
        }
        if let Ok(record) = RunRecord::read(bytes) {
            assert_eq!(RunRecord::parse(&record.to_json()).as_ref(), Ok(&record), "seed {seed}");
        }
    });
}

#[test]
fn selectors_and_labels_are_read_or_refused() {
    let texts: Vec<Vec<u8>> = [
        "http_requests_total{code=~\"5..\",job!=\"a\\\"b\"}",
        "{__name__=\"x\",le=\"0.5\"}",
        "{a=\"1\",b=\"ü\\n\"}",
        "x{a!~\".*\"}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    fuzz(&texts, |seed, bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(selector) = Selector::parse(&text) {
            let again = Selector::parse(&selector.to_string());
            assert!(again.is_ok_and(|again| again == selector), "seed {seed}: {selector}");
        }
        let _ = Labels::parse(&text);
    });
}

/// Files of a load tool, damaged.
fn fuzz_load(format: &str, columns: Option<&str>) {
    let corpus = corpus(&format!("tests/cases/load/{format}"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("1795428000.txt");
    let format = LoadFormat::named(format).unwrap();
    let options = LoadOptions {
        columns: columns.map(|text| TableColumns::parse(text).unwrap()),
        ..LoadOptions::default()
    };
    fuzz(&corpus, |seed, bytes| {
        fs::write(&path, bytes).unwrap();
        match format.load(&[LoadInput { path: path.clone() }], &options) {
            Err(error) => assert!(error.to_string().len() > 20, "seed {seed}: {error}"),
            Ok(set) => {
                let Ok(frames) = set.into_frames() else { return };
                for frame in frames.iter().filter(|frame| frame.metric == "http_reqs_total") {
                    for series in &frame.series {
                        assert!(series.times.is_sorted(), "seed {seed}");
                    }
                }
            }
        }
    });
}

#[test]
fn k6_is_read_or_refused() {
    fuzz_load("k6", None);
}

#[test]
fn jmeter_is_read_or_refused() {
    fuzz_load("jmeter", None);
}

#[test]
fn locust_is_read_or_refused() {
    fuzz_load("locust", None);
}

#[test]
fn hey_and_oha_are_read_or_refused() {
    fuzz_load("hey", None);
    fuzz_load("oha", None);
}

#[test]
fn vegeta_is_read_or_refused() {
    fuzz_load("vegeta", None);
}

#[test]
fn tables_are_read_or_refused() {
    fuzz_load("table", Some("time=ts,value=value,metric=name"));
}
