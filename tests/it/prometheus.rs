//! The same samples in Prometheus, in VictoriaMetrics and in a recording give the same numbers.

use std::fs;
use std::path::Path;

use unfazed::unit::Labels;

use crate::prometheus_servers::{
    Data, data_of, datasets, document_asking, numbers_of, prometheus, prometheus_with, unfazed,
    victoria_metrics, write_csv,
};

/// Where the made data begin: a whole multiple of every step.
const BEGIN: i64 = 1_700_000_000_000;
const STEP: i64 = 5000;
const MINUTE: i64 = 60_000;
/// A baseline and an experiment window of five minutes, and a minute until the next.
const ITERATION: i64 = 11 * MINUTE;
const ITERATIONS: i64 = 4;

const DOCUMENT: &str = r#"apiVersion: unfazed/v1
kind: Experiment
metadata: {name: traps, owner: payments-sre}
spec:
  hypothesis: Restarts, births and gaps are counted the same wherever the samples come from.
  environment: staging
  windows: {baseline: 5m, experiment: 5m}
  metrics:
    - name: errors
      ratio: {bad: 'payments_total{outcome="error"}', total: 'payments_total'}
      min_requests: 10
      expect: {at_most: 10%}
    - name: p90
      histogram: 'payment_seconds{job="payment"}'
      quantile: 0.9
      expect: {at_most: 500ms}
    - name: queue
      gauge: queue_depth
      reduce: max
      expect: {increase_at_most: 40%, or_by: 20}
    - name: queue-mean
      gauge: 'queue_depth{queue=~"x|y"}'
      across: max
    - name: cpu
      counter: worker_cpu_seconds_total
    - name: lost
      balance: {in: accepted_total, out: settled_total}
      expect: {at_most: 5, for: this_run}
    - name: client
      samples: http_req_duration
      quantile: 0.99
      unit: ms
    - name: asked
      query: queue_depth
      reduce: mean
    - name: computed
      query: sum(accepted_total) - sum(settled_total)
      reduce: max
  recovery:
    signal: queue
    healthy: {increase_at_most: 20%, or_by: 5}
    stable_for: 20s
    within: 2m
    detected_by: {alert: QueueLong}
    remediated_by: {counter_increase: restarts_total}
"#;

/// A number from 0 to 535 that looks like chance and is the same every time.
fn chance(key: i64) -> i64 {
    let mixed = key.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x2545_F491_4F6C_DD1D).unsigned_abs();
    i64::try_from(mixed.rotate_right(40) & 0x217).unwrap()
}

fn number(value: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let value = value as f64;
    value
}

/// A service with two workers: one is killed in every iteration, starts again from 0 and is not scraped meanwhile; a third
/// is born in the second iteration.
pub(crate) fn data() -> Data {
    let mut data = Data::new();
    let end = ITERATIONS * ITERATION + 2 * MINUTE;
    let mut add = |metric: &str, labels: &str, at: i64, value: f64| {
        let key = (metric.to_owned(), Labels::parse(labels).unwrap());
        data.entry(key).or_default().push((BEGIN + at, value));
    };
    for (worker, letter) in [(0, "a"), (1, "b"), (2, "c")] {
        let [mut ok, mut error, mut cpu, mut seen, mut under] = [0_i64; 5];
        for tick in -24..end / STEP {
            let at = tick * STEP;
            let since_kill = at.rem_euclid(ITERATION) - 5 * MINUTE;
            if worker == 2 && at < ITERATION + 6 * MINUTE {
                continue;
            }
            if worker == 1 && (0..4 * STEP).contains(&since_kill) {
                // Dead: nothing is scraped, and everything counts from 0 afterwards.
                [ok, error, cpu, seen, under] = [0; 5];
                continue;
            }
            let many = 20 + chance(tick * 7 + worker) % 10;
            let bad = i64::from(chance(tick * 13 + worker) < 60);
            (ok, error, cpu) = (ok + many, error + bad, cpu + 3 + worker);
            (seen, under) = (seen + many, under + many - many / 11);
            // Scrapes of the workers are spread over the step.
            let at = at + worker * 1234;
            let own = format!("instance=\"{letter}\",job=\"payment\"");
            add("payments_total", &format!("{{{own},outcome=\"ok\"}}"), at, number(ok));
            add("payments_total", &format!("{{{own},outcome=\"error\"}}"), at, number(error));
            add("worker_cpu_seconds_total", &format!("{{{own}}}"), at, number(cpu) / 8.0);
            for (edge, count) in [("0.25", under / 2), ("0.5", under), ("+Inf", seen)] {
                add(
                    "payment_seconds_bucket",
                    &format!("{{{own},le=\"{edge}\"}}"),
                    at,
                    number(count),
                );
            }
            add("payment_seconds_count", &format!("{{{own}}}"), at, number(seen));
        }
    }
    let [mut accepted, mut restarts] = [0_i64; 2];
    for tick in -24..end / STEP {
        let at = tick * STEP;
        let since_kill = at.rem_euclid(ITERATION) - 5 * MINUTE;
        accepted += 40;
        restarts += i64::from(since_kill == 3 * STEP);
        let waiting = if (0..MINUTE).contains(&since_kill) { 90 } else { chance(tick) % 9 };
        add("accepted_total", "{}", at, number(accepted));
        add("settled_total", "{}", at, number(accepted - waiting));
        add("restarts_total", "{}", at, number(restarts));
        add("queue_depth", "{queue=\"x\"}", at, number(waiting));
        // The other queue is not seen for a while: less than makes a window unknown.
        if !(100_000..115_000).contains(&at.rem_euclid(ITERATION)) {
            add("queue_depth", "{queue=\"y\"}", at, number(waiting) / 4.0);
        }
        if (2 * STEP..70_000).contains(&since_kill) {
            add("ALERTS", "{alertname=\"QueueLong\",alertstate=\"firing\"}", at, 1.0);
        }
        for request in 0..3 {
            let key = tick * 31 + request;
            let at = at + request * 1500 + chance(key);
            add("http_req_duration", "{}", at, number(chance(key + 5)) / 4.0 + 10.0);
        }
    }
    data
}

fn rfc3339(at: i64) -> String {
    unfazed::unit::Timestamp::from_milliseconds(BEGIN + at).to_string()
}

pub(crate) fn run_record() -> String {
    let iterations: Vec<String> = (0..ITERATIONS)
        .map(|number| {
            let start = number * ITERATION;
            format!(
                r#"{{"index": {}, "arm": "fault", "baseline": {{"start": "{}", "end": "{}"}},
                "fault": {{"at": "{}", "outcome": "killed"}}, "experiment": {{"start": "{}", "end": "{}"}}}}"#,
                number + 1,
                rfc3339(start),
                rfc3339(start + 5 * MINUTE),
                rfc3339(start + 5 * MINUTE),
                rfc3339(start + 5 * MINUTE),
                rfc3339(start + 10 * MINUTE)
            )
        })
        .collect();
    format!(
        r#"{{"schema": "unfazed.run/v1", "run_id": "r", "experiment": "traps", "started_at": "{}", "iterations": [{}]}}"#,
        rfc3339(0),
        iterations.join(",")
    )
}

/// Analyses a recording.
fn analyze(room: &Path, what: &[&str], out: &str) -> serde_json::Value {
    let mut arguments = vec!["--quiet", "analyze"];
    arguments.extend(what);
    arguments.extend(["-o", out, "--exit-zero"]);
    let ran = unfazed(room, &arguments);
    assert_eq!(ran.code, Some(0), "{what:?}: {}", ran.err);
    numbers_of(&room.join(out))
}

/// Pulls from a server and analyses in both ways; all the same numbers come out.
fn pulled_and_straight(room: &Path, name: &str, document: &str, expected: &serde_json::Value) {
    let (file, out) = (format!("{name}.yaml"), format!("{name}-pulled"));
    fs::write(room.join(&file), document).unwrap();
    let ran = unfazed(room, &["pull", &file, "--run", "run.json", "-o", &out]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(fs::read_to_string(room.join(&out).join("experiment.yaml")).unwrap(), document);
    assert_eq!(
        fs::read(room.join(&out).join("run.json")).unwrap(),
        fs::read(room.join("run.json")).unwrap()
    );
    assert!(!room.join(format!("{out}.partial")).exists());
    let pulled = analyze(room, &[&out], &format!("{name}-of-pulled"));
    assert_same(expected, &pulled, &format!("{name}, pulled"));
    let straight = analyze(room, &[&file, "--run", "run.json"], &format!("{name}-straight"));
    assert_same(expected, &straight, &format!("{name}, straight"));
    assert_eq!(
        fs::read_to_string(room.join(format!("{name}-of-pulled/result.json"))).unwrap(),
        fs::read_to_string(room.join(format!("{name}-straight/result.json"))).unwrap(),
        "{name}: pulled and straight from the server are the same bytes"
    );
    let names = |out: &str| {
        let entries = fs::read_dir(room.join(out)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let (straight, of_pulled) = (format!("{name}-straight"), format!("{name}-of-pulled"));
    assert_eq!(names(&straight), names(&of_pulled), "no scratch files are left");
}

/// Compares results and names the first place that differs.
fn assert_same(left: &serde_json::Value, right: &serde_json::Value, what: &str) {
    if let Some(place) = difference(left, right, "") {
        panic!("{what}: {place}");
    }
}

fn difference(left: &serde_json::Value, right: &serde_json::Value, path: &str) -> Option<String> {
    use serde_json::Value::{Array, Object};
    match (left, right) {
        (Object(one), Object(other)) => one.keys().chain(other.keys()).find_map(|key| {
            let null = serde_json::Value::Null;
            let (one, other) = (one.get(key).unwrap_or(&null), other.get(key).unwrap_or(&null));
            difference(one, other, &format!("{path}.{key}"))
        }),
        (Array(one), Array(other)) if one.len() == other.len() => {
            (0..one.len()).find_map(|at| difference(&one[at], &other[at], &format!("{path}[{at}]")))
        }
        (one, other) if one == other => None,
        (one, other) => Some(format!("{path}: {one} and {other}")),
    }
}

#[test]
fn resets_births_and_gaps_are_the_same_numbers_from_every_source() {
    let room = tempfile::tempdir().unwrap();
    let data = data();
    let recording = room.path().join("recording");
    fs::create_dir(&recording).unwrap();
    // A recording holds the answer of a query under the query itself.
    let mut recorded = data.clone();
    let of = |name: &str| data[&(name.to_owned(), Labels::default())].clone();
    let computed = of("accepted_total").into_iter().zip(of("settled_total"));
    let computed = computed.map(|(one, other)| (one.0, one.1 - other.1)).collect();
    let query = "sum(accepted_total) - sum(settled_total)".to_owned();
    recorded.insert((query, Labels::default()), computed);
    write_csv(&recorded, &recording);
    fs::write(recording.join("experiment.yaml"), DOCUMENT).unwrap();
    for directory in [room.path(), &recording] {
        fs::write(directory.join("run.json"), run_record()).unwrap();
    }
    let expected = analyze(room.path(), &["recording"], "expected");
    // What is compared is worth comparing.
    for metric in expected["metrics"].as_array().unwrap() {
        assert!(metric["n"].as_i64() == Some(ITERATIONS), "{metric}");
        assert!(metric["iterations"][1]["experiment"].is_number(), "{metric}");
    }
    assert!(expected["recovery"]["detect"]["events"] == 4, "{}", expected["recovery"]);
    assert!(expected["recovery"]["remediate"]["events"] == 4, "{}", expected["recovery"]);
    let server = prometheus(&data);
    let document = document_asking(DOCUMENT, &server.url(), "5s");
    pulled_and_straight(room.path(), "prometheus", &document, &expected);
    let server = victoria_metrics(&data);
    let document = document_asking(DOCUMENT, &server.url(), "5s");
    pulled_and_straight(room.path(), "victoria", &document, &expected);
}

#[test]
fn a_real_campaign_is_the_same_from_every_source() {
    let room = tempfile::tempdir().unwrap();
    let dataset = datasets().join("payment-worker-three-kills");
    let document = fs::read_to_string(dataset.join("experiment.yaml")).unwrap();
    fs::copy(dataset.join("run.json"), room.path().join("run.json")).unwrap();
    let expected = analyze(room.path(), &[dataset.to_str().unwrap()], "expected");
    let data = data_of(&dataset);
    let server = prometheus(&data);
    pulled_and_straight(
        room.path(),
        "prometheus",
        &document_asking(&document, &server.url(), "1s"),
        &expected,
    );
    let server = victoria_metrics(&data);
    pulled_and_straight(
        room.path(),
        "victoria",
        &document_asking(&document, &server.url(), "1s"),
        &expected,
    );
}

#[test]
fn a_server_that_gives_few_samples_at_a_time_is_asked_in_pieces() {
    let room = tempfile::tempdir().unwrap();
    let data = data();
    fs::write(room.path().join("run.json"), run_record()).unwrap();
    let whole = prometheus(&data);
    fs::write(room.path().join("e.yaml"), document_asking(DOCUMENT, &whole.url(), "5s")).unwrap();
    let pull = |out: &str| {
        let ran = unfazed(room.path(), &["pull", "e.yaml", "--run", "run.json", "-o", out]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        fs::read(room.path().join(out).join("samples.parquet")).unwrap()
    };
    let expected = pull("whole");
    let small = prometheus_with(&data, &["--query.max-samples=150"]);
    fs::write(room.path().join("e.yaml"), document_asking(DOCUMENT, &small.url(), "5s")).unwrap();
    assert!(
        pull("pieces") == expected,
        "the pieces that were asked for can be seen in the samples"
    );
}

#[test]
fn a_stale_tail_is_no_data() {
    let room = tempfile::tempdir().unwrap();
    let document = DOCUMENT.split("  metrics:").next().unwrap().to_owned()
        + "  metrics:\n    - name: raw\n      gauge: queue_depth\n      expect: {at_most: 100}\n"
        + "    - name: bare\n      query: queue_depth\n      expect: {at_most: 100}\n"
        + "    - name: computed\n      query: sum(queue_depth)\n      expect: {at_most: 100}\n";
    // The exporter dies two minutes into the last experiment window, and nobody marks its series as ended.
    let mut data = data();
    let death = BEGIN + (ITERATIONS - 1) * ITERATION + 7 * MINUTE;
    for samples in data.values_mut() {
        samples.retain(|sample| sample.0 < death);
    }
    fs::write(room.path().join("run.json"), run_record()).unwrap();
    let server = prometheus(&data);
    fs::write(room.path().join("e.yaml"), document_asking(&document, &server.url(), "5s")).unwrap();
    let result = analyze(room.path(), &["e.yaml", "--run", "run.json"], "out");
    for metric in result["metrics"].as_array().unwrap() {
        let last = &metric["iterations"][3];
        assert!(last["experiment"].is_null(), "{}: {last}", metric["name"]);
        let coverage = last["coverage"].as_f64().unwrap();
        assert!((0.38..0.46).contains(&coverage), "{}: {last}", metric["name"]);
        assert!(metric["iterations"][2]["experiment"].is_number(), "{metric}");
    }
    let warnings = result["warnings"].to_string();
    assert!(warnings.contains("lookback_tail") && warnings.contains("in 1 window"), "{warnings}");
}
