//! How long a recording takes to be read, by layout of its rows.
//!
//! Run with `cargo bench --bench recording`. To measure a recording of your own, with peak memory:
//! `cargo bench --bench recording -- --recording DIR`; it prints seconds, samples and peak MiB of opening it and
//! reducing every series to mean and maximum per half hour.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a measurement takes times, reads its own memory figures and prints them; its numbers are small"
)]

use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use unfazed::frame::{Frame, Series};
use unfazed::source::metrics::{Recording, SamplesDigest};
use unfazed::store::write_samples;
use unfazed::unit::Labels;

const METRICS: i64 = 20;
const SERIES: i64 = 10;
const SAMPLES: i64 = 3600;
const START: i64 = 1_764_000_000_000;
const WINDOW: i64 = 1_800_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--recording") {
        Some(at) => measure(Path::new(&arguments[at + 1])),
        None => divan::main(),
    }
}

/// Mean and maximum of every series in every half hour, summed in the order of time.
fn reduce(frames: &[Arc<Frame>]) -> Vec<(f64, f64)> {
    let mut reduced = Vec::new();
    for series in frames.iter().flat_map(|frame| &frame.series) {
        let mut at = 0;
        while at < series.times.len() {
            let window = (series.times[at] - START).div_euclid(WINDOW);
            let end = START + (window + 1) * WINDOW;
            let stop = at + series.times[at..].partition_point(|time| *time < end);
            let values = &series.values[at..stop];
            let sum: f64 = values.iter().sum();
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            reduced.push((sum / values.len() as f64, most));
            at = stop;
        }
    }
    reduced
}

fn reduce_all(directory: &Path) -> usize {
    let recording = Recording::open(directory).expect("the recording opens");
    let groups: Vec<Vec<&str>> = recording.metric_names().map(|name| vec![name]).collect();
    let reduced =
        recording.map(&groups, |_, frames| reduce(frames)).expect("the recording is read");
    reduced.iter().map(Vec::len).sum()
}

/// Prints what one recording costs.
fn measure(directory: &Path) {
    let begin = std::time::Instant::now();
    let results = reduce_all(directory);
    let seconds = begin.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown");
    println!("{results} reductions in {seconds:.2} s, {}", peak.replace('\t', " "));
    if std::env::var_os("UNFAZED_BENCH_DIGEST").is_some() {
        let begin = std::time::Instant::now();
        let recording = Recording::open(directory).expect("the recording opens");
        let groups: Vec<Vec<&str>> = recording.metric_names().map(|name| vec![name]).collect();
        let digests = recording
            .map(&groups, |_, frames| {
                let mut digest = SamplesDigest::default();
                for frame in frames {
                    digest.add(frame);
                }
                digest
            })
            .expect("the recording is read");
        let mut digest = SamplesDigest::default();
        for part in digests {
            digest.join(part);
        }
        println!("{} in {:.2} s", digest.finish(), begin.elapsed().as_secs_f64());
    }
}

fn frames() -> impl Iterator<Item = Frame> {
    (0..METRICS).map(|metric| Frame {
        metric: format!("metric_{metric:03}"),
        series: (0..SERIES)
            .map(|series| Series {
                labels: Labels::from_pairs([("instance", series.to_string())]),
                times: (0..SAMPLES).map(|at| START + at * 1000).collect(),
                values: (0..SAMPLES).map(|at| ((at * 7919 + series) % 1009) as f64).collect(),
            })
            .collect(),
        conflicting_duplicates: 0,
        ..Frame::default()
    })
}

#[divan::bench(sample_count = 10)]
fn parquet_sorted_by_metric(bencher: Bencher) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_samples(directory.path(), frames()).expect("the recording is written");
    bencher.bench(|| reduce_all(directory.path()));
}

#[divan::bench(sample_count = 10)]
fn csv_sorted_by_time(bencher: Bencher) {
    use std::fmt::Write as _;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let frames: Vec<Frame> = frames().collect();
    let mut text = "metric,labels,timestamp,value\n".to_owned();
    for at in 0..SAMPLES as usize {
        for frame in &frames {
            for series in &frame.series {
                let labels = series.labels.to_string().replace('"', "\"\"");
                let seconds = series.times[at] / 1000;
                writeln!(text, "{},\"{labels}\",{seconds},{}", frame.metric, series.values[at])
                    .expect("writing into a text cannot fail");
            }
        }
    }
    std::fs::write(directory.path().join("samples.csv"), text).expect("the file is written");
    bencher.bench(|| reduce_all(directory.path()));
}
