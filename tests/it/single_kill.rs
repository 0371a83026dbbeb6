//! A campaign of one kill: what its own windows say is described, and decides nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use unfazed::app::analyze::{Inputs, analyze};
use unfazed::report::{Style, Templates, from_json, render_html, text, to_json};
use unfazed::verdict::result::{AnalysisResult, Verdict};

const EXPERIMENT: &str = "apiVersion: unfazed/v1
kind: Experiment
metadata: {name: e, owner: o}
spec:
  hypothesis: The queue stays short.
  environment: test
  windows: {baseline: 2m, experiment: 2m}
  metrics:
    - {name: claimed, gauge: queue, expect: {increase_at_most: 40%}}
    - {name: in-this-run, gauge: queue, expect: {increase_at_most: 40%, for: this_run}}
    - {name: shown, query: queue}
    - {name: flat, gauge: flat, expect: {at_most: 5}}
    - {name: counted, counter: counted_total}
";

/// The midnight at which the recording starts, in seconds.
const START: u32 = 1_767_225_600;

fn write(directory: &Path, kills: u32, lost: bool) {
    let mut samples = "metric,labels,timestamp,value\n".to_owned();
    for second in 0..kills * 300 {
        let after = second % 300 >= 120;
        if lost && after && second % 300 < 180 {
            continue;
        }
        // A wave, so that neighbours are alike, on a level that the kill raises from 10 to 18.
        let wave = 2.0 * (f64::from(second) / 9.0).sin() + 0.1 * f64::from(second % 7);
        let queue = if after { 18.0 } else { 10.0 } + wave;
        let time = START + second;
        writeln!(samples, "queue,,{time},{queue}\nflat,,{time},3\ncounted_total,,{time},{second}")
            .unwrap();
    }
    let moment = |second: u32| {
        format!("2026-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    };
    let iterations: Vec<String> = (0..kills)
        .map(|kill| {
            let (start, at, end) =
                (moment(kill * 300), moment(kill * 300 + 120), moment(kill * 300 + 240));
            format!(
                r#"{{"index": {}, "arm": "fault", "baseline": {{"start": "{start}", "end": "{at}"}},
                "fault": {{"at": "{at}", "until": null, "outcome": "killed", "targets": []}},
                "experiment": {{"start": "{at}", "end": "{end}"}}}}"#,
                kill + 1
            )
        })
        .collect();
    let run = format!(
        r#"{{"schema": "unfazed.run/v1", "run_id": "r", "experiment": "e", "experiment_digest": null,
        "started_at": "{}", "ended_at": "{}", "iterations": [{}], "events": []}}"#,
        moment(0),
        moment(kills * 300),
        iterations.join(",")
    );
    fs::write(directory.join("samples.csv"), samples).unwrap();
    fs::write(directory.join("experiment.yaml"), EXPERIMENT).unwrap();
    fs::write(directory.join("run.json"), run).unwrap();
}

fn analyzed(kills: u32, lost: bool) -> AnalysisResult {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), kills, lost);
    analyze(&Inputs {
        paths: vec![directory.path().to_owned()],
        run: None,
        events: Vec::new(),
        seed: 0,
    })
    .unwrap()
}

#[test]
fn a_single_kill_is_described_within_its_windows_and_stays_inconclusive() {
    let result = analyzed(1, false);
    for at in [0, 1, 2] {
        let within = result.metrics[at].within_window.as_ref().unwrap();
        assert_eq!(within.method, "stationary_block_bootstrap");
        assert_eq!(within.index, 1);
        assert_eq!((within.baseline_samples, within.experiment_samples), (120, 120));
        assert!((within.estimate - 8.0).abs() < 1.0, "{within:?}");
        assert!(within.lower < within.estimate && within.estimate < within.upper);
        assert!(within.baseline_block_length.unwrap() > 3.0, "neighbours are alike");
        assert!(
            within
                .line
                .ends_with("this describes this one window and says nothing about the next kill")
        );
    }
    let verdicts: Vec<Option<Verdict>> =
        result.metrics.iter().map(|metric| metric.verdict).collect();
    assert_eq!(verdicts[0], Some(Verdict::Inconclusive), "however clear the window is");
    assert_eq!(verdicts[1], Some(Verdict::Fail), "a claim about this run is decided");
    assert_eq!(verdicts[2], None);
    assert_eq!(result.verdict, Verdict::Fail);
}

#[test]
fn what_has_no_spread_or_is_no_series_is_not_described() {
    let result = analyzed(1, false);
    assert_eq!(result.metrics[3].within_window, None, "nothing varies");
    assert_eq!(result.metrics[4].within_window, None, "a counter is no series of values");
}

#[test]
fn two_kills_or_a_lost_one_are_not_described() {
    for result in [analyzed(2, false), analyzed(1, true)] {
        assert!(result.metrics.iter().all(|metric| metric.within_window.is_none()));
        assert!(!to_json(&result).contains("within_window"));
    }
}

#[test]
fn page_text_and_json_tell_the_same_of_a_single_kill() {
    let result = analyzed(1, false);
    let again = from_json(&to_json(&result)).unwrap();
    assert_eq!(again, result);
    let page = render_html(&again, &Templates::embedded().unwrap()).unwrap();
    assert!(page.contains("Within this one window"), "{page}");
    assert!(page.contains("says nothing about the next kill"));
}

#[test]
fn the_terminal_tells_it_where_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), 1, false);
    // Of several claims only the line of each is told; the page has the rest.
    let document: Vec<&str> = EXPERIMENT.lines().take(9).collect();
    fs::write(directory.path().join("experiment.yaml"), document.join("\n")).unwrap();
    let result = analyze(&Inputs {
        paths: vec![directory.path().to_owned()],
        run: None,
        events: Vec::new(),
        seed: 0,
    })
    .unwrap();
    let said = text(&result, Style::Plain).unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("within the windows of kill 1 the mean changed by +"), "{said}");
}

#[test]
fn the_limits_follow_the_seed_and_the_estimate_does_not() {
    let (result, other) = (analyzed(1, false), analyze_with_seed(7));
    let (first, second) =
        (result.metrics[0].within_window.as_ref(), other.metrics[0].within_window.as_ref());
    assert_ne!(first.unwrap().lower.to_bits(), second.unwrap().lower.to_bits(), "seeded");
    assert_eq!(first.unwrap().estimate.to_bits(), second.unwrap().estimate.to_bits());
}

fn analyze_with_seed(seed: u64) -> AnalysisResult {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), 1, false);
    analyze(&Inputs {
        paths: vec![directory.path().to_owned()],
        run: None,
        events: Vec::new(),
        seed,
    })
    .unwrap()
}
