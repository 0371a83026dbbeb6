//! Raw samples are one row per request: no request is lost because another one came in the same millisecond.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use unfazed::app::analyze::{Inputs, analyze};
use unfazed::verdict::result::{AnalysisResult, MetricResult};

const RUN: &str = r#"{"schema": "unfazed.run/v1", "run_id": "r", "experiment": "e", "experiment_digest": null,
 "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:02:00Z", "iterations": [
  {"index": 1, "arm": "fault", "baseline": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"},
   "fault": {"at": "2026-01-01T00:01:00Z", "until": null, "outcome": "killed", "targets": []},
   "experiment": {"start": "2026-01-01T00:01:00Z", "end": "2026-01-01T00:02:00Z"}}], "events": []}"#;

const EXPERIMENT: &str = "apiVersion: unfazed/v1
kind: Experiment
metadata: {name: e, owner: o}
spec:
  hypothesis: Requests stay fast.
  environment: test
  windows: {baseline: 1m, experiment: 1m}
  metrics:
    - {name: latency, samples: d, quantile: 0.5, unit: ms, expect: {at_most: 200, for: this_run}}
    - {name: as-gauge, gauge: d, reduce: max}
";

/// The midnight at which the recording starts, in milliseconds.
const START: i64 = 1_767_225_600_000;

/// Times from [`START`] and values.
fn write(directory: &Path, parts: &[Vec<(i64, f64)>]) {
    fs::create_dir_all(directory.join("samples")).unwrap();
    fs::write(directory.join("experiment.yaml"), EXPERIMENT).unwrap();
    fs::write(directory.join("run.json"), RUN).unwrap();
    for (at, rows) in parts.iter().enumerate() {
        let mut text = "metric,labels,timestamp,value\n".to_owned();
        for (time, value) in rows {
            let time = START + time;
            writeln!(text, "d,,{}.{:03},{value}", time / 1000, time % 1000).unwrap();
        }
        fs::write(directory.join(format!("samples/{at}.csv")), text).unwrap();
    }
}

fn analyzed(directory: &Path) -> AnalysisResult {
    analyze(&Inputs { paths: vec![directory.to_owned()], run: None, events: Vec::new(), seed: 0 })
        .unwrap()
}

/// Two requests a second, the second of which may share the first one's millisecond.
fn requests(apart: i64, slow: f64) -> Vec<(i64, f64)> {
    (0..120).flat_map(|at| [(at * 1000, 100.0), (at * 1000 + apart, slow)]).collect()
}

fn measured(metric: &MetricResult) -> f64 {
    metric.iterations[0].experiment.unwrap()
}

#[test]
fn requests_that_share_a_millisecond_all_count() {
    let directory = tempfile::tempdir().unwrap();
    for (name, apart) in [("apart", 1), ("together", 0)] {
        let here = directory.path().join(name);
        write(&here, &[requests(apart, 300.0)]);
        let result = analyzed(&here);
        // The median of 60 values of 100 and 60 of 300; of the greatest alone it would be 300.
        assert!((measured(&result.metrics[0]) - 200.0).abs() < 1e-9, "{name}");
        let equal = directory.path().join(format!("{name}-equal"));
        let mut rows = requests(apart, 300.0);
        rows.extend(requests(apart, 300.0).into_iter().filter(|row| row.1 > 200.0));
        write(&equal, &[rows]);
        assert!(
            (measured(&analyzed(&equal).metrics[0]) - 300.0).abs() < 1e-9,
            "{name}: equal rows"
        );
    }
}

#[test]
fn a_gauge_of_the_same_name_still_keeps_one_value_a_time_and_warns() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[requests(0, 300.0)]);
    let result = analyzed(directory.path());
    assert!((measured(&result.metrics[1]) - 300.0).abs() < 1e-9);
    let codes = |metric: &MetricResult| -> Vec<String> {
        metric.warnings.iter().map(|warning| warning.code.clone()).collect()
    };
    assert_eq!(codes(&result.metrics[1]), ["conflicting_duplicates"]);
    assert!(!codes(&result.metrics[0]).contains(&"conflicting_duplicates".to_owned()));
}

#[test]
fn order_and_files_of_requests_do_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let rows: Vec<(i64, f64)> =
        (0..600_i32).map(|at| (i64::from(at / 5) * 1000, f64::from(at * 7919 % 601))).collect();
    let one = directory.path().join("one");
    write(&one, std::slice::from_ref(&rows));
    let mut reversed = rows.clone();
    reversed.reverse();
    let many = directory.path().join("many");
    let parts: Vec<Vec<(i64, f64)>> =
        (0..3).map(|part| reversed.iter().copied().skip(part).step_by(3).collect()).collect();
    write(&many, &parts);
    assert_eq!(analyzed(&one), analyzed(&many));
}
