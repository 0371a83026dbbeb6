//! Same inputs, same bytes: whatever the order of rows, the file format, the folder, the threads.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use unfazed::frame::{Frame, Series};
use unfazed::source::metrics::Recording;
use unfazed::store::write_samples;
use unfazed::unit::Timestamp;

use crate::cmd::{copy_tree, unfazed};

/// What an analysis wrote.
#[derive(PartialEq, Eq)]
struct Written {
    code: Option<i32>,
    summary: String,
    result: String,
    report: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Analyses what `arguments` name, from the folder `room`.
fn analyzed(room: &Path, arguments: &[&str]) -> Written {
    let out = tempfile::tempdir().unwrap();
    let directory = out.path().join("deep/down");
    let mut all: Vec<String> = vec!["analyze".to_owned()];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    all.extend(["-o".to_owned(), directory.display().to_string()]);
    let output = unfazed(room, &all, &[], "");
    let text = |name: &str| {
        fs::read_to_string(directory.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}: {output:?}"))
    };
    Written {
        code: output.status.code(),
        summary: String::from_utf8(output.stdout.clone()).unwrap(),
        result: text("result.json"),
        report: text("report.html"),
    }
}

/// Says which file differs, without printing two reports.
fn assert_same(left: &Written, right: &Written, what: &str) {
    assert_eq!(left.code, right.code, "{what}: exit codes differ");
    for (name, left, right) in [
        ("summary", &left.summary, &right.summary),
        ("result.json", &left.result, &right.result),
        ("report.html", &left.report, &right.report),
    ] {
        let differs = left.lines().zip(right.lines()).find(|(left, right)| left != right);
        assert!(left == right, "{what}: {name} differs, first at {differs:?}");
    }
}

/// The samples of a recording as rows of CSV.
fn rows(directory: &Path) -> Vec<String> {
    let recording = Recording::open(directory).unwrap();
    let mut rows = Vec::new();
    for metric in recording.metric_names() {
        for series in recording.frame(metric).unwrap().series {
            let labels = series.labels.to_string().replace('"', "\"\"");
            for (time, value) in series.times.iter().zip(&series.values) {
                let time = Timestamp::from_milliseconds(*time);
                rows.push(format!("{metric},\"{labels}\",{time},{value}"));
            }
        }
    }
    rows
}

/// Shuffles with Knuth's multiplier for 64 bits: the order only has to be another one.
fn shuffled(mut rows: Vec<String>) -> Vec<String> {
    let mut state = 1_u64;
    for at in (1..rows.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        rows.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
    rows
}

fn write_csv(path: &Path, rows: &[String]) {
    let mut text = "metric,labels,timestamp,value\n".to_owned();
    for row in rows {
        writeln!(text, "{row}").unwrap();
    }
    fs::write(path, text).unwrap();
}

fn frames(directory: &Path) -> Vec<Frame> {
    let recording = Recording::open(directory).unwrap();
    recording.metric_names().map(|name| recording.frame(name).unwrap()).collect()
}

/// The samples of a frame from `skip` on, every second one: a shard that shares every series with the other.
fn every_second(frame: &Frame, skip: usize) -> Frame {
    let series = frame
        .series
        .iter()
        .map(|series| Series {
            times: series.times.iter().copied().skip(skip).step_by(2).collect(),
            values: series.values.iter().copied().skip(skip).step_by(2).collect(),
            ..series.clone()
        })
        .collect();
    Frame { series, ..frame.clone() }
}

/// A copy of a recording without its samples.
fn without_samples(from: &Path, to: &Path) {
    copy_tree(from, to);
    for name in ["samples.csv", "samples.parquet"] {
        let _ = fs::remove_file(to.join(name));
    }
}

/// The recording in every form in which its samples may come.
fn forms(from: &Path, room: &Path) -> Vec<&'static str> {
    let rows = rows(from);
    let frames = frames(from);
    without_samples(from, &room.join("csv"));
    write_csv(&room.join("csv/samples.csv"), &rows);
    without_samples(from, &room.join("shuffled"));
    write_csv(&room.join("shuffled/samples.csv"), &shuffled(rows.clone()));
    without_samples(from, &room.join("parquet"));
    write_samples(&room.join("parquet"), frames.clone()).unwrap();
    without_samples(from, &room.join("sharded"));
    fs::create_dir(room.join("sharded/samples")).unwrap();
    for (skip, name) in [(0, "b.parquet"), (1, "a.parquet")] {
        let shard = room.join(format!("shard-{skip}"));
        fs::create_dir(&shard).unwrap();
        write_samples(&shard, frames.iter().map(|frame| every_second(frame, skip))).unwrap();
        fs::rename(shard.join("samples.parquet"), room.join("sharded/samples").join(name)).unwrap();
    }
    without_samples(from, &room.join("csv-shards"));
    fs::create_dir(room.join("csv-shards/samples")).unwrap();
    let (front, back) = rows.split_at(rows.len() / 3);
    write_csv(&room.join("csv-shards/samples/2.csv"), front);
    write_csv(&room.join("csv-shards/samples/1.csv"), back);
    vec!["csv", "shuffled", "parquet", "sharded", "csv-shards"]
}

#[test]
fn the_form_of_the_samples_does_not_matter() {
    for from in ["tests/cmd/recording", "datasets/payment-worker-three-kills"] {
        let from = repository().join(from);
        let room = tempfile::tempdir().unwrap();
        let expected = analyzed(repository(), &[from.to_str().unwrap()]);
        for form in forms(&from, room.path()) {
            assert_same(&expected, &analyzed(room.path(), &[form]), form);
        }
    }
}

#[test]
fn the_recorded_experiments_end_as_they_should_wherever_and_with_however_many_threads() {
    for (name, code) in [
        ("payment-worker-kill", 0),
        ("payment-worker-slow-restart", 1),
        ("payment-worker-three-kills", 3),
    ] {
        let from = format!("datasets/{name}");
        let once = analyzed(repository(), &[&from]);
        assert_eq!(once.code, Some(code), "{name}: {}", once.summary);
        let room = tempfile::tempdir().unwrap();
        copy_tree(&repository().join(&from), &room.path().join("elsewhere"));
        assert_same(&once, &analyzed(room.path(), &["elsewhere", "--threads", "1"]), name);
        assert_same(&once, &analyzed(room.path(), &["./elsewhere/", "--threads", "2"]), name);
        assert_same(&once, &analyzed(room.path(), &["elsewhere/experiment.yaml"]), name);
        assert!(!once.result.contains("elsewhere") && !once.result.contains("NaN"), "{name}");
    }
}

#[test]
fn a_report_needs_nothing_but_the_result() {
    for name in ["tests/cmd/recording", "datasets/payment-worker-slow-restart"] {
        let written = analyzed(repository(), &[name]);
        let room = tempfile::tempdir().unwrap();
        fs::write(room.path().join("any.json"), &written.result).unwrap();
        let arguments = ["report", "any.json", "-o", "again/page.html"].map(str::to_owned);
        let output = unfazed(room.path(), &arguments, &[], "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let again = fs::read_to_string(room.path().join("again/page.html")).unwrap();
        assert!(again == written.report, "{name}: the report differs");
    }
}

#[test]
fn the_order_of_recordings_does_not_matter() {
    let room = tempfile::tempdir().unwrap();
    let days = ["monday", "tuesday", "wednesday"];
    for (day, name) in (23..).zip(days) {
        session(room.path(), name, day);
    }
    let expected = analyzed(room.path(), &days);
    for order in [["wednesday", "monday", "tuesday"], ["tuesday", "wednesday", "monday"]] {
        assert_same(&expected, &analyzed(room.path(), &order), "another order");
    }
    let mixed = room.path().join("tuesday");
    write_samples(&mixed, frames(&mixed)).unwrap();
    fs::remove_file(mixed.join("samples.csv")).unwrap();
    assert_same(&expected, &analyzed(room.path(), &days), "one as Parquet");
}

/// A copy of the small recording, moved to another day of November 2026.
pub(crate) fn session(room: &Path, name: &str, day: u32) -> PathBuf {
    let directory = room.join(name);
    copy_tree(&repository().join("tests/cmd/recording"), &directory);
    let run = fs::read_to_string(directory.join("run.json")).unwrap();
    let run = run
        .replace("2026-11-23T", &format!("2026-11-{day}T"))
        .replace("shop-kill-1", &format!("shop-kill-{name}"));
    fs::write(directory.join("run.json"), run).unwrap();
    let moved: Vec<String> = rows(&directory)
        .iter()
        .map(|row| row.replace("2026-11-23T", &format!("2026-11-{day}T")))
        .collect();
    write_csv(&directory.join("samples.csv"), &moved);
    directory
}
