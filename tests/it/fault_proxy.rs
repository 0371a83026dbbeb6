//! A server between us and Prometheus that does what servers do on bad days: each day ends in the right result or in a
//! clear error with exit code 4, in bounded time and memory, with nothing half-written and no secret told.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::prometheus::{data, run_record};
use crate::prometheus_servers::{Server, document_asking, prometheus, request};

/// A document with one gauge: four windows, four questions.
const DOCUMENT: &str = r"apiVersion: unfazed/v1
kind: Experiment
metadata: {name: traps, owner: payments-sre}
spec:
  hypothesis: A bad day of the server is not a bad day of the service.
  environment: staging
  windows: {baseline: 5m, experiment: 5m}
  metrics:
    - name: queue
      gauge: queue_depth
      reduce: max
      expect: {at_most: 100, for: this_run}
";

const TOKEN: &str = "planted-token-7f3a91";
const PASSWORD: &str = "planted-pass word/91";

/// Memory that no answer may take us beyond, in KiB.
const MEMORY: u64 = 300 * 1024;

/// How long a command may take in these tests.
const PATIENCE: Duration = Duration::from_mins(3);

/// What the proxy does with a question.
#[derive(Clone)]
enum Act {
    /// Hands it on, and the answer back.
    Forward,
    /// Hands it on, and the answer back with another head.
    ForwardWith(&'static str),
    /// Hands it on, and something in the answer is another thing.
    Replace(&'static str, &'static str),
    /// Hands it on, and half of the answer back.
    Cut,
    /// Hangs up.
    HangUp,
    /// Waits before it hands it on.
    Wait(Duration),
    /// A byte now and then, for ever.
    Drip,
    /// Answers itself: head and body.
    Answer(&'static str, Arc<Vec<u8>>),
    /// Answers with a head and a beginning, and then the same again and again.
    Flood { head: &'static str, begin: Arc<Vec<u8>>, again: Arc<Vec<u8>>, times: usize },
    /// Repeats the head of the question.
    Echo(&'static str),
}

/// What is done with the question of a number, from 0.
type Plan = Arc<dyn Fn(usize) -> Act + Send + Sync>;

/// The proxy.
struct Proxy {
    port: u16,
    stop: Arc<AtomicBool>,
    questions: Arc<AtomicUsize>,
    plan: Arc<Mutex<Plan>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    fn start(behind: u16, plan: Plan, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, questions) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let plan = Arc::new(Mutex::new(plan));
        let (halt, count, current) = (Arc::clone(&stop), Arc::clone(&questions), Arc::clone(&plan));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if halt.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (count, halt, tls) = (Arc::clone(&count), Arc::clone(&halt), tls.clone());
                let plan = Arc::clone(&current.lock().unwrap());
                std::thread::spawn(move || {
                    // Whoever hangs up in the middle is not our concern.
                    let _ = match tls {
                        None => serve(stream, behind, &plan, &count, &halt),
                        Some(tls) => {
                            let session = rustls::ServerConnection::new(tls).unwrap();
                            let stream = rustls::StreamOwned::new(session, stream);
                            serve(stream, behind, &plan, &count, &halt)
                        }
                    };
                });
            }
        });
        Self { port, stop, questions, plan, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn set(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
        self.questions.store(0, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

/// Answers one question and closes.
fn serve(
    mut stream: impl Read + Write,
    behind: u16,
    plan: &Plan,
    count: &AtomicUsize,
    halt: &AtomicBool,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut first = head.split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body)?;
    // Whether raw samples are exported is asked once, before the questions that count.
    let act = if path.contains("/api/v1/export") {
        Act::Answer("404 Not Found\r\nContent-Type: text/plain", Arc::default())
    } else {
        plan(count.fetch_add(1, Ordering::SeqCst))
    };
    let path = path.replace("/moved/", "/");
    let forward = || request(behind, method, &path, &body).unwrap();
    let json = "200 OK\r\nContent-Type: application/json";
    match act {
        Act::Forward => answer(&mut stream, json, &forward().body),
        Act::ForwardWith(head) => answer(&mut stream, head, &forward().body),
        Act::Replace(from, to) => {
            let text = String::from_utf8(forward().body).unwrap();
            answer(&mut stream, json, text.replacen(from, to, 1).as_bytes())
        }
        Act::Cut => {
            let body = forward().body;
            write!(stream, "HTTP/1.1 {json}\r\nContent-Length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body[..body.len() / 2])?;
            stream.flush()
        }
        Act::HangUp => Ok(()),
        Act::Wait(time) => {
            std::thread::sleep(time);
            answer(&mut stream, json, &forward().body)
        }
        Act::Drip => {
            write!(stream, "HTTP/1.1 {json}\r\n\r\n{{")?;
            while !halt.load(Ordering::SeqCst) {
                stream.write_all(b" ")?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
        Act::Answer(head, body) => answer(&mut stream, head, &body),
        Act::Flood { head, begin, again, times } => {
            write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")?;
            stream.write_all(&begin)?;
            for _ in 0..times {
                stream.write_all(&again)?;
            }
            stream.flush()
        }
        Act::Echo(status) => answer(&mut stream, status, head.as_bytes()),
    }
}

fn answer(stream: &mut impl Write, head: &str, body: &[u8]) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    stream.flush()
}

fn always(act: Act) -> Plan {
    Arc::new(move |_| act.clone())
}

/// The first questions meet a bad day, the others do not.
fn first(count: usize, act: Act) -> Plan {
    Arc::new(move |number| if number < count { act.clone() } else { Act::Forward })
}

/// How a command ended, and the most memory it had.
struct Ended {
    code: Option<i32>,
    said: String,
    memory: u64,
    took: Duration,
}

/// Runs unfazed and watches its memory; a command that hangs fails the test.
fn watched(room: &Path, arguments: &[&str], environment: &BTreeMap<&str, &str>) -> Ended {
    let said = room.join("said");
    let file = fs::File::create(&said).unwrap();
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(arguments)
        .envs(environment)
        .current_dir(room)
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let mut memory = 0;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        memory = memory.max(peak_memory(child.id()));
        if begin.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?} hangs: {}", fs::read_to_string(&said).unwrap());
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let text = fs::read_to_string(&said).unwrap();
    fs::remove_file(said).unwrap();
    Ended { code, said: text, memory, took: begin.elapsed() }
}

/// The most memory that a process had so far, in KiB.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// How a day must end.
enum End {
    /// The samples are those of a good day.
    Right,
    /// Exit code 4, and these words.
    Error(&'static [&'static str]),
}

struct Day {
    name: &'static str,
    plan: Plan,
    more: &'static [&'static str],
    end: End,
}

fn day(name: &'static str, plan: Plan, more: &'static [&'static str], end: End) -> Day {
    Day { name, plan, more, end }
}

fn bytes(text: &str) -> Arc<Vec<u8>> {
    Arc::new(text.as_bytes().to_vec())
}

/// A member of a gzip file.
fn packed(text: &[u8]) -> Arc<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text).unwrap();
    Arc::new(packed.finish().unwrap())
}

const JSON: &str = "200 OK\r\nContent-Type: application/json";
const BEGIN: &str =
    r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":""#;
const SAMPLES: &str =
    r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":["#;
const PACKED: &str = "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
const TIGHT: &[&str] = &["--retries", "1"];
const SHORT: &[&str] = &["--retries", "1", "--timeout", "500ms"];

fn passing_days() -> Vec<Day> {
    vec![
        day("a good day", always(Act::Forward), TIGHT, End::Right),
        day(
            "slow once",
            first(1, Act::Wait(Duration::from_secs(2))),
            &["--timeout", "700ms"],
            End::Right,
        ),
        day("cut in the middle, three times", first(3, Act::Cut), &[], End::Right),
        day("hung up on, three times", first(3, Act::HangUp), &[], End::Right),
        day(
            "500, twice",
            first(2, Act::Answer("500 Internal Server Error", Arc::default())),
            &[],
            End::Right,
        ),
        day(
            "429 with Retry-After",
            first(1, Act::Answer("429 Too Many Requests\r\nRetry-After: 1", Arc::default())),
            TIGHT,
            End::Right,
        ),
        day(
            "503 with HTML, twice",
            first(
                2,
                Act::Answer(
                    "503 Service Unavailable\r\nContent-Type: text/html",
                    bytes("<html>busy</html>"),
                ),
            ),
            &[],
            End::Right,
        ),
        day(
            "moved within the server",
            Arc::new(|number| match number {
                0 => Act::Answer(
                    "307 Temporary Redirect\r\nLocation: /moved/api/v1/query",
                    Arc::default(),
                ),
                _ => Act::Forward,
            }),
            TIGHT,
            End::Right,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "one table")]
fn lasting_days() -> Vec<Day> {
    vec![
        day(
            "slow for ever",
            always(Act::Wait(Duration::from_secs(5))),
            SHORT,
            End::Error(&["no whole answer within 0.5 s, 2 times", "--timeout"]),
        ),
        day(
            "a byte now and then",
            always(Act::Drip),
            SHORT,
            End::Error(&["no whole answer within 0.5 s"]),
        ),
        day(
            "beyond the deadline",
            always(Act::Wait(Duration::from_secs(5))),
            &["--deadline", "1s"],
            End::Error(&["1 s for all of the work are over", "--deadline"]),
        ),
        day("cut for ever", always(Act::Cut), TIGHT, End::Error(&["broke off", "2 times"])),
        day(
            "hung up on for ever",
            always(Act::HangUp),
            TIGHT,
            End::Error(&["2 times", "check the address"]),
        ),
        day(
            "busy for an hour",
            always(Act::Answer("429 Too Many Requests\r\nRetry-After: 3600", Arc::default())),
            &["--deadline", "20s"],
            End::Error(&["status 429", "asks to wait 3600 s", "run again later"]),
        ),
        day(
            "500 for ever",
            always(Act::Answer("500 Internal Server Error", bytes("boom"))),
            TIGHT,
            End::Error(&["status 500", "boom"]),
        ),
        day(
            "503 with HTML for ever",
            always(Act::Answer(
                "503 Service Unavailable\r\nContent-Type: text/html",
                bytes("<html>\n<b>busy</b></html>"),
            )),
            TIGHT,
            End::Error(&["status 503", "<html> <b>busy</b></html>", "2 times"]),
        ),
        day(
            "no JSON",
            always(Act::Answer(JSON, bytes("{\"status\":\"success\",oops"))),
            TIGHT,
            End::Error(&["begins '{\"status\":\"success\",oops'", "byte 20"]),
        ),
        day(
            "some other JSON",
            always(Act::Answer(JSON, bytes("{\"hello\":1}"))),
            TIGHT,
            End::Error(&["\"status\" and \"data\""]),
        ),
        day(
            "an empty answer",
            always(Act::Answer(JSON, Arc::default())),
            TIGHT,
            End::Error(&["an empty answer"]),
        ),
        day(
            "a number that is none",
            always(Act::Replace("\"values\":[[", "\"values\":[[\"soon\",\"x\"],[")),
            TIGHT,
            End::Error(&["a time in seconds"]),
        ),
        day(
            "HTML with 200",
            always(Act::Answer("200 OK\r\nContent-Type: text/html", bytes("<html>log in</html>"))),
            TIGHT,
            End::Error(&["type 'text/html'", "log in"]),
        ),
        day(
            "not found",
            always(Act::Answer("404 Not Found", bytes("nothing here"))),
            TIGHT,
            End::Error(&["status 404", "nothing here", "api/v1/query"]),
        ),
        day(
            "redirected in a circle",
            always(Act::Answer("302 Found\r\nLocation: /api/v1/query", Arc::default())),
            TIGHT,
            End::Error(&["more than 5 redirects"]),
        ),
        day(
            "redirected elsewhere",
            always(Act::Answer("302 Found\r\nLocation: http://login.example/in", Arc::default())),
            TIGHT,
            End::Error(&["leads to http://login.example", "credentials are not sent"]),
        ),
        day(
            "401",
            always(Act::Answer("401 Unauthorized", bytes("who are you"))),
            TIGHT,
            End::Error(&["status 401", "bearer_token_env"]),
        ),
        day(
            "403",
            always(Act::Answer("403 Forbidden", Arc::default())),
            TIGHT,
            End::Error(&["status 403", "names no credentials"]),
        ),
        day(
            "a query that the server refuses",
            always(Act::Answer(
                "400 Bad Request\r\nContent-Type: application/json",
                bytes(
                    r#"{"status":"error","errorType":"bad_data","error":"1:3: parse error: oh"}"#,
                ),
            )),
            TIGHT,
            End::Error(&["status 400, bad_data: 1:3: parse error: oh"]),
        ),
        day(
            "a bomb of samples",
            always(Act::Flood {
                head: PACKED,
                begin: packed(SAMPLES.as_bytes()),
                again: packed("[1,\"1\"],".repeat(1 << 17).as_bytes()),
                times: 1 << 12,
            }),
            &["--retries", "0", "--answer-bytes", "2000000"],
            End::Error(&["more than 2000000 bytes", "narrow the selector"]),
        ),
        day(
            "a bomb that takes longer than it may",
            always(Act::Flood {
                head: PACKED,
                begin: packed(SAMPLES.as_bytes()),
                again: packed(" ".repeat(1 << 20).as_bytes()),
                times: 1 << 12,
            }),
            &["--retries", "0", "--timeout", "2s"],
            End::Error(&["no whole answer within 2 s"]),
        ),
        day(
            "a label of 100 MB",
            always(Act::Flood {
                head: JSON,
                begin: bytes(BEGIN),
                again: bytes(&"x".repeat(1 << 20)),
                times: 100,
            }),
            TIGHT,
            End::Error(&["a text is longer than 1048576 bytes"]),
        ),
        day(
            "lists in lists for ever",
            always(Act::Flood {
                head: JSON,
                begin: bytes("{\"x\":"),
                again: bytes(&"[".repeat(1 << 20)),
                times: 20,
            }),
            TIGHT,
            End::Error(&["less deeply nested"]),
        ),
    ]
}

/// A room with a document that asks `url`, and the record of the run.
fn room(url: &str) -> tempfile::TempDir {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("e.yaml"), document_asking(DOCUMENT, url, "5s")).unwrap();
    fs::write(room.path().join("run.json"), run_record()).unwrap();
    room
}

/// The samples of a good day.
fn expected(server: &Server) -> Vec<u8> {
    let room = room(&server.url());
    let ended = watched(
        room.path(),
        &["pull", "e.yaml", "--run", "run.json", "-o", "rec"],
        &BTreeMap::new(),
    );
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    fs::read(room.path().join("rec/samples.parquet")).unwrap()
}

/// Names of everything in a room but the inputs.
fn left_in(room: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(room)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "e.yaml" && name != "run.json")
        .collect();
    names.sort();
    names
}

fn live_through(day: &Day, server: &Server, expected: &[u8]) {
    let proxy = Proxy::start(server.port, Arc::clone(&day.plan), None);
    let room = room(&proxy.url());
    let mut arguments = vec!["pull", "e.yaml", "--run", "run.json", "-o", "rec"];
    arguments.extend(day.more);
    let ended = watched(room.path(), &arguments, &BTreeMap::new());
    let name = day.name;
    assert!(ended.memory < MEMORY, "{name}: {} KiB", ended.memory);
    match day.end {
        End::Right => {
            assert_eq!(ended.code, Some(0), "{name}: {}", ended.said);
            let samples = fs::read(room.path().join("rec/samples.parquet")).unwrap();
            assert!(samples == expected, "{name}: other samples");
            assert_eq!(left_in(room.path()), ["rec"], "{name}");
        }
        End::Error(words) => {
            assert_eq!(ended.code, Some(4), "{name}: {}", ended.said);
            for word in words {
                assert!(ended.said.contains(word), "{name} does not say '{word}': {}", ended.said);
            }
            assert!(ended.said.lines().count() == 1, "{name}: {}", ended.said);
            assert_eq!(left_in(room.path()), ["rec.partial"], "{name}");
            // The same from `analyze`, which leaves nothing at all.
            let mut arguments = vec!["analyze", "e.yaml", "--run", "run.json", "-o", "out"];
            arguments.extend(day.more);
            let ended = watched(room.path(), &arguments, &BTreeMap::new());
            assert_eq!(ended.code, Some(4), "{name}: {}", ended.said);
            assert_eq!(left_in(room.path()), ["rec.partial"], "{name}: after analyze");
        }
    }
}

#[test]
fn every_bad_day_ends_in_the_right_result_or_in_a_clear_error() {
    let server = prometheus(&data());
    let expected = expected(&server);
    passing_days()
        .into_par_iter()
        .chain(lasting_days())
        .for_each(|day| live_through(&day, &server, &expected));
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let server = prometheus(&data());
    let busy = Act::Answer("429 Too Many Requests\r\nRetry-After: 2", Arc::default());
    let proxy = Proxy::start(server.port, first(1, busy), None);
    let room = room(&proxy.url());
    let ended = watched(
        room.path(),
        &["pull", "e.yaml", "--run", "run.json", "-o", "rec"],
        &BTreeMap::new(),
    );
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.took >= Duration::from_secs(2), "{:?}", ended.took);
}

#[test]
fn an_interrupted_pull_goes_on_where_it_was_and_ends_in_the_same_bytes() {
    let server = prometheus(&data());
    let expected = expected(&server);
    let gone_after_two: Plan =
        Arc::new(|number| if number < 2 { Act::Forward } else { Act::HangUp });
    let proxy = Proxy::start(server.port, gone_after_two, None);
    let room = room(&proxy.url());
    let pull =
        ["pull", "e.yaml", "--run", "run.json", "-o", "rec", "--retries", "0", "--requests", "1"];
    let ended = watched(room.path(), &pull, &BTreeMap::new());
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    assert_eq!(left_in(room.path()), ["rec.partial"]);
    proxy.set(always(Act::Forward));
    let ended = watched(room.path(), &pull, &BTreeMap::new());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains("went on where"), "{}", ended.said);
    assert_eq!(proxy.questions.load(Ordering::SeqCst), 2, "two of four windows were there already");
    assert!(fs::read(room.path().join("rec/samples.parquet")).unwrap() == expected);
    assert_eq!(left_in(room.path()), ["rec"]);
}

#[test]
fn a_pull_that_is_killed_leaves_nothing_half_written_and_goes_on() {
    let server = prometheus(&data());
    let expected = expected(&server);
    let slow: Plan =
        Arc::new(
            |number| {
                if number < 2 { Act::Forward } else { Act::Wait(Duration::from_secs(30)) }
            },
        );
    let proxy = Proxy::start(server.port, slow, None);
    let room = room(&proxy.url());
    let pull = ["--quiet", "pull", "e.yaml", "--run", "run.json", "-o", "rec", "--requests", "1"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_unfazed"))
        .args(pull)
        .current_dir(room.path())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while proxy.questions.load(Ordering::SeqCst) < 3 {
        assert!(begin.elapsed() < PATIENCE, "the third question never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(left_in(room.path()), ["rec.partial"]);
    // A crash of the machine may leave a torn file: it is fetched again.
    let torn = room.path().join("rec.partial/000000.unit");
    let whole = fs::read(&torn).unwrap();
    fs::write(&torn, &whole[..whole.len() / 2]).unwrap();
    proxy.set(always(Act::Forward));
    let ended = watched(room.path(), &pull, &BTreeMap::new());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(
        proxy.questions.load(Ordering::SeqCst),
        3,
        "one of four windows was there and whole"
    );
    assert!(fs::read(room.path().join("rec/samples.parquet")).unwrap() == expected);
    assert_eq!(left_in(room.path()), ["rec"]);
}

#[test]
fn a_real_server_that_is_killed_and_comes_back_is_the_same_server() {
    let made = data();
    let expected = {
        let server = prometheus(&made);
        expected(&server)
    };
    // The first server dies after two questions; another one stands behind the same address afterwards.
    let server = prometheus(&made);
    let proxy = Proxy::start(server.port, first(2, Act::Forward), None);
    let room = room(&proxy.url());
    drop(server);
    let pull = ["pull", "e.yaml", "--run", "run.json", "-o", "rec", "--retries", "0"];
    let ended = watched(room.path(), &pull, &BTreeMap::new());
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    let server = prometheus(&made);
    let back = Proxy::start(server.port, always(Act::Forward), None);
    fs::write(room.path().join("e.yaml"), document_asking(DOCUMENT, &back.url(), "5s")).unwrap();
    let ended = watched(room.path(), &pull, &BTreeMap::new());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(fs::read(room.path().join("rec/samples.parquet")).unwrap() == expected);
}

/// Every file below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn no_secret_is_told_whatever_the_server_repeats() {
    let server = prometheus(&data());
    let echoes = [
        "401 Unauthorized",
        "403 Forbidden",
        "500 Oh",
        "404 Gone",
        "200 OK\r\nContent-Type: text/plain",
        JSON,
    ];
    let ways = [
        "bearer_token_env: PLANTED_TOKEN",
        "bearer_token_file: token",
        "basic_user: ann, basic_password_env: PLANTED_PASSWORD",
        "headers: {X-Api-Key: planted-token-7f3a91}",
    ];
    let environment = BTreeMap::from([("PLANTED_TOKEN", TOKEN), ("PLANTED_PASSWORD", PASSWORD)]);
    let pairs: Vec<(&str, &str)> =
        ways.iter().flat_map(|way| echoes.iter().map(move |echo| (*way, *echo))).collect();
    pairs.into_par_iter().for_each(|(way, echo)| {
        let proxy = Proxy::start(server.port, always(Act::Echo(echo)), None);
        let room = room(&proxy.url());
        let document = document_asking(DOCUMENT, &proxy.url(), &format!("5s, {way}"));
        fs::write(room.path().join("e.yaml"), &document).unwrap();
        fs::write(room.path().join("token"), format!("{TOKEN}\n")).unwrap();
        let outcomes = [
            watched(
                room.path(),
                &["pull", "e.yaml", "--run", "run.json", "-o", "rec", "--retries", "0"],
                &environment,
            ),
            watched(
                room.path(),
                &["analyze", "e.yaml", "--run", "run.json", "-o", "out", "--retries", "0"],
                &environment,
            ),
        ];
        for ended in outcomes {
            assert_eq!(ended.code, Some(4), "{way}, {echo}: {}", ended.said);
            no_secret(&ended.said, &format!("{way}, {echo}"));
        }
        proxy.set(always(Act::Replace(
            "\"data\":",
            "\"warnings\":[\"planted-token-7f3a91 is yours\"],\"data\":",
        )));
        let ended = watched(
            room.path(),
            &["pull", "e.yaml", "--run", "run.json", "-o", "rec"],
            &environment,
        );
        assert_eq!(ended.code, Some(0), "{way}: {}", ended.said);
        let ended_too =
            watched(room.path(), &["analyze", "rec", "-o", "out", "--exit-zero"], &environment);
        assert_eq!(ended_too.code, Some(0), "{way}: {}", ended_too.said);
        fs::remove_file(room.path().join("token")).unwrap();
        for file in files_below(room.path()) {
            // The document itself holds what its author wrote into it.
            if file.extension().is_none_or(|extension| extension != "yaml") {
                let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
                if way.contains("PASSWORD") {
                    assert!(!text.contains(PASSWORD), "{}", file.display());
                } else {
                    no_secret(&text, &file.display().to_string());
                }
            }
        }
        if !way.contains("PASSWORD") {
            no_secret(&ended.said, way);
        }
    });
}

fn no_secret(text: &str, place: &str) {
    // The password, in the form in which it is sent: base64 of "ann:planted-pass word/91".
    for secret in [TOKEN, PASSWORD, "YW5uOnBsYW50ZWQtcGFzcyB3b3JkLzkx"] {
        assert!(!text.contains(secret), "{place} tells {secret}: {text}");
    }
}

#[test]
fn what_a_server_warns_about_reaches_the_result() {
    let server = prometheus(&data());
    let noted = Act::Replace(
        "\"data\":",
        "\"warnings\":[\"one store did not answer\"],\"infos\":[\"a note\"],\"data\":",
    );
    let late = "200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 2099 00:00:00 GMT";
    let plan: Plan =
        Arc::new(move |number| if number == 0 { noted.clone() } else { Act::ForwardWith(late) });
    let proxy = Proxy::start(server.port, plan, None);
    let room = room(&proxy.url());
    let ended = watched(
        room.path(),
        &["pull", "e.yaml", "--run", "run.json", "-o", "rec"],
        &BTreeMap::new(),
    );
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let ended =
        watched(room.path(), &["analyze", "rec", "-o", "out", "--exit-zero"], &BTreeMap::new());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let result = fs::read_to_string(room.path().join("out/result.json")).unwrap();
    for words in ["one store did not answer", "a note", "clock_skew", "ahead of the one here"] {
        assert!(result.contains(words), "no '{words}' in {result}");
    }
    let result: serde_json::Value = serde_json::from_str(&result).unwrap();
    assert!(result["source"].as_str().unwrap().contains("instant queries"), "{}", result["source"]);
}

#[test]
fn nothing_found_is_named_and_is_not_zero() {
    let server = prometheus(&data());
    let room = tempfile::tempdir().unwrap();
    let document =
        document_asking(&DOCUMENT.replace("queue_depth", "no_such_metric"), &server.url(), "5s");
    fs::write(room.path().join("e.yaml"), document).unwrap();
    fs::write(room.path().join("run.json"), run_record()).unwrap();
    let ended = watched(
        room.path(),
        &["analyze", "e.yaml", "--run", "run.json", "-o", "out"],
        &BTreeMap::new(),
    );
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    let result = fs::read_to_string(room.path().join("out/result.json")).unwrap();
    assert!(result.contains("nothing_found") && result.contains("missing_data"), "{result}");
}

/// A certificate of its own authority for 127.0.0.1.
struct Certified {
    authority: String,
    server: Arc<rustls::ServerConfig>,
    /// The same server, which asks for a certificate of the same authority.
    strict: Arc<rustls::ServerConfig>,
    client: String,
}

fn certified() -> Certified {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&key).unwrap();
    let issuer = Issuer::new(parameters, key);
    let signed = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.signed_by(&key, &issuer).unwrap(), key)
    };
    let (certificate, key) = signed("127.0.0.1");
    let (of_client, key_of_client) = signed("client");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let secret = || PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(authority.der().to_vec())).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    Certified {
        authority: authority.pem(),
        server: Arc::new(
            rustls::ServerConfig::builder()
                .with_no_client_auth()
                .with_single_cert(chain.clone(), secret())
                .unwrap(),
        ),
        strict: Arc::new(
            rustls::ServerConfig::builder()
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain, secret())
                .unwrap(),
        ),
        client: format!("{}{}", of_client.pem(), key_of_client.serialize_pem()),
    }
}

#[test]
fn certificates_are_checked_and_given() {
    let server = prometheus(&data());
    let expected = expected(&server);
    let certified = certified();
    let open = Proxy::start(server.port, always(Act::Forward), Some(Arc::clone(&certified.server)));
    let strict =
        Proxy::start(server.port, always(Act::Forward), Some(Arc::clone(&certified.strict)));
    let pull = |port: u16, more: &str| {
        let room = tempfile::tempdir().unwrap();
        let url = format!("https://127.0.0.1:{port}");
        fs::write(
            room.path().join("e.yaml"),
            document_asking(DOCUMENT, &url, &format!("5s{more}")),
        )
        .unwrap();
        fs::write(room.path().join("run.json"), run_record()).unwrap();
        fs::write(room.path().join("ca.pem"), &certified.authority).unwrap();
        fs::write(room.path().join("me.pem"), &certified.client).unwrap();
        let pull = ["pull", "e.yaml", "--run", "run.json", "-o", "rec", "--retries", "1"];
        let ended = watched(room.path(), &pull, &BTreeMap::new());
        let samples = fs::read(room.path().join("rec/samples.parquet")).ok();
        (ended, samples)
    };
    let (ended, _) = pull(open.port, "");
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    assert!(ended.said.contains("certificate") && ended.said.contains("ca_file"), "{}", ended.said);
    let (ended, samples) = pull(open.port, ", ca_file: ca.pem");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(samples.unwrap() == expected);
    let (ended, _) = pull(strict.port, ", ca_file: ca.pem");
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    let (ended, samples) = pull(strict.port, ", ca_file: ca.pem, client_certificate_file: me.pem");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(samples.unwrap() == expected);
    let (ended, _) = pull(open.port, ", ca_file: me-too.pem");
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    assert!(ended.said.contains("me-too.pem"), "{}", ended.said);
}
