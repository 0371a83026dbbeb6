//! Native histograms in a real Prometheus, filled by remote write, and in a recording give the same numbers.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use unfazed::frame::{
    CounterStart, NativeBuckets, NativeFrame, NativeLayout, NativeSample, NativeSeries, ZeroBucket,
};
use unfazed::source::metrics::Recording;
use unfazed::stats::prom_native_histogram::NativeBucket;
use unfazed::store::write_native_samples;
use unfazed::unit::Labels;

use crate::prometheus_servers::{document_asking, numbers_of, prometheus_over, unfazed};

const BEGIN: i64 = 1_700_000_000_000;
const STEP: i64 = 5000;
const METRIC: &str = "payment_duration_seconds";

const DOCUMENT: &str = r#"apiVersion: unfazed/v1
kind: Experiment
metadata: {name: native, owner: payments-sre}
spec:
  hypothesis: Native histograms are judged alike wherever they come from.
  environment: staging
  windows: {baseline: 1m, experiment: 1m}
  metrics:
    - name: p90
      histogram: 'payment_duration_seconds{job="payment"}'
      quantile: 0.9
      expect: {at_most: 1s}
    - name: between-edges
      histogram: payment_duration_seconds
      quantile: 0.75
      expect: {at_most: 700ms}
    - name: median
      histogram: payment_duration_seconds
      quantile: 0.5
      worst: 20s
      expect: {increase_at_most: 40%}
"#;

/// What one worker has observed: buckets by index, and the zero bucket.
#[derive(Clone, Default)]
struct Observed {
    buckets: BTreeMap<i32, i64>,
    negative: BTreeMap<i32, i64>,
    zero: i64,
}

fn float(value: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let value = value as f64;
    value
}

impl Observed {
    fn sample(&self, schema: i32) -> NativeSample {
        let list = |side: &BTreeMap<i32, i64>| -> Vec<NativeBucket> {
            side.iter()
                .map(|(index, count)| NativeBucket { index: *index, count: float(*count) })
                .collect()
        };
        let all = self.buckets.values().chain(self.negative.values()).sum::<i64>() + self.zero;
        NativeSample {
            buckets: NativeBuckets::new(
                NativeLayout::Exponential { schema },
                float(all),
                ZeroBucket { threshold: 0.001, count: float(self.zero) },
                list(&self.buckets),
                list(&self.negative),
            )
            .unwrap(),
            sum: float(all) * 0.25,
            start: CounterStart::Untold,
        }
    }
}

/// Two workers of one metric; in each of three iterations the second one is killed, is silent for three scrapes and
/// counts from 0 afterwards. From the second iteration on it has coarser buckets; a third worker is born in the last.
fn frame() -> NativeFrame {
    let mut frame = NativeFrame { metric: METRIC.to_owned(), ..NativeFrame::default() };
    for (worker, letter) in [(0_i64, "a"), (1, "b"), (2, "c")] {
        let mut observed = Observed::default();
        let mut samples = Vec::new();
        for tick in -24..90_i64 {
            let (iteration, since_kill) = (tick.div_euclid(30), tick.rem_euclid(30) - 12);
            if worker == 2 && tick < 75 {
                continue;
            }
            if worker == 1 && (0..3).contains(&since_kill) {
                observed = Observed::default();
                continue;
            }
            let schema = if worker == 1 && iteration >= 1 { 1 } else { 3 };
            if worker == 1 && tick == 30 {
                // The same counter, from here on in coarser buckets.
                for side in [&mut observed.buckets, &mut observed.negative] {
                    for (index, count) in std::mem::take(side) {
                        *side.entry(((index - 1) >> 2) + 1).or_default() += count;
                    }
                }
            }
            let slow = i32::from(since_kill >= 0) * 3;
            for request in 0..20_i64 {
                let spread =
                    i32::try_from((tick * 7 + request * 5 + worker).rem_euclid(17)).unwrap();
                let fine = spread - 14 + slow;
                let index = if schema == 3 { fine } else { ((fine - 1) >> 2) + 1 };
                *observed.buckets.entry(index).or_default() += 1;
            }
            observed.zero += i64::from(tick % 3 == 0);
            *observed.negative.entry(-2).or_default() += i64::from(tick % 5 == 0);
            samples.push((BEGIN + tick * STEP + worker * 700, observed.sample(schema)));
        }
        let labels = Labels::from_pairs([("instance", letter), ("job", "payment")]);
        let (series, conflicts) = NativeSeries::from_unordered(labels, samples);
        assert_eq!(conflicts, 0);
        frame.series.push(series);
    }
    frame
}

fn run_record() -> String {
    let at = |tick: i64| unfazed::unit::Timestamp::from_milliseconds(BEGIN + tick * STEP);
    let iterations: Vec<String> = (0..3)
        .map(|number| {
            let (start, kill, end) = (number * 30, number * 30 + 12, number * 30 + 24);
            format!(
                r#"{{"index": {}, "arm": "fault", "baseline": {{"start": "{}", "end": "{}"}}, "fault": {{"at": "{}", "until": null, "outcome": "killed", "targets": []}}, "experiment": {{"start": "{}", "end": "{}"}}}}"#,
                number + 1, at(start), at(kill), at(kill), at(kill), at(end)
            )
        })
        .collect();
    format!(
        r#"{{"schema": "unfazed.run/v1", "run_id": "native", "experiment": "native", "experiment_digest": null, "started_at": "{}", "ended_at": "{}", "origin": {{"tool": "unfazed", "file": "run.json"}}, "iterations": [{}], "events": []}}"#,
        at(0),
        at(90),
        iterations.join(", ")
    )
}

/// A message of the protocol buffers that remote write is made of.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn zigzag(self, field: u64, value: i64) -> Self {
        self.number(field, zigzag(value))
    }

    fn double(mut self, field: u64, value: f64) -> Self {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// A count as a whole number.
fn whole(count: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    let count = count as i64;
    count
}

/// Buckets as spans, one each, and deltas.
fn side(mut message: Message, spans: u64, deltas: u64, buckets: &[NativeBucket]) -> Message {
    let mut packed = Message::default();
    let (mut after, mut before) = (0, 0);
    for bucket in buckets {
        let offset = i64::from(bucket.index - after);
        let span = Message::default().zigzag(1, offset).number(2, 1);
        message = message.bytes(spans, &span.0);
        after = bucket.index + 1;
        let count = whole(bucket.count);
        packed.varint(zigzag(count - before));
        before = count;
    }
    message.bytes(deltas, &packed.0)
}

fn histogram(time: i64, sample: &NativeSample) -> Message {
    let NativeLayout::Exponential { schema } = sample.buckets.layout() else { panic!("schema") };
    let buckets = &sample.buckets;
    let message = Message::default()
        .number(1, whole(buckets.count()).cast_unsigned())
        .double(3, sample.sum)
        .zigzag(4, i64::from(*schema))
        .double(5, 0.001)
        .number(6, whole(buckets.zero().count).cast_unsigned());
    let message = side(message, 8, 9, buckets.negative());
    side(message, 11, 12, buckets.positive()).number(15, time.cast_unsigned())
}

/// Sends samples in the order of time.
fn remote_write(port: u16, frame: &NativeFrame) {
    let mut all: Vec<(i64, &NativeSeries, &NativeSample)> = Vec::new();
    for series in &frame.series {
        all.extend(
            series.times.iter().zip(&series.samples).map(|(time, sample)| (*time, series, sample)),
        );
    }
    all.sort_by_key(|one| one.0);
    let mut request = Message::default();
    for (time, series, sample) in all {
        let mut one = Message::default();
        let name = [("__name__", frame.metric.as_str())];
        for (name, value) in name.into_iter().chain(series.labels.iter()) {
            let label = Message::default().bytes(1, name.as_bytes()).bytes(2, value.as_bytes());
            one = one.bytes(1, &label.0);
        }
        request = request.bytes(1, &one.bytes(4, &histogram(time, sample).0).0);
    }
    let body = snap::raw::Encoder::new().compress_vec(&request.0).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "POST /api/v1/write HTTP/1.0\r\nHost: localhost\r\nContent-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 204"), "{answer}");
}

#[test]
fn a_server_and_a_recording_give_the_same_native_histograms_and_numbers() {
    let room = tempfile::tempdir().unwrap();
    let frame = frame();
    let recording = room.path().join("recording");
    fs::create_dir(&recording).unwrap();
    write_native_samples(&recording, std::slice::from_ref(&frame)).unwrap();
    fs::write(recording.join("experiment.yaml"), DOCUMENT).unwrap();
    fs::write(recording.join("run.json"), run_record()).unwrap();
    fs::write(room.path().join("run.json"), run_record()).unwrap();

    let served = tempfile::tempdir().unwrap();
    let blocks = served.path().join("data");
    let server = prometheus_over(
        &blocks,
        served,
        "global: {scrape_interval: 1m}\n",
        &["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"],
    );
    remote_write(server.port, &frame);
    fs::write(room.path().join("e.yaml"), document_asking(DOCUMENT, &server.url(), "5s")).unwrap();

    let pulled = unfazed(room.path(), &["pull", "e.yaml", "--run", "run.json", "-o", "pulled"]);
    assert_eq!(pulled.code, Some(0), "{}", pulled.err);
    assert!(!pulled.err.contains("nothing_found"), "{}", pulled.err);
    let found = Recording::open(&room.path().join("pulled")).unwrap().native_frame(METRIC).unwrap();
    assert_eq!(found.series.len(), 3);
    for (told, shown) in frame.series.iter().zip(&found.series) {
        assert_eq!(told.labels, shown.labels);
        let mut checked = 0;
        for (time, sample) in shown.times.iter().zip(&shown.samples) {
            let at = told.times.binary_search(time).unwrap();
            assert_eq!(sample, &told.samples[at], "{} at {time}", told.labels);
            checked += 1;
        }
        assert!(checked > 3, "{checked}");
    }

    let analyze = |what: &[&str], out: &str| {
        let mut arguments = vec!["--quiet", "analyze"];
        arguments.extend(what);
        arguments.extend(["-o", out]);
        let ran = unfazed(room.path(), &arguments);
        assert!(matches!(ran.code, Some(0 | 1 | 3)), "{}", ran.err);
        numbers_of(&room.path().join(out))
    };
    let expected = analyze(&["recording"], "out");
    assert_eq!(analyze(&["pulled"], "out-pulled"), expected);
    assert_eq!(analyze(&["e.yaml", "--run", "run.json"], "out-straight"), expected);
    let shares = &expected["metrics"][0]["iterations"];
    assert!(shares.as_array().unwrap().iter().all(|one| one["experiment"].is_number()), "{shares}");
}
