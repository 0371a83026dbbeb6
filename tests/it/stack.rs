//! From files to `result.json`: small recordings whose every number is computed by hand, and the fields of the
//! result's contract one by one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use unfazed::unit::Timestamp;

use crate::cmd::unfazed;
use crate::determinism::session;

/// 2026-11-23T08:00:00Z, from which all seconds below count.
const START: i64 = 1_795_420_800;

/// A recording in the making.
struct Room {
    directory: tempfile::TempDir,
    samples: String,
    iterations: Vec<Value>,
}

fn at(second: i64) -> String {
    Timestamp::from_milliseconds((START + second) * 1000).to_string()
}

/// A number as the result holds it: equal up to the last bits of the arithmetic.
fn near(found: &Value, expected: f64) -> bool {
    found.as_f64().is_some_and(|found| (found - expected).abs() <= 1e-9 * expected.abs().max(1.0))
}

impl Room {
    fn new() -> Self {
        let samples = "metric,labels,timestamp,value\n".to_owned();
        Self { directory: tempfile::tempdir().unwrap(), samples, iterations: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn sample(&mut self, metric: &str, labels: &str, second: i64, value: f64) {
        let labels = labels.replace('"', "\"\"");
        writeln!(self.samples, "\"{metric}\",\"{labels}\",{},{value}", START + second).unwrap();
    }

    /// A sample every ten seconds from `from` on.
    fn series(
        &mut self,
        metric: &str,
        labels: &str,
        from: i64,
        values: impl IntoIterator<Item = f64>,
    ) {
        for (second, value) in (from..).step_by(10).zip(values) {
            if !value.is_nan() {
                self.sample(metric, labels, second, value);
            }
        }
    }

    /// One minute of baseline from `start` on, a fault, one minute of experiment.
    fn iteration(&mut self, start: i64, outcome: &str) -> &mut Value {
        let index = self.iterations.len() + 1;
        let is_control = outcome == "control";
        let fault = json!({"at": at(start + 60), "until": null, "outcome": outcome,
            "targets": [{"kind": "process", "name": "shop", "id": "42"}]});
        self.iterations.push(json!({
            "index": index,
            "arm": if is_control { "control" } else { "fault" },
            "baseline": {"start": at(start), "end": at(start + 60)},
            "fault": if is_control { Value::Null } else { fault },
            "experiment": {"start": at(start + 60), "end": at(start + 120)},
            "detected_at": null, "remediated_at": null, "recovered_at": null, "aborted": null,
        }));
        self.iterations.last_mut().unwrap()
    }

    /// Analyses the recording with the metrics and further keys of `spec`.
    fn result(&self, spec: &str) -> Value {
        let head = "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {name: shop, owner: me, ticket: CHG-1}\n\
            spec:\n  hypothesis: h\n  environment: staging\n  windows: {baseline: 60s, experiment: 60s, cooldown: 1s}\n";
        fs::write(self.path().join("experiment.yaml"), format!("{head}{spec}")).unwrap();
        let run = json!({"schema": "unfazed.run/v1", "run_id": "shop-1", "experiment": "shop",
            "experiment_digest": null, "started_at": at(-20), "ended_at": at(100_000),
            "origin": {"tool": "unfazed", "file": null}, "iterations": self.iterations, "events": []});
        fs::write(self.path().join("run.json"), run.to_string()).unwrap();
        fs::write(self.path().join("samples.csv"), &self.samples).unwrap();
        analyzed(self.path(), &["."])
    }
}

fn analyzed(room: &Path, recordings: &[&str]) -> Value {
    let mut arguments = vec!["analyze".to_owned()];
    arguments.extend(recordings.iter().map(|path| (*path).to_owned()));
    arguments.extend(["-o", "out", "--exit-zero"].map(str::to_owned));
    let output = unfazed(room, &arguments, &[], "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_str(&fs::read_to_string(room.join("out/result.json")).unwrap()).unwrap()
}

fn metric<'result>(result: &'result Value, name: &str) -> &'result Value {
    let metrics = result["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

/// One kill in which every kind of metric has samples.
fn every_kind() -> Room {
    let mut room = Room::new();
    room.iteration(0, "killed");
    for s in (-20..=130).step_by(10) {
        let second = f64::from(i32::try_from(s).unwrap());
        let from = |start: i64, amount: f64| if s >= start { amount } else { 0.0 };
        room.sample("requests_total", "", s, (second + 20.0) * 100.0);
        // Six errors between 20 s and 30 s, thirty between 80 s and 90 s.
        room.sample("errors_total", "", s, from(30, 6.0) + from(90, 30.0));
        // Every ten seconds 100 requests: 50 under 0.1 s, 90 under 0.2 s; after the kill only 60 under 0.2 s.
        let tens = (second + 20.0) / 10.0;
        let slow = f64::max(second - 60.0, 0.0) / 10.0;
        room.sample("latency_seconds_bucket", r#"{le="0.1"}"#, s, 50.0 * tens);
        room.sample("latency_seconds_bucket", r#"{le="0.2"}"#, s, 90.0 * tens - 30.0 * slow);
        room.sample("latency_seconds_bucket", r#"{le="0.5"}"#, s, 100.0 * tens);
        room.sample("latency_seconds_bucket", r#"{le="+Inf"}"#, s, 100.0 * tens);
        room.sample("latency_seconds_count", "", s, 100.0 * tens);
        room.sample("accepted_total", "", s, 10.0 * (second + 20.0));
        // Five of those accepted from 100 s on are never settled.
        room.sample("settled_total", "", s, 10.0 * (second + 20.0) - from(100, 5.0));
        room.sample("sum(rate(x_total[1m]))", "", s, if s < 60 { 5.0 } else { 8.0 });
        room.sample("queue_depth", "", s, if s == 70 || s == 80 { 12.0 } else { 3.0 });
        room.sample("process_restarts_total", "", s, from(80, 1.0));
        if s == 80 || s == 90 {
            room.sample("ALERTS", r#"{alertname="ShopDown",alertstate="firing"}"#, s, 1.0);
        }
    }
    room.series("load", "", 0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 4.0, 6.0, 8.0, 10.0, 40.0]);
    // One more a second; restarts between 70 s and 80 s and has counted 5 by then. A second one is born at 80 s.
    let resets = [0., 10., 20., 30., 40., 50., 60., 70., 80., 90., 5., 15., 25., 35., 45., 55.];
    room.series("work_total", r#"{pod="a"}"#, -20, resets);
    room.series("work_total", r#"{pod="b"}"#, 80, [7.0, 17.0, 27.0, 37.0, 47.0, 57.0]);
    for (second, value) in
        [(5, 10.0), (17, 20.0), (18, 30.0), (40, 40.0), (59, 50.0), (61, 100.0), (99, 300.0)]
    {
        room.sample("request_ms", "", second, value);
    }
    room
}

const EVERY_KIND: &str = r"
  metrics:
    - {name: errors, ratio: {bad: errors_total, total: requests_total}, expect: {at_most: 1%, for: this_run}}
    - {name: successes, ratio: {bad: errors_total, total: requests_total}, worst: 20s}
    - {name: p95, histogram: latency_seconds, quantile: 0.95}
    - {name: p95-bound, histogram: latency_seconds, quantile: 0.95, expect: {at_most: 500ms, for: this_run}}
    - {name: load-mean, gauge: load}
    - {name: load-median, gauge: load, reduce: median}
    - {name: load-max, gauge: load, reduce: max}
    - {name: load-min, gauge: load, reduce: min}
    - {name: load-last, gauge: load, reduce: last}
    - {name: load-p90, gauge: load, reduce: {quantile: 0.9}}
    - {name: load-worst, gauge: load, worst: 20s, expect: {at_most: 20, for: this_run}}
    - {name: work, counter: work_total}
    - {name: request, samples: request_ms, quantile: 0.5, unit: ms}
    - {name: lost, balance: {in: accepted_total, out: settled_total}, expect: {at_most: 5, for: this_run}}
    - {name: custom, query: 'sum(rate(x_total[1m]))'}
    - {name: queue, gauge: queue_depth, reduce: max}
  recovery:
    signal: queue
    healthy: {at_most: 5}
    stable_for: 10s
    within: 30s
    detected_by: {alert: ShopDown}
    remediated_by: {counter_increase: process_restarts_total}
";

#[test]
fn every_kind_of_metric_has_the_value_computed_by_hand() {
    let result = every_kind().result(EVERY_KIND);
    for (name, baseline, experiment) in [
        ("errors", 6.0 / 6000.0, 30.0 / 6000.0),
        // The worst of three slices holds all bad requests among 2000.
        ("successes", 6.0 / 2000.0, 30.0 / 2000.0),
        // Rank 95 of 100 lies between 0.2 s (90, then 60) and 0.5 s (100).
        ("p95", 0.2 + 0.3 * 5.0 / 10.0, 0.2 + 0.3 * 35.0 / 40.0),
        ("load-mean", 21.0 / 6.0, 70.0 / 6.0),
        ("load-median", 3.5, 7.0),
        ("load-max", 6.0, 40.0),
        ("load-min", 1.0, 2.0),
        ("load-last", 6.0, 40.0),
        ("load-p90", 5.5, 25.0),
        ("load-worst", 5.5, 25.0),
        // Before: 60 in 60 s. After: 10 + 5 + 40 of the first, 47 of the second.
        ("work", 1.0, 102.0 / 60.0),
        ("request", 30.0, 200.0),
        ("custom", 5.0, 8.0),
        ("queue", 3.0, 12.0),
    ] {
        let iteration = &metric(&result, name)["iterations"][0];
        let values = (&iteration["baseline"], &iteration["experiment"]);
        assert!(near(values.0, baseline), "{name}: baseline {}, not {baseline}", values.0);
        assert!(near(values.1, experiment), "{name}: experiment {}, not {experiment}", values.1);
    }
    let lost = metric(&result, "lost");
    assert!(near(&lost["iterations"][0]["experiment"], 5.0), "{lost:#}");
    for (name, verdict) in
        [("errors", "pass"), ("p95-bound", "pass"), ("load-worst", "fail"), ("lost", "pass")]
    {
        assert_eq!(metric(&result, name)["verdict"], verdict, "{name}");
    }
    assert_eq!(metric(&result, "load-worst")["kills"]["worst"], json!({"index": 1, "value": 25.0}));
    assert_eq!(result["verdict"], "fail");
    let recovery = &result["recovery"];
    for (time, seconds) in [("detect", 20.0), ("remediate", 20.0), ("recover", 30.0)] {
        assert!(
            near(&recovery[time]["times"][0]["seconds"], seconds),
            "{time}: {:#}",
            recovery[time]
        );
        assert_eq!(recovery[time]["times"][0]["censored"], false);
        assert_eq!((&recovery[time]["n"], &recovery[time]["events"]), (&json!(1), &json!(1)));
        assert_eq!(recovery[time]["resolution_s"], json!(10.0), "{time}");
    }
    let within = &recovery["recover"]["within"];
    assert_eq!((&within["recovered"], &within["n"]), (&json!(1), &json!(1)));
    assert_eq!(recovery["verdict"], "inconclusive");
    assert_eq!(recovery["reasons"][0]["code"], "too_few_iterations");
}

/// Whether an object has all of these keys.
fn has_keys(value: &Value, keys: &str, place: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{place} is {value}"));
    for key in keys.split_whitespace() {
        assert!(object.contains_key(key), "{place} has no '{key}'");
    }
}

/// The fields of one metric of a result.
fn metric_has_all_fields(metric: &Value) {
    let name = metric["name"].as_str().unwrap();
    has_keys(
        metric,
        "name kind unit role estimand claim kills baseline experiment effect decision n verdict reasons \
         warnings gates iterations",
        name,
    );
    has_keys(&metric["baseline"], "estimate lower upper", name);
    has_keys(&metric["experiment"], "estimate lower upper", name);
    has_keys(
        &metric["gates"]
            .as_array()
            .unwrap()
            .first()
            .cloned()
            .unwrap_or(json!({"name": 0, "value": 0, "threshold": 0, "outcome": 0})),
        "name value threshold outcome",
        name,
    );
    has_keys(
        &metric["iterations"][0],
        "index session arm baseline experiment coverage inside",
        name,
    );
    if metric["role"] == "exploratory" {
        for key in ["verdict", "claim", "decision", "estimand"] {
            assert_eq!(metric[key], Value::Null, "{name}: {key}");
        }
        return;
    }
    assert_eq!(metric["role"], "primary");
    has_keys(&metric["claim"], "form bound relative text", name);
    has_keys(&metric["kills"], "inside outside unknown worst proven_share", name);
    has_keys(
        &metric["decision"],
        "quantity lower upper bound method p_pass p_fail p_fail_holm attained_level",
        name,
    );
    if !metric["effect"].is_null() {
        has_keys(&metric["effect"], "form estimate lower upper level", name);
    }
}

#[test]
fn every_field_of_the_contract_is_there() {
    let result = every_kind().result(EVERY_KIND);
    has_keys(
        &result,
        "schema tool experiment run_id sessions seed confidence verdict headline reasons iterations metrics \
         recovery timeline warnings",
        "result",
    );
    has_keys(&result["tool"], "name version", "tool");
    has_keys(
        &result["experiment"],
        "name owner ticket hypothesis environment digest",
        "experiment",
    );
    has_keys(&result["iterations"], "planned fault control usable excluded", "iterations");
    has_keys(&result["reasons"][0], "code metric message iterations_needed", "reason");
    for metric in result["metrics"].as_array().unwrap() {
        metric_has_all_fields(metric);
    }
    let recovery = &result["recovery"];
    has_keys(recovery, "verdict reasons detect remediate recover", "recovery");
    for time in ["detect", "remediate", "recover"] {
        has_keys(
            &recovery[time],
            "n events censored median_s median_lower_s median_upper_s rmst_s rmst_tau_s resolution_s times",
            time,
        );
        has_keys(&recovery[time]["times"][0], "index seconds censored", time);
    }
    has_keys(&recovery["recover"], "never_departed relapses within", "recover");
    has_keys(
        &recovery["recover"]["within"],
        "deadline_s recovered n share lower upper required_share method",
        "within",
    );
    has_keys(&result["timeline"], "metrics windows events", "timeline");
    let point = &result["timeline"]["metrics"][0]["points"][0];
    assert_eq!(point.as_array().map(Vec::len), Some(4), "{point}");
}

#[test]
fn without_a_recovery_section_recovery_is_null() {
    let metrics = EVERY_KIND.split("  recovery:").next().unwrap();
    let result = every_kind().result(metrics);
    assert!(result.as_object().unwrap().contains_key("recovery"));
    assert_eq!(result["recovery"], Value::Null);
}

#[test]
fn what_happened_before_the_kill_excludes_and_what_happened_after_never_does() {
    let mut room = Room::new();
    for (number, outcome) in
        ["killed", "dry_run", "killed", "killed", "control", "refused", "killed"].iter().enumerate()
    {
        room.iteration(200 * i64::try_from(number).unwrap(), outcome);
    }
    room.iterations[2]["aborted"] = json!({"at": at(200 * 2 + 90), "rule": "errors above 1 %"});
    for s in (-20..1400).step_by(10) {
        // No samples in the baseline of the fourth, none after the kill in the seventh.
        let missing = (600..655).contains(&s) || (1265..1325).contains(&s);
        if !missing {
            room.sample("load", "", s, 4.0);
        }
    }
    let result = room.result(
        "  iterations: {fault: 9, control: 2}\n  metrics:\n    - {name: load, gauge: load, expect: {at_most: 5, for: this_run}}\n",
    );
    let counts = &result["iterations"];
    assert_eq!(
        *counts,
        json!({"planned": 9, "fault": 6, "control": 1, "usable": 3, "excluded": [
            {"index": 2, "reason": "not_injected"},
            {"index": 4, "reason": "baseline_missing"},
            {"index": 6, "reason": "not_injected"}]}),
        "{counts:#}"
    );
    let load = metric(&result, "load");
    assert_eq!(load["n"], 3);
    assert_eq!(load["kills"]["inside"], 1, "{:#}", load["kills"]);
    assert_eq!(load["kills"]["unknown"], 2, "{:#}", load["kills"]);
    assert_eq!(load["verdict"], "inconclusive");
    let codes: Vec<&str> = load["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"aborted") && codes.contains(&"missing_data"), "{codes:?}");
    let rows = load["iterations"].as_array().unwrap();
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[4]["arm"], "control");
    assert_eq!(rows[6]["experiment"], Value::Null);
    assert_eq!(rows[6]["inside"], Value::Null);
}

#[test]
fn without_a_claim_nothing_is_decided() {
    let mut room = Room::new();
    room.iteration(0, "killed");
    room.series("load", "", 0, [1.0; 13]);
    let result = room.result("  metrics:\n    - {name: load, gauge: load}\n");
    assert_eq!(result["verdict"], "inconclusive");
    assert_eq!(result["reasons"][0]["code"], "no_claims");
    assert_eq!(result["reasons"][0]["metric"], Value::Null);
}

#[test]
fn given_times_win_over_signals() {
    let mut room = every_kind();
    room.iterations[0]["detected_at"] = json!(at(65));
    room.iterations[0]["recovered_at"] = json!(at(72));
    let result = room.result(EVERY_KIND);
    assert!(near(&result["recovery"]["detect"]["times"][0]["seconds"], 5.0));
    assert!(near(&result["recovery"]["recover"]["times"][0]["seconds"], 12.0));
    assert!(near(&result["recovery"]["remediate"]["times"][0]["seconds"], 20.0));
}

fn warning_codes(result: &Value) -> Vec<&str> {
    result["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}

#[test]
fn two_recordings_are_one_campaign_of_two_sessions() {
    let room = tempfile::tempdir().unwrap();
    session(room.path(), "monday", 23);
    session(room.path(), "tuesday", 24);
    let one = analyzed(room.path(), &["monday"]);
    assert_eq!(warning_codes(&one), ["single_session"]);
    let both = analyzed(room.path(), &["tuesday", "monday"]);
    assert_eq!(both["sessions"], 2);
    assert_eq!(both["run_id"], "shop-kill-monday+shop-kill-tuesday");
    assert_eq!(warning_codes(&both), Vec::<&str>::new());
    let counts = &both["iterations"];
    assert_eq!(
        (&counts["fault"], &counts["control"], &counts["usable"]),
        (&json!(4), &json!(2), &json!(4))
    );
    let rows: Vec<(u64, u64, &str)> = metric(&both, "errors")["iterations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let number = |key: &str| row[key].as_u64().unwrap();
            (number("index"), number("session"), row["arm"].as_str().unwrap())
        })
        .collect();
    let expected = [
        (1, 1, "fault"),
        (2, 1, "control"),
        (3, 1, "fault"),
        (4, 2, "fault"),
        (5, 2, "control"),
        (6, 2, "fault"),
    ];
    assert_eq!(rows, expected);
    let events: Vec<&Value> = both["timeline"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["iteration"])
        .collect();
    assert_eq!(events, [&json!(1), &json!(4)]);
}

#[test]
fn a_document_that_changed_between_sessions_is_warned_of() {
    let room = tempfile::tempdir().unwrap();
    session(room.path(), "monday", 23);
    let later = session(room.path(), "tuesday", 24).join("experiment.yaml");
    let text = fs::read_to_string(&later).unwrap();
    fs::write(&later, text.replace("at_most: 1%", "at_most: 2%")).unwrap();
    let result = analyzed(room.path(), &["tuesday", "monday"]);
    assert_eq!(warning_codes(&result), ["experiment_changed"]);
    // The claim of the earliest session stands.
    assert_eq!(metric(&result, "errors")["claim"]["bound"], 0.01);
}
