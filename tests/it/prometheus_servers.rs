//! Real servers that tests fill and ask: Prometheus and VictoriaMetrics as Debian packages them.
//!
//! Each stands on a port of its own with its data in a temporary directory, and is killed when its value is dropped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use unfazed::source::metrics::Recording;
use unfazed::unit::Labels;

/// Samples by metric and labels.
pub(crate) type Data = BTreeMap<(String, Labels), Vec<(i64, f64)>>;

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// Its configuration, its log and, unless it outlives the server, its data.
    _room: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Samples of a recording, of all its metrics.
pub(crate) fn data_of(recording: &Path) -> Data {
    let recording = Recording::open(recording).unwrap();
    let names: Vec<String> = recording.metric_names().map(str::to_owned).collect();
    let mut data = Data::new();
    for name in names {
        for series in recording.frame(name.as_str()).unwrap().series {
            let samples = series.times.into_iter().zip(series.values).collect();
            data.insert((name.clone(), series.labels), samples);
        }
    }
    data
}

/// The data as a recording.
pub(crate) fn write_csv(data: &Data, directory: &Path) {
    let mut csv = "metric,labels,timestamp,value\n".to_owned();
    for ((metric, labels), samples) in data {
        let labels = labels.to_string().replace('"', "\"\"");
        for (time, value) in samples {
            let (whole, rest) = (time / 1000, time % 1000);
            writeln!(csv, "{metric},\"{labels}\",{whole}.{rest:03},{}", shown(*value)).unwrap();
        }
    }
    fs::write(directory.join("samples.csv"), csv).unwrap();
}

/// A value as Prometheus writes it.
fn shown(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

/// The data as OpenMetrics, in the order of time.
fn open_metrics(data: &Data, unit: Unit) -> String {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for ((metric, labels), samples) in data {
        for (time, value) in samples {
            let at = match unit {
                Unit::Seconds => format!("{}.{:03}", time / 1000, time % 1000),
                Unit::Milliseconds => time.to_string(),
            };
            lines.push((*time, format!("{metric}{labels} {} {at}\n", shown(*value))));
        }
    }
    lines.sort_by_key(|line| line.0);
    lines.into_iter().map(|line| line.1).collect()
}

/// The unit of times in a text.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Milliseconds,
}

fn start(program: &str, package: &str, arguments: &[String], log: &Path) -> Child {
    let file = fs::File::create(log).unwrap();
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{program} cannot be started ({error}): install the Debian package {package}")
        })
}

/// Waits until a path answers with 200.
fn wait_until_ready(port: u16, path: &str, log: &Path) {
    let begin = Instant::now();
    loop {
        if request(port, "GET", path, b"").is_some_and(|answer| answer.status == 200) {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "the server on port {port} is not ready:\n{}",
            fs::read_to_string(log).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// One request of HTTP/1.0, so that the end of the connection is the end of the answer.
pub(crate) fn request(port: u16, method: &str, path: &str, body: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some(Answer { status, body: answer[split + 4..].to_vec() })
}

/// Prometheus over blocks made from the data.
pub(crate) fn prometheus(data: &Data) -> Server {
    prometheus_with(data, &[])
}

/// The same with further arguments.
pub(crate) fn prometheus_with(data: &Data, more: &[&str]) -> Server {
    let room = tempfile::tempdir().unwrap();
    let blocks = room.path().join("blocks");
    let text = room.path().join("data.om");
    fs::write(&text, format!("{}# EOF\n", open_metrics(data, Unit::Seconds))).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&text, &blocks])
        .output()
        .unwrap_or_else(|error| {
            panic!("promtool cannot be started ({error}): install the Debian package prometheus")
        });
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    prometheus_over(&blocks, room, "global: {scrape_interval: 1m}\n", more)
}

/// Prometheus over a data directory, with a configuration.
pub(crate) fn prometheus_over(
    blocks: &Path,
    room: tempfile::TempDir,
    configuration: &str,
    more: &[&str],
) -> Server {
    let (port, file, log) =
        (free_port(), room.path().join("prometheus.yml"), room.path().join("log"));
    fs::write(&file, configuration).unwrap();
    let mut arguments = vec![
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", blocks.display()),
        "--storage.tsdb.retention.time=10y".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--log.level=warn".to_owned(),
    ];
    arguments.extend(more.iter().map(|&one| one.to_owned()));
    let child = start("prometheus", "prometheus", &arguments, &log);
    let server = Server { child, port, _room: room };
    wait_until_ready(port, "/-/ready", &log);
    server
}

/// VictoriaMetrics with the data imported.
pub(crate) fn victoria_metrics(data: &Data) -> Server {
    let room = tempfile::tempdir().unwrap();
    let (port, log) = (free_port(), room.path().join("log"));
    let arguments = [
        format!("-storageDataPath={}", room.path().join("data").display()),
        format!("-httpListenAddr=127.0.0.1:{port}"),
        "-retentionPeriod=100y".to_owned(),
        "-search.latencyOffset=0s".to_owned(),
    ];
    let child = start("victoria-metrics", "victoria-metrics", &arguments, &log);
    let server = Server { child, port, _room: room };
    wait_until_ready(port, "/health", &log);
    let text = open_metrics(data, Unit::Milliseconds);
    let sent = request(port, "POST", "/api/v1/import/prometheus", text.as_bytes()).unwrap();
    assert_eq!(sent.status, 204, "{}", String::from_utf8_lossy(&sent.body));
    request(port, "GET", "/internal/force_flush", b"").unwrap();
    server
}

/// The document of a recording, asking a server.
pub(crate) fn document_asking(document: &str, url: &str, step: &str) -> String {
    let source = format!("spec:\n  source: {{prometheus: {{url: \"{url}\", step: {step}}}}}\n");
    assert!(document.contains("spec:\n"), "{document}");
    document.replacen("spec:\n", &source, 1)
}

/// Runs unfazed.
pub(crate) fn unfazed(directory: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    Ran { code: output.status.code(), err: String::from_utf8(output.stderr).unwrap() }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) err: String,
}

/// The result in a directory, without what tells one source from another.
pub(crate) fn numbers_of(directory: &Path) -> serde_json::Value {
    let text = fs::read_to_string(directory.join("result.json")).unwrap();
    let mut result: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fields = result.as_object_mut().unwrap();
    // The digest of the document names its source; the digest of the samples covers what lies between windows.
    fields.remove("samples_digest");
    fields.remove("source");
    fields["experiment"].as_object_mut().unwrap().remove("digest");
    let told = fields["warnings"].as_array_mut().unwrap();
    // What is said about the document is said about its source too.
    told.retain(|warning| warning["code"] != "experiment_changed" && warning["code"] != "document");
    result
}

pub(crate) fn datasets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets")
}
