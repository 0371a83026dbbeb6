//! `unfazed record` against endpoints on the loopback: what is recorded, and what is left when something dies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use unfazed::frame::Frame;
use unfazed::source::metrics::Recording;

/// A `/metrics` endpoint whose counter goes up with every question.
struct Endpoint {
    address: SocketAddr,
    is_broken: Arc<AtomicBool>,
}

impl Endpoint {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_broken = Arc::new(AtomicBool::new(false));
        let (broken, asked) = (Arc::clone(&is_broken), AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let count = asked.fetch_add(1, Ordering::Relaxed);
                let body = format!(
                    "# TYPE payments_total counter\npayments_total{{outcome=\"ok\"}} {}\npayments_total{{outcome=\"error\"}} {}\nqueue_depth 3\nother_thing 1\n",
                    1000 * count,
                    count / 4
                );
                let status = if broken.load(Ordering::Relaxed) { "500 Broken" } else { "200 OK" };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, is_broken }
    }
}

fn document(directory: &Path, endpoints: &[&Endpoint]) -> PathBuf {
    let targets: Vec<String> =
        endpoints.iter().map(|it| format!("\"http://{}/metrics\"", it.address)).collect();
    let text = format!(
        "apiVersion: unfazed/v1
kind: Experiment
metadata: {{name: recorded, owner: me}}
spec:
  hypothesis: Killing one worker keeps errors under 1 %.
  environment: test
  windows: {{baseline: 1m, experiment: 1m}}
  source: {{scrape: {{targets: [{}], every: 100ms}}}}
  metrics:
    - name: errors
      ratio: {{bad: 'payments_total{{job=\"shop\",outcome=\"error\"}}', total: 'payments_total{{job=\"shop\"}}'}}
      expect: {{at_most: 1%, for: this_run}}
    - name: queue
      gauge: queue_depth
      expect: {{at_most: 50}}
",
        targets.join(", ")
    );
    let path = directory.join("experiment.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

fn command(document: &Path, length: Option<&str>, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unfazed"));
    command.arg("record").arg(document).arg("-o").arg(output);
    if let Some(length) = length {
        command.args(["--for", length]);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn frame(recording: &Path, metric: &str) -> Frame {
    Recording::open(recording).unwrap().frame(metric).unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn what_the_experiment_needs_is_recorded_with_gaps_where_scrapes_failed() {
    let directory = tempfile::tempdir().unwrap();
    let (steady, breaking) = (Endpoint::start(), Endpoint::start());
    let document = document(directory.path(), &[&steady, &breaking]);
    let output = directory.path().join("new/recording");
    let child = command(&document, Some("3s"), &output).spawn().unwrap();
    thread::sleep(Duration::from_millis(1500));
    breaking.is_broken.store(true, Ordering::Relaxed);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
    assert!(said(&ended).contains("failed_scrapes"), "{}", said(&ended));
    assert_eq!(
        std::fs::read(output.join("experiment.yaml")).unwrap(),
        std::fs::read(&document).unwrap()
    );
    let counter = frame(&output, "payments_total");
    assert_eq!(counter.series.len(), 4);
    assert!(counter.series.iter().all(|series| series.labels.get("job") == "shop"));
    assert!(frame(&output, "other_thing").series.is_empty(), "nobody needs it");
    let up = frame(&output, "up");
    let values = |address: SocketAddr| {
        let wanted = address.to_string();
        up.series.iter().find(|it| it.labels.get("instance") == wanted).unwrap().values.clone()
    };
    assert!(values(steady.address).iter().all(|value| *value == 1.0));
    assert!(values(breaking.address).contains(&0.0) && values(breaking.address).contains(&1.0));
    let times = &up.series[0].times;
    assert!(times.len() >= 20, "{} scrapes in three seconds", times.len());
    assert!(!frame(&output, "scrape_duration_seconds").series.is_empty());
}

#[test]
fn ctrl_c_ends_the_recording_whole() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start();
    let document = document(directory.path(), &[&endpoint]);
    let output = directory.path().join("recording");
    let child = command(&document, None, &output).spawn().unwrap();
    thread::sleep(Duration::from_millis(1500));
    signal(&child, "-INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert!(frame(&output, "queue_depth").series[0].times.len() > 3);
}

#[test]
fn a_recorder_that_is_killed_leaves_a_readable_recording() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start();
    let document = document(directory.path(), &[&endpoint]);
    let output = directory.path().join("recording");
    let mut child = command(&document, None, &output).spawn().unwrap();
    let begin = Instant::now();
    let parts = || {
        std::fs::read_dir(output.join("samples")).map_or(0, |files| {
            files
                .flatten()
                .filter(|it| it.path().extension().is_some_and(|it| it == "parquet"))
                .count()
        })
    };
    while parts() == 0 && begin.elapsed() < Duration::from_secs(40) {
        thread::sleep(Duration::from_millis(50));
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    let kept = frame(&output, "queue_depth").series[0].times.len();
    assert!(kept > 20, "{kept} samples");
    // What is there is not recorded over.
    let again = command(&document, Some("1s"), &output).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(said(&again).contains("holds samples already"), "{}", said(&again));
}

#[test]
fn what_cannot_be_recorded_is_refused_with_a_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start();
    endpoint.is_broken.store(true, Ordering::Relaxed);
    let document = document(directory.path(), &[&endpoint]);
    let output = directory.path().join("recording");
    let ended = command(&document, Some("500ms"), &output).output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", said(&ended));
    assert!(said(&ended).contains("it answered 500"), "{}", said(&ended));
    let text = std::fs::read_to_string(&document).unwrap();
    for (from, to, expected) in [
        ("source: {scrape: ", "# source: {scrape: ", "source: {scrape:"),
        ("gauge: queue_depth", "query: 'sum(queue_depth)'", "a plain selector"),
    ] {
        let other = directory.path().join("other.yaml");
        std::fs::write(&other, text.replace(from, to)).unwrap();
        let refused =
            command(&other, Some("1s"), &directory.path().join("refused")).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(expected), "{}", said(&refused));
        assert!(!directory.path().join("refused").exists());
    }
}
