//! `unfazed import` of load tools, dumps, tables and logs: what comes out of each of our own cases, through the command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use unfazed::frame::{Frame, Wanted};
use unfazed::source::metrics::Recording;

fn case(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/load").join(path)
}

fn unfazed(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unfazed")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Imports a case into a fresh recording.
struct Imported {
    directory: tempfile::TempDir,
    said: String,
}

fn import(format: &str, file: &str, more: &[&str]) -> Imported {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("recording");
    let file = case(file);
    let mut arguments =
        vec!["import", format, file.to_str().unwrap(), "-o", output.to_str().unwrap()];
    arguments.extend(more);
    let done = unfazed(&arguments);
    assert_eq!(done.status.code(), Some(0), "{format} {}: {}", file.display(), said(&done));
    Imported { said: said(&done), directory }
}

fn refused(format: &str, file: &Path, more: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("recording");
    let mut arguments =
        vec!["import", format, file.to_str().unwrap(), "-o", output.to_str().unwrap()];
    arguments.extend(more);
    let done = unfazed(&arguments);
    assert_eq!(done.status.code(), Some(2), "{format}: {}", said(&done));
    assert!(!output.exists(), "nothing is written");
    said(&done)
}

impl Imported {
    fn path(&self) -> PathBuf {
        self.directory.path().join("recording")
    }

    fn rows(&self, metric: &str) -> Frame {
        Recording::open(&self.path()).unwrap().frame(Wanted::every_row(metric)).unwrap()
    }

    fn series(&self, metric: &str) -> Frame {
        Recording::open(&self.path()).unwrap().frame(metric).unwrap()
    }

    /// Requests by outcome: how much the counter went up.
    fn requests(&self) -> BTreeMap<String, f64> {
        let mut counted = BTreeMap::new();
        for series in self.series("http_reqs_total").series {
            let increase = series.values.last().unwrap() - series.values.first().unwrap();
            *counted.entry(series.labels.get("outcome").to_owned()).or_default() += increase;
        }
        counted
    }

    fn durations(&self) -> Vec<f64> {
        let mut all: Vec<f64> =
            self.rows("http_req_duration").series.into_iter().flat_map(|it| it.values).collect();
        all.sort_by(f64::total_cmp);
        all
    }
}

fn counts(ok: f64, error: f64) -> BTreeMap<String, f64> {
    [("ok".to_owned(), ok), ("error".to_owned(), error)].into()
}

#[test]
fn k6_lines_and_csv_become_rows_counters_and_gauges() {
    for file in ["k6/points.json", "k6/points.csv"] {
        let imported = import("k6", file, &[]);
        assert_eq!(imported.requests(), counts(18.0, 2.0), "{file}");
        let durations = imported.durations();
        assert_eq!((durations.len(), durations[0], durations[19]), (20, 100.5, 119.5), "{file}");
        let own = imported.series("http_reqs");
        let total: f64 = own.series.iter().map(|it| it.values.last().unwrap()).sum();
        assert_eq!(total, 20.0, "{file}");
        assert!(own.series.iter().all(|it| it.labels.get("url").is_empty()));
        let failed = imported.series("http_req_failed_total");
        let ones = failed.series.iter().find(|it| it.labels.get("value") == "1").unwrap();
        assert_eq!(ones.values.last(), Some(&2.0), "a one is a failure");
        assert_eq!(imported.rows("cart_size").series[0].values, [3.0]);
    }
    assert_eq!(import("k6", "k6/points.json", &[]).series("vus").series[0].values[0], 5.0);
    assert!(
        import("k6", "k6/points.csv", &[])
            .said
            .contains("kind_assumed: nothing says what kind of metric cart_size")
    );
}

#[test]
fn thresholds_of_k6_are_read_right_whoever_wrote_them() {
    for file in ["k6/summary.json", "k6/legacy.json"] {
        let imported = import("k6", file, &[]);
        assert!(imported.said.contains("summary_only"), "{}", imported.said);
        assert!(imported.said.contains("http_req_duration p(95)<200 held"), "{}", imported.said);
        assert!(
            imported.said.contains("http_req_failed rate<0.01 was crossed"),
            "{}",
            imported.said
        );
        let held = imported.series("k6_threshold_held");
        let value = |metric: &str| {
            held.series.iter().find(|it| it.labels.get("metric") == metric).unwrap().values[0]
        };
        assert_eq!((value("http_req_duration"), value("http_req_failed")), (1.0, 0.0), "{file}");
    }
    let machine = import("k6", "k6/machine.json", &[]);
    let summary = machine.series("http_req_duration_summary");
    let p95 = summary.series.iter().find(|it| it.labels.get("stat") == "p(95)").unwrap();
    assert_eq!((p95.values[0], p95.times[0]), (118.5, 1_795_428_010_000), "at its own time");
}

#[test]
fn jmeter_counts_each_request_once() {
    for (file, durations) in [
        ("jmeter/header.jtl", vec![80.0, 120.0, 150.0, 300.0]),
        ("jmeter/plain.jtl", vec![80.0, 120.0, 150.0, 300.0]),
        ("jmeter/results.xml", vec![120.0, 150.0, 300.0]),
    ] {
        let imported = import("jmeter", file, &[]);
        assert_eq!(imported.durations(), durations, "{file}");
        let ok = u32::try_from(durations.len()).unwrap() - 1;
        assert_eq!(imported.requests(), counts(f64::from(ok), 1.0), "{file}");
        assert_eq!(imported.rows("transaction_duration").series[0].values, [550.0], "{file}");
    }
    let imported = import("jmeter", "jmeter/header.jtl", &[]);
    assert!(imported.said.contains("of 7 rows 4 are requests"), "{}", imported.said);
    let rows = imported.rows("http_req_duration");
    let pay = rows.series.iter().find(|it| it.labels.get("name") == "Pay").unwrap();
    assert_eq!(pay.times, [1_795_428_000_550], "a row stands at the end of its request");
    assert_eq!(pay.labels.get("status"), "503");
}

#[test]
fn locust_totals_become_counters_and_aggregates_count_once() {
    for file in ["locust/run_stats_history.csv", "locust/full_stats_history.csv"] {
        let imported = import("locust", file, &[]);
        assert_eq!(imported.requests(), counts(46.0, 4.0), "{file}");
        let quantiles = imported.series("locust_response_milliseconds");
        let p95 = quantiles.series.iter().find(|it| it.labels.get("quantile") == "0.95").unwrap();
        assert_eq!((p95.values.len(), p95.values[0]), (5, 9.0), "N/A is no number");
        assert_eq!(imported.series("vus").series[0].values, [0.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
    }
}

#[test]
fn offsets_of_hey_and_oha_begin_at_the_start_that_was_given() {
    for format in ["hey", "oha"] {
        let file = format!("{format}/out.csv");
        let imported = import(format, &file, &["--start", "2026-11-23T10:00:00Z"]);
        assert_eq!(imported.requests(), counts(7.0, 1.0), "{format}");
        let rows = imported.rows("http_req_duration");
        let failed = rows.series.iter().find(|it| it.labels.get("outcome") == "error").unwrap();
        assert_eq!(
            failed.times,
            [1_795_428_001_330],
            "{format}: 1.2 s after the start, 0.13 s long"
        );
        assert!((failed.values[0] - 130.0).abs() < 1e-9);
        assert!(import(format, &file, &[]).said.contains("time_of_file"));
    }
}

#[test]
fn vegeta_is_read_as_json_and_csv_without_secrets_of_addresses() {
    for file in ["vegeta/results.json", "vegeta/results.csv"] {
        let imported = import("vegeta", file, &[]);
        assert_eq!(imported.requests(), counts(7.0, 1.0), "{file}");
        let rows = imported.rows("http_req_duration");
        assert!(
            rows.series.iter().all(|it| it.labels.get("name") == "http://shop/pay"),
            "{rows:?}"
        );
        assert_eq!(rows.series[0].values[0], 123.456_789);
    }
}

#[test]
fn dumps_take_their_time_from_their_names_and_exemplars_become_events() {
    let imported = import("exposition", "exposition", &[]);
    let queue = imported.series("queue_depth");
    assert_eq!(queue.series[0].times, [1_795_428_000_000, 1_795_428_005_000, 1_795_428_010_000]);
    assert_eq!(queue.series[0].values, [3.0, 4.0, 5.0]);
    let imported = import("openmetrics", "openmetrics/history.txt", &[]);
    assert_eq!(imported.series("pay_seconds_bucket").series.len(), 2);
    let events = std::fs::read_to_string(imported.path().join("events.jsonl")).unwrap();
    assert!(
        events.contains("\"kind\":\"trace\"") && events.contains("\"correlation_id\":\"4bf92f\""),
        "{events}"
    );
}

#[test]
fn answers_of_servers_are_read_and_series_without_a_name_get_one() {
    let imported = import("query-range", "query-range/answer.json", &["--metric", "sum(x)"]);
    assert_eq!(imported.series("up").series[0].values, [1.0, 0.0, 1.0]);
    let answer = imported.series("sum(x)");
    assert_eq!(answer.series[0].values[0], 4.5);
    assert!(answer.series[0].values[1].is_nan());
    assert!(imported.said.contains("server_warning"), "{}", imported.said);
    assert_eq!(
        import("query-range", "query-range/export.json", &[]).series("up").series[0].times.len(),
        3
    );
}

#[test]
fn tables_are_read_by_their_declared_columns() {
    let wide = import(
        "table",
        "table/wide.csv",
        &["--columns", "time=when,value=cpu usage %+memory,labels=host"],
    );
    let cpu = wide.series("cpu_usage__");
    assert_eq!(cpu.series.len(), 2);
    assert_eq!(cpu.series[0].values, [12.5], "an empty cell is a gap");
    assert!(wide.said.contains("empty_cells"), "{}", wide.said);
    let long = import("table", "table/long.csv", &["--columns", "time=ts,value=value,metric=name"]);
    assert_eq!(long.series("queue").series[0].values, [3.0, 4.0]);
    // Our own samples are a Parquet table like any other.
    let parquet = long.path().join("samples.parquet");
    let again = tempfile::tempdir().unwrap();
    let output = again.path().join("r");
    let done = unfazed(&[
        "import",
        "table",
        parquet.to_str().unwrap(),
        "-o",
        output.to_str().unwrap(),
        "--columns",
        "time=timestamp,value=value,metric=metric",
    ]);
    assert!(done.status.success(), "{}", said(&done));
    let again = Recording::open(&output).unwrap();
    assert_eq!(again.frame("queue").unwrap().series, long.series("queue").series);
}

#[test]
fn what_holds_no_samples_is_refused_with_what_to_export_instead() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for (format, text, expected) in [
        ("wrk", "Running 30s test @ http://shop\n", "k6, oha, vegeta, hey, JMeter"),
        ("hey", "\nSummary:\n  Total: 1 s\n", "-o csv"),
        ("oha", "{\"summary\": {}}", "--output-format csv"),
        ("vegeta", "Requests      [total, rate]\n", "vegeta encode"),
        ("vegeta", "\u{1}\u{2}gob", "vegeta encode"),
        ("locust", "Type,Name,Request Count,Failure Count\nGET,/,1,0\n", "_stats_history.csv"),
        ("jmeter", "a,b\n1,2\n", "a JTL file"),
        ("jmeter", "<html></html>", "a JTL file"),
        ("k6", "hello", "--out json=FILE"),
        ("k6", "{\"metric\": 1}", "--out json=FILE"),
        (
            "query-range",
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse\"}",
            "bad_data parse",
        ),
        (
            "query-range",
            "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
            "not one sample",
        ),
        ("exposition", "a{b=c} 1\n", "line 1"),
        ("table", "a,b\n1,2\n", "--columns"),
        ("events-log", "plain\n", "JSON lines"),
    ] {
        let text = refused(format, &file(format, text), &[]);
        assert!(text.contains(expected), "{format}: {text}");
    }
    let missing = unfazed(&[
        "import",
        "k6",
        "nowhere.json",
        "-o",
        directory.path().join("x").to_str().unwrap(),
    ]);
    assert_eq!(missing.status.code(), Some(4), "{}", said(&missing));
    let unknown = unfazed(&["import", "gatling", "x", "-o", "y"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        said(&unknown).contains("jmeter") && said(&unknown).contains("krkn"),
        "{}",
        said(&unknown)
    );
}

#[test]
fn samples_are_added_beside_others_only_when_asked_for_and_never_twice() {
    let imported = import("exposition", "exposition", &[]);
    let output = imported.path();
    let load = case("k6/points.json");
    let once = |more: &[&str]| {
        let mut arguments =
            vec!["import", "k6", load.to_str().unwrap(), "-o", output.to_str().unwrap()];
        arguments.extend(more);
        unfazed(&arguments)
    };
    let refused = once(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("--add"), "{}", said(&refused));
    assert!(once(&["--add"]).status.success());
    assert_eq!(imported.durations().len(), 20);
    assert_eq!(imported.series("queue_depth").series[0].values.len(), 3);
    let again = once(&["--add"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).contains("count twice"), "{}", said(&again));
}

/// A recording with one kill whose logs and traces lie beside it.
#[test]
fn logs_and_traces_stand_on_the_timeline_of_the_report() {
    let directory = tempfile::tempdir().unwrap();
    let recording = directory.path().join("recording");
    std::fs::create_dir(&recording).unwrap();
    let write = |name: &str, text: &str| std::fs::write(recording.join(name), text).unwrap();
    write(
        "experiment.yaml",
        "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {name: traced, owner: me}\nspec:\n  hypothesis: The queue stays short.\n  environment: test\n  windows: {baseline: 1m, experiment: 1m}\n  metrics:\n    - name: queue\n      gauge: queue_depth\n      expect: {at_most: 50, for: this_run}\n",
    );
    write(
        "run.json",
        r#"{"schema":"unfazed.run/v1","run_id":"r","experiment":"traced","started_at":"2026-11-23T10:00:00Z","iterations":[
        {"index":1,"arm":"fault","baseline":{"start":"2026-11-23T10:00:00Z","end":"2026-11-23T10:01:00Z"},
         "fault":{"at":"2026-11-23T10:01:00Z","outcome":"killed"},
         "experiment":{"start":"2026-11-23T10:01:00Z","end":"2026-11-23T10:02:00Z"}}]}"#,
    );
    let samples: String =
        (0..=24).map(|at| format!("queue_depth,,{},3\n", 1_795_428_000 + at * 5)).collect();
    write("samples.csv", &format!("metric,labels,timestamp,value\n{samples}"));
    let (traces, log) = (case("exemplars/answer.json"), case("events-log/app.log"));
    let recorded = recording.to_str().unwrap();
    for _ in 0..2 {
        let done = unfazed(&["import", "exemplars", traces.to_str().unwrap(), "-o", recorded]);
        assert!(done.status.success(), "{}", said(&done));
    }
    let out = directory.path().join("out");
    let done = unfazed(&[
        "analyze",
        recorded,
        "--events",
        log.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        "--exit-zero",
    ]);
    assert!(done.status.success(), "{}", said(&done));
    let result: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("result.json")).unwrap()).unwrap();
    let events = result["timeline"]["events"].as_array().unwrap();
    let told: Vec<(&str, &str, u64)> = events
        .iter()
        .map(|it| {
            (
                it["kind"].as_str().unwrap(),
                it["correlation_id"].as_str().unwrap_or(""),
                it["iteration"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("trace", "4bf92f", 1), ("log", "c-17", 1), ("log", "4bf92f", 1)],
        "{events:?}"
    );
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("worker 3 lost") && html.contains("c-17"));
}
